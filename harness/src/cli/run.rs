//! `run`: scenarios × variants × seeds on one thread, a verdict for each, and the command that
//! replays what failed.

use super::args::{Format, RunArgs};
use super::files::{self, Loaded};
use super::{Lab, gravest, print, simulators};
use crate::campaign::Campaign;
use crate::interrupt;
use crate::known_failures::Known;
use crate::outcome::Exit;
use crate::record::record;
use crate::run::{self, Finished};
use crate::rundir;
use crate::shell::{Shell, fresh_seed};
use crate::stopwatch::Stopwatch;
use engine::hosting::Simulator;
use reports::SeedResult;
use reports::record::{RunOutcome, RunRecord};
use scenario::diagnostics;
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
    let mut records = Vec::new();
    let mut exits = Vec::new();
    for file in &loaded {
        let variants = match variants(file, args.variant.as_deref()) {
            Ok(variants) => variants,
            Err(message) => {
                shell.error(&message);
                return Exit::Usage;
            }
        };
        for variant in variants {
            let variant = variant.as_deref();
            let series = Series { lab, shell, args, file, variant, simulators: &simulators };
            match series.run(&mut records) {
                Ok(exit) => exits.push(exit),
                Err(message) => {
                    shell.talk(message.trim_end());
                    return Exit::Usage;
                }
            }
            if interrupt::asked() {
                break;
            }
        }
    }
    if args.format == Format::Junit {
        shell.data(&reports::junit::render(&records));
    }
    gravest(exits)
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
    variant: Option<&'a str>,
    simulators: &'a [&'static dyn Simulator],
}

impl Series<'_> {
    fn run(&self, records: &mut Vec<RunRecord>) -> Result<Exit, String> {
        let (from, to) = self.seeds();
        let law = self.file.scenario.law(self.variant).cloned();
        let mut campaign = Campaign::new(law.expect("the variant was looked up"));
        let mut results = Vec::new();
        let mut failures = 0;
        let mut repeated = Exit::Fine;
        let mut last_dir = None;
        let watch = Stopwatch::start();
        for seed in from..to {
            let Some((run, record)) = self.one(seed)? else { break };
            repeated = simulators::repeat(self.shell, &run, self.simulators).and(repeated);
            let result = SeedResult::from(&record);
            campaign.add(&result, &Known::default());
            let outcome = result.outcome;
            results.push(result);
            let first_caught = outcome == RunOutcome::FailedAsExpected
                && campaign.outcomes[&RunOutcome::FailedAsExpected] == 1;
            failures += u64::from(!outcome.as_expected());
            let keep = to - from == 1
                || first_caught
                || (!outcome.as_expected() && failures <= FAILURES_KEPT_MAX);
            if keep {
                let dir = rundir::write(&self.args.out, &run, &record)
                    .map_err(|error| format!("error: {error}"))?;
                if !outcome.as_expected() || first_caught {
                    last_dir.get_or_insert(dir);
                }
            }
            self.progress(seed - from + 1, to - from, &watch);
            if to - from == 1 {
                print::run(self.shell, self.args.format, &record);
            }
            records.push(record);
        }
        self.shell.clear_progress();
        if results.is_empty() {
            return Ok(Exit::Fine);
        }
        if to - from > 1 {
            self.print_many(&campaign, &results);
        }
        self.close(&campaign, last_dir);
        Ok(campaign.exit().and(repeated))
    }

    fn seeds(&self) -> (u64, u64) {
        if let Some(seeds) = self.args.seeds {
            return seeds;
        }
        let seed = self.args.seed.or(self.file.scenario.seed()).unwrap_or_else(|| {
            let seed = fresh_seed();
            self.shell.talk(&format!("{}: no seed given, drew --seed {seed}", self.file.path));
            seed
        });
        (seed, seed + 1)
    }

    /// Runs one seed; `None` when the user interrupted it.
    fn one(&self, seed: u64) -> Result<Option<(Finished, RunRecord)>, String> {
        let names = files::names(self.lab);
        let scenario = &self.file.scenario;
        let variant = self.variant;
        // A single seed takes the point of the matrix that the seed selects; a sweep takes all.
        let point = seed % scenario.points(variant);
        let plan = scenario.plan(&names, variant, seed, point, &self.args.sets);
        let plan = plan.map_err(|said| {
            diagnostics::render(&said, &self.file.source, &self.file.path, self.shell.colour_err)
        })?;
        let finished = run::run(plan, self.args.fail_fast);
        if interrupt::asked() {
            return Ok(None);
        }
        let record = record(&finished);
        Ok(Some((finished, record)))
    }

    fn progress(&self, done: u64, all: u64, watch: &Stopwatch) {
        if all == 1 {
            return;
        }
        let rate = done as f64 / watch.seconds().max(1e-9);
        let left = (all - done) as f64 / rate;
        let name = self.file.scenario.name();
        self.shell.progress(&format!("{name}: {done}/{all} seeds, {rate:.1}/s, {left:.0} s left"));
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
            let line = format!("replay: chaoslab replay {}", dir.display());
            match self.args.format {
                Format::Text => self.shell.data(&format!("{line}\n")),
                _ => self.shell.talk(&line),
            }
        }
    }
}
