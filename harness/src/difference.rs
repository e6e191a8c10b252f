//! Where two runs part: the first event that one has and the other has not.
//!
//! Both go on side by side from one look at their digests to the next; from the last look at which
//! they were equal, copies of them go on in smaller and smaller steps.

use crate::run::{Runner, TraceLine};
use crate::select::Roster;
use catalog::Fields;
use contract::{NodeId, SimTime};
use std::fmt;
use std::rc::Rc;

/// How often two runs are looked at on their way.
const LOOKS: u64 = 64;

/// The first event that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// When.
    pub at: SimTime,
    /// What happened in each of the runs: time, node, event; `nothing yet` where it comes later.
    pub events: [String; 2],
    /// What the node of the event looked like after it, in each.
    pub states: [String; 2],
    /// The last events that both have.
    pub before: Vec<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, two] = &self.events;
        write!(f, "first at {}, `{one}` against `{two}`", self.at)
    }
}

/// Two runs at one instant.
struct Pair {
    runners: [Runner; 2],
    now: SimTime,
}

impl Pair {
    fn boot(one: &Rc<Roster>, two: &Rc<Roster>) -> Result<Self, String> {
        let boot = |roster| {
            Runner::new(roster).map_err(|said| format!("a node panicked at its first boot: {said}"))
        };
        Ok(Self { runners: [boot(one)?, boot(two)?], now: SimTime::ZERO })
    }

    fn go_until(&mut self, at: SimTime) {
        self.runners.iter_mut().for_each(|runner| runner.go_until(at));
        self.now = at;
    }

    fn are_equal(&self) -> bool {
        let [one, two] = &self.runners;
        one.digest() == two.digest() && one.is_over() == two.is_over()
    }
}

/// The first difference between the runs of two plans; `None` when there is none.
///
/// # Errors
/// When a node panics at its first boot.
pub fn first(one: &Rc<Roster>, two: &Rc<Roster>) -> Result<Option<Difference>, String> {
    let end = |roster: &Rc<Roster>| roster.plan().budget.sim_time.as_nanos();
    let end = end(one).max(end(two));
    // The last instant at which they were equal, as a pair that can be copied from, and the first
    // look at which they were not.
    let (mut same, mut differs) = (Pair::boot(one, two)?, end + 1);
    if !same.are_equal() {
        return Ok(Some(describe(&same, one, two)));
    }
    while differs - same.now.0 > 1 {
        let step = ((differs - same.now.0) / LOOKS).max(1);
        let (next, found) = walk(same, step, differs, one, two)?;
        same = next;
        match found {
            Some(at) => differs = at,
            None if differs > end => return Ok(None),
            None => break,
        }
    }
    same.go_until(SimTime(differs));
    Ok(Some(describe(&same, one, two)))
}

/// Goes on in steps until a look finds a difference, or up to `until`: the pair at the last look
/// that found none, and the look that did.
fn walk(
    mut same: Pair,
    step: u64,
    until: u64,
    one: &Rc<Roster>,
    two: &Rc<Roster>,
) -> Result<(Pair, Option<u64>), String> {
    loop {
        let at = (same.now.0 + step).min(until);
        let mut ahead = copy(&same, one, two)?;
        ahead.go_until(SimTime(at));
        if !ahead.are_equal() {
            return Ok((same, Some(at)));
        }
        same = ahead;
        if at >= until || same.runners.iter().all(Runner::is_over) {
            return Ok((same, None));
        }
    }
}

/// A copy, or the same again from the start where a node cannot be copied.
fn copy(pair: &Pair, one: &Rc<Roster>, two: &Rc<Roster>) -> Result<Pair, String> {
    let [a, b] = &pair.runners;
    if let (Some(a), Some(b)) = (a.fork(), b.fork()) {
        return Ok(Pair { runners: [a, b], now: pair.now });
    }
    let mut again = Pair::boot(one, two)?;
    again.go_until(pair.now);
    Ok(again)
}

fn describe(pair: &Pair, one: &Roster, two: &Roster) -> Difference {
    let traces = [pair.runners[0].trace(), pair.runners[1].trace()];
    let rosters = [one, two];
    let line = |side: usize, event: &TraceLine| {
        format!("{} {} {}", event.at, rosters[side].name(event.node), event.line)
    };
    let lines = |side: usize| traces[side].iter().map(|event| line(side, event)).collect();
    let [a, b]: [Vec<String>; 2] = [lines(0), lines(1)];
    // The rings hold the last events: of two that are not equally long, the common part is sought.
    let skip = b.first().and_then(|first| a.iter().position(|line| line == first)).unwrap_or(0);
    let skipped = a.first().and_then(|first| b.iter().position(|line| line == first)).unwrap_or(0);
    let (a_from, b_from) = if skip > 0 { (skip, 0) } else { (0, skipped) };
    let (a, b) = (&a[a_from..], &b[b_from..]);
    let apart = a.iter().zip(b).position(|(a, b)| a != b).unwrap_or(a.len().min(b.len()));
    let said =
        |lines: &[String]| lines.get(apart).cloned().unwrap_or_else(|| "nothing yet".to_owned());
    let state = |side: usize, from: usize| {
        let event = traces[side].get(from + apart);
        event.map_or_else(String::new, |e| view(rosters[side], &pair.runners[side], e.node))
    };
    Difference {
        at: pair.now,
        events: [said(a), said(b)],
        states: [state(0, a_from), state(1, b_from)],
        before: a[apart.saturating_sub(5)..apart.min(a.len())].to_vec(),
    }
}

/// The state of a node for people, as its system shows it.
fn view(roster: &Roster, runner: &Runner, node: NodeId) -> String {
    struct Shown(String);
    impl Fields for Shown {
        fn number(&mut self, name: &'static str, value: u64) {
            self.text(name, &value.to_string());
        }
        fn text(&mut self, name: &'static str, value: &str) {
            let comma = if self.0.is_empty() { "" } else { ", " };
            self.0.push_str(&format!("{comma}{name} {value}"));
        }
    }
    let Some(state) = runner.nodes().node(node) else { return "down".to_owned() };
    let mut shown = Shown(String::new());
    roster.group_of(node).plan.system.view(state, &mut shown);
    shown.0
}
