//! What a sweep runs: series of one scenario and variant, and the runs of each.

use super::RUNS_MAX;
use crate::record::record;
use crate::run::{self, Ended};
use contract::hash::hash_bytes;
use reports::{Digest, SeedResult};
use scenario::diagnostics;
use scenario::law::Law;
use scenario::plan::Plan;
use scenario::{Lab, Scenario};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::str::FromStr;

/// Which points of the matrix each seed runs at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Points {
    /// All of them.
    #[default]
    All,
    /// The one that the seed selects, as in a single run.
    PerSeed,
}

/// A part of the seeds: those that leave the remainder `index - 1` when divided by `of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Which part, from 1.
    pub index: u64,
    /// How many parts there are.
    pub of: u64,
}

impl Shard {
    /// All seeds.
    pub const WHOLE: Self = Self { index: 1, of: 1 };

    /// Whether `seed` belongs to this part: a pure function of the seed.
    #[must_use]
    pub const fn has(self, seed: u64) -> bool {
        seed % self.of == self.index - 1
    }
}

impl Default for Shard {
    fn default() -> Self {
        Self::WHOLE
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no shard: write 3/16, from 1/16 to 16/16");
        let (index, of) = text.split_once('/').ok_or_else(wrong)?;
        let number = |text: &str| text.trim().parse::<u64>().map_err(|_| wrong());
        let (index, of) = (number(index)?, number(of)?);
        if index == 0 || index > of { Err(wrong()) } else { Ok(Self { index, of }) }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

/// What a series is, as the log of a sweep holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The file, as it was given.
    pub file: String,
    /// The scenario's name.
    pub scenario: String,
    /// The variant, where it is not the base.
    pub variant: Option<String>,
    /// What was changed by hand, path and value.
    pub sets: Vec<(String, String)>,
    /// The digest of the file.
    pub digest: Digest,
    /// The first seed, and the one after the last.
    pub seeds: (u64, u64),
    /// How many points the matrix has.
    pub points: u64,
    /// Which of them each seed runs at.
    pub at: Points,
    /// Which of the seeds.
    pub shard: Shard,
    /// What the runs are held to.
    pub law: Law,
}

impl Head {
    /// Whether results of the two may stand in one table: only the seeds may differ.
    #[must_use]
    pub fn is_alike(&self, other: &Self) -> bool {
        let key = |head: &Self| Self {
            file: String::new(),
            seeds: (0, 0),
            shard: Shard::WHOLE,
            ..head.clone()
        };
        key(self) == key(other)
    }

    /// Whether it can be counted and judged; a log that somebody wrote may hold anything.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let Shard { index, of } = self.shard;
        let parted = (1..=of).contains(&index);
        let rated = self.law.min_rate.is_none_or(|(_, denominator)| denominator > 0);
        parted
            && rated
            && self.points > 0
            && self.seeds.0 <= self.seeds.1
            && self.runs() <= RUNS_MAX
    }

    /// The scenario's name with the variant.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.variant {
            Some(variant) => format!("{} ({variant})", self.scenario),
            None => self.scenario.clone(),
        }
    }

    /// The points that `seed` runs at.
    #[must_use]
    pub fn points_of(&self, seed: u64) -> std::ops::Range<u64> {
        match self.at {
            Points::All => 0..self.points,
            Points::PerSeed => seed % self.points..seed % self.points + 1,
        }
    }

    /// The first seed of its shard, if it has any.
    #[must_use]
    pub fn first_seed(&self) -> Option<u64> {
        let (from, to) = self.seeds;
        let Shard { index, of } = self.shard;
        let ahead = (index - 1 + of - from % of) % of;
        from.checked_add(ahead).filter(|first| *first < to)
    }

    /// Whether `seed` is one of its shard.
    #[must_use]
    pub fn has_seed(&self, seed: u64) -> bool {
        (self.seeds.0..self.seeds.1).contains(&seed) && self.shard.has(seed)
    }

    /// How many runs it is; arithmetic, whatever the range.
    #[must_use]
    pub fn runs(&self) -> u128 {
        let Some(first) = self.first_seed() else { return 0 };
        let seeds = (self.seeds.1 - 1 - first) / self.shard.of + 1;
        let points = match self.at {
            Points::All => self.points,
            Points::PerSeed => 1,
        };
        u128::from(seeds) * u128::from(points)
    }

    /// Whether a run is one of it.
    #[must_use]
    pub fn has_run(&self, key: &Key) -> bool {
        self.scenario == key.scenario
            && self.variant == key.variant
            && self.has_seed(key.seed)
            && self.points_of(key.seed).contains(&key.point)
    }
}

