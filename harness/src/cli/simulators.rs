//! `--simulator`: other simulators repeat a run, and say so.

use super::Lab;
use crate::outcome::Exit;
use crate::run::Finished;
use crate::shell::Shell;
use crate::simulator::{self, Unequal};
use crate::world;
use engine::exact::Simulator;

/// The simulators that `name` means besides our engine: none for `engine`, every one for `all`.
pub fn named(lab: &Lab, name: &str) -> Result<Vec<&'static dyn Simulator>, String> {
    let all = lab.simulators;
    match name {
        "engine" => Ok(Vec::new()),
        "all" => Ok(all.to_vec()),
        name => match all.iter().find(|simulator| simulator.name() == name) {
            Some(simulator) => Ok(vec![*simulator]),
            None => {
                let known = all.iter().map(|simulator| simulator.name());
                let known: Vec<&str> = std::iter::once("engine").chain(known).collect();
                Err(format!("there is no simulator `{name}`; there are {}, all", known.join(", ")))
            }
        },
    }
}

/// Repeats a run on each of the simulators; the gravest of what came of it.
pub fn repeat(shell: Shell, run: &Finished, simulators: &[&'static dyn Simulator]) -> Exit {
    let token = world::token(&run.plan);
    let one = |simulator: &&'static dyn Simulator| {
        let name = simulator.name();
        if !run.plan.exact {
            shell.error(&format!("{token}: skipped on {name}: it has not the tag `exact`"));
            return Exit::Usage;
        }
        match simulator::compare(run, *simulator) {
            Ok(equal) => {
                let (nodes, ops, events) = (equal.nodes, equal.ops, equal.events);
                let agree =
                    format!("{nodes} nodes, {ops} operations and {events} events are equal");
                shell.talk(&format!("{token}: on {name} {agree}"));
                Exit::Fine
            }
            Err(Unequal::NotRun(error)) => {
                shell.error(&format!("{token}: skipped on {name}: {error}"));
                Exit::Usage
            }
            Err(Unequal::CutShort(why)) => {
                shell.error(&format!("{token}: skipped on {name}: {why}"));
                Exit::Inconclusive
            }
            Err(Unequal::Void(why)) => {
                shell.error(&format!("{token}: the run on {name} counts for nothing: {why}"));
                Exit::Inconclusive
            }
            Err(Unequal::Differs(where_)) => {
                shell.error(&format!("{token}: {name} differs {where_}"));
                Exit::Nondeterminism
            }
        }
    };
    simulators.iter().map(one).fold(Exit::Fine, Exit::and)
}
