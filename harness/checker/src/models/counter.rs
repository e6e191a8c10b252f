//! A counter per key: add, and read by `get`.

use super::{Model, Observed};
use contract::{Call, Outcome, Ret};

/// Counters that start at 0. An addition answers with the total after it, or only that it was
/// done; a read answers with the total, or with nothing there while it is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counter;

impl Model for Counter {
    type State = i64;

    fn part(&self, call: &Call) -> Option<u64> {
        match call {
            Call::Add { key, .. } | Call::Get { key, .. } => Some(*key),
            _ => None,
        }
    }

    fn init(&self, _part: u64) -> i64 {
        0
    }

    fn step(&self, state: &i64, op: &Observed<'_>) -> Option<i64> {
        let state = *state;
        match (op.call, op.outcome) {
            (Call::Add { delta, .. }, Outcome::Unknown | Outcome::Ok(Ret::Done { .. })) => {
                state.checked_add(*delta)
            }
            (Call::Add { delta, .. }, Outcome::Ok(Ret::Added { total })) => {
                state.checked_add(*delta).filter(|next| next == total)
            }
            (Call::Get { .. }, Outcome::Unknown) => Some(state),
            (Call::Get { .. }, Outcome::Ok(Ret::Added { total })) => {
                (state == *total).then_some(state)
            }
            (Call::Get { .. }, Outcome::Ok(Ret::Missing)) => (state == 0).then_some(state),
            _ => None,
        }
    }

    fn observes(&self, op: &Observed<'_>) -> bool {
        matches!(op.call, Call::Get { .. })
    }

    fn interchangeable(&self, one: &Observed<'_>, other: &Observed<'_>) -> bool {
        one.call == other.call
    }
}
