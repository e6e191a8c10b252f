//! `linearizable`: each key's operations could have happened one after the other, in real-time
//! order, on a single copy.

use super::{CheckKind, RunData};
use crate::kinds::Kinds;
use crate::record::short_value;
use catalog::{Kind, Preload, Property, Verdict, Violation};
use checker::linearizable::{Counterexample, Options, Verdict as Found, check_register_with};
use checker::models::RegisterCas;
use contract::{Call, NodeId, Op, OpId, Outcome, Ret, SimTime};
use scenario::kinds::{CheckRow, Field, FieldKind, LooksAt, Row};
use scenario::plan::CheckPlan;

/// Judges the history of a group of clients.
pub struct Linearizable;

impl CheckKind for Linearizable {
    fn row(&self) -> CheckRow {
        const FIELDS: &[Field] = &[
            Field {
                name: "model",
                kind: FieldKind::Model,
                about: "the sequential specification",
                default: "register-cas",
                required: false,
            },
            Field {
                name: "over",
                kind: FieldKind::Clients,
                about: "whose operations",
                default: "",
                required: true,
            },
            Field {
                name: "ttl_tolerance",
                kind: FieldKind::Plain(Kind::DURATION),
                about: "how much earlier or later than promised a value may expire",
                default: "0s",
                required: false,
            },
        ];
        CheckRow {
            of_reads: true,
            looks_at: LooksAt::History,
            ..CheckRow::of(Row {
                name: "linearizable",
                about: "every operation takes effect at one instant between its call and its return",
                fields: FIELDS,
            })
        }
    }

    fn property(&self, _: &CheckPlan, _: &RunData<'_>) -> Property {
        Property {
            name: "linearizable",
            about: "every operation takes effect at one instant between its call and its return",
            source: "herlihy-wing-1990 §2",
        }
    }

    fn judge(&self, check: &CheckPlan, run: &RunData<'_>) -> Verdict {
        let over = check.fields.text("over");
        let clients = over.strip_prefix("clients.").unwrap_or(&over);
        let mut ops: Vec<Op> = run.ops_of(clients).cloned().collect();
        if !ops.iter().any(|op| matches!(op.outcome, Outcome::Ok(_))) {
            return Verdict::Inconclusive(format!("no operation of {over} was answered"));
        }
        let options = Options {
            client: &|client| run.name(client).to_owned(),
            value: &short_value,
            ..Options::steps(run.plan.budget.search_steps)
        };
        let name = check.fields.text("model");
        let report = if name == "register-cas" {
            let ttl_tolerance = check.fields.duration("ttl_tolerance");
            let model = RegisterCas { ttl_tolerance, ..register_of(run) };
            ops.splice(0..0, put_at_start(run));
            check_register_with(&ops, &model, &options)
        } else {
            let kind = Kinds::of(run.plan).model(&name);
            let kind = kind.expect("the compiler accepts known models only");
            (kind.check)(&ops, &options)
        };
        if report.ops == 0 {
            return Verdict::Inconclusive(format!("{name} knows no operation of {over}"));
        }
        match report.verdict {
            Found::Linearizable => Verdict::Ok,
            Found::NotLinearizable => {
                let told = report.counterexamples.iter();
                Verdict::Violated(told.map(|found| violation(found, &ops)).collect())
            }
            Found::Undecided { why } => Verdict::Inconclusive(format!(
                "{why}, on {} of {} keys",
                report.undecided_keys.len(),
                report.keys
            )),
        }
    }
}

/// Registers that hold what was preloaded for good.
pub(super) fn register_of(run: &RunData<'_>) -> RegisterCas {
    let lasting = preloads(run).filter(|entry| entry.ttl.is_none());
    let initial = lasting.map(|entry| (entry.key, entry.value)).collect();
    RegisterCas { initial, ..RegisterCas::default() }
}

fn preloads<'a>(run: &'a RunData<'_>) -> impl Iterator<Item = &'a Preload> {
    let entries = run.plan.groups.iter().flat_map(|group| &group.preload);
    entries.flat_map(|(_, entries)| entries)
}

/// What was preloaded for a time, as if somebody had put it at the very start. These operations
/// have the ids behind all others.
fn put_at_start(run: &RunData<'_>) -> Vec<Op> {
    let first = run.ops.iter().map(|op| op.id.0 + 1).max().unwrap_or(0);
    let expiring = preloads(run).filter(|entry| entry.ttl.is_some()).zip(first..);
    let put = |(entry, id): (&Preload, u64)| Op {
        id: OpId(id),
        client: NodeId(0),
        process: u32::MAX,
        call: Call::Put { key: entry.key, value: entry.value, ttl: entry.ttl },
        outcome: Outcome::Ok(Ret::Done { version: 0 }),
        arrived_at: SimTime::ZERO,
        call_at: SimTime::ZERO,
        ret_at: SimTime::ZERO,
    };
    expiring.map(put).collect()
}

/// A counterexample as a violation, at the return of its last answered operation.
fn violation(found: &Counterexample, ops: &[Op]) -> Violation {
    let core = found.indexes.iter().map(|index| &ops[*index as usize]);
    let answered = core.clone().map(|op| op.ret_at).filter(|at| *at != SimTime::MAX);
    Violation {
        property: "linearizable",
        rule: found.rule,
        at: answered.max().unwrap_or(SimTime::ZERO),
        nodes: core.map(|op| op.client).collect(),
        ops: found.ops.clone(),
        detail: format!("Key {}: {}", found.key, found.sentence),
    }
}
