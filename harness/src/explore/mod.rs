//! Searching from snapshots instead of from seeds.
//!
//! A world is moved on in steps; after each it can be copied and given other random numbers, so one
//! past has many futures. [`Strategy::Random`] follows whole futures from the start, which is a sweep
//! by other means and what the others are measured against. [`Strategy::Ties`] varies nothing but
//! the order of events at one instant. [`Strategy::Novelty`] keeps snapshots of abstract states (the
//! abstraction is [`catalog::System::fingerprint`]) and goes on from those that were reached
//! seldom, for as long as that brings it to new ones: Go-Explore (Ecoffet et al., Nature 2021).
//!
//! What was found is a [`Path`]: the instants at which which salt was given to the world. It replays.

pub mod exhaustive;
mod path;
mod pool;

pub use path::{Path, Turn};

use crate::interrupt;
use crate::record::record;
use crate::run::Runner;
use crate::select::Roster;
use contract::Duration;
use pool::Pool;
use reports::seeds::Cause;
use scenario::plan::Plan;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// A future of a novelty search ends after so many steps in which it found nothing new.
const IDLE_STEPS_MAX: u64 = 8;

/// How to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Whole futures with other random numbers.
    Random,
    /// Whole futures with another order of events at one instant.
    Ties,
    /// On from states that were seen seldom.
    Novelty,
}

/// How long to search.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Simulated time from one look at the state to the next.
    pub step: Duration,
    /// The most events, over all futures.
    pub events: u64,
    /// What the salts are counted from.
    pub salt: u64,
}

/// What a search found.
#[derive(Clone, Debug, Default)]
pub struct Explored {
    /// Abstract states that were seen.
    pub states: u64,
    /// Steps that were executed: one move of one world.
    pub executions: u64,
    /// Events that were executed.
    pub events: u64,
    /// The most steps from the start.
    pub depth: u64,
    /// Worlds that were followed until they were judged as a whole.
    pub ends: u64,
    /// The first failure: how to get there, and what it breaks.
    pub found: Option<(Path, Vec<Cause>)>,
}

impl Explored {
    /// Why a search that found nothing says nothing, if it does not.
    #[must_use]
    pub fn saw_nothing(&self) -> Option<String> {
        match (self.found.is_some(), self.executions, self.states) {
            (true, ..) => None,
            (false, 0, _) => Some("not one step was made".to_owned()),
            (false, _, states) if states <= 1 => Some(
                "every look saw the same state: no system of the scenario tells states apart \
                 (`System::fingerprint`), or nothing changed in any step"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

/// Searches the futures of `plan` until something fails, `limits` are reached, or the user
/// interrupts it.
///
/// # Errors
/// When a node panics at its first boot, or one cannot be copied.
pub fn explore(
    plan: Plan,
    strategy: Strategy,
    limits: Limits,
    tell: &mut dyn FnMut(&Explored),
) -> Result<Explored, String> {
    let mut plan = plan;
    plan.ties_explore |= strategy == Strategy::Ties;
    let roster = Rc::new(Roster::new(Rc::new(plan)));
    let root = Runner::new(&roster)?;
    root.fork().ok_or("a node of this world cannot be copied")?;
    let mut search = Search {
        strategy,
        limits,
        salt: limits.salt,
        seen: BTreeMap::new(),
        explored: Explored::default(),
        tell,
    };
    match strategy {
        Strategy::Random | Strategy::Ties => search.whole_futures(&root),
        Strategy::Novelty => search.novel_states(root),
    }
    search.explored.states = search.seen.len() as u64;
    Ok(search.explored)
}

/// A world with the way to it.
struct World {
    runner: Runner,
    path: Path,
    depth: u64,
}

impl World {
    fn fork(&self) -> Option<Self> {
        Some(Self { runner: self.runner.fork()?, path: self.path.clone(), depth: self.depth })
    }
}

struct Search<'t> {
    strategy: Strategy,
    limits: Limits,
    salt: u64,
    /// How often each abstract state was seen.
    seen: BTreeMap<u64, u64>,
    explored: Explored,
    tell: &'t mut dyn FnMut(&Explored),
}

impl Search<'_> {
    fn is_over(&self) -> bool {
        let spent = self.explored.events >= self.limits.events;
        spent || self.explored.found.is_some() || interrupt::asked()
    }

    fn whole_futures(&mut self, root: &Runner) {
        while !self.is_over() {
            let Some(runner) = root.fork() else { return };
            let mut world = World { runner, path: Path::default(), depth: 0 };
            self.turn(&mut world);
            while !self.is_over() && !world.runner.is_over() {
                self.step(&mut world);
                self.note(&world);
            }
            self.close(world);
        }
    }

    fn novel_states(&mut self, root: Runner) {
        let mut pool = Pool::new(self.salt);
        let root = World { runner: root, path: Path::default(), depth: 0 };
        pool.reach(root.runner.fingerprint(), &root);
        while !self.is_over() {
            let Some(mut world) = pool.take() else { return };
            self.turn(&mut world);
            // A state counts once in a future, however often this one comes back to it.
            let mut been = BTreeSet::new();
            let mut idle = 0;
            while idle < IDLE_STEPS_MAX && !self.is_over() && !world.runner.is_over() {
                self.step(&mut world);
                let state = self.note(&world);
                let is_new = been.insert(state) && pool.reach(state, &world);
                idle = if is_new { 0 } else { idle + 1 };
            }
            self.close(world);
        }
    }

    /// Gives the world other random numbers.
    fn turn(&mut self, world: &mut World) {
        // The salts of a search are so many numbers on from the first; the last is followed by 0.
        self.salt = self.salt.wrapping_add(1);
        let turn = Turn { at: world.runner.now(), salt: self.salt };
        turn.apply(self.strategy, &mut world.runner);
        world.path.turns.push(turn);
    }

    /// Moves the world on by a step, and looks whether it broke something.
    fn step(&mut self, world: &mut World) {
        let before = world.runner.events();
        let until = world.runner.now() + self.limits.step;
        world.runner.go_until(until);
        self.explored.events += world.runner.events() - before;
        self.explored.executions += 1;
        world.depth += 1;
        self.explored.depth = self.explored.depth.max(world.depth);
        if !world.runner.violations().is_empty()
            && let Some(fork) = world.runner.fork()
        {
            self.judge(fork, &world.path);
        }
        (self.tell)(&self.explored);
    }

    /// Counts the state that the world is in.
    fn note(&mut self, world: &World) -> u64 {
        let state = world.runner.fingerprint();
        *self.seen.entry(state).or_default() += 1;
        self.explored.states = self.seen.len() as u64;
        state
    }

    /// The world is not followed any further: judges everything that is judged at an end.
    fn close(&mut self, world: World) {
        self.explored.ends += 1;
        if self.explored.found.is_none() {
            self.judge(world.runner, &world.path);
        }
    }

    fn judge(&mut self, runner: Runner, path: &Path) {
        let rest = if runner.is_over() { None } else { runner.fork() };
        let mut finished = runner.conclude();
        if !finished.fired() {
            return;
        }
        // What fires in the middle may be what is not done yet. Whoever replays the path sees its
        // end, so that is what decides.
        if let Some(mut rest) = rest {
            let before = rest.events();
            rest.go_on(false);
            self.explored.events += rest.events() - before;
            finished = rest.conclude();
        }
        let causes: Vec<Cause> = Cause::all(&record(&finished)).into_iter().collect();
        if !causes.is_empty() {
            self.explored.found = Some((path.clone(), causes));
        }
    }
}
