//! Linearizability by its definition: try every order. For histories of a handful of operations.
//!
//! It shares nothing with the checkers but the model: times are taken as recorded, there is no
//! memory of configurations, and nothing is pruned.

use crate::models::{Model, Observed, RegisterCas};
use contract::{Call, Op, Outcome, Value};

/// Whether some order of register operations on key 0, and of the expiries that they bring, is
/// possible. A value that is written with a time to live is written once.
pub fn is_linearizable_with_ttl(model: &RegisterCas, ops: &[Op]) -> bool {
    let mut items: Vec<Item<'_>> = Vec::new();
    for op in ops {
        let until = if is_done(op) { op.ret_at.0 } else { u64::MAX };
        items.push(Item { from: op.call_at.0, until, op, expires: false });
        if let Call::Put { ttl: Some(ttl), .. } = op.call {
            let slack = model.ttl_tolerance.0;
            let from = (op.call_at.0 + ttl.0).saturating_sub(slack).max(op.call_at.0);
            let until = until.saturating_add(ttl.0).saturating_add(slack);
            items.push(Item { from, until, op, expires: true });
        }
    }
    items.retain(|item| item.op.outcome != Outcome::Fail);
    search_with_ttl(model, &items, 0, model.init(0))
}

/// An operation, or the expiry of what one wrote.
struct Item<'a> {
    from: u64,
    until: u64,
    op: &'a Op,
    expires: bool,
}

fn search_with_ttl(
    model: &RegisterCas,
    items: &[Item<'_>],
    taken: u32,
    state: Option<Value>,
) -> bool {
    let left = |index: usize| taken & (1 << index) == 0;
    let must = |item: &Item<'_>| item.until < u64::MAX;
    if (0..items.len()).all(|index| !left(index) || !must(&items[index])) {
        return true;
    }
    (0..items.len()).filter(|&index| left(index)).any(|index| {
        let item = &items[index];
        let precedes =
            |other: usize| left(other) && must(&items[other]) && items[other].until < item.from;
        if (0..items.len()).any(precedes) {
            return false;
        }
        let next = if item.expires {
            let Call::Put { value, .. } = item.op.call else { unreachable!("only puts expire") };
            let write = |other: &Item<'_>| !other.expires && std::ptr::eq(other.op, item.op);
            let write = items.iter().position(write).expect("an expiry comes with its put");
            let after = if state == Some(value) { None } else { state };
            (!left(write)).then_some(after)
        } else {
            model.step(&state, &Observed::of(item.op))
        };
        next.is_some_and(|next| search_with_ttl(model, items, taken | 1 << index, next))
    })
}

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
                && let Some(next) = self.model.step(state, &Observed::of(op))
                && self.search(taken | 1 << index, &next)
            {
                return true;
            }
        }
        false
    }
}
