//! The past that candidates have in common with the best so far.
//!
//! Most candidates are the best without a few operations or faults. Until the first of these would
//! have happened the two runs are one, so the trial begins at the last copy of the best's world
//! before that instant, with what is missing taken out of its future. What comes of it is what comes
//! of the candidate from the start; a test compares the digests.

use crate::run::Runner;
use crate::select::Roster;
use contract::{Duration, SimTime};
use scenario::Lab;
use scenario::edit::draft::Draft;
use scenario::plan::Plan;
use std::rc::Rc;

/// So many copies are kept of one past.
const COPIES: u64 = 16;

/// Copies of one run.
pub struct Past {
    draft: Draft,
    /// In the order of time.
    worlds: Vec<Runner>,
}

impl Past {
    /// Runs `draft`, keeping copies on the way; `None` when its world cannot be copied.
    #[must_use]
    pub fn record(lab: &Lab<'_>, draft: &Draft, events_max: u64) -> Option<Self> {
        let mut plan = draft.plan(lab)?;
        plan.budget.events = plan.budget.events.min(events_max);
        let end = plan.budget.sim_time;
        let roster = Rc::new(Roster::new(Rc::new(plan)));
        let mut world = Runner::new(&roster).ok()?;
        let mut worlds = Vec::new();
        for nth in 1..COPIES {
            world.go_until(SimTime::ZERO + Duration(end.0 / COPIES * nth));
            worlds.push(world.fork()?);
            if world.is_over() {
                break;
            }
        }
        assert!(worlds.is_sorted_by_key(Runner::now), "copies stand in the order of time");
        assert!(worlds.is_sorted_by_key(Runner::events), "and of events");
        Some(Self { draft: draft.clone(), worlds })
    }

    /// How many events the copies took.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.worlds.last().map_or(0, Runner::events)
    }

    /// A world from which `candidate`, whose plan is `plan`, goes on; `None` when it has no past in
    /// common that is worth anything.
    #[must_use]
    pub fn fork(&self, candidate: &Draft, plan: &Plan) -> Option<Runner> {
        let less = candidate.less_than(&self.draft)?;
        let before = |world: &&Runner| world.now() < less.first_at && !world.is_over();
        let mut world = self.worlds.iter().rev().find(before)?.fork()?;
        assert!(world.now() < less.first_at, "the two have this past in common");
        world.take_out(&less.faults, plan);
        Some(world)
    }
}
