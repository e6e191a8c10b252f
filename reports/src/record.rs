//! The run record: everything that a report may show.
//!
//! Start at [`RunRecord`]. It is plain and owned, and it knows neither the wall clock nor the host,
//! the user or a path, so the same seed gives the same bytes on every machine. Times are simulated
//! nanoseconds since the start of the run; every figure is an integer.
//!
//! Every field may be absent when a record is read: a record of an older lab, or one written by
//! hand, still renders. Fields that this lab does not know are skipped. What is absent never reads
//! as success: the default verdict is "not reached", the default outcome "inconclusive".

use crate::digest::Digest;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The version of the record that this crate writes. Raised when a field changes its meaning, not
/// when one is added.
pub const VERSION: u32 = 1;

/// One finished run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunRecord {
    /// [`VERSION`] of the lab that wrote it.
    pub version: u32,
    /// The scenario's name: its path under `scenarios/` without the suffix.
    pub scenario: String,
    /// What the scenario is about, in its own words.
    pub about: String,
    /// The systems in it, in the order of their names.
    pub systems: Vec<String>,
    /// The seed of every random stream.
    pub seed: u64,
    /// The variant, where it is not the base.
    pub variant: Option<String>,
    /// What was changed against the file besides the variant, as `path = value`.
    pub overrides: Vec<String>,
    /// The digest of the compiled scenario.
    pub scenario_digest: Digest,
    /// The digest of the whole run.
    pub digest: Digest,
    /// Events that the engine handled.
    pub events: u64,
    /// The simulated instant at which the run ended.
    pub end_ns: u64,
    /// Why it ended there: `the plan was done`, `the event budget was spent`, ….
    pub ended: String,
    /// The token that repeats it: `name@seed[-variant][+hex]`.
    pub replay: String,
    /// The cause, once `cause` found it, in one sentence.
    pub cause: Option<String>,
    /// What a reader must know to read the figures: the line of the fault budget that was
    /// exceeded, the scale of memory, the tolerance of a checker. Full sentences.
    pub notes: Vec<String>,
    /// Nodes and clients; [`NodeRow::id`] is what every other row names them by.
    pub nodes: Vec<NodeRow>,
    /// Named intervals of the plan, in order.
    pub phases: Vec<PhaseRow>,
    /// Faults as they happened, one row for each time that one was on, in order of start.
    pub faults: Vec<FaultRow>,
    /// Checks in the order of the file.
    pub checks: Vec<CheckRow>,
    /// Covers in the order of the file.
    pub covers: Vec<CoverRow>,
    /// What the scenario said that the run must end with.
    pub expectation: Expectation,
    /// What became of the expectation.
    pub outcome: RunOutcome,
    /// Operations by kind, in the order of their names.
    pub operations: Vec<OperationRow>,
    /// Single operations, in order of invocation: all of them, or those around the evidence.
    pub ops: Vec<OpRow>,
    /// Counters of the systems, by name.
    pub counters: BTreeMap<String, u64>,
    /// What became of the messages: `sent`, `delivered`, `dropped: blocked`, ….
    pub messages: BTreeMap<String, u64>,
    /// Gauges over time.
    pub series: Vec<Series>,
    /// What each node was over time, in order of node, then time.
    pub strips: Vec<StripSpan>,
    /// Messages on the network around the first violation, in order of sending.
    pub flights: Vec<FlightRow>,
    /// The last events of the nodes involved, as printed lines.
    pub tail: Vec<TailRow>,
}

impl Default for RunRecord {
    fn default() -> Self {
        Self {
            version: VERSION,
            scenario: String::new(),
            about: String::new(),
            systems: Vec::new(),
            seed: 0,
            variant: None,
            overrides: Vec::new(),
            scenario_digest: Digest(0),
            digest: Digest(0),
            events: 0,
            end_ns: 0,
            ended: String::new(),
            replay: String::new(),
            cause: None,
            notes: Vec::new(),
            nodes: Vec::new(),
            phases: Vec::new(),
            faults: Vec::new(),
            checks: Vec::new(),
            covers: Vec::new(),
            expectation: Expectation::default(),
            outcome: RunOutcome::default(),
            operations: Vec::new(),
            ops: Vec::new(),
            counters: BTreeMap::new(),
            messages: BTreeMap::new(),
            series: Vec::new(),
            strips: Vec::new(),
            flights: Vec::new(),
            tail: Vec::new(),
        }
    }
}

/// A node or a client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeRow {
    /// Its number in the world.
    pub id: u32,
    /// Its name: `h/1`.
    pub name: String,
    /// Its group: `h`.
    pub group: String,
    /// Its role in its system.
    pub role: String,
    /// Its zone, where zones are dealt.
    pub zone: Option<String>,
}

