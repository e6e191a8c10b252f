//! The concrete faults of a run, and what they make of each link over time.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use contract::{Condition, ConditionId, InFlight, NodeId, Shock, SimTime, Sockets, Target};

/// One step of a script.
#[derive(Clone, Debug, PartialEq)]
pub struct Timed {
    /// When it happens.
    pub at: SimTime,
    /// In which round of that instant: 0 unless an event of the same instant brought it about. At
    /// time 0 the nodes boot first, and the first round is 1.
    pub round: u32,
    /// What happens.
    pub action: Action,
}

/// What a fault does to the world. Ids are those of the run that was recorded.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A condition begins.
    Impose(ConditionId, Condition),
    /// It ends.
    Lift(ConditionId),
    /// An instantaneous shock.
    Strike(Shock),
}

/// An instant and a round in it.
pub(crate) type Moment = (SimTime, u32);

/// What holds on one link after a step of the script that concerns it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gate {
    /// The position of the step in the script, from 1.
    pub pos: u32,
    pub moment: Moment,
    pub blocked: bool,
    pub held: bool,
    /// Cuts so far that lost what was under way.
    pub cuts: u32,
    /// The receiver's machine has no power.
    pub dark: bool,
    /// With this step the sender's machine loses its power.
    pub mutes: bool,
    /// The step lifted a condition of the link, or brought the receiver's power back, so that what
    /// waited may go on.
    pub lifted: bool,
}

/// The gates of one link, in the order of the script.
pub(crate) type Gates = Vec<Gate>;

/// The gates of every link that leaves `from` for one of `count` nodes, by receiver.
pub(crate) fn gates(script: &[Timed], from: NodeId, count: usize) -> BTreeMap<NodeId, Gates> {
    let mut on: BTreeMap<ConditionId, &Condition> = BTreeMap::new();
    let mut gates: BTreeMap<NodeId, Gates> = BTreeMap::new();
    for (index, step) in script.iter().enumerate() {
        let (condition, lifted) = match &step.action {
            Action::Impose(id, condition) => {
                on.insert(*id, condition);
                (condition, false)
            }
            Action::Lift(id) => match on.remove(id) {
                Some(condition) => (condition, true),
                None => continue,
            },
            Action::Strike(_) => continue,
        };
        for to in concerned(condition, from, count) {
            let list = gates.entry(to).or_default();
            let before = list.last().copied().unwrap_or(OPEN);
            assert!(before.moment.0 <= step.at, "a script is in order");
            let here = || on.values().filter(|other| other.target() == Target::Link { from, to });
            let is_down = on.values().any(|other| is_outage(other, to));
            let goes_dark = !lifted && takes_power(condition, to);
            let dark = goes_dark || (before.dark && is_down);
            let is_link = condition.target().link().is_some();
            list.push(Gate {
                pos: index as u32 + 1,
                moment: (step.at, step.round),
                blocked: here().any(|other| matches!(other, Condition::Block { .. })),
                held: here().any(|other| matches!(other, Condition::Hold { .. })),
                cuts: before.cuts + u32::from(!lifted && cuts_off(condition)),
                dark,
                mutes: !lifted && takes_power(condition, from),
                lifted: lifted && (is_link || before.dark && !dark),
            });
        }
    }
    gates
}

/// The receivers of `from` on whose links a condition makes a difference.
fn concerned(condition: &Condition, from: NodeId, count: usize) -> Vec<NodeId> {
    match condition.target() {
        Target::Link { from: here, to } if here == from => Vec::from([to]),
        Target::Link { .. } => Vec::new(),
        Target::Node(node) if !is_outage(condition, node) => Vec::new(),
        Target::Node(node) if node != from => Vec::from([node]),
        Target::Node(_) => (0..count as u32).map(NodeId).filter(|to| *to != from).collect(),
    }
}

fn is_outage(condition: &Condition, of: NodeId) -> bool {
    matches!(condition, Condition::Down { node, .. } if *node == of)
}

fn takes_power(condition: &Condition, of: NodeId) -> bool {
    matches!(condition, Condition::Down { node, sockets: Sockets::Silent, .. } if *node == of)
}

fn cuts_off(condition: &Condition) -> bool {
    matches!(condition, Condition::Block { in_flight: InFlight::Lost, .. })
}

/// What holds before the first gate.
pub(crate) const OPEN: Gate = Gate {
    pos: 0,
    moment: (SimTime::ZERO, 0),
    blocked: false,
    held: false,
    cuts: 0,
    dark: false,
    mutes: false,
    lifted: false,
};

/// What holds after the first `pos` steps of the script.
pub(crate) fn gate_at(gates: &[Gate], pos: u32) -> Gate {
    let after = gates.partition_point(|gate| gate.pos <= pos);
    assert!(after <= pos as usize, "a step makes one gate at the most");
    after.checked_sub(1).map_or(OPEN, |at| gates[at])
}
