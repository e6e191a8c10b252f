//! `zoo`: plants every flaw, one after the other, and prints which check caught it in how many seeds.

use super::args::ZooArgs;
use super::load::{self, Loaded};
use super::sweep::jobs;
use super::{Lab, print};
use crate::interrupt;
use crate::known::Known;
use crate::outcome::Exit;
use crate::scenario::Lab as Names;
use crate::shell::Shell;
use crate::sweep::log::Trouble;
use crate::sweep::pool::{self, Broken};
use crate::sweep::{Limits, Log, Results, Series, Summary, Work};
use crate::zoo::table::{Clean, draw};
use crate::zoo::{self, Kill, Pair, Recorded, is_caught};
use contract::hash::hash_bytes;
use std::fs;
use std::path::Path;

/// Clean seeds per scenario in the quick form.
const QUICK_CLEAN: u64 = 20;

/// Walks through the zoo.
pub fn main(lab: &Lab, shell: Shell, args: &ZooArgs) -> Exit {
    let Ok(files) = load::compile(lab, shell, &args.files, false) else {
        return Exit::Usage;
    };
    let keeper = Keeper { names: load::names(lab), shell, args };
    let result = if args.quick { keeper.quick(&files) } else { keeper.full(&files) };
    result.unwrap_or_else(|message| {
        shell.error(&message);
        Exit::Usage
    })
}

struct Keeper<'a> {
    names: Names<'static>,
    shell: Shell,
    args: &'a ZooArgs,
}

impl Keeper<'_> {
    fn full(&self, files: &[Loaded]) -> Result<Exit, String> {
        let pairs = zoo::pairs(&self.names, files, (0, self.args.seeds), self.args.cross);
        let count = pairs.len();
        let mut kills: Vec<Kill> = Vec::new();
        for (nth, pair) in pairs.into_iter().enumerate() {
            self.shell.progress(&format!("{}/{count} {}", nth + 1, pair.defect.name));
            let kill = self.kill(pair)?;
            let share = format!("{} of {}", kill.caught, kill.runs);
            self.shell.talk(&format!("{}: {share} in {}", kill.defect, kill.scenario));
            kills.push(kill);
            if interrupt::asked() {
                return Ok(Exit::Inconclusive);
            }
        }
        let clean =
            self.clean(files, self.args.clean.unwrap_or(self.args.seeds * 20).min(20_000))?;
        self.show(&kills, &clean);
        if let Some(dir) = &self.args.write {
            write(dir, &kills, &clean)?;
        }
        let loud = clean.scenarios.values().any(|(_, loud)| *loud > 0);
        Ok(if loud { Exit::Violation } else { Exit::Fine })
    }

    /// Runs the seeds of a pair; what an earlier walk has run is not run again.
    fn kill(&self, pair: Pair<'_>) -> Result<Kill, String> {
        let Pair { defect, series, .. } = &pair;
        let results = self.results(defect.name, series)?;
        Ok(Kill::count(&pair, &results))
    }

    fn results(&self, what: &str, series: &Series<'_>) -> Result<Results, String> {
        let leaf = series.head.name().replace(['/', ' ', '(', ')'], "-");
        let key = format!("{:?}{:?}", series.head.digest, series.head.sets);
        let hash = hash_bytes(key.as_bytes()) as u32;
        let path = self.args.out.join("zoo").join(format!("{what}-{leaf}-{hash:08x}.jsonl"));
        let (mut log, known) = Log::resume(&path, &[&series.head]).map_err(said)?;
        let head = &series.head;
        let work = Work { series: vec![series.again()] };
        let open = work.tasks().into_iter().filter(|task| !known.contains_key(&work.key(task)));
        let tasks: Vec<_> = open.collect();
        let limits = Limits { jobs: jobs(self.args.jobs), seconds: None };
        let pooled = pool::run(&self.names, &work, &tasks, limits, &mut log, &mut |_, _| false);
        let mut results = known;
        results.extend(pooled.map_err(broken)?.results);
        // The log may hold more seeds than are wanted now.
        results.retain(|key, _| (head.seeds.0..head.seeds.1).contains(&key.seed));
        Ok(results)
    }

    fn clean(&self, files: &[Loaded], seeds: u64) -> Result<Clean, String> {
        let mut clean = Clean::default();
        for series in zoo::clean(files, (0, seeds)) {
            self.shell.progress(&format!("clean: {}", series.head.name()));
            let results = self.results("clean", &series)?;
            let loud = results.values().filter(|run| is_caught(&series.head.law, run)).count();
            let runs = results.len() as u64;
            clean.scenarios.insert(series.head.name(), (runs, loud as u64));
            if interrupt::asked() {
                break;
            }
        }
        self.shell.clear_progress();
        Ok(clean)
    }

    /// Repeats what the repository keeps: one seed per flaw, and a few clean ones.
    fn quick(&self, files: &[Loaded]) -> Result<Exit, String> {
        let path = self.args.record.display();
        let text = fs::read_to_string(&self.args.record)
            .map_err(|error| format!("could not read {path}: {error}"))?;
        let recorded: Vec<Recorded> = serde_json::from_str(&text)
            .map_err(|error| format!("could not read {path}: {error}"))?;
        let mut lost = Vec::new();
        for one in &recorded {
            let same = |file: &&Loaded| Path::new(&file.path) == Path::new(&one.file);
            let caught = match files.iter().find(same) {
                Some(file) => self.is_still_caught(one, file)?,
                None => false,
            };
            if !caught {
                lost.push(one);
            }
            if interrupt::asked() {
                return Ok(Exit::Inconclusive);
            }
        }
        let (all, caught) = (recorded.len(), recorded.len() - lost.len());
        self.shell.data(&format!("{caught} of {all} planted flaws are caught as recorded\n"));
        for one in &lost {
            let (defect, file, seed) = (&one.defect, &one.file, one.seed);
            self.shell.data(&format!("not caught any more: {defect} in {file}, seed {seed}\n"));
        }
        let loud = self.quick_clean(files)?;
        let exit = if lost.is_empty() { Exit::Fine } else { Exit::Missing };
        Ok(if loud { exit.and(Exit::Violation) } else { exit })
    }

    fn is_still_caught(&self, one: &Recorded, file: &Loaded) -> Result<bool, String> {
        let series = one.series(file);
        let point = series.head.points_of(one.seed).start;
        let result = series.run(&self.names, one.seed, point)?;
        Ok(result.is_some_and(|result| is_caught(&series.head.law, &result)))
    }

    fn quick_clean(&self, files: &[Loaded]) -> Result<bool, String> {
        let wanted = self.args.clean.unwrap_or(QUICK_CLEAN);
        if wanted == 0 {
            return Ok(false);
        }
        let work = Work { series: zoo::clean(files, (0, wanted)) };
        let path = self.args.out.join("zoo").join("quick.jsonl");
        let heads: Vec<_> = work.series.iter().map(|series| &series.head).collect();
        let mut log = Log::create(&path, &heads).map_err(said)?;
        let limits = Limits { jobs: jobs(self.args.jobs), seconds: None };
        let tasks = work.tasks();
        let pooled = pool::run(&self.names, &work, &tasks, limits, &mut log, &mut |_, _| false);
        let results = pooled.map_err(broken)?.results;
        let known = Known::default();
        let summary = Summary::new(heads, &results, &known);
        let news = summary.news();
        let (runs, loud) = (results.len(), news.len());
        self.shell.data(&format!("{runs} clean runs, {loud} of their causes should not be\n"));
        for (head, cause, run) in &news {
            self.shell.data(&format!("false alarm: {}, seed {}: {cause}\n", head.name(), run.seed));
        }
        Ok(loud > 0)
    }

    fn show(&self, kills: &[Kill], clean: &Clean) {
        self.shell.data(&print::on_text(self.shell, |canvas| draw(kills, clean, canvas)));
    }
}

