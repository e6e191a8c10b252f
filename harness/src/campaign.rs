//! Several runs of one scenario and variant, judged together: what must hold over all of them.

use crate::known_failures::Known;
use crate::outcome::Exit;
use contract::Ratio;
use reports::SeedResult;
use reports::record::RunOutcome;
use reports::seeds::Cause;
use scenario::law::Law;
use std::collections::BTreeMap;

/// What several runs of one scenario and variant add up to.
#[derive(Clone, Debug)]
pub struct Campaign {
    law: Law,
    /// How many runs ended in which way. A violation that is known counts here too.
    pub outcomes: BTreeMap<RunOutcome, u64>,
    /// How many runs broke nothing unexpected but what is known.
    pub known: u64,
    /// For each fault that may not be omitted: whether it changed any run.
    faults: BTreeMap<String, bool>,
    /// For each cover: how many runs hit it often enough.
    covers: BTreeMap<String, u64>,
    /// Runs that no panic of a node cut short: only they could reach what the covers ask for.
    whole: u64,
    /// Seeds with a run, and those of them with a run that broke something unexpected.
    seeds: SeedSet,
    unclean: SeedSet,
}

impl Campaign {
    /// No run yet.
    #[must_use]
    pub fn new(law: Law) -> Self {
        let covers = law.covers.keys().map(|id| (id.clone(), 0)).collect();
        Self {
            law,
            outcomes: BTreeMap::new(),
            known: 0,
            faults: BTreeMap::new(),
            covers,
            whole: 0,
            seeds: SeedSet::default(),
            unclean: SeedSet::default(),
        }
    }

    /// Adds a run. What `known` lists is no news.
    pub fn add(&mut self, run: &SeedResult, known: &Known) {
        for (faults, changed) in [(&run.vacuous, false), (&run.effective, true)] {
            for fault in faults.iter().filter(|id| !self.law.omittable.contains(*id)) {
                *self.faults.entry(fault.clone()).or_default() |= changed;
            }
        }
        for cover in &run.covers_met {
            if let Some(met) = self.covers.get_mut(cover) {
                *met += 1;
            }
        }
        self.whole += u64::from(!run.panicked);
        *self.outcomes.entry(run.outcome).or_default() += 1;
        self.seeds.insert(run.seed);
        if run.outcome == RunOutcome::UnexpectedViolation {
            let mut news = run.causes.iter().filter(|cause| self.law.unexpected(&cause.check));
            let is_known = |cause: &Cause| known.find(run, cause).is_some();
            if news.all(is_known) {
                self.known += 1;
            }
            self.unclean.insert(run.seed);
        }
    }

    /// What its runs are held to.
    #[must_use]
    pub fn law(&self) -> &Law {
        &self.law
    }

    /// Seeds that were run, and how many of them broke nothing unexpected at any point.
    #[must_use]
    pub fn clean_seeds(&self) -> (u64, u64) {
        (self.seeds.len, self.seeds.len - self.unclean.len)
    }

    /// In how many runs each cover was met, and in how many it must be.
    pub fn covers(&self) -> impl Iterator<Item = (&str, u64, u64)> {
        self.covers.iter().map(|(id, met)| (id.as_str(), *met, self.law.covers[id]))
    }

    /// How many runs there were.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.outcomes.values().sum()
    }

    /// How many runs ended so.
    #[must_use]
    pub fn count(&self, outcome: RunOutcome) -> u64 {
        self.outcomes.get(&outcome).copied().unwrap_or(0)
    }

    /// Faults that changed no run, and covers that too few runs reached, as sentences.
    #[must_use]
    pub fn vacuous(&self) -> Vec<String> {
        let faults = self.faults.iter().filter(|(_, changed)| !**changed);
        let faults = faults.map(|(id, _)| format!("fault `{id}` changed nothing in any run"));
        // Where the failure that was expected came as a panic, there is nothing more to reach.
        let cut = self.whole == 0;
        let excused = cut && self.law.fail && self.rate_met();
        let covers = self.covers().filter(|(_, met, must)| !excused && met < must);
        let covers = covers.map(|(id, met, must)| {
            let why = if cut { "; a panic cut every run short" } else { "" };
            let runs = self.runs();
            format!("cover `{id}` was reached in {met} of {runs} runs, and needs {must}{why}")
        });
        faults.chain(covers).collect()
    }

    /// Whether enough seeds of an expected failure failed as expected.
    #[must_use]
    pub fn rate_met(&self) -> bool {
        let caught = self.count(RunOutcome::FailedAsExpected);
        match self.min_rate() {
            Some(rate) => {
                caught * u64::from(rate.denominator) >= self.runs() * u64::from(rate.numerator)
            }
            None => caught >= 1,
        }
    }

    /// The share of the runs that must fail as expected.
    #[must_use]
    pub fn min_rate(&self) -> Option<Ratio> {
        self.law.min_rate.map(|(numerator, denominator)| Ratio::new(numerator, denominator))
    }

    /// The exit status that all runs together deserve.
    #[must_use]
    pub fn exit(&self) -> Exit {
        let mut exit = Exit::Fine;
        if self.count(RunOutcome::UnexpectedViolation) > self.known {
            exit = exit.and(Exit::Violation);
        }
        if self.law.fail && !self.rate_met() && self.count(RunOutcome::ExpectedFailureMissing) > 0 {
            exit = exit.and(Exit::Missing);
        }
        if self.count(RunOutcome::Inconclusive) > 0 || !self.vacuous().is_empty() {
            exit = exit.and(Exit::Inconclusive);
        }
        exit
    }
}

/// A set of seeds, as ranges: seeds that follow each other take no room.
#[derive(Clone, Debug, Default)]
struct SeedSet {
    /// First and last of each range, which neither meet nor touch.
    ranges: BTreeMap<u64, u64>,
    len: u64,
}

impl SeedSet {
    fn insert(&mut self, seed: u64) {
        let before = self.ranges.range(..=seed).next_back().map(|(first, last)| (*first, *last));
        if before.is_some_and(|(_, last)| seed <= last) {
            return;
        }
        self.len += 1;
        let touching = before.filter(|(_, last)| *last + 1 == seed);
        let first = touching.map_or(seed, |(first, _)| first);
        let after = seed.checked_add(1).and_then(|next| self.ranges.remove(&next));
        self.ranges.insert(first, after.unwrap_or(seed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_that_follow_each_other_take_no_room() {
        let mut set = SeedSet::default();
        for seed in [5, 3, 4, 4, u64::MAX, 0, 5, u64::MAX - 1] {
            set.insert(seed);
        }
        let ranges: Vec<(u64, u64)> = set.ranges.into_iter().collect();
        assert_eq!(ranges, [(0, 0), (3, 5), (u64::MAX - 1, u64::MAX)]);
        assert_eq!(set.len, 6);
    }
}
