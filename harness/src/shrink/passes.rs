//! The reductions, each a series of candidates that are kept when they still fail.

use super::as_run::happened;
use super::ddmin::minimise;
use super::minimal::Shrunk;
use super::subject::Subject;
use super::trial::{Trials, Verdict};
use crate::run::Finished;
use catalog::Verdict as Judged;
use contract::Duration;
use scenario::Lab;
use scenario::edit::draft::Draft;

/// Times of so many operations are rounded one by one; of more, all at once.
const OPS_ROUNDED_MAX: usize = 64;

/// What times are rounded to, the roundest first.
const ROUND: [Duration; 8] = [
    Duration::from_secs(1),
    Duration::from_millis(500),
    Duration::from_millis(100),
    Duration::from_millis(50),
    Duration::from_millis(10),
    Duration::from_millis(5),
    Duration::from_millis(1),
    Duration(100_000),
];

/// A shrink in progress.
pub struct Shrinking<'s, 'a, 't> {
    subject: &'s Subject,
    pub(super) trials: &'s mut Trials<'a>,
    tell: &'t mut dyn FnMut(&Draft, u64),
    pub(super) best: Draft,
    /// The run of `best`.
    pub(super) run: Finished,
    /// When the violation showed in it.
    at: Duration,
    pub(super) removed: Vec<String>,
}

impl<'s, 'a, 't> Shrinking<'s, 'a, 't> {
    /// Runs the subject once more.
    ///
    /// # Errors
    /// When it does not fail any more.
    pub fn begin(
        subject: &'s Subject,
        trials: &'s mut Trials<'a>,
        tell: &'t mut dyn FnMut(&Draft, u64),
    ) -> Result<Self, String> {
        let best = subject.draft.clone();
        let run = trials.run(&best);
        let Some((run, record)) = run else {
            return Err("the recorded plan cannot be run".to_owned());
        };
        if let Verdict::Other(what) = trials.judge(&record) {
            return Err(format!("the run does not fail as recorded any more: {what}"));
        }
        trials.measure(run.events);
        let mut shrinking =
            Self { subject, trials, tell, best, run, at: Duration::ZERO, removed: Vec::new() };
        shrinking.at = shrinking.violation_at();
        assert!(shrinking.run.fired(), "what is shrunk fails");
        Ok(shrinking)
    }

    /// When the target's violation first showed.
    fn violation_at(&self) -> Duration {
        let cause = self.trials.cause();
        let judged = self.run.verdicts.iter().filter(|judged| judged.id == cause.check);
        let named = judged.filter_map(|judged| match &judged.verdict {
            Judged::Violated(violations) => Some(violations.as_slice()),
            _ => None,
        });
        let unnamed = self.run.unnamed.iter().filter(|v| v.property == cause.check);
        let all = named.flatten().chain(unnamed).filter(|v| v.rule == cause.rule);
        let at = all.map(|violation| violation.at).min();
        at.map_or(self.run.ended_at.since(contract::SimTime::ZERO), |at| Duration(at.0))
    }

