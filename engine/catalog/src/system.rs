//! What a system under test tells the lab about itself: one row of the table of systems.
//!
//! Everything a scenario file may name (roles, settings, defects, events, gauges, predicates,
//! selectors) stands in a static table here, so that a misspelt name is an error with a suggestion
//! and the reference pages are generated.

use crate::check::{Invariant, Property};
use crate::hunt::Hunt;
use crate::operation::{Operation, Verb};
use crate::settings::{Setting, Settings};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use contract::{Duration, Fx, Node, NodeId, Nodes, Now, Ratio, Refused, Value};

/// A system under test.
pub trait System: Sync {
    /// The value of `system = ".."` in a scenario file.
    fn name(&self) -> &'static str;
    /// One line of help.
    fn about(&self) -> &'static str {
        ""
    }
    /// What `[nodes.G] role = ".."` may be, with the settings of each. The role `client` is booted
    /// by `[clients.C]`.
    fn roles(&self) -> &'static [Role];
    /// What its clients can be asked to do.
    fn operations(&self) -> &'static [Operation] {
        Operation::SHARED
    }
    /// What an operator can ask of it.
    fn verbs(&self) -> &'static [Verb] {
        &[]
    }
    /// The codes of the errors that [`System::relations`] may find, in the range of its own.
    fn codes(&self) -> &'static [Code] {
        &[]
    }
    /// What its invariants hold, and the roles without which they have nothing to look at.
    fn properties(&self) -> &'static [PropertyRow] {
        &[]
    }
    /// Planted defects, off unless a scenario names them.
    fn defects(&self) -> &'static [Defect] {
        &[]
    }
    /// What nodes may mark; `Mark::event` is a row of this table.
    fn events(&self) -> &'static [EventKind] {
        &[]
    }
    /// What can be read off a node at any time.
    fn gauges(&self) -> &'static [GaugeKind] {
        &[]
    }
    /// What can be true of a group of nodes: `converge.to`, `cover.state`.
    fn predicates(&self) -> &'static [PredicateKind] {
        &[]
    }
    /// Words after the slash of a selector that this system resolves: `leader`, `followers`.
    fn selectors(&self) -> &'static [&'static str] {
        &[]
    }

    /// What `hunt` may make of it; `None` where it draws no worlds of the system.
    fn hunt(&self) -> Option<&'static Hunt> {
        None
    }
    /// The setting of `role` by which one stored byte counts as several: what `[memory.G] scale` is
    /// passed to.
    fn memory_scale(&self, _role: &str) -> Option<&'static str> {
        None
    }
    /// Relations between the settings of one role that must hold, such as a lease that is safe
    /// under the clock drift allowed. Each broken one becomes an error of the scenario file.
    fn relations(&self, _role: &str, _settings: &Settings, _drift_max: Ratio) -> Vec<Relation> {
        Vec::new()
    }
    /// What nodes of a role hold at most, with these settings.
    fn limits(&self, _role: &str, _settings: &Settings) -> Limits {
        Limits::NONE
    }
    /// How long a client of the role takes at most, by its own clock, until an operation is
    /// answered or given up; `None` where it promises no end.
    fn patience(&self, _role: &str, _settings: &Settings) -> Option<Duration> {
        None
    }
    /// What can be asked of a group of the role for as long as nothing disturbs it: somebody leads.
    /// `None` where nobody leads such a group.
    fn leadership(&self, _role: &str, _settings: &Settings) -> Option<Leadership> {
        None
    }
    /// Boots, or reboots, one node from what is on its disk.
    ///
    /// # Errors
    /// When the node refuses to serve from what it finds on its disk.
    fn boot(&self, seat: &Seat<'_>, now: Now, fx: &mut Fx<'_>) -> Result<Box<dyn Node>, Refused>;
    /// Which of the `free` nodes, in the order of their ids, `machine` gets when it starts one of
    /// `role`: dormant nodes of that role that do not run and that its group may host. At least one
    /// is free. Decided from the world alone: the same world gives the same node.
    fn place(
        &self,
        _machine: NodeId,
        _role: &str,
        free: &[NodeId],
        _nodes: &dyn Nodes,
    ) -> Option<NodeId> {
        free.first().copied()
    }
    /// The invariants of this system's nodes, given all of its groups in the world.
    fn invariants(&self, _groups: &[Group]) -> Vec<Box<dyn Invariant>> {
        Vec::new()
    }
    /// The datagram by which an operator at a node of `group` asks for a change of who takes part,
    /// concerning the nodes at `positions` of the group. It is delivered as if the node had sent
    /// it to itself. `None` where the system knows no membership.
    fn membership(&self, _change: Membership, _positions: &[u32]) -> Option<Vec<u8>> {
        None
    }
    /// Resolves a word of [`System::selectors`] among `group`.
    fn select(&self, _word: &str, _group: &[NodeId], _nodes: &dyn Nodes) -> Vec<NodeId> {
        Vec::new()
    }
    /// The value of a row of [`System::gauges`] at `node`; `None` where it has none.
    fn gauge(&self, row: usize, node: &dyn Node) -> Option<u64> {
        (self.gauges().get(row)?.read)(node)
    }
    /// Whether a row of [`System::predicates`] holds for `group` now; `None` where it says nothing
    /// of such a group, or there is no such row.
    fn holds(&self, row: usize, group: &[NodeId], nodes: &dyn Nodes) -> Option<bool> {
        (self.predicates().get(row)?.holds)(group, nodes)
    }
    /// Why the groups have not settled yet; `None` once they have.
    fn pending(&self, _groups: &[Group], _nodes: &dyn Nodes) -> Option<&'static str> {
        None
    }
    /// Appends what a scraper would find at these nodes now, each with its name, as text in the
    /// exposition format of Prometheus: nothing where the system exposes nothing.
    fn expose(&self, _nodes: &[(&str, &dyn Node)], _out: &mut String) {}
    /// The state of a node for people: role, term, indexes, ….
    fn view(&self, _node: &dyn Node, _fields: &mut dyn Fields) {}
    /// The abstract state of the groups, for novelty and exhaustive search: folded into a hash
    /// that is equal for states that should count as one. A system that does not say has one
    /// state only.
    fn fingerprint(&self, _groups: &[Group], _nodes: &dyn Nodes) -> u64 {
        0
    }
}

