//! What the lab can see of Hyperion by name: its own rows, and those of the Raft in it.
//!
//! One table per file: [`events`], [`gauges`], [`defects`], and the [`settings`] of the roles.

pub mod defects;
pub mod events;
pub mod gauges;
pub mod hunt;
pub mod operations;
pub mod settings;

pub use defects::{DEFECTS, Defects};
pub use events::{EVENTS, Event};
pub use gauges::GAUGES;
pub use hunt::HUNT;
pub use operations::{OPERATIONS, VERBS};

use super::invariants;
use super::system::{CACHE, Hyperion, READ_THROUGH};
use crate::protocol::raft;
use catalog::{PredicateKind, PropertyRow};

/// The roles whose nodes are members of a Raft group.
pub const CACHES: &[&str] = &[CACHE, READ_THROUGH];

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
