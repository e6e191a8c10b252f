//! Gauges that are looked at from time to time.

use super::RowOf;
use crate::select::Roster;
use contract::{Duration, NodeId, Nodes, SimTime};
use scenario::plan::Plan;
use std::collections::BTreeMap;

/// When a gauge is looked at. The runner looks every 10 ms of simulated time, so that is how exact
/// these times are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// From one instant to another, evenly.
    Every {
        /// The first instant.
        from: SimTime,
        /// Not any more at this one.
        until: SimTime,
        /// The time between two looks.
        every: Duration,
    },
    /// Once, at a moment of the scenario file, or at the end of the run where that comes first.
    Once {
        /// The moment.
        at: String,
    },
    /// At every look for a while after a moment.
    After {
        /// The moment.
        moment: String,
        /// How long.
        within: Duration,
    },
}

/// What a gauge was at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When.
    pub at: SimTime,
    /// Where.
    pub node: NodeId,
    /// Which gauge: a row of the table of the node's system.
    pub row: usize,
    /// Its value.
    pub value: u64,
}

/// All gauges that are looked at from time to time.
#[derive(Clone, Default)]
pub struct Sampler {
    tracks: Vec<Track>,
}

#[derive(Clone)]
struct Track {
    check: String,
    row: RowOf,
    schedule: Schedule,
    /// When the next look is due, once that is known.
    next_at: Option<SimTime>,
    /// When looking ends, once that is known.
    until: SimTime,
    over: bool,
    taken: Vec<Sample>,
}

impl Sampler {
    /// What the checks of `plan` ask for.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let wanted = super::wanted(plan).into_iter();
        let tracks = wanted.filter_map(|(check, wanted)| {
            let (row, schedule) = wanted.samples?;
            let (next_at, until) = match &schedule {
                Schedule::Every { from, until, .. } => (Some(*from), *until),
                Schedule::Once { .. } | Schedule::After { .. } => (None, SimTime::MAX),
            };
            let (check, taken) = (check.id.clone(), Vec::new());
            Some(Track { check, row, schedule, next_at, until, over: false, taken })
        });
        Self { tracks: tracks.collect() }
    }

    /// Whether there is nothing more to look at.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.tracks.iter().all(|track| track.over)
    }

    /// Looks at what is due; `moment` tells when a moment was, if it has come.
    pub fn look(
        &mut self,
        now: SimTime,
        moment: impl Fn(&str) -> Option<SimTime>,
        roster: &Roster,
        nodes: &dyn Nodes,
    ) {
        for track in self.tracks.iter_mut().filter(|track| !track.over) {
            track.begin(&moment);
            let is_due = track.next_at.is_some_and(|at| at <= now);
            if is_due && now < track.until {
                track.take(now, roster, nodes);
            }
            track.over |= is_due && now >= track.until;
        }
    }

    /// Looks for the last time, at the end of the run.
    pub fn finish(&mut self, now: SimTime, roster: &Roster, nodes: &dyn Nodes) {
        let once = |track: &&mut Track| matches!(track.schedule, Schedule::Once { .. });
        for track in self.tracks.iter_mut().filter(once).filter(|track| !track.over) {
            track.take(now, roster, nodes);
        }
    }

    /// What was seen, by the id of the check.
    #[must_use]
    pub fn taken(&self) -> BTreeMap<String, Vec<Sample>> {
        let taken = self.tracks.iter();
        taken.map(|track| (track.check.clone(), track.taken.clone())).collect()
    }
}

impl Track {
    /// Learns when to begin, once the moment has come.
    fn begin(&mut self, moment: impl Fn(&str) -> Option<SimTime>) {
        if self.next_at.is_some() {
            return;
        }
        match &self.schedule {
            Schedule::Every { .. } => {}
            Schedule::Once { at } => self.next_at = moment(at),
            Schedule::After { moment: from, within } => {
                self.next_at = moment(from);
                // The last look is at the end of the time or just after it.
                let slack = Duration::from_millis(10);
                self.until = self.next_at.map_or(SimTime::MAX, |at| at + *within + slack);
            }
        }
    }

    /// Looks at every node that has the gauge. Growth is explained by whatever else grew beside
    /// it, so an even schedule takes all gauges of the system.
    fn take(&mut self, now: SimTime, roster: &Roster, nodes: &dyn Nodes) {
        let (name, row) = self.row;
        let is_even = matches!(self.schedule, Schedule::Every { .. });
        let mine = roster.groups().filter(|group| group.plan.system.name() == name);
        for group in mine {
            let system = group.plan.system;
            let rows = if is_even { 0..system.gauges().len() } else { row..row + 1 };
            for &node in group.nodes {
                let Some(state) = nodes.node(node) else { continue };
                let values = rows.clone().filter_map(|row| Some((row, system.gauge(row, state)?)));
                let samples = values.map(|(row, value)| Sample { at: now, node, row, value });
                self.taken.extend(samples);
            }
        }
        match self.schedule {
            Schedule::Every { every, .. } => self.next_at = Some(now + every),
            Schedule::Once { .. } => self.over = true,
            Schedule::After { .. } => {}
        }
    }
}