/// That somebody leads a group.
#[derive(Clone, Copy, Debug)]
pub struct Leadership {
    /// Whether nodes that are up could elect a leader by themselves, and have none; `false` also
    /// where there are too few of them.
    pub is_leaderless: fn(&[NodeId], &dyn Nodes) -> bool,
    /// How long that may last at most while every message gets through.
    pub within: Duration,
}

/// What nodes of a role hold at most. A file that asks for more is wrong, and not the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Nodes of one group.
    pub nodes_max: u32,
    /// The size of a value that a client writes, in bytes.
    pub value_bytes_max: u64,
    /// The size of a value that a node holds from the start, in bytes.
    pub preload_bytes_max: u64,
}

impl Limits {
    /// No limit but those of the format.
    pub const NONE: Self =
        Self { nodes_max: u32::MAX, value_bytes_max: u64::MAX, preload_bytes_max: u64::MAX };
}

/// What a node of a system can be.
#[derive(Clone, Copy, Debug)]
pub struct Role {
    /// As in `[nodes.G] role`.
    pub name: &'static str,
    /// One line of help.
    pub about: &'static str,
    /// The keys of `[tuning.G]`.
    pub settings: &'static [Setting],
    /// The keys that `[nodes.G] uses` must give, each naming another group.
    pub uses: &'static [&'static str],
    /// Whether the files of a node that another starts outlive it, until it is started on the same
    /// machine again. Nodes that boot by themselves keep their disk in any case.
    pub durable: bool,
}

impl Role {
    /// A role without settings that needs no other group.
    #[must_use]
    pub const fn plain(name: &'static str, about: &'static str) -> Self {
        Self { name, about, settings: &[], uses: &[], durable: false }
    }
}

/// A stable code of an error in a scenario file that only this system can find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// `E0311`; unique among the codes of the lab and of all systems in it.
    pub code: &'static str,
    /// What is wrong, in a few words.
    pub title: &'static str,
    /// Why it is wrong and what to do, as `explain` shows it.
    pub about: &'static str,
}

/// A property that some invariant of the system holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PropertyRow {
    /// Its name, what it says, and where it is defined.
    pub property: Property,
    /// The roles whose nodes it looks at: one of them must be in the file. Empty where any will do.
    pub roles: &'static [&'static str],
}

/// A planted defect.
#[derive(Clone, Copy, Debug)]
pub struct Defect {
    /// As in `defects = [..]`.
    pub name: &'static str,
    /// What is wrong with it, in one sentence.
    pub about: &'static str,
    /// Where it was found in the wild, or the section that it breaks.
    pub source: &'static str,
    /// The check or invariant that must catch it.
    pub caught_by: &'static str,
    /// What must befall the world, beside load, for it to show: one of each group. Empty
    /// where it shows by itself, or by chance alone.
    pub needs: &'static [&'static [Need]],
}

