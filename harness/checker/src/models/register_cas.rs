//! A register per key: get, put, delete, compare-and-set.
//!
//! Jepsen's `cas-register` with deletes. A value is an identity; `None` is absent.
//!
//! A put with a time to live is followed by an event that no client sees: some time between the
//! call plus the time to live and the return plus it, give or take the tolerance, the value goes
//! if it is still there. The checker adds these events; `step` knows nothing of them.

use super::{Model, Observed};
use contract::{Call, Duration, Outcome, Ret, Value};
use std::collections::BTreeMap;

/// How much the system's answers say about what they found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Told {
    /// A refused compare-and-set names what it saw, a delete what it removed.
    #[default]
    Exactly,
    /// A refused compare-and-set only says "not what you expected" and a delete whether there was
    /// something; the values in such answers are ignored.
    Barely,
}

/// The register of each key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegisterCas {
    /// What the keys hold before the run; a key that is not there holds `initial_rest`.
    pub initial: BTreeMap<u64, Value>,
    /// What every other key holds before the run.
    pub initial_rest: Option<Value>,
    /// What answers say.
    pub told: Told,
    /// How much earlier or later than promised a value may expire.
    pub ttl_tolerance: Duration,
}

impl RegisterCas {
    /// Registers that start empty.
    pub const EMPTY: Self = Self {
        initial: BTreeMap::new(),
        initial_rest: None,
        told: Told::Exactly,
        ttl_tolerance: Duration::ZERO,
    };

    /// What `key` holds before the run.
    #[must_use]
    pub fn initial_of(&self, key: u64) -> Option<Value> {
        self.initial.get(&key).copied().or(self.initial_rest)
    }

    fn delete(&self, state: Option<Value>, ret: &Ret) -> Option<Option<Value>> {
        let possible = match ret {
            Ret::Deleted { previous } if self.told == Told::Exactly => state == *previous,
            Ret::Deleted { previous } => state.is_some() == previous.is_some(),
            Ret::Missing => state.is_none(),
            Ret::Done { .. } => true,
            _ => false,
        };
        possible.then_some(None)
    }

    fn cas(
        &self,
        state: Option<Value>,
        expect: Option<Value>,
        value: Value,
        ret: &Ret,
    ) -> Option<Option<Value>> {
        match ret {
            Ret::Done { .. } => (state == expect).then_some(Some(value)),
            Ret::Conflict { seen } => {
                let seen_fits = self.told == Told::Barely || state == *seen;
                (state != expect && seen_fits).then_some(state)
            }
            Ret::Missing => (state.is_none() && expect.is_some()).then_some(state),
            _ => None,
        }
    }
}

impl Model for RegisterCas {
    type State = Option<Value>;

    fn part(&self, call: &Call) -> Option<u64> {
        match call {
            Call::Get { key, .. }
            | Call::Put { key, .. }
            | Call::Delete { key }
            | Call::Cas { key, .. } => Some(*key),
            _ => None,
        }
    }

    fn init(&self, part: u64) -> Self::State {
        self.initial_of(part)
    }

    fn step(&self, state: &Self::State, op: &Observed<'_>) -> Option<Self::State> {
        let state = *state;
        match (op.call, op.outcome) {
            (_, Outcome::Fail) => None,
            (Call::Get { .. }, Outcome::Unknown) => Some(state),
            (Call::Get { .. }, Outcome::Ok(Ret::Found { value, .. })) => {
                (state == Some(*value)).then_some(state)
            }
            (Call::Get { .. }, Outcome::Ok(Ret::Missing)) => state.is_none().then_some(state),
            (Call::Put { value, .. }, Outcome::Unknown | Outcome::Ok(Ret::Done { .. })) => {
                Some(Some(*value))
            }
            (Call::Delete { .. }, Outcome::Unknown) => Some(None),
            (Call::Delete { .. }, Outcome::Ok(ret)) => self.delete(state, ret),
            (Call::Cas { expect, value, .. }, Outcome::Unknown) => {
                Some(if state == *expect { Some(*value) } else { state })
            }
            (Call::Cas { expect, value, .. }, Outcome::Ok(ret)) => {
                self.cas(state, *expect, *value, ret)
            }
            _ => None,
        }
    }

    fn observes(&self, op: &Observed<'_>) -> bool {
        match op.outcome {
            Outcome::Ok(Ret::Found { .. } | Ret::Conflict { .. } | Ret::Missing) => true,
            Outcome::Ok(Ret::Deleted { previous }) => previous.is_none(),
            Outcome::Unknown => matches!(op.call, Call::Get { .. }),
            _ => false,
        }
    }

    fn interchangeable(&self, one: &Observed<'_>, other: &Observed<'_>) -> bool {
        one.call == other.call
    }
}
