//! What all runs of a scenario and variant are held to, whatever came of each.

use crate::plan::Expectation;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What all runs of a scenario and variant are held to; a line of the log of a sweep.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Law {
    /// True for `expect = "fail"`.
    pub fail: bool,
    /// The checks that must all fire.
    pub caught_by: Vec<String>,
    /// The checks that may fire besides.
    pub may_fail: Vec<String>,
    /// The share of the runs that must fail as expected, as a fraction; one run where not given.
    pub min_rate: Option<(u32, u32)>,
    /// How many runs must reach each cover.
    pub covers: BTreeMap<String, u64>,
    /// Faults that may be left out, and may therefore be without effect.
    pub omittable: BTreeSet<String>,
}

impl Law {
    /// The law of an expectation, without covers.
    #[must_use]
    pub fn of(expectation: &Expectation) -> Self {
        let rate = expectation.min_rate;
        Self {
            fail: expectation.fail,
            caught_by: expectation.caught_by.clone(),
            may_fail: expectation.may_fail.clone(),
            min_rate: rate.map(|rate| (rate.numerator, rate.denominator)),
            ..Self::default()
        }
    }

    /// Whether a check is one that should not have fired.
    #[must_use]
    pub fn unexpected(&self, check: &str) -> bool {
        let named = self.caught_by.iter().chain(&self.may_fail);
        // Held in every run that recovers: a planted flaw may well break it too.
        let by_default = check == crate::TERMINATION;
        !self.fail || !by_default && named.into_iter().all(|name| name != check)
    }
}
