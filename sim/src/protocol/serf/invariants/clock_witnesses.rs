//! Lamport's rule (IR2): who hears of a time is later than it from then on.

use super::{Look, is};
use crate::protocol::serf::{Event, Serf};
use alloc::format;
use catalog::{Judged, PerNode, Property};
use contract::Mark;

/// A node that delivers an event has its clock past the event's time, and the clock never goes back.
#[derive(Clone, Debug)]
pub struct ClockWitnesses;

/// The clock, as it was seen last.
#[derive(Clone, Debug, Default)]
pub struct Memory(u64);

impl PerNode for ClockWitnesses {
    type Part = Serf;
    type Memory = Memory;
    const PROPERTY: Property = Property {
        name: "serf.clock_witnesses",
        about: "the clock of events is past every event that was delivered",
        source: "lamport-1978 IR2",
    };

    fn on_mark(&mut self, look: &Look<'_>, memory: &mut Memory, mark: Mark) -> Judged {
        if !is(look, mark, Event::EventDelivered) {
            return Ok(0);
        }
        let [time, _, clock] = mark.labels;
        let before = core::mem::replace(&mut memory.0, clock);
        let rule = match (clock > time, clock >= before) {
            (true, true) => return Ok(1),
            (false, _) => "a clock is not past what it heard of",
            (true, false) => "a clock went back",
        };
        let detail = format!("{} shows {clock} after {time}, and before {before}", look.name());
        Err(look.breach(Self::PROPERTY, rule, &[look.node], detail))
    }
}
