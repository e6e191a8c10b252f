//! A register's operations in dense numbers: what both tiers of the register checker work on.
//!
//! [`Register::compile`] says for each answer what it pins down, and no more. An unknown outcome
//! stays unknown (`ret` is [`OPEN`]); an operation that certainly failed is left out.

use super::intern::Interner;
use super::rank::{OPEN, OPS_MAX, RANK_MIN, Ranker};
use super::split::Share;
use crate::models::RegisterCas;
use crate::models::register_cas::Told;
use contract::{Call, Op, Outcome, Ret, Value};

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

    /// The state after it, or `None` when it is impossible in `state`. An open [`Kind::Swap`] that
    /// does not find `from` changes nothing, so it is never worth taking there.
    #[must_use]
    #[inline]
    pub const fn step(&self, state: u32) -> Option<u32> {
        match self.kind {
            Kind::Read if state == self.from => Some(state),
            Kind::Write => Some(self.to),
            Kind::Swap if state == self.from => Some(self.to),
            Kind::Remove if state == self.from => Some(ABSENT),
            Kind::Erase => Some(ABSENT),
            Kind::RemoveAny if state != ABSENT => Some(ABSENT),
            Kind::Differs if state != self.from => Some(state),
            _ => None,
        }
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
        assert!(shares.len() < OPS_MAX, "a key has under 2^28 operations");
        let mut compiler = Compiler {
            told: model.told,
            values: Interner::with_capacity(shares.len() / 2),
        };
        let mut out: Vec<RegisterOp> = Vec::with_capacity(shares.len() + 1);
        if let Some(value) = model.initial_of(key) {
            out.push(compiler.initial(value));
        }
        let before = out.len();
        let mut ranker = Ranker::with_capacity(shares.len());
        let mut impossible = None;
        for &share in shares {
            let op = &ops[share.op as usize];
            let unknown = weak(share.op);
            let Some(effect) = compiler.effect(op, share, unknown) else {
                continue;
            };
            if effect.kind == Kind::Impossible {
                impossible = impossible.or(Some(out.len() as u32));
            }
            let known = !unknown && matches!(op.outcome, Outcome::Ok(_));
            ranker.add(op.call_at.0, known.then_some(op.ret_at.0));
            out.push(effect.of(share.op));
        }
        let ranks = ranker.finish(|number, is_return, rank| {
            let op = &mut out[before + number as usize];
            *if is_return { &mut op.ret } else { &mut op.call } = rank;
        });
        Self {
            ops: out,
            states: compiler.values.keys().len() as u32 + 1,
            ranks,
            impossible,
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
        RegisterOp {
            call: 0,
            ret: OPEN,
            kind,
            from,
            to,
            op,
        }
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
