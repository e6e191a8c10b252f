//! Many runs in one table: what `run --seeds` and `sweep` print.
//!
//! Start at [`SeedTable`]. It keeps a few numbers per scenario and cause, not the runs, and does
//! not depend on the order in which they came.

use crate::canvas::{Canvas, Cell, Table, Tone, figures, words};
use crate::digest::Digest;
use crate::record::{Evidence, RunOutcome, RunRecord};
use crate::units::{count, plural};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The property under which a panic of a node is reported.
const NO_PANIC: &str = "no-panic";

/// What a sweep keeps of one run; a line of its log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SeedResult {
    /// The scenario's name.
    pub scenario: String,
    /// The variant, where it is not the base.
    pub variant: Option<String>,
    /// The seed.
    pub seed: u64,
    /// The point of the matrix.
    pub point: u64,
    /// The values of the point, path and value, where it is not the one that the seed selects.
    pub sets: Vec<(String, String)>,
    /// The token that repeats it.
    pub token: String,
    /// The digest of everything that happened: equal in every run of the seed.
    pub digest: Digest,
    /// What became of the expectation.
    pub outcome: RunOutcome,
    /// The checks that fired, each with the rule that was broken first.
    pub causes: Vec<Cause>,
    /// Covers that the run reached often enough.
    pub covers_met: Vec<String>,
    /// Covers that it did not.
    pub covers_unmet: Vec<String>,
    /// Faults that changed nothing.
    pub vacuous: Vec<String>,
    /// Faults that changed something.
    pub effective: Vec<String>,
    /// Whether a panic of a node cut the run short.
    pub panicked: bool,
    /// Events of the engine.
    pub events: u64,
}

/// A check, the rule of it that was broken, and the kinds of nodes that broke it: the same in every
/// run that fails the same way.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Cause {
    /// The id of the check.
    pub check: String,
    /// The rule.
    pub rule: String,
    /// The roles of the nodes involved, each once, in order: `cache, client`; empty for none.
    pub nodes: String,
}

impl Cause {
    /// What `seen`, the evidence of a check of `run`, shows.
    #[must_use]
    pub fn of(run: &RunRecord, check: &str, seen: &Evidence) -> Self {
        let involved = run.nodes.iter().filter(|node| seen.nodes.contains(&node.id));
        let roles: BTreeSet<&str> = involved.map(|node| node.role.as_str()).collect();
        let roles: Vec<&str> = roles.into_iter().collect();
        Self { check: check.to_owned(), rule: seen.rule.clone(), nodes: roles.join(", ") }
    }

    /// All that `run` shows, each once, in order.
    #[must_use]
    pub fn all(run: &RunRecord) -> BTreeSet<Self> {
        let seen = run.violated().flat_map(|check| check.evidence.iter().map(move |e| (check, e)));
        seen.map(|(check, seen)| Self::of(run, &check.id, seen)).collect()
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.check)?;
        if !self.rule.is_empty() {
            write!(f, ": {}", self.rule)?;
        }
        if self.nodes.is_empty() { Ok(()) } else { write!(f, " [{}]", self.nodes) }
    }
}

impl From<&RunRecord> for SeedResult {
    fn from(run: &RunRecord) -> Self {
        let cause = |check: &crate::record::CheckRow| match check.evidence.first() {
            Some(seen) => Cause::of(run, &check.id, seen),
            None => Cause { check: check.id.clone(), ..Cause::default() },
        };
        let covers = |met| {
            let wanted = run.covers.iter().filter(move |cover| cover.met == met);
            wanted.map(|cover| cover.id.clone()).collect()
        };
        let ids = |vacuous| -> BTreeSet<String> {
            let wanted = run.faults.iter().filter(|fault| fault.vacuous == vacuous);
            wanted.map(|fault| fault.id.clone()).collect()
        };
        Self {
            scenario: run.scenario.clone(),
            variant: run.variant.clone(),
            seed: run.seed,
            point: 0,
            sets: Vec::new(),
            token: run.replay.clone(),
            digest: run.digest,
            outcome: run.outcome,
            causes: run.violated().map(cause).collect(),
            covers_met: covers(true),
            covers_unmet: covers(false),
            vacuous: ids(true).difference(&ids(false)).cloned().collect(),
            effective: ids(false).into_iter().collect(),
            panicked: run.violated().any(|check| check.id == NO_PANIC),
            events: run.events,
        }
    }
}

