//! Trials: does a candidate still fail for the same cause?

use crate::interrupt;
use crate::record::record;
use crate::run::{self, Ended, Finished};
use crate::scenario::Lab;
use crate::scenario::draft::Draft;
use reports::RunRecord;
use reports::seeds::Cause;
use std::collections::BTreeMap;

/// How much may be spent.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Runs.
    pub trials: u64,
    /// Events of the engine, over all runs.
    pub events: u64,
}

/// What a trial showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It fails for the same cause.
    Same,
    /// It does not; what it does instead, completing "without it …".
    Other(String),
    /// Nobody knows: the budget is spent, or the user interrupted it.
    Spent,
}

/// Runs candidates, each once.
pub struct Trials<'a> {
    lab: &'a Lab<'a>,
    cause: Cause,
    budget: Budget,
    /// The most events that one trial may take: a candidate that never ends is none.
    events_each: u64,
    /// Whether the last part of the budget may be spent.
    last: bool,
    known: BTreeMap<u64, Verdict>,
    /// Runs so far.
    pub trials: u64,
    /// Events so far.
    pub events: u64,
}

impl<'a> Trials<'a> {
    /// No trial yet, of what breaks `cause`.
    #[must_use]
    pub fn new(lab: &'a Lab<'a>, cause: Cause, budget: Budget) -> Self {
        let known = BTreeMap::new();
        Self { lab, cause, budget, events_each: u64::MAX, last: false, known, trials: 0, events: 0 }
    }

    /// The names that scenarios may use.
    #[must_use]
    pub fn lab(&self) -> &'a Lab<'a> {
        self.lab
    }

    /// What the candidates must break.
    #[must_use]
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// From now on a trial takes at most four times the events of this one.
    pub fn measure(&mut self, events: u64) {
        self.events_each = events.saturating_mul(4).saturating_add(100_000);
    }

    /// Whether nothing more may be tried. A sixth of the budget is kept for [`Trials::last_part`].
    #[must_use]
    pub fn is_over(&self) -> bool {
        let most = |all: u64| if self.last { all } else { all - all / 6 };
        let spent =
            self.trials >= most(self.budget.trials) || self.events >= most(self.budget.events);
        spent || interrupt::asked()
    }

    /// From now on the whole budget may be spent: what is left is to say what must stay.
    pub fn last_part(&mut self) {
        self.last = true;
    }

    /// Tries a candidate, unless it was tried before.
    pub fn ask(&mut self, draft: &Draft) -> Verdict {
        let hash = draft.hash();
        if let Some(verdict) = self.known.get(&hash) {
            return verdict.clone();
        }
        let verdict = match self.run(draft) {
            None if self.is_over() => return Verdict::Spent,
            None => Verdict::Other("it is no scenario".to_owned()),
            Some((_, record)) => self.judge(&record),
        };
        self.known.insert(hash, verdict.clone());
        verdict
    }

    /// Runs a candidate; `None` when it does not compile, or when the trials are over.
    pub fn run(&mut self, draft: &Draft) -> Option<(Finished, RunRecord)> {
        if self.is_over() {
            return None;
        }
        let mut plan = draft.plan(self.lab)?;
        plan.budget.events = plan.budget.events.min(self.events_each);
        self.trials += 1;
        let finished = run::run(plan, false);
        self.events = self.events.saturating_add(finished.events);
        if finished.ended == Ended::Interrupted {
            return None;
        }
        let record = record(&finished);
        Some((finished, record))
    }

    /// What a run shows about the cause.
    #[must_use]
    pub fn judge(&self, record: &RunRecord) -> Verdict {
        let causes = Cause::all(record);
        if causes.contains(&self.cause) {
            return Verdict::Same;
        }
        let same_check = causes.iter().find(|cause| cause.check == self.cause.check);
        let other = match (same_check, causes.first()) {
            (Some(cause), _) if cause.rule == self.cause.rule => {
                format!("it breaks the rule at other kinds of nodes: {}", cause.nodes)
            }
            (Some(cause), _) => format!("it breaks another rule: {}", cause.rule),
            (None, Some(cause)) => format!("only {} fires", cause.check),
            (None, None) => "nothing fires".to_owned(),
        };
        Verdict::Other(other)
    }
}
