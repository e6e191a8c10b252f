//! What keys held before a run of the lab, as far as its history tells.
//!
//! `history.jsonl` does not say what a scenario preloaded, but the ids of preloaded values have a
//! mark that no written value has, and name their key. A key whose preloaded value nobody saw may
//! as well have been empty: no answer tells the difference.

use super::split::each_share;
use crate::models::RegisterCas;
use contract::{Call, Op, Outcome, Ret, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The bits of the id of a preloaded value that are its key.
const KEY_BITS: u64 = (1 << 40) - 1;

/// Registers that held what `ops` saw of preloads.
#[must_use]
pub fn preloaded<'a>(ops: impl Iterator<Item = &'a Op> + Clone) -> RegisterCas {
    let mut initial = BTreeMap::new();
    for op in ops.clone() {
        seen(op, |key, value| {
            if value.id & Value::PRELOADED != 0 && value.id & KEY_BITS == key {
                initial.insert(key, value);
            }
        });
    }
    if !initial.is_empty() {
        // Whoever records ids of that kind as written values does not mean preloads.
        let written: BTreeSet<Value> = ops.filter_map(written).collect();
        initial.retain(|_, value| !written.contains(value));
    }
    RegisterCas { initial, ..RegisterCas::EMPTY }
}

fn written(op: &Op) -> Option<Value> {
    match op.call {
        Call::Put { value, .. } | Call::Cas { value, .. } => Some(value),
        _ => None,
    }
}

/// Calls `each(key, value)` for every value that `op` says a key held.
fn seen(op: &Op, mut each: impl FnMut(u64, Value)) {
    let Outcome::Ok(ret) = &op.outcome else { return };
    each_share(op, 0, |key, share| {
        let value = match ret {
            Ret::Found { value, .. } => Some(*value),
            Ret::Deleted { previous: value } | Ret::Conflict { seen: value } => *value,
            Ret::Batch { values } => values.get(share.item as usize).copied().flatten(),
            Ret::Done { .. } => match op.call {
                Call::Cas { expect, .. } => expect,
                _ => None,
            },
            _ => None,
        };
        if let Some(value) = value {
            each(key, value);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::{NodeId, OpId, ReadLevel, SimTime};

    fn op(call: Call, ret: Ret) -> Op {
        Op {
            id: OpId(0),
            client: NodeId(0),
            process: 0,
            call,
            outcome: Outcome::Ok(ret),
            arrived_at: SimTime(0),
            call_at: SimTime(0),
            ret_at: SimTime(1),
        }
    }

    #[test]
    fn only_what_was_seen_and_never_written_was_preloaded() {
        let value = |number: u64, key: u64| Value {
            id: Value::PRELOADED | (number << 40) | key,
            size_bytes: 8,
        };
        let found = |value| Ret::Found { value, version: 0, stale: false };
        let get = |key| Call::Get { key, read: ReadLevel::Linearizable };
        let done = Ret::Done { version: 0 };
        let ops = [
            op(get(3), found(value(1, 3))),
            op(get(4), found(value(1, 3))),
            op(get(5), found(Value { id: 5, size_bytes: 8 })),
            op(Call::Cas { key: 6, expect: Some(value(2, 6)), value: value(9, 9) }, done.clone()),
            op(Call::Put { key: 7, value: value(1, 7), ttl: None }, done),
            op(get(7), found(value(1, 7))),
        ];
        let expect = BTreeMap::from([(3, value(1, 3)), (6, value(2, 6))]);
        assert_eq!(preloaded(ops.iter()).initial, expect);
    }
}
