//! Linearizability by its definition: try every order. For histories of a handful of operations.
//!
//! It shares nothing with the checkers but the model: times are taken as recorded, there is no
//! memory of configurations, and nothing is pruned.

use crate::models::Model;
use contract::{Op, Outcome};

/// Whether some order of `ops`, all about `part`, is an execution of `model`.
pub fn is_linearizable<M: Model>(model: &M, part: u64, ops: &[Op]) -> bool {
    assert!(ops.len() <= 16, "brute force is for small histories");
    let mut brute = Brute { model, ops, before: [0; 16], must: 0 };
    for (index, op) in ops.iter().enumerate() {
        let precedes = |other: &&Op| is_done(other) && other.ret_at < op.call_at;
        for (other, _) in ops.iter().enumerate().filter(|(_, other)| precedes(other)) {
            brute.before[index] |= 1 << other;
        }
        if is_done(op) {
            brute.must |= 1 << index;
        }
    }
    brute.search(0, &model.init(part))
}

const fn is_done(op: &Op) -> bool {
    matches!(op.outcome, Outcome::Ok(_))
}

struct Brute<'a, M> {
    model: &'a M,
    ops: &'a [Op],
    /// Which operations precede each.
    before: [u32; 16],
    /// Which operations certainly took effect.
    must: u32,
}

impl<M: Model> Brute<'_, M> {
    fn search(&self, taken: u32, state: &M::State) -> bool {
        if taken & self.must == self.must {
            return true;
        }
        for (index, op) in self.ops.iter().enumerate() {
            let is_next = taken & (1 << index) == 0
                && self.before[index] & !taken == 0
                && op.outcome != Outcome::Fail;
            if is_next
                && let Some(next) = self.model.step(state, &op.call, &op.outcome)
                && self.search(taken | 1 << index, &next)
            {
                return true;
            }
        }
        false
    }
}