/// A named interval of the plan, half-open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PhaseRow {
    /// Its name.
    pub name: String,
    /// Its first instant.
    pub start_ns: u64,
    /// Just after its last instant.
    pub end_ns: u64,
}

/// A fault, one of the times that it was on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FaultRow {
    /// Its id in the scenario. A fault that repeats has several rows.
    pub id: String,
    /// Its kind: `partition`.
    pub kind: String,
    /// When it started; `None` when what it waited for never happened.
    pub start_ns: Option<u64>,
    /// When it was lifted; `None` when it was still on at the end.
    pub end_ns: Option<u64>,
    /// What its selectors resolved to, as text: `h/1 | h/2, h/3`.
    pub targets: String,
    /// How often it changed something: frames dropped, writes torn, ….
    pub effects: u64,
    /// Whether the run with it does not differ from the run without it.
    pub vacuous: bool,
}

/// What a check said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CheckRow {
    /// Its id in the scenario.
    pub id: String,
    /// Its kind: `linearizable`.
    pub kind: String,
    /// The name of the property that it checks.
    pub property: String,
    /// The property in one sentence.
    pub about: String,
    /// Where the property is defined: a key of `docs/PAPERS.md` and a section.
    pub source: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Why it is inconclusive or was not reached; empty otherwise.
    pub reason: String,
    /// What it measured, in a few words; empty where there is no figure.
    pub measured: String,
    /// What that was elsewhere, as the scenario says; empty where it does not.
    pub recorded: String,
    /// How many violations there were in all, also those that are not in `evidence`.
    pub violations: u64,
    /// The first violations, in order of time.
    pub evidence: Vec<Evidence>,
}

/// The verdict of a check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It held.
    Ok,
    /// It did not.
    Violated,
    /// Neither proved nor refuted.
    Inconclusive,
    /// The run ended before it could judge.
    #[default]
    NotReached,
}

impl Verdict {
    /// As it stands in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Violated => "violated",
            Self::Inconclusive => "inconclusive",
            Self::NotReached => "not reached",
        }
    }
}

/// One violation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Evidence {
    /// When it showed.
    pub at_ns: u64,
    /// The rule that was broken, stable across seeds: `two leaders in one term`.
    pub rule: String,
    /// The nodes involved.
    pub nodes: Vec<u32>,
    /// The operations involved: the core of the counterexample.
    pub ops: Vec<u64>,
    /// What was seen, in one sentence with its figures.
    pub detail: String,
}

/// How often something was reached that a run should reach.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CoverRow {
    /// Its id in the scenario.
    pub id: String,
    /// How often it was seen.
    pub hits: u64,
    /// How often it had to be seen for the run to count.
    pub min: u64,
    /// Whether it was.
    pub met: bool,
}

/// What the run had to end with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Expectation {
    /// True for `expect = "fail"`.
    pub fail: bool,
    /// The checks that must all fire.
    pub caught_by: Vec<String>,
    /// The checks that may fire besides.
    pub may_fail: Vec<String>,
}

/// What became of the expectation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunOutcome {
    /// Every check held, as it should.
    Passed,
    /// Exactly the checks fired that had to.
    FailedAsExpected,
    /// A check fired that should not have.
    UnexpectedViolation,
    /// A check did not fire that had to.
    ExpectedFailureMissing,
    /// Neither proved nor refuted.
    #[default]
    Inconclusive,
}

impl RunOutcome {
    /// As it stands in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::FailedAsExpected => "failed as expected",
            Self::UnexpectedViolation => "unexpected violation",
            Self::ExpectedFailureMissing => "expected failure did not occur",
            Self::Inconclusive => "inconclusive",
        }
    }

    /// Whether the run ended as its scenario said.
    #[must_use]
    pub const fn as_expected(self) -> bool {
        matches!(self, Self::Passed | Self::FailedAsExpected)
    }
}

/// The operations of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OperationRow {
    /// Its name: `put`.
    pub op: String,
    /// How many took effect.
    pub ok: u64,
    /// How many certainly did not.
    pub fail: u64,
    /// How many may have.
    pub unknown: u64,
    /// From arrival to answer; `None` when none was answered.
    pub latency: Option<Latency>,
}

/// Quantiles of a latency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Latency {
    /// The median.
    pub p50_ns: u64,
    /// 99 of 100 are at most this.
    pub p99_ns: u64,
    /// 999 of 1 000 are at most this.
    pub p999_ns: u64,
    /// The longest.
    pub max_ns: u64,
}

