//! `sweep` and `merge`: many seeds on all cores, joined over machines, in one summary.

use super::args::{MergeArgs, SummaryArgs, Summed, SweepArgs};
use super::files::{self, Loaded};
use super::run::variants;
use super::{Lab, print};
use crate::interrupt;
use crate::known_failures::Known;
use crate::outcome::Exit;
use crate::record::record;
use crate::run;
use crate::rundir;
use crate::shell::Shell;
use crate::stopwatch::Stopwatch;
use crate::sweep::ci_formats::{self, command};
use crate::sweep::log::{Read, Trouble};
use crate::sweep::pool::{self, Broken};
use crate::sweep::tasks::{Series, Task};
use crate::sweep::{Head, Limits, Log, Points, Results, Summary, Work};
use contract::hash::hash_bytes;
use reports::SeedResult;
use reports::record::RunOutcome;
use scenario::Lab as Names;
use scenario::syntax::units::Measure;
use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;

/// Seeds, where neither the command line nor the scenario says how many.
const SEEDS: u64 = 100;

/// Runs that get a directory, at most: one per cause.
const DIRS_MAX: usize = 20;

/// Failing runs that are told while they come, at most.
const TOLD_MAX: usize = 100;

/// Sweeps.
pub fn main(lab: &Lab, shell: Shell, args: &SweepArgs) -> Exit {
    match sweep(lab, shell, args) {
        Ok(exit) => exit,
        Err(trouble) => complain(shell, &trouble),
    }
}

fn complain(shell: Shell, trouble: &Trouble) -> Exit {
    match trouble {
        Trouble::Unusable(message) => {
            shell.error(message);
            Exit::Usage
        }
        Trouble::Differ(message) => {
            shell.error(&format!("nondeterminism: {message}"));
            Exit::Nondeterminism
        }
    }
}

fn sweep(lab: &Lab, shell: Shell, args: &SweepArgs) -> Result<Exit, Trouble> {
    let names = files::names(lab);
    let known = known(&args.shown)?;
    let seconds = args.time_limit.as_deref().map(seconds).transpose()?;
    let Ok(loaded) =
        files::compile(lab, shell, &files::with_regressions(&args.files), args.deny_warnings)
    else {
        return Ok(Exit::Usage);
    };
    let work = Work { series: series(&loaded, args)? };
    // Compile one run of each series before anything is written.
    for one in &work.series {
        if let Err(said) =
            one.plan(&names, one.head.seeds.0, one.head.points_of(one.head.seeds.0).start)
        {
            shell.talk(said.trim_end());
            return Ok(Exit::Usage);
        }
    }
    let heads: Vec<&Head> = work.series.iter().map(|one| &one.head).collect();
    let path = args.log.clone().unwrap_or_else(|| log_path(args, &heads));
    let (mut log, mut results) = match args.resume {
        true => Log::resume(&path, &heads)?,
        false => (Log::create(&path, &heads)?, Results::new()),
    };
    let all = work.tasks();
    let open = |task: &Task| !results.contains_key(&work.key(task));
    let tasks: Vec<Task> = all.iter().copied().filter(open).collect();
    talk_before(shell, args, &path, all.len(), all.len() - tasks.len());
    let mut telling = Telling::new(shell, args, &known, &work, tasks.len());
    let limits = Limits { jobs: jobs(args.jobs), seconds };
    let pooled = pool::run(&names, &work, &tasks, limits, &mut log, &mut |run, done| {
        telling.hear(run, done)
    });
    telling.finish();
    let pooled = match pooled {
        Ok(pooled) => pooled,
        Err(Broken::Log(trouble)) => return Err(trouble),
        Err(Broken::Scenario(said)) => {
            shell.talk(said.trim_end());
            return Ok(Exit::Usage);
        }
    };
    results.extend(pooled.results);
    let mut summary = Summary::new(heads, &results, &known);
    summary.stop = pooled.stop;
    let kept = keep(&names, args, &work, &summary)?;
    show(shell, &args.shown, &summary, &kept)
}

fn series<'a>(loaded: &'a [Loaded], args: &SweepArgs) -> Result<Vec<Series<'a>>, Trouble> {
    let mut all: Vec<Series<'a>> = Vec::new();
    for file in loaded {
        let first =
            Path::new(&file.path).components().any(|part| part.as_os_str() == files::REGRESSIONS);
        for variant in variants(file, args.variant.as_deref()).map_err(Trouble::Unusable)? {
            let variant = variant.as_deref();
            let seeds = if first || file.scenario.is_minimal() {
                own_seed(file)
            } else {
                seeds(file, variant, args)
            };
            let mut head = Series::head(&file.scenario, &file.path, &file.source, variant, seeds);
            head.sets.clone_from(&args.sets);
            head.shard = args.shard;
            head.at = if args.one_point || first || file.scenario.is_minimal() {
                Points::PerSeed
            } else {
                Points::All
            };
            if let Some(twin) = all.iter().find(|one| one.head.name() == head.name()) {
                if twin.head.digest == head.digest {
                    continue;
                }
                return Err(Trouble::Unusable(format!(
                    "{} and {} are both called {}",
                    twin.head.file, file.path, head.scenario
                )));
            }
            all.push(Series::new(&file.scenario, &file.source, head, first));
        }
    }
    Ok(all)
}

