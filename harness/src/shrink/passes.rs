//! The reductions, each a series of candidates that are kept when they still fail.

use super::chunks::minimise;
use super::happened::{core, happened, listed};
use super::minimal::Shrunk;
use super::subject::Subject;
use super::trial::{Trials, Verdict};
use crate::run::Finished;
use crate::scenario::Lab;
use crate::scenario::draft::Draft;
use contract::{Duration, Verdict as Judged};
use std::collections::{BTreeMap, BTreeSet};

/// From so many single operations on, only a part of them is tried one by one.
const OPS_SINGLE_MAX: usize = 400;

/// Of so many operations, pairs are tried.
const OPS_PAIRED_MAX: usize = 150;

/// And so many pairs at a time, at most.
const PAIRS_MAX: u64 = 400;

/// Every so many-th operation alone, the thinnest first: a load is often heavy for the sake of
/// likelihood alone.
const THINNED: [usize; 6] = [4096, 1024, 256, 64, 16, 4];

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
    trials: &'s mut Trials<'a>,
    tell: &'t mut dyn FnMut(&Draft, u64),
    best: Draft,
    /// The run of `best`.
    run: Finished,
    /// When the violation showed in it.
    at: Duration,
    removed: Vec<String>,
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

    fn attempt_edit(&mut self, edit: impl FnOnce(&mut Draft)) -> bool {
        let mut candidate = self.best.clone();
        edit(&mut candidate);
        self.attempt(candidate) == Verdict::Same
    }

    /// Runs the best once more, to look at what happened in it.
    fn look(&mut self) {
        let best = self.best.clone();
        if let Some((run, _)) = self.trials.run(&best) {
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

    /// Ends the run soon after the violation.
    pub fn shorten(&mut self) {
        self.look();
        let old = self.best.duration("budget.sim_time").unwrap_or(Duration::ZERO);
        let millisecond = 1_000_000;
        for slack_ms in [1, 100, 1_000, 5_000] {
            let end = (self.at.0 / millisecond + slack_ms) * millisecond;
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
                    self.removed.push(format!("{} of {count} nodes of {group}", count - fewer));
                    break;
                }
            }
        }
    }

    /// Lists the operations as they happened, and takes away what can go: first everything but
    /// what the violation names, then everything on other keys, then part by part.
    pub fn operations(&mut self) {
        self.look();
        if self.best.ops() == 0 {
            let listed = listed(&self.run);
            if !self.attempt_edit(|draft| draft.set_ops(&listed)) {
                return;
            }
            self.look();
        }
        let keys = self.best.op_keys();
        let core = core(&self.run);
        let times: BTreeSet<(u64, u64)> = self
            .run
            .ops
            .iter()
            .filter(|op| core.contains(&op.id))
            .map(|op| (op.call_at.0, op.call.key().unwrap_or(u64::MAX)))
            .collect();
        let at = |draft: &Draft, n: usize| draft.duration(&format!("op.{}.at", n + 1));
        let base = self.best.clone();
        let in_core: Vec<bool> = (0..keys.len())
            .map(|n| at(&base, n).is_some_and(|at| times.contains(&(at.0, keys[n]))))
            .collect();
        let core_keys: BTreeSet<u64> = times.iter().map(|(_, key)| *key).collect();
        let _ = self.attempt_edit(|draft| draft.keep_ops(|n| in_core[n]))
            || self.attempt_edit(|draft| draft.keep_ops(|n| core_keys.contains(&keys[n])))
            || THINNED.into_iter().any(|step| {
                step < keys.len() && self.attempt_edit(|draft| draft.keep_ops(|n| n % step == 0))
            });
        self.fewer_operations();
        self.list_again();
        self.fewer_clients();
        let (before, after) = (keys.len(), self.best.ops());
        if after < before {
            self.removed.push(format!("{} of {before} operations", before - after));
        }
    }

    /// Lists the operations as they are sent now: with others gone, some wait less.
    fn list_again(&mut self) {
        self.look();
        let listed = listed(&self.run);
        if self.attempt_edit(|draft| draft.set_ops(&listed)) {
            self.fewer_operations();
        }
    }

    /// Two operations at once, where no single one can go: what counts may be that two sides did
    /// equally much. Whether any went.
    fn fewer_pairs(&mut self) -> bool {
        let before = self.best.ops();
        if before > OPS_PAIRED_MAX {
            return false;
        }
        let mut first = 0;
        let last_trial = self.trials.trials + PAIRS_MAX;
        while first < self.best.ops() && self.trials.trials < last_trial {
            let ops = self.best.ops();
            let without = |second: usize| {
                move |draft: &mut Draft| draft.keep_ops(|n| n != first && n != second)
            };
            // The far end first: the two sides are rarely next to each other.
            let went = (first + 1..ops).rev().any(|second| {
                self.trials.trials < last_trial && self.attempt_edit(without(second))
            });
            first += usize::from(!went);
        }
        self.best.ops() < before
    }

    fn fewer_operations(&mut self) {
        let base = self.best.clone();
        minimise(base.ops(), &mut |kept| {
            let kept: BTreeSet<usize> = kept.iter().copied().collect();
            let mut candidate = base.clone();
            candidate.keep_ops(|n| kept.contains(&n));
            self.attempt(candidate) == Verdict::Same
        });
    }

    /// Only as many clients as are asked for something; and, where that works, the same client.
    fn fewer_clients(&mut self) {
        for (group, _) in self.best.groups("clients") {
            let clients = self.best.op_clients();
            let mine = clients.iter().filter(|client| client.starts_with(&format!("{group}/")));
            let mine: BTreeSet<&String> = mine.collect();
            if mine.is_empty() {
                continue;
            }
            let number = |client: &&String| client.rsplit('/').next()?.parse::<u64>().ok();
            let most = mine.iter().filter_map(number).max().unwrap_or(1);
            let path = format!("clients.{group}.count");
            let mut numbered: Vec<&String> = mine.iter().copied().collect();
            numbered.sort_by_key(number);
            let dense: BTreeMap<String, String> = numbered
                .iter()
                .enumerate()
                .map(|(n, client)| ((*client).clone(), format!("{group}/{}", n + 1)))
                .collect();
            let _ = self.attempt_edit(|draft| {
                draft.rename_clients(&dense);
                draft.set_count(&path, dense.len() as u64);
            }) || self.attempt_edit(|draft| draft.set_count(&path, most));
        }
    }

    /// Everything that may go by itself, one after the other; whether anything went.
    pub fn singles(&mut self) -> bool {
        let before = self.best.hash();
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
        self.best.hash() != before
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

    fn certify_operations(&mut self) -> Vec<String> {
        let ops = self.best.ops();
        if ops > OPS_SINGLE_MAX {
            return vec![format!("{ops} operations: single ones were not tried")];
        }
        let mut needed = Vec::new();
        for n in 0..ops {
            let mut step = self.best.clone();
            step.keep_ops(|other| other != n);
            if let Verdict::Other(instead) = self.trials.ask(&step) {
                needed.push(format!("operation {}: without it {instead}", n + 1));
            }
        }
        needed
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
    }
}

/// Rounds a time to a multiple of `step`, up from `bias` above the multiple below; never to
/// nothing.
fn round(draft: &mut Draft, path: &str, step: Duration, bias: Duration) {
    let Some(time) = draft.duration(path) else { return };
    let rounded = (time.0 + bias.0) / step.0 * step.0;
    let kept = if rounded == 0 && !path.ends_with(".at") { step.0 } else { rounded };
    draft.set_duration(path, Duration(kept));
}
