//! The verdict of the run: one sentence that a tired person understands, and what to know with it.

use super::Section;
use crate::canvas::{Canvas, Cell, Tone};
use crate::record::{CheckRow, RunOutcome, RunRecord, Verdict};
use crate::units::{instant, plural};
use std::collections::BTreeSet;

/// The verdict in one sentence, what the run was, and what limits its worth.
pub struct VerdictLine;

impl Section for VerdictLine {
    fn title(&self) -> &'static str {
        ""
    }

    fn applies(&self, _: &RunRecord) -> bool {
        true
    }

    fn render(&self, run: &RunRecord, canvas: &mut dyn Canvas) {
        canvas.banner(tone(run.outcome), &sentence(run));
        if let Some(cause) = &run.cause {
            canvas.say(Tone::Plain, &format!("Cause: {cause}"));
        }
        canvas.say(Tone::Plain, &what_ran(run));
        if !run.about.is_empty() {
            canvas.say(Tone::Faint, &run.about);
        }
        let caveats = caveats(run);
        if !caveats.is_empty() {
            canvas.list(&caveats);
        }
    }
}

/// The tone of an outcome.
#[must_use]
pub const fn tone(outcome: RunOutcome) -> Tone {
    match outcome {
        RunOutcome::Passed | RunOutcome::FailedAsExpected => Tone::Good,
        RunOutcome::UnexpectedViolation | RunOutcome::ExpectedFailureMissing => Tone::Bad,
        RunOutcome::Inconclusive => Tone::Warn,
    }
}

/// What became of the run, in one sentence.
#[must_use]
pub fn sentence(run: &RunRecord) -> String {
    match run.outcome {
        // One run alone that reaches too little ends as inconclusive: it did not pass.
        RunOutcome::Passed if !gaps(run).is_empty() => {
            let held = match run.checks.len() {
                0 => "There was no check".to_owned(),
                1 => "Its one check holds".to_owned(),
                n => format!("All {n} checks hold"),
            };
            format!("{held}, but {}.", gaps(run).join("; "))
        }
        RunOutcome::Passed => match run.checks.len() {
            0 => "Passed, but the run had no check.".to_owned(),
            1 => "Passed: its one check holds.".to_owned(),
            n => format!("Passed: all {n} checks hold."),
        },
        RunOutcome::FailedAsExpected => format!("Failed as expected: {}.", alarm(run, |_| true)),
        RunOutcome::UnexpectedViolation => {
            let expected = |check: &CheckRow| {
                let lists = [&run.expectation.caught_by, &run.expectation.may_fail];
                run.expectation.fail && lists.iter().any(|list| list.contains(&check.id))
            };
            format!("Violated: {}.", alarm(run, |check| !expected(check)))
        }
        RunOutcome::ExpectedFailureMissing => {
            let quiet = run.expectation.caught_by.iter().filter(|id| {
                let fired = |check: &CheckRow| check.id == **id;
                !run.violated().any(fired)
            });
            let quiet: Vec<&str> = quiet.map(String::as_str).collect();
            match quiet.as_slice() {
                [] => "The expected failure did not occur.".to_owned(),
                ids => format!("The expected failure did not occur: {} did not fire.", and(ids)),
            }
        }
        RunOutcome::Inconclusive => format!("Inconclusive: {}.", open_question(run)),
    }
}

/// The earliest alarm among the checks that `counts` selects, and how many more there are. When
/// none is selected, any alarm: a record may name its checks otherwise than its expectation.
fn alarm(run: &RunRecord, counts: impl Fn(&CheckRow) -> bool) -> String {
    let mut fired: Vec<&CheckRow> = run.violated().filter(|check| counts(check)).collect();
    if fired.is_empty() {
        fired = run.violated().collect();
    }
    let first_at = |check: &CheckRow| check.evidence.first().map_or(u64::MAX, |seen| seen.at_ns);
    let Some(first) = fired.iter().min_by_key(|check| first_at(check)) else {
        return "a check fired that the record does not name".to_owned();
    };
    let mut text = match first.evidence.first() {
        Some(seen) => format!("{} fired at {}: {}", first.id, instant(seen.at_ns), seen.rule),
        None => format!("{} fired", first.id),
    };
    if fired.len() > 1 {
        let more = fired.len() as u64 - 1;
        text.push_str(&format!(" (and {})", plural(more, "more check", "more checks")));
    }
    text
}

/// Why nothing can be said.
fn open_question(run: &RunRecord) -> String {
    let open =
        |check: &&CheckRow| matches!(check.verdict, Verdict::Inconclusive | Verdict::NotReached);
    if let Some(check) = run.checks.iter().find(open) {
        return match check.reason.as_str() {
            "" => format!("{} is {}", check.id, check.verdict.name()),
            reason => format!("{} is {}: {}", check.id, check.verdict.name(), bare(reason)),
        };
    }
    let effective = effective(run);
    if let Some(fault) = run.faults.iter().find(|fault| !effective.contains(fault.id.as_str())) {
        return format!("the fault {} changed nothing", fault.id);
    }
    if let Some(cover) = run.covers.iter().find(|cover| !cover.met) {
        return format!("the cover {} was not reached", cover.id);
    }
    match run.ended.as_str() {
        "" => "the run ended before anything could be judged".to_owned(),
        ended => format!("the run ended because {}", bare(ended)),
    }
}

