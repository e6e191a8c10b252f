//! `explore`: searches from snapshots instead of from seeds.

use super::args::{ExploreArgs, Strategies};
use super::files::{self, Loaded};
use super::{Lab, print};
use crate::explore::exhaustive::{self, Bounds, Level};
use crate::explore::{self, Explored, Limits, Path, Strategy};
use crate::interrupt;
use crate::outcome::Exit;
use crate::record::record;
use crate::shell::{Shell, quoted};
use crate::stopwatch::Stopwatch;
use contract::{Duration, SimTime};
use reports::canvas::{Cell, Table, figures, words};
use reports::seeds::Cause;
use reports::units::count;
use scenario::diagnostics;
use scenario::plan::Plan;
use scenario::syntax::units::Measure;

/// Searches the futures of one scenario.
pub fn main(lab: &Lab, shell: Shell, args: &ExploreArgs) -> Exit {
    let Ok(loaded) = files::compile(lab, shell, std::slice::from_ref(&args.file), false) else {
        return Exit::Usage;
    };
    let [file] = loaded.as_slice() else {
        shell.error("explore takes one scenario file");
        return Exit::Usage;
    };
    let done = fits(args).and_then(|()| plan(lab, args, file)).and_then(|plan| {
        match (args.strategy, &args.replay) {
            _ if args.compare.is_some() => compare(shell, args, file, plan),
            (Strategies::Exhaustive, None) => every_order(shell, args, file, plan),
            (Strategies::Exhaustive, Some(path)) => replay_order(shell, args, plan, path),
            (_, None) => search(shell, args, file, plan),
            (_, Some(path)) => replay(shell, args, plan, &path.parse()?),
        }
    });
    done.unwrap_or_else(|message| {
        shell.error(message.trim_end());
        Exit::Usage
    })
}

fn plan(lab: &Lab, args: &ExploreArgs, file: &Loaded) -> Result<Plan, String> {
    let names = files::names(lab);
    let variant = args.variant.as_deref();
    let seed = args.seed.or(file.scenario.seed()).unwrap_or(0);
    let point = seed % file.scenario.points(variant);
    let plan = file.scenario.plan(&names, variant, seed, point, &args.sets);
    plan.map_err(|said| diagnostics::render(&said, &file.source, &file.path, false))
}

/// What only one way of searching understands is refused where another was asked for.
fn fits(args: &ExploreArgs) -> Result<(), String> {
    let is_exhaustive = args.strategy == Strategies::Exhaustive;
    if !is_exhaustive && !args.after.is_empty() {
        return Err("--after is for --strategy exhaustive".to_owned());
    }
    if !is_exhaustive && time("--from", &args.from)? > 0 {
        return Err("--from is for --strategy exhaustive".to_owned());
    }
    if args.compare.is_some() && args.replay.is_some() {
        return Err("--compare searches; it follows no --replay".to_owned());
    }
    if args.compare.is_some() && is_exhaustive {
        return Err("--compare is for random and novelty, which it compares".to_owned());
    }
    Ok(())
}

fn strategy(args: &ExploreArgs) -> Strategy {
    match args.strategy {
        Strategies::Random => Strategy::Random,
        Strategies::Ties => Strategy::Ties,
        Strategies::Novelty => Strategy::Novelty,
        Strategies::Exhaustive => unreachable!("it searches otherwise"),
    }
}

fn search(shell: Shell, args: &ExploreArgs, file: &Loaded, plan: Plan) -> Result<Exit, String> {
    let limits = limits(args)?;
    let seed = plan.seed;
    let watch = Stopwatch::start();
    let found = explore::explore(plan, strategy(args), limits, &mut |so_far| {
        shell.progress(&line(so_far, &watch));
    })?;
    shell.clear_progress();
    interrupt::wind_up();
    shell.talk(&format!("{:.0} executions/s", found.executions as f64 / watch.seconds().max(1e-9)));
    shell.data(&format!(
        "{} states, {} executions, {} events, depth {}, {} runs to the end\n",
        found.states, found.executions, found.events, found.depth, found.ends
    ));
    let Some((path, causes)) = &found.found else {
        return Ok(nothing_failed(shell, found.saw_nothing()));
    };
    for cause in causes {
        shell.data(&format!("found: {cause}\n"));
    }
    let ties = if strategy(args) == Strategy::Ties { " --strategy ties" } else { "" };
    say_replay(shell, args, file, seed, ties, &path.to_string());
    Ok(Exit::Violation)
}

