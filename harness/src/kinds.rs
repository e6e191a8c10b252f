//! The kinds that a lab has: models, checks, faults and workloads, those of the house and those
//! that a user's binary brings along ([`Own`]). Nothing tells one from the other after this.
//!
//! A plan carries the kinds of the lab that compiled it, as it carries its systems: whoever runs it
//! asks [`Kinds::of`].

use crate::checks::{CHECKS, CheckKind};
use crate::faults::{FAULTS, FaultKind};
use crate::load::LoadKind;
use catalog::System;
use checker::models::{MODELS, ModelKind};
use scenario::Lab as Names;
use scenario::kinds::Behind;
use scenario::plan::Plan;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

pub use scenario::kinds::{
    Amounts, CheckRow, Damage, FaultRow, Field, FieldKind, Line, LooksAt, RandomFault, Row, Source,
};
pub use scenario::random;

/// What a user's binary adds to the kinds of the house.
#[derive(Clone, Copy, Default)]
pub struct Own {
    /// Models of the check `linearizable`.
    pub models: &'static [ModelKind],
    /// Kinds of checks.
    pub checks: &'static [&'static dyn CheckKind],
    /// Kinds of faults.
    pub faults: &'static [&'static dyn FaultKind],
    /// Workloads.
    pub workloads: &'static [&'static dyn LoadKind],
}

impl Own {
    /// Whether the tables are the same ones.
    fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self.models, other.models)
            && std::ptr::eq(self.checks, other.checks)
            && std::ptr::eq(self.faults, other.faults)
            && std::ptr::eq(self.workloads, other.workloads)
    }
}

/// Everything that scenario files of one lab may name, with the code behind it.
pub struct Kinds {
    checks: Vec<&'static dyn CheckKind>,
    faults: Vec<&'static dyn FaultKind>,
    models: Vec<ModelKind>,
    workloads: Vec<&'static dyn LoadKind>,
    check_rows: Vec<CheckRow>,
    fault_rows: Vec<FaultRow>,
    model_names: Vec<&'static str>,
}

/// One set for each set of tables that was asked for: plans hold on to it.
static MADE: Mutex<Vec<(Own, &'static Kinds)>> = Mutex::new(Vec::new());

impl Kinds {
    /// The kinds of the house and `own`; the same set each time.
    ///
    /// # Panics
    /// When two kinds of one sort have the same name.
    #[must_use]
    pub fn with(own: Own) -> &'static Self {
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, kinds)) = made.iter().find(|(other, _)| other.is(&own)) {
            return kinds;
        }
        let kinds: &'static Self = Box::leak(Box::new(Self::join(&own)));
        made.push((own, kinds));
        kinds
    }

    /// The kinds of the house alone.
    #[must_use]
    pub fn house() -> &'static Self {
        Self::with(Own::default())
    }

    /// The kinds of the lab that compiled `plan`.
    ///
    /// # Panics
    /// When it was compiled with tables that are not from [`Kinds::names`].
    #[must_use]
    pub fn of(plan: &Plan) -> &'static Self {
        plan.behind.get().expect("a plan that runs was compiled with the names of some kinds")
    }

    fn join(own: &Own) -> Self {
        let checks = joined("kind of check", CHECKS, own.checks, |kind| kind.row().row.name);
        let faults = joined("kind of fault", FAULTS, own.faults, |kind| kind.row().row.name);
        let models = joined("model", MODELS, own.models, |kind| kind.name);
        let workloads = joined("workload", &[], own.workloads, |kind| kind.name());
        Self {
            check_rows: checks.iter().map(|kind| kind.row()).collect(),
            fault_rows: faults.iter().map(|kind| kind.row()).collect(),
            model_names: models.iter().map(|kind| kind.name).collect(),
            checks,
            faults,
            models,
            workloads,
        }
    }

    /// What the compiler of scenario files has to know.
    #[must_use]
    pub fn names<'a>(&'static self, systems: &'a [&'static dyn System]) -> Names<'a> {
        Names {
            systems,
            faults: &self.fault_rows,
            checks: &self.check_rows,
            models: &self.model_names,
            workloads: &self.workloads,
            behind: Behind::new(self),
        }
    }

    /// The kind of check with the name.
    #[must_use]
    pub fn check(&self, name: &str) -> Option<&'static dyn CheckKind> {
        let position = self.check_rows.iter().position(|kind| kind.row.name == name)?;
        Some(self.checks[position])
    }

    /// The kind of fault with the name.
    #[must_use]
    pub fn fault(&self, name: &str) -> Option<&'static dyn FaultKind> {
        let position = self.fault_rows.iter().position(|kind| kind.row.name == name)?;
        Some(self.faults[position])
    }

    /// The model with the name.
    #[must_use]
    pub fn model(&self, name: &str) -> Option<&ModelKind> {
        self.models.iter().find(|kind| kind.name == name)
    }

    /// All models.
    #[must_use]
    pub fn models(&self) -> &[ModelKind] {
        &self.models
    }

    /// The rows of all kinds of checks.
    #[must_use]
    pub fn check_rows(&self) -> &[CheckRow] {
        &self.check_rows
    }

    /// The rows of all kinds of faults.
    #[must_use]
    pub fn fault_rows(&self) -> &[FaultRow] {
        &self.fault_rows
    }
}

/// The rows of the house, then a user's.
fn joined<T: Copy>(
    what: &str,
    house: &[T],
    own: &[T],
    name: impl Fn(&T) -> &'static str,
) -> Vec<T> {
    let all: Vec<T> = house.iter().chain(own).copied().collect();
    let mut seen = BTreeSet::new();
    for row in &all {
        let name = name(row);
        assert!(seen.insert(name), "this lab has two rows for the {what} `{name}`: rename one");
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::invariant::InvariantCheck;
    use checker::models::Counter;

    const TALLY: &[ModelKind] = &[ModelKind::of::<Counter>("tally", "for the test")];

    #[test]
    fn a_users_rows_stand_beside_those_of_the_house() {
        let own = Own { models: TALLY, ..Own::default() };
        let kinds = Kinds::with(own);
        assert!(kinds.model("tally").is_some() && kinds.model("counter").is_some());
        assert!(Kinds::house().model("tally").is_none());
        assert!(std::ptr::eq(kinds, Kinds::with(own)), "one set for one lab");
        let names = kinds.names(&[]);
        assert!(names.models.contains(&"tally"));
        assert!(std::ptr::eq(names.behind.get::<Kinds>().expect("kinds"), kinds));
        assert_eq!(names.wrong_defaults(), [""; 0]);
    }

    #[test]
    #[should_panic(expected = "two rows for the model `counter`: rename one")]
    fn two_models_of_one_name_are_refused() {
        const AGAIN: &[ModelKind] = &[ModelKind::of::<Counter>("counter", "for the test")];
        let _ = Kinds::with(Own { models: AGAIN, ..Own::default() });
    }

    #[test]
    #[should_panic(expected = "two rows for the kind of check `invariant`: rename one")]
    fn two_kinds_of_checks_of_one_name_are_refused() {
        let _ = Kinds::with(Own { checks: &[&InvariantCheck], ..Own::default() });
    }
}
