//! The concrete faults of a run, and what they make of each link over time.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use contract::{Condition, ConditionId, InFlight, NodeId, Shock, SimTime};

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
    /// The step lifted a condition, so that what waited may go on.
    pub lifted: bool,
}

/// The gates of one link, in the order of the script.
pub(crate) type Gates = Vec<Gate>;

/// The gates of every link that leaves `from`, by receiver.
pub(crate) fn gates(script: &[Timed], from: NodeId) -> BTreeMap<NodeId, Gates> {
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
        let target = condition.target();
        let Some((_, to)) = target.link().filter(|link| link.0 == from) else {
            continue;
        };
        let here = || on.values().filter(|other| other.target() == target);
        let list = gates.entry(to).or_default();
        let cuts = list.last().map_or(0, |gate| gate.cuts);
        let pos = index as u32 + 1;
        assert!(list.last().is_none_or(|gate| gate.pos < pos), "a step makes one gate");
        assert!(list.last().is_none_or(|gate| gate.moment.0 <= step.at), "a script is in order");
        list.push(Gate {
            pos,
            moment: (step.at, step.round),
            blocked: here().any(|other| matches!(other, Condition::Block { .. })),
            held: here().any(|other| matches!(other, Condition::Hold { .. })),
            cuts: cuts + u32::from(!lifted && cuts_off(condition)),
            lifted,
        });
    }
    gates
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
    lifted: false,
};

/// What holds after the first `pos` steps of the script.
pub(crate) fn gate_at(gates: &[Gate], pos: u32) -> Gate {
    let after = gates.partition_point(|gate| gate.pos <= pos);
    assert!(after <= pos as usize, "a step makes one gate at the most");
    after.checked_sub(1).map_or(OPEN, |at| gates[at])
}
