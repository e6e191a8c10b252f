//! From a finished run to the record that reports render. Holds no wall-clock time, host or path.

use crate::outcome::outcome;
use crate::run::{Finished, Judged};
use crate::world::token;
use catalog::{Verdict, Violation};
use contract::{Call, Op, OpId, Outcome, Ret, SimTime};
use reports::Digest;
use reports::record as row;
use std::collections::{BTreeMap, BTreeSet};

/// How many violations of one check are shown; the rest are counted.
const EVIDENCE_MAX: usize = 5;

/// At most so many operations stand in a record: those of the evidence and their neighbours. All
/// of them are in `history.jsonl`.
const OPS_MAX: usize = 400;

/// The record of `run`.
#[must_use]
pub fn record(run: &Finished) -> row::RunRecord {
    let plan = &run.plan;
    row::RunRecord {
        version: row::VERSION,
        scenario: plan.name.clone(),
        about: plan.about.clone(),
        systems: run.roster.systems().iter().map(|system| system.name().to_owned()).collect(),
        seed: plan.seed,
        variant: plan.variant.clone(),
        overrides: plan.overrides.clone(),
        scenario_digest: Digest(contract::hash::hash_bytes(plan.document.as_bytes())),
        digest: Digest(run.digest),
        events: run.events,
        end_ns: run.ended_at.0,
        ended: run.ended.reason().unwrap_or("the plan was done").to_owned(),
        replay: token(plan),
        notes: notes(run),
        nodes: nodes(run),
        phases: phases(run),
        faults: faults(run),
        checks: run.verdicts.iter().map(|judged| check(run, judged)).chain(unnamed(run)).collect(),
        covers: covers(run),
        expectation: row::Expectation {
            fail: plan.expectation.fail,
            caught_by: plan.expectation.caught_by.clone(),
            may_fail: plan.expectation.may_fail.clone(),
        },
        outcome: outcome(run),
        operations: operations(&run.ops),
        ops: ops(run),
        counters: run.marked.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
        messages: messages(run),
        tail: tail(run),
        ..row::RunRecord::default()
    }
}

