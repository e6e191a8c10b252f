//! Kinds of checks, one file each. To add one: write its file, add its row to [`CHECKS`].
//!
//! A check judges a finished run. What must be watched while the run goes on (invariants after
//! every event, predicates that must come to hold) is recorded by the runner and read here.

mod bound;
mod converge;
mod count;
mod final_value;
pub mod invariant;
mod level;
mod linearizable_check;
mod measured;
pub mod op_cost;
mod quantile;
mod rate;
mod reach;
mod sessions;
mod slope;
mod termination;

#[cfg(test)]
mod tests;

use crate::director::Occurrence;
use crate::measure::{Measured, Wanted};
use crate::select::Roster;
use catalog::{Property, Verdict, Violation};
use contract::{Duration, NodeId, Op, OpId, SimTime};
use engine::hosting::Timed;
use scenario::kinds::CheckRow;
use scenario::plan::{CheckPlan, Phase, Plan};
use scenario::syntax::units::Measure;
use std::collections::BTreeMap;

/// A kind of check.
pub trait CheckKind: Sync {
    /// Name, help and fields, what it limits and what it looks at.
    fn row(&self) -> CheckRow;
    /// What it holds, for a check of this kind.
    fn property(&self, check: &CheckPlan, run: &RunData<'_>) -> Property;
    /// What has to be measured for it while the run goes on.
    fn wanted(&self, _check: &CheckPlan, _plan: &Plan) -> Wanted {
        Wanted::default()
    }
    /// Judges a finished run.
    fn judge(&self, check: &CheckPlan, run: &RunData<'_>) -> Verdict;
    /// What was measured, in a few words, whatever the verdict; empty where there is no figure.
    fn measured(&self, _check: &CheckPlan, _run: &RunData<'_>) -> String {
        String::new()
    }
    /// The quantiles, shares and rates that it bounds, as they were in the run: what varies from seed
    /// to seed, so that a bound may be too near to it.
    fn figures(&self, _check: &CheckPlan, _run: &RunData<'_>) -> Vec<Figure> {
        Vec::new()
    }
}

/// A figure that a check bounds. Whole numbers: nanoseconds, counts, parts per million of a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure {
    /// The field of the bound: `p99`, `max`.
    pub bound: &'static str,
    /// What it was in the run.
    pub measured: u64,
    /// What the bound says.
    pub allowed: u64,
    /// Whether that is the most or the least that is allowed.
    pub is_most: bool,
}

/// The kinds of the house; a user's binary adds its own, see [`crate::kinds`].
pub const CHECKS: &[&dyn CheckKind] = &[
    &linearizable_check::Linearizable,
    &sessions::Sessions,
    &sessions::Staleness,
    &invariant::InvariantCheck,
    &converge::Converge,
    &termination::Termination,
    &reach::Reach,
    &final_value::Final,
    &bound::Bound,
    &level::Level,
    &count::Count,
    &rate::Rate,
    &quantile::Quantile,
    &slope::Slope,
    &op_cost::OpCost,
];

pub use scenario::SETTLED;

/// What a check sees of a finished run.
pub struct RunData<'a> {
    /// The plan that was run.
    pub plan: &'a Plan,
    /// The nodes by name.
    pub roster: &'a Roster,
    /// All operations, by id.
    pub ops: &'a [Op],
    /// When clients gave up operations whose outcome is unknown; those that are not here were still
    /// in flight at the end.
    pub given_up: &'a [(OpId, SimTime)],
    /// The longest time without a leader since the recovery, of each group that is to have one.
    pub leaderless: &'a [Leaderless],
    /// What invariants reported, in the order of time.
    pub violations: &'a [Violation],
    /// How often each property was violated, those included that were not kept.
    pub violated: &'a BTreeMap<&'static str, u64>,
    /// The invariants that were watched.
    pub watched: &'a [Watched],
    /// Every occurrence of a fault.
    pub occurrences: &'a [Occurrence],
    /// What the faults did to the world, in the order of time.
    pub script: &'a [Timed],
    /// What was measured for the checks.
    pub measured: Measured<'a>,
    /// For each `converge` check, what came of it.
    pub converged: &'a BTreeMap<String, Converged>,
    /// When the run ended.
    pub ended_at: SimTime,
    /// Why it ended before its time; `None` when it ran to its end.
    pub cut_short: Option<&'a str>,
}

/// How long a group had no leader although its nodes could elect one.
#[derive(Clone, Debug)]
pub struct Leaderless {
    /// The group.
    pub group: String,
    /// The longest time at a stretch.
    pub longest: Duration,
    /// When that began.
    pub since: SimTime,
    /// How long it may be.
    pub within: Duration,
}

/// An invariant at the end of a run.
#[derive(Clone, Debug)]
pub struct Watched {
    /// What it holds.
    pub property: Property,
    /// How many things it judged.
    pub looked: u64,
    /// What it counted, for reports.
    pub measured: String,
}

/// What came of waiting for predicates to hold.
#[derive(Clone, Debug)]
pub enum Converged {
    /// The moment to wait from never came.
    NeverBegan,
    /// They held at the given time.
    At {
        /// The moment waited from.
        from: SimTime,
        /// When all predicates were first seen to hold.
        held: SimTime,
    },
    /// They did not hold in time.
    Not {
        /// The moment waited from.
        from: SimTime,
        /// When waiting ended.
        until: SimTime,
        /// The predicates that did not hold at that time, and what the system says is pending.
        missing: Vec<String>,
    },
}

impl RunData<'_> {
    /// The name of a node.
    #[must_use]
    pub fn name(&self, node: NodeId) -> &str {
        self.roster.name(node)
    }

    /// The operations of a group of clients.
    pub fn ops_of<'a>(&'a self, clients: &str) -> impl Iterator<Item = &'a Op> {
        let group = self.roster.group(clients);
        let group = group.expect("the compiler accepts existing clients only");
        self.ops.iter().filter(move |op| group.nodes.contains(&op.client))
    }

    /// A phase by name.
    #[must_use]
    pub fn phase(&self, name: &str) -> Option<&Phase> {
        self.plan.phases.iter().find(|phase| phase.name == name)
    }
}

/// When a moment is that is known before the run: a time, or the start or the end of a phase; a
/// phase alone is its start.
#[must_use]
pub fn known_moment(plan: &Plan, moment: &str) -> Option<SimTime> {
    let phase = |name: &str| plan.phases.iter().find(|phase| phase.name == name);
    match moment.rsplit_once('.') {
        Some((name, "start")) if phase(name).is_some() => phase(name).map(|phase| phase.start),
        Some((name, "end")) if phase(name).is_some() => phase(name).map(|phase| phase.end),
        _ => phase(moment)
            .map(|phase| phase.start)
            .or_else(|| Measure::Duration.parse(moment).ok().map(SimTime)),
    }
}
