//! JUnit XML, for the test pages of CI services: a suite per scenario, a case per check and run.
//!
//! What makes the command exit with an error is an error here too: an unexpected violation and an
//! expected failure that did not occur are failures, an inconclusive check is an error, a check
//! that was not reached or an unmet cover is skipped.

use crate::escape::markup;
use crate::record::{CheckRow, CoverRow, RunOutcome, RunRecord, Verdict};
use crate::sections::sentence;
use crate::units::instant;
use std::collections::BTreeMap;

/// The runs as one JUnit document; ends with a newline. Suites are in the order of their names,
/// runs in the order of seed and variant.
#[must_use]
pub fn render(runs: &[RunRecord]) -> String {
    let mut suites: BTreeMap<&str, Vec<&RunRecord>> = BTreeMap::new();
    for run in runs {
        suites.entry(&run.scenario).or_default().push(run);
    }
    let mut body = String::new();
    let mut all = Tally::default();
    for (scenario, mut runs) in suites {
        runs.sort_by_key(|run| (run.seed, &run.variant, &run.overrides));
        let (text, tally) = suite(scenario, &runs);
        body.push_str(&text);
        all.add(tally);
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"chaoslab\" {}>\n{body}\
         </testsuites>\n",
        all.attributes()
    )
}

/// Cases by how they ended.
#[derive(Clone, Copy, Default)]
struct Tally {
    tests: u64,
    failures: u64,
    errors: u64,
    skipped: u64,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.tests += other.tests;
        self.failures += other.failures;
        self.errors += other.errors;
        self.skipped += other.skipped;
    }

    fn attributes(self) -> String {
        format!(
            "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\"",
            self.tests, self.failures, self.errors, self.skipped
        )
    }
}

/// How a case ended.
enum Ending {
    Pass,
    Failure { kind: &'static str, message: String },
    Error { kind: &'static str, message: String },
    Skipped { message: String },
}

fn suite(scenario: &str, runs: &[&RunRecord]) -> (String, Tally) {
    let mut cases = String::new();
    let mut tally = Tally::default();
    for run in runs {
        for check in &run.checks {
            case(run, &check.id, judge(run, check), &mut cases, &mut tally);
        }
        for cover in &run.covers {
            let name = format!("cover {}", cover.id);
            case(run, &name, reached(cover), &mut cases, &mut tally);
        }
        if let Some(ending) = beyond_checks(run) {
            case(run, "outcome", ending, &mut cases, &mut tally);
        }
    }
    let head = format!("  <testsuite name=\"{}\" {}>\n", markup(scenario), tally.attributes());
    (format!("{head}{cases}  </testsuite>\n"), tally)
}

fn case(run: &RunRecord, name: &str, ending: Ending, out: &mut String, tally: &mut Tally) {
    let variant = run.variant.as_ref().map_or_else(String::new, |v| format!(", variant {v}"));
    let overrides = match run.overrides.as_slice() {
        [] => String::new(),
        some => format!(", {}", some.join(", ")),
    };
    let name = markup(&format!("{name} [seed {}{variant}{overrides}]", run.seed));
    let class = markup(&run.scenario);
    tally.tests += 1;
    let inner = match ending {
        Ending::Pass => {
            out.push_str(&format!("    <testcase classname=\"{class}\" name=\"{name}\"/>\n"));
            return;
        }
        Ending::Failure { kind, message } => {
            tally.failures += 1;
            element("failure", kind, &message, &run.replay)
        }
        Ending::Error { kind, message } => {
            tally.errors += 1;
            element("error", kind, &message, &run.replay)
        }
        Ending::Skipped { message } => {
            tally.skipped += 1;
            format!("<skipped message=\"{}\"/>", markup(&message))
        }
    };
    out.push_str(&format!(
        "    <testcase classname=\"{class}\" name=\"{name}\">\n      {inner}\n    </testcase>\n"
    ));
}

fn element(tag: &str, kind: &str, message: &str, replay: &str) -> String {
    let body = match replay {
        "" => String::new(),
        token => format!("replay: {}", markup(token)),
    };
    format!("<{tag} type=\"{kind}\" message=\"{}\">{body}</{tag}>", markup(message))
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