/// A shrunk scenario is one run, not a law of many.
fn own_seed(file: &Loaded) -> (u64, u64) {
    let seed = file.scenario.seed().unwrap_or(0).min(u64::MAX - 1);
    (seed, seed + 1)
}

fn seeds(file: &Loaded, variant: Option<&str>, args: &SweepArgs) -> (u64, u64) {
    let wanted = file.scenario.sweep_seeds(variant).unwrap_or(SEEDS);
    let (from, to) = args.seeds.unwrap_or((0, wanted));
    // 40 bits, so that adding the range cannot overflow and the seed can still be typed.
    let base = args.seed_from.as_ref().map_or(0, |text| hash_bytes(text.as_bytes()) >> 24);
    (from.saturating_add(base), to.saturating_add(base))
}

/// As many threads as were asked for, or one per core.
pub fn jobs(asked: Option<u64>) -> usize {
    let cores = || thread::available_parallelism().map_or(1, NonZero::get);
    asked.map_or_else(cores, |jobs| usize::try_from(jobs).expect("at most 4096"))
}

fn known(args: &SummaryArgs) -> Result<Known, Trouble> {
    let Some(path) = &args.known else { return Ok(Known::default()) };
    let shown = path.display();
    let text = fs::read_to_string(path)
        .map_err(|error| Trouble::Unusable(format!("could not read {shown}: {error}")))?;
    Known::read(&text).map_err(|why| Trouble::Unusable(format!("could not read {shown}: {why}")))
}

fn seconds(text: &str) -> Result<f64, Trouble> {
    let nanos = Measure::Duration.parse(text);
    let nanos = nanos.map_err(|why| Trouble::Unusable(format!("--time-limit {text}: {why}")))?;
    Ok(nanos as f64 / 1e9)
}

/// A name that follows from what is swept, so that `--resume` finds it again; the seeds are no part
/// of it, so that a sweep can also be extended.
fn log_path(args: &SweepArgs, heads: &[&Head]) -> PathBuf {
    let mut hash = 0;
    for head in heads {
        let key = Head { file: String::new(), seeds: (0, 0), ..(*head).clone() };
        let text = serde_json::to_string(&key).expect("a head has text keys");
        hash = contract::hash::mix(hash, hash_bytes(text.as_bytes()));
    }
    let first = heads.first().map_or("nothing", |head| &head.scenario);
    let leaf = first.rsplit('/').next().unwrap_or(first);
    let more =
        if heads.len() > 1 { format!("-and-{}-more", heads.len() - 1) } else { String::new() };
    let shard = match args.shard.of {
        1 => String::new(),
        of => format!("-shard-{}-of-{of}", args.shard.index),
    };
    args.out.join("sweeps").join(format!("{leaf}{more}-{:08x}{shard}.jsonl", hash as u32))
}

fn talk_before(shell: Shell, args: &SweepArgs, path: &Path, all: usize, done: usize) {
    if let Some(text) = &args.seed_from {
        shell.talk(&format!(
            "seeds count from {}, which is {text}",
            hash_bytes(text.as_bytes()) >> 24
        ));
    }
    let resumed = if done > 0 { format!(", {done} of them done before") } else { String::new() };
    shell.talk(&format!("{all} runs{resumed}; log: {}", path.display()));
}

/// What is told while a sweep goes on, to standard error.
struct Telling<'a> {
    shell: Shell,
    known: &'a Known,
    work: &'a Work<'a>,
    fail_fast: bool,
    told: usize,
    all: usize,
    done: usize,
    events: u64,
    watch: Stopwatch,
}

impl<'a> Telling<'a> {
    fn new(
        shell: Shell,
        args: &SweepArgs,
        known: &'a Known,
        work: &'a Work<'a>,
        all: usize,
    ) -> Self {
        let watch = Stopwatch::start();
        let fail_fast = args.fail_fast;
        Self { shell, known, work, fail_fast, told: 0, all, done: 0, events: 0, watch }
    }

    /// Tells a failing run, and how far the sweep is; whether to stop.
    fn hear(&mut self, run: &SeedResult, done: usize) -> bool {
        self.events += run.events;
        self.done = done;
        let bad = self.is_news(run);
        if bad && self.told < TOLD_MAX {
            self.told += 1;
            let causes: Vec<String> = run.causes.iter().map(ToString::to_string).collect();
            self.shell.talk(&format!("failed: {}: {}", run.token, causes.join("; ")));
            if self.told == TOLD_MAX {
                self.shell.talk("further failing runs are counted");
            }
        }
        let (rate, seconds) = self.rate(done);
        let left = (self.all - done) as f64 / rate;
        let all = self.all;
        self.shell.progress(&format!(
            "{done}/{all} runs, {rate:.1}/s, {seconds:.0} s so far, {left:.0} s left, {} failed",
            self.told
        ));
        bad && self.fail_fast
    }