/// One operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OpRow {
    /// Its number; in the order of invocation.
    pub id: u64,
    /// The client that asked.
    pub client: u32,
    /// The logical process: after an unknown outcome a client continues as a new one.
    pub process: u32,
    /// What was asked, printed: `put 7 = #12`.
    pub call: String,
    /// What came back, printed; empty when nothing did.
    pub ret: String,
    /// How it ended.
    pub outcome: OpOutcome,
    /// When the client sent it.
    pub call_ns: u64,
    /// When the answer was there; `None` when the outcome is unknown.
    pub ret_ns: Option<u64>,
    /// The instant between call and return at which it took effect in the order that the checker
    /// found; `None` where no order was asked for or found.
    pub point_ns: Option<u64>,
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OpOutcome {
    /// It took effect.
    Ok,
    /// It certainly did not.
    Fail,
    /// It may have.
    #[default]
    Unknown,
}

impl OpOutcome {
    /// As it stands in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
        }
    }
}

/// A gauge over time. Series of one name are drawn in one plot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Series {
    /// The gauge.
    pub name: String,
    /// Its unit: `bytes`, `ns`, `ops/s`, or empty for a plain number.
    pub unit: String,
    /// The node that it belongs to; `None` for the whole cluster.
    pub node: Option<u32>,
    /// Instant in nanoseconds and value, in order of time.
    pub points: Vec<(u64, i64)>,
}

/// What a node was for a while.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StripSpan {
    /// The node.
    pub node: u32,
    /// The first instant.
    pub from_ns: u64,
    /// Just after the last instant.
    pub to_ns: u64,
    /// Its role at the time: `leader`, `follower`, `down`; gives the colour and the letter.
    pub state: String,
    /// What to write into the span: `leader, term 4`.
    pub label: String,
}

/// A message on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FlightRow {
    /// The sender.
    pub from: u32,
    /// The receiver.
    pub to: u32,
    /// When it was sent.
    pub sent_ns: u64,
    /// When it arrived; `None` when it never did.
    pub arrived_ns: Option<u64>,
    /// What it is: `AppendEntries`.
    pub label: String,
    /// What became of it when it did not simply arrive: `dropped: blocked`, `corrupted`; empty
    /// otherwise.
    pub fate: String,
}

/// One of the last events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TailRow {
    /// When it happened.
    pub at_ns: u64,
    /// The node that it happened at.
    pub node: Option<u32>,
    /// The event, printed.
    pub line: String,
}

impl RunRecord {
    /// The name of a node, or `node 7` for one that the record does not list.
    #[must_use]
    pub fn node_name(&self, id: u32) -> String {
        self.nodes
            .iter()
            .find(|node| node.id == id)
            .map_or_else(|| format!("node {id}"), |node| node.name.clone())
    }

    /// The checks that fired, in the order of the file.
    pub fn violated(&self) -> impl Iterator<Item = &CheckRow> {
        self.checks.iter().filter(|check| check.verdict == Verdict::Violated)
    }

    /// The earliest violation of all, and the check that saw it.
    #[must_use]
    pub fn first_violation(&self) -> Option<(&CheckRow, &Evidence)> {
        self.violated()
            .flat_map(|check| check.evidence.iter().map(move |seen| (check, seen)))
            .min_by_key(|(_, seen)| seen.at_ns)
    }

    /// The operations that some violation names, by number.
    #[must_use]
    pub fn core_ops(&self) -> BTreeSet<u64> {
        self.violated()
            .flat_map(|check| &check.evidence)
            .flat_map(|seen| seen.ops.iter().copied())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_never_reads_as_success() {
        let run = RunRecord::default();
        assert!(!run.outcome.as_expected());
        assert_eq!(CheckRow::default().verdict, Verdict::NotReached);
        assert_eq!(OpRow::default().outcome, OpOutcome::Unknown);
    }

    #[test]
    fn the_first_violation_is_the_earliest_of_a_check_that_fired() {
        let seen = |at_ns| Evidence { at_ns, ..Evidence::default() };
        let check = |id: &str, verdict, evidence| CheckRow {
            id: id.into(),
            verdict,
            evidence,
            ..CheckRow::default()
        };
        let run = RunRecord {
            checks: vec![
                check("quiet", Verdict::Ok, vec![seen(1)]),
                check("late", Verdict::Violated, vec![seen(9), seen(10)]),
                check("early", Verdict::Violated, vec![seen(5)]),
            ],
            ..RunRecord::default()
        };
        let (check, seen) = run.first_violation().unwrap();
        assert_eq!((check.id.as_str(), seen.at_ns), ("early", 5));
    }

    #[test]
    fn a_node_that_is_not_listed_still_has_a_name() {
        assert_eq!(RunRecord::default().node_name(3), "node 3");
    }
}
