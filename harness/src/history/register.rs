//! A register's operations in dense numbers: what both tiers of the register checker work on.
//!
//! [`Register::compile`] says for each answer what it pins down, and no more. An unknown outcome
//! stays unknown (`ret` is [`OPEN`]); an operation that certainly failed is left out.

use super::intern::Interner;
use super::rank::{OPEN, OPS_MAX, RANK_MIN, Ranker};
use super::split::Share;
use crate::models::RegisterCas;
use crate::models::register_cas::Told;
use contract::{Call, Duration, Op, Outcome, Ret, Value};

/// The state of a register that holds nothing. Values are numbered from 1.
pub const ABSENT: u32 = 0;
/// The operation that stands for the value a key holds before the run.
pub const INITIAL: u32 = u32::MAX;

/// What an operation did to the register, as far as its answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Saw `from`: a read, a refused compare-and-set that names what it saw, a delete of nothing.
    Read,
    /// Wrote `to` over anything.
    Write,
    /// Found `from` and wrote `to`.
    Swap,
    /// Removed `from`, which is a value.
    Remove,
    /// Removed whatever there was.
    Erase,
    /// Removed some value and does not say which.
    RemoveAny,
    /// Found something other than `from`.
    Differs,
    /// Removed `from` if it was still there, some time after it was written: its time to live was
    /// over.
    Expire,
    /// May have removed whatever there was, by its return if ever.
    MayErase,
    /// Got an answer that the call cannot have, whatever the register holds.
    Impossible,
}

/// One operation on one register. 24 bytes, since a history may have many millions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterOp {
    /// The rank of its call.
    pub call: u32,
    /// The rank of its return, or [`OPEN`]: then it may also never take effect.
    pub ret: u32,
    /// What it did.
    pub kind: Kind,
    /// The state that it found; for [`Kind::Differs`] one that it did not find.
    pub from: u32,
    /// The value that it wrote.
    pub to: u32,
    /// Its index in the history, or [`INITIAL`].
    pub op: u32,
}

impl RegisterOp {
    /// Whether it may also never take effect.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.ret == OPEN
    }

    /// The state after it, or `None` when it is impossible in `state`. That `from` was written
    /// before [`Kind::Expire`] is for the caller to see to. An open [`Kind::Swap`] that
    /// does not find `from` changes nothing, so it is never worth taking there.
    #[must_use]
    #[inline]
    pub const fn step(&self, state: u32) -> Option<u32> {
        match self.kind {
            Kind::Read if state == self.from => Some(state),
            Kind::Write => Some(self.to),
            Kind::Swap if state == self.from => Some(self.to),
            Kind::Remove if state == self.from => Some(ABSENT),
            Kind::Erase | Kind::MayErase => Some(ABSENT),
            Kind::Expire if state == self.from => Some(ABSENT),
            Kind::Expire => Some(state),
            Kind::RemoveAny if state != ABSENT => Some(ABSENT),
            Kind::Differs if state != self.from => Some(state),
            _ => None,
        }
    }

    /// Whether it is an event of the register rather than an operation of a client.
    #[must_use]
    pub const fn is_event(&self) -> bool {
        matches!(self.kind, Kind::Expire | Kind::MayErase) || self.op == INITIAL
    }

    /// Whether it leaves every state as it is.
    #[must_use]
    pub const fn observes(&self) -> bool {
        matches!(self.kind, Kind::Read | Kind::Differs)
    }
}

/// The operations of one key in the order of their calls.
#[derive(Clone, Debug)]
pub struct Register {
    /// The operations; the first may be [`INITIAL`].
    pub ops: Vec<RegisterOp>,
    /// One more than the highest state: absent and the values from 1.
    pub states: u32,
    /// One more than the highest rank.
    pub ranks: u32,
    /// The first operation whose answer is impossible in itself.
    pub impossible: Option<u32>,
    /// Whether a value with a time to live may have been written by another operation too, so that
    /// nobody can say which of them expires.
    pub ambiguous: bool,
    /// The values by state, less one.
    pub values: Vec<Value>,
}