/// One run of a sweep: what it is, whatever order it comes in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The scenario's name.
    pub scenario: String,
    /// The variant.
    pub variant: Option<String>,
    /// The seed.
    pub seed: u64,
    /// The point of the matrix.
    pub point: u64,
}

impl From<&SeedResult> for Key {
    fn from(run: &SeedResult) -> Self {
        let (scenario, variant) = (run.scenario.clone(), run.variant.clone());
        Self { scenario, variant, seed: run.seed, point: run.point }
    }
}

/// A scenario and variant that is swept.
pub struct Series<'a> {
    /// What it is.
    pub head: Head,
    /// Whether it comes before all others: a regression.
    pub first: bool,
    scenario: &'a Scenario,
    source: &'a str,
}

impl<'a> Series<'a> {
    /// A series of `scenario`, which was read from `source` and exists in the variant.
    #[must_use]
    pub fn new(scenario: &'a Scenario, source: &'a str, head: Head, first: bool) -> Self {
        Self { head, first, scenario, source }
    }

    /// The same series once more.
    #[must_use]
    pub fn again(&self) -> Self {
        Self { head: self.head.clone(), ..*self }
    }

    /// The head of a series of `scenario` with the given seeds.
    #[must_use]
    pub fn head(
        scenario: &Scenario,
        file: &str,
        source: &str,
        variant: Option<&str>,
        seeds: (u64, u64),
    ) -> Head {
        Head {
            file: file.to_owned(),
            scenario: scenario.name().to_owned(),
            variant: variant.map(str::to_owned),
            sets: Vec::new(),
            digest: Digest(hash_bytes(source.as_bytes())),
            seeds,
            points: scenario.points(variant),
            at: Points::All,
            shard: Shard::WHOLE,
            law: scenario.law(variant).cloned().unwrap_or_default(),
        }
    }

    /// The plan of one run. Another point than the one that the seed selects is an override, so
    /// that the run has a name of its own and can be repeated by `run --seed .. --set ..`.
    ///
    /// # Errors
    /// When the overrides make the scenario wrong: what to print.
    pub fn plan(&self, lab: &Lab<'_>, seed: u64, point: u64) -> Result<Plan, String> {
        let variant = self.head.variant.as_deref();
        let mut sets = self.sets_of(seed, point);
        sets.extend(self.head.sets.iter().cloned());
        self.scenario
            .plan(lab, variant, seed, seed % self.head.points, &sets)
            .map_err(|said| diagnostics::render(&said, self.source, &self.head.file, false))
    }

    /// What makes a seed run at another point than the one that it selects.
    fn sets_of(&self, seed: u64, point: u64) -> Vec<(String, String)> {
        if point == seed % self.head.points {
            return Vec::new();
        }
        let values = self.scenario.point_sets(self.head.variant.as_deref(), point);
        values.expect("a point below the number of points")
    }

    /// Runs one seed at one point; `None` when the user interrupted it.
    ///
    /// # Errors
    /// As [`Series::plan`].
    pub fn run(&self, lab: &Lab<'_>, seed: u64, point: u64) -> Result<Option<SeedResult>, String> {
        let finished = run::run(self.plan(lab, seed, point)?, false);
        if finished.ended == Ended::Interrupted {
            return Ok(None);
        }
        let sets = self.sets_of(seed, point);
        Ok(Some(SeedResult { point, sets, ..SeedResult::from(&record(&finished)) }))
    }
}

