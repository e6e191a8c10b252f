//! How a key's operations become a [`Register`], one at a time and in the order of their calls.

use super::intern::Interner;
use super::rank::{OPEN, OPS_MAX, RANK_MIN, Ranker};
use super::register::{ABSENT, INITIAL, Kind, Register, RegisterOp};
use super::split::Share;
use crate::models::RegisterCas;
use crate::models::register_cas::Told;
use contract::{Call, Duration, Op, Outcome, Ret, Value};

/// A register in the making.
#[derive(Debug)]
pub struct Builder {
    key: u64,
    compiler: Compiler,
    initial: Option<RegisterOp>,
    ops: Vec<RegisterOp>,
    ranker: Ranker,
    expiries: Vec<(Interval, RegisterOp)>,
    tolerance: Duration,
}

/// A call time, and a return time if there is one.
type Interval = (u64, Option<u64>);

impl Builder {
    /// A register of `key` without operations, with room for `len` of them.
    #[must_use]
    pub fn new(key: u64, model: &RegisterCas, len: usize) -> Self {
        assert!(len < OPS_MAX / 2, "a key has under 2^27 operations");
        let mut compiler = Compiler { told: model.told, values: Interner::with_capacity(len / 2) };
        let initial = model.initial_of(key).map(|value| compiler.initial(value));
        Self {
            key,
            compiler,
            initial,
            ops: Vec::with_capacity(len),
            ranker: Ranker::with_capacity(len),
            expiries: Vec::new(),
            tolerance: model.ttl_tolerance,
        }
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> u64 {
        self.key
    }

    /// Adds `share` of `op`, which is called no earlier than the ones before. Where it is `weak`, it
    /// is taken to have ended unknown.
    #[inline]
    pub fn add(&mut self, op: &Op, share: Share, weak: bool) {
        let Some(effect) = self.compiler.effect(op, share, weak) else {
            return;
        };
        let known = !weak && matches!(op.outcome, Outcome::Ok(_));
        if let Call::Put { ttl: Some(ttl), .. } = op.call {
            let expiry = Effect::new(Kind::Expire, effect.to, ABSENT).of(share.op);
            self.expiries.push((self.expiry(op, ttl, known), expiry));
        }
        self.ranker.add(op.call_at.0, known.then_some(op.ret_at.0));
        self.ops.push(effect.of(share.op));
    }

    /// When what `op` wrote expires.
    fn expiry(&self, op: &Op, ttl: Duration, known: bool) -> Interval {
        let earliest = op.call_at + ttl - self.tolerance;
        let latest = op.ret_at + ttl + self.tolerance;
        (earliest.max(op.call_at).0, known.then_some(latest.0))
    }

    /// The register.
    #[must_use]
    pub fn finish(mut self) -> Register {
        let has_expiries = !self.expiries.is_empty();
        if has_expiries {
            self.merge_expiries();
        }
        let values = self.compiler.values.into_keys();
        let mut ops = self.ops;
        assert!(ops.len() < OPS_MAX, "a key has under 2^28 operations and expiries");
        let ranks = self.ranker.finish(|number, is_return, rank| {
            let op = &mut ops[number as usize];
            *if is_return { &mut op.ret } else { &mut op.call } = rank;
        });
        ops.splice(0..0, self.initial);
        let states = values.len() as u32 + 1;
        let impossible = ops.iter().position(|op| op.kind == Kind::Impossible);
        Register {
            ambiguous: has_expiries && is_ambiguous(&ops, states as usize),
            ops,
            states,
            ranks,
            impossible: impossible.map(|index| index as u32),
            values,
        }
    }

    /// Puts expiries among the operations, in the order of their earliest times.
    fn merge_expiries(&mut self) {
        let intervals = std::mem::take(&mut self.ranker).into_intervals();
        let ops = std::mem::take(&mut self.ops);
        let mut all: Vec<(Interval, RegisterOp)> = intervals.zip(ops).collect();
        all.append(&mut self.expiries);
        all.sort_by_key(|((earliest, _), _)| *earliest);
        for ((call_at, ret_at), op) in all {
            self.ranker.add(call_at, ret_at);
            self.ops.push(op);
        }
    }
}

/// Whether one of `states` values expires and has several writes.
fn is_ambiguous(ops: &[RegisterOp], states: usize) -> bool {
    let mut writes = vec![0_u32; states];
    for op in ops.iter().filter(|op| matches!(op.kind, Kind::Write | Kind::Swap)) {
        writes[op.to as usize] += 1;
    }
    let expires = |op: &&RegisterOp| op.kind == Kind::Expire;
    ops.iter().filter(expires).any(|op| writes[op.from as usize] > 1)
}

/// What one answer says.
#[derive(Clone, Copy)]
struct Effect {
    kind: Kind,
    from: u32,
    to: u32,
}

impl Effect {
    const fn new(kind: Kind, from: u32, to: u32) -> Self {
        Self { kind, from, to }
    }

