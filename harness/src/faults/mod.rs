//! Kinds of faults, one file each. To add one: write its file, add it to [`FAULTS`]; whatever
//! the lab has to know of it stands in its row.
//!
//! A fault is a value. When it starts, it looks at the world once, resolves its selectors, and
//! returns a script: conditions to impose and lift, shocks to strike, each at its offset. The
//! runner plays the script, counts its effects, and lifts whatever is left when the fault ends, so
//! healing is nobody's duty.

mod clock;
mod clog;
mod crash;
mod dependency_down;
mod disk;
mod inject_frame;
mod link;
mod membership;
mod partition;
mod pause;
mod reset;
mod slow_cpu;

use catalog::{Membership, Settings};
use contract::{Condition, Duration, NodeId, Rng, Shock};
use scenario::kinds::FaultRow;

/// A kind of fault.
pub trait FaultKind: Sync {
    /// Name, help and fields, and everything else that the lab has to know of it.
    fn row(&self) -> FaultRow;
    /// What an occurrence of it does, given what its selectors mean now.
    fn script(&self, fields: &Settings, stage: &mut dyn Stage) -> Vec<Step>;
}

/// The world as a fault sees it when it starts.
pub trait Stage {
    /// The nodes that a selector means now.
    fn select(&mut self, selector: &str) -> Vec<NodeId>;
    /// How many nodes the world has.
    fn node_count(&self) -> usize;
    /// How long this occurrence lasts, where the file says so.
    fn length(&self) -> Option<Duration>;
    /// The bytes by which `node` is asked for a change of membership concerning `whom`; `None`
    /// where its system knows none, or none of `whom` is of its group.
    fn membership(&self, node: NodeId, change: Membership, whom: &[NodeId]) -> Option<Vec<u8>>;
    /// The fault's own random stream.
    fn rng(&mut self) -> &mut Rng;
}

/// One step of a fault's script.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// After the start of the occurrence.
    pub offset: Duration,
    /// What happens.
    pub action: Action,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Imposes a condition. It is lifted by a [`Action::Lift`] or when the fault ends.
    Impose(Condition),
    /// Lifts the condition that the n-th `Impose` of this script imposed, from 0.
    Lift(usize),
    /// Strikes.
    Strike(Shock),
}

/// The kinds of the house; a user's binary adds its own, see [`crate::kinds`].
pub const FAULTS: &[&dyn FaultKind] = &[
    &partition::Partition,
    &link::Link,
    &clog::Clog,
    &clog::SwizzleClog,
    &crash::Crash,
    &pause::Pause,
    &slow_cpu::SlowCpu,
    &slow_cpu::ServiceTime,
    &clock::Clock,
    &disk::DiskFault,
    &crash::MemoryPressure,
    &dependency_down::DependencyDown,
    &inject_frame::InjectFrame,
    &reset::Reset,
    &membership::ChangeMembers,
];

/// A script of conditions that hold from the start to the end of the fault.
fn lasting(conditions: impl IntoIterator<Item = Condition>) -> Vec<Step> {
    let step = |condition| Step { offset: Duration::ZERO, action: Action::Impose(condition) };
    conditions.into_iter().map(step).collect()
}

/// The nodes that the field `node` means now.
fn nodes_of(fields: &Settings, stage: &mut dyn Stage) -> Vec<NodeId> {
    stage.select(&fields.text("node"))
}

/// The directed links that a fault with the fields `link` or `node` is about: those from one side
/// to the other, or all that touch a node.
fn links_of(fields: &Settings, stage: &mut dyn Stage) -> Vec<(NodeId, NodeId)> {
    if fields.has("link") {
        let ends = texts(fields, "link");
        let (from, to) = (stage.select(&ends[0]), stage.select(&ends[1]));
        return pairs(&from, &to);
    }
    let touched = nodes_of(fields, stage);
    touching(&touched, stage.node_count())
}

/// All directed links to and from the nodes, each once.
fn touching(nodes: &[NodeId], node_count: usize) -> Vec<(NodeId, NodeId)> {
    let everyone: Vec<NodeId> = (0..node_count as u32).map(NodeId).collect();
    let mut links = pairs(nodes, &everyone);
    links.extend(pairs(&everyone, nodes));
    links.sort_unstable();
    links.dedup();
    links
}

/// All directed links from one of `from` to one of `to`.
fn pairs(from: &[NodeId], to: &[NodeId]) -> Vec<(NodeId, NodeId)> {
    let link =
        |a: &NodeId| to.iter().filter(move |b| *b != a).map(|b| (*a, *b)).collect::<Vec<_>>();
    from.iter().flat_map(link).collect()
}

/// A field that holds a list of texts.
fn texts(fields: &Settings, name: &str) -> Vec<String> {
    use catalog::SettingValue::{List, Text};
    let Some(List(items)) = fields.0.get(name) else {
        panic!("the compiler fills the field `{name}` with a list of texts");
    };
    let text = |item: &catalog::SettingValue| match item {
        Text(text) => text.clone(),
        other => panic!("the compiler fills the field `{name}` with texts, not {other:?}"),
    };
    items.iter().map(text).collect()
}