/// One run that is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// The position of its series.
    pub series: usize,
    /// The seed.
    pub seed: u64,
    /// The point of the matrix.
    pub point: u64,
}

/// Everything that a sweep runs.
pub struct Work<'a> {
    /// The series.
    pub series: Vec<Series<'a>>,
}

impl Work<'_> {
    /// All runs in the order in which they are started: regressions first, then seed by seed over
    /// all series, so that a sweep that is cut off has seen something of each. They are made one by
    /// one: a range of a million seeds takes no room.
    pub fn tasks(&self) -> impl Iterator<Item = Task> + '_ {
        let heads = self.series.iter().enumerate();
        let next = heads.filter_map(|(series, one)| {
            let seed = one.head.first_seed()?;
            Some(Reverse((!one.first, seed - one.head.seeds.0, series)))
        });
        let mut next: BinaryHeap<_> = next.collect();
        let seeds = std::iter::from_fn(move || {
            let Reverse((later, nth, series)) = next.pop()?;
            let head = &self.series[series].head;
            let seed = head.seeds.0 + nth;
            if seed.checked_add(head.shard.of).is_some_and(|seed| seed < head.seeds.1) {
                next.push(Reverse((later, nth + head.shard.of, series)));
            }
            Some(head.points_of(seed).map(move |point| Task { series, seed, point }))
        });
        seeds.flatten()
    }

    /// How many runs there are.
    #[must_use]
    pub fn runs(&self) -> u128 {
        self.series.iter().map(|one| one.head.runs()).sum()
    }

    /// The position of the series that a run belongs to.
    #[must_use]
    pub fn series_of(&self, run: &SeedResult) -> Option<usize> {
        let is_its =
            |one: &Series<'_>| one.head.scenario == run.scenario && one.head.variant == run.variant;
        self.series.iter().position(is_its)
    }

    /// The key of a task.
    #[must_use]
    pub fn key(&self, task: &Task) -> Key {
        let head = &self.series[task.series].head;
        let (scenario, variant) = (head.scenario.clone(), head.variant.clone());
        Key { scenario, variant, seed: task.seed, point: task.point }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_written_from_one() {
        assert_eq!("3/16".parse(), Ok(Shard { index: 3, of: 16 }));
        for wrong in ["0/3", "4/3", "1/0", "3", "a/b", "/", "-1/3"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    fn head(seeds: (u64, u64), shard: Shard) -> Head {
        let digest = Digest(0);
        let (scenario, file) = ("a".to_owned(), "a.toml".to_owned());
        Head {
            file,
            scenario,
            variant: None,
            sets: Vec::new(),
            digest,
            seeds,
            points: 3,
            at: Points::All,
            shard,
            law: Law::default(),
        }
    }

    #[test]
    fn runs_are_counted_without_making_them() {
        for of in 1..=5 {
            for index in 1..=of {
                for seeds in [(0, 0), (0, 1), (3, 17), (4, 5), (7, 30)] {
                    let head = head(seeds, Shard { index, of });
                    let own: Vec<u64> =
                        (seeds.0..seeds.1).filter(|seed| head.has_seed(*seed)).collect();
                    assert_eq!(head.first_seed(), own.first().copied(), "{seeds:?} {index}/{of}");
                    assert_eq!(head.runs(), own.len() as u128 * 3, "{seeds:?} {index}/{of}");
                }
            }
        }
        let all = head((0, u64::MAX), Shard::WHOLE);
        assert_eq!(all.runs(), u128::from(u64::MAX) * 3);
        assert_eq!(
            head((u64::MAX - 1, u64::MAX), Shard { index: 1, of: u64::MAX }).first_seed(),
            None
        );
    }

    #[test]
    fn every_seed_is_in_exactly_one_shard() {
        for seed in (0..100).chain([u64::MAX]) {
            let homes = (1..=7).filter(|&index| Shard { index, of: 7 }.has(seed)).count();
            assert_eq!(homes, 1);
        }
    }
}
