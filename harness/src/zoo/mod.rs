//! The zoo: every planted flaw, and which check catches it in how many seeds. It measures the lab,
//! not the systems: a flaw that nothing catches is a hole in the lab, a clean run that is not silent
//! is a false alarm.
//!
//! [`Pair`] is a flaw in a scenario: a variant that plants it, or a scenario that should pass with
//! the flaw planted in it. [`Kill`] is what came of the seeds of a pair. [`table`] draws them, and
//! [`Recorded`] is what the repository keeps, so that a check can repeat one seed per flaw. [`needs`]
//! holds what a flaw's row says that it needs against what a recorded run shows.

pub mod needs;
pub mod table;

use crate::cli::files::Loaded;
use crate::stats::wilson_ppm;
use crate::sweep::{Head, Points, Results, Series};
use catalog::{Defect, System};
use contract::Duration;
use reports::record::RunOutcome;
use reports::{Digest, SeedResult};
use scenario::Lab;
use scenario::law::Law;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A flaw planted in a scenario.
pub struct Pair<'a> {
    /// The flaw.
    pub defect: &'static Defect,
    /// The scenario that it is planted in, with whatever plants it.
    pub series: Series<'a>,
    /// The scenario.
    file: &'a Loaded,
    /// Whether a variant plants it that says so.
    pub directed: bool,
}

impl Pair<'_> {
    /// The seed that the scenario names.
    #[must_use]
    pub fn own_seed(&self) -> Option<u64> {
        self.file.scenario.seed()
    }
}

/// Every flaw of every system of the files, with the scenarios that may show it: the variants that
/// plant exactly it, or, where there is none or with `cross`, every scenario that should pass.
#[must_use]
pub fn pairs<'a>(
    lab: &Lab<'_>,
    files: &'a [Loaded],
    seeds: (u64, u64),
    cross: bool,
) -> Vec<Pair<'a>> {
    let mut found = Vec::new();
    for system in lab.systems {
        let mine = |file: &&Loaded| {
            file.scenario.system() == Some(system.name()) && !file.scenario.is_minimal()
        };
        let files: Vec<&Loaded> = files.iter().filter(mine).collect();
        for defect in system.defects() {
            let directed = directed(defect, &files, seeds);
            let crossed = cross || directed.is_empty();
            found.extend(directed);
            if crossed {
                found.extend(crossed_with(lab, *system, defect, &files, seeds));
            }
        }
    }
    found
}

fn directed<'a>(defect: &'static Defect, files: &[&'a Loaded], seeds: (u64, u64)) -> Vec<Pair<'a>> {
    let mut found = Vec::new();
    for file in files {
        for variant in file.scenario.variants() {
            let expected = file.scenario.expectation(Some(variant)).is_some_and(|e| e.fail);
            if expected && file.scenario.defects(Some(variant)) == [defect.name] {
                let head = head(file, Some(variant), seeds);
                found.push(Pair { defect, series: series(file, head), file, directed: true });
            }
        }
    }
    found
}

/// A flaw without a variant of its own is planted in scenarios of this length at most.
const CROSSED_MAX: Duration = Duration::from_secs(120);

fn crossed_with<'a>(
    lab: &Lab<'_>,
    system: &'static dyn System,
    defect: &'static Defect,
    files: &[&'a Loaded],
    seeds: (u64, u64),
) -> Vec<Pair<'a>> {
    let passes = |file: &&&Loaded| {
        file.scenario.expectation(None).is_some_and(|expectation| !expectation.fail)
            && file.scenario.defects(None).is_empty()
            && file.scenario.system() == Some(system.name())
    };
    let mut found = Vec::new();
    for file in files.iter().filter(passes) {
        let mut head = head(file, None, seeds);
        head.sets.push(("defects".to_owned(), format!("[\"{}\"]", defect.name)));
        let series = series(file, head);
        // A scenario in which the flaw cannot be planted says nothing about it, and one of hours
        // is there for something else.
        let plan = series.plan(lab, seeds.0, seeds.0 % series.head.points);
        if plan.is_ok_and(|plan| plan.budget.sim_time <= CROSSED_MAX) {
            found.push(Pair { defect, series, file, directed: false });
        }
    }
    found
}

/// The scenarios that should pass, each with its seeds: what the flaws are measured against.
#[must_use]
pub fn clean(files: &[Loaded], seeds: (u64, u64)) -> Vec<Series<'_>> {
    let passes = |file: &&Loaded| {
        let expectation = file.scenario.expectation(None);
        !file.scenario.is_minimal()
            && file.scenario.defects(None).is_empty()
            && expectation.is_some_and(|expectation| !expectation.fail)
    };
    files.iter().filter(passes).map(|file| series(file, head(file, None, seeds))).collect()
}

fn head(file: &Loaded, variant: Option<&str>, seeds: (u64, u64)) -> Head {
    let head = Series::head(&file.scenario, &file.path, &file.source, variant, seeds);
    Head { at: Points::PerSeed, ..head }
}

fn series(file: &Loaded, head: Head) -> Series<'_> {
    Series::new(&file.scenario, &file.source, head, false)
}