/// So many failing seeds are named per cause.
pub const SEEDS_NAMED_MAX: usize = 5;

/// Runs by scenario and variant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeedTable {
    rows: BTreeMap<(String, Option<String>), SeedRow>,
    /// Runs that broke nothing unexpected but what is known.
    known: u64,
}

/// The runs of one scenario and variant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeedRow {
    /// Runs in all.
    pub runs: u64,
    /// Runs by outcome.
    pub outcomes: BTreeMap<RunOutcome, u64>,
    /// Runs that ended other than expected, with the least seeds of them.
    pub unexpected: Seeds,
    /// Runs by what fired in them; expected causes too.
    pub causes: BTreeMap<Cause, Seeds>,
    /// In how many runs each cover was met.
    pub covers: BTreeMap<String, u64>,
    /// In how many runs each fault changed nothing; only faults that were vacuous at least once.
    pub vacuous: BTreeMap<String, u64>,
    /// Events of all runs.
    pub events: u64,
}

/// How many runs, and the least of their seeds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seeds {
    /// How many runs.
    pub count: u64,
    /// What is known about them; `None` for what is new.
    pub known: Option<String>,
    /// The least, each once, at most [`SEEDS_NAMED_MAX`], in order.
    pub least: Vec<u64>,
    /// Whether there are others.
    more: bool,
}

impl Seeds {
    fn add(&mut self, seed: u64) {
        self.count += 1;
        let at = self.least.partition_point(|&other| other < seed);
        if self.least.get(at) == Some(&seed) {
            return;
        }
        self.least.insert(at, seed);
        self.more |= self.least.len() > SEEDS_NAMED_MAX;
        self.least.truncate(SEEDS_NAMED_MAX);
    }

    fn named(&self) -> String {
        let names: Vec<String> = self.least.iter().map(u64::to_string).collect();
        let dots = if self.more { ", …" } else { "" };
        names.join(", ") + dots
    }
}

impl SeedTable {
    /// A table without runs.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts a run.
    pub fn add(&mut self, result: &SeedResult) {
        let key = (result.scenario.clone(), result.variant.clone());
        let row = self.rows.entry(key).or_default();
        row.runs += 1;
        row.events += result.events;
        *row.outcomes.entry(result.outcome).or_default() += 1;
        if !result.outcome.as_expected() {
            row.unexpected.add(result.seed);
        }
        for cause in &result.causes {
            row.causes.entry(cause.clone()).or_default().add(result.seed);
        }
        for cover in &result.covers_met {
            *row.covers.entry(cover.clone()).or_default() += 1;
        }
        for cover in &result.covers_unmet {
            row.covers.entry(cover.clone()).or_default();
        }
        for fault in &result.vacuous {
            *row.vacuous.entry(fault.clone()).or_default() += 1;
        }
    }

    /// Marks the causes that `known` knows something about: of a scenario and variant.
    pub fn mark_known(&mut self, known: impl Fn(&str, Option<&str>, &Cause) -> Option<String>) {
        for ((scenario, variant), row) in &mut self.rows {
            for (cause, seeds) in &mut row.causes {
                seeds.known = known(scenario, variant.as_deref(), cause);
            }
        }
    }

    /// Says how many runs broke nothing unexpected but what is known.
    pub fn set_known(&mut self, runs: u64) {
        self.known = runs;
    }

