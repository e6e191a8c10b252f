//! Pass 4 and 5: which delete explains which answer of "nothing there".
//!
//! Outside zones a delete never hurts, and each is used for one instant at most. After an instant
//! `q` of absence the register stays absent until the first write that is *confined* to the gap,
//! is not possible before `q`, and has its deadline. So a demand is served by `q` exactly when `q`
//! lies in a window `[needs, until]` that does not depend on the other choices, and the question is
//! a matching of deletes to demands, which earliest-deadline-first solves.

use super::super::mutant::{Mutant, broken};
use super::super::violation::{Held, Violation};
use super::chains::Chains;
use super::gaps::{Coord, FIRST, Gaps, LAST, Window, Windows, held};
use crate::history::register::Register;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Something that leaves the register absent, and how it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// The instant.
    pub at: Coord,
    /// The demand for which it was placed there.
    pub demand: u32,
    /// An index into [`Windows::erases`], continued by [`Windows::clearing`].
    pub resource: u32,
}

/// A demand and the instant that explains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    /// The index of the demand in [`Windows::demands`].
    pub demand: u32,
    /// The instant from which the register was absent.
    pub since: Coord,
    /// Whether a delete was placed at that instant, rather than the end of a zone.
    pub by_delete: bool,
}

/// The deletes that were used, by instant, and what explains each demand.
#[derive(Debug, Default)]
pub struct Matching {
    /// Ascending by instant.
    pub uses: Vec<Use>,
    /// One per demand.
    pub served: Vec<Served>,
}

/// Explains every demand, or names one that nothing explains.
pub fn explain(
    register: &Register,
    chains: &Chains,
    gaps: &Gaps,
    windows: &Windows,
) -> Result<Matching, Violation> {
    if windows.demands.is_empty() {
        return Ok(Matching::default());
    }
    let confined = Confined::new(gaps, &windows.writing);
    let order = sorted_by(&windows.demands, |window| {
        let by_call = broken(Mutant::DemandsByCall);
        if by_call { window.from } else { window.until }
    });
    let mut sweep = Sweep::new(gaps, windows);
    for demand in order {
        let needs = confined.needs(gaps, windows.demands[demand as usize].from);
        if !sweep.serve(demand, needs) {
            let failure = Failure {
                register,
                chains,
                confined: &confined,
                sweep: &sweep,
                erases: windows.erases.len(),
            };
            return Err(failure.violation(demand));
        }
    }
    Ok(sweep.matching)
}

/// The indexes of `windows` in the order of `key`. Sorting plain words is fast.
fn sorted_by(windows: &[Window], key: impl Fn(&Window) -> Coord) -> impl Iterator<Item = u32> {
    let word = |(index, window): (u64, &Window)| u64::from(key(window)) << 32 | index;
    let mut words: Vec<u64> = (0..).zip(windows).map(word).collect();
    words.sort_unstable();
    words.into_iter().map(|word| word as u32)
}

/// The writes that must take effect inside one gap and there cannot be hidden.
struct Confined {
    /// Ascending by deadline.
    windows: Vec<Window>,
    /// By position: the latest start among the windows so far.
    from_max: Vec<Coord>,
}

impl Confined {
    fn new(gaps: &Gaps, writing: &[Window]) -> Self {
        let hidden = broken(Mutant::NoneConfined);
        let order = sorted_by(writing, |window| window.until);
        let all = order.map(|index| writing[index as usize]);
        let windows: Vec<Window> =
            all.filter(|window| !hidden && is_confined(gaps, window)).collect();
        let mut latest = FIRST;
        let running = windows.iter().map(|window| {
            latest = latest.max(window.from);
            latest
        });
        let from_max = running.collect();
        Self { windows, from_max }
    }

    /// How many have their deadline before `at`.
    fn due(&self, at: Coord) -> usize {
        self.windows.partition_point(|window| window.until < at)
    }

    /// The earliest instant of absence that lasts until `at`.
    fn needs(&self, gaps: &Gaps, at: Coord) -> Coord {
        let gap = gaps.gap_of(at);
        let start = if broken(Mutant::GapStartIgnored) { FIRST } else { gaps.start(gap) };
        match self.due(at).checked_sub(1) {
            Some(last) => start.max(self.from_max[last]),
            None => start,
        }
    }
}

/// Whether the write `window` must take effect where it can end an absence: one that can be moved
/// to the right end of its gap is overwritten at once by the zone there.
pub(super) fn is_confined(gaps: &Gaps, window: &Window) -> bool {
    let gap = gaps.gap_of(window.from);
    window.until < gaps.end(gap) || broken(Mutant::RightEndConfines)
}

struct Sweep<'a> {
    gaps: &'a Gaps,
    demands: &'a [Window],
    resources: Vec<Window>,
    /// Resources by their earliest instant, latest first: a stack.
    ahead: Vec<u32>,
    /// Those that have begun, by deadline.
    open: BinaryHeap<Reverse<(Coord, u32)>>,
    /// The gap whose start is the next free instant of absence.
    gap: usize,
    /// The latest instant of absence so far, and whether a delete makes it.
    best: Option<(Coord, bool)>,
    matching: Matching,
}

