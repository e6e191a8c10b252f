//! How long groups are without a leader once the world was left in peace.

use crate::checks::Leaderless;
use crate::select::Roster;
use contract::{Duration, Nodes, SimTime};
use scenario::TERMINATION;

/// Looks from the recovery on whether each group that is to have a leader has one.
#[derive(Clone)]
pub(super) struct Quiet {
    /// From when on; `None` where nobody asks.
    from: Option<SimTime>,
    groups: Vec<Leaderless>,
    /// Beside `groups`: since when each has had no leader.
    since: Vec<Option<SimTime>>,
}

impl Quiet {
    pub fn new(roster: &Roster) -> Self {
        let plan = roster.plan();
        let asked = plan.checks.iter().any(|check| check.kind == TERMINATION);
        let watched = roster.groups().filter_map(|group| {
            let plan = group.plan;
            let within = plan.system.leadership(plan.role, &plan.settings)?.within;
            let (longest, since) = (Duration::ZERO, SimTime::ZERO);
            Some(Leaderless { group: plan.name.clone(), longest, since, within })
        });
        let groups: Vec<Leaderless> = watched.collect();
        let is_any = asked && !groups.is_empty();
        Self {
            from: plan.recovery.map(|recovery| recovery.at).filter(|_| is_any),
            since: vec![None; groups.len()],
            groups,
        }
    }

    pub fn is_watching(&self, now: SimTime) -> bool {
        self.from.is_some_and(|from| now >= from)
    }

    pub fn longest(&self) -> &[Leaderless] {
        if self.from.is_some() { &self.groups } else { &[] }
    }

    /// Looks at the groups now.
    pub fn look(&mut self, now: SimTime, roster: &Roster, nodes: &dyn Nodes) {
        if !self.is_watching(now) {
            return;
        }
        assert_eq!(self.groups.len(), self.since.len(), "each group has its own beginning");
        for (seen, since) in self.groups.iter_mut().zip(&mut self.since) {
            let group = roster.group(&seen.group).expect("it is watched by its name");
            let plan = group.plan;
            let leadership = plan.system.leadership(plan.role, &plan.settings);
            let is_leaderless = leadership.expect("only such a group is watched").is_leaderless;
            if !is_leaderless(group.nodes, nodes) {
                *since = None;
                continue;
            }
            let began = *since.get_or_insert(now);
            let lasted = now.since(began);
            if lasted > seen.longest {
                (seen.longest, seen.since) = (lasted, began);
            }
        }
    }
}
