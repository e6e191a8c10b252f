//! Queues that are too long (memberlist, `Prune`): what nobody has heard yet stays.

use super::{Look, is};
use crate::protocol::serf::{Event, Serf};
use alloc::format;
use catalog::{Judged, PerNode, Property};
use contract::Mark;

/// A queue that is cut keeps the message that would go out next.
#[derive(Clone, Debug)]
pub struct PrunesOldest;

impl PerNode for PrunesOldest {
    type Part = Serf;
    type Memory = ();
    const PROPERTY: Property = Property {
        name: "serf.prunes_oldest",
        about: "a queue that is cut drops what has gone out most often",
        source: "memberlist queue.go",
    };

    fn on_mark(&mut self, look: &Look<'_>, (): &mut (), mark: Mark) -> Judged {
        if !is(look, mark, Event::Pruned) {
            return Ok(0);
        }
        if mark.labels[0] == 1 {
            return Ok(1);
        }
        let detail = format!("{} dropped {} messages, the freshest first", look.name(), mark.value);
        Err(look.breach(Self::PROPERTY, "the freshest was dropped", &[look.node], detail))
    }
}
