//! All registers of a history, compiled in one sweep over it.
//!
//! Going key by key would fetch every operation from memory on its own once a history is larger
//! than the caches; sweeping reads it as it lies.

use super::build::Builder;
use super::intern::Interner;
use super::register::Register;
use super::split::{Share, Split, each_share};
use crate::models::RegisterCas;
use contract::{Op, SimTime};

/// With more keys than this, having all of them open at once costs more than it saves.
const KEYS_MAX: usize = 4_096;

/// Calls `each(key, register)` for every key of the operations that are `judged`, ascending.
pub fn each_register(
    ops: &[Op],
    model: &RegisterCas,
    judged: impl Fn(&Op) -> bool,
    mut each: impl FnMut(u64, Register),
) {
    if let Some(mut builders) = sweep(ops, model, &judged) {
        builders.sort_unstable_by_key(Builder::key);
        for builder in builders {
            each(builder.key(), builder.finish());
        }
        return;
    }
    let split = Split::new(ops, judged);
    for (key, shares) in split.parts() {
        each(key, Register::compile(ops, key, shares, model, |_| false));
    }
}

/// One builder per key; `None` when there are too many, or the operations are not in the order of
/// their calls.
fn sweep(ops: &[Op], model: &RegisterCas, judged: impl Fn(&Op) -> bool) -> Option<Vec<Builder>> {
    assert!(u32::try_from(ops.len()).is_ok(), "a history has under 2^32 operations");
    let mut numbers = Interner::new();
    let mut builders: Vec<Builder> = Vec::new();
    let mut last_call_at = SimTime::ZERO;
    let room = room_per_key(ops);
    for (index, op) in (0..).zip(ops) {
        if std::mem::replace(&mut last_call_at, op.call_at) > op.call_at {
            return None;
        }
        if !judged(op) {
            continue;
        }
        let mut full = false;
        each_share(op, index, |key, share: Share| {
            let number = numbers.intern(key) as usize;
            if number == builders.len() && number < KEYS_MAX {
                builders.push(Builder::new(key, model, room));
            }
            match builders.get_mut(number) {
                Some(builder) => builder.add(op, share, false),
                None => full = true,
            }
        });
        if full {
            return None;
        }
    }
    Some(builders)
}

/// How many operations to make room for in each key, as far as a sample of 64 tells: all of them
/// when they have one key, else none. Growing again and again costs a fifth of the whole verdict.
fn room_per_key(ops: &[Op]) -> usize {
    let mut sample = ops.iter().step_by(ops.len() / 64 + 1).map(|op| op.call.key());
    let first = sample.next().flatten();
    let is_one = first.is_some() && sample.all(|key| key == first);
    if is_one { ops.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::{Call, NodeId, OpId, Outcome, ReadLevel, Ret};

    fn history(keys: u64) -> Vec<Op> {
        let op = |id: u64| Op {
            id: OpId(id),
            client: NodeId(0),
            process: 0,
            call: Call::Get { key: id * 7 % keys, read: ReadLevel::Linearizable },
            outcome: Outcome::Ok(Ret::Missing),
            arrived_at: SimTime(id),
            call_at: SimTime(id),
            ret_at: SimTime(id + 3),
        };
        (0..20_000).map(op).collect()
    }

    fn compiled(ops: &[Op]) -> Vec<(u64, Register)> {
        let mut all = Vec::new();
        each_register(
            ops,
            &RegisterCas::default(),
            |_| true,
            |key, register| {
                all.push((key, register));
            },
        );
        all
    }

    /// Few keys are swept, many are split, and disorder is sorted: always the same registers.
    #[test]
    fn every_way_gives_the_same_registers() {
        for keys in [1, 50, 9_000] {
            let ops = history(keys);
            let model = RegisterCas::default();
            let registers = compiled(&ops);
            assert_eq!(registers.len() as u64, keys);
            let split = Split::new(&ops, |_| true);
            let disordered: Vec<Op> = ops.iter().rev().cloned().collect();
            let sorted = compiled(&disordered);
            for ((key, register), (other, shares)) in registers.iter().zip(split.parts()) {
                assert_eq!(*key, other);
                let expect = Register::compile(&ops, other, shares, &model, |_| false);
                assert_eq!(register.ops, expect.ops);
                assert_eq!(register.ranks, expect.ranks);
            }
            for ((key, register), (other, again)) in registers.iter().zip(&sorted) {
                assert_eq!((key, register.ops.len()), (other, again.ops.len()));
                assert_eq!(register.ranks, again.ranks);
            }
        }
    }
}
