//! `converge`: within a time after a moment, predicates of the system hold all at once.

use super::measured::{AFTER, WITHIN};
use super::{CheckKind, Converged, RunData};
use catalog::{Property, Verdict, Violation};
use scenario::kinds::{CheckRow, Field, FieldKind, Row};
use scenario::plan::CheckPlan;

/// Reports what came of waiting for predicates to hold.
pub struct Converge;

impl CheckKind for Converge {
    fn row(&self) -> CheckRow {
        const FIELDS: &[Field] = &[
            AFTER,
            WITHIN,
            Field {
                name: "to",
                kind: FieldKind::Predicates,
                about: "predicates that must hold at one instant; `settled` means that nothing is pending",
                default: "",
                required: true,
            },
        ];
        CheckRow::of(Row {
            name: "converge",
            about: "predicates come to hold within a time",
            fields: FIELDS,
        })
    }

    fn property(&self, _: &CheckPlan, _: &RunData<'_>) -> Property {
        Property {
            name: "converge",
            about: "after the moment, all predicates hold at one instant before the time is over",
            source: "dijkstra-1974 §1",
        }
    }

    fn judge(&self, check: &CheckPlan, run: &RunData<'_>) -> Verdict {
        let within = check.fields.duration("within");
        let after = check.fields.text("after");
        match &run.converged[&check.id] {
            Converged::At { .. } => Verdict::Ok,
            Converged::NeverBegan => Verdict::Inconclusive(run.never_came(&after)),
            Converged::Not { from, until, .. } if until.since(*from) < within => {
                Verdict::Inconclusive(format!(
                    "the run ended {} after `{after}`, before the {} were over",
                    until.since(*from).human(),
                    within.human(),
                ))
            }
            Converged::Not { from, until, missing } => Verdict::Violated(vec![Violation {
                property: "converge",
                rule: "did not converge in time",
                at: *until,
                nodes: Vec::new(),
                ops: Vec::new(),
                detail: format!(
                    "{} after `{after}` (at {from}) this did not hold: {}",
                    within.human(),
                    missing.join(", "),
                ),
            }]),
        }
    }
}
