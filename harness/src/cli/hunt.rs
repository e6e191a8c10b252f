//! `hunt`: draws worlds of a system until something breaks, and keeps what it finds.

use super::args::HuntArgs;
use super::sweep::jobs;
use super::{Lab, files};
use crate::cause::{self, Branching};
use crate::hunt::{self, Find, Hunted, Limits, Source, trial};
use crate::interrupt;
use crate::outcome::Exit;
use crate::record::record;
use crate::rundir;
use crate::shell::{Shell, fresh_seed, quoted};
use crate::shrink::{self, Budget, Subject, Trials};
use crate::stopwatch::Stopwatch;
use crate::whole_file;
use reports::units::{count, plural};
use scenario::Lab as Names;
use std::path::{Path, PathBuf};

/// What may be spent on shrinking a find.
const SHRINK: Budget = Budget { trials: 600, events: 60_000_000 };

/// What may be spent on asking for its cause.
const CAUSE: Budget = Budget { trials: 100, events: 60_000_000 };

/// The most finds that are shrunk; the others are kept as they are.
const SHRUNK_MAX: usize = 12;

/// The file of a find as it was drawn.
const WORLD: &str = "world.toml";

/// Hunts one system.
pub fn main(lab: &Lab, shell: Shell, args: &HuntArgs) -> Exit {
    hunted(lab, shell, args).unwrap_or_else(|message| {
        shell.error(message.trim_end());
        Exit::Usage
    })
}

fn hunted(lab: &Lab, shell: Shell, args: &HuntArgs) -> Result<Exit, String> {
    let names = files::names(lab);
    let name = format!("hunt/{}", args.system);
    let source = source(&names, args, &name)?;
    let seed = args.seed.unwrap_or_else(|| {
        let seed = fresh_seed();
        shell.talk(&format!("no seed given, drew --seed {seed}"));
        seed
    });
    let seconds = args.time.map(|time| time.as_nanos() as f64 / 1e9);
    let seconds = seconds.or(args.runs.is_none().then_some(TIME_S));
    let limits = Limits { seed, runs: args.runs, seconds, jobs: jobs(args.jobs) };
    let watch = Stopwatch::start();
    let hunted = hunt::hunt(&source, limits, &mut |so_far| shell.progress(&line(so_far, &watch)))?;
    shell.clear_progress();
    let interrupted = interrupt::set_aside();
    shell.talk(&format!("{:.1} worlds/s", hunted.runs as f64 / watch.seconds().max(1e-9)));
    let keeper = Keeper { names: &names, shell, args, dir: args.out.join(&name), seed };
    let kept = keeper.keep_all(&hunted, interrupted);
    shell.data(&summary(&source, &hunted, &kept, seed));
    if interrupted {
        interrupt::put_back();
    }
    Ok(match (hunted.finds.is_empty(), hunted.runs) {
        (false, _) => Exit::Violation,
        (true, 0) => Exit::Inconclusive,
        (true, _) => Exit::Fine,
    })
}

/// How long to hunt where nobody says: seconds.
const TIME_S: f64 = 60.0;

fn source<'a>(
    names: &'a Names<'a>,
    args: &'a HuntArgs,
    name: &'a str,
) -> Result<Source<'a>, String> {
    let Some(system) = names.system(&args.system) else {
        let known: Vec<&str> = names.systems.iter().map(|system| system.name()).collect();
        return Err(format!(
            "there is no system `{}`; there are {}",
            args.system,
            known.join(", ")
        ));
    };
    let Some(hunt) = system.hunt() else {
        return Err(format!(
            "`{}` does not say what may be made of it: `System::hunt`",
            args.system
        ));
    };
    for defect in &args.defects {
        if system.defects().iter().all(|row| row.name != defect) {
            return Err(format!(
                "`{}` has no defect `{defect}`; `chaoslab list defects` has all",
                args.system
            ));
        }
    }
    Ok(Source { lab: names, system, hunt, defects: &args.defects, name })
}

fn line(so_far: &Hunted, watch: &Stopwatch) -> String {
    let rate = so_far.runs as f64 / watch.seconds().max(1e-9);
    format!(
        "{} worlds, {rate:.1}/s, {} events marked, {} states, {} kept for what they reached, {} \
         finds",
        so_far.runs,
        so_far.marks(),
        so_far.states(),
        so_far.novel,
        so_far.finds.len()
    )
}

/// What was kept of a find.
struct Kept {
    file: PathBuf,
    /// What shrinking left, in a few words.
    left: String,
    /// Why it fails, in a sentence.
    cause: String,
}

struct Keeper<'a> {
    names: &'a Names<'a>,
    shell: Shell,
    args: &'a HuntArgs,
    dir: PathBuf,
    seed: u64,
}

