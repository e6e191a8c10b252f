//! A lock per key, with fencing tokens.
//!
//! Knossos' `mutex`: taking a lock that is held and giving back one that is free are impossible.
//! Where the answer to `acquire` carries a version, it is a fencing token (Kleppmann, "How to do
//! distributed locking", 2016) and must be higher than every one handed out before.

use super::{Model, Observed};
use contract::{Call, Outcome, Ret};

/// Locks that start free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lock;

/// One lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockState {
    /// Whether someone holds it.
    pub held: bool,
    /// The highest token handed out, as far as answers said.
    pub token: u64,
}

impl Model for Lock {
    type State = LockState;

    fn part(&self, call: &Call) -> Option<u64> {
        match call {
            Call::Acquire { key } | Call::Release { key } => Some(*key),
            _ => None,
        }
    }

    fn init(&self, _part: u64) -> LockState {
        LockState::default()
    }

    fn step(&self, state: &LockState, op: &Observed<'_>) -> Option<LockState> {
        let LockState { held, token } = *state;
        match (op.call, op.outcome) {
            (Call::Acquire { .. }, Outcome::Unknown) => Some(LockState { held: true, token }),
            (Call::Acquire { .. }, Outcome::Ok(Ret::Done { version: 0 })) => {
                (!held).then_some(LockState { held: true, token })
            }
            (Call::Acquire { .. }, Outcome::Ok(Ret::Done { version })) => {
                let fits = !held && *version > token;
                fits.then_some(LockState { held: true, token: *version })
            }
            (Call::Acquire { .. }, Outcome::Ok(Ret::Conflict { .. })) => held.then_some(*state),
            (Call::Release { .. }, Outcome::Unknown) => Some(LockState { held: false, token }),
            (Call::Release { .. }, Outcome::Ok(Ret::Done { .. })) => {
                held.then_some(LockState { held: false, token })
            }
            (Call::Release { .. }, Outcome::Ok(Ret::Conflict { .. } | Ret::Missing)) => {
                (!held).then_some(*state)
            }
            _ => None,
        }
    }

    fn observes(&self, op: &Observed<'_>) -> bool {
        matches!(op.outcome, Outcome::Ok(Ret::Conflict { .. } | Ret::Missing))
    }

    fn interchangeable(&self, one: &Observed<'_>, other: &Observed<'_>) -> bool {
        one.call == other.call
    }
}