    /// The operation before it is ranked.
    const fn of(self, op: u32) -> RegisterOp {
        let Self { kind, from, to } = self;
        RegisterOp { call: 0, ret: OPEN, kind, from, to, op }
    }
}

const IMPOSSIBLE: Effect = Effect::new(Kind::Impossible, ABSENT, ABSENT);

/// Says for each answer what it pins down.
#[derive(Debug)]
struct Compiler {
    told: Told,
    values: Interner<Value>,
}

impl Compiler {
    fn state(&mut self, value: Option<Value>) -> u32 {
        value.map_or(ABSENT, |value| self.values.intern(value) + 1)
    }

    /// A write that is over before anything else begins.
    fn initial(&mut self, value: Value) -> RegisterOp {
        let to = self.state(Some(value));
        RegisterOp {
            call: RANK_MIN - 2,
            ret: RANK_MIN - 1,
            ..Effect::new(Kind::Write, ABSENT, to).of(INITIAL)
        }
    }

    /// `None` for an operation that constrains nothing.
    fn effect(&mut self, op: &Op, share: Share, unknown: bool) -> Option<Effect> {
        let ret = match &op.outcome {
            Outcome::Fail => return None,
            Outcome::Ok(ret) if !unknown => Some(ret),
            _ => None,
        };
        match &op.call {
            Call::Get { .. } => ret.map(|ret| self.get(ret)),
            Call::BatchGet { keys, .. } => {
                ret.map(|ret| self.batch_get(ret, keys.len(), share.item))
            }
            Call::Put { value, .. } => {
                let to = self.state(Some(*value));
                Some(match ret {
                    None | Some(Ret::Done { .. }) => Effect::new(Kind::Write, ABSENT, to),
                    Some(_) => IMPOSSIBLE,
                })
            }
            Call::Delete { .. } => Some(self.delete(ret)),
            Call::Cas { expect, value, .. } => Some(self.cas(*expect, *value, ret)),
            _ => None,
        }
    }

    fn read(&mut self, value: Option<Value>) -> Effect {
        Effect::new(Kind::Read, self.state(value), ABSENT)
    }

    fn get(&mut self, ret: &Ret) -> Effect {
        match ret {
            Ret::Found { value, .. } => self.read(Some(*value)),
            Ret::Missing => self.read(None),
            _ => IMPOSSIBLE,
        }
    }

    fn batch_get(&mut self, ret: &Ret, keys: usize, item: u32) -> Effect {
        match ret {
            Ret::Batch { values } if values.len() == keys => self.read(values[item as usize]),
            _ => IMPOSSIBLE,
        }
    }

    fn delete(&mut self, ret: Option<&Ret>) -> Effect {
        match ret {
            None | Some(Ret::Done { .. }) => Effect::new(Kind::Erase, ABSENT, ABSENT),
            Some(Ret::Missing | Ret::Deleted { previous: None }) => self.read(None),
            Some(Ret::Deleted { .. }) if self.told == Told::Barely => {
                Effect::new(Kind::RemoveAny, ABSENT, ABSENT)
            }
            Some(Ret::Deleted { previous }) => {
                Effect::new(Kind::Remove, self.state(*previous), ABSENT)
            }
            Some(_) => IMPOSSIBLE,
        }
    }

    fn cas(&mut self, expect: Option<Value>, value: Value, ret: Option<&Ret>) -> Effect {
        let from = self.state(expect);
        match ret {
            None | Some(Ret::Done { .. }) => {
                let to = self.state(Some(value));
                Effect::new(Kind::Swap, from, to)
            }
            Some(Ret::Conflict { .. }) if self.told == Told::Barely => {
                Effect::new(Kind::Differs, from, ABSENT)
            }
            Some(Ret::Conflict { seen }) if *seen != expect => self.read(*seen),
            Some(Ret::Missing) if expect.is_some() => self.read(None),
            Some(_) => IMPOSSIBLE,
        }
    }
}
