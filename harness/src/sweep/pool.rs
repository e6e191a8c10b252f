//! Running a sweep: one engine per thread, results as they come.

use super::Results;
use super::log::{Log, Trouble};
use super::tasks::{Task, Work};
use crate::interrupt;
use crate::stopwatch::Stopwatch;
use reports::SeedResult;
use scenario::Lab;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

/// How a sweep is run; nothing that is found depends on it, but how much of the work is done.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Threads.
    pub jobs: usize,
    /// After so many seconds of the wall clock no run is begun any more.
    pub seconds: Option<f64>,
}

/// Hears of each result, in the order in which they come, and of how many there are so far; says
/// whether it is one to stop at.
pub type Seen<'a> = dyn FnMut(&SeedResult, usize) -> bool + 'a;

/// Why a sweep ended before all was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The user interrupted it.
    Interrupted,
    /// Its time was over.
    TimeLimit,
    /// A run that it was to stop at.
    FailFast,
}

impl Stop {
    /// Why, completing "because …".
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Interrupted => "it was interrupted",
            Self::TimeLimit => "its time was over",
            Self::FailFast => "it was to stop at the first failure",
        }
    }
}

/// What came of running tasks.
#[derive(Debug)]
pub struct Pooled {
    /// The results.
    pub results: Results,
    /// Why it ended early, if it did.
    pub stop: Option<Stop>,
}

/// Why a sweep could not go on.
#[derive(Debug)]
pub enum Broken {
    /// A scenario does not compile with the overrides: what to print.
    Scenario(String),
    /// The log cannot be written.
    Log(Trouble),
}

/// What the threads share.
struct Shared<'a> {
    lab: &'a Lab<'a>,
    work: &'a Work<'a>,
    tasks: &'a [Task],
    next: AtomicUsize,
    stop: AtomicBool,
}

/// Position of the task, and what came of it; `None` when it was interrupted.
type Ended = (usize, Result<Option<SeedResult>, String>);

/// Runs `tasks`, which are of `work`.
///
/// # Errors
/// When a scenario does not compile or the log cannot be written.
pub fn run(
    lab: &Lab<'_>,
    work: &Work<'_>,
    tasks: &[Task],
    limits: Limits,
    log: &mut Log,
    seen: &mut Seen<'_>,
) -> Result<Pooled, Broken> {
    assert!(limits.jobs > 0, "somebody does the work");
    let shared =
        Shared { lab, work, tasks, next: AtomicUsize::new(0), stop: AtomicBool::new(false) };
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..limits.jobs.min(tasks.len()) {
            let (shared, sender) = (&shared, sender.clone());
            scope.spawn(move || shared.work_off(&sender));
        }
        drop(sender);
        let collected = collect(&shared, &receiver, limits, log, seen);
        // Whatever is still running has nobody left to report to.
        shared.stop.store(true, Ordering::SeqCst);
        collected
    })
}

impl Shared<'_> {
    /// One thread: takes the next task until there is none, or somebody says stop.
    fn work_off(&self, results: &Sender<Ended>) {
        while !self.stop.load(Ordering::SeqCst) && !interrupt::asked() {
            let position = self.next.fetch_add(1, Ordering::SeqCst);
            let Some(task) = self.tasks.get(position) else { return };
            let series = &self.work.series[task.series];
            let ended = series.run(self.lab, task.seed, task.point);
            if results.send((position, ended)).is_err() {
                return;
            }
        }
    }
}

/// Takes the results as they come, until all threads are done.
fn collect(
    shared: &Shared<'_>,
    receiver: &Receiver<Ended>,
    limits: Limits,
    log: &mut Log,
    seen: &mut Seen<'_>,
) -> Result<Pooled, Broken> {
    let watch = Stopwatch::start();
    let mut results: Vec<Option<SeedResult>> = shared.tasks.iter().map(|_| None).collect();
    let mut first_failure = usize::MAX;
    let mut timed_out = false;
    let mut done = 0;
    for (position, ended) in receiver {
        let Some(result) = ended.map_err(Broken::Scenario)? else { continue };
        log.result(&result).map_err(Broken::Log)?;
        done += 1;
        if seen(&result, done) {
            first_failure = first_failure.min(position);
            shared.stop.store(true, Ordering::SeqCst);
        }
        if limits.seconds.is_some_and(|limit| watch.seconds() >= limit) {
            timed_out = done < shared.tasks.len();
            shared.stop.store(true, Ordering::SeqCst);
        }
        results[position] = Some(result);
    }
    // Tasks are taken in order, so everything before the first failure was run: what came later is
    // left out, for how much of it there is depends on the number of threads.
    let kept = results.into_iter().take(first_failure.saturating_add(1)).flatten();
    let results: Results = kept.map(|result| ((&result).into(), result)).collect();
    let stop = match (interrupt::asked(), first_failure < usize::MAX) {
        (true, _) => Some(Stop::Interrupted),
        (false, true) => Some(Stop::FailFast),
        (false, false) => timed_out.then_some(Stop::TimeLimit),
    };
    Ok(Pooled { results, stop })
}