/// The faults that changed something, one of the times that they were on.
fn effective(run: &RunRecord) -> BTreeSet<&str> {
    run.faults.iter().filter(|fault| !fault.vacuous).map(|fault| fault.id.as_str()).collect()
}

/// What a run had to reach and did not: faults that changed nothing, covers that were not met.
fn gaps(run: &RunRecord) -> Vec<String> {
    let mut gaps: Vec<String> = Vec::new();
    let effective = effective(run);
    for fault in run.faults.iter().filter(|fault| !effective.contains(fault.id.as_str())) {
        let gap = format!("the fault {} changed nothing", fault.id);
        if !gaps.contains(&gap) {
            gaps.push(gap);
        }
    }
    let covers = run.covers.iter().filter(|cover| !cover.met);
    gaps.extend(covers.map(|cover| format!("the cover {} was not met", cover.id)));
    gaps
}

/// A sentence without its full stop, to stand inside another.
fn bare(text: &str) -> &str {
    text.trim_end_matches('.')
}

fn what_ran(run: &RunRecord) -> String {
    let variant = run.variant.as_ref().map_or_else(String::new, |name| format!(", variant {name}"));
    let overrides = match run.overrides.as_slice() {
        [] => String::new(),
        some => format!(", with {}", some.join(", ")),
    };
    let ended = match run.ended.as_str() {
        "" => String::new(),
        why => format!(" The run ended because {}.", bare(why)),
    };
    format!(
        "{}{variant}, seed {}{overrides}: {} of simulated time, {}.{ended}",
        if run.scenario.is_empty() { "a scenario without a name" } else { &run.scenario },
        run.seed,
        crate::units::duration(run.end_ns),
        plural(run.events, "event", "events"),
    )
}

/// What makes the verdict worth less than it looks.
fn caveats(run: &RunRecord) -> Vec<Cell> {
    let mut seen = effective(run);
    let mut cells = Vec::new();
    for fault in &run.faults {
        if !seen.insert(&fault.id) {
            continue;
        }
        let text = match fault.start_ns {
            Some(_) => {
                format!("The fault {} was vacuous: without it the run is the same.", fault.id)
            }
            None => format!("The fault {} never started.", fault.id),
        };
        cells.push(Cell::new(Tone::Warn, text));
    }
    for cover in run.covers.iter().filter(|cover| !cover.met) {
        let text = format!(
            "The cover {} was not met: seen {}, needed {}.",
            cover.id, cover.hits, cover.min
        );
        cells.push(Cell::new(Tone::Warn, text));
    }
    cells.extend(run.notes.iter().map(Cell::from));
    cells
}

/// `a`, `a and b`, `a, b and c`.
fn and(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{CoverRow, Evidence, Expectation};

    fn check(id: &str, at_ns: u64) -> CheckRow {
        CheckRow {
            id: id.into(),
            verdict: Verdict::Violated,
            evidence: vec![Evidence {
                at_ns,
                rule: "two leaders in one term".into(),
                ..Evidence::default()
            }],
            ..CheckRow::default()
        }
    }

    fn run(outcome: RunOutcome, checks: Vec<CheckRow>) -> RunRecord {
        RunRecord {
            outcome,
            checks,
            expectation: Expectation {
                fail: true,
                caught_by: vec!["lin".into(), "leader".into()],
                may_fail: vec![],
            },
            ..RunRecord::default()
        }
    }

    #[test]
    fn sentences() {
        let two = || vec![check("lin", 2_000_000_000), check("other", 3_000_000_000)];
        let open = CheckRow {
            id: "lin".into(),
            verdict: Verdict::Inconclusive,
            reason: "the search budget was spent.".into(),
            ..CheckRow::default()
        };
        let expect = [
            (run(RunOutcome::Passed, vec![]), "Passed, but the run had no check."),
            (
                RunRecord {
                    covers: vec![CoverRow { id: "deep".into(), ..CoverRow::default() }],
                    ..run(RunOutcome::Passed, vec![open.clone()])
                },
                "Its one check holds, but the cover deep was not met.",
            ),
            (
                run(RunOutcome::FailedAsExpected, two()),
                "Failed as expected: lin fired at 2.000 s: two leaders in one term \
                 (and 1 more check).",
            ),
            (
                run(RunOutcome::UnexpectedViolation, two()),
                "Violated: other fired at 3.000 s: two leaders in one term.",
            ),
            (
                run(RunOutcome::ExpectedFailureMissing, vec![check("lin", 1)]),
                "The expected failure did not occur: leader did not fire.",
            ),
            (
                run(RunOutcome::Inconclusive, vec![open]),
                "Inconclusive: lin is inconclusive: the search budget was spent.",
            ),
        ];
        for (run, text) in expect {
            assert_eq!(sentence(&run), text);
        }
    }

    #[test]
    fn a_list_in_words() {
        assert_eq!(and(&["a", "b", "c"]), "a, b and c");
    }
}
