//! Every order of events of a small world, within a bound.
//!
//! The world stands still ([`crate::run::stepper`]): any message that waits may arrive next, any timer
//! may fire, any fault of the plan may start or end, and a message that never arrives was lost. The
//! search goes depth first; a state that was seen is not entered again. What identifies a state is
//! what each node has seen in its own order, and what is under way, so orders that no node can tell
//! apart count once (Mazurkiewicz traces; Godefroid, "Partial-Order Methods", LNCS 1032, 1996). The
//! bound is the number of timers that fire, raised one by one, so what was found is found with the
//! fewest timers, and what was not is known to need more.
//!
//! The hash of a state has 64 bits: of ten million states, two are mistaken for one with a chance of
//! three in a million.
#![expect(
    clippy::disallowed_types,
    reason = "a set that is asked and never walked through, with a hasher that is fixed"
)]

use crate::interrupt;
use crate::run::Runner;
use crate::run::stepper::Choice;
use crate::select::Roster;
use crate::shrink::ddmin::minimise;
use contract::SimTime;
use scenario::plan::Plan;
use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

/// How far to search.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Simulated time at which the world stops.
    pub from: SimTime,
    /// Messages that wait on a link, at most: a further one takes the place of the oldest, which is
    /// lost.
    pub waiting: usize,
    /// Choices, by name, that are made before the search begins.
    pub after: Vec<String>,
    /// The most timers that fire in the search.
    pub timers: u64,
    /// The most choices in a row in the search.
    pub depth: u64,
    /// The most states, over all bounds.
    pub states: u64,
}

/// What was searched with one bound on the timers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// The bound.
    pub timers: u64,
    /// States that no node can tell apart count as one.
    pub states: u64,
    /// Choices that were made.
    pub steps: u64,
    /// The most choices in a row.
    pub depth: u64,
    /// Whether everything within the bounds was searched.
    pub whole: bool,
}

/// What an exhaustive search found.
#[derive(Clone, Debug, Default)]
pub struct Searched {
    /// By bound.
    pub levels: Vec<Level>,
    /// The first violation: the choices that lead to it, by name, none of which can be left out.
    pub found: Option<Vec<String>>,
    /// The invariants that the scenario asks for and that had nothing to look at in any state.
    pub blind: Vec<&'static str>,
    /// The checks of the scenario that are not judged here, by id: all but invariants.
    pub unjudged: Vec<String>,
}

impl Searched {
    /// Why a search that found nothing says nothing, if it does not.
    #[must_use]
    pub fn saw_nothing(&self, plan: &Plan) -> Option<String> {
        if self.found.is_some() {
            return None;
        }
        if self.levels.iter().all(|level| level.states <= 1) {
            return Some("there is one state only: nothing can happen".to_owned());
        }
        if self.unjudged.len() == plan.checks.len() {
            return Some(
                "no check of the scenario is an invariant, and only those are judged".into(),
            );
        }
        let silent = plan.groups.iter().any(|group| group.load.is_some());
        let why = if silent { " (clients are silent while time stands still)" } else { "" };
        let blind = self.blind.join(", ");
        (!self.blind.is_empty()).then(|| format!("there was nothing to look at for {blind}{why}"))
    }
}

