//! `op-cost`: what one operation costs inside of a node, counted exactly.
//!
//! Clones are counted where they are made: an event whose labels are `deep_clones` and
//! `handle_clones` says how many copies of a value, and how many references to it, the operation
//! that it marks took. They are logical, so they are equal on every machine. Real allocations are
//! not: they are judged where the binary has a meter ([`crate::meter`]), and what they were is said
//! in `host.json` alone, never in a report.

use super::measured::{IN, violation};
use super::{CheckKind, RunData};
use crate::measure::{Marked, RowOf, Wanted, events_with, labels};
use catalog::{Kind, Property, SettingValue, Verdict, Violation};
use scenario::kinds::{CheckRow, Field, FieldKind, Row};
use scenario::plan::{CheckPlan, Plan};

/// Judges every operation.
pub struct OpCost;

/// The label that makes an event say what an operation cost.
const DEEP: &str = "deep_clones";
const HANDLES: &str = "handle_clones";

/// What the operations of one check allocated: for `host.json`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Operations that count.
    pub operations: u64,
    /// Allocations by the nodes while they handled the inputs that ended them.
    pub allocations: u64,
    /// The most for one operation.
    pub worst: u64,
}

/// What the operations of a check allocated; `None` for other checks and without a meter.
#[must_use]
pub fn spent(check: &CheckPlan, run: &RunData<'_>) -> Option<Spent> {
    if check.kind != "op-cost" {
        return None;
    }
    let rows = events(run.plan, check);
    let marks = rows.into_iter().flat_map(|row| run.marks_of(row, check));
    marks.map(|marked| marked.allocations).fold(None, |spent, allocations| {
        let Spent { operations, allocations: sum, worst } = spent.unwrap_or_default();
        let now = allocations?;
        Some(Spent { operations: operations + 1, allocations: sum + now, worst: worst.max(now) })
    })
}

impl CheckKind for OpCost {
    fn row(&self) -> CheckRow {
        const fn most(name: &'static str, about: &'static str) -> Field {
            Field { name, kind: FieldKind::Plain(Kind::COUNT), about, default: "", required: false }
        }
        const FIELDS: &[Field] = &[
            Field {
                name: "result",
                kind: FieldKind::Plain(Kind::Text),
                about: "how the operations ended that count: \"hit\" takes the marks of every \
                        event named `*.hit` that counts clones",
                default: "hit",
                required: false,
            },
            most("deep_clones", "the most copies of a value that one operation may make"),
            most("handle_clones_max", "the most references to a value that one may take"),
            most(
                "allocations_max",
                "the most real allocations, in the mean, by a node while it handles the input that \
                 ends one; the figures are in `host.json`",
            ),
            IN,
        ];
        CheckRow {
            limits: &["deep_clones", "handle_clones_max", "allocations_max"],
            ..CheckRow::of(Row {
                name: "op-cost",
                about: "what one operation costs inside of a node",
                fields: FIELDS,
            })
        }
    }

    fn property(&self, _: &CheckPlan, _: &RunData<'_>) -> Property {
        Property {
            name: "op-cost",
            about: "no operation makes more copies of values than allowed",
            source: "tigerstyle §performance",
        }
    }

    fn wanted(&self, check: &CheckPlan, plan: &Plan) -> Wanted {
        Wanted { events: events(plan, check), ..Wanted::default() }
    }

    fn judge(&self, check: &CheckPlan, run: &RunData<'_>) -> Verdict {
        if let Some(missing) = run.marks_missing() {
            return missing;
        }
        let mut judged = 0_u64;
        let mut broken = Vec::new();
        for row in events(run.plan, check) {
            let names = labels(run.plan, row).0;
            let marks: Vec<&Marked> = run.marks_of(row, check).collect();
            judged += marks.len() as u64;
            for (label, field) in [(DEEP, "deep_clones"), (HANDLES, "handle_clones_max")] {
                let Some(position) = names.iter().position(|name| *name == label) else { continue };
                let Some(SettingValue::Int(max)) = check.fields.0.get(field) else { continue };
                let allowed = u64::try_from(*max).unwrap_or(0);
                let over = marks.iter().filter(|m| m.mark.labels[position] > allowed);
                let Some(first) = over.clone().next() else { continue };
                let worst = over.clone().map(|m| m.mark.labels[position]).max().unwrap_or(0);
                let detail = format!(
                    "{} of {} operations made more than {allowed} {}, the worst {worst}; the first \
                     at {} at {}",
                    over.count(),
                    marks.len(),
                    label.replace('_', " "),
                    first.at,
                    run.name(first.node),
                );
                let node = Some(first.node);
                broken.push(violation("op-cost", "costs too much", first.at, node, detail));
            }
        }
        let unmetered = judge_allocations(check, run, &mut broken).err();
        if !broken.is_empty() {
            return Verdict::Violated(broken);
        }
        if judged == 0 {
            let result = check.fields.text("result");
            return Verdict::Inconclusive(format!("no operation ended in \"{result}\""));
        }
        unmetered.map_or(Verdict::Ok, Verdict::Inconclusive)
    }
}

/// Judges real allocations without saying anything that another machine would say otherwise.
fn judge_allocations(
    check: &CheckPlan,
    run: &RunData<'_>,
    broken: &mut Vec<Violation>,
) -> Result<(), String> {
    let Some(SettingValue::Int(max)) = check.fields.0.get("allocations_max") else {
        return Ok(());
    };
    let Some(spent) = spent(check, run) else {
        return Err("nothing counts real allocations here".to_owned());
    };
    let allowed = u64::try_from(*max).unwrap_or(0);
    if spent.allocations > allowed.saturating_mul(spent.operations) {
        let detail = format!(
            "operations made more than {max} allocations in the mean; `host.json` beside the \
             report says how many"
        );
        broken.push(violation("op-cost", "costs too much", run.ended_at, None, detail));
    }
    Ok(())
}

/// The events that say what the operations that count cost.
fn events(plan: &Plan, check: &CheckPlan) -> Vec<RowOf> {
    let end = format!(".{}", check.fields.text("result"));
    let all = [DEEP, HANDLES].into_iter().flat_map(|label| events_with(plan, label));
    let mine = all.filter(|(name, _)| name.ends_with(&end)).map(|(_, row)| row);
    let mut mine: Vec<RowOf> = mine.collect();
    mine.sort_unstable();
    mine.dedup();
    mine
}
