//! How far the bounds of checks lie from what seeds measure: a bound that chance crosses now and then
//! is a false alarm by construction.
//!
//! The figure of one run (a quantile, a share, the fullest window) varies from seed to seed; that
//! spread is its standard error. A bound nearer than [`ERRORS_MIN`] of them is one that some seed will
//! cross. Start with [`Measured`], which gathers the figures of many runs; [`Margin`] is what is kept
//! of them.

use crate::checks::Figure;
use scenario::Scenario;
use scenario::diagnostics::{Diagnostic, codes::E0509};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A bound is at least so many standard errors away.
pub const ERRORS_MIN: f64 = 5.0;

/// Where a figure comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Bound {
    scenario: String,
    variant: Option<String>,
    check: String,
    bound: &'static str,
}

/// The figures of many runs.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// What each seed measured, and what was allowed.
    figures: BTreeMap<Bound, BTreeMap<u64, Figure>>,
}

/// How far a bound is from what was measured. Whole numbers: nanoseconds, counts, or parts per
/// million of a share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Margin {
    /// The scenario's name.
    pub scenario: String,
    /// The variant, where it is not the base.
    pub variant: Option<String>,
    /// The id of the check.
    pub check: String,
    /// Which of its bounds: `p99`, `max`.
    pub bound: String,
    /// The bound as it stood in the file.
    pub written: String,
    /// The bound.
    pub allowed: u64,
    /// The mean over the runs.
    pub mean: u64,
    /// The standard deviation over the runs.
    pub spread: u64,
    /// The worst of the runs.
    pub worst: u64,
    /// How many runs.
    pub runs: u64,
    /// How many standard errors the bound is away, in thousandths; `None` where the figure is the
    /// same in every run.
    pub errors_milli: Option<i64>,
}

impl Measured {
    /// Adds a figure of one run.
    pub fn add(&mut self, of: (&str, Option<&str>), check: &str, seed: u64, figure: Figure) {
        let (scenario, variant) = (of.0.to_owned(), of.1.map(str::to_owned));
        let (check, bound) = (check.to_owned(), figure.bound);
        let key = Bound { scenario, variant, check, bound };
        self.figures.entry(key).or_default().insert(seed, figure);
    }

    /// The margins in the order of scenarios, variants, checks and bounds, whatever the order in
    /// which the runs came. `written` is how a bound stands in its file.
    pub fn margins(&self, written: impl Fn(&str, &str) -> Option<String>) -> Vec<Margin> {
        let margin = |(of, figures): (&Bound, &BTreeMap<u64, Figure>)| {
            let path = format!("check.{}.{}", of.check, of.bound);
            Margin::of(of, written(&of.scenario, &path).unwrap_or_default(), figures)
        };
        self.figures.iter().map(margin).collect()
    }
}

impl Margin {
    fn of(of: &Bound, written: String, figures: &BTreeMap<u64, Figure>) -> Self {
        let runs = figures.len() as f64;
        let values = || figures.values().map(|figure| figure.measured as f64);
        let mean = values().sum::<f64>() / runs;
        let squares: f64 = values().map(|value| (value - mean) * (value - mean)).sum();
        let spread = (squares / (runs - 1.0).max(1.0)).sqrt();
        let first = figures.values().next().expect("a bound has a run");
        let away =
            if first.is_most { first.allowed as f64 - mean } else { mean - first.allowed as f64 };
        let measured = figures.values().map(|figure| figure.measured);
        let worst = if first.is_most { measured.max() } else { measured.min() };
        Self {
            scenario: of.scenario.clone(),
            variant: of.variant.clone(),
            check: of.check.clone(),
            bound: of.bound.to_owned(),
            written,
            allowed: first.allowed,
            mean: mean.round() as u64,
            spread: spread.round() as u64,
            worst: worst.expect("a bound has a run"),
            runs: figures.len() as u64,
            errors_milli: (spread > 0.0).then(|| (away / spread * 1e3).round() as i64),
        }
    }

    /// Whether chance will cross the bound.
    #[must_use]
    pub fn is_near(&self) -> bool {
        self.errors_milli.is_some_and(|milli| (milli as f64) < ERRORS_MIN * 1e3)
    }

    /// The warning about it in its file; none where the bound was written otherwise since.
    fn warning(&self, scenario: &Scenario) -> Option<Diagnostic> {
        let (written, span) = scenario.written(&format!("check.{}.{}", self.check, self.bound))?;
        if written != self.written {
            return None;
        }
        let errors = self.errors_milli? as f64 / 1e3;
        let variant = self.variant.as_ref().map_or(String::new(), |name| format!(" ({name})"));
        let message = format!(
            "`{}` of `{}`{variant} is {errors:.1} standard errors from what was measured",
            self.bound, self.check
        );
        let help = format!(
            "at least {ERRORS_MIN:.0}: over {} runs the figure was {} in the mean, with a spread of \
             {}, and the bound is {}",
            self.runs, self.mean, self.spread, self.allowed
        );
        Some(Diagnostic::warning(E0509, message).at(span, "").help(help))
    }
}

/// The warnings about the bounds of a scenario.
#[must_use]
pub fn warnings(margins: &[Margin], scenario: &Scenario) -> Vec<Diagnostic> {
    let mine = margins.iter().filter(|margin| margin.scenario == scenario.name());
    mine.filter(|margin| margin.is_near()).filter_map(|margin| margin.warning(scenario)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn margin(values: &[u64], allowed: u64, is_most: bool) -> Margin {
        let mut measured = Measured::default();
        for (seed, value) in values.iter().enumerate() {
            let figure = Figure { bound: "p99", measured: *value, allowed, is_most };
            measured.add(("a", None), "c", seed as u64, figure);
        }
        measured.margins(|_, _| None).remove(0)
    }

    #[test]
    fn a_bound_is_so_many_standard_errors_away() {
        let far = margin(&[90, 100, 110], 200, true);
        assert_eq!(
            (far.mean, far.spread, far.worst, far.errors_milli),
            (100, 10, 110, Some(10_000))
        );
        assert!(!far.is_near());
        assert!(margin(&[90, 100, 110], 140, true).is_near());
        assert!(margin(&[90, 100, 110], 60, false).is_near());
        assert_eq!(margin(&[90, 100, 110], 105, false).errors_milli, Some(-500));
        assert_eq!(margin(&[7, 7], 8, true).errors_milli, None);
    }
}