    /// The rows, by scenario and variant.
    pub fn rows(&self) -> impl Iterator<Item = (&str, Option<&str>, &SeedRow)> {
        self.rows
            .iter()
            .map(|((scenario, variant), row)| (scenario.as_str(), variant.as_deref(), row))
    }

    /// Draws the summary: one sentence, the scenarios, the causes, and what was never reached.
    pub fn render(&self, canvas: &mut dyn Canvas) {
        let (tone, sentence) = self.sentence();
        canvas.banner(tone, &sentence);
        if self.rows.is_empty() {
            return;
        }
        canvas.table(&self.scenarios().without_empty_columns());
        let causes = self.causes();
        if !causes.rows().is_empty() {
            canvas.heading("What fired");
            canvas.table(&causes.without_empty_columns());
        }
        let idle = self.never_reached();
        if !idle.is_empty() {
            canvas.heading("Vacuous over all runs");
            canvas.list(&idle);
        }
    }

    /// Draws as much of it as fits a screen: the sentence over all runs, and the rest of those
    /// scenarios alone in which a run did not end as expected.
    pub fn render_odd(&self, canvas: &mut dyn Canvas) {
        let (tone, sentence) = self.sentence();
        canvas.banner(tone, &sentence);
        let rows = self.rows.iter().filter(|(_, row)| row.unexpected.count > 0);
        let odd =
            Self { rows: rows.map(|(key, row)| (key.clone(), row.clone())).collect(), known: 0 };
        if !odd.rows.is_empty() {
            canvas.table(&odd.scenarios().without_empty_columns());
            let causes = odd.causes();
            if !causes.rows().is_empty() {
                canvas.heading("What fired");
                canvas.table(&causes.without_empty_columns());
            }
        }
        let idle = self.never_reached();
        if !idle.is_empty() {
            canvas.heading("Vacuous over all runs");
            canvas.list(&idle);
        }
    }

    /// All runs in one sentence.
    fn sentence(&self) -> (Tone, String) {
        let of = |outcome| -> u64 {
            self.rows.values().filter_map(|row| row.outcomes.get(&outcome)).sum()
        };
        let runs: u64 = self.rows.values().map(|row| row.runs).sum();
        if runs == 0 {
            return (Tone::Warn, "No seed was run.".to_owned());
        }
        let runs = plural(runs, "run", "runs");
        let bad = of(RunOutcome::UnexpectedViolation);
        let missing = of(RunOutcome::ExpectedFailureMissing);
        let open = of(RunOutcome::Inconclusive);
        let mut parts = Vec::new();
        for (n, what) in [
            (bad, "with an unexpected violation"),
            (missing, "without the expected failure"),
            (open, "inconclusive"),
        ] {
            if n > 0 {
                parts.push(format!("{} {what}", count(n)));
            }
        }
        if self.known > 0 {
            parts.insert(
                1,
                format!("{} of them with nothing but known failures", count(self.known)),
            );
        }
        match (bad + missing - self.known, open + self.known) {
            (0, 0) => (Tone::Good, format!("{runs}, all as expected.")),
            (0, _) => (Tone::Warn, format!("{runs}: {}.", parts.join(", "))),
            _ => (Tone::Bad, format!("{runs}: {}.", parts.join(", "))),
        }
    }

    fn scenarios(&self) -> Table {
        let mut table = Table::new(vec![
            words("scenario"),
            words("variant"),
            figures("runs"),
            figures("as expected"),
            figures("failed"),
            figures("inconclusive"),
            words("unexpected in seeds"),
            figures("events"),
        ]);
        for (scenario, variant, row) in self.rows() {
            let of = |outcome| row.outcomes.get(&outcome).copied().unwrap_or(0);
            let good = of(RunOutcome::Passed) + of(RunOutcome::FailedAsExpected);
            let open = of(RunOutcome::Inconclusive);
            let failed = row.runs - good - open;
            let shown = |n: u64, tone| Cell::new(if n > 0 { tone } else { Tone::Faint }, count(n));
            table.push(vec![
                Cell::from(scenario),
                Cell::from(variant.unwrap_or_default()),
                Cell::from(count(row.runs)),
                shown(good, Tone::Good),
                shown(failed, Tone::Bad),
                shown(open, Tone::Warn),
                Cell::from(row.unexpected.named()),
                Cell::from(count(row.events)),
            ]);
        }
        table
    }