/// A kind of trouble that a defect may need to show, wider than a kind of fault: a cut link and a
/// slow one are both trouble with the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// A node stops and loses its memory.
    Crash,
    /// Messages are lost, late, doubled or out of order.
    Network,
    /// A node stands still, or is slow.
    Pause,
    /// Clocks drift or jump.
    Clock,
    /// A disk fails, lies or is slow.
    Disk,
    /// Members come and go.
    Membership,
    /// Something that the system depends on does not answer, or not in time.
    Dependency,
}

/// A row of the table of events.
#[derive(Clone, Copy, Debug)]
pub struct EventKind {
    /// As in `when.event`: `raft.leader_elected`.
    pub name: &'static str,
    /// The unit of the mark's value; empty when it has none.
    pub unit: &'static str,
    /// The names of the labels in use.
    pub labels: &'static [&'static str],
    /// One line of help.
    pub about: &'static str,
}

/// A row of the table of gauges.
#[derive(Clone, Copy, Debug)]
pub struct GaugeKind {
    /// As in `slope.what`: `raft.log_entries`.
    pub name: &'static str,
    /// The unit of its values; empty for a count.
    pub unit: &'static str,
    /// One line of help.
    pub about: &'static str,
    /// Reads it off a node; `None` where the node has no such thing.
    pub read: fn(&dyn Node) -> Option<u64>,
}

/// A row of the table of predicates.
#[derive(Clone, Copy, Debug)]
pub struct PredicateKind {
    /// As in `converge.to`: `raft.single_leader`.
    pub name: &'static str,
    /// One line of help.
    pub about: &'static str,
    /// The roles whose groups it is about: a file that asks for it must have a group of one of
    /// them. Empty where any will do.
    pub roles: &'static [&'static str],
    /// Whether it holds for a group of nodes now; `None` where it says nothing of such a group.
    pub holds: fn(&[NodeId], &dyn Nodes) -> Option<bool>,
}

/// A group of nodes of one system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The key of `[nodes.G]` or `[clients.C]`.
    pub name: String,
    /// The role of its nodes.
    pub role: &'static str,
    /// Its nodes by index.
    pub nodes: Vec<NodeId>,
    /// The defects planted in this group.
    pub defects: Vec<&'static str>,
}

/// Where a node sits when it boots.
#[derive(Debug)]
pub struct Seat<'a> {
    /// The node itself.
    pub node: NodeId,
    /// Its name: `h/2`.
    pub name: &'a str,
    /// The machine that started it and that it runs on; `None` for a node that boots by itself.
    pub machine: Option<NodeId>,
    /// Its position in its group, from 0. What goes on a wire is this, never a `NodeId`.
    pub index: u32,
    /// How often it has booted before.
    pub boot: u32,
    /// Its role.
    pub role: &'static str,
    /// Its own group, in order of index; it contains the node itself.
    pub group: &'a [NodeId],
    /// The groups that it uses, by the key of `uses`; for a client, `target`.
    pub uses: &'a BTreeMap<String, Vec<NodeId>>,
    /// Its settings, every default filled in.
    pub settings: &'a Settings,
    /// The defects planted in it.
    pub defects: &'a [&'static str],
    /// The bound on the drift of clocks that it may rely on.
    pub drift_max: Ratio,
    /// What is installed in it before its first boot.
    pub preload: &'a [Preload],
}

/// Entries that a node holds from the start, as if from a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preload {
    /// The key.
    pub key: u64,
    /// Its value.
    pub value: Value,
    /// How long it lives, counted from the start of the run.
    pub ttl: Option<Duration>,
}

/// A change of who takes part in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    /// They take part with a vote.
    AddVoter,
    /// They take part without a vote.
    AddLearner,
    /// They leave.
    Remove,
}

/// A broken relation between settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// The stable code of the error: `E0311`.
    pub code: &'static str,
    /// The setting that the error points at.
    pub setting: &'static str,
    /// What must hold and what holds instead, with the figures.
    pub detail: String,
}

/// Receives the state of a node for people.
pub trait Fields {
    /// A number with a name.
    fn number(&mut self, name: &'static str, value: u64);
    /// A word with a name.
    fn text(&mut self, name: &'static str, value: &str);
}
