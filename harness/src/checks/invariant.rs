//! `invariant`: a property of the nodes' states that is looked at after every event.

use super::measured::RECORDED;
use super::{CheckKind, RunData};
use catalog::{Property, Verdict};
use scenario::kinds::{Field, FieldKind, Row};
use scenario::plan::CheckPlan;

/// Reports what a watched invariant found.
pub struct InvariantCheck;

impl CheckKind for InvariantCheck {
    fn row(&self) -> Row {
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
        Row {
            name: "invariant",
            about: "a property of all nodes after every event",
            fields: FIELDS,
        }
    }

    fn property(&self, check: &CheckPlan, run: &RunData<'_>) -> Property {
        let name = check.fields.text("name");
        let found = run.properties.iter().find(|(property, _)| property.name == name);
        found.expect("the compiler accepts invariants of the scenario's systems only").0
    }

    fn judge(&self, check: &CheckPlan, run: &RunData<'_>) -> Verdict {
        let name = check.fields.text("name");
        let mine = run.violations.iter().filter(|violation| violation.property == name);
        let mine: Vec<_> = mine.cloned().collect();
        if mine.is_empty() { Verdict::Ok } else { Verdict::Violated(mine) }
    }

    /// One figure for each group of nodes whose invariant counted something.
    fn measured(&self, check: &CheckPlan, run: &RunData<'_>) -> String {
        let name = check.fields.text("name");
        let mine = run.properties.iter().filter(|(property, _)| property.name == name);
        let figures: Vec<&str> = mine.map(|(_, figure)| figure.as_str()).collect();
        let told: Vec<&str> = figures.into_iter().filter(|figure| !figure.is_empty()).collect();
        told.join("; ")
    }
}
