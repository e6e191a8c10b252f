//! Any model, by search.

use super::counterexample::sentence::Speaker;
use super::counterexample::{Budget, Judgement, Oracle, core_of, returned};
use super::register::counterexample;
use super::report::{Counterexample, Options, Report};
use super::rounds::{Tried, share_out};
use super::search::generic::{Event, ModelObject};
use super::search::object::Span;
use super::search::{Found, Limits, STEPS_SPENT, Search};
use crate::history::rank::{OPEN, Ranker};
use crate::history::split::{Share, Split, shares_by};
use crate::models::Model;
use contract::{Call, Op, Outcome, ReadLevel, Ret, SimTime};

/// Whether `ops` is linearizable under `model`. Operations that the model does not know and reads
/// that may be stale are not judged.
#[must_use]
pub fn check_model<M: Model>(model: &M, ops: &[Op], options: &Options<'_>) -> Report {
    let split = Split::by(ops, |op| is_judged(model, op), |call| model.part(call));
    let mut report = Report::new();
    let parts: Vec<(u64, &[Share])> = split.parts().collect();
    report.keys = parts.len() as u64;
    report.searched_keys = report.keys;
    let says = |share: &&Share| says_something(&ops[share.op as usize]);
    let told = |(_, shares): &(u64, &[Share])| shares.iter().filter(says).count() as u64;
    report.ops = parts.iter().map(told).sum();
    let short = share_out(options.search_steps_max, parts, |&(part, shares), steps_max| {
        let mut case = Case { model, ops, part, shares, budget: Budget::new() };
        let (found, steps) = case.search(|_| false, options.limits(steps_max));
        report.search_steps += steps;
        let tried = Tried::of(&found, steps);
        match found {
            Found::Linearizable(_) => {}
            Found::Undecided { .. } if tried.is_short => {}
            Found::Undecided { why } => report.leave_open(part, why),
            Found::NotLinearizable { .. } => {
                if report.refute(options) {
                    report.counterexamples.push(case.explain(options));
                }
            }
        }
        tried
    });
    short.iter().for_each(|(part, _)| report.leave_open(*part, STEPS_SPENT));
    report.sort();
    report
}

fn is_judged<M: Model>(model: &M, op: &Op) -> bool {
    match &op.call {
        Call::Get { read: ReadLevel::Stale, .. }
        | Call::BatchGet { read: ReadLevel::Stale, .. } => false,
        Call::BatchGet { .. } => true,
        call => model.part(call).is_some(),
    }
}

/// Whether `op` may have done or seen anything.
fn says_something(op: &Op) -> bool {
    let reads = matches!(op.call, Call::Get { .. } | Call::BatchGet { .. });
    match op.outcome {
        Outcome::Ok(_) => true,
        Outcome::Fail => false,
        Outcome::Unknown => !reads,
    }
}

/// One part of a history.
struct Case<'a, M> {
    model: &'a M,
    ops: &'a [Op],
    part: u64,
    shares: &'a [Share],
    budget: Budget,
}