    fn is_news(&self, run: &SeedResult) -> bool {
        let of = |one: &&Series<'_>| {
            one.head.scenario == run.scenario && one.head.variant == run.variant
        };
        let series = self.work.series.iter().find(of).expect("a run of the sweep");
        run.outcome == RunOutcome::UnexpectedViolation
            && run.causes.iter().any(|cause| {
                series.head.law.unexpected(&cause.check) && self.known.find(run, cause).is_none()
            })
    }

    fn rate(&self, done: usize) -> (f64, f64) {
        let seconds = self.watch.seconds().max(1e-9);
        ((done as f64 / seconds).max(1e-9), seconds)
    }

    fn finish(&self) {
        self.shell.clear_progress();
        if self.done > 0 {
            let (rate, seconds) = self.rate(self.done);
            let events = self.events as f64 / seconds / 1e6;
            self.shell.talk(&format!("{seconds:.1} s, {rate:.1} runs/s, {events:.2} M events/s"));
        }
    }
}

/// Writes the directory of the least run of each new cause, and of one run of each series that
/// failed as expected. They are run again, which must give the same digest. Returns the directories
/// of what is new, or of what was caught where nothing is.
fn keep(
    names: &Names<'_>,
    args: &SweepArgs,
    work: &Work<'_>,
    summary: &Summary<'_>,
) -> Result<Vec<PathBuf>, Trouble> {
    let mut runs: Vec<&SeedResult> = summary.news().into_iter().map(|(_, _, run)| run).collect();
    let news = runs.len();
    runs.extend(summary.caught().into_iter().map(|(_, run)| run));
    let mut dirs = Vec::new();
    let mut last: Vec<&str> = Vec::new();
    for (nth, run) in runs.into_iter().enumerate() {
        if last.contains(&run.token.as_str()) || dirs.len() == DIRS_MAX || interrupt::asked() {
            continue;
        }
        last.push(&run.token);
        let dir = repeat(names, args, work, run)?;
        if nth < news || news == 0 {
            dirs.push(dir);
        }
    }
    Ok(dirs)
}

fn repeat(
    names: &Names<'_>,
    args: &SweepArgs,
    work: &Work<'_>,
    run: &SeedResult,
) -> Result<PathBuf, Trouble> {
    let of =
        |one: &&Series<'_>| one.head.scenario == run.scenario && one.head.variant == run.variant;
    let series = work.series.iter().find(of).expect("a run of the sweep");
    let plan = series.plan(names, run.seed, run.point).map_err(Trouble::Unusable)?;
    let finished = run::run(plan, false);
    let record = record(&finished);
    if record.digest != run.digest && !interrupt::asked() {
        let (token, was, is) = (&run.token, run.digest, record.digest);
        return Err(Trouble::Differ(format!("{token} had digest {was}, and now {is}")));
    }
    rundir::write(&args.out, &finished, &record)
        .map_err(|error| Trouble::Unusable(error.to_string()))
}

/// Joins logs.
pub fn merge(shell: Shell, args: &MergeArgs) -> Exit {
    let joined = || {
        let known = known(&args.shown)?;
        let logs = args.logs.iter().map(|path| Read::open(path));
        let whole = Read::join(logs.collect::<Result<Vec<Read>, Trouble>>()?)?;
        let summary = Summary::new(whole.heads.iter().collect(), &whole.results, &known);
        show(shell, &args.shown, &summary, &[])
    };
    joined().unwrap_or_else(|trouble| complain(shell, &trouble))
}

/// Prints the summary, and writes it to the files that were asked for.
fn show(
    shell: Shell,
    args: &SummaryArgs,
    summary: &Summary<'_>,
    dirs: &[PathBuf],
) -> Result<Exit, Trouble> {
    for (format, path) in &args.reports {
        let text = rendered(&Shell::plain(), *format, summary);
        fs::write(path, text).map_err(|error| {
            Trouble::Unusable(format!("could not write {}: {error}", path.display()))
        })?;
    }
    shell.data(&rendered(&shell, args.format, summary));
    let repeat = match (dirs.first(), summary.news().first()) {
        (Some(dir), _) => Some(format!("replay: chaoslab replay {}", dir.display())),
        (None, Some((head, _, run))) => Some(format!("repeat: {}", command(head, run))),
        (None, None) => None,
    };
    if let Some(line) = repeat {
        match args.format {
            Summed::Text => shell.data(&format!("{line}\n")),
            _ => shell.talk(&line),
        }
    }
    Ok(summary.exit())
}

fn rendered(shell: &Shell, format: Summed, summary: &Summary<'_>) -> String {
    match format {
        Summed::Text => print::on_text(*shell, |canvas| summary.render(canvas)),
        Summed::Md => print::on_markdown(|canvas| summary.render(canvas)),
        Summed::Json => reports::json::canonical(&summary.json()),
        Summed::Junit => ci_formats::junit(summary),
        Summed::Github => ci_formats::github(summary),
        Summed::Gitlab => ci_formats::gitlab(summary),
    }
}
