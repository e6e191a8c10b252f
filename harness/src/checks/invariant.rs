//! `invariant`: a property of the nodes' states that is looked at after every event.

use super::{CheckKind, RunData};
use crate::scenario::plan::CheckPlan;
use crate::table::{Field, FieldKind, Row};
use contract::{Property, Verdict};

/// Reports what a watched invariant found.
pub struct InvariantCheck;

impl CheckKind for InvariantCheck {
    fn row(&self) -> Row {
        const FIELDS: &[Field] = &[Field {
            name: "name",
            kind: FieldKind::Invariant,
            about: "an invariant of a system in the scenario; looked at after every event",
            default: "",
            required: true,
        }];
        Row {
            name: "invariant",
            about: "a property of all nodes after every event",
            fields: FIELDS,
        }
    }

    fn property(&self, check: &CheckPlan, run: &RunData<'_>) -> Property {
        let name = check.fields.text("name");
        let found = run.properties.iter().find(|property| property.name == name);
        *found.expect("the compiler accepts invariants of the scenario's systems only")
    }

    fn judge(&self, check: &CheckPlan, run: &RunData<'_>) -> Verdict {
        let name = check.fields.text("name");
        let mine = run.violations.iter().filter(|violation| violation.property == name);
        let mine: Vec<_> = mine.cloned().collect();
        if mine.is_empty() { Verdict::Ok } else { Verdict::Violated(mine) }
    }
}
