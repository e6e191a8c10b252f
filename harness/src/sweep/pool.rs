//! Running a sweep: one engine per thread, results in the order of the tasks.
//!
//! Tasks are made one by one and results are handed on as soon as all before them are, so memory
//! follows the runs in flight and not the range of seeds.

use super::log::{Log, Trouble};
use super::tasks::{Task, Work};
use crate::interrupt;
use crate::stopwatch::Stopwatch;
use reports::SeedResult;
use scenario::Lab;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// How a sweep is run; nothing that is found depends on it, but how much of the work is done.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Threads.
    pub jobs: usize,
    /// After so many seconds of the wall clock no run is begun any more.
    pub seconds: Option<f64>,
}

/// Hears of the results of a sweep.
pub trait Hearing {
    /// A run has ended; they come in any order. Returns whether the sweep stops at it: no task after
    /// it is begun, and those that were begun are left out, for how many there are depends on the
    /// number of threads.
    fn ended(&mut self, run: &SeedResult) -> bool;

    /// The next result in the order of the tasks.
    fn keep(&mut self, run: SeedResult);
}

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

/// Why a sweep could not go on.
#[derive(Debug)]
pub enum Broken {
    /// A scenario does not compile with the overrides: what to print.
    Scenario(String),
    /// The log cannot be written.
    Log(Trouble),
}

/// What the threads share.
struct Shared<'a, T> {
    lab: &'a Lab<'a>,
    work: &'a Work<'a>,
    /// The tasks that are left, and the position of the next.
    tasks: Mutex<(usize, T)>,
    stop: AtomicBool,
}

/// Position of the task, and what came of it; `None` when it was interrupted.
type Ended = (usize, Result<Option<SeedResult>, String>);

/// Runs `tasks`, which are of `work`. Returns why it ended early, if it did.
///
/// # Errors
/// When a scenario does not compile or the log cannot be written.
pub fn run(
    lab: &Lab<'_>,
    work: &Work<'_>,
    tasks: impl Iterator<Item = Task> + Send,
    limits: Limits,
    log: &mut Log,
    hearing: &mut dyn Hearing,
) -> Result<Option<Stop>, Broken> {
    assert!(limits.jobs > 0, "somebody does the work");
    let shared = Shared { lab, work, tasks: Mutex::new((0, tasks)), stop: AtomicBool::new(false) };
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..limits.jobs {
            let (shared, sender) = (&shared, sender.clone());
            scope.spawn(move || shared.work_off(&sender));
        }
        drop(sender);
        let collected = Collecting::new(&shared.stop, limits).collect(&receiver, log, hearing);
        // Whatever is still running has nobody left to report to.
        shared.stop.store(true, Ordering::SeqCst);
        collected
    })
}

impl<T: Iterator<Item = Task>> Shared<'_, T> {
    /// One thread: takes the next task until there is none, or somebody says stop.
    fn work_off(&self, results: &Sender<Ended>) {
        while !self.stop.load(Ordering::SeqCst) && !interrupt::asked() {
            let Some((position, task)) = self.next() else { return };
            let series = &self.work.series[task.series];
            let ended = series.run(self.lab, task.seed, task.point);
            if results.send((position, ended)).is_err() {
                return;
            }
        }
    }

    fn next(&self) -> Option<(usize, Task)> {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let (position, left) = &mut *tasks;
        let task = left.next()?;
        *position += 1;
        Some((*position - 1, task))
    }
}

/// Puts results into the order of their tasks.
struct Collecting<'a> {
    stop: &'a AtomicBool,
    limits: Limits,
    watch: Stopwatch,
    /// Results that came before one that is before them; `None` where there is none.
    ahead: BTreeMap<usize, Option<SeedResult>>,
    /// The first position at which the sweep stops.
    last: Option<usize>,
    /// The position of the next that is kept.
    next: usize,
    timed_out: bool,
}

impl<'a> Collecting<'a> {
    fn new(stop: &'a AtomicBool, limits: Limits) -> Self {
        Self {
            stop,
            limits,
            watch: Stopwatch::start(),
            ahead: BTreeMap::new(),
            last: None,
            next: 0,
            timed_out: false,
        }
    }

    /// Takes the results as they come, until all threads are done.
    fn collect(
        mut self,
        receiver: &Receiver<Ended>,
        log: &mut Log,
        hearing: &mut dyn Hearing,
    ) -> Result<Option<Stop>, Broken> {
        for (position, ended) in receiver {
            let result = ended.map_err(Broken::Scenario)?;
            if let Some(result) = &result {
                log.result(result).map_err(Broken::Log)?;
                if hearing.ended(result) {
                    self.last = Some(self.last.map_or(position, |last| last.min(position)));
                    self.stop.store(true, Ordering::SeqCst);
                }
            }
            self.ahead.insert(position, result);
            while let Some(result) = self.ahead.remove(&self.next) {
                self.keep(self.next, result, hearing);
                self.next += 1;
            }
            if self.limits.seconds.is_some_and(|limit| self.watch.seconds() >= limit) {
                self.timed_out = true;
                self.stop.store(true, Ordering::SeqCst);
            }
        }
        // An interrupt leaves gaps; what came after them is kept all the same.
        for (position, result) in std::mem::take(&mut self.ahead) {
            self.keep(position, result, hearing);
        }
        Ok(match (interrupt::asked(), self.last.is_some()) {
            (true, _) => Some(Stop::Interrupted),
            (false, true) => Some(Stop::FailFast),
            (false, false) => self.timed_out.then_some(Stop::TimeLimit),
        })
    }

    fn keep(&self, position: usize, result: Option<SeedResult>, hearing: &mut dyn Hearing) {
        let is_past = self.last.is_some_and(|last| position > last);
        if let Some(result) = result.filter(|_| !is_past) {
            hearing.keep(result);
        }
    }
}
