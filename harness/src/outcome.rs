//! What became of a scenario's expectation, and the exit status that says so.

use crate::run::{Finished, Judged};
use crate::run_result::PINS;
use catalog::Verdict;
use reports::record::RunOutcome;

/// Judges a finished run against what its scenario expects.
///
/// A violation of an invariant that no check names fails a run that should pass. Where a failure
/// is expected, the planted flaw may well break more than the scenario names, up to an assertion
/// inside of a node; that is reported and does not count. A pin that met no message makes the run
/// another one than was asked for, so its failing as expected shows nothing.
#[must_use]
pub fn outcome(run: &Finished) -> RunOutcome {
    let fired: Vec<&str> =
        run.verdicts.iter().filter(|judged| violated(judged)).map(|judged| &*judged.id).collect();
    let expectation = &run.plan.expectation;
    let named = |id: &str| {
        let by_default = id == scenario::TERMINATION;
        by_default
            || expectation.caught_by.iter().chain(&expectation.may_fail).any(|name| *name == *id)
    };
    let stopped = run.ended.reason().is_some();
    if !expectation.fail {
        return if !fired.is_empty() || !run.unnamed.is_empty() {
            RunOutcome::UnexpectedViolation
        } else if stopped || run.verdicts.iter().any(inconclusive) {
            RunOutcome::Inconclusive
        } else {
            RunOutcome::Passed
        };
    }
    if !fired.iter().all(|id| named(id)) {
        return RunOutcome::UnexpectedViolation;
    }
    let missing = expectation.caught_by.iter().filter(|id| !fired.contains(&id.as_str()));
    let undecided = |id: &String| {
        stopped || run.verdicts.iter().any(|judged| judged.id == *id && inconclusive(judged))
    };
    let missing: Vec<&String> = missing.collect();
    let is_pinned = run.verdicts.iter().all(|judged| judged.kind != PINS);
    match missing.iter().find(|id| !undecided(id)) {
        Some(_) => RunOutcome::ExpectedFailureMissing,
        None if missing.is_empty() && is_pinned => RunOutcome::FailedAsExpected,
        None => RunOutcome::Inconclusive,
    }
}

/// Whether the check fired.
#[must_use]
pub fn violated(judged: &Judged) -> bool {
    matches!(judged.verdict, Verdict::Violated(_))
}

fn inconclusive(judged: &Judged) -> bool {
    matches!(judged.verdict, Verdict::Inconclusive(_))
}

/// How a command ended. Where several things happened, the first in this order is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// The command or a file is wrong.
    Usage,
    /// The same seed gave two different runs.
    Nondeterminism,
    /// A violation that was not expected.
    Violation,
    /// A failure that was expected did not occur.
    Missing,
    /// A budget was spent, a check looked at nothing, or a fault or cover was vacuous.
    Inconclusive,
    /// Every expectation was met.
    Fine,
}

impl Exit {
    /// The exit status.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Violation => 1,
            Self::Usage => 2,
            Self::Inconclusive => 3,
            Self::Nondeterminism => 4,
            Self::Missing => 5,
        }
    }

    /// The graver of two.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// What one run means by itself.
    #[must_use]
    pub const fn of(outcome: RunOutcome) -> Self {
        match outcome {
            RunOutcome::Passed | RunOutcome::FailedAsExpected => Self::Fine,
            RunOutcome::UnexpectedViolation => Self::Violation,
            RunOutcome::ExpectedFailureMissing => Self::Missing,
            RunOutcome::Inconclusive => Self::Inconclusive,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_precedence_is_that_of_the_command_line() {
        let all = [
            Exit::Usage,
            Exit::Nondeterminism,
            Exit::Violation,
            Exit::Missing,
            Exit::Inconclusive,
            Exit::Fine,
        ];
        let codes: Vec<u8> = all.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes, [2, 4, 1, 5, 3, 0]);
        let gravest = all.into_iter().rev().reduce(Exit::and);
        assert_eq!(gravest, Some(Exit::Usage));
        assert_eq!(Exit::Fine.and(Exit::Inconclusive), Exit::Inconclusive);
    }
}
