//! Amplification (serf#606): an intent is told on once by each node.

use super::{Look, is};
use crate::protocol::serf::{Event, Serf};
use alloc::collections::BTreeSet;
use alloc::format;
use catalog::{Judged, PerNode, Property};
use contract::Mark;

/// In one life of a node, an intent (whose, of which time, to do what) is news once.
#[derive(Clone, Debug)]
pub struct IntentOnce;

/// What was told on.
#[derive(Clone, Debug, Default)]
pub struct Memory(BTreeSet<[u64; 3]>);

impl PerNode for IntentOnce {
    type Part = Serf;
    type Memory = Memory;
    const PROPERTY: Property = Property {
        name: "serf.intent_once",
        about: "a node passes an intent on once",
        source: "serf handleNodeLeaveIntent",
    };

    fn on_mark(&mut self, look: &Look<'_>, memory: &mut Memory, mark: Mark) -> Judged {
        if !is(look, mark, Event::IntentPassedOn) {
            return Ok(0);
        }
        if memory.0.insert(mark.labels) {
            return Ok(1);
        }
        let [member, time, _] = mark.labels;
        let name = look.name();
        let detail = format!("{name} told the intent of member {member} of time {time} on again");
        Err(look.breach(Self::PROPERTY, "an intent is told on again", &[look.node], detail))
    }
}
