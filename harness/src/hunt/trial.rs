//! One world: compiled, run, judged, and what it reached.

use super::genome::Genome;
use super::world::Source;
use crate::budget;
use crate::record::record;
use crate::run::{Finished, Judged, Runner};
use crate::run_result::stillborn;
use crate::select::Roster;
use catalog::Verdict;
use contract::{Duration, SimTime};
use reports::seeds::Cause;
use scenario::diagnostics;
use scenario::plan::Plan;
use scenario::{Lab, Scenario};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// How often the abstract state is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// Something that a world reached: an event as often as some power of two, or an abstract state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// The event, by name, and how often, as a power of two.
    Mark(&'static str, u32),
    /// The abstract state, by its fingerprint.
    State(u64),
}

/// What came of one world.
#[derive(Debug)]
pub struct Trial {
    /// Its number.
    pub number: u64,
    /// What it was made from.
    pub genome: Genome,
    /// Its scenario file.
    pub text: String,
    /// How many events the engine handled.
    pub events: u64,
    /// What it reached.
    pub reached: BTreeSet<Reached>,
    /// What it broke.
    pub causes: BTreeSet<Cause>,
    /// The check that could not decide, or why the run was cut short.
    pub undecided: Option<String>,
}

/// The scenario of a world and its plan, which stays inside of the fault budget.
///
/// # Errors
/// When the file that was drawn is wrong, which is a bug of the lab or of the system's rows.
pub fn world(
    source: &Source<'_>,
    genome: &Genome,
    number: u64,
) -> Result<(String, Scenario, Plan), String> {
    let bold = compiled(source.lab, source.text(genome, number, false))?;
    if budget::exceeded(&bold.2).is_empty() {
        return Ok(bold);
    }
    let plain = compiled(source.lab, source.text(genome, number, true))?;
    assert_eq!(budget::exceeded(&plain.2), [], "plain faults are survivable by construction");
    Ok(plain)
}

/// Compiles a scenario that carries its seed.
///
/// # Errors
/// When it is wrong: what to print.
pub fn compiled(lab: &Lab<'_>, text: String) -> Result<(String, Scenario, Plan), String> {
    let shown = "hunted.toml";
    let wrong = |said: &[diagnostics::Diagnostic]| {
        format!("{text}\n{}", diagnostics::render(said, &text, shown, false))
    };
    let (scenario, said) = Scenario::compile(shown, text.as_bytes(), lab);
    let Some(scenario) = scenario else { return Err(wrong(&said)) };
    let seed = scenario.seed().expect("a hunted world carries its seed");
    let plan = scenario.plan(lab, None, seed, 0, &[]).map_err(|said| wrong(&said))?;
    Ok((text, scenario, plan))
}

/// Runs a plan to its end, and looks at the abstract state on the way.
#[must_use]
pub fn run(plan: Plan) -> (Finished, BTreeSet<Reached>) {
    let roster = Rc::new(Roster::new(Rc::new(plan)));
    let mut reached = BTreeSet::new();
    let mut runner = match Runner::new(&roster) {
        Ok(runner) => runner,
        Err(said) => return (stillborn(&roster, &said), reached),
    };
    let end = SimTime::ZERO + roster.plan().budget.sim_time;
    while !runner.is_over() && runner.now() < end && !crate::interrupt::asked() {
        runner.go_until(runner.now() + LOOK);
        for system in roster.systems() {
            let groups = roster.groups_of(system.name());
            reached.insert(Reached::State(system.fingerprint(&groups, runner.nodes())));
        }
    }
    runner.go_on(false);
    let finished = runner.finish();
    let marks = finished.marked.iter().map(|(name, n)| Reached::Mark(name, n.ilog2()));
    reached.extend(marks);
    (finished, reached)
}

impl Trial {
    /// Runs the world; `None` when the user interrupted it.
    ///
    /// # Errors
    /// As [`world`].
    pub fn of(source: &Source<'_>, genome: Genome, number: u64) -> Result<Option<Self>, String> {
        let (text, _, plan) = world(source, &genome, number)?;
        let (finished, reached) = run(plan);
        let Ok(finished) = finished.whole() else { return Ok(None) };
        let record = record(&finished);
        let open = |judged: &&Judged| matches!(judged.verdict, Verdict::Inconclusive(_));
        let undecided = finished.verdicts.iter().find(open).map(|judged| judged.id.clone());
        let undecided = undecided.or_else(|| finished.ended.reason().map(str::to_owned));
        let causes = Cause::all(&record);
        let events = finished.events;
        Ok(Some(Self { number, genome, text, events, reached, causes, undecided }))
    }
}

/// How often something was reached over all worlds.
pub type Seen = BTreeMap<Reached, u64>;