impl Register {
    /// Compiles the share of one key. Where `weak(op)` holds, the operation is taken to have ended
    /// unknown, which only ever enlarges the set of legal orders.
    #[must_use]
    pub fn compile(
        ops: &[Op],
        key: u64,
        shares: &[Share],
        model: &RegisterCas,
        weak: impl Fn(u32) -> bool,
    ) -> Self {
        assert!(shares.len() < OPS_MAX / 2, "a key has under 2^27 operations");
        let mut compiler =
            Compiler { told: model.told, values: Interner::with_capacity(shares.len() / 2) };
        let mut out: Vec<RegisterOp> = Vec::with_capacity(shares.len() + 1);
        let initial = model.initial_of(key).map(|value| compiler.initial(value));
        let mut expiries = Vec::new();
        let mut times = Times {
            ops,
            tolerance: model.ttl_tolerance,
            ranker: Ranker::with_capacity(shares.len()),
        };
        for &share in shares {
            let op = &ops[share.op as usize];
            let unknown = weak(share.op);
            let Some(effect) = compiler.effect(op, share, unknown) else {
                continue;
            };
            let known = !unknown && matches!(op.outcome, Outcome::Ok(_));
            if let Call::Put { ttl: Some(ttl), .. } = op.call {
                let expiry = Effect::new(Kind::Expire, effect.to, ABSENT).of(share.op);
                expiries.push((times.expiry(share.op, ttl, known), expiry));
            }
            times.ranker.add(op.call_at.0, known.then_some(op.ret_at.0));
            out.push(effect.of(share.op));
        }
        let has_expiries = !expiries.is_empty();
        if has_expiries {
            out = times.merge(out, expiries);
        }
        let ranks = times.ranker.finish(|number, is_return, rank| {
            let op = &mut out[number as usize];
            *if is_return { &mut op.ret } else { &mut op.call } = rank;
        });
        out.splice(0..0, initial);
        let ambiguous = has_expiries && is_ambiguous(&out, compiler.values.keys().len() + 1);
        let impossible = out.iter().position(|op| op.kind == Kind::Impossible);
        Self {
            ops: out,
            states: compiler.values.keys().len() as u32 + 1,
            ranks,
            impossible: impossible.map(|index| index as u32),
            ambiguous,
            values: compiler.values.into_keys(),
        }
    }

    /// The value that `state` stands for.
    #[must_use]
    pub fn value(&self, state: u32) -> Option<Value> {
        let number = (state as usize).checked_sub(1)?;
        Some(self.values[number])
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

/// A call time, and a return time if there is one.
type Interval = (u64, Option<u64>);

/// The times of the operations of one key.
struct Times<'a> {
    ops: &'a [Op],
    tolerance: Duration,
    ranker: Ranker,
}

impl Times<'_> {
    /// When what `op` wrote expires.
    fn expiry(&self, op: u32, ttl: Duration, known: bool) -> Interval {
        let op = &self.ops[op as usize];
        let earliest = op.call_at + ttl - self.tolerance;
        let latest = op.ret_at + ttl + self.tolerance;
        (earliest.max(op.call_at).0, known.then_some(latest.0))
    }

    /// Puts expiries among the operations, in the order of their earliest times.
    fn merge(
        &mut self,
        out: Vec<RegisterOp>,
        expiries: Vec<(Interval, RegisterOp)>,
    ) -> Vec<RegisterOp> {
        let ranker = std::mem::take(&mut self.ranker);
        let mut all: Vec<(Interval, RegisterOp)> = ranker.into_intervals().zip(out).collect();
        all.extend(expiries);
        all.sort_by_key(|((earliest, _), _)| *earliest);
        for ((call_at, ret_at), _) in &all {
            self.ranker.add(*call_at, *ret_at);
        }
        all.into_iter().map(|(_, op)| op).collect()
    }
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
