//! The test of a certificate: an order is a linearization when it is legal for the model, keeps
//! the order of real time, and leaves out nothing that certainly happened.
//!
//! It knows nothing of how the order was found, so a verdict of "linearizable" rests on this file
//! and the model alone.

use crate::history::register::{ABSENT, Kind, Register};

/// Why an order proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The operation at this position is impossible in the state that the ones before leave.
    Illegal(usize),
    /// The operation at this position returned before one that stands earlier was called.
    OutOfTime(usize),
    /// An operation is there twice.
    Repeated(usize),
    /// This operation certainly took effect and is not there.
    Missing(u32),
}

/// Replays `order`, indexes into `register.ops`, from an absent register.
pub fn replay_register(register: &Register, order: &[u32]) -> Result<(), Refused> {
    let mut seen = vec![false; register.ops.len()];
    let mut written = vec![false; register.states as usize];
    let mut state = ABSENT;
    let mut call_max = 0;
    for (position, &index) in order.iter().enumerate() {
        let op = &register.ops[index as usize];
        if std::mem::replace(&mut seen[index as usize], true) {
            return Err(Refused::Repeated(position));
        }
        if op.ret < call_max {
            return Err(Refused::OutOfTime(position));
        }
        call_max = call_max.max(op.call);
        if op.kind == Kind::Expire && !written[op.from as usize] {
            return Err(Refused::Illegal(position));
        }
        state = op.step(state).ok_or(Refused::Illegal(position))?;
        written[state as usize] = true;
    }
    let missing = |(index, _): &(usize, &bool)| !register.ops[*index].is_open();
    match seen.iter().enumerate().filter(|(_, seen)| !**seen).find(missing) {
        Some((index, _)) => Err(Refused::Missing(index as u32)),
        None => Ok(()),
    }
}
