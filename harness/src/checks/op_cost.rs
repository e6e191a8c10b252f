//! `op-cost`: what one operation costs inside of a node, counted exactly.
//!
//! Clones are counted where they are made: an event whose labels are `deep_clones` and
//! `handle_clones` says how many copies of a value, and how many references to it, the operation
//! that it marks took. They are logical, so they are equal on every machine.

use super::measured::{IN, violation};
use super::{CheckKind, RunData};
use crate::measure::{Marked, RowOf, Wanted, events_with, labels};
use crate::scenario::plan::{CheckPlan, Plan};
use crate::table::{Field, FieldKind, Row};
use contract::{Kind, Property, SettingValue, Verdict};

/// Judges every operation.
pub struct OpCost;

/// The label that makes an event say what an operation cost.
const DEEP: &str = "deep_clones";
const HANDLES: &str = "handle_clones";

impl CheckKind for OpCost {
    fn row(&self) -> Row {
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
            IN,
        ];
        Row { name: "op-cost", about: "what one operation costs inside of a node", fields: FIELDS }
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
        if !broken.is_empty() {
            return Verdict::Violated(broken);
        }
        if judged == 0 {
            let result = check.fields.text("result");
            return Verdict::Inconclusive(format!("no operation ended in \"{result}\""));
        }
        Verdict::Ok
    }
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
