//! Hunting: worlds that nobody wrote, drawn from the tables of a system and of the lab.
//!
//! A [`Genome`] is a world in a few numbers; [`world`] writes it out as a scenario file, so whatever is
//! found is replayed, shrunk and kept like something that somebody wrote. Weights swing from world
//! to world (Groce et al., "Swarm Testing", ISSTA 2012). A world that reached an event or an
//! abstract state that none before it did is kept, and half of the worlds that follow are mutations of
//! those that are kept, the youngest first: as a fuzzer is steered by coverage (AFL).
//!
//! Every world is inside of the fault budget, so a correct system is silent in all of them.
//!
//! **Invariant:** generations are of one size, and a generation is drawn from what the ones before it
//! showed; so what is found depends on the seed and not on the number of threads.

pub mod genome;
mod storm;
pub mod trial;
pub mod world;

pub use genome::Genome;
pub use trial::{Reached, Trial};
pub use world::Source;

use crate::interrupt;
use crate::stopwatch::Stopwatch;
use contract::{Domain, Rng};
use reports::seeds::Cause;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use trial::Seen;

/// So many worlds are drawn at a time.
const GENERATION: u64 = 16;

/// So many worlds are kept to be mutated.
const KEPT_MAX: usize = 256;

/// How often a kept world is mutated before others come.
const ENERGY: u32 = 4;

/// How long to hunt.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// What the worlds are drawn from.
    pub seed: u64,
    /// The most worlds.
    pub runs: Option<u64>,
    /// After so many seconds of the wall clock no generation is begun any more.
    pub seconds: Option<f64>,
    /// Threads. Nothing that is found depends on it.
    pub jobs: usize,
}

/// Something that was found: the first world that shows it.
#[derive(Debug)]
pub struct Find {
    /// What it breaks.
    pub cause: Cause,
    /// The number of the world.
    pub number: u64,
    /// Its scenario file.
    pub text: String,
    /// How many worlds broke the same rule of the same check.
    pub times: u64,
}

/// What a hunt has come to.
#[derive(Debug, Default)]
pub struct Hunted {
    /// Worlds that were run.
    pub runs: u64,
    /// Events of all of them.
    pub events: u64,
    /// Worlds that reached something new.
    pub novel: u64,
    /// What was found, by check and rule.
    pub finds: BTreeMap<(String, String), Find>,
    /// Worlds that could not be decided, by why.
    pub undecided: BTreeMap<String, u64>,
    seen: Seen,
    /// Worlds to mutate, with how often they may still be.
    kept: VecDeque<(Genome, u32)>,
}

impl Hunted {
    /// How many different events were marked.
    #[must_use]
    pub fn marks(&self) -> usize {
        let marks = self.seen.keys().filter_map(|reached| match reached {
            Reached::Mark(name, _) => Some(*name),
            Reached::State(_) => None,
        });
        marks.collect::<std::collections::BTreeSet<_>>().len()
    }

    /// How many abstract states were seen.
    #[must_use]
    pub fn states(&self) -> usize {
        self.seen.keys().filter(|reached| matches!(reached, Reached::State(_))).count()
    }

    /// The worlds of the next generation.
    fn next(&mut self, limits: &Limits) -> Vec<(u64, Genome)> {
        let left = limits.runs.map_or(GENERATION, |runs| (runs - self.runs).min(GENERATION));
        (self.runs..self.runs + left)
            .map(|number| (number, self.draw(limits.seed, number)))
            .collect()
    }

    fn draw(&mut self, seed: u64, number: u64) -> Genome {
        let fresh = Genome::of(seed, number);
        let mut rng = Rng::new(seed, Domain::Swarm, &format!("hunted mutation {number}"));
        if self.kept.is_empty() || rng.below(2) == 0 {
            return fresh;
        }
        let nth = rng.below(self.kept.len().min(16) as u64) as usize;
        let other = self.kept[rng.below(self.kept.len() as u64) as usize].0.clone();
        let (kept, energy) = &mut self.kept[nth];
        let mutated = kept.mutated(&other, &mut rng);
        *energy -= 1;
        if *energy == 0 {
            self.kept.remove(nth);
        }
        mutated
    }

    fn add(&mut self, trial: Trial) {
        self.runs += 1;
        self.events += trial.events;
        let mut is_novel = false;
        for reached in &trial.reached {
            let times = self.seen.entry(*reached).or_default();
            is_novel |= *times == 0;
            *times += 1;
        }
        if let Some(why) = trial.undecided {
            *self.undecided.entry(why).or_default() += 1;
        }
        if is_novel {
            self.novel += 1;
            self.kept.push_front((trial.genome, ENERGY));
            self.kept.truncate(KEPT_MAX);
        }
        for cause in trial.causes {
            let key = (cause.check.clone(), cause.rule.clone());
            let (number, text) = (trial.number, &trial.text);
            let first = || Find { cause, number, text: text.clone(), times: 0 };
            self.finds.entry(key).or_insert_with(first).times += 1;
        }
    }
}

/// Hunts until `limits` are reached or the user interrupts it.
///
/// # Errors
/// When a world that was drawn does not compile.
pub fn hunt(
    source: &Source<'_>,
    limits: Limits,
    tell: &mut dyn FnMut(&Hunted),
) -> Result<Hunted, String> {
    assert!(limits.jobs > 0, "somebody does the work");
    let watch = Stopwatch::start();
    let mut hunted = Hunted::default();
    loop {
        let over = limits.runs.is_some_and(|runs| hunted.runs >= runs);
        let late = limits.seconds.is_some_and(|seconds| watch.seconds() >= seconds);
        if over || late || interrupt::asked() {
            return Ok(hunted);
        }
        let generation = hunted.next(&limits);
        let trials = run_all(source, generation, limits.jobs);
        for trial in trials {
            let Some(trial) = trial? else { return Ok(hunted) };
            hunted.add(trial);
        }
        tell(&hunted);
    }
}

/// What came of the world; `None` when it was interrupted.
type Ended = Result<Option<Trial>, String>;

/// Runs the worlds of a generation on so many threads; their ends in the order of their numbers.
fn run_all(source: &Source<'_>, worlds: Vec<(u64, Genome)>, jobs: usize) -> Vec<Ended> {
    let next = AtomicUsize::new(0);
    let mut ends: Vec<Ended> = worlds.iter().map(|_| Ok(None)).collect();
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..jobs.min(worlds.len()) {
            let (sender, next, worlds) = (sender.clone(), &next, &worlds);
            scope.spawn(move || {
                loop {
                    let nth = next.fetch_add(1, Ordering::SeqCst);
                    let Some((number, genome)) = worlds.get(nth) else { return };
                    let end = Trial::of(source, genome.clone(), *number);
                    if sender.send((nth, end)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (nth, end) in receiver {
            ends[nth] = end;
        }
    });
    ends
}
