//! What happened in a run, as what a scenario can say: occurrences of faults, listed operations, and
//! the operations that the violations name.

use crate::run::Finished;
use catalog::{System, Verdict as Judged};
use contract::{Call, Op, OpId};
use scenario::edit::unroll::Happened;
use scenario::plan::{Ask, Expected, OpPlan};
use std::collections::{BTreeMap, BTreeSet};

/// What the faults of a run did.
#[must_use]
pub fn happened(run: &Finished) -> Vec<Happened> {
    let name = |node: &contract::NodeId| run.roster.name(*node).to_owned();
    let one = |span: &crate::director::Occurrence| Happened {
        fault: run.plan.faults[span.fault].id.clone(),
        start: span.start,
        end: span.end.filter(|end| *end < run.ended_at),
        meant: span
            .meant
            .iter()
            .map(|(selector, nodes)| (selector.clone(), nodes.iter().map(name).collect()))
            .collect(),
        effects: span.effects,
    };
    let all: Vec<Happened> = run.occurrences.iter().map(one).collect();
    assert!(all.is_sorted_by_key(|one| one.start), "occurrences stand by their start");
    assert!(all.iter().all(|one| one.end.is_none_or(|end| one.start <= end)), "and end after it");
    all
}

/// The operations of a run as listed ones, by group of clients.
pub fn listed(run: &Finished) -> BTreeMap<String, Vec<OpPlan>> {
    let mut numbers = BTreeMap::new();
    for op in &run.ops {
        if let Call::Put { value, .. } | Call::Cas { value, .. } | Call::Append { value, .. } =
            &op.call
        {
            let next = numbers.len() as u32 + 1;
            numbers.entry(*value).or_insert(next);
        }
    }
    let mut by_group: BTreeMap<String, Vec<OpPlan>> = BTreeMap::new();
    for op in &run.ops {
        let name = run.roster.name(op.client);
        let client = name.rsplit_once('/').and_then(|(group, n)| Some((group, n.parse().ok()?)));
        let (group, client) = client.expect("a client is a member of its group");
        let system = run.roster.group_of(op.client).plan.system;
        if let Some(listed) = listed_op(op, client, system, &numbers) {
            by_group.entry(group.to_owned()).or_default().push(listed);
        }
    }
    by_group.values_mut().for_each(|ops| ops.sort_by_key(|op| op.at));
    by_group
}

/// An operation as a listed one; `None` for a batch of several keys.
fn listed_op(
    op: &Op,
    client: u32,
    system: &dyn System,
    numbers: &BTreeMap<contract::Value, u32>,
) -> Option<OpPlan> {
    let mut listed = OpPlan {
        // When it was sent, not when it arrived: what waited behind others does not wait any more
        // once they are gone.
        at: op.call_at,
        client,
        ask: Ask::of(system, &op.call).filter(Ask::is_listable)?,
        key: op.call.key(),
        value: None,
        expect: Expected::LastSeen,
        ttl: None,
    };
    match &op.call {
        Call::Put { value, ttl, .. } => (listed.value, listed.ttl) = (Some(numbers[value]), *ttl),
        Call::Append { value, .. } => listed.value = Some(numbers[value]),
        Call::Cas { expect, value, .. } => {
            listed.value = Some(numbers[value]);
            listed.expect = match expect {
                None => Expected::Nothing,
                Some(expect) => {
                    numbers.get(expect).map_or(Expected::LastSeen, |n| Expected::Value(*n))
                }
            };
        }
        _ => {}
    }
    Some(listed)
}

/// The operations that the violations of a run name.
pub fn core(run: &Finished) -> BTreeSet<OpId> {
    let violations = run.verdicts.iter().filter_map(|judged| match &judged.verdict {
        Judged::Violated(violations) => Some(violations.iter()),
        _ => None,
    });
    let all = violations.flatten().chain(&run.unnamed);
    all.flat_map(|violation| violation.ops.iter().copied()).collect()
}
