//! What is told while a sweep goes on, to standard error.

use crate::cli::args::SweepArgs;
use crate::known_failures::Known;
use crate::shell::Shell;
use crate::stopwatch::Stopwatch;
use crate::sweep::pool::Hearing;
use crate::sweep::{Summary, Work};
use reports::SeedResult;
use reports::record::RunOutcome;
use reports::units;

/// Failing runs that are told while they come, at most.
const TOLD_MAX: usize = 100;

/// Tells of the runs as they end, and adds them to the summary.
pub struct Telling<'a, 's> {
    shell: Shell,
    known: &'a Known,
    work: &'a Work<'a>,
    summary: &'s mut Summary<'a>,
    fail_fast: bool,
    told: usize,
    /// How many are to be run, and how many were.
    all: u64,
    done: u64,
    events: u64,
    watch: Stopwatch,
}

impl<'a, 's> Telling<'a, 's> {
    /// Nothing was told yet; `all` runs are to be run.
    pub fn new(
        shell: Shell,
        args: &SweepArgs,
        known: &'a Known,
        work: &'a Work<'a>,
        summary: &'s mut Summary<'a>,
        all: u64,
    ) -> Self {
        let (watch, fail_fast) = (Stopwatch::start(), args.fail_fast);
        Self { shell, known, work, summary, fail_fast, told: 0, all, done: 0, events: 0, watch }
    }

    fn is_news(&self, run: &SeedResult) -> bool {
        let series = self.work.series_of(run).expect("a run of the sweep");
        let law = &self.work.series[series].head.law;
        run.outcome == RunOutcome::UnexpectedViolation
            && run
                .causes
                .iter()
                .any(|cause| law.unexpected(&cause.check) && self.known.find(run, cause).is_none())
    }

    fn rate(&self) -> (f64, f64) {
        let seconds = self.watch.seconds().max(1e-9);
        ((self.done as f64 / seconds).max(1e-9), seconds)
    }

    /// How fast it was.
    pub fn finish(&self) {
        self.shell.clear_progress();
        if self.done > 0 {
            let (rate, seconds) = self.rate();
            let events = self.events as f64 / seconds / 1e6;
            self.shell.talk(&format!("{seconds:.1} s, {rate:.1} runs/s, {events:.2} M events/s"));
        }
    }
}

impl Hearing for Telling<'_, '_> {
    /// Tells a failing run, and how far the sweep is.
    fn ended(&mut self, run: &SeedResult) -> bool {
        self.events += run.events;
        self.done += 1;
        let bad = self.is_news(run);
        if bad && self.told < TOLD_MAX {
            self.told += 1;
            let causes: Vec<String> = run.causes.iter().map(ToString::to_string).collect();
            self.shell.talk(&format!("failed: {}: {}", run.token, causes.join("; ")));
            if self.told == TOLD_MAX {
                self.shell.talk("further failing runs are counted");
            }
        }
        let (rate, seconds) = self.rate();
        let left = self.all.saturating_sub(self.done) as f64 / rate;
        let (done, all, told) = (self.done, units::count(self.all), self.told);
        self.shell.progress(&format!(
            "{done}/{all} runs, {rate:.1}/s, {} so far, {} left, {told} failed",
            span(seconds),
            span(left),
        ));
        bad && self.fail_fast
    }

    fn keep(&mut self, run: SeedResult) {
        self.summary.add(run);
    }
}

/// A length of time as people say it: two units at most.
pub fn span(seconds: f64) -> String {
    let seconds = seconds.clamp(0.0, 1e12) as u64;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, ..) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_short() {
        assert_eq!(span(12.9), "12 s");
        assert_eq!(span(725.0), "12 min 5 s");
        assert_eq!(span(7_260.0), "2 h 1 min");
        assert_eq!(span(1e9), "11574 d 1 h");
    }
}
