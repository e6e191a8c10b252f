//! `run`: scenarios × variants × seeds on one thread, a verdict for each, and the command that
//! replays what failed.

use super::args::{Format, RunArgs};
use super::files::{self, Loaded};
use super::sweep::{complain, span};
use super::{Lab, gravest, print, simulators};
use crate::campaign::Campaign;
use crate::interrupt;
use crate::known_failures::Known;
use crate::outcome::Exit;
use crate::record::record;
use crate::run;
use crate::rundir;
use crate::shell::{Shell, fresh_seed, quoted};
use crate::stopwatch::Stopwatch;
use crate::sweep::log::Trouble;
use engine::hosting::Simulator;
use reports::SeedResult;
use reports::record::{RunOutcome, RunRecord};
use scenario::diagnostics;
use scenario::plan::Plan;
use std::path::PathBuf;

/// Seeds that did not end as expected and get a run directory, at most; the others are counted.
const FAILURES_KEPT_MAX: u64 = 20;

/// Runs what was asked for.
pub fn main(lab: &Lab, shell: Shell, args: &RunArgs) -> Exit {
    let Ok(loaded) =
        files::compile(lab, shell, &files::with_regressions(&args.files), args.deny_warnings)
    else {
        return Exit::Usage;
    };
    let simulators = match simulators::named(lab, &args.simulator) {
        Ok(simulators) => simulators,
        Err(message) => {
            shell.error(&message);
            return Exit::Usage;
        }
    };
    let all = match all_series(lab, shell, args, &loaded, &simulators) {
        Ok(all) => all,
        Err(message) => {
            shell.error(message.trim_end());
            return Exit::Usage;
        }
    };
    let mut records = Vec::new();
    let mut exits = Vec::new();
    for series in &all {
        match series.run(&mut records) {
            Ok(exit) => exits.push(exit),
            Err(trouble) => return complain(shell, &trouble),
        }
        if interrupt::asked() {
            break;
        }
    }
    interrupt::wind_up();
    if args.format == Format::Junit {
        shell.data(&reports::junit::render(&records));
    }
    gravest(exits)
}

/// Everything that is to be run. What is wrong with any of it is found before the first run.
fn all_series<'a>(
    lab: &'a Lab,
    shell: Shell,
    args: &'a RunArgs,
    loaded: &'a [Loaded],
    simulators: &'a [&'static dyn Simulator],
) -> Result<Vec<Series<'a>>, String> {
    let mut all: Vec<Series<'a>> = Vec::new();
    for file in loaded {
        let name = file.scenario.name();
        if let Some(twin) = all.iter().find(|one| one.file.scenario.name() == name) {
            // Their runs would lie in the same directories.
            if twin.file.source == file.source {
                continue;
            }
            return Err(format!("{} and {} are both called {name}", twin.file.path, file.path));
        }
        for variant in variants(file, args.variant.as_deref())? {
            let mut series = Series { lab, shell, args, file, variant, simulators, seeds: (0, 0) };
            series.seeds = series.seeds();
            series.plan(series.seeds.0)?;
            all.push(series);
        }
    }
    Ok(all)
}

/// The variants to run: the base, one, or all with the base first.
pub fn variants(file: &Loaded, asked: Option<&str>) -> Result<Vec<Option<String>>, String> {
    let all: Vec<String> = file.scenario.variants().iter().map(|v| (*v).to_owned()).collect();
    match asked {
        None => Ok(vec![None]),
        Some("all") => Ok(std::iter::once(None).chain(all.into_iter().map(Some)).collect()),
        Some(name) if all.iter().any(|variant| variant == name) => Ok(vec![Some(name.to_owned())]),
        Some(name) => Err(format!(
            "{} has no variant `{name}`; it has {}",
            file.path,
            if all.is_empty() { "none".to_owned() } else { all.join(", ") },
        )),
    }
}

/// All seeds of one scenario and variant.
struct Series<'a> {
    lab: &'a Lab,
    shell: Shell,
    args: &'a RunArgs,
    file: &'a Loaded,
    variant: Option<String>,
    simulators: &'a [&'static dyn Simulator],
    /// The first seed, and the last.
    seeds: (u64, u64),
}

