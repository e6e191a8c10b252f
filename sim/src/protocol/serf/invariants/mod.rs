//! What holds of the nodes of a Serf cluster, watched after every event.
//!
//! Start with [`all`].

mod answers_once;
mod clock_witnesses;
mod event_once;
mod intent_once;
mod prunes_oldest;

use super::SerfOf;
use super::machine::Serf;
use super::tables::Event;
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use answers_once::AnswersOnce;
use catalog::{Invariant, PerNode, Property, Watched, watch};
use clock_witnesses::ClockWitnesses;
use contract::Mark;
use event_once::EventOnce;
use intent_once::IntentOnce;
use prunes_oldest::PrunesOldest;

/// A node as these properties see it.
type Look<'a> = catalog::Look<'a, Serf>;

/// What [`all`] holds, in its order.
pub const PROPERTIES: [Property; 5] = [
    EventOnce::PROPERTY,
    ClockWitnesses::PROPERTY,
    AnswersOnce::PROPERTY,
    IntentOnce::PROPERTY,
    PrunesOldest::PROPERTY,
];

/// Every property of the nodes in `watched`, whose Serf is found by `serf_of`.
#[must_use]
pub fn all(watched: &Watched, serf_of: SerfOf) -> Vec<Box<dyn Invariant>> {
    vec![
        watch(EventOnce, watched, serf_of),
        watch(ClockWitnesses, watched, serf_of),
        watch(AnswersOnce, watched, serf_of),
        watch(IntentOnce, watched, serf_of),
        watch(PrunesOldest, watched, serf_of),
    ]
}

/// Whether `mark` is this event of the node's.
fn is(look: &Look<'_>, mark: Mark, event: Event) -> bool {
    mark.event == event.above(look.part.config().events)
}
