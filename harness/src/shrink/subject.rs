//! What is shrunk: a scenario of one run, and the failure that it must keep.

use reports::RunRecord;
use reports::record::{CheckRow, Evidence};
use reports::seeds::Cause;
use scenario::Scenario;
use scenario::edit::draft::Draft;

/// A failing run.
#[derive(Clone)]
pub struct Subject {
    /// The scenario of its plan.
    pub draft: Draft,
    /// What it broke.
    pub cause: Cause,
    /// The token that repeats it.
    pub token: String,
    /// Whether its scenario said that it must fail.
    pub expected: bool,
}

impl Subject {
    /// The run of `record`, whose plan is `scenario`.
    #[must_use]
    pub fn new(scenario: &Scenario, record: &RunRecord, cause: Cause) -> Self {
        let expected =
            record.expectation.fail && record.expectation.caught_by.contains(&cause.check);
        let broken = record.violated().any(|check| check.id == cause.check);
        assert!(broken, "what is explained was broken");
        let draft = Draft::of(scenario, record.seed);
        Self { draft, cause, token: record.replay.clone(), expected }
    }
}

/// The cause that a run is shrunk and explained for: that of the check `wanted`, or else of the
/// earliest violation, where a failure is expected among the checks that must fire.
///
/// # Errors
/// When nothing fired, or not the check that is wanted.
pub fn target(record: &RunRecord, wanted: Option<&str>) -> Result<Cause, String> {
    let must = |check: &CheckRow| record.expectation.caught_by.contains(&check.id);
    let planted = record.expectation.fail && record.violated().any(must);
    let counts = |check: &CheckRow| match wanted {
        Some(wanted) => check.id == wanted,
        None => !planted || must(check),
    };
    let seen = record.violated().filter(|check| counts(check));
    let seen = seen.flat_map(|check| check.evidence.iter().map(move |evidence| (check, evidence)));
    let first = seen.min_by_key(|(_, evidence): &(&CheckRow, &Evidence)| evidence.at_ns);
    match first {
        Some((check, evidence)) => Ok(Cause::of(record, &check.id, evidence)),
        None => {
            let fired: Vec<&str> = record.violated().map(|check| check.id.as_str()).collect();
            Err(match (wanted, fired.as_slice()) {
                (_, []) => format!("nothing fired in {}: there is no failure", record.replay),
                (Some(wanted), fired) => {
                    format!(
                        "`{wanted}` did not fire in {}; what did: {}",
                        record.replay,
                        fired.join(", ")
                    )
                }
                (None, _) => format!("{} has no evidence of what fired", record.replay),
            })
        }
    }
}