impl<M: Model> Case<'_, M> {
    /// Searches with the operations of which `weak` holds taken as unknown.
    fn search(&self, weak: impl Fn(u32) -> bool, limits: Limits) -> (Found, u64) {
        let (events, spans) = self.events(weak);
        let object = ModelObject::new(self.model, self.part, &events);
        let mut search = Search::new(object, &spans);
        let found = search.run(limits);
        (found, search.steps())
    }

    fn events(&self, weak: impl Fn(u32) -> bool) -> (Vec<Event>, Vec<Span>) {
        let mut events: Vec<Event> = Vec::with_capacity(self.shares.len());
        let mut spans: Vec<Span> = Vec::with_capacity(self.shares.len());
        let mut ranker = Ranker::with_capacity(self.shares.len());
        for &share in self.shares {
            let op = &self.ops[share.op as usize];
            let (call, outcome) = view(op, share, weak(share.op));
            let is_known = matches!(outcome, Outcome::Ok(_));
            let ret_at = if is_known { op.ret_at } else { SimTime::MAX };
            let (by, call_at) = ((op.client, op.process), op.call_at);
            let event = Event { call, outcome, by, call_at, ret_at, ret: OPEN, op: share.op };
            let is_idle = !is_known && self.model.observes(&event.observed());
            if event.outcome == Outcome::Fail || is_idle {
                continue;
            }
            ranker.add(op.call_at.0, is_known.then_some(op.ret_at.0));
            spans.push(Span { call: 0, ret: OPEN });
            events.push(event);
        }
        ranker.finish(|number, is_return, rank| {
            let span = &mut spans[number as usize];
            *if is_return { &mut span.ret } else { &mut span.call } = rank;
        });
        for (event, span) in events.iter_mut().zip(&spans) {
            event.ret = span.ret;
        }
        (events, spans)
    }

    fn completed(&self) -> Vec<u32> {
        let is_done = |op: &u32| matches!(self.ops[*op as usize].outcome, Outcome::Ok(_));
        let mut completed: Vec<u32> = self.shares.iter().map(|s| s.op).filter(is_done).collect();
        completed.sort_unstable_by_key(|&op| returned(self.ops, op));
        completed.dedup();
        completed
    }

    fn explain(&mut self, options: &Options<'_>) -> Counterexample {
        let completed = self.completed();
        let core = core_of(self, self.ops, &completed, Judgement::Fails(None));
        let speaker = Speaker { ops: self.ops, options };
        let sentence = speaker.no_order(&core.strong);
        counterexample(self.ops, self.part, "no-order", sentence, core)
    }
}

impl<M: Model> Oracle for Case<'_, M> {
    fn judge(&mut self, strong: &[u32]) -> Judgement {
        let is_weak = |op: u32| strong.binary_search(&op).is_err();
        let mut budget = self.budget;
        let judgement = budget.judge(|limits| self.search(is_weak, limits));
        self.budget = budget;
        judgement
    }
}

/// Steps to find the order of a handful of operations.
const ORDER_STEPS_MAX: u64 = 100_000;

/// An order that explains the answers of `strong`, ascending, with the open operations that it
/// needs, as indexes into `ops`; empty when none is found.
pub(super) fn order_of_model<M: Model>(
    model: &M,
    ops: &[Op],
    part: u64,
    strong: &[u32],
) -> Vec<u32> {
    let about = |call: &Call| model.part(call);
    let shares = shares_by(ops, part, |op| is_judged(model, op), about);
    let case = Case { model, ops, part, shares: &shares, budget: Budget::new() };
    let is_weak = |op: u32| strong.binary_search(&op).is_err();
    let (events, _) = case.events(is_weak);
    match case.search(is_weak, Limits::steps(ORDER_STEPS_MAX)).0 {
        Found::Linearizable(order) => {
            order.into_iter().map(|event| events[event as usize].op).collect()
        }
        _ => Vec::new(),
    }
}

/// One key's share of an operation as an operation of its own.
pub(super) fn view(op: &Op, share: Share, weak: bool) -> (Call, Outcome) {
    let outcome = match &op.outcome {
        Outcome::Ok(_) if weak => Outcome::Unknown,
        outcome => outcome.clone(),
    };
    let Call::BatchGet { keys, read } = &op.call else {
        return (op.call.clone(), outcome);
    };
    let call = Call::Get { key: keys[share.item as usize], read: *read };
    let Outcome::Ok(Ret::Batch { values }) = &outcome else {
        return (call, outcome);
    };
    let ret = match values.get(share.item as usize) {
        Some(Some(value)) if values.len() == keys.len() => {
            Ret::Found { value: *value, version: 0, stale: false }
        }
        Some(None) if values.len() == keys.len() => Ret::Missing,
        _ => Ret::Batch { values: Vec::new() },
    };
    (call, Outcome::Ok(ret))
}

/// Searches the one part of a small history.
#[cfg(test)]
pub(super) fn search_model<M: Model>(model: &M, ops: &[Op]) -> Found {
    let split = Split::by(ops, |op| is_judged(model, op), |call| model.part(call));
    let (part, shares) = split.parts().next().expect("a history is about something");
    let case = Case { model, ops, part, shares, budget: Budget::new() };
    case.search(|_| false, Limits::steps(1_000_000)).0
}
