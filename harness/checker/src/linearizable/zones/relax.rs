//! Registers outside the class, made to fit by forgetting.
//!
//! Whatever explains the history also explains the relaxed one, so a refusal holds for both, while
//! an acceptance proves nothing and search must decide.

use super::super::violation::Violation;
use crate::history::rank::OPEN;
use crate::history::register::{ABSENT, Kind, Register, RegisterOp};

/// `register` with less said: a delete that removed some value removes anything; a refusal that
/// names nothing is dropped; a compare-and-set that found nothing is a read of nothing and a write;
/// an expiry may remove anything while it is due, or nothing, and its value is not seen later.
///
/// `None` when nothing is forgotten.
pub fn relax(register: &Register) -> Option<Result<Register, Violation>> {
    let fits = |op: &RegisterOp| {
        let adds = op.kind == Kind::Swap && op.from == ABSENT;
        !adds && !matches!(op.kind, Kind::RemoveAny | Kind::Differs | Kind::Expire)
    };
    if register.ops.iter().all(fits) {
        return None;
    }
    let expires = expiries(register);
    let mut ops = Vec::with_capacity(register.ops.len());
    for (index, &op) in register.ops.iter().enumerate() {
        let last = expires[op.from as usize];
        let finds = !op.is_open() && matches!(op.kind, Kind::Read | Kind::Swap | Kind::Remove);
        if finds && op.call > last.ret {
            let op = index as u32;
            return Some(Err(Violation::SeenExpired { op, write: last.expiry }));
        }
        let ret = if finds { op.ret.min(last.ret) } else { op.ret };
        let op = RegisterOp { ret, ..op };
        match op.kind {
            Kind::Differs => {}
            Kind::RemoveAny => ops.push(RegisterOp { kind: Kind::Erase, ..op }),
            Kind::Expire => ops.push(RegisterOp { kind: Kind::MayErase, ..op }),
            Kind::Swap if op.from == ABSENT => {
                ops.push(RegisterOp { kind: Kind::Write, ..op });
                if !op.is_open() {
                    ops.push(RegisterOp { kind: Kind::Read, ..op });
                }
            }
            _ => ops.push(op),
        }
    }
    Some(Ok(Register { ops, values: register.values.clone(), ..*register }))
}

/// By when a value is gone.
#[derive(Clone, Copy)]
struct Gone {
    ret: u32,
    expiry: u32,
}

/// By state. A value that is written twice is out of the class anyway.
fn expiries(register: &Register) -> Vec<Gone> {
    let mut gone = vec![Gone { ret: OPEN, expiry: 0 }; register.states as usize];
    for (index, op) in register.ops.iter().enumerate() {
        if op.kind == Kind::Expire {
            gone[op.from as usize] = Gone { ret: op.ret, expiry: index as u32 };
        }
    }
    gone
}