/// What came of the seeds of a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kill {
    /// The flaw.
    pub defect: &'static str,
    /// The property that the flaw's row says must break.
    pub promised: &'static str,
    /// The scenario, with the variant.
    pub scenario: String,
    /// The scenario without: what the clean runs are of.
    pub base: String,
    /// Runs.
    pub runs: u64,
    /// Runs in which something fired that should not without the flaw.
    pub caught: u64,
    /// What fired in them, as properties, each once.
    pub fired: BTreeSet<String>,
    /// Events until the first that was caught, over all runs before it too.
    pub events: u64,
    /// What repeats the first that was caught.
    pub first: Option<Recorded>,
}

impl Kill {
    /// Counts the results of a pair, in the order of their seeds.
    #[must_use]
    pub fn count(pair: &Pair<'_>, results: &Results) -> Self {
        let head = &pair.series.head;
        let mut kill = Self {
            defect: pair.defect.name,
            promised: pair.defect.caught_by,
            scenario: head.name(),
            base: head.scenario.clone(),
            runs: 0,
            caught: 0,
            fired: BTreeSet::new(),
            events: 0,
            first: None,
        };
        for result in results.values() {
            kill.runs += 1;
            if kill.first.is_none() {
                kill.events += result.events;
            }
            if !is_caught(&head.law, result) {
                continue;
            }
            kill.caught += 1;
            let properties = result.causes.iter().map(|cause| {
                let named = pair.file.scenario.judged_by(&cause.check);
                named.unwrap_or_else(|| cause.check.clone())
            });
            kill.fired.extend(properties);
            kill.first.get_or_insert_with(|| Recorded::new(pair.defect.name, head, result));
        }
        kill
    }

    /// What came of scenarios of which none shows the flaw.
    #[must_use]
    pub fn none_of(kills: &[Self]) -> Self {
        let first = kills.first().expect("a flaw has a scenario");
        assert!(kills.iter().all(|kill| kill.caught == 0), "none of them shows it");
        let scenario = format!("any of {} scenarios", kills.len());
        let runs = kills.iter().map(|kill| kill.runs).sum();
        Self { scenario, base: String::new(), runs, ..first.clone() }
    }

    /// In how many of how many seeds of which scenario, for people.
    #[must_use]
    pub fn share(&self) -> String {
        format!("{} of {} seeds in {}", self.caught, self.runs, self.scenario)
    }

    /// How many seeds it took until it was caught; `None` where it was not.
    #[must_use]
    pub fn seeds_to_first(&self) -> Option<u64> {
        let first = self.first.as_ref().filter(|_| self.caught > 0)?;
        Some(first.seed + 1)
    }

    /// Whether what fired is what the flaw's row promises.
    #[must_use]
    pub fn keeps_promise(&self) -> bool {
        self.fired.contains(self.promised)
    }

    /// Between which shares of seeds it is caught, in parts per million, with 95 % confidence.
    #[must_use]
    pub fn interval_ppm(&self) -> (u32, u32) {
        wilson_ppm(self.caught, self.runs)
    }
}

/// Whether a flaw showed: a failure as expected, or a violation that should not be.
#[must_use]
pub fn is_caught(law: &Law, result: &SeedResult) -> bool {
    match law.fail {
        true => result.outcome == RunOutcome::FailedAsExpected,
        false => result.outcome == RunOutcome::UnexpectedViolation,
    }
}

/// Of several pairs of one flaw, the one that catches it in the largest share of its runs; of
/// equals, the first.
#[must_use]
pub fn best<'k>(kills: &[&'k Kill]) -> Option<&'k Kill> {
    let share =
        |kill: &Kill| u128::from(kill.caught) * 1_000_000_000 / u128::from(kill.runs.max(1));
    let most = kills.iter().map(|kill| share(kill)).max()?;
    kills.iter().copied().find(|kill| share(kill) == most)
}

/// A run that catches a flaw, as the repository keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// The flaw.
    pub defect: String,
    /// The scenario file.
    pub file: String,
    /// The variant.
    pub variant: Option<String>,
    /// What is changed by hand.
    pub sets: Vec<(String, String)>,
    /// The seed.
    pub seed: u64,
    /// The digest of the run when it was recorded; a change of the lab may change it.
    pub digest: Digest,
}

impl Recorded {
    /// The run of `result`.
    #[must_use]
    pub fn new(defect: &str, head: &Head, result: &SeedResult) -> Self {
        Self {
            defect: defect.to_owned(),
            file: head.file.clone(),
            variant: head.variant.clone(),
            sets: head.sets.clone(),
            seed: result.seed,
            digest: result.digest,
        }
    }

    /// The series of the one run.
    #[must_use]
    pub fn series<'a>(&self, file: &'a Loaded) -> Series<'a> {
        let mut head =
            head(file, self.variant.as_deref(), (self.seed, self.seed.saturating_add(1)));
        head.sets.clone_from(&self.sets);
        series(file, head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kill(runs: u64, caught: u64) -> Kill {
        Kill {
            defect: "d",
            promised: "p",
            scenario: format!("{caught} of {runs}"),
            base: String::new(),
            runs,
            caught,
            fired: BTreeSet::new(),
            events: 0,
            first: None,
        }
    }

    #[test]
    fn the_best_scenario_is_the_one_that_catches_most() {
        let kills = [kill(20, 3), kill(5, 5), kill(20, 20)];
        let all: Vec<&Kill> = kills.iter().collect();
        assert_eq!(best(&all).map(|kill| kill.scenario.as_str()), Some("5 of 5"));
        assert_eq!(best(&[]), None);
    }
}