/// How a search ends that found nothing, and `why` that may be no finding.
fn nothing_failed(shell: Shell, why: Option<String>) -> Exit {
    shell.data("nothing failed\n");
    if let Some(why) = &why {
        shell.data(&format!("inconclusive: {why}\n"));
    }
    if why.is_some() || interrupt::asked() { Exit::Inconclusive } else { Exit::Fine }
}

fn limits(args: &ExploreArgs) -> Result<Limits, String> {
    let step = Duration(time("--step", &args.step)?);
    if step == Duration::ZERO {
        return Err("--step is longer than nothing".to_owned());
    }
    Ok(Limits { step, events: args.events, salt: args.salt })
}

fn time(flag: &str, text: &str) -> Result<u64, String> {
    Measure::Duration.parse(text).map_err(|why| format!("{flag} {text}: {why}"))
}

fn say_replay(shell: Shell, args: &ExploreArgs, file: &Loaded, seed: u64, how: &str, path: &str) {
    let variant = args.variant.as_ref();
    let variant = variant.map_or_else(String::new, |name| format!(" --variant {}", quoted(name)));
    let sets = args.sets.iter().map(|(path, value)| quoted(&format!("{path}={value}")));
    let sets: String = sets.map(|set| format!(" --set {set}")).collect();
    let (file, path) = (quoted(&file.path), quoted(path));
    shell.data(&format!(
        "replay: chaoslab explore {file} --seed {seed}{variant}{sets}{how} --replay {path}\n"
    ));
}

fn line(so_far: &Explored, watch: &Stopwatch) -> String {
    let rate = so_far.executions as f64 / watch.seconds().max(1e-9);
    let (states, executions) = (so_far.states, so_far.executions);
    let millions = so_far.events as f64 / 1e6;
    format!("{states} states, {executions} executions, {rate:.0}/s, {millions:.1} M events")
}

fn replay(shell: Shell, args: &ExploreArgs, plan: Plan, path: &Path) -> Result<Exit, String> {
    let finished = path.replay(plan, strategy(args))?.whole()?;
    let record = record(&finished);
    print::run(shell, super::args::Format::Text, &record);
    let fired = record.violated().next().is_some();
    Ok(if fired { Exit::Violation } else { Exit::Fine })
}

/// What two strategies take to find something, over many searches that share nothing but the past.
fn compare(shell: Shell, args: &ExploreArgs, file: &Loaded, plan: Plan) -> Result<Exit, String> {
    let limits = limits(args)?;
    let times = args.compare.expect("it was asked for");
    let mut table = Table::new(vec![
        words("scenario"),
        words("strategy"),
        figures("found"),
        figures("of"),
        figures("events to it, half of the searches"),
        figures("states, half of the searches"),
        figures("executions/s"),
    ]);
    let mut name = file.scenario.name().to_owned();
    let variant = args.variant.iter().cloned();
    let sets = args.sets.iter().map(|(path, value)| format!("{path} = {value}"));
    variant.chain(sets).for_each(|more| name.push_str(&format!(" ({more})")));
    for (word, strategy) in [("random", Strategy::Random), ("novelty", Strategy::Novelty)] {
        let watch = Stopwatch::start();
        let mut all: Vec<Explored> = Vec::new();
        for nth in 0..times {
            // Far apart, so that no two searches give a world the same salt.
            let limits = Limits { salt: limits.salt.wrapping_add(nth << 32), ..limits };
            shell.progress(&format!("{name}, {word}: {}/{times}", nth + 1));
            all.push(explore::explore(plan.clone(), strategy, limits, &mut |_| {})?);
            if interrupt::asked() {
                return Ok(Exit::Inconclusive);
            }
        }
        let found = all.iter().filter(|one| one.found.is_some()).count();
        let executions: u64 = all.iter().map(|one| one.executions).sum();
        // A search that found nothing took more than it was allowed.
        let events = |one: &Explored| one.found.as_ref().map_or(u64::MAX, |_| one.events);
        let half = half(all.iter().map(events).collect());
        table.push(vec![
            Cell::from(&name),
            Cell::from(word),
            Cell::from(count(found as u64)),
            Cell::from(count(times)),
            Cell::from(match half {
                u64::MAX => format!("over {}", count(limits.events)),
                events => count(events),
            }),
            Cell::from(count(self::half(all.iter().map(|one| one.states).collect()))),
            Cell::from(format!("{:.0}", executions as f64 / watch.seconds().max(1e-9))),
        ]);
    }
    shell.clear_progress();
    shell.data(&print::on_markdown(|canvas| canvas.table(&table)));
    Ok(Exit::Fine)
}