    /// The names that scenarios may use.
    pub(super) fn lab(&self) -> &Lab<'_> {
        self.trials.lab()
    }

    /// Notes what could go.
    pub(super) fn note(&mut self, gone: String) {
        self.removed.push(gone);
    }

    /// Tries a candidate, and keeps the best as it is.
    pub(super) fn ask(&mut self, candidate: &Draft) -> Verdict {
        self.trials.ask(candidate)
    }

    /// Keeps a candidate that still fails.
    pub(super) fn attempt(&mut self, candidate: Draft) -> Verdict {
        if candidate.hash() == self.best.hash() {
            return Verdict::Other("it is the same".to_owned());
        }
        let verdict = self.trials.ask(&candidate);
        if verdict == Verdict::Same {
            self.best = candidate;
            self.trials.rebase(&self.best);
        }
        (self.tell)(&self.best, self.trials.trials);
        verdict
    }

    pub(super) fn attempt_edit(&mut self, edit: impl FnOnce(&mut Draft)) -> bool {
        let mut candidate = self.best.clone();
        edit(&mut candidate);
        self.attempt(candidate) == Verdict::Same
    }

    /// Runs the best once more, to look at what happened in it.
    pub(super) fn look(&mut self) {
        let best = self.best.clone();
        if let Some((run, _)) = self.trials.run(&best) {
            assert!(run.fired(), "the best fails whenever it is run");
            self.run = run;
            self.at = self.violation_at();
        }
    }

    /// Leaves nothing but what the run needs: one check, no covers, no matrix.
    pub fn plain(&mut self) {
        let lists = |draft: &Draft| [draft.ids("check"), draft.ids("cover")].concat();
        let before = lists(&self.best);
        self.plain_attempts();
        let after = lists(&self.best);
        assert!(after.iter().all(|id| before.contains(id)), "no check is new");
        self.note_gone("check or cover", &before, &after);
    }

    /// Notes which of `before` are not among `after`.
    fn note_gone(&mut self, what: &str, before: &[String], after: &[String]) {
        let gone = before.iter().filter(|id| !after.contains(id));
        self.removed.extend(gone.map(|id| format!("{what} {id}")));
    }

    fn plain_attempts(&mut self) {
        let check = self.trials.cause().check.clone();
        let named = self.best.ids("check").contains(&check);
        let expected = self.subject.expected;
        self.attempt_edit(|draft| {
            for key in ["cover", "swarm", "report", "tags", "min_rate", "may_fail"] {
                draft.remove(key);
            }
            if named {
                draft.keep("check", |id| id == check);
            }
            if expected {
                draft.set_text("expect", "fail");
                draft.set_texts("caught_by", std::slice::from_ref(&check));
            } else {
                draft.remove("caught_by");
                draft.set_text("expect", "pass");
            }
        });
        for key in ["cover", "tags", "sweep", "phases", "recovery"] {
            if self.best.has(key) {
                self.attempt_edit(|draft| draft.remove(key));
            }
        }
    }

    /// Where the check asks for enough of something, it must stay the planted flaws that it misses
    /// it for: with fewer nodes and operations it might fire by itself.
    pub fn keep_flaws(&mut self) {
        let path = format!("check.{}.kind", self.trials.cause().check);
        let kind = self.best.text(&path).unwrap_or("invariant");
        if !["invariant", "linearizable"].contains(&kind) {
            self.trials.only_with_flaws(&self.best);
        }
    }

    /// Ends the run soon after the violation.
    pub fn shorten(&mut self) {
        self.look();
        let old = self.best.duration("budget.sim_time").unwrap_or(Duration::ZERO);
        let millisecond = 1_000_000;
        for slack_ms in [1, 100, 1_000, 5_000] {
            let end = (self.at.0 / millisecond + slack_ms) * millisecond;
            assert!(end > self.at.0, "the violation stays in the run");
            if end >= old.0 || self.attempt_edit(|draft| end_at(draft, Duration(end))) {
                return;
            }
        }
    }

    /// The smallest candidate so far that fails.
    #[must_use]
    pub fn best(&self) -> &Draft {
        &self.best
    }

    /// When the violation first showed in the run that was looked at last.
    #[must_use]
    pub fn at(&self) -> Duration {
        self.at
    }

    /// The smallest candidate so far, and its run.
    #[must_use]
    pub fn into_best(mut self) -> (Draft, Finished) {
        self.look();
        (self.best, self.run)
    }

    /// Takes away the faults that can go.
    pub fn faults(&mut self) {
        self.unroll();
        let ids = self.best.ids("fault");
        let base = self.best.clone();
        minimise(ids.len(), &mut |kept| {
            let mut candidate = base.clone();
            candidate.keep("fault", |id| kept.iter().any(|at| ids[*at] == id));
            self.attempt(candidate) == Verdict::Same
        });
        let left = self.best.ids("fault");
        assert!(left.iter().all(|id| ids.contains(id)), "no fault is new");
        self.note_gone("fault", &ids, &left);
        self.name_whole_groups();
    }

    /// Sides of partitions that list all of a group name the group.
    pub fn name_whole_groups(&mut self) {
        self.attempt_edit(Draft::name_whole_groups);
    }

    /// Writes faults out as they happened, as far as the run still fails then.
    pub fn unroll(&mut self) {
        self.look();
        let happened = happened(&self.run);
        let lab = self.trials.lab();
        let all = self.best.ids("fault");
        let unrolled = |ids: &[String], draft: &mut Draft| {
            ids.iter().for_each(|id| {
                draft.unroll(lab, id, &happened);
            });
        };
        if !self.attempt_edit(|draft| unrolled(&all, draft)) {
            for id in &all {
                self.attempt_edit(|draft| unrolled(std::slice::from_ref(id), draft));
            }
        }
    }

    /// Fewer nodes, from one on.
    pub fn nodes(&mut self) {
        for (group, count) in self.best.groups("nodes") {
            for fewer in 1..count {
                let drop = |draft: &mut Draft| (fewer..count).for_each(|_| draft.drop_node(&group));
                if self.attempt_edit(drop) {
                    let left = (group.clone(), fewer);
                    assert!(self.best.groups("nodes").contains(&left), "so many are left");
                    self.removed.push(format!("{} of {count} nodes of {group}", count - fewer));
                    break;
                }
            }
        }
    }

    /// Everything that may go by itself, one after the other; whether anything went.
    pub fn singles(&mut self) -> bool {
        let (before, removed) = (self.best.hash(), self.removed.len());
        for (what, candidate) in self.without_one() {
            if self.trials.is_over() {
                return false;
            }
            // Others may have gone since the list was made: make the step on the present best.
            let mut step = self.best.clone();
            candidate(&mut step);
            if self.attempt(step) == Verdict::Same {
                self.removed.push(what);
            }
        }
        if self.best.ops() > 0 {
            self.fewer_operations();
            while self.fewer_pairs() {
                self.fewer_operations();
            }
            self.fewer_clients();
        }
        let is_less = self.best.hash() != before;
        assert!(is_less || self.removed.len() == removed, "what went is not there any more");
        is_less
    }

    /// All single removals of the best: what it is, and how it is made.
    fn without_one(&self) -> Vec<(String, Step)> {
        let mut steps: Vec<(String, Step)> = Vec::new();
        for id in self.best.ids("fault") {
            let what = format!("fault {id}");
            steps.push((what, Box::new(move |draft| draft.keep("fault", |other| other != id))));
        }
        for defect in self.best.texts("defects") {
            let what = format!("defect {defect}");
            let step = move |draft: &mut Draft| {
                let left: Vec<String> =
                    draft.texts("defects").into_iter().filter(|name| *name != defect).collect();
                draft.set_texts("defects", &left);
            };
            steps.push((what, Box::new(step)));
        }
        for (group, count) in self.best.groups("nodes") {
            if count > 1 {
                let what = format!("node {group}/{count}");
                steps.push((what, Box::new(move |draft| draft.drop_node(&group))));
            }
        }
        let all = self.best.members();
        let on_side = |member: &&(String, usize, String), fault: &str, side: usize| {
            member.0 == fault && member.1 == side
        };
        for (fault, side, member) in all.iter().cloned() {
            if all.iter().filter(|other| on_side(other, &fault, side)).count() < 2 {
                continue;
            }
            let what = format!("{member} on side {side} of {fault}");
            let step = move |draft: &mut Draft| draft.remove_member(&fault, side, &member);
            steps.push((what, Box::new(step)));
        }
        for path in self.best.settings() {
            let what = format!("setting {path}");
            steps.push((what, Box::new(move |draft| draft.remove(&path))));
        }
        steps
    }

    /// What is drawn becomes constant where that does, and values are numbered from 1 on.
    pub fn simplify(&mut self) {
        for (path, constant) in self.best.constants() {
            self.attempt_edit(|draft| draft.set_constant(&path, &constant));
        }
        self.attempt_edit(|draft| {
            draft.sort_ops();
            draft.number_values();
        });
    }

    /// Times towards round numbers.
    pub fn times(&mut self) {
        let paths = self.best.times();
        let (ops, others): (Vec<String>, Vec<String>) =
            paths.into_iter().partition(|path| path.starts_with("op."));
        if ops.len() > OPS_ROUNDED_MAX {
            for step in ROUND {
                let set = |draft: &mut Draft| {
                    ops.iter().for_each(|path| round(draft, path, step, Duration(step.0 / 2)));
                };
                if self.attempt_edit(set) {
                    break;
                }
            }
        }
        let single = if ops.len() > OPS_ROUNDED_MAX { Vec::new() } else { ops };
        for path in others.into_iter().chain(single) {
            // The end may only come later, or the violation would be cut off.
            let bias = |step: Duration| match path.as_str() {
                "budget.sim_time" => Duration(step.0 - 1),
                _ => Duration(step.0 / 2),
            };
            for step in ROUND {
                let is_round = self.best.duration(&path).is_none_or(|t| t.0.is_multiple_of(step.0));
                let done = is_round || self.attempt_edit(|d| round(d, &path, step, bias(step)));
                if done || self.trials.is_over() {
                    break;
                }
            }
        }
    }

    /// Tries every single removal once more; whatever can go, goes. Returns what must stay, and
    /// what happens without it.
    pub fn certify(&mut self) -> Vec<String> {
        self.trials.last_part();
        loop {
            let mut needed = Vec::new();
            let mut went = false;
            for (what, candidate) in self.without_one() {
                let mut step = self.best.clone();
                candidate(&mut step);
                match self.attempt(step) {
                    Verdict::Same => {
                        self.removed.push(what);
                        went = true;
                    }
                    Verdict::Other(instead) => needed.push(format!("{what}: without it {instead}")),
                    Verdict::Spent => {
                        needed.push(format!("{what}: not tried, the budget was spent"))
                    }
                }
            }
            if self.best.ops() > 0 && !self.trials.is_over() {
                let before = self.best.ops();
                self.fewer_operations();
                went |= self.best.ops() < before;
            }
            if !went {
                needed.extend(self.certify_operations());
                return needed;
            }
        }
    }

    /// What came of it.
    #[must_use]
    pub fn end(mut self, needed: Vec<String>) -> Shrunk {
        let removed = std::mem::take(&mut self.removed);
        Shrunk::new(self.subject, &self.best, removed, needed, self.trials)
    }
}

