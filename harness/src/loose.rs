//! A run on another simulator's own network, with its own faults, judged by the same checks.
//!
//! The nodes see another run there, so no digest can be equal; what is compared is what the checks
//! say. Faults are those that our engine resolved. Checks that need what only our runner records
//! are not judged.

use crate::checks::RunData;
use crate::kinds::Kinds;
use crate::load::Load;
use crate::measure::{Marked, Measured};
use crate::observe::Watch;
use crate::panics;
use crate::run::Finished;
use crate::select::Roster;
use crate::world::{self, Seats};
use catalog::Verdict;
use contract::{Mark, NodeId, Nodes, Op, OpId, Outcome, SimTime};
use engine::hosting::{Harvest, HostError, LooseParts, LooseRun, Parts, Simulator};
use engine::{Control, Observer, Workload};
use scenario::plan::{CheckPlan, Plan};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What came of a run on another simulator.
#[derive(Clone, Debug)]
pub struct Loose {
    /// For each check that was judged: (id, what it says there).
    pub verdicts: Vec<(String, Verdict)>,
    /// Checks that were not judged.
    pub unjudged: Vec<String>,
    /// What the scenario asks for and the simulator does not offer.
    pub skipped: Vec<String>,
    /// What went wrong with the run itself.
    pub problems: Vec<String>,
    /// Operations that ended with an answer.
    pub answered: usize,
    /// Events.
    pub events: u64,
}

/// What is taken from the thread of the run.
struct Judged {
    verdicts: Vec<(String, Verdict)>,
    answered: usize,
}

/// Runs the plan and the faults of `here` on `simulator`.
///
/// # Errors
/// When the simulator is not there, has no such mode or fails.
pub fn run(here: &Finished, simulator: &dyn Simulator) -> Result<Loose, HostError> {
    let config = world::config(&here.roster);
    let plan: &Plan = &here.plan;
    let result = simulator.run_loose(&LooseRun {
        config: &config,
        parts: &|| parts(plan),
        script: &here.script,
        until: SimTime::ZERO + plan.budget.sim_time,
    })?;
    let judged = result.harvest.downcast::<Judged>().expect("the run was judged");
    let kinds = Kinds::of(plan);
    let unjudged = plan.checks.iter().filter(|check| !is_judged(kinds, check));
    Ok(Loose {
        verdicts: judged.verdicts,
        unjudged: unjudged.map(|check| check.id.clone()).collect(),
        skipped: result.skipped,
        problems: result.problems,
        answered: judged.answered,
        events: result.events,
    })
}

/// Whether a check can be judged by what an observer of another simulator sees.
fn is_judged(kinds: &Kinds, check: &CheckPlan) -> bool {
    let kind = kinds.check(check.kind).expect("the compiler accepts known kinds only");
    kind.row().looks_at.is_on_any_host()
}

/// Everything that a run needs on its own thread.
fn parts(plan: &Plan) -> LooseParts {
    panics::keep_quiet();
    let roster = Rc::new(Roster::new(Rc::new(plan.clone())));
    let workload = Box::new(Load::new(plan.seed, &plan.groups).apart(true));
    let watch = Rc::new(RefCell::new(Watch::new(Rc::clone(&roster))));
    LooseParts {
        parts: Parts { boot: Rc::new(Seats::new(Rc::clone(&roster))), workload },
        observer: Box::new(Shared(Rc::clone(&watch))),
        judge: Box::new(move |loads| judge(&roster, &watch.borrow(), loads)),
    }
}

