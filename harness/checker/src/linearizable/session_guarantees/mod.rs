//! What reads promise that need not be linearizable: sessions, and bounded staleness.
//!
//! Both checks only use what is certain: one write is *older* than another when it returned before
//! the other was called. So they raise no false alarm, and see nothing in orders that real time
//! leaves open. Every read is judged, whatever its level.
//!
//! [`session`]: Terry et al., "Session guarantees for weakly consistent replicated data", PDIS
//! 1994, §3. [`staleness`]: Golab et al., "Analyzing consistency properties for fun and profit",
//! PODC 2011, §3 (Δ-atomicity), one-sided.

pub mod session;
pub mod staleness;

use crate::history::register::{ABSENT, INITIAL, Kind, Register, RegisterOp};
use crate::history::registers::each_register;
use crate::models::{Model, RegisterCas};
use contract::{Call, Op, OpId, Outcome};

/// How many breaches are told in full.
pub const BREACHES_MAX: usize = 8;

/// A read that broke a promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// The promise.
    pub guarantee: &'static str,
    /// The key.
    pub key: u64,
    /// The operations that show it, the read last.
    pub ops: Vec<OpId>,
    /// What happened.
    pub sentence: String,
}

/// The operations of one key, with the times between which each value was certainly written.
struct KeyFacts<'a> {
    ops: &'a [Op],
    register: Register,
    /// By state: the latest return of an operation that may have produced it; the end of time if
    /// one of them is open, nothing if it can only have been there at first.
    ret_max: Vec<Option<u64>>,
    /// By state: the earliest call of an operation that may have produced it.
    call_min: Vec<u64>,
    /// By state: the operation with that return, as an index into the history.
    writer: Vec<Option<u32>>,
}

impl<'a> KeyFacts<'a> {
    fn gather(ops: &'a [Op], register: Register) -> Self {
        let states = register.states as usize;
        let mut facts = Self {
            ops,
            register,
            ret_max: vec![None; states],
            call_min: vec![u64::MAX; states],
            writer: vec![None; states],
        };
        for index in 0..facts.register.ops.len() {
            let op = facts.register.ops[index];
            if let Some(state) = produces(&op) {
                facts.produced(state as usize, &op);
            }
        }
        facts
    }

    fn produced(&mut self, state: usize, op: &RegisterOp) {
        let (call_at, ret_at) = self.times(op);
        self.call_min[state] = self.call_min[state].min(call_at);
        if op.op != INITIAL && self.ret_max[state] < Some(ret_at) {
            self.ret_max[state] = Some(ret_at);
            self.writer[state] = (!op.is_event()).then_some(op.op);
        }
    }

    /// When `op` was called and had returned, in nanoseconds; what stood there before the run was
    /// written at its start, and an expiry may come at any later time.
    fn times(&self, op: &RegisterOp) -> (u64, u64) {
        if op.is_event() {
            return (0, u64::MAX);
        }
        let recorded = &self.ops[op.op as usize];
        let ret_at = if op.is_open() { u64::MAX } else { recorded.ret_at.0 };
        (recorded.call_at.0, ret_at)
    }

    /// The operations of clients, in the order of their calls.
    fn client_ops(&self) -> impl Iterator<Item = &RegisterOp> {
        self.register.ops.iter().filter(|op| !op.is_event())
    }

    /// Whether `op` is a read by a client and not a refused write.
    fn is_read(&self, op: &RegisterOp) -> bool {
        let call = &self.ops[op.op as usize].call;
        op.kind == Kind::Read && matches!(call, Call::Get { .. } | Call::BatchGet { .. })
    }

    fn id(&self, op: u32) -> OpId {
        self.ops[op as usize].id
    }
}

/// The state that `op` may leave behind.
const fn produces(op: &RegisterOp) -> Option<u32> {
    match op.kind {
        Kind::Write | Kind::Swap => Some(op.to),
        Kind::Remove | Kind::Erase | Kind::Expire => Some(ABSENT),
        _ => None,
    }
}

/// Calls `each` with the facts of every key, ascending.
fn each_key(ops: &[Op], model: &RegisterCas, mut each: impl FnMut(u64, &KeyFacts<'_>)) {
    let about_registers = |op: &Op| {
        let known = matches!(op.call, Call::BatchGet { .. }) || model.part(&op.call).is_some();
        known && op.outcome != Outcome::Fail
    };
    each_register(ops, model, about_registers, |key, register| {
        each(key, &KeyFacts::gather(ops, register));
    });
}
