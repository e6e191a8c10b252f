//! The queue of broadcasts (memberlist `queue.go`): one message about a member, and no more.

use super::Look;
use crate::protocol::swim::Swim;
use alloc::format;
use catalog::{Judged, PerNode, Property};

/// What waits is bounded by the members, because a newer message about one takes the older's place.
#[derive(Clone, Debug)]
pub struct QueueBounded;

/// How often the queue had changed when it was audited last.
#[derive(Clone, Debug, Default)]
pub struct Memory(u64);

/// Longer queues are not searched for two messages about one member after every event.
const AUDITED_MAX: usize = 64;

impl PerNode for QueueBounded {
    type Part = Swim;
    type Memory = Memory;
    const PROPERTY: Property = Property {
        name: "swim.queue_bounded",
        about: "at most one message waits about each member",
        source: "memberlist queue.go",
    };

    fn look(&mut self, look: &Look<'_>, memory: &mut Memory) -> Judged {
        let queue = look.part.queue();
        if core::mem::replace(&mut memory.0, queue.changes()) == queue.changes() {
            return Ok(0);
        }
        // Of members that were forgotten meanwhile a message may still wait.
        let bound = 2 * look.part.members().count() + 16;
        if queue.len() as u64 > bound {
            let detail = format!("{} messages wait at {}", queue.len(), look.name());
            return Err(look.breach(Self::PROPERTY, "too much waits", &[look.node], detail));
        }
        let twice = (queue.len() <= AUDITED_MAX).then(|| queue.about_twice()).flatten();
        let Some(name) = twice else { return Ok(1) };
        let detail = format!("two messages about member {} wait at {}", name.0, look.name());
        Err(look.breach(Self::PROPERTY, "two messages about one", &[look.node], detail))
    }
}
