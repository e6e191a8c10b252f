//! Calls and answers at random, per model.

use super::generate::Subject;
use crate::models::Observed;
use crate::models::register_cas::RegisterCas;
use contract::{Call, ReadLevel, Ret, Rng, Value};

/// A register, with values drawn as the test wants them.
#[derive(Clone, Debug)]
pub struct RegisterSubject {
    /// The model.
    pub model: RegisterCas,
    /// Values are unique, or drawn from this many.
    pub values: Option<u64>,
    /// Whether compare-and-sets may expect nothing.
    pub add: bool,
    /// Out of 16: deletes that do not say what they removed.
    pub erases: u64,
    /// Out of 16: gets, puts and deletes; the rest are compare-and-sets.
    pub mix: [u64; 3],
}

/// The value with this id.
pub fn value(id: u64) -> Value {
    Value { id, size_bytes: 8 }
}

impl RegisterSubject {
    /// Values are written once: what tier one decides.
    pub fn unique() -> Self {
        Self { model: RegisterCas::default(), values: None, add: false, erases: 4, mix: [6, 4, 3] }
    }

    /// Mostly deletes and answers of "nothing there".
    pub fn empty() -> Self {
        Self { erases: 14, mix: [6, 4, 6], ..Self::unique() }
    }

    fn seen(&self, rng: &mut Rng, ops: u64) -> Option<Value> {
        let ids = self.values.unwrap_or(ops + 1);
        let id = rng.below(ids + 1);
        (id > 0).then(|| value(id - 1))
    }
}

impl crate::models::Model for RegisterSubject {
    type State = Option<Value>;

    fn init(&self, part: u64) -> Self::State {
        self.model.init(part)
    }

    fn step(&self, state: &Self::State, op: &Observed<'_>) -> Option<Self::State> {
        self.model.step(state, op)
    }

    fn interchangeable(&self, one: &Observed<'_>, other: &Observed<'_>) -> bool {
        self.model.interchangeable(one, other)
    }
}

impl Subject for RegisterSubject {
    fn draw_call(&self, rng: &mut Rng, index: u64) -> Call {
        let key = 0;
        let kind = rng.below(16);
        let written = value(self.values.map_or(index, |count| rng.below(count)));
        let [gets, puts, deletes] = self.mix;
        match kind {
            _ if kind < gets => Call::Get { key, read: ReadLevel::Linearizable },
            _ if kind < gets + puts => Call::Put { key, value: written, ttl: None },
            _ if kind < gets + puts + deletes => Call::Delete { key },
            _ => {
                // A value never replaces itself where values are unique.
                let other = |id| id + u64::from(self.values.is_none() && id >= index);
                let expect = value(other(rng.below(self.values.unwrap_or(6))));
                let absent = self.add && rng.below(4) == 0;
                let expect = (!absent).then_some(expect);
                Call::Cas { key, expect, value: written }
            }
        }
    }

    fn answer(&self, rng: &mut Rng, state: &Self::State, call: &Call) -> Ret {
        match call {
            Call::Get { .. } => state.map_or(Ret::Missing, found),
            Call::Delete { .. } if rng.below(16) < self.erases => Ret::Done { version: 0 },
            Call::Delete { .. } => Ret::Deleted { previous: *state },
            Call::Cas { expect, .. } if expect != state => Ret::Conflict { seen: *state },
            _ => Ret::Done { version: 0 },
        }
    }

    fn draw_answer(&self, rng: &mut Rng, call: &Call, ops: u64) -> Ret {
        let seen = self.seen(rng, ops);
        match call {
            Call::Get { .. } => seen.map_or(Ret::Missing, found),
            Call::Delete { .. } if rng.below(16) < self.erases => Ret::Done { version: 0 },
            Call::Delete { .. } => Ret::Deleted { previous: seen },
            Call::Cas { .. } if rng.below(2) == 0 => Ret::Conflict { seen },
            _ => Ret::Done { version: 0 },
        }
    }
}

pub fn found(value: Value) -> Ret {
    Ret::Found { value, version: 0, stale: false }
}
