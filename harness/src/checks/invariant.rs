//! `invariant`: a property of the nodes' states that is looked at after every event.

use super::measured::RECORDED;
use super::{CheckKind, RunData, Watched};
use catalog::{Property, Verdict};
use scenario::kinds::{CheckRow, Field, FieldKind, LooksAt, Row};
use scenario::plan::CheckPlan;

/// Reports what a watched invariant found.
pub struct InvariantCheck;

impl CheckKind for InvariantCheck {
    fn row(&self) -> CheckRow {
        const FIELDS: &[Field] = &[
            Field {
                name: "name",
                kind: FieldKind::Invariant,
                about: "an invariant of a system in the scenario; looked at after every event",
                default: "",
                required: true,
            },
            RECORDED,
        ];
        CheckRow {
            looks_at: LooksAt::Nodes,
            ..CheckRow::of(Row {
                name: "invariant",
                about: "a property of all nodes after every event",
                fields: FIELDS,
            })
        }
    }

    fn property(&self, check: &CheckPlan, run: &RunData<'_>) -> Property {
        let found = watched(check, run).next();
        found.expect("the compiler accepts invariants of the scenario's systems only").property
    }

    fn judge(&self, check: &CheckPlan, run: &RunData<'_>) -> Verdict {
        let name = check.fields.text("name");
        let mine = run.violations.iter().filter(|violation| violation.property == name);
        let mine: Vec<_> = mine.cloned().collect();
        if !mine.is_empty() {
            return Verdict::Violated(mine);
        }
        if watched(check, run).all(|watched| watched.looked == 0) {
            return Verdict::Inconclusive("there was nothing that it could look at".to_owned());
        }
        Verdict::Ok
    }

    /// One figure for each group of nodes whose invariant counted something.
    fn measured(&self, check: &CheckPlan, run: &RunData<'_>) -> String {
        let figures = watched(check, run).map(|watched| watched.measured.as_str());
        let told: Vec<&str> = figures.filter(|figure| !figure.is_empty()).collect();
        told.join("; ")
    }
}

/// What was watched for the check: an invariant for each group, or one for all.
fn watched<'a>(check: &CheckPlan, run: &RunData<'a>) -> impl Iterator<Item = &'a Watched> {
    let name = check.fields.text("name");
    run.watched.iter().filter(move |watched| watched.property.name == name)
}
