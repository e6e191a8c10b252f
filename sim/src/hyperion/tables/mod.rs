//! What the lab can see of Hyperion by name: its own rows, and those of the Raft in it.
//!
//! One table per file: [`events`], [`gauges`], [`defects`], and the [`settings`] of the roles.

pub mod defects;
pub mod events;
pub mod gauges;
pub mod settings;

pub use defects::{DEFECTS, Defects};
pub use events::{EVENTS, Event};
pub use gauges::GAUGES;

use super::system::{CACHE, Hyperion, READ_THROUGH};
use super::{invariants, wire};
use crate::protocol::raft;
use catalog::{Operation, PredicateKind, PropertyRow, Verb};

/// The roles whose nodes are members of a Raft group.
pub const CACHES: &[&str] = &[CACHE, READ_THROUGH];

/// What clients can be asked to do.
pub const OPERATIONS: &[Operation] =
    &[Operation::GET, Operation::BATCH_GET, Operation::PUT, Operation::DELETE, Operation::CAS];

/// What operators can ask of a node, in the order of [`wire::Verb`].
pub const VERBS: &[Verb] = &[
    Verb {
        name: wire::Verb::StepDown.name(),
        about: "hands leadership to the next node (/admin/raft/step-down)",
        arg: 0,
    },
    Verb {
        name: wire::Verb::Evict.name(),
        about: "evicts so many entries (/admin/cache/evict?count=)",
        arg: 1_000,
    },
    Verb {
        name: wire::Verb::Health.name(),
        about: "asks one node whether it serves, and how many entries it holds",
        arg: 0,
    },
];

/// All predicates.
pub const PREDICATES: &[PredicateKind] = &raft::predicates::<Hyperion>(CACHES);

/// All properties.
pub const PROPERTIES: &[PropertyRow] =
    catalog::joined!(PropertyRow, property.name: &raft::properties(CACHES), invariants::PROPERTIES);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_where_marks_point() {
        let check = |event: Event, name| {
            assert_eq!(EVENTS[usize::from(event.row())].name, name);
        };
        check(Event::Hit, "cache.hit");
        check(Event::WriteAcked, "cache.write_acked");
        check(Event::ClientRetry, "client.retry");
        check(Event::ClientUnsupported, "client.unsupported");
        assert_eq!(EVENTS[0].name, raft::EVENTS[0].name);
    }

    #[test]
    fn no_name_stands_in_two_tables() {
        let names = EVENTS.iter().map(|row| row.name);
        let names = names.chain(GAUGES.iter().map(|row| row.name));
        let mut names: alloc::vec::Vec<_> =
            names.chain(DEFECTS.iter().map(|row| row.name)).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
