//! JUnit XML, for the test pages of CI services: a suite per scenario, a case per check and run.
//!
//! What makes the command exit with an error is an error here too: an unexpected violation and an
//! expected failure that did not occur are failures, an inconclusive check is an error, a check
//! that was not reached or an unmet cover is skipped.

use crate::record::{CheckRow, CoverRow, RunOutcome, RunRecord, Verdict};
use crate::sections::sentence;
use crate::units::instant;
use std::collections::BTreeMap;

mod document;

pub use document::{Case, Document, Ending};

/// The runs as one JUnit document; ends with a newline. Suites are in the order of their names,
/// runs in the order of seed and variant.
#[must_use]
pub fn render(runs: &[RunRecord]) -> String {
    let mut suites: BTreeMap<&str, Vec<&RunRecord>> = BTreeMap::new();
    for run in runs {
        suites.entry(&run.scenario).or_default().push(run);
    }
    let mut document = Document::new("chaoslab");
    for (scenario, mut runs) in suites {
        runs.sort_by_key(|run| (run.seed, &run.variant, &run.overrides));
        document.suite(scenario, &runs.into_iter().flat_map(cases).collect::<Vec<Case>>());
    }
    document.finish()
}

/// The cases of one run: its checks, its covers, and what is beyond both.
fn cases(run: &RunRecord) -> Vec<Case> {
    let checks = run.checks.iter().map(|check| (check.id.clone(), judge(run, check)));
    let covers = run.covers.iter().map(|cover| (format!("cover {}", cover.id), reached(cover)));
    let beyond = beyond_checks(run).map(|ending| ("outcome".to_owned(), ending));
    checks.chain(covers).chain(beyond).map(|(name, ending)| case(run, &name, ending)).collect()
}

fn case(run: &RunRecord, name: &str, ending: Ending) -> Case {
    let variant = run.variant.as_ref().map_or_else(String::new, |v| format!(", variant {v}"));
    let overrides = match run.overrides.as_slice() {
        [] => String::new(),
        some => format!(", {}", some.join(", ")),
    };
    let details = match run.replay.as_str() {
        "" => String::new(),
        token => format!("replay: {token}"),
    };
    Case { name: format!("{name} [seed {}{variant}{overrides}]", run.seed), ending, details }
}

fn judge(run: &RunRecord, check: &CheckRow) -> Ending {
    let expected = &run.expectation;
    let wanted = expected.fail && expected.caught_by.contains(&check.id);
    let allowed = expected.fail && expected.may_fail.contains(&check.id);
    match check.verdict {
        Verdict::Violated if wanted || allowed => Ending::Pass,
        Verdict::Violated => Ending::Failure { kind: "violation", message: first_violation(check) },
        Verdict::Ok if wanted => Ending::Failure {
            kind: "expected-failure-missing",
            message: "should have fired, and did not".to_owned(),
        },
        Verdict::Ok => Ending::Pass,
        Verdict::Inconclusive => {
            Ending::Error { kind: "inconclusive", message: check.reason.clone() }
        }
        Verdict::NotReached => {
            Ending::Skipped { message: format!("not reached: {}", check.reason) }
        }
    }
}

fn first_violation(check: &CheckRow) -> String {
    match check.evidence.first() {
        Some(seen) => format!("{} at {}: {}", seen.rule, instant(seen.at_ns), seen.detail),
        None => "violated".to_owned(),
    }
}

/// A single run need not reach a cover; whether all runs of the command did is for the summary.
fn reached(cover: &CoverRow) -> Ending {
    match cover.met {
        true => Ending::Pass,
        false => Ending::Skipped {
            message: format!("not met: seen {}, needed {}", cover.hits, cover.min),
        },
    }
}

/// A case of its own for a run that did not end as expected although every check did: it was cut
/// short, or a check that had to fire is not in the record.
fn beyond_checks(run: &RunRecord) -> Option<Ending> {
    let told = |check: &CheckRow| {
        matches!(judge(run, check), Ending::Failure { .. } | Ending::Error { .. })
    };
    if run.outcome.as_expected() || run.checks.iter().any(told) {
        return None;
    }
    let message = sentence(run);
    Some(match run.outcome {
        RunOutcome::Inconclusive => Ending::Error { kind: "inconclusive", message },
        _ => Ending::Failure { kind: "outcome", message },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{check_snapshot, clean_run, hostile, split_brain, well_formed};

    #[test]
    fn a_failed_and_a_clean_run() {
        let runs = [split_brain(), clean_run()];
        let text = render(&runs);
        well_formed(&text);
        check_snapshot("two-runs.junit.xml", &text);
        assert_eq!(text, render(&[clean_run(), split_brain()]), "the order of runs is no matter");
    }

    #[test]
    fn hostile_names_stay_in_their_attributes() {
        let text = render(&[hostile()]);
        well_formed(&text);
        assert!(!text.contains("<script"));
    }

    #[test]
    fn an_expected_violation_passes_and_a_missing_one_fails() {
        let mut run = split_brain();
        run.expectation.fail = true;
        run.expectation.caught_by = run.violated().map(|check| check.id.clone()).collect();
        run.outcome = RunOutcome::FailedAsExpected;
        assert!(!render(std::slice::from_ref(&run)).contains("<failure"));
        for check in &mut run.checks {
            check.verdict = Verdict::Ok;
        }
        run.outcome = RunOutcome::ExpectedFailureMissing;
        assert!(render(&[run]).contains("expected-failure-missing"));
    }

    #[test]
    fn a_run_without_checks_cannot_pass_unseen() {
        assert!(render(&[RunRecord::default()]).contains("errors=\"1\""));
    }
}