/// Searches `plan`'s world. `tell` hears of a level now and then.
///
/// # Errors
/// When a node panics at its first boot, or one cannot be copied.
pub fn search(
    plan: Plan,
    bounds: Bounds,
    tell: &mut dyn FnMut(&Level),
) -> Result<Searched, String> {
    let roster = Rc::new(Roster::new(Rc::new(plan)));
    let root = follow(&roster, &bounds, &bounds.after, Lost::IsWrong)?;
    root.fork().ok_or("a node of this world cannot be copied")?;
    let mut searched = Searched { unjudged: unjudged(roster.plan()), ..Searched::default() };
    let mut blind = asked_for(&root);
    let mut left = bounds.states;
    for timers in 1..=bounds.timers {
        let bounds_here = Bounds { timers, states: left, ..bounds.clone() };
        let mut search = Search::new(bounds_here, std::mem::take(&mut blind), tell);
        search.from(&root);
        let Search { level, found, blind: still, .. } = search;
        blind = still;
        left = left.saturating_sub(level.states);
        searched.levels.push(level);
        let path = found.map(|path| [bounds.after.clone(), path].concat());
        searched.found = path.map(|path| fewest(&roster, &bounds, path));
        // A level that grew no more by one timer grows by no other either.
        let grew = searched.levels.iter().rev().nth(1).is_none_or(|l| l.states < level.states);
        if searched.found.is_some() || left == 0 || !grew || interrupt::asked() {
            break;
        }
    }
    searched.blind = blind.into_keys().collect();
    Ok(searched)
}

/// The checks that a search of all orders does not judge.
fn unjudged(plan: &Plan) -> Vec<String> {
    let others = plan.checks.iter().filter(|check| check.kind != "invariant");
    others.map(|check| check.id.clone()).collect()
}

/// The invariants that the scenario asks for, with how much they have looked at before the search.
fn asked_for(root: &Runner) -> BTreeMap<&'static str, u64> {
    let checks = root.plan().checks.iter().filter(|check| check.kind == "invariant");
    let names: Vec<String> = checks.map(|check| check.fields.text("name")).collect();
    let mut asked = BTreeMap::new();
    for (name, looked) in root.looked().filter(|(name, _)| names.iter().any(|asked| asked == name))
    {
        *asked.entry(name).or_default() += looked;
    }
    asked
}

/// Repeats choices by their names in the world of `bounds`.
///
/// # Errors
/// When a node panics at its first boot, or one of them cannot be made.
pub fn replay(plan: Plan, bounds: &Bounds, path: &[String]) -> Result<Runner, String> {
    let roster = Rc::new(Roster::new(Rc::new(plan)));
    follow(&roster, bounds, path, Lost::IsWrong)
}

/// What becomes of a choice that cannot be made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lost {
    /// The path is none.
    IsWrong,
    /// It is left out: one before it was.
    IsLeftOut,
}

fn follow(
    roster: &Rc<Roster>,
    bounds: &Bounds,
    path: &[String],
    lost: Lost,
) -> Result<Runner, String> {
    let mut runner = Runner::new(roster)?;
    runner.go_until(bounds.from);
    if runner.is_over() {
        return Err(format!("the run is over at {}, before time can stop", runner.now()));
    }
    runner.freeze(bounds.waiting);
    for name in path {
        let choices = runner.choices();
        match choices.iter().find(|choice| runner.name_of(**choice) == *name) {
            Some(choice) => runner.choose(*choice),
            None if lost == Lost::IsLeftOut => {}
            None => {
                let names: Vec<_> = choices.iter().map(|choice| runner.name_of(*choice)).collect();
                let next = if names.is_empty() { "nothing".to_owned() } else { names.join(" ") };
                return Err(format!("`{name}` cannot happen there; what can is {next}"));
            }
        }
    }
    Ok(runner)
}

/// As few of the choices as break something all the same.
fn fewest(roster: &Rc<Roster>, bounds: &Bounds, path: Vec<String>) -> Vec<String> {
    let pick = |kept: &[usize]| kept.iter().map(|at| path[*at].clone()).collect::<Vec<_>>();
    let breaks = |kept: &[usize]| {
        let followed = follow(roster, bounds, &pick(kept), Lost::IsLeftOut);
        followed.is_ok_and(|runner| !runner.violations().is_empty())
    };
    pick(&minimise(path.len(), &mut |kept| breaks(kept)))
}

/// The hash of a state is one already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {
        unreachable!("only numbers are hashed");
    }
    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// A world on the way that is being searched, with the choices that are left in it.
