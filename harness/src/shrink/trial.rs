//! Trials: does a candidate still fail for the same cause?

use super::prefix_cache::Past;
use crate::interrupt;
use crate::record::record;
use crate::run::{self, Ended, Finished, Runner};
use reports::RunRecord;
use reports::seeds::Cause;
use scenario::Lab;
use scenario::edit::draft::Draft;
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
    /// Whether a candidate must not fail without the planted flaws.
    flawed_only: bool,
    known: BTreeMap<u64, Verdict>,
    /// Runs so far.
    pub trials: u64,
    /// Events so far.
    pub events: u64,
    /// Of the runs, those that began in the middle.
    pub forked: u64,
    base: Option<Draft>,
    /// Candidates since the base changed.
    asked: u64,
    past: Option<Past>,
}

/// After so many candidates that did not become the best, its past is kept.
const PAYS_AFTER: u64 = 3;

impl<'a> Trials<'a> {
    /// No trial yet, of what breaks `cause`.
    #[must_use]
    pub fn new(lab: &'a Lab<'a>, cause: Cause, budget: Budget) -> Self {
        assert!(!cause.check.is_empty(), "a cause names the check that fires");
        Self {
            lab,
            cause,
            budget,
            events_each: u64::MAX,
            last: false,
            flawed_only: false,
            known: BTreeMap::new(),
            trials: 0,
            events: 0,
            forked: 0,
            base: None,
            asked: 0,
            past: None,
        }
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
        assert!(events > 0, "what failed has happened");
        self.events_each = events.saturating_mul(4).saturating_add(100_000);
    }

    /// From now on a candidate that also fails without the planted flaws is none, if `whole` does
    /// not: a check that asks for enough of something fires for want of load too.
    pub fn only_with_flaws(&mut self, whole: &Draft) {
        self.flawed_only = !whole.texts("defects").is_empty() && !self.fails_unflawed(whole);
    }

    fn fails_unflawed(&mut self, draft: &Draft) -> bool {
        let mut clean = draft.clone();
        clean.remove("defects");
        self.run(&clean).is_some_and(|(_, record)| self.judge(&record) == Verdict::Same)
    }

    /// Whether the first part of the budget ran out: what was found is the best so far.
    #[must_use]
    pub fn ran_out(&self) -> bool {
        let most = |all: u64| all - all / 6;
        self.trials >= most(self.budget.trials) || self.events >= most(self.budget.events)
    }

    /// Whether nothing more may be tried. A sixth of the budget is kept for [`Trials::last_part`].
    #[must_use]
    pub fn is_over(&self) -> bool {
        let spent = match self.last {
            true => self.trials >= self.budget.trials || self.events >= self.budget.events,
            false => self.ran_out(),
        };
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
        self.remember();
        let verdict = match self.run(draft) {
            None if self.is_over() => return Verdict::Spent,
            None => Verdict::Other("it is no scenario".to_owned()),
            Some((_, record)) => match self.judge(&record) {
                Verdict::Same if self.flawed_only && self.fails_unflawed(draft) => {
                    Verdict::Other("it fails without the planted flaw too".to_owned())
                }
                verdict => verdict,
            },
        };
        let before = self.known.insert(hash, verdict.clone());
        assert!(before.is_none(), "a candidate is run once");
        verdict
    }

    /// From now on candidates are compared with `best`, whose past they may share.
    pub fn rebase(&mut self, best: &Draft) {
        (self.base, self.asked, self.past) = (Some(best.clone()), 0, None);
    }

    /// Keeps the past of the best, once it pays: it takes a run, and most candidates fail.
    fn remember(&mut self) {
        self.asked += 1;
        let Some(base) = self.base.as_ref().filter(|_| self.asked == PAYS_AFTER) else { return };
        self.past = Past::record(self.lab, base, self.events_each);
        self.events = self.events.saturating_add(self.past.as_ref().map_or(0, Past::events));
    }

    /// Runs a candidate; `None` when it does not compile, or when the trials are over.
    pub fn run(&mut self, draft: &Draft) -> Option<(Finished, RunRecord)> {
        if self.is_over() {
            return None;
        }
        let mut plan = draft.plan(self.lab)?;
        plan.budget.events = plan.budget.events.min(self.events_each);
        self.trials += 1;
        let forked = self.past.as_ref().and_then(|past| past.fork(draft, &plan));
        let before = forked.as_ref().map_or(0, Runner::events);
        let finished = match forked {
            None => run::run(plan, false),
            Some(mut world) => {
                self.forked += 1;
                world.go_on(false);
                world.finish()
            }
        };
        assert!(finished.events >= before, "a future has its past in it");
        assert!(self.forked <= self.trials, "some trials begin in the middle");
        self.events = self.events.saturating_add(finished.events - before);
        if finished.ended == Ended::Interrupted {
            return None;
        }
        let record = record(&finished);
        Some((finished, record))
    }

    /// What a run shows about the cause.
    #[must_use]
    pub fn judge(&self, record: &RunRecord) -> Verdict {
        judge(&self.cause, record)
    }
}

/// What a run shows about `wanted`.
#[must_use]
pub fn judge(wanted: &Cause, record: &RunRecord) -> Verdict {
    let causes = Cause::all(record);
    if causes.contains(wanted) {
        return Verdict::Same;
    }
    let same_check = causes.iter().find(|cause| cause.check == wanted.check);
    let other = match (same_check, causes.first()) {
        (Some(cause), _) if cause.rule == wanted.rule => {
            format!("it breaks the rule at other kinds of nodes: {}", cause.nodes)
        }
        (Some(cause), _) => format!("it breaks another rule: {}", cause.rule),
        (None, Some(cause)) => format!("only {} fires", cause.check),
        (None, None) => "nothing fires".to_owned(),
    };
    Verdict::Other(other)
}
