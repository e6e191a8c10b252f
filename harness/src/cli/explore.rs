//! `explore`: searches from snapshots instead of from seeds.

use super::args::{ExploreArgs, Strategies};
use super::load::{self, Loaded};
use super::{Lab, print};
use crate::diagnostics;
use crate::explore::{self, Explored, Limits, Path, Strategy};
use crate::interrupt;
use crate::outcome::Exit;
use crate::record::record;
use crate::scenario::plan::Plan;
use crate::scenario::units::Measure;
use crate::shell::Shell;
use crate::stopwatch::Stopwatch;
use contract::Duration;

/// Searches the futures of one scenario.
pub fn main(lab: &Lab, shell: Shell, args: &ExploreArgs) -> Exit {
    let Ok(loaded) = load::compile(lab, shell, std::slice::from_ref(&args.file), false) else {
        return Exit::Usage;
    };
    let [file] = loaded.as_slice() else {
        shell.error("explore takes one scenario file");
        return Exit::Usage;
    };
    let done = plan(lab, args, file).and_then(|plan| match &args.replay {
        Some(path) => replay(shell, args, plan, path),
        None => search(shell, args, file, plan),
    });
    done.unwrap_or_else(|message| {
        shell.error(message.trim_end());
        Exit::Usage
    })
}

fn plan(lab: &Lab, args: &ExploreArgs, file: &Loaded) -> Result<Plan, String> {
    let names = load::names(lab);
    let variant = args.variant.as_deref();
    let seed = args.seed.or(file.scenario.seed()).unwrap_or(0);
    let point = seed % file.scenario.points(variant);
    let plan = file.scenario.plan(&names, variant, seed, point, &[]);
    plan.map_err(|said| diagnostics::render(&said, &file.source, &file.path, false))
}

fn strategy(args: &ExploreArgs) -> Strategy {
    match args.strategy {
        Strategies::Random => Strategy::Random,
        Strategies::Ties => Strategy::Ties,
        Strategies::Novelty => Strategy::Novelty,
    }
}

fn search(shell: Shell, args: &ExploreArgs, file: &Loaded, plan: Plan) -> Result<Exit, String> {
    let step = Measure::Duration.parse(&args.step);
    let step = Duration(step.map_err(|why| format!("--step {}: {why}", args.step))?);
    if step == Duration::ZERO {
        return Err("--step is longer than nothing".to_owned());
    }
    let limits = Limits { step, events: args.events, salt: args.salt };
    let seed = plan.seed;
    let watch = Stopwatch::start();
    let found = explore::explore(plan, strategy(args), limits, &mut |so_far| {
        shell.progress(&line(so_far, &watch));
    })?;
    shell.clear_progress();
    shell.talk(&format!("{:.0} executions/s", found.executions as f64 / watch.seconds().max(1e-9)));
    shell.data(&format!(
        "{} states, {} executions, {} events, depth {}, {} runs to the end\n",
        found.states, found.executions, found.events, found.depth, found.ends
    ));
    let Some((path, causes)) = &found.found else {
        shell.data("nothing failed\n");
        return Ok(if interrupt::asked() { Exit::Inconclusive } else { Exit::Fine });
    };
    for cause in causes {
        shell.data(&format!("found: {cause}\n"));
    }
    let variant =
        args.variant.as_ref().map_or_else(String::new, |name| format!(" --variant {name}"));
    let ties = if strategy(args) == Strategy::Ties { " --strategy ties" } else { "" };
    shell.data(&format!(
        "replay: chaoslab explore {} --seed {seed}{variant}{ties} --replay {path}\n",
        file.path
    ));
    Ok(Exit::Violation)
}

fn line(so_far: &Explored, watch: &Stopwatch) -> String {
    let rate = so_far.executions as f64 / watch.seconds().max(1e-9);
    let (states, executions) = (so_far.states, so_far.executions);
    let millions = so_far.events as f64 / 1e6;
    format!("{states} states, {executions} executions, {rate:.0}/s, {millions:.1} M events")
}

fn replay(shell: Shell, args: &ExploreArgs, plan: Plan, path: &Path) -> Result<Exit, String> {
    let finished = path.replay(plan, strategy(args))?;
    let record = record(&finished);
    print::run(shell, super::args::Format::Text, &record);
    let fired = record.violated().next().is_some();
    Ok(if fired { Exit::Violation } else { Exit::Fine })
}