impl Keeper<'_> {
    fn keep_all(&self, hunted: &Hunted, interrupted: bool) -> Vec<Result<Kept, String>> {
        let finds = hunted.finds.values().enumerate();
        finds
            .map(|(nth, find)| {
                let shrinks = nth < SHRUNK_MAX && !interrupted && !self.args.no_shrink;
                self.keep(find, shrinks && !interrupt::asked())
            })
            .collect()
    }

    /// Writes the world of a find and its run, and what shrinking and asking for the cause give.
    fn keep(&self, find: &Find, shrinks: bool) -> Result<Kept, String> {
        let dir = self.dir.join(slug(&find.cause.check, &find.cause.rule));
        let text = format!(
            "# It breaks {}: `chaoslab hunt {} --seed {}`, world {}.\n{}",
            find.cause, self.args.system, self.seed, find.number, find.text
        );
        let file = dir.join(WORLD);
        std::fs::create_dir_all(&dir).map_err(|error| unwritten(&dir, &error))?;
        whole_file::write(&file, &text).map_err(|error| unwritten(&file, &error))?;
        let mut kept = Kept { file, left: String::new(), cause: String::new() };
        if shrinks {
            self.explain(find, &dir, &mut kept)?;
        }
        Ok(kept)
    }

    fn explain(&self, find: &Find, dir: &Path, kept: &mut Kept) -> Result<(), String> {
        let shown = find.cause.to_string();
        self.shell.progress(&format!("{shown}: running it again"));
        let (_, _, plan) = trial::compiled(self.names, find.text.clone())?;
        let place = rundir::Place::of(dir, &plan);
        let (finished, _) = trial::run(plan);
        let Ok(finished) = finished.whole() else { return Ok(()) };
        let mut record = record(&finished);
        let run = place.write(&finished, &record).map_err(|error| error.to_string())?;
        let document = finished.plan.document.clone();
        let (_, scenario, _) = trial::compiled(self.names, document)?;
        let subject = Subject::new(&scenario, &record, find.cause.clone());
        let mut trials = Trials::new(self.names, find.cause.clone(), SHRINK);
        let shrunk = shrink::shrink(&subject, &mut trials, &mut |best, trials| {
            let faults = best.ids("fault").len();
            self.shell.progress(&format!("{shown}: trial {trials}, {faults} faults"));
        });
        match shrunk {
            Ok(shrunk) => {
                let file = dir.join(rundir::MINIMAL);
                whole_file::write(&file, &shrunk.document)
                    .map_err(|error| unwritten(&file, &error))?;
                let (faults, ops) = (shrunk.draft.ids("fault").len(), shrunk.draft.ops());
                kept.left = match ops {
                    0 => format!("{}, a load", plural(faults as u64, "fault", "faults")),
                    ops => format!(
                        "{}, {}",
                        plural(faults as u64, "fault", "faults"),
                        plural(ops as u64, "operation", "operations")
                    ),
                };
                kept.file = file;
            }
            Err(why) => kept.left = why,
        }
        let branching =
            Branching { points: 4, futures: 6, messages: 20, jobs: jobs(self.args.jobs) };
        let mut trials = Trials::new(self.names, find.cause.clone(), CAUSE);
        let mut tell = |what: &str| self.shell.progress(&format!("{shown}: {what}"));
        let explained = cause::explain(&subject, self.names, &mut trials, branching, &mut tell);
        if let Ok(found) = explained {
            rundir::explain(&mut record, Some(found.sentence.clone()), Vec::new());
            rundir::add_cause(&run, &reports::json::canonical(&found), &record)
                .map_err(|error| error.to_string())?;
            kept.cause = found.sentence;
        }
        self.shell.clear_progress();
        Ok(())
    }
}

fn unwritten(path: &Path, error: &std::io::Error) -> String {
    format!("could not write {}: {error}", path.display())
}

/// A name for a folder.
fn slug(check: &str, rule: &str) -> String {
    let text = format!("{check}-{rule}");
    let kept = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
    let mut slug: String = kept.collect();
    while slug.contains("--") {
        slug = slug.replace("--", "-");
    }
    slug.truncate(80);
    slug.trim_matches('-').to_owned()
}

fn summary(
    source: &Source<'_>,
    hunted: &Hunted,
    kept: &[Result<Kept, String>],
    seed: u64,
) -> String {
    let mut text = format!(
        "{} worlds of {} from seed {seed}: {} events of the engine, {} of {} kinds of marks, {} \
         states, {} worlds reached something new\n",
        count(hunted.runs),
        source.system.name(),
        count(hunted.events),
        hunted.marks(),
        source.system.events().len(),
        count(hunted.states() as u64),
        count(hunted.novel),
    );
    for (why, times) in &hunted.undecided {
        text += &format!("undecided {} times: {why}\n", count(*times));
    }
    if hunted.finds.is_empty() {
        text += "nothing failed\n";
        return text;
    }
    text + &finds(hunted, kept)
}

/// What each find is, how often it came, and how to run it: a paragraph each, because names and paths
/// are to be copied whole.
fn finds(hunted: &Hunted, kept: &[Result<Kept, String>]) -> String {
    let mut text = String::new();
    for (find, kept) in hunted.finds.values().zip(kept) {
        text += &format!(
            "{}: {}: in {} worlds, first in no. {}\n",
            find.cause.check,
            find.cause.rule,
            count(find.times),
            count(find.number),
        );
        match kept {
            Ok(kept) => {
                if !kept.left.is_empty() {
                    text += &format!("  shrunk to {}\n", kept.left);
                }
                if !kept.cause.is_empty() {
                    text += &format!("  cause: {}\n", kept.cause);
                }
                text +=
                    &format!("  run: chaoslab run {}\n", quoted(&kept.file.display().to_string()));
            }
            Err(why) => text += &format!("  not kept: {why}\n"),
        }
    }
    text
}
