//! `verify`: the same plan several times, in several ways, and the digests compared.
//!
//! Twice from the start; once forked in the middle, where both the fork and the original go on;
//! once from the plan's own document. On a difference, the first event that differs is named.

use super::args::VerifyArgs;
use super::files::{self, Loaded};
use super::{Lab, gravest, simulators};
use crate::difference;
use crate::interrupt::{self, Interrupted};
use crate::outcome::Exit;
use crate::run::{self, Runner};
use crate::select::Roster;
use crate::shell::Shell;
use contract::{Duration, SimTime};
use engine::hosting::Simulator;
use reports::Digest;
use scenario::diagnostics;
use scenario::{Lab as Names, Scenario, plan::Plan};
use std::rc::Rc;

/// Verifies the base and every variant of each scenario.
pub fn main(lab: &Lab, shell: Shell, args: &VerifyArgs) -> Exit {
    let Ok(loaded) = files::compile(lab, shell, &args.files, false) else { return Exit::Usage };
    let names = files::names(lab);
    let simulators = match simulators::named(lab, &args.simulator) {
        Ok(simulators) => simulators,
        Err(message) => {
            shell.error(&message);
            return Exit::Usage;
        }
    };
    let mut exits = Vec::new();
    for file in &loaded {
        let variants: Vec<Option<&str>> =
            std::iter::once(None).chain(file.scenario.variants().into_iter().map(Some)).collect();
        for variant in variants {
            if interrupt::asked() {
                return gravest(exits);
            }
            exits.push(one(&names, shell, args, file, variant, &simulators));
        }
    }
    gravest(exits)
}

fn one(
    names: &Names<'_>,
    shell: Shell,
    args: &VerifyArgs,
    file: &Loaded,
    variant: Option<&str>,
    simulators: &[&'static dyn Simulator],
) -> Exit {
    let seed = args.seed.or(file.scenario.seed()).unwrap_or(1);
    let point = seed % file.scenario.points(variant);
    let plan = match file.scenario.plan(names, variant, seed, point, &[]) {
        Ok(plan) => plan,
        Err(said) => {
            shell.talk(&diagnostics::render(&said, &file.source, &file.path, shell.colour_err));
            return Exit::Usage;
        }
    };
    let token = crate::world::token(&plan);
    let exact = (plan.exact && !simulators.is_empty()).then(|| plan.clone());
    let verified = verify(names, plan);
    if interrupt::asked() {
        // What was cut off differs from what was not, and says nothing.
        return Exit::Inconclusive;
    }
    match verified {
        Ok(digest) => {
            shell.data(&format!("{token}: {digest} twice, forked and from its plan\n"));
            exact.map_or(Exit::Fine, |plan| {
                let run = run::run(plan, false).whole();
                run.map_or(Exit::Inconclusive, |run| simulators::repeat(shell, &run, simulators))
            })
        }
        Err(difference) => {
            shell.error(&format!("{token}: {difference}"));
            Exit::Nondeterminism
        }
    }
}

/// The digest that all ways agree on, or which way differs and where.
fn verify(names: &Names<'_>, plan: Plan) -> Result<Digest, String> {
    let from_document = from_document(names, &plan)?;
    let roster = Rc::new(Roster::new(Rc::new(plan)));
    let reference = to_the_end(&mut boot(&roster)?)?;
    let again = to_the_end(&mut boot(&roster)?)?;
    if again != reference {
        return Err(format!("the second run differs: {}", first_difference(&roster, &roster)?));
    }
    let middle = Duration(roster.plan().budget.sim_time.as_nanos() / 2);
    let mut original = boot(&roster)?;
    original.go_until(SimTime::ZERO + middle);
    if let Some(mut fork) = original.fork() {
        let original = to_the_end(&mut original)?;
        if original != reference {
            return Err(format!("a run that was forked at {middle} goes on differently"));
        }
        let fork = to_the_end(&mut fork)?;
        if fork != reference {
            return Err(format!("a fork at {middle} does not go on as the original"));
        }
    }
    let from_document = Rc::new(Roster::new(Rc::new(from_document)));
    if to_the_end(&mut boot(&from_document)?)? != reference {
        let first = first_difference(&roster, &from_document)?;
        return Err(format!("the run from the plan's document differs: {first}"));
    }
    Ok(Digest(reference))
}

fn from_document(names: &Names<'_>, plan: &Plan) -> Result<Plan, String> {
    let document = plan.document.as_str();
    let (scenario, said) = Scenario::compile("plan.toml", document.as_bytes(), names);
    let refused = |said: &[diagnostics::Diagnostic]| {
        let said = diagnostics::render(said, document, "plan.toml", false);
        format!("the plan's own document does not compile:\n{said}")
    };
    let scenario = scenario.ok_or_else(|| refused(&said))?;
    scenario.plan(names, None, plan.seed, 0, &[]).map_err(|said| refused(&said))
}

fn boot(roster: &Rc<Roster>) -> Result<Runner, String> {
    Runner::new(roster).map_err(|said| format!("a node panicked at its first boot: {said}"))
}

fn to_the_end(runner: &mut Runner) -> Result<u64, Interrupted> {
    runner.go_on(false);
    if interrupt::asked() { Err(Interrupted) } else { Ok(runner.digest()) }
}

fn first_difference(one: &Rc<Roster>, two: &Rc<Roster>) -> Result<String, String> {
    let found = difference::first(one, two)?;
    Ok(found.map_or_else(|| "not in a third pair of runs".to_owned(), |found| found.to_string()))
}