fn said(trouble: Trouble) -> String {
    match trouble {
        Trouble::Unusable(message) | Trouble::Differ(message) => message,
    }
}

fn broken(broken: Broken) -> String {
    match broken {
        Broken::Scenario(message) => message,
        Broken::Log(trouble) => said(trouble),
    }
}

/// Writes `zoo.md` and `zoo.json` into a folder.
fn write(dir: &Path, kills: &[Kill], clean: &Clean) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("could not write into {}: {error}", dir.display());
    fs::create_dir_all(dir).map_err(failed)?;
    let table = print::on_markdown(|canvas| draw(kills, clean, canvas));
    let text = format!("{HEAD}\n{table}");
    fs::write(dir.join("zoo.md"), text).map_err(failed)?;
    let mut names: Vec<&str> = kills.iter().map(|kill| kill.defect).collect();
    names.sort_unstable();
    names.dedup();
    let of = |name: &str| {
        let mine: Vec<&Kill> = kills.iter().filter(|kill| kill.defect == name).collect();
        zoo::best(&mine).and_then(|kill| kill.first.clone())
    };
    let recorded: Vec<Recorded> = names.into_iter().filter_map(of).collect();
    fs::write(dir.join("zoo.json"), reports::json::canonical(&recorded)).map_err(failed)
}

const HEAD: &str = "# The zoo\n\nWritten by `chaoslab zoo --write docs`; not edited by hand. Each flaw is \
planted alone, in the variants made for it or, where there is none, in every scenario that should \
pass; the row is that of the scenario which catches it most often. `docs/zoo.json` keeps one seed per \
flaw, which `chaoslab zoo --quick` repeats.\n";
