//! A recorded run, from its directory or its token: what `replay`, `shrink` and `cause` begin with.

use super::{Lab, files};
use crate::rundir;
use contract::hash::hash_bytes;
use reports::{Digest, RunRecord};
use scenario::Scenario;
use scenario::diagnostics;
use scenario::plan::Plan;
use std::path::{Path, PathBuf};

/// A run that was recorded.
pub struct Recorded {
    /// Its directory.
    pub dir: PathBuf,
    /// The scenario of its plan.
    pub scenario: Scenario,
    /// Its record.
    pub record: RunRecord,
    /// The digest of its plan as it lies there.
    plan_digest: Digest,
}

impl Recorded {
    /// Opens the run `run`: a directory as it stands, or that of a token below `out`.
    ///
    /// # Errors
    /// When it cannot be read, or its plan is none of this lab: what to print.
    pub fn open(lab: &Lab, run: &str, out: &Path) -> Result<Self, String> {
        let given = Path::new(run);
        let dir = match run.split_once('@') {
            Some((name, run)) if !given.exists() => out.join(name).join(run),
            _ => given.to_owned(),
        };
        let (document, record) = rundir::read(&dir).map_err(|error| format!("error: {error}"))?;
        let shown = dir.join(rundir::PLAN).display().to_string();
        let (scenario, said) = Scenario::compile(&shown, &document, &files::names(lab));
        let text = String::from_utf8_lossy(&document);
        let scenario = scenario.ok_or_else(|| diagnostics::render(&said, &text, &shown, false))?;
        let plan_digest = Digest(hash_bytes(&document));
        Ok(Self { dir, scenario, record, plan_digest })
    }

    /// The run without the rows that only its pages show: they are most of a large record.
    pub fn without_rows(mut self) -> Self {
        let RunRecord { faults, ops, series, strips, flights, .. } = &mut self.record;
        (*faults, *ops, *series) = Default::default();
        (*strips, *flights) = Default::default();
        self
    }

    /// Whether the plan is the one that was run: its digest stands in the record.
    pub fn has_its_plan(&self) -> bool {
        self.plan_digest == self.record.scenario_digest
    }

    /// The plan, under the identity that the record has.
    ///
    /// # Errors
    /// When the plan of the directory does not go with its record.
    pub fn plan(&self, lab: &Lab) -> Result<Plan, String> {
        let names = files::names(lab);
        let plan = self.scenario.plan(&names, None, self.record.seed, 0, &[]);
        let shown = self.dir.join(rundir::PLAN).display().to_string();
        let mut plan = plan.map_err(|said| diagnostics::render(&said, "", &shown, false))?;
        plan.variant.clone_from(&self.record.variant);
        plan.overrides.clone_from(&self.record.overrides);
        Ok(plan)
    }
}
