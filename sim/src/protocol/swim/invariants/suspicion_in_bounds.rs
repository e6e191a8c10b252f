//! The time under suspicion (lifeguard §IV-B): as long as who was heard warrants, and it ends.

use super::{Look, about};
use crate::protocol::swim::{Event, Name, Swim};
use alloc::collections::BTreeMap;
use alloc::format;
use catalog::{Judged, PerNode, Property, Violation};
use contract::{Duration, Mark, SimTime};

/// A suspicion does not run out before the time that independent voices shorten it to, and does not
/// outlast its longest time.
#[derive(Clone, Debug)]
pub struct SuspicionInBounds;

/// When each suspicion must be over, and what is overdue.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    due: BTreeMap<Name, SimTime>,
    /// Who is overdue, and since when the node was seen awake with that.
    overdue: Option<(Name, SimTime)>,
    seen: SimTime,
}

/// A node that pauses handles what is due late: it must have been awake for so long.
const AWAKE: Duration = Duration::from_secs(10);
/// Gaps as long as this are pauses.
const PAUSE: Duration = Duration::from_secs(3);
/// The least time is that of the formula, less what a clock rounds.
const ROUNDING: u64 = 1_000_000;

impl SuspicionInBounds {
    fn breach(look: &Look<'_>, rule: &'static str, name: Name, detail: &str) -> Violation {
        let detail = format!("at {} the suspicion of member {} {detail}", look.name(), name.0);
        look.breach(Self::PROPERTY, rule, &[look.node], detail)
    }
}

impl PerNode for SuspicionInBounds {
    type Part = Swim;
    type Memory = Memory;
    const PROPERTY: Property = Property {
        name: "swim.suspicion_in_bounds",
        about: "a suspicion lasts as long as its confirmations warrant, and ends",
        source: "lifeguard §IV-B",
    };

    fn on_mark(&mut self, look: &Look<'_>, memory: &mut Memory, mark: Mark) -> Judged {
        if let Some(name) = about(look.part, mark, Event::Suspected) {
            // A tenth for clocks that drift.
            let longest = Duration(mark.value + mark.value / 10);
            memory.due.insert(name, look.at + longest);
            return Ok(0);
        }
        if let Some(name) = about(look.part, mark, Event::SuspicionExpired) {
            let (lasted, least) = (Duration(mark.value), Duration(mark.labels[1]));
            if lasted.as_nanos() + ROUNDING < least.as_nanos() {
                let detail = format!("ran out after {lasted}; who was heard warrants {least}");
                return Err(Self::breach(look, "a suspicion ran out too early", name, &detail));
            }
            return Ok(1);
        }
        for event in [Event::Joined, Event::Renewed, Event::Died, Event::Left] {
            if let Some(name) = about(look.part, mark, event) {
                memory.due.remove(&name);
                memory.overdue = memory.overdue.filter(|(late, _)| *late != name);
            }
        }
        Ok(0)
    }

    fn look(&mut self, look: &Look<'_>, memory: &mut Memory) -> Judged {
        let gap = look.at.since(core::mem::replace(&mut memory.seen, look.at));
        if memory.due.is_empty() {
            return Ok(0);
        }
        let late = memory.due.iter().find(|(_, due)| **due < look.at).map(|(name, _)| *name);
        let Some(name) = late.filter(|_| gap < PAUSE) else {
            memory.overdue = None;
            return Ok(0);
        };
        let (_, since) = *memory.overdue.get_or_insert((name, look.at));
        if look.at.since(since) <= AWAKE {
            return Ok(0);
        }
        memory.due.remove(&name);
        memory.overdue = None;
        Err(Self::breach(look, "a suspicion does not end", name, "is long over its longest time"))
    }
}
