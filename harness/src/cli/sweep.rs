//! `sweep` and `merge`: many seeds on all cores, joined over machines, in one summary.

mod telling;

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
use crate::shell::{Shell, quoted};
use crate::sweep::ci_formats::{self, command};
use crate::sweep::log::{Read, Trouble};
use crate::sweep::pool::{self, Broken};
use crate::sweep::tasks::{Key, Series};
use crate::sweep::{Head, Limits, Log, Points, RUNS_MAX, Results, Summary, Work};
use crate::whole_file;
use contract::hash::hash_bytes;
use reports::SeedResult;
use reports::units::plural;
use scenario::Lab as Names;
use scenario::syntax::units::Measure;
use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;
use telling::Telling;
pub use telling::span;

/// Seeds, where neither the command line nor the scenario says how many.
const SEEDS: u64 = 100;

/// Runs that get a directory, at most: one per cause.
const DIRS_MAX: usize = 20;

/// Sweeps.
pub fn main(lab: &Lab, shell: Shell, args: &SweepArgs) -> Exit {
    match sweep(lab, shell, args) {
        Ok(exit) => exit,
        Err(trouble) => complain(shell, &trouble),
    }
}

/// Says what went wrong.
pub fn complain(shell: Shell, trouble: &Trouble) -> Exit {
    match trouble {
        Trouble::Unusable(message) => {
            shell.error(message);
            Exit::Usage
        }
        Trouble::Differ(message) => {
            shell.error(&format!("nondeterminism: {message}"));
            Exit::Nondeterminism
        }
        Trouble::Interrupted => Exit::Inconclusive,
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
    if work.runs() > RUNS_MAX {
        return Err(Trouble::Unusable(format!(
            "these are {} runs; a sweep has at most {RUNS_MAX}",
            work.runs()
        )));
    }
    // Compile one run of each series before anything is written.
    for one in &work.series {
        let Some(seed) = one.head.first_seed() else { continue };
        if let Err(said) = one.plan(&names, seed, one.head.points_of(seed).start) {
            shell.talk(said.trim_end());
            return Ok(Exit::Usage);
        }
    }
    let heads: Vec<&Head> = work.series.iter().map(|one| &one.head).collect();
    let path = args.log.clone().unwrap_or_else(|| log_path(args, &heads));
    let (mut log, before) = match args.resume {
        true => Log::resume(&path, &heads)?,
        false => (Log::create(&path, &heads)?, Results::new()),
    };
    let is_done = |key: &Key| heads.iter().any(|head| head.has_run(key));
    let done = before.keys().filter(|key| is_done(key)).count() as u64;
    let all = u64::try_from(work.runs()).expect("at most RUNS_MAX");
    talk_before(shell, args, &path, all, done);
    let keep_all = shows(&args.shown, Summed::Json);
    let mut summary = Summary::new(heads, &known, keep_all);
    before.values().for_each(|result| summary.add(result.clone()));
    let tasks = work.tasks().filter(|task| !before.contains_key(&work.key(task)));
    let mut telling = Telling::new(shell, args, &known, &work, &mut summary, all - done);
    let limits = Limits { jobs: jobs(args.jobs), seconds };
    let stop = pool::run(&names, &work, tasks, limits, &mut log, &mut telling);
    telling.finish();
    interrupt::wind_up();
    summary.stop = match stop {
        Ok(stop) => stop,
        Err(Broken::Log(trouble)) => return Err(trouble),
        Err(Broken::Scenario(said)) => {
            shell.talk(said.trim_end());
            return Ok(Exit::Usage);
        }
    };
    let kept = keep(&names, args, &work, &summary)?;
    talk_of_regressions(shell, args, &work);
    show(shell, &args.shown, &summary, &kept)
}

/// Whether the summary is asked for in a format.
fn shows(args: &SummaryArgs, format: Summed) -> bool {
    args.format == format || args.reports.iter().any(|(other, _)| *other == format)
}

/// A folder brings the regressions along: says so, and where they are.
fn talk_of_regressions(shell: Shell, args: &SweepArgs, work: &Work<'_>) {
    let asked = |file: &str| args.files.iter().any(|path| Path::new(file).starts_with(path));
    let files = work.series.iter().filter(|one| one.first).map(|one| one.head.file.as_str());
    let mut files: Vec<&str> = files.filter(|file| !asked(file)).collect();
    files.dedup();
    if let Some(first) = files.first() {
        let folder = Path::new(first).parent().unwrap_or(Path::new("."));
        shell.talk(&format!(
            "besides, {} of {} ran first, each on its own seed",
            plural(files.len() as u64, "regression", "regressions"),
            folder.display()
        ));
    }
}

fn series<'a>(loaded: &'a [Loaded], args: &SweepArgs) -> Result<Vec<Series<'a>>, Trouble> {
    let mut all: Vec<Series<'a>> = Vec::new();
    for file in loaded {
        let first =
            Path::new(&file.path).components().any(|part| part.as_os_str() == files::REGRESSIONS);
        for variant in variants(file, args.variant.as_deref()).map_err(Trouble::Unusable)? {
            let variant = variant.as_deref();
            let seeds = if first || file.scenario.is_minimal() {
                own_seed(file)?
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
fn own_seed(file: &Loaded) -> Result<(u64, u64), Trouble> {
    let seed = file.scenario.seed().unwrap_or(0);
    let after = seed.checked_add(1);
    let after = after.ok_or_else(|| {
        Trouble::Unusable(format!("{}: the seed 2^64-1 can be run, and not swept", file.path))
    })?;
    Ok((seed, after))
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

fn talk_before(shell: Shell, args: &SweepArgs, path: &Path, all: u64, done: u64) {
    if let Some(text) = &args.seed_from {
        shell.talk(&format!(
            "seeds count from {}, which is {text}",
            hash_bytes(text.as_bytes()) >> 24
        ));
    }
    let resumed = if done > 0 { format!(", {done} of them done before") } else { String::new() };
    let all = plural(all, "run", "runs");
    shell.talk(&format!("{all}{resumed}; log: {}", path.display()));
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
        // What is interrupted now is not written, and what is left is said all the same.
        let dir = match repeat(names, args, work, run) {
            Err(Trouble::Interrupted) => break,
            dir => dir?,
        };
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
    let series = &work.series[work.series_of(run).expect("a run of the sweep")];
    let plan = series.plan(names, run.seed, run.point).map_err(Trouble::Unusable)?;
    let place = rundir::Place::of(&args.out, &plan);
    let finished = run::run(plan, false).whole()?;
    let record = record(&finished);
    if record.digest != run.digest {
        let (token, was, is) = (&run.token, run.digest, record.digest);
        return Err(Trouble::Differ(format!("{token} had digest {was}, and now {is}")));
    }
    Ok(place.write(&finished, &record)?)
}

/// Joins logs.
pub fn merge(shell: Shell, args: &MergeArgs) -> Exit {
    let joined = || {
        let known = known(&args.shown)?;
        let logs = args.logs.iter().map(|path| Read::open(path));
        let whole = Read::join(logs.collect::<Result<Vec<Read>, Trouble>>()?)?;
        let keep_all = shows(&args.shown, Summed::Json);
        let mut summary = Summary::new(whole.heads.iter().collect(), &known, keep_all);
        whole.results.into_values().for_each(|result| summary.add(result));
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
        let text = rendered(&Shell::plain(), *format, args.long, summary);
        whole_file::write(path, text).map_err(|error| {
            Trouble::Unusable(format!("could not write {}: {error}", path.display()))
        })?;
    }
    shell.data(&rendered(&shell, args.format, args.long, summary));
    let repeat = match (dirs.first(), summary.news().first()) {
        (Some(dir), _) => {
            Some(format!("replay: chaoslab replay {}", quoted(&dir.display().to_string())))
        }
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

fn rendered(shell: &Shell, format: Summed, long: bool, summary: &Summary<'_>) -> String {
    match format {
        Summed::Text => print::on_text(*shell, |canvas| summary.render(long, canvas)),
        Summed::Md => print::on_markdown(|canvas| summary.render(long, canvas)),
        Summed::Json => reports::json::canonical(&summary.json()),
        Summed::Junit => ci_formats::junit(summary),
        Summed::Github => ci_formats::github(summary),
        Summed::Gitlab => ci_formats::gitlab(summary),
    }
}
