//! Pass 0 and 1: the class check over the whole key, then who wrote, saw and consumed each value.

use super::super::mutant::{Mutant, broken};
use super::super::violation::Violation;
use super::Stop;
use crate::history::rank::OPEN;
use crate::history::register::{ABSENT, Kind, Register, RegisterOp};

/// No operation.
pub const NONE: u32 = u32::MAX;

/// Everything that happened to one value.
#[derive(Clone, Copy, Debug)]
pub struct ValueFacts {
    /// The operation that wrote it, or [`NONE`].
    pub producer: u32,
    /// The operation that found it and replaced or removed it, or [`NONE`].
    pub consumer: u32,
    /// The earliest return of a read of it, or [`OPEN`].
    pub read_ret_min: u32,
    /// The latest call of a read of it, or 0.
    pub read_call_max: u32,
    /// Whether an operation that certainly took effect saw it, directly or through others.
    pub observed: bool,
    /// Whether its producer is open.
    open: bool,
    /// Whether its producer wrote it over anything.
    written: bool,
}

/// The facts of one register.
#[derive(Debug)]
pub struct Facts {
    /// By state; the entry of [`ABSENT`] is unused.
    pub values: Vec<ValueFacts>,
    /// Operations that found nothing.
    pub demands: Vec<u32>,
    /// Deletes that do not say what they removed, also those that may never have happened.
    pub erases: Vec<u32>,
    /// How many values certainly were in the register.
    pub live: u32,
}

impl Facts {
    /// The facts, or `None` when the history is outside the class.
    ///
    /// No verdict is given before the whole key has passed: with a second write of a value
    /// further on, even "consumed twice" proves nothing.
    #[must_use]
    pub fn gather(register: &Register) -> Option<Self> {
        let unseen = ValueFacts {
            producer: NONE,
            consumer: NONE,
            read_ret_min: OPEN,
            read_call_max: 0,
            observed: false,
            open: false,
            written: false,
        };
        let mut facts = Self {
            values: vec![unseen; register.states as usize],
            demands: Vec::new(),
            erases: Vec::new(),
            live: 0,
        };
        for (index, op) in register.ops.iter().enumerate() {
            let index = index as u32;
            match op.kind {
                Kind::Read if op.from == ABSENT => facts.demands.push(index),
                Kind::Read => {
                    let value = &mut facts.values[op.from as usize];
                    value.read_ret_min = value.read_ret_min.min(op.ret);
                    value.read_call_max = value.read_call_max.max(op.call);
                }
                Kind::Write => facts.produce(index, op)?,
                Kind::Swap => {
                    if op.from == op.to || (op.from == ABSENT && !op.is_open()) {
                        return None;
                    }
                    facts.produce(index, op)?;
                }
                Kind::Remove => {}
                Kind::Erase | Kind::MayErase => facts.erases.push(index),
                Kind::RemoveAny | Kind::Differs | Kind::Expire => return None,
                Kind::Impossible => unreachable!("judged before"),
            }
        }
        Some(facts)
    }

    fn produce(&mut self, index: u32, op: &RegisterOp) -> Option<()> {
        let value = &mut self.values[op.to as usize];
        if value.producer != NONE && !broken(Mutant::ValuesRepeat) {
            return None;
        }
        value.producer = index;
        value.open = op.is_open();
        value.written = op.kind == Kind::Write;
        Some(())
    }

    /// Decides which open operations must have taken effect, and who consumed what.
    pub(super) fn resolve(&mut self, register: &Register) -> Result<(), Stop> {
        let mut violation = None;
        for (index, op) in register.ops.iter().enumerate() {
            let index = index as u32;
            if op.is_open() {
                continue;
            }
            let consumes = matches!(op.kind, Kind::Swap | Kind::Remove);
            let sees = consumes || (op.kind == Kind::Read && op.from != ABSENT);
            if !sees {
                continue;
            }
            let seen = self.observe(register, op.from, index)?;
            let consumed = if consumes { self.consume(op.from, index) } else { Ok(()) };
            violation = violation.or(seen.err()).or(consumed.err());
        }
        if let Some(violation) = violation {
            return Err(violation.into());
        }
        let live = |value: &&ValueFacts| value.is_live();
        self.live = self.values[1..].iter().filter(live).count() as u32;
        Ok(())
    }

    /// Notes that `op` saw `state`. An open compare-and-set whose value was seen took effect, so
    /// it saw what it expected, and so on. The outer error is a history outside the class.
    fn observe(
        &mut self,
        register: &Register,
        mut state: u32,
        op: u32,
    ) -> Result<Result<(), Violation>, Stop> {
        let mut witness = op;
        loop {
            let value = &mut self.values[state as usize];
            if value.observed {
                return Ok(Ok(()));
            }
            value.observed = true;
            let producer = value.producer;
            if producer == NONE {
                let violation = Violation::NeverWritten { op: witness, state };
                return Ok(Err(violation));
            }
            if !value.open || value.written || broken(Mutant::OpenSwapsConsumeNothing) {
                return Ok(Ok(()));
            }
            let by = &register.ops[producer as usize];
            if by.from == ABSENT {
                return Err(Stop::OutOfClass);
            }
            if let Err(violation) = self.consume(by.from, producer) {
                return Ok(Err(violation));
            }
            (state, witness) = (by.from, producer);
        }
    }

    fn consume(&mut self, state: u32, op: u32) -> Result<(), Violation> {
        let consumer = &mut self.values[state as usize].consumer;
        let first = std::mem::replace(consumer, op);
        if first == NONE || broken(Mutant::ConsumedTwice) {
            return Ok(());
        }
        Err(Violation::DoubleConsume { first, second: op, state })
    }
}

impl ValueFacts {
    /// Whether the value certainly was in the register: an open write that nobody saw may be
    /// taken never to have happened.
    #[must_use]
    pub fn is_live(&self) -> bool {
        let happened = !self.open || self.observed || broken(Mutant::UnseenOpenWritesCount);
        self.producer != NONE && happened
    }

    /// Whether a chain begins with it.
    #[must_use]
    pub fn starts_chain(&self) -> bool {
        self.is_live() && self.written
    }
}