fn judge(roster: &Roster, watch: &Watch, loads: &[&dyn Workload]) -> Harvest {
    let plan = roster.plan();
    let ops = history(loads);
    let watched: Vec<_> = watch.watched().collect();
    let marks: Vec<Marked> = watch.marks.iter().copied().collect();
    let (extremes, samples) = (watch.extremes.seen(), BTreeMap::new());
    let data = RunData {
        plan,
        roster,
        ops: &ops,
        given_up: &[],
        leaderless: &[],
        violations: &watch.violations,
        violated: &watch.violated,
        watched: &watched,
        occurrences: &[],
        script: &[],
        measured: Measured {
            marks: &marks,
            marks_lost: watch.marks_lost,
            extremes: &extremes,
            samples: &samples,
        },
        converged: &BTreeMap::new(),
        ended_at: SimTime::ZERO + plan.budget.sim_time,
        cut_short: None,
    };
    let kinds = Kinds::of(plan);
    let judged = plan.checks.iter().filter(|check| is_judged(kinds, check));
    let verdicts = judged.map(|check| {
        let kind = kinds.check(check.kind).expect("the compiler accepts known kinds only");
        (check.id.clone(), kind.judge(check, &data))
    });
    let verdicts = verdicts.collect();
    let answered = ops.iter().filter(|op| op.outcome != Outcome::Unknown).count();
    Box::new(Judged { verdicts, answered })
}

/// The operations of all clients, each from its own copy of the load, numbered in the order of
/// their invocation.
fn history(loads: &[&dyn Workload]) -> Vec<Op> {
    let mut ops = Vec::new();
    for (index, load) in loads.iter().enumerate() {
        let load = load.as_any().downcast_ref::<Load>().expect("the run was given a Load");
        let client = NodeId(index as u32);
        ops.extend(load.history().into_iter().filter(|op| op.client == client));
    }
    ops.sort_by_key(|op| (op.call_at, op.client));
    for (id, op) in ops.iter_mut().enumerate() {
        op.id = OpId(id as u64);
    }
    ops
}

/// The observer that the run has, and of which the judge keeps a share.
struct Shared(Rc<RefCell<Watch>>);

impl Observer for Shared {
    fn on_mark(&mut self, at: SimTime, node: NodeId, mark: Mark, nodes: &dyn Nodes) -> Control {
        self.0.borrow_mut().on_mark(at, node, mark, nodes)
    }
    fn on_complete(&mut self, at: SimTime, client: NodeId, op: OpId, outcome: &Outcome) -> Control {
        self.0.borrow_mut().on_complete(at, client, op, outcome)
    }
    fn after_event(&mut self, at: SimTime, touched: NodeId, nodes: &dyn Nodes) -> Control {
        self.0.borrow_mut().after_event(at, touched, nodes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::CheckKind;
    use crate::kinds::{CheckRow, LooksAt, Own, Row};
    use catalog::{Property, Settings};

    /// A user's check that looks at what its row says.
    struct Users(&'static str, LooksAt);

    impl CheckKind for Users {
        fn row(&self) -> CheckRow {
            let row = Row { name: self.0, about: "for the test", fields: &[] };
            CheckRow { looks_at: self.1, ..CheckRow::of(row) }
        }
        fn property(&self, _: &CheckPlan, _: &RunData<'_>) -> Property {
            Property { name: self.0, about: "for the test", source: "nowhere" }
        }
        fn judge(&self, _: &CheckPlan, _: &RunData<'_>) -> Verdict {
            Verdict::Ok
        }
    }

    #[test]
    fn the_row_of_a_kind_says_whether_another_host_can_judge_it() {
        static OF_HISTORY: Users = Users("of-history", LooksAt::History);
        static OF_RUN: Users = Users("of-run", LooksAt::Run);
        let kinds =
            Kinds::with(Own { checks: const { &[&OF_HISTORY, &OF_RUN] }, ..Own::default() });
        let judged = |kind: &'static str| {
            let fields = Settings::default();
            is_judged(kinds, &CheckPlan { id: kind.to_owned(), kind, fields })
        };
        assert!(judged("of-history") && !judged("of-run"));
        for kind in ["linearizable", "sessions", "staleness", "invariant"] {
            assert!(judged(kind), "{kind}");
        }
        assert!(!judged("converge") && !judged("quantile"));
    }
}