/// What half of the figures are at most.
fn half(mut figures: Vec<u64>) -> u64 {
    figures.sort_unstable();
    figures[(figures.len() - 1) / 2]
}

fn every_order(
    shell: Shell,
    args: &ExploreArgs,
    file: &Loaded,
    plan: Plan,
) -> Result<Exit, String> {
    let seed = plan.seed;
    let bounds = bounds(args, &plan)?;
    let watch = Stopwatch::start();
    let found = exhaustive::search(plan.clone(), bounds.clone(), &mut |level: &Level| {
        let rate = level.states as f64 / watch.seconds().max(1e-9);
        shell.progress(&format!(
            "{} timers: {} states, {} steps, depth {}, {rate:.0} states/s",
            level.timers, level.states, level.steps, level.depth
        ));
    })?;
    shell.clear_progress();
    interrupt::wind_up();
    let (states, steps) =
        found.levels.iter().fold((0, 0), |sum, level| (sum.0 + level.states, sum.1 + level.steps));
    let seconds = watch.seconds().max(1e-9);
    shell.talk(&format!(
        "{seconds:.1} s, {:.0} states/s, {:.0} steps/s",
        states as f64 / seconds,
        steps as f64 / seconds
    ));
    shell.data(&print::on_text(shell, |canvas| canvas.table(&levels(&found.levels))));
    if !found.unjudged.is_empty() {
        shell.talk(&format!("not judged in a search of orders: {}", found.unjudged.join(", ")));
    }
    let Some(path) = &found.found else {
        return Ok(nothing_failed(shell, found.saw_nothing(&plan)));
    };
    let record = record(&exhaustive::replay(plan, &bounds, path)?.finish());
    for cause in Cause::all(&record) {
        shell.data(&format!("found: {cause}\n"));
    }
    let (from, waiting) = (&args.from, args.waiting);
    let how = format!(" --strategy exhaustive --from {from} --waiting {waiting}");
    say_replay(shell, args, file, seed, &how, &path.join(" "));
    Ok(Exit::Violation)
}

fn bounds(args: &ExploreArgs, plan: &Plan) -> Result<Bounds, String> {
    let (from, end) = (time("--from", &args.from)?, plan.budget.sim_time);
    if from >= end.as_nanos() {
        return Err(format!("--from {}: the run ends at {}", args.from, end.human()));
    }
    Ok(Bounds {
        from: SimTime(from),
        waiting: usize::try_from(args.waiting).expect("at most a thousand"),
        after: args.after.split_whitespace().map(str::to_owned).collect(),
        timers: args.timers,
        depth: args.depth,
        states: args.states,
    })
}

fn levels(levels: &[Level]) -> Table {
    let mut table = Table::new(vec![
        figures("timers"),
        figures("states"),
        figures("steps"),
        figures("depth"),
        words("searched"),
    ]);
    for level in levels {
        let cells = [level.timers, level.states, level.steps, level.depth].map(count);
        let mut row: Vec<Cell> = cells.into_iter().map(Cell::from).collect();
        row.push(Cell::from(if level.whole { "all" } else { "in part" }));
        table.push(row);
    }
    table
}

fn replay_order(shell: Shell, args: &ExploreArgs, plan: Plan, path: &str) -> Result<Exit, String> {
    let path: Vec<String> = path.split_whitespace().map(str::to_owned).collect();
    let bounds = bounds(args, &plan)?;
    let world = exhaustive::replay(plan, &bounds, &path)?;
    let next: Vec<String> = world.choices().into_iter().map(|next| world.name_of(next)).collect();
    let record = record(&world.finish());
    print::run(shell, super::args::Format::Text, &record);
    shell.data(&format!("what may happen next: {}\n", next.join(" ")));
    let fired = record.violated().next().is_some();
    Ok(if fired { Exit::Violation } else { Exit::Fine })
}
