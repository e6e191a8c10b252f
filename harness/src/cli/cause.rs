//! `cause`: what a failure needs, and from when on it was inevitable.

use super::args::CauseArgs;
use super::recorded::Recorded;
use super::sweep::jobs;
use super::{Lab, files, print};
use crate::cause::{self, Branching, Explained, Mattered, Messages};
use crate::interrupt;
use crate::outcome::Exit;
use crate::rundir;
use crate::shell::Shell;
use crate::shrink::{self, Budget, Subject, Trials};
use crate::stats::percent;
use crate::stopwatch::Stopwatch;
use reports::canvas::{Canvas, Cell, Table, Tone, figures, words};
use reports::record::Series;
use reports::units::{duration, instant};

/// Explains one run.
pub fn main(lab: &Lab, shell: Shell, args: &CauseArgs) -> Exit {
    match explain(lab, shell, args) {
        Ok(exit) => exit,
        Err(message) => {
            shell.error(message.trim_end());
            Exit::Usage
        }
    }
}

fn explain(lab: &Lab, shell: Shell, args: &CauseArgs) -> Result<Exit, String> {
    let recorded = Recorded::open(lab, &args.run, &args.out)?;
    let target = shrink::target(&recorded.record, args.check.as_deref())?;
    let subject = Subject::new(&recorded.scenario, &recorded.record, target.clone());
    let names = files::names(lab);
    let budget = Budget { trials: args.trials, events: u64::MAX };
    let mut trials = Trials::new(&names, target, budget);
    let branching = Branching {
        points: args.points,
        futures: args.futures,
        messages: args.messages,
        jobs: jobs(args.jobs),
    };
    let watch = Stopwatch::start();
    let mut tell = |what: &str| shell.progress(&format!("{what} ({:.0} s)", watch.seconds()));
    let found = cause::explain(&subject, &names, &mut trials, branching, &mut tell);
    shell.clear_progress();
    if interrupt::wind_up() {
        shell.talk("interrupted: nothing is written, for half an explanation would mislead");
        return Ok(Exit::Inconclusive);
    }
    let found = found?;
    let futures: u64 = found.curve.iter().map(|point| point.futures).sum();
    let (trials, seconds) = (found.trials, watch.seconds());
    shell.talk(&format!("{trials} trials and {futures} futures in {seconds:.1} s"));
    let mut record = recorded.record;
    let chance = series(&found).into_iter().collect();
    rundir::explain(&mut record, Some(found.sentence.clone()), chance);
    let path = rundir::add_cause(&recorded.dir, &reports::json::canonical(&found), &record);
    let path = path.map_err(|error| error.to_string())?;
    shell.data(&print::on_text(shell, |canvas| draw(&found, canvas)));
    shell.data(&format!("written: {}, and the reports beside it\n", path.display()));
    Ok(Exit::Fine)
}

/// The curve as a plot: how many of the futures fail, in per cent.
fn series(found: &Explained) -> Option<Series> {
    let share = |failed: u64, all: u64| i64::try_from(failed * 100 / all.max(1)).unwrap_or(100);
    let points = found.curve.iter().map(|point| (point.at_ns, share(point.failed, point.futures)));
    let points: Vec<(u64, i64)> = points.collect();
    let unit = "%".to_owned();
    (points.len() > 1).then(|| Series { name: rundir::CHANCE.to_owned(), unit, node: None, points })
}

fn draw(found: &Explained, canvas: &mut dyn Canvas) {
    canvas.banner(Tone::Bad, &found.sentence);
    canvas.heading("What if it had not been");
    canvas.table(&factors(found).without_empty_columns());
    canvas.heading("What suffices");
    let sets = found.sufficient.iter().map(|set| match set.as_slice() {
        [] => Cell::from("no fault at all"),
        ids => Cell::from(ids.join(", ")),
    });
    canvas.list(&sets.collect::<Vec<_>>());
    if !found.exhaustive {
        canvas.say(Tone::Warn, "There may be smaller sets: too many for trying them all.");
    }
    if found.messages.all > 0 {
        canvas.heading("Single messages that mattered by themselves");
        let Messages { all, tried, mattered } = &found.messages;
        let of = format!(
            "{} of the {tried} that were let through, alone and in good time; {all} were lost or late.",
            mattered.len()
        );
        canvas.say(Tone::Faint, &of);
        if !mattered.is_empty() {
            canvas.table(&messages(mattered));
        }
    }
    if !found.curve.is_empty() {
        canvas.heading("How likely it was");
        canvas.table(&curve(found));
    }
}

fn factors(found: &Explained) -> Table {
    let mut table = Table::new(vec![
        words("what"),
        words("kind"),
        words("on"),
        words("start"),
        figures("for"),
        words("necessary"),
        words("without it"),
    ]);
    for factor in &found.factors {
        let length = factor.start_ns.zip(factor.end_ns).map(|(start, end)| duration(end - start));
        let (tone, needed) =
            if factor.necessary { (Tone::Bad, "yes") } else { (Tone::Faint, "no") };
        table.push(vec![
            Cell::from(&factor.id),
            Cell::from(&factor.kind),
            Cell::from(&factor.on),
            Cell::from(factor.start_ns.map(instant).unwrap_or_default()),
            Cell::from(length.unwrap_or_default()),
            Cell::new(tone, needed),
            Cell::from(&factor.without),
        ]);
    }
    table
}

/// Messages that are shown, at most; `cause.json` has all.
const MESSAGES_MAX: usize = 20;

fn messages(mattered: &[Mattered]) -> Table {
    let mut table = Table::new(vec![
        words("at"),
        words("link"),
        figures("number"),
        words("what happened to it"),
        words("had it come through"),
    ]);
    for one in mattered.iter().rev().take(MESSAGES_MAX).rev() {
        table.push(vec![
            Cell::from(instant(one.at_ns)),
            Cell::from(format!("{}>{}", one.from, one.to)),
            Cell::from(one.n.to_string()),
            Cell::from(&one.what),
            Cell::from(&one.without),
        ]);
    }
    table
}

fn curve(found: &Explained) -> Table {
    let mut table = Table::new(vec![
        words("at"),
        figures("failed"),
        figures("of"),
        words("between, with 95 % confidence"),
        words(""),
    ]);
    for point in &found.curve {
        let bar = "#".repeat((point.failed * 20 / point.futures.max(1)) as usize);
        table.push(vec![
            Cell::from(instant(point.at_ns)),
            Cell::from(point.failed.to_string()),
            Cell::from(point.futures.to_string()),
            Cell::from(format!("{} and {}", percent(point.low_ppm), percent(point.high_ppm))),
            Cell::from(bar),
        ]);
    }
    table
}
