//! A register's operations in dense numbers: what both tiers of the register checker work on.
//!
//! [`Register::compile`] says for each answer what it pins down, and no more. An unknown outcome
//! stays unknown (`ret` is [`OPEN`]); an operation that certainly failed is left out.

use super::build::Builder;
use super::rank::OPEN;
use super::split::Share;
use crate::models::RegisterCas;
use contract::{Op, Value};

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
        let mut builder = Builder::new(key, model, shares.len());
        for &share in shares {
            builder.add(&ops[share.op as usize], share, weak(share.op));
        }
        builder.finish()
    }

    /// The value that `state` stands for.
    #[must_use]
    pub fn value(&self, state: u32) -> Option<Value> {
        let number = (state as usize).checked_sub(1)?;
        Some(self.values[number])
    }
}