/// What the engine counted, without what never happened.
fn messages(run: &Finished) -> BTreeMap<String, u64> {
    let counted = run.counters.iter().filter(|(_, count)| *count > 0);
    counted.map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

fn notes(run: &Finished) -> Vec<String> {
    let exceeded = crate::budget::exceeded(&run.plan).into_iter();
    let exceeded = exceeded.map(|line| {
        format!("Beyond the fault budget ({}): {}; an alarm proves nothing.", line.line, line.why)
    });
    let mut notes: Vec<String> = exceeded.collect();
    notes.extend(run.incidents.iter().cloned());
    notes.extend(run.plan.point.iter().map(|value| format!("The seed selects {value}.")));
    for (id, converged) in &run.converged {
        if let crate::checks::Converged::At { from, held } = converged {
            notes.push(format!("`{id}`: converged {} after {from}.", held.since(*from).human()));
        }
    }
    if run.never_sent > 0 {
        notes.push(format!(
            "{} operations arrived and were never sent: their clients were still busy.",
            run.never_sent
        ));
    }
    notes
}

fn nodes(run: &Finished) -> Vec<row::NodeRow> {
    let groups = run.roster.groups();
    let nodes = groups.flat_map(|group| {
        group.nodes.iter().enumerate().map(move |(index, node)| {
            let zones = &group.plan.zones;
            row::NodeRow {
                id: node.0,
                name: run.roster.name(*node).to_owned(),
                group: group.plan.name.clone(),
                role: group.plan.role.to_owned(),
                zone: (!zones.is_empty()).then(|| zones[index % zones.len()].clone()),
            }
        })
    });
    nodes.collect()
}

fn phases(run: &Finished) -> Vec<row::PhaseRow> {
    let phase = |phase: &scenario::plan::Phase| row::PhaseRow {
        name: phase.name.clone(),
        start_ns: phase.start.0,
        end_ns: phase.end.0,
    };
    run.plan.phases.iter().map(phase).collect()
}

/// One row per occurrence, and one for each fault that never started.
fn faults(run: &Finished) -> Vec<row::FaultRow> {
    let occurred = run.occurrences.iter().map(|span| {
        let plan = &run.plan.faults[span.fault];
        let target = |(selector, nodes): &(String, Vec<contract::NodeId>)| {
            let names: Vec<&str> = nodes.iter().map(|node| run.roster.name(*node)).collect();
            let names = names.join(", ");
            if *selector == names { names } else { format!("{selector} = {names}") }
        };
        let mut targets = span.meant.iter().map(target).collect::<Vec<_>>().join(" | ");
        if let Some(void) = &span.void {
            targets.push_str(&format!(" ({void})"));
        }
        row::FaultRow {
            id: plan.id.clone(),
            kind: plan.kind.to_owned(),
            start_ns: Some(span.start.0),
            end_ns: span.end.map(|end| end.0),
            targets,
            effects: span.effects,
            vacuous: span.effects == 0,
        }
    });
    let never = run
        .plan
        .faults
        .iter()
        .enumerate()
        .filter(|(position, _)| run.occurrences.iter().all(|span| span.fault != *position));
    let never = never.map(|(_, plan)| row::FaultRow {
        id: plan.id.clone(),
        kind: plan.kind.to_owned(),
        targets: "never started".to_owned(),
        vacuous: true,
        ..row::FaultRow::default()
    });
    occurred.chain(never).collect()
}

fn check(run: &Finished, judged: &Judged) -> row::CheckRow {
    let mut row = row::CheckRow {
        id: judged.id.clone(),
        kind: judged.kind.to_owned(),
        property: judged.property.name.to_owned(),
        about: judged.property.about.to_owned(),
        source: judged.property.source.to_owned(),
        measured: judged.measured.clone(),
        recorded: recorded(run, &judged.id),
        ..row::CheckRow::default()
    };
    match &judged.verdict {
        Verdict::Ok => row.verdict = row::Verdict::Ok,
        Verdict::Violated(violations) => {
            row.verdict = row::Verdict::Violated;
            row.violations = violations.len() as u64;
            row.evidence = violations.iter().take(EVIDENCE_MAX).map(evidence).collect();
        }
        Verdict::Inconclusive(why) => {
            row.verdict = row::Verdict::Inconclusive;
            row.reason.clone_from(why);
        }
    }
    if run.ended == crate::run::Ended::Panicked && row.verdict == row::Verdict::Ok {
        row.verdict = row::Verdict::NotReached;
        row.reason = "a node panicked before the run was over".to_owned();
    }
    row
}

/// What the scenario says that the figure of a check was elsewhere.
fn recorded(run: &Finished, id: &str) -> String {
    let check = run.plan.checks.iter().find(|check| check.id == id);
    match check.and_then(|check| check.fields.0.get("recorded")) {
        Some(catalog::SettingValue::Text(text)) => text.clone(),
        _ => String::new(),
    }
}

fn evidence(violation: &Violation) -> row::Evidence {
    row::Evidence {
        at_ns: violation.at.0,
        rule: violation.rule.to_owned(),
        nodes: violation.nodes.iter().map(|node| node.0).collect(),
        ops: violation.ops.iter().map(|op| op.0).collect(),
        detail: violation.detail.clone(),
    }
}

/// A row for each property that was violated and that no check of the scenario names.
fn unnamed(run: &Finished) -> Vec<row::CheckRow> {
    let mut by_property: BTreeMap<&str, Vec<&Violation>> = BTreeMap::new();
    for violation in &run.unnamed {
        by_property.entry(violation.property).or_default().push(violation);
    }
    let row = |(property, violations): (&str, Vec<&Violation>)| row::CheckRow {
        id: property.to_owned(),
        kind: "always on".to_owned(),
        property: property.to_owned(),
        verdict: row::Verdict::Violated,
        violations: violations.len() as u64,
        evidence: violations.into_iter().take(EVIDENCE_MAX).map(evidence).collect(),
        ..row::CheckRow::default()
    };
    by_property.into_iter().map(row).collect()
}

fn covers(run: &Finished) -> Vec<row::CoverRow> {
    let rows = run.plan.covers.iter().zip(&run.covers).map(|(cover, hits)| row::CoverRow {
        id: cover.id.clone(),
        hits: *hits,
        min: cover.min,
        met: *hits >= cover.min,
    });
    rows.collect()
}

fn operations(ops: &[Op]) -> Vec<row::OperationRow> {
    let mut rows: BTreeMap<&str, (row::OperationRow, Vec<u64>)> = BTreeMap::new();
    for op in ops {
        let (row, latencies) = rows.entry(op.call.name()).or_default();
        match op.outcome {
            Outcome::Ok(_) => {
                row.ok += 1;
                latencies.push(op.ret_at.since(op.arrived_at).as_nanos());
            }
            Outcome::Fail => row.fail += 1,
            Outcome::Unknown => row.unknown += 1,
        }
    }
    let finish = |(name, (mut row, mut latencies)): (&str, (row::OperationRow, Vec<u64>))| {
        row.op = name.to_owned();
        latencies.sort_unstable();
        row.latency = latency(&latencies);
        row
    };
    rows.into_iter().map(finish).collect()
}

/// Quantiles by nearest rank.
fn latency(sorted: &[u64]) -> Option<row::Latency> {
    let max_ns = *sorted.last()?;
    let quantile = |permille: usize| sorted[(sorted.len() * permille).div_ceil(1000).max(1) - 1];
    Some(row::Latency {
        p50_ns: quantile(500),
        p99_ns: quantile(990),
        p999_ns: quantile(999),
        max_ns,
    })
}

/// The operations of the evidence, and those on the same keys around them.
fn ops(run: &Finished) -> Vec<row::OpRow> {
    let named = run.verdicts.iter().filter_map(|judged| match &judged.verdict {
        Verdict::Violated(violations) => Some(violations.iter().take(EVIDENCE_MAX)),
        _ => None,
    });
    let core: BTreeSet<OpId> = named.flatten().flat_map(|v| v.ops.iter().copied()).collect();
    let is_core = |op: &&Op| core.contains(&op.id);
    let keys: BTreeSet<u64> =
        run.ops.iter().filter(is_core).filter_map(|op| op.call.key()).collect();
    let on_a_key = |op: &Op| op.call.key().is_some_and(|key| keys.contains(&key));
    let first = run.ops.iter().find(is_core).map_or(OpId(0), |op| op.id);
    let near = run.ops.iter().filter(|op| on_a_key(op) && op.id >= first).take(OPS_MAX);
    let shown: BTreeSet<OpId> = near.map(|op| op.id).chain(core.iter().copied()).collect();
    run.ops.iter().filter(|op| shown.contains(&op.id)).map(op).collect()
}

fn op(op: &Op) -> row::OpRow {
    let (outcome, ret) = match &op.outcome {
        Outcome::Ok(ret) => (row::OpOutcome::Ok, answer(ret)),
        Outcome::Fail => (row::OpOutcome::Fail, String::new()),
        Outcome::Unknown => (row::OpOutcome::Unknown, String::new()),
    };
    row::OpRow {
        id: op.id.0,
        client: op.client.0,
        process: op.process,
        call: question(&op.call),
        ret,
        outcome,
        call_ns: op.call_at.0,
        ret_ns: (op.ret_at != SimTime::MAX).then_some(op.ret_at.0),
        point_ns: None,
    }
}

/// A value for people: the client's part and its count, short enough for a table.
#[must_use]
pub fn short_value(value: contract::Value) -> String {
    format!("#{:04x}.{}", value.id >> 48, value.id & 0xFFFF_FFFF)
}

fn value_or_nothing(seen: Option<contract::Value>) -> String {
    seen.map_or_else(|| "nothing".to_owned(), short_value)
}

/// What was asked, for people.
#[must_use]
pub fn question(call: &Call) -> String {
    match call {
        Call::Get { key, .. } => format!("get {key}"),
        Call::Put { key, value: new, .. } => format!("put {key} = {}", short_value(*new)),
        Call::Delete { key } => format!("delete {key}"),
        Call::Cas { key, expect, value: new } => {
            format!("cas {key}: {} -> {}", value_or_nothing(*expect), short_value(*new))
        }
        Call::Add { key, delta } => format!("add {key} {delta:+}"),
        Call::Append { key, value: new } => format!("append {key} {}", short_value(*new)),
        other => match other.key() {
            Some(key) => format!("{} {key}", other.name()),
            None => other.name().to_owned(),
        },
    }
}

/// What came back, for people.
#[must_use]
pub fn answer(ret: &Ret) -> String {
    match ret {
        Ret::Found { value: seen, .. } => short_value(*seen),
        Ret::Missing => "nothing".to_owned(),
        Ret::Done { .. } => "done".to_owned(),
        Ret::Deleted { previous } => format!("deleted {}", value_or_nothing(*previous)),
        Ret::Conflict { seen } => format!("conflict: {}", value_or_nothing(*seen)),
        Ret::Added { total } => format!("{total}"),
        Ret::List { items } => format!("{} items", items.len()),
        Ret::Batch { values } => format!("{} values", values.len()),
        Ret::Own(own) => own.word.to_owned(),
    }
}

/// At most so many events before a violation are shown.
const TAIL_MAX: usize = 40;

/// The last events before the first violation; a run without one has nothing to explain.
fn tail(run: &Finished) -> Vec<row::TailRow> {
    if !run.fired() {
        return Vec::new();
    }
    let row = |event: &crate::run::TraceLine| row::TailRow {
        at_ns: event.at.0,
        node: Some(event.node.0),
        line: event.line.clone(),
    };
    let skipped = run.trace.len().saturating_sub(TAIL_MAX);
    run.trace.iter().skip(skipped).map(row).collect()
}