    fn causes(&self) -> Table {
        let mut table = Table::new(vec![
            words("scenario"),
            words("check"),
            words("rule"),
            words("nodes"),
            words("known"),
            figures("runs"),
            words("first seeds"),
        ]);
        for (scenario, variant, row) in self.rows() {
            let mut causes: Vec<(&Cause, &Seeds)> = row.causes.iter().collect();
            causes.sort_by_key(|(cause, seeds)| (std::cmp::Reverse(seeds.count), *cause));
            for (cause, seeds) in causes {
                let name =
                    variant.map_or_else(|| scenario.to_owned(), |v| format!("{scenario} ({v})"));
                table.push(vec![
                    Cell::from(name),
                    Cell::from(&cause.check),
                    Cell::from(&cause.rule),
                    Cell::from(&cause.nodes),
                    Cell::from(seeds.known.clone().unwrap_or_default()),
                    Cell::from(count(seeds.count)),
                    Cell::from(seeds.named()),
                ]);
            }
        }
        table
    }

    /// Covers that no run met and faults that were vacuous in every run.
    fn never_reached(&self) -> Vec<Cell> {
        let mut idle = Vec::new();
        for (scenario, _, row) in self.rows() {
            for (cover, _) in row.covers.iter().filter(|(_, met)| **met == 0) {
                let text = format!("{scenario}: the cover {cover} was met in no run.");
                idle.push(Cell::new(Tone::Warn, text));
            }
            for (fault, _) in row.vacuous.iter().filter(|(_, runs)| **runs == row.runs) {
                let text = format!("{scenario}: the fault {fault} changed nothing in any run.");
                idle.push(Cell::new(Tone::Warn, text));
            }
        }
        idle
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markdown::Markdown;
    use crate::testkit::{check_snapshot, clean_run, split_brain};
    use crate::text::{Text, TextOptions};

    fn results() -> Vec<SeedResult> {
        let mut results = Vec::new();
        for seed in 0..40 {
            let mut run = if seed % 5 == 3 { split_brain() } else { clean_run() };
            run.scenario = "hyperion/split-brain-1500ms".into();
            run.variant = None;
            run.seed = seed;
            results.push(SeedResult::from(&run));
        }
        let mut open = SeedResult::from(&clean_run());
        open.outcome = RunOutcome::Inconclusive;
        open.vacuous = vec!["slow-disk".into()];
        results.push(open);
        results
    }

    #[test]
    fn the_order_of_runs_is_no_matter() {
        let mut forth = SeedTable::new();
        results().iter().for_each(|result| forth.add(result));
        let mut back = SeedTable::new();
        results().iter().rev().for_each(|result| back.add(result));
        assert_eq!(forth, back);
    }

    #[test]
    fn a_summary_for_the_terminal_and_for_a_pull_request() {
        let mut table = SeedTable::new();
        results().iter().for_each(|result| table.add(result));
        let mut text = Text::new(TextOptions::default());
        table.render(&mut text);
        check_snapshot("seeds.txt", &text.finish());
        let mut markdown = Markdown::new();
        table.render(&mut markdown);
        check_snapshot("seeds.md", &markdown.finish());
    }

    #[test]
    fn no_run_is_no_success() {
        assert_eq!(SeedTable::new().sentence().0, Tone::Warn);
    }

    #[test]
    fn a_line_of_the_log_round_trips() {
        for result in results() {
            let line = serde_json::to_string(&result).unwrap();
            assert_eq!(serde_json::from_str::<SeedResult>(&line).unwrap(), result);
        }
    }
}
