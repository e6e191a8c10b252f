//! Why a run failed: which of its faults were necessary, which suffice, and from when on there was
//! no way around it.
//!
//! [`whatif`] runs the plan again without single faults and with sets of them alone, each fault
//! written out as it happened (a counterfactual cause in the sense of Halpern and Pearl, British
//! Journal for the Philosophy of Science 2005, with faults as the variables). [`future`] branches
//! re-randomised futures off snapshots of the run and counts how many of them fail: the instant
//! from which all do is where the failure became inevitable. [`messages`] asks of single messages that
//! were lost or late what would have been, had they come through. [`sentence`] says all of it.

pub mod future;
pub mod messages;
pub mod sentence;
pub mod whatif;

pub use future::{Branching, Point};
pub use messages::{Mattered, Messages};
pub use whatif::{Factor, WhatIf};

use crate::run::Finished;
use crate::shrink::passes::Shrinking;
use crate::shrink::{Subject, Trials};
use contract::{Duration, SimTime};
use reports::seeds::Cause;
use scenario::Lab;
use scenario::edit::draft::Draft;
use serde::Serialize;

/// Why a run failed; `cause.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// The run.
    pub run: String,
    /// What it broke.
    pub cause: Cause,
    /// Everything in one or two sentences.
    pub sentence: String,
    /// When the violation showed.
    pub violation_ns: u64,
    /// Faults and planted flaws, and what happens without each.
    pub factors: Vec<Factor>,
    /// The smallest sets of faults that suffice, by id.
    pub sufficient: Vec<Vec<String>>,
    /// Whether every set of that size and every smaller one was tried.
    pub exhaustive: bool,
    /// Single messages that were lost or late, and without whose loss or delay it does not fail.
    pub messages: Messages,
    /// How likely the check was to fire, at instants of the run.
    pub curve: Vec<Point>,
    /// From when on every future failed; `None` when that was never so before it happened.
    pub inevitable_ns: Option<u64>,
    /// How long futures were followed: to this instant.
    pub horizon_ns: u64,
    /// How many runs of parts of the plan it took, futures not counted.
    pub trials: u64,
}

/// What the failure of `subject` needs.
struct Needed {
    /// The run without what it can do without.
    plain: Draft,
    /// When the violation showed in it.
    violation: Duration,
    /// Its faults written out as they happened, and the run of that.
    unrolled: Draft,
    run: Finished,
    whatif: WhatIf,
}

fn needed(
    subject: &Subject,
    trials: &mut Trials<'_>,
    tell: &mut dyn FnMut(&str),
) -> Result<Needed, String> {
    let mut silent = |_: &Draft, _: u64| {};
    let mut shrinking = Shrinking::begin(subject, trials, &mut silent)?;
    shrinking.plain();
    let (plain, violation) = (shrinking.best().clone(), shrinking.at());
    tell("writing out the faults");
    shrinking.unroll();
    shrinking.name_whole_groups();
    let (unrolled, run) = shrinking.into_best();
    tell("running without single faults");
    let whatif = whatif::what_if(&unrolled, &run, trials);
    Ok(Needed { plain, violation, unrolled, run, whatif })
}

/// The faults and flaws that the failure of `subject` needs, and the scenario that was asked: its
/// faults are written out as they happened.
///
/// # Errors
/// When the run does not fail any more: what it did instead.
pub fn factors(subject: &Subject, trials: &mut Trials<'_>) -> Result<(Draft, WhatIf), String> {
    let needed = needed(subject, trials, &mut |_| {})?;
    Ok((needed.unrolled, needed.whatif))
}

/// Explains the failure of `subject`.
///
/// # Errors
/// When the run does not fail any more: what it did instead.
pub fn explain(
    subject: &Subject,
    lab: &Lab<'_>,
    trials: &mut Trials<'_>,
    branching: Branching,
    tell: &mut dyn FnMut(&str),
) -> Result<Explained, String> {
    let Needed { plain, violation, run, whatif, .. } = needed(subject, trials, tell)?;
    let messages = messages::what_if(lab, &plain, violation, trials.cause(), branching, tell);
    let future = future::branch(lab, &plain, &run, violation, trials.cause(), branching, tell);
    let mut explained = Explained {
        run: subject.token.clone(),
        cause: trials.cause().clone(),
        sentence: String::new(),
        violation_ns: violation.0,
        factors: whatif.factors,
        sufficient: whatif.sufficient,
        exhaustive: whatif.exhaustive,
        messages,
        curve: future.curve,
        inevitable_ns: future.inevitable.map(|at: SimTime| at.0),
        horizon_ns: future.horizon.0,
        trials: trials.trials,
    };
    explained.sentence = sentence::sentence(&explained);
    Ok(explained)
}
