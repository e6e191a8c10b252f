//! `--simulator`: other simulators repeat a run, and say so.

use super::{Lab, Missing};
use crate::loose::{self, Loose};
use crate::outcome::Exit;
use crate::run::Finished;
use crate::shell::Shell;
use crate::simulator::{self, Unequal};
use crate::world;
use catalog::Verdict;
use engine::hosting::{HostError, Simulator};
use scenario::diagnostics::codes::E0707;

/// The simulators that `name` means besides our engine: none for `engine`, every one for `all`.
pub fn named(lab: &Lab, name: &str) -> Result<Vec<&'static dyn Simulator>, String> {
    let all = lab.simulators;
    match name {
        "engine" => Ok(Vec::new()),
        "all" if all.is_empty() && !lab.missing.is_empty() => Err(absent(&lab.missing[0])),
        "all" => Ok(all.to_vec()),
        name => match all.iter().find(|simulator| simulator.name() == name) {
            Some(simulator) => Ok(vec![*simulator]),
            None => {
                if let Some(missing) = lab.missing.iter().find(|missing| missing.name == name) {
                    return Err(absent(missing));
                }
                let known = all.iter().map(|simulator| simulator.name());
                let known: Vec<&str> = std::iter::once("engine").chain(known).collect();
                Err(format!("there is no simulator `{name}`; there are {}, all", known.join(", ")))
            }
        },
    }
}

/// What a command says that needs a part which this build was made without.
fn absent(missing: &Missing) -> String {
    let Missing { name, feature } = missing;
    format!(
        "error[{E0707}]: this build has no `{name}`\n  \
         help: `cargo run --features {feature} -- …` brings it; `--features full` brings everything"
    )
}

/// Repeats a run on each of the simulators; the gravest of what came of it. A scenario with the
/// tag `exact` is repeated event for event, any other on the simulator's own network.
pub fn repeat(shell: Shell, run: &Finished, simulators: &[&'static dyn Simulator]) -> Exit {
    let one = |simulator: &&'static dyn Simulator| {
        if run.plan.exact {
            exactly(shell, run, *simulator)
        } else {
            loosely(shell, run, *simulator)
        }
    };
    simulators.iter().map(one).fold(Exit::Fine, Exit::and)
}

fn exactly(shell: Shell, run: &Finished, simulator: &dyn Simulator) -> Exit {
    let (token, name) = (world::token(&run.plan), simulator.name());
    match simulator::compare(run, simulator) {
        Ok(equal) => {
            let (nodes, ops, events) = (equal.nodes, equal.ops, equal.events);
            let agree = format!("{nodes} nodes, {ops} operations and {events} events are equal");
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
}

fn loosely(shell: Shell, run: &Finished, simulator: &dyn Simulator) -> Exit {
    let (token, name) = (world::token(&run.plan), simulator.name());
    let there = match loose::run(run, simulator) {
        Ok(there) => there,
        Err(HostError::Failed(said)) => {
            shell.error(&format!("{token}: the run on {name} ended early: {said}"));
            // A planted flaw may break more than the scenario names, up to an assertion of a node.
            return if run.plan.expectation.fail { Exit::Fine } else { Exit::Violation };
        }
        Err(error) => {
            shell.error(&format!("{token}: skipped on {name}: {error}"));
            return Exit::Usage;
        }
    };
    for law in &there.skipped {
        shell.error(&format!("{token}: skipped on {name}, which does not offer it: {law}"));
    }
    for problem in &there.problems {
        shell.error(&format!("{token}: the run on {name} counts for nothing: {problem}"));
    }
    let verdicts = there.verdicts.iter().map(|(id, verdict)| {
        let here = run.verdicts.iter().find(|judged| judged.id == *id);
        let here = here.map_or("not judged", |judged| word(&judged.verdict));
        format!("{id} {} (here {here})", word(verdict))
    });
    let verdicts: Vec<String> = verdicts.collect();
    let (answered, events) = (there.answered, there.events);
    let size = format!("{answered} answers, {events} events");
    shell.talk(&format!("{token}: loosely on {name}: {}; {size}", verdicts.join(", ")));
    if !there.unjudged.is_empty() {
        shell.talk(&format!("{token}: not judged on {name}: {}", there.unjudged.join(", ")));
    }
    if there.problems.is_empty() { exit_of(run, &there) } else { Exit::Inconclusive }
}

/// A check that fires there is a violation unless the scenario expects it.
fn exit_of(run: &Finished, there: &Loose) -> Exit {
    let expectation = &run.plan.expectation;
    let named =
        |id: &String| expectation.caught_by.contains(id) || expectation.may_fail.contains(id);
    let fired = there.verdicts.iter().filter(|(_, verdict)| word(verdict) == "violated");
    let unexpected = fired.filter(|(id, _)| !expectation.fail || !named(id)).count();
    if unexpected > 0 { Exit::Violation } else { Exit::Fine }
}

const fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Violated(_) => "violated",
        Verdict::Inconclusive(_) => "inconclusive",
    }
}