impl<'a> Sweep<'a> {
    fn new(gaps: &'a Gaps, windows: &'a Windows) -> Self {
        let mut resources = windows.erases.clone();
        let erases = resources.len();
        resources.extend(&windows.clearing);
        let latest_first = sorted_by(&resources, |window| LAST - window.from);
        let ahead = latest_first.filter(|&resource| {
            let open = resources[resource as usize].until == LAST;
            let chain = resource as usize >= erases;
            !(broken(Mutant::DeletesExplainNothing)
                || (open && broken(Mutant::OpenDeletesExplainNothing))
                || (chain && broken(Mutant::BackwardDeletesExplainNothing)))
        });
        let ahead = ahead.collect();
        Self {
            gaps,
            demands: &windows.demands,
            resources,
            ahead,
            open: BinaryHeap::new(),
            gap: 0,
            best: None,
            matching: Matching::default(),
        }
    }

    /// Finds the instant that explains `demand`, using up a delete if it must.
    fn serve(&mut self, demand: u32, needs: Coord) -> bool {
        let until = self.demands[demand as usize].until;
        self.advance(until);
        let stale = self.best.is_none_or(|(at, _)| at < needs);
        if stale && !self.use_delete(demand, until, needs) {
            return false;
        }
        let (since, by_delete) = self.best.expect("kept or just placed");
        self.matching.served.push(Served { demand, since, by_delete });
        true
    }

    /// Takes in the free instants and the deletes up to `until`.
    fn advance(&mut self, until: Coord) {
        while self.gap < self.gaps.len() && self.gaps.start(self.gap) <= until {
            let hidden = if self.gap == 0 {
                broken(Mutant::NotAbsentAtFirst)
            } else {
                broken(Mutant::ZoneEndsExplainNothing)
            };
            let start = self.gaps.start(self.gap);
            let later = self.best.is_none_or(|(at, _)| at < start);
            if self.gaps.starts_absent(self.gap) && later && !hidden {
                self.best = Some((start, false));
            }
            self.gap += 1;
        }
        while let Some(&resource) = self.ahead.last()
            && self.resources[resource as usize].from <= until
        {
            self.ahead.pop();
            let deadline = self.resources[resource as usize].until;
            let flipped = broken(Mutant::LatestDeadlineFirst);
            let urgency = if flipped { LAST - deadline } else { deadline };
            self.open.push(Reverse((urgency, resource)));
        }
    }

    /// Places the most urgent delete that reaches `needs`. Those that do not are of no use to any
    /// later demand: whatever they could have explained is explained already.
    fn use_delete(&mut self, demand: u32, until: Coord, needs: Coord) -> bool {
        while let Some(Reverse((urgency, resource))) = self.open.pop() {
            let deadline = self.resources[resource as usize].until;
            if deadline < needs {
                continue;
            }
            let unbounded = broken(Mutant::DeadlinesIgnored);
            let at = if unbounded { until } else { deadline.min(until) };
            self.best = Some((at, true));
            self.matching.uses.push(Use { at, resource, demand });
            if broken(Mutant::DeletesUsedTwice) {
                self.open.push(Reverse((urgency, resource)));
            }
            return true;
        }
        false
    }
}

/// What a failed demand is made of.
struct Failure<'a> {
    register: &'a Register,
    chains: &'a Chains,
    confined: &'a Confined,
    sweep: &'a Sweep<'a>,
    erases: usize,
}

impl Failure<'_> {
    /// The demand, what was written before it, and the demands that have all deletes in use that
    /// could explain it: going back, each use that the ones after it could have taken.
    fn violation(&self, demand: u32) -> Violation {
        let (written, mut needs) = self.written_before(demand);
        let mut others = self.around(demand);
        for used in self.sweep.matching.uses.iter().rev() {
            let resource = self.sweep.resources[used.resource as usize];
            if resource.until < needs {
                continue;
            }
            let (written, reaches) = self.written_before(used.demand);
            needs = needs.min(reaches);
            others.extend(written.iter().flat_map(|by| [by.first, by.last]));
            others.extend(self.around(used.demand));
            others.push(self.sweep.demands[used.demand as usize].who);
            if (used.resource as usize) < self.erases {
                others.push(resource.who);
            } else {
                let chain = held(self.register, &self.chains.all[resource.who as usize]);
                others.extend([chain.first, chain.last]);
            }
        }
        let op = self.sweep.demands[demand as usize].who;
        Violation::AbsentUnexplained { op, written, others }
    }

    /// What shows that the register held a value before `demand`, and until when.
    fn written_before(&self, demand: u32) -> (Option<Held>, Coord) {
        let gaps = self.sweep.gaps;
        let at = self.sweep.demands[demand as usize].from;
        let needs = self.confined.needs(gaps, at);
        let due = &self.confined.windows[..self.confined.due(at)];
        let chain = due.iter().find(|window| window.from == needs).map_or_else(
            || gaps.gap_of(at).checked_sub(1).map(|zone| &gaps.zones[zone]),
            |window| Some(&self.chains.all[window.who as usize]),
        );
        (chain.map(|chain| held(self.register, chain)), needs)
    }

    /// The zones next to `demand`, which moved its window.
    fn around(&self, demand: u32) -> Vec<u32> {
        let gaps = self.sweep.gaps;
        let window = self.sweep.demands[demand as usize];
        let first = gaps.gap_of(window.from);
        let last = gaps.gap_of(window.until);
        let zones = [first.checked_sub(1), (last < gaps.zones.len()).then_some(last)];
        let held = |zone: usize| held(self.register, &gaps.zones[zone]);
        let ops = |held: Held| [held.first, held.last];
        zones.into_iter().flatten().map(held).flat_map(ops).collect()
    }
}
