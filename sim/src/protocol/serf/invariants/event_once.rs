//! User events (Serf, `handleUserEvent`): none is delivered twice to a node.

use super::{Look, is};
use crate::protocol::serf::{Event, Serf};
use alloc::collections::BTreeSet;
use alloc::format;
use catalog::{Judged, PerNode, Property};
use contract::Mark;

/// In one life of a node, an event (its time, its name and what it says) is delivered once.
#[derive(Clone, Debug)]
pub struct EventOnce;

/// What was delivered.
#[derive(Clone, Debug, Default)]
pub struct Memory(BTreeSet<(u64, u64)>);

impl PerNode for EventOnce {
    type Part = Serf;
    type Memory = Memory;
    const PROPERTY: Property = Property {
        name: "serf.event_once",
        about: "a user event is delivered to a node at most once",
        source: "serf handleUserEvent",
    };

    fn on_mark(&mut self, look: &Look<'_>, memory: &mut Memory, mark: Mark) -> Judged {
        if !is(look, mark, Event::EventDelivered) {
            return Ok(0);
        }
        let [time, identity, _] = mark.labels;
        if memory.0.insert((time, identity)) {
            return Ok(1);
        }
        let detail = format!("{} delivered an event of time {time} twice", look.name());
        Err(look.breach(Self::PROPERTY, "an event came twice", &[look.node], detail))
    }
}