/// An edit that takes one thing away.
type Step = Box<dyn Fn(&mut Draft)>;

/// Ends the run at `end`: what would come later goes.
pub fn end_at(draft: &mut Draft, end: Duration) {
    draft.set_duration("budget.sim_time", end);
    for (group, _) in draft.groups("clients") {
        let stop = format!("clients.{group}.stop");
        if draft.duration(&stop).is_some_and(|stop| stop >= end) {
            draft.remove(&stop);
        }
    }
    let late = |draft: &Draft, path: String| draft.duration(&path).is_some_and(|at| at >= end);
    let faults: Vec<String> =
        draft.ids("fault").into_iter().filter(|id| late(draft, format!("fault.{id}.at"))).collect();
    draft.keep("fault", |id| faults.iter().all(|late| late != id));
    let stays = |id: String| !late(draft, format!("fault.{id}.at"));
    assert!(draft.ids("fault").into_iter().all(stays), "what is left starts inside of the run");
    for id in draft.ids("fault") {
        let (at, length) = (format!("fault.{id}.at"), format!("fault.{id}.for"));
        let past = match (draft.duration(&at), draft.duration(&length)) {
            (Some(at), Some(length)) => at.0.saturating_add(length.0) > end.0,
            _ => false,
        };
        if past && !draft.has(&format!("fault.{id}.repeat")) {
            draft.remove(&length);
        }
    }
    let ops: Vec<bool> = (1..=draft.ops()).map(|n| !late(draft, format!("op.{n}.at"))).collect();
    if !ops.is_empty() {
        draft.keep_ops(|n| ops[n]);
        let in_time = ops.iter().filter(|in_time| **in_time).count();
        assert_eq!(draft.ops(), in_time, "what is sent in time stays, and nothing else");
    }
}

/// Rounds a time to a multiple of `step`, up from `bias` above the multiple below; never to
/// nothing.
fn round(draft: &mut Draft, path: &str, step: Duration, bias: Duration) {
    assert!(step > Duration::ZERO, "a multiple of something");
    assert!(bias < step, "a time is rounded to one of its neighbours");
    let Some(time) = draft.duration(path) else { return };
    let rounded = (time.0 + bias.0) / step.0 * step.0;
    let kept = if rounded == 0 && !path.ends_with(".at") { step.0 } else { rounded };
    assert_eq!(kept % step.0, 0, "it is round now");
    draft.set_duration(path, Duration(kept));
}
