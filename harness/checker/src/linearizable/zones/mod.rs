//! Tier one: registers with unique values, decided exactly in `O(n log n)`.
//!
//! A value that is written once names its write, so every answer says where in the history it
//! belongs. Operations on one value, and on values joined by compare-and-sets, form a *chain*: a
//! block that nothing else can enter. Chains become zones of time as in Gibbons and Korach,
//! "Testing shared memories", SIAM J. Comput. 26 (1997), §4, with chains in place of clusters.
//! "Absent" is the one state that many operations produce; which delete explains which answer of
//! "nothing there" is settled by an earliest-deadline-first matching.
//!
//! The passes, one file each: `facts` (class check; who wrote, read and consumed each value),
//! `chains`, `gaps` (zones, and what lies between them), `absent`, `certificate`. Why it
//! is exact is argued in `docs/checkers.md`.

pub(super) mod absent;
pub(super) mod certificate;
pub(super) mod chains;
pub(super) mod facts;
pub(super) mod gaps;
pub mod relax;

use super::violation::Violation;
use crate::history::register::Register;
use std::borrow::Cow;

/// What tier one found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// Two writes of one value, or a kind of operation that this tier does not decide.
    OutOfClass,
    /// Some order explains every answer. With it, if it was asked for: indexes into
    /// [`Register::ops`]; open operations that never took effect are left out.
    Holds(Vec<u32>),
    /// No order does.
    Violated(Violation),
}

/// Decides `register`, or says that it is out of the class. The order is built on request.
#[must_use]
pub fn judge(register: &Register, certify: bool) -> Judged {
    if let Some(op) = register.impossible {
        return Judged::Violated(Violation::Impossible { op });
    }
    let Some(mut facts) = facts::Facts::gather(register) else {
        return Judged::OutOfClass;
    };
    match decide(register, &mut facts, certify) {
        Ok(order) => Judged::Holds(order),
        Err(Stop::OutOfClass) => Judged::OutOfClass,
        Err(Stop::Violated(violation)) => Judged::Violated(violation),
    }
}

/// What tier one found about a register that may be out of the class.
#[derive(Clone, Debug)]
pub enum Relaxed<'a> {
    /// It is in the class and holds.
    Holds(Vec<u32>),
    /// No order explains it, and with less said none does either. Indexes are into the register
    /// that is given back.
    Violated(Violation, Cow<'a, Register>),
    /// It is out of the class, and with less said it holds.
    Open,
}

/// Decides `register`, or refutes it with less said.
#[must_use]
pub fn judge_relaxed(register: &Register, certify: bool) -> Relaxed<'_> {
    match judge(register, certify) {
        Judged::Holds(order) => Relaxed::Holds(order),
        Judged::Violated(violation) => Relaxed::Violated(violation, Cow::Borrowed(register)),
        Judged::OutOfClass => match relax::relax(register) {
            None => Relaxed::Open,
            Some(Err(violation)) => Relaxed::Violated(violation, Cow::Borrowed(register)),
            Some(Ok(relaxed)) => match judge(&relaxed, false) {
                Judged::Violated(violation) => Relaxed::Violated(violation, Cow::Owned(relaxed)),
                Judged::Holds(_) | Judged::OutOfClass => Relaxed::Open,
            },
        },
    }
}

/// Why the passes ended early.
pub(super) enum Stop {
    OutOfClass,
    Violated(Violation),
}

impl From<Violation> for Stop {
    fn from(violation: Violation) -> Self {
        Self::Violated(violation)
    }
}

fn decide(register: &Register, facts: &mut facts::Facts, certify: bool) -> Result<Vec<u32>, Stop> {
    facts.resolve(register)?;
    let chains = chains::Chains::build(register, facts)?;
    let gaps = gaps::Gaps::build(register, &chains)?;
    let windows = gaps.windows(register, facts, &chains)?;
    let matching = absent::explain(register, &chains, &gaps, &windows)?;
    if !certify {
        return Ok(Vec::new());
    }
    let plan = certificate::Plan {
        register,
        facts,
        chains: &chains,
        gaps: &gaps,
        windows: &windows,
        matching: &matching,
    };
    Ok(plan.order())
}
