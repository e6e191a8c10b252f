//! Several runs of one scenario and variant, judged together: what must hold over all of them.

use crate::outcome::{Exit, outcome};
use crate::run::{Ended, Finished};
use crate::scenario::plan::Plan;
use contract::Ratio;
use reports::record::RunOutcome;
use std::collections::BTreeMap;

/// What several runs of one scenario and variant add up to.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// How many runs ended in which way.
    pub outcomes: BTreeMap<RunOutcome, u64>,
    /// For each fault that may not be omitted: whether it changed any run.
    faults: BTreeMap<String, bool>,
    /// For each cover: how many runs hit it often enough, and how many must.
    covers: BTreeMap<String, (u64, u64)>,
    /// Runs that no panic of a node cut short: only they could reach what the covers ask for.
    whole: u64,
    fail: bool,
    min_rate: Option<Ratio>,
}

impl Campaign {
    /// No run yet of a scenario like `plan`.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let must = |id: &&String| !plan.omittable.contains(id);
        Self {
            outcomes: BTreeMap::new(),
            faults: plan
                .faults
                .iter()
                .map(|fault| &fault.id)
                .filter(must)
                .map(|id| (id.clone(), false))
                .collect(),
            covers: plan
                .covers
                .iter()
                .map(|cover| (cover.id.clone(), (0, cover.min_runs)))
                .collect(),
            whole: 0,
            fail: plan.expectation.fail,
            min_rate: plan.expectation.min_rate,
        }
    }

    /// Adds a run; returns what became of its expectation.
    pub fn add(&mut self, run: &Finished) -> RunOutcome {
        for span in run.occurrences.iter().filter(|span| span.effects > 0) {
            if let Some(changed) = self.faults.get_mut(&run.plan.faults[span.fault].id) {
                *changed = true;
            }
        }
        for (cover, hits) in run.plan.covers.iter().zip(&run.covers) {
            if let Some((met, _)) = self.covers.get_mut(&cover.id) {
                *met += u64::from(*hits >= cover.min);
            }
        }
        self.whole += u64::from(run.ended != Ended::Panicked);
        let outcome = outcome(run);
        *self.outcomes.entry(outcome).or_default() += 1;
        outcome
    }

    /// How many runs there were.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.outcomes.values().sum()
    }

    fn count(&self, outcome: RunOutcome) -> u64 {
        self.outcomes.get(&outcome).copied().unwrap_or(0)
    }

    /// Faults that changed no run, and covers that too few runs reached, as sentences.
    #[must_use]
    pub fn vacuous(&self) -> Vec<String> {
        let faults = self.faults.iter().filter(|(_, changed)| !**changed);
        let faults = faults.map(|(id, _)| format!("fault `{id}` changed nothing in any run"));
        let could = self.whole > 0;
        let covers = self.covers.iter().filter(|(_, (met, must))| could && met < must);
        let covers = covers.map(|(id, (met, must))| {
            format!("cover `{id}` was reached in {met} of {} runs, and needs {must}", self.runs())
        });
        faults.chain(covers).collect()
    }

    /// Whether enough seeds of an expected failure failed as expected.
    #[must_use]
    pub fn rate_met(&self) -> bool {
        let caught = self.count(RunOutcome::FailedAsExpected);
        match self.min_rate {
            Some(rate) => {
                caught * u64::from(rate.denominator) >= self.runs() * u64::from(rate.numerator)
            }
            None => caught >= 1,
        }
    }

    /// The exit status that all runs together deserve.
    #[must_use]
    pub fn exit(&self) -> Exit {
        let mut exit = Exit::Fine;
        if self.count(RunOutcome::UnexpectedViolation) > 0 {
            exit = exit.and(Exit::Violation);
        }
        if self.fail && !self.rate_met() && self.count(RunOutcome::ExpectedFailureMissing) > 0 {
            exit = exit.and(Exit::Missing);
        }
        if self.count(RunOutcome::Inconclusive) > 0 || !self.vacuous().is_empty() {
            exit = exit.and(Exit::Inconclusive);
        }
        exit
    }
}
