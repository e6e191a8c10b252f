//! `shrink`: from a recorded failure to the smallest scenario that still fails the same way.

use super::args::ShrinkArgs;
use super::recorded::Recorded;
use super::{Lab, files, print};
use crate::interrupt::{self, Interrupted};
use crate::outcome::Exit;
use crate::record::record;
use crate::run;
use crate::rundir;
use crate::shell::{Shell, quoted};
use crate::shrink::{self, Budget, Shrunk, Subject, Trials};
use crate::stopwatch::Stopwatch;
use crate::whole_file;
use reports::canvas::{Cell, Table, words};
use reports::seeds::Cause;
use scenario::Scenario;
use std::fs;
use std::io;
use std::path::Path;

/// Shrinks one run.
pub fn main(lab: &Lab, shell: Shell, args: &ShrinkArgs) -> Exit {
    match shrunk(lab, shell, args) {
        Ok(exit) => exit,
        Err(message) => {
            shell.error(message.trim_end());
            Exit::Usage
        }
    }
}

fn shrunk(lab: &Lab, shell: Shell, args: &ShrinkArgs) -> Result<Exit, String> {
    let recorded = Recorded::open(lab, &args.run, &args.out)?;
    let path = args.to.clone().unwrap_or_else(|| recorded.dir.join(rundir::MINIMAL));
    // Whether it can be written is better known before the search than after it.
    let failed = |error: io::Error| format!("could not write {}: {error}", path.display());
    fs::create_dir_all(whole_file::folder(&path)).map_err(failed)?;
    let cause = shrink::target(&recorded.record, args.check.as_deref())?;
    let subject = Subject::new(&recorded.scenario, &recorded.record, cause.clone());
    let names = files::names(lab);
    let budget = Budget { trials: args.trials, events: args.events };
    let mut trials = Trials::new(&names, cause.clone(), budget);
    shell.talk(&format!("{}: {cause}", subject.token));
    let watch = Stopwatch::start();
    let found = shrink::shrink(&subject, &mut trials, &mut |best, trials| {
        let rate = trials as f64 / watch.seconds().max(1e-9);
        let end = best.text("budget.sim_time").unwrap_or("?").to_owned();
        shell.progress(&format!(
            "trial {trials}, {rate:.1}/s: {} faults, {} operations, {end}",
            best.ids("fault").len(),
            best.ops(),
        ));
    });
    shell.clear_progress();
    let (events, forked) = (trials.events, trials.forked);
    let interrupted = interrupt::set_aside();
    let found = match found {
        // Whatever it says of a run that was cut off is not so.
        Err(_) if interrupted => {
            shell.talk("interrupted before anything was found: nothing is written");
            interrupt::put_back();
            return Ok(Exit::Inconclusive);
        }
        found => found?,
    };
    shell.talk(&format!(
        "{} trials, {forked} of them from the middle, {:.1} s, {:.1} M events{}",
        found.trials,
        watch.seconds(),
        events as f64 / 1e6,
        if interrupted { "; interrupted: this is the best so far" } else { "" },
    ));
    if verify(lab, &found, &cause)? == Some(Interrupted) {
        shell.talk("interrupted: the scenario that was found was not run by itself");
    }
    write(&path, &found.document)?;
    show(shell, &found, &path);
    if interrupted {
        interrupt::put_back();
    }
    Ok(Exit::Fine)
}

/// Compiles and runs the file as anybody else would, unless that is interrupted.
pub fn verify(lab: &Lab, found: &Shrunk, cause: &Cause) -> Result<Option<Interrupted>, String> {
    let names = files::names(lab);
    let (scenario, said) = Scenario::compile("minimal.toml", found.document.as_bytes(), &names);
    let wrong = |said: &[scenario::diagnostics::Diagnostic]| {
        scenario::diagnostics::render(said, &found.document, "minimal.toml", false)
    };
    let scenario = scenario.ok_or_else(|| wrong(&said))?;
    let seed = scenario.seed().ok_or("the shrunk scenario has no seed")?;
    let plan = scenario.plan(&names, None, seed, 0, &[]).map_err(|said| wrong(&said))?;
    let Ok(finished) = run::run(plan, false).whole() else { return Ok(Some(Interrupted)) };
    if Cause::all(&record(&finished)).contains(cause) {
        return Ok(None);
    }
    Err(format!("the shrunk scenario does not break {cause} when it is run by itself"))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    whole_file::write(path, text)
        .map_err(|error| format!("could not write {}: {error}", path.display()))
}

fn show(shell: Shell, found: &Shrunk, path: &Path) {
    let mut table = Table::new(vec![words("what"), words("before"), words("after")]);
    for (what, before, after) in &found.figures {
        table.push(vec![Cell::from(*what), Cell::from(before), Cell::from(after)]);
    }
    let needed: Vec<Cell> = found.needed.iter().map(Cell::from).collect();
    shell.data(&print::on_text(shell, |canvas| {
        canvas.table(&table);
        if !needed.is_empty() {
            canvas.heading("What must stay");
            canvas.list(&needed);
        }
    }));
    shell.data(&format!("run it: chaoslab run {}\n", quoted(&path.display().to_string())));
}
