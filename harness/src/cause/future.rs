//! Futures: from instants of the run, the same past goes on with other random numbers, many times.
//!
//! What share of them fails is the chance that the failure still had to be avoided or to come. Where
//! the chance becomes and stays one, the failure was inevitable: nothing that is left to chance
//! could have helped any more.

use crate::interrupt;
use crate::record::record;
use crate::run::{Ended, Finished, Runner};
use crate::select::Roster;
use crate::shrink::passes::end_at;
use crate::stats::wilson_ppm;
use contract::hash::mix;
use contract::{Duration, SimTime};
use reports::seeds::Cause;
use scenario::Lab;
use scenario::edit::draft::Draft;
use serde::Serialize;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::thread;

/// How futures are branched off.
#[derive(Clone, Copy, Debug)]
pub struct Branching {
    /// Instants between the start and the violation, beside the starts and ends of faults.
    pub points: u64,
    /// Futures at each.
    pub futures: u64,
    /// Single messages that are let through, at most.
    pub messages: usize,
    /// Threads. No result depends on it.
    pub jobs: usize,
}

/// Futures are followed for so long after the violation at most.
const AFTER: Duration = Duration::from_secs(5);

/// Starts and ends of so many faults are looked at, at most.
const EDGES_MAX: usize = 16;

/// How often the interval in which the failure became inevitable is divided.
const ROUNDS: u32 = 4;

/// Instants at which each such interval is looked at.
const CUTS: u64 = 3;

/// The chance at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Point {
    /// The instant; what happens at it has not happened yet.
    pub at_ns: u64,
    /// How many futures failed.
    pub failed: u64,
    /// Of how many.
    pub futures: u64,
    /// The chance is at least this, with 95 % confidence, in parts per million.
    pub low_ppm: u32,
    /// And at most this.
    pub high_ppm: u32,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Future {
    /// The chance over time, in order.
    pub curve: Vec<Point>,
    /// From when on all futures failed.
    pub inevitable: Option<SimTime>,
    /// How long futures were followed.
    pub horizon: SimTime,
}

/// Branches futures off the run of `draft`, in which the check of `cause` fired at `violation`.
/// Empty when a node cannot be copied.
#[must_use]
pub fn branch(
    lab: &Lab<'_>,
    draft: &Draft,
    run: &Finished,
    violation: Duration,
    cause: &Cause,
    branching: Branching,
    tell: &mut dyn FnMut(&str),
) -> Future {
    let (draft, horizon) = until_horizon(draft, violation);
    let branches = Branches { lab, draft: &draft, check: &cause.check, branching };
    tell("branching futures");
    let mut curve = branches.chances(&instants(run, violation, branching.points));
    for round in 1..=ROUNDS {
        let Some((low, high)) = turning(&curve) else { break };
        let width = high - low;
        if width <= 1_000_000 || interrupt::asked() {
            break;
        }
        tell(&format!("narrowing down the instant, {round} of {ROUNDS}"));
        let cuts: Vec<u64> = (1..=CUTS).map(|cut| low + width * cut / (CUTS + 1)).collect();
        curve.extend(branches.chances(&cuts));
        curve.sort_by_key(|point| point.at_ns);
        curve.dedup_by_key(|point| point.at_ns);
    }
    let inevitable = match turning(&curve) {
        Some((_, high)) => Some(SimTime(high)),
        None => curve.first().filter(|p| p.failed == p.futures).map(|p| SimTime(p.at_ns)),
    };
    Future { curve, inevitable, horizon: SimTime(horizon.0) }
}

/// The run, and when it is left: some time after the violation.
pub fn until_horizon(draft: &Draft, violation: Duration) -> (Draft, Duration) {
    let mut draft = draft.clone();
    let end = draft.duration("budget.sim_time").unwrap_or(violation);
    let horizon = end.min(Duration(violation.0.saturating_add(AFTER.0)));
    if horizon < end {
        end_at(&mut draft, horizon);
    }
    (draft, horizon)
}

