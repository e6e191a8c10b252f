//! `zoo`: plants every flaw, one after the other, and prints which check caught it in how many seeds.

use super::args::ZooArgs;
use super::files::{self, Loaded};
use super::sweep::jobs;
use super::{Lab, print, zoo_shrink};
use crate::interrupt::{self, Interrupted};
use crate::known_failures::Known;
use crate::outcome::Exit;
use crate::shell::Shell;
use crate::sweep::log::Trouble;
use crate::sweep::pool::{self, Broken};
use crate::sweep::{Limits, Log, Results, Series, Summary, Work};
use crate::whole_file;
use crate::zoo::table::{Clean, draw};
use crate::zoo::{self, Kill, Pair, Recorded, is_caught};
use contract::hash::hash_bytes;
use scenario::Lab as Names;
use std::fs;
use std::path::Path;

/// Clean seeds per scenario in the quick form, and where no flaw asks for more.
const QUICK_CLEAN: u64 = 20;

/// Clean seeds of one scenario, at most, where none are asked for.
const CLEAN_MAX: u64 = 2_000;

/// Seeds in each scenario, where a flaw has several.
const LOOK: u64 = 2;

/// A flaw that was caught so often is known well enough.
const ENOUGH: u64 = 6;

/// Walks through the zoo.
pub fn main(lab: &Lab, shell: Shell, args: &ZooArgs) -> Exit {
    let Ok(files) = files::compile(lab, shell, &args.files, false) else {
        return Exit::Usage;
    };
    let keeper = Keeper { names: files::names(lab), shell, args };
    let result = match (args.quick, args.shrink) {
        (true, _) => keeper.quick(&files),
        (false, true) => zoo_shrink::main(lab, shell, args, &files),
        (false, false) => keeper.full(&files),
    };
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
        let mut names: Vec<&str> = pairs.iter().map(|pair| pair.defect.name).collect();
        names.dedup();
        let count = names.len();
        let mut kills: Vec<Kill> = Vec::new();
        for (nth, name) in names.into_iter().enumerate() {
            let mut mine: Vec<&Pair<'_>> = pairs.iter().filter(|p| p.defect.name == name).collect();
            // Where others were caught, this one may be too.
            let caught = |pair: &&Pair<'_>| {
                let name = &pair.series.head.scenario;
                kills.iter().filter(|kill| kill.caught > 0 && kill.base == *name).count()
            };
            mine.sort_by_key(|pair| std::cmp::Reverse(caught(pair)));
            let kill = self.flaw(&format!("{}/{count} {name}", nth + 1), &mine)?;
            if interrupt::asked() {
                return Ok(Exit::Inconclusive);
            }
            self.shell.talk(&format!("{name}: {}", kill.share()));
            kills.push(kill);
        }
        let clean = self.clean(files, &kills)?;
        self.show(&kills, &clean);
        if let Some(dir) = &self.args.write
            && !interrupt::asked()
        {
            write(dir, self.args, &kills, &clean)?;
        }
        let loud = clean.scenarios.values().any(|(_, loud)| *loud > 0);
        Ok(if loud { Exit::Violation } else { Exit::Fine })
    }

    /// Looks for a flaw: a few seeds in each of its scenarios, and then more and more in the one
    /// that shows it most often, until it was caught often enough to tell how rare it is.
    fn flaw(&self, shown: &str, pairs: &[&Pair<'_>]) -> Result<Kill, String> {
        let look =
            if pairs.len() > 1 { self.args.seeds.min(LOOK) } else { self.args.seeds.min(ENOUGH) };
        let mut kills: Vec<Kill> = Vec::new();
        for pair in pairs {
            self.shell.progress(&format!("{shown} in {}", pair.series.head.name()));
            let kill = self.kill(pair, look)?;
            let always = kill.caught == kill.runs;
            kills.push(kill);
            if always || interrupt::asked() {
                break;
            }
        }
        let all: Vec<&Kill> = kills.iter().collect();
        let best = zoo::best(&all).expect("a flaw has a scenario").clone();
        let at = kills.iter().position(|kill| *kill == best).expect("it is one of them");
        if best.caught == 0 && pairs.len() > 1 {
            return Ok(Kill::none_of(&kills));
        }
        let mut kill = best;
        let mut seeds = look;
        while kill.caught < ENOUGH && seeds < self.args.seeds && !interrupt::asked() {
            seeds = (seeds * 2).min(self.args.seeds);
            self.shell.progress(&format!("{shown} in {}, {seeds} seeds", kill.scenario));
            kill = self.kill(pairs[at], seeds)?;
        }
        if kill.caught == 0 {
            kill.first = self.own_seed(pairs[at])?;
        }
        Ok(kill)
    }

    /// Runs the first seeds of a pair; what an earlier walk has run is not run again.
    fn kill(&self, pair: &Pair<'_>, seeds: u64) -> Result<Kill, String> {
        let mut series = pair.series.again();
        series.head.seeds.1 = seeds;
        let results = self.results(pair.defect.name, &series)?;
        Ok(Kill::count(pair, &results))
    }

    /// The seed that the scenario itself names, where it catches what the first seeds do not.
    fn own_seed(&self, pair: &Pair<'_>) -> Result<Option<Recorded>, String> {
        let Some(seed) = pair.own_seed() else { return Ok(None) };
        let series = &pair.series;
        let result = series.run(&self.names, seed, series.head.points_of(seed).start)?;
        let caught = result.filter(|result| is_caught(&series.head.law, result));
        Ok(caught.map(|result| Recorded::new(pair.defect.name, &series.head, &result)))
    }

    fn results(&self, what: &str, series: &Series<'_>) -> Result<Results, String> {
        let leaf = series.head.name().replace(['/', ' ', '(', ')'], "-");
        let key = format!("{:?}{:?}", series.head.digest, series.head.sets);
        let hash = hash_bytes(key.as_bytes()) as u32;
        let path = self.args.out.join("zoo").join(format!("{what}-{leaf}-{hash:08x}.jsonl"));
        let (mut log, known) = Log::resume(&path, &[&series.head]).map_err(said)?;
        let head = &series.head;
        let work = Work { series: vec![series.again()] };
        let tasks = work.tasks().filter(|task| !known.contains_key(&work.key(task)));
        let limits = Limits { jobs: jobs(self.args.jobs), seconds: None };
        let mut results = Results::new();
        let ended = pool::run(&self.names, &work, tasks, limits, &mut log, &mut results);
        ended.map_err(broken)?;
        results.extend(known);
        // The log may hold more seeds than are wanted now.
        results.retain(|key, _| (head.seeds.0..head.seeds.1).contains(&key.seed));
        Ok(results)
    }

    /// The same scenarios without a flaw: each on twenty times as many seeds as the flaw that it
    /// catches last took, or on as many as were asked for.
    fn clean(&self, files: &[Loaded], kills: &[Kill]) -> Result<Clean, String> {
        let mut clean = Clean::default();
        for mut series in zoo::clean(files, (0, QUICK_CLEAN)) {
            let mine = kills.iter().filter(|kill| kill.base == series.head.scenario);
            let took = mine.filter_map(Kill::seeds_to_first).max();
            let wanted = took.map_or(QUICK_CLEAN, |took| (took * 20).clamp(QUICK_CLEAN, CLEAN_MAX));
            series.head.seeds.1 = self.args.clean.unwrap_or(wanted);
            let name = series.head.name();
            self.shell.progress(&format!("clean: {name}, {} seeds", series.head.seeds.1));
            let results = self.results("clean", &series)?;
            let loud = results.values().filter(|run| is_caught(&series.head.law, run)).count();
            let runs = results.len() as u64;
            clean.scenarios.insert(name, (runs, loud as u64));
            if interrupt::asked() {
                break;
            }
        }
        self.shell.clear_progress();
        Ok(clean)
    }

    /// Repeats what the repository keeps: one seed per flaw, and a few clean ones.
    fn quick(&self, files: &[Loaded]) -> Result<Exit, String> {
        let recorded = recorded(&self.args.record)?;
        let mut lost = Vec::new();
        for one in &recorded {
            let caught = match file_of(files, one) {
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
        let mut results = Results::new();
        let ended = pool::run(&self.names, &work, work.tasks(), limits, &mut log, &mut results);
        ended.map_err(broken)?;
        let known = Known::default();
        let mut summary = Summary::new(heads, &known, false);
        results.values().for_each(|result| summary.add(result.clone()));
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

/// The runs that the repository keeps.
pub fn recorded(path: &Path) -> Result<Vec<Recorded>, String> {
    let failed = |why: String| format!("could not read {}: {why}", path.display());
    let text = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| failed(error.to_string()))
}

/// The file of a run that is kept.
pub fn file_of<'f>(files: &'f [Loaded], one: &Recorded) -> Option<&'f Loaded> {
    files.iter().find(|file| Path::new(&file.path) == Path::new(&one.file))
}

fn said(trouble: Trouble) -> String {
    match trouble {
        Trouble::Unusable(message) | Trouble::Differ(message) => message,
        Trouble::Interrupted => Interrupted.into(),
    }
}

fn broken(broken: Broken) -> String {
    match broken {
        Broken::Scenario(message) => message,
        Broken::Log(trouble) => said(trouble),
    }
}

/// Writes `zoo.md` and `zoo.json` into a folder.
fn write(dir: &Path, args: &ZooArgs, kills: &[Kill], clean: &Clean) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("could not write into {}: {error}", dir.display());
    let table = print::on_markdown(|canvas| draw(kills, clean, canvas));
    let text = format!("{HEAD}\n{}\n{table}", walked(args));
    whole_file::write(&dir.join("zoo.md"), text).map_err(failed)?;
    let mut names: Vec<&str> = kills.iter().map(|kill| kill.defect).collect();
    names.sort_unstable();
    names.dedup();
    let of = |name: &str| {
        let mine: Vec<&Kill> = kills.iter().filter(|kill| kill.defect == name).collect();
        zoo::best(&mine).and_then(|kill| kill.first.clone())
    };
    let recorded: Vec<Recorded> = names.into_iter().filter_map(of).collect();
    let recorded = reports::json::canonical(&recorded);
    whole_file::write(&dir.join("zoo.json"), recorded).map_err(failed)
}

/// Where this walk went, and how far.
fn walked(args: &ZooArgs) -> String {
    let files: Vec<String> =
        args.files.iter().map(|file| format!("`{}`", file.display())).collect();
    let clean = match args.clean {
        Some(seeds) => format!("{seeds} seeds"),
        None => format!(
            "{QUICK_CLEAN} seeds, or twenty times as many as its flaws took at most to be caught, \
             where that is more"
        ),
    };
    format!(
        "This walk went through {}. A flaw got at most {} seeds, and no more once it was caught \
         {ENOUGH} times. Every scenario was also run without a flaw, on {clean}.\n",
        files.join(", "),
        args.seeds
    )
}

const HEAD: &str = "# The zoo\n\nWritten by `chaoslab zoo --write docs`; not edited by hand. Each flaw is \
planted alone, in the variants made for it or, where there is none, in every scenario that should \
pass; the row is that of the scenario which catches it most often. `docs/zoo.json` keeps one seed per \
flaw, which `chaoslab zoo --quick` repeats.\n";
