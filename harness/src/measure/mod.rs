//! What checks measure while a run goes on: marks of the events they name, and gauges.
//!
//! Nothing is measured that no check asks for ([`Wanted`]), and nothing that is measured touches
//! the world, so a run's digest does not depend on its checks. [`extremes`] looks after every
//! event, [`samples`] from time to time.

pub mod extremes;
pub mod samples;

use crate::kinds::Kinds;
use catalog::System;
use contract::{Mark, NodeId, SimTime};
use scenario::plan::{CheckPlan, Plan};
use std::collections::BTreeMap;

/// At most so many marks are kept for the checks of one run; with more, they are inconclusive.
pub const MARKS_MAX: usize = 8_000_000;

/// A mark of an event that some check asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marked {
    /// When it was made.
    pub at: SimTime,
    /// By which node.
    pub node: NodeId,
    /// What it says; `event` is a row of the table of the node's system.
    pub mark: Mark,
    /// How many allocations the node made while it handled the input that made the mark; `None`
    /// without a meter.
    pub allocations: Option<u64>,
}

/// A row of a table of a system: of its events or of its gauges.
pub type RowOf = (&'static str, usize);

/// What one check asks to be measured.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Events whose marks are kept.
    pub events: Vec<RowOf>,
    /// A gauge whose extremes are kept, looked at after every event.
    pub extremes: Option<RowOf>,
    /// A gauge that is looked at from time to time, and when.
    pub samples: Option<(RowOf, samples::Schedule)>,
}

/// Everything that was measured in a run.
#[derive(Clone, Copy)]
pub struct Measured<'a> {
    /// In the order of time.
    pub marks: &'a [Marked],
    /// Marks that were not kept since there were too many.
    pub marks_lost: u64,
    /// By the id of the check.
    pub extremes: &'a BTreeMap<String, extremes::Extremes>,
    /// By the id of the check, in the order of time.
    pub samples: &'a BTreeMap<String, Vec<samples::Sample>>,
}

/// The systems of a plan, each once.
fn systems(plan: &Plan) -> Vec<&'static dyn System> {
    let mut systems: Vec<&'static dyn System> = Vec::new();
    for group in &plan.groups {
        if !systems.iter().any(|system| system.name() == group.system.name()) {
            systems.push(group.system);
        }
    }
    systems
}

/// The event of this name.
#[must_use]
pub fn event(plan: &Plan, name: &str) -> Option<RowOf> {
    systems(plan).into_iter().find_map(|system| {
        let row = system.events().iter().position(|row| row.name == name)?;
        Some((system.name(), row))
    })
}

/// The gauge of this name.
#[must_use]
pub fn gauge(plan: &Plan, name: &str) -> Option<RowOf> {
    systems(plan).into_iter().find_map(|system| {
        let row = system.gauges().iter().position(|row| row.name == name)?;
        Some((system.name(), row))
    })
}

/// The events that have the label, with the row of each.
#[must_use]
pub fn events_with(plan: &Plan, label: &str) -> Vec<(&'static str, RowOf)> {
    let systems = systems(plan).into_iter();
    let rows = systems.flat_map(|system| {
        let events = system.events().iter().enumerate();
        events.map(move |(row, event)| (event, (system.name(), row)))
    });
    rows.filter(|(event, _)| event.labels.contains(&label))
        .map(|(event, row)| (event.name, row))
        .collect()
}

/// The labels and the unit of an event.
#[must_use]
pub fn labels(plan: &Plan, (system, row): RowOf) -> (&'static [&'static str], &'static str) {
    let found = systems(plan).into_iter().find(|other| other.name() == system);
    let event = &found.expect("a row of a system of the plan").events()[row];
    (event.labels, event.unit)
}

/// What every check of a plan asks for, beside the plan's checks.
#[must_use]
pub fn wanted(plan: &Plan) -> Vec<(&CheckPlan, Wanted)> {
    let kinds = Kinds::of(plan);
    let asks = |check: &CheckPlan| {
        let kind = kinds.check(check.kind);
        kind.map(|kind| kind.wanted(check, plan)).unwrap_or_default()
    };
    plan.checks.iter().map(|check| (check, asks(check))).collect()
}