impl Series<'_> {
    fn run(&self, records: &mut Vec<RunRecord>) -> Result<Exit, Trouble> {
        let (from, last) = self.seeds;
        let is_one = from == last;
        let law = self.file.scenario.law(self.variant.as_deref()).cloned();
        let mut campaign = Campaign::new(law.expect("the variant was looked up"));
        let mut results = Vec::new();
        let mut failures = 0;
        let mut repeated = Exit::Fine;
        let mut last_dir = None;
        let watch = Stopwatch::start();
        for seed in from..=last {
            let plan = self.plan(seed).map_err(Trouble::Unusable)?;
            let place = rundir::Place::of(&self.args.out, &plan);
            let Ok(run) = run::run(plan, self.args.fail_fast).whole() else { break };
            let record = record(&run);
            repeated = simulators::repeat(self.shell, &run, self.simulators).and(repeated);
            let result = SeedResult::from(&record);
            campaign.add(&result, &Known::default());
            let outcome = result.outcome;
            results.push(result);
            let first_caught = outcome == RunOutcome::FailedAsExpected
                && campaign.outcomes[&RunOutcome::FailedAsExpected] == 1;
            failures += u64::from(!outcome.as_expected());
            let keep =
                is_one || first_caught || (!outcome.as_expected() && failures <= FAILURES_KEPT_MAX);
            if keep {
                let dir = place.write(&run, &record)?;
                if !outcome.as_expected() || first_caught {
                    last_dir.get_or_insert(dir);
                }
            }
            self.progress(seed - from, last - from, &watch);
            if is_one {
                print::run(self.shell, self.args.format, &record);
            }
            records.push(record);
        }
        self.shell.clear_progress();
        interrupt::wind_up();
        if results.is_empty() {
            return Ok(Exit::Inconclusive);
        }
        if !is_one {
            self.print_many(&campaign, &results);
        }
        self.close(&campaign, last_dir);
        Ok(campaign.exit().and(repeated))
    }

    fn seeds(&self) -> (u64, u64) {
        if let Some((from, to)) = self.args.seeds {
            return (from, to - 1);
        }
        let seed = self.args.seed.or(self.file.scenario.seed()).unwrap_or_else(|| {
            let seed = fresh_seed();
            self.shell.talk(&format!("{}: no seed given, drew --seed {seed}", self.file.path));
            seed
        });
        (seed, seed)
    }

    fn plan(&self, seed: u64) -> Result<Plan, String> {
        let names = files::names(self.lab);
        let scenario = &self.file.scenario;
        let variant = self.variant.as_deref();
        // A single seed takes the point of the matrix that the seed selects; a sweep takes all.
        let point = seed % scenario.points(variant);
        let plan = scenario.plan(&names, variant, seed, point, &self.args.sets);
        plan.map_err(|said| {
            diagnostics::render(&said, &self.file.source, &self.file.path, self.shell.colour_err)
        })
    }

    /// How many seeds were run before this one, and how many there are besides it.
    fn progress(&self, before: u64, others: u64, watch: &Stopwatch) {
        if others == 0 {
            return;
        }
        let rate = (before as f64 + 1.0) / watch.seconds().max(1e-9);
        let left = span((others - before) as f64 / rate);
        let name = self.file.scenario.name();
        self.shell.progress(&format!(
            "{name}: {}/{} seeds, {rate:.1}/s, {left} left",
            u128::from(before) + 1,
            u128::from(others) + 1
        ));
    }

    fn print_many(&self, campaign: &Campaign, results: &[SeedResult]) {
        let shell = self.shell;
        print::seeds(shell, self.args.format, results);
        if self.args.format == Format::Text && campaign.rate_met() {
            let caught = campaign.outcomes.get(&RunOutcome::FailedAsExpected).copied().unwrap_or(0);
            if caught > 0 {
                let runs = campaign.runs();
                shell.data(&format!("failed as expected: {caught} of {runs} seeds\n"));
            }
        }
    }

    /// What was vacuous, and last the command that repeats what failed.
    fn close(&self, campaign: &Campaign, dir: Option<PathBuf>) {
        for sentence in campaign.vacuous() {
            self.shell.talk(&format!("vacuous: {sentence}"));
        }
        if let Some(dir) = dir {
            let line = format!("replay: chaoslab replay {}", quoted(&dir.display().to_string()));
            match self.args.format {
                Format::Text => self.shell.data(&format!("{line}\n")),
                _ => self.shell.talk(&line),
            }
        }
    }
}