/// Evenly spaced instants up to the violation, and the edges of faults.
fn instants(run: &Finished, violation: Duration, points: u64) -> Vec<u64> {
    let mut all: Vec<u64> = (0..=points).map(|n| violation.0 / points.max(1) * n).collect();
    let edges = run.occurrences.iter().flat_map(|span| [Some(span.start), span.end]);
    let edges = edges.flatten().map(|at| at.0).filter(|at| *at <= violation.0);
    all.extend(edges.take(EDGES_MAX));
    all.retain(|at| *at <= violation.0);
    all.sort_unstable();
    all.dedup();
    all
}

/// The last instant at which some future did not fail, and the next one, from which on all did.
fn turning(curve: &[Point]) -> Option<(u64, u64)> {
    let last_open = curve.iter().rposition(|point| point.failed < point.futures)?;
    let first_shut = curve.get(last_open + 1)?;
    Some((curve[last_open].at_ns, first_shut.at_ns))
}

struct Branches<'a> {
    lab: &'a Lab<'a>,
    draft: &'a Draft,
    check: &'a str,
    branching: Branching,
}

impl Branches<'_> {
    /// The chances at `instants`, which are dealt to threads; each of them runs the past once.
    fn chances(&self, instants: &[u64]) -> Vec<Point> {
        let jobs = self.branching.jobs.clamp(1, instants.len().max(1));
        let mut found: BTreeMap<u64, Point> = BTreeMap::new();
        thread::scope(|scope| {
            let of = |job: usize| {
                let mine: Vec<u64> = instants.iter().skip(job).step_by(jobs).copied().collect();
                scope.spawn(move || self.chances_of(&mine))
            };
            let threads: Vec<_> = (0..jobs).map(of).collect();
            for thread in threads {
                let points = thread.join().expect("a panic of the lab ends the lab");
                found.extend(points.into_iter().map(|point| (point.at_ns, point)));
            }
        });
        found.into_values().collect()
    }

    fn chances_of(&self, instants: &[u64]) -> Vec<Point> {
        let mut points = Vec::new();
        let Some(plan) = self.draft.plan(self.lab) else { return points };
        let roster = Rc::new(Roster::new(Rc::new(plan)));
        let Ok(mut past) = Runner::new(&roster) else { return points };
        for at in instants {
            past.go_until(SimTime(*at));
            match self.chance(&past, *at) {
                Some(point) => points.push(point),
                None => break,
            }
        }
        points
    }

    /// `None` when the past cannot be copied, or the user interrupted it.
    fn chance(&self, past: &Runner, at_ns: u64) -> Option<Point> {
        let mut failed = 0;
        for nth in 0..self.branching.futures {
            let mut future = past.fork()?;
            future.reseed_from(mix(at_ns, nth));
            future.go_on(false);
            let run = future.finish();
            if run.ended == Ended::Interrupted {
                return None;
            }
            failed += u64::from(record(&run).violated().any(|check| check.id == self.check));
        }
        let futures = self.branching.futures;
        let (low_ppm, high_ppm) = wilson_ppm(failed, futures);
        Some(Point { at_ns, failed, futures, low_ppm, high_ppm })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(failed: &[u64]) -> Vec<Point> {
        let point = |(at, failed): (usize, &u64)| Point {
            at_ns: at as u64 * 10,
            failed: *failed,
            futures: 4,
            low_ppm: 0,
            high_ppm: 0,
        };
        failed.iter().enumerate().map(point).collect()
    }

    #[test]
    fn the_turn_is_after_the_last_open_future() {
        assert_eq!(turning(&curve(&[0, 1, 4, 4])), Some((10, 20)));
        assert_eq!(turning(&curve(&[4, 4, 3, 4])), Some((20, 30)));
        assert_eq!(turning(&curve(&[0, 1, 2])), None);
        assert_eq!(turning(&curve(&[4, 4])), None);
    }
}
