//! What the lab can see of Hyperion by name: Raft's rows first, then its own.
//!
//! One table per file: [`events`], [`gauges`], [`defects`], and the [`settings`] of the roles.

pub mod defects;
pub mod events;
pub mod gauges;
pub mod operations;
pub mod settings;

pub use defects::DEFECTS;
pub use events::{EVENTS, Event};
pub use gauges::{GAUGES, OWN_GAUGES};
pub use operations::{OPERATIONS, VERBS};
pub use settings::{
    AUTH_SETTINGS, CACHE_SETTINGS, CLIENT_SETTINGS, GATEWAY_SETTINGS, MIRRORING_GATEWAY_SETTINGS,
    READ_THROUGH_SETTINGS, SQL_SETTINGS,
};

use crate::protocol::raft;
use catalog::PredicateKind;

/// All predicates.
pub const PREDICATES: &[PredicateKind] = raft::PREDICATES;

/// `first`, then `second`.
const fn joined<T: Copy, const N: usize>(first: &[T], second: &[T], filler: T) -> [T; N] {
    assert!(first.len() + second.len() == N, "the length is the sum");
    let mut all = [filler; N];
    let mut row = 0;
    while row < N {
        all[row] = if row < first.len() { first[row] } else { second[row - first.len()] };
        row += 1;
    }
    all
}

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
    fn names_are_unique() {
        let names = EVENTS.iter().map(|row| row.name);
        let names = names.chain(GAUGES.iter().map(|row| row.name));
        let mut names: alloc::vec::Vec<_> =
            names.chain(DEFECTS.iter().map(|row| row.name)).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
