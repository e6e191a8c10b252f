//! The same run on another simulator, node by node and operation by operation.
//!
//! The faults of a run are resolved by our engine first; the other simulator plays the script that
//! the run left behind. If every node has the digest that it has here, each of them saw the same
//! inputs at the same instants, so every verdict of the run is a verdict on both.

use crate::load::Load;
use crate::panics;
use crate::run::{Ended, Finished};
use crate::select::Roster;
use crate::world::{self, Seats};
use contract::{NodeId, Op, OpId, SimTime};
use engine::Workload;
use engine::hosting::{Harvest, HostError, HostResult, HostRun, Parts, Simulator, run_here};
use scenario::plan::Plan;
use std::rc::Rc;

/// What two simulators that agree have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Equal {
    /// Nodes with equal digests.
    pub nodes: usize,
    /// Operations with equal answers at equal times.
    pub ops: usize,
    /// Events.
    pub events: u64,
}

/// Why two simulators could not be shown to agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unequal {
    /// The other one did not run, and why.
    NotRun(HostError),
    /// The run was cut short, so where it ended is no instant of the plan.
    CutShort(&'static str),
    /// What the other one did counts for nothing, and why.
    Void(String),
    /// They differ; where first.
    Differs(String),
}

/// Repeats `here`, which our engine ran, on `simulator`, and compares.
///
/// # Errors
/// When they differ, or when it cannot be told.
pub fn compare(here: &Finished, simulator: &dyn Simulator) -> Result<Equal, Unequal> {
    if here.ended != Ended::InTime {
        return Err(Unequal::CutShort(here.ended.reason().unwrap_or("it was cut short")));
    }
    let there = repeat(here, false, &|run| simulator.run_exact(run)).map_err(Unequal::NotRun)?;
    if there.late > 0 {
        return Err(Unequal::Void(format!("{} parcels came too late", there.late)));
    }
    if !there.problems.is_empty() {
        return Err(Unequal::Void(there.problems.join("; ")));
    }
    if there.node_digests != here.node_digests {
        return Err(Unequal::Differs(first_difference(here, simulator)));
    }
    let ops = there.harvest.downcast_ref::<Vec<Op>>().expect("the operations were harvested");
    let differs = anonymous(&here.ops).into_iter().zip(ops).find(|(one, two)| one != *two);
    if let Some((one, two)) = differs {
        return Err(Unequal::Differs(format!("an operation: {one:?} here, {two:?} there")));
    }
    if here.ops.len() != ops.len() {
        let counts = (here.ops.len(), ops.len());
        return Err(Unequal::Differs(format!("{} operations here, {} there", counts.0, counts.1)));
    }
    Ok(Equal { nodes: here.node_digests.len(), ops: ops.len(), events: there.events })
}

type Run<'r> = &'r dyn Fn(&HostRun<'_>) -> Result<HostResult, HostError>;

/// Runs the plan and the script of a run again.
fn repeat(here: &Finished, traced: bool, run: Run<'_>) -> Result<HostResult, HostError> {
    let config = world::config(&here.roster);
    let plan: &Plan = &here.plan;
    run(&HostRun {
        config: &config,
        parts: &|| parts(plan),
        script: &here.script,
        until: SimTime::ZERO + plan.budget.sim_time,
        harvest: &|loads| harvest(loads),
        traced,
    })
}

/// Boots and load of a plan, made on the thread that uses them.
fn parts(plan: &Plan) -> Parts {
    panics::keep_quiet();
    let load = Load::new(plan.seed, &plan.groups).apart(true);
    let roster = Rc::new(Roster::new(Rc::new(plan.clone())));
    Parts { boot: Rc::new(Seats::new(roster)), workload: Box::new(load) }
}

/// The operations of all clients, each taken from its own copy of the load.
fn harvest(loads: &[&dyn Workload]) -> Harvest {
    let mut ops = Vec::new();
    for (index, load) in loads.iter().enumerate() {
        let load = load.as_any().downcast_ref::<Load>().expect("the run was given a Load");
        let client = NodeId(index as u32);
        ops.extend(load.history().into_iter().filter(|op| op.client == client));
    }
    Box::new(anonymous(&ops))
}

/// Operations without their ids, which are numbered over all clients, by client and time.
fn anonymous(ops: &[Op]) -> Vec<Op> {
    let mut ops: Vec<Op> = ops.iter().map(|op| Op { id: OpId(0), ..op.clone() }).collect();
    ops.sort_by_key(|op| (op.client, op.call_at, op.process));
    ops
}

/// The first event that a node sees on one of the two alone.
fn first_difference(here: &Finished, simulator: &dyn Simulator) -> String {
    let both = repeat(here, true, &run_here)
        .and_then(|one| Ok((one, repeat(here, true, &|run| simulator.run_exact(run))?)));
    let (one, two) = match both {
        Ok(both) => both,
        Err(error) => return error.to_string(),
    };
    let differs = |node: usize| {
        let (one, two) = (&one.events_of[node], &two.events_of[node]);
        let at = (0..one.len().max(two.len())).find(|at| one.get(*at) != two.get(*at))?;
        Some((node, one.get(at), two.get(at)))
    };
    let first = (0..one.events_of.len())
        .filter_map(differs)
        .min_by_key(|(_, one, two)| one.or(*two).map(|event| event.at));
    let Some((node, one, two)) = first else {
        return "the script does not repeat the run on our own engine".to_owned();
    };
    let show = |event: Option<&engine::Event>| match event {
        Some(event) => {
            let from = here.roster.name(event.src);
            format!("{} {:?} from {from}, {} B", event.at, event.kind, event.len_bytes)
        }
        None => "nothing".to_owned(),
    };
    let name = here.roster.name(NodeId(node as u32));
    format!("at {name}: `{}` here, `{}` there", show(one), show(two))
}