struct Frame {
    world: Runner,
    left: Vec<Choice>,
    timers: u64,
    /// How many choices lead to it.
    depth: usize,
}

struct Search<'t> {
    bounds: Bounds,
    seen: HashSet<u64, BuildHasherDefault<Hashed>>,
    stack: Vec<Frame>,
    /// The choices from the root to the world that was entered last.
    path: Vec<Choice>,
    level: Level,
    found: Option<Vec<String>>,
    /// What has not been looked at so far, with how much had been before the search.
    blind: BTreeMap<&'static str, u64>,
    tell: &'t mut dyn FnMut(&Level),
}

impl<'t> Search<'t> {
    fn new(
        bounds: Bounds,
        blind: BTreeMap<&'static str, u64>,
        tell: &'t mut dyn FnMut(&Level),
    ) -> Self {
        let level = Level { timers: bounds.timers, whole: true, ..Level::default() };
        let (seen, stack, path) = (HashSet::default(), Vec::new(), Vec::new());
        Self { bounds, seen, stack, path, level, found: None, blind, tell }
    }

    fn from(&mut self, root: &Runner) {
        self.enter(root.fork().expect("it was copied before"), 0);
        while self.found.is_none() {
            if self.is_over() {
                self.level.whole = false;
                break;
            }
            let Some((world, choice, timers, depth)) = self.next() else { break };
            self.path.truncate(depth);
            self.path.push(choice);
            let mut world = world;
            world.choose(choice);
            self.level.steps += 1;
            self.enter(world, timers + u64::from(matches!(choice, Choice::Timer(_))));
        }
        self.level.whole &= self.found.is_none();
        (self.tell)(&self.level);
    }

    /// The next choice of the world on top: in a copy of it, or, for the last one, in itself. With
    /// it come the timers that had fired, and how many choices lead there.
    fn next(&mut self) -> Option<(Runner, Choice, u64, usize)> {
        loop {
            let frame = self.stack.last_mut()?;
            let (timers, depth) = (frame.timers, frame.depth);
            match (frame.left.pop(), frame.left.is_empty()) {
                (Some(choice), false) => {
                    let world = frame.world.fork().expect("a world in which no node panicked");
                    return Some((world, choice, timers, depth));
                }
                (Some(choice), true) => {
                    let frame = self.stack.pop().expect("there is one");
                    return Some((frame.world, choice, timers, depth));
                }
                (None, _) => drop(self.stack.pop()),
            }
        }
    }

    /// Takes those invariants off the list that have looked at something in this world.
    fn note_looked(&mut self, world: &Runner) {
        if self.blind.is_empty() {
            return;
        }
        let mut now: BTreeMap<&str, u64> = BTreeMap::new();
        for (name, looked) in world.looked() {
            *now.entry(name).or_default() += looked;
        }
        self.blind.retain(|name, before| now.get(name).is_some_and(|looked| looked <= before));
    }

    fn is_over(&self) -> bool {
        self.level.states >= self.bounds.states || interrupt::asked()
    }

    /// Puts a world on the stack, unless its state was seen, it broke something, or it is as deep as
    /// may be.
    fn enter(&mut self, world: Runner, timers: u64) {
        if !self.seen.insert(world.still_state()) {
            return;
        }
        let depth = self.path.len();
        self.level.states += 1;
        self.level.depth = self.level.depth.max(depth as u64);
        self.note_looked(&world);
        if self.level.states.is_multiple_of(4096) {
            (self.tell)(&self.level);
        }
        if !world.violations().is_empty() {
            self.found = Some(self.path.iter().map(|choice| world.name_of(*choice)).collect());
            return;
        }
        let mut left = world.choices();
        if timers == self.bounds.timers {
            left.retain(|choice| !matches!(choice, Choice::Timer(_)));
        }
        if depth as u64 >= self.bounds.depth {
            self.level.whole &= left.is_empty();
            return;
        }
        self.stack.push(Frame { world, left, timers, depth });
    }
}
