//! `replay`: the same run again, from its directory or its token; and `report`: its pages again.

use super::args::{Format, ReplayArgs, ReportArgs};
use super::recorded::Recorded;
use super::{Lab, print};
use crate::outcome::Exit;
use crate::record::record;
use crate::run::{self, Runner};
use crate::rundir;
use crate::select::Roster;
use crate::shell::Shell;
use contract::{Duration, SimTime};
use reports::Digest;
use scenario::plan::Plan;
use scenario::syntax::units::Measure;
use std::rc::Rc;

/// Repeats a run and compares the digests.
pub fn main(lab: &Lab, shell: Shell, args: &ReplayArgs) -> Exit {
    let recorded = match Recorded::open(lab, &args.run, &args.out) {
        Ok(recorded) => recorded,
        Err(message) => {
            shell.talk(message.trim_end());
            return Exit::Usage;
        }
    };
    let plan = match recorded.plan(lab) {
        Ok(plan) => plan,
        Err(message) => {
            shell.talk(message.trim_end());
            return Exit::Usage;
        }
    };
    match &args.until {
        Some(until) => match Measure::Duration.parse(until) {
            Ok(until) => walk(shell, plan, Duration(until), args.metrics),
            Err(error) => {
                shell.error(&format!("--until {until}: {error}"));
                Exit::Usage
            }
        },
        None if args.metrics => {
            let end = plan.budget.sim_time;
            walk(shell, plan, end, true)
        }
        None => compare(shell, plan, &recorded),
    }
}

fn compare(shell: Shell, plan: Plan, run_of: &Recorded) -> Exit {
    let recorded = &run_of.record;
    let Ok(finished) = run::run(plan, false).whole() else { return Exit::Inconclusive };
    let again = record(&finished);
    print::run(shell, Format::Text, &again);
    let is_same = again.digest == recorded.digest && again.events == recorded.events;
    if !run_of.has_its_plan() {
        // Whatever it does, it is not what was recorded.
        let dir = run_of.dir.display();
        let so = if is_same { "does the same all the same" } else { "does something else" };
        shell.error(&format!(
            "{dir}/{} is not the plan that was recorded: it was changed since, or the record was. \
             As it stands it {so}: digest {} and {} events, against {} and {}",
            rundir::PLAN,
            again.digest,
            again.events,
            recorded.digest,
            recorded.events
        ));
        return Exit::Nondeterminism;
    }
    if is_same {
        shell.data(&format!(
            "replayed: digest {} and {} events, as recorded\n",
            again.digest, again.events
        ));
        return Exit::Fine;
    }
    shell.error(&format!(
        "the replay of the plan that was recorded differs from the record: digest {} against {}, {} events against {}. Either \
         the lab changed since the run was recorded, or something in it is not deterministic: \
         `chaoslab verify` on the scenario tells which",
        again.digest, recorded.digest, again.events, recorded.events
    ));
    Exit::Nondeterminism
}

/// Runs up to `until` and prints the last events before it, or what a scraper would find.
fn walk(shell: Shell, plan: Plan, until: Duration, metrics: bool) -> Exit {
    let roster = Rc::new(Roster::new(Rc::new(plan)));
    let mut runner = match Runner::new(&roster) {
        Ok(runner) => runner,
        Err(said) => {
            shell.error(&format!("a node panicked at its first boot: {said}"));
            return Exit::Violation;
        }
    };
    runner.go_until(SimTime::ZERO + until);
    if metrics {
        shell.data(&runner.metrics());
        return Exit::Fine;
    }
    for event in runner.trace() {
        let node = roster.name(event.node);
        shell.data(&format!("{} {node:<12} {}\n", event.at, event.line));
    }
    shell.data(&format!("at {}: digest {}\n", runner.now(), Digest(runner.digest())));
    Exit::Fine
}

/// Renders the record of a run directory again.
pub fn report(shell: Shell, args: &ReportArgs) -> Exit {
    match rundir::read_record(&args.dir) {
        Ok(record) => {
            match args.format {
                Format::Junit => shell.data(&reports::junit::render(&[record])),
                format => print::run(shell, format, &record),
            }
            Exit::Fine
        }
        Err(error) => {
            shell.error(&error.to_string());
            Exit::Usage
        }
    }
}
