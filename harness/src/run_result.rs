//! What is left of a run once it is over, and what the checks say of it.

use crate::checks::op_cost::Spent;
use crate::checks::{Converged, Figure, RunData};
use crate::director::Occurrence;
use crate::interrupt::Interrupted;
use crate::kinds::Kinds;
use crate::meter::Metered;
use crate::select::Roster;
use catalog::{Property, Verdict, Violation};
use contract::{NodeId, Op, SimTime};
use engine::hosting::Timed;
use scenario::plan::{CheckPlan, Plan};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The name under which a panic of a node is reported.
pub const NO_PANIC: Property = Property {
    name: "no-panic",
    about: "no node panics, whatever happens to it",
    source: "tigerstyle §safety",
};

/// Held in every run: what a node asks of its host makes sense.
pub const NO_MISTAKE: Property = Property {
    name: "no-mistake",
    about: "what a node asks of its host makes sense: the settings of a node that it starts",
    source: "chaoslab docs/scenarios.md, machines",
};

/// Why a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Its simulated time was over.
    InTime,
    /// Its budget of events was spent.
    EventsSpent,
    /// Time did not advance any more.
    Stuck,
    /// A node panicked.
    Panicked,
    /// The first violation ended it, as asked.
    FailFast,
    /// The user interrupted it.
    Interrupted,
}

impl Ended {
    /// What it says in a report; `None` for a run that was not cut short.
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::InTime => None,
            Self::EventsSpent => Some("the budget of events was spent"),
            Self::Stuck => Some("time does not advance: over 1000 rounds at one instant"),
            Self::Panicked => Some("a node panicked"),
            Self::FailFast => Some("the first violation ended it"),
            Self::Interrupted => Some("it was interrupted"),
        }
    }
}

/// What is left of a run once it is over.
pub struct Finished {
    /// The plan that was run.
    pub plan: Rc<Plan>,
    /// Its nodes by name.
    pub roster: Rc<Roster>,
    /// The digest of everything that happened.
    pub digest: u64,
    /// The digest of what each node saw, by node.
    pub node_digests: Vec<u64>,
    /// What the faults did to the world, for other simulators to repeat.
    pub script: Vec<Timed>,
    /// How many events the engine handled.
    pub events: u64,
    /// When it ended, and why.
    pub ended_at: SimTime,
    /// Why it ended.
    pub ended: Ended,
    /// All operations, by id.
    pub ops: Vec<Op>,
    /// Arrivals that were never sent because their client was busy to the end.
    pub never_sent: u64,
    /// A verdict per check.
    pub verdicts: Vec<Judged>,
    /// What invariants found that no check of the scenario names.
    pub unnamed: Vec<Violation>,
    /// Every occurrence of a fault.
    pub occurrences: Vec<Occurrence>,
    /// How often each cover was hit, beside the plan's covers.
    pub covers: Vec<u64>,
    /// How often each event was marked: (name, count), the unmarked ones left out.
    pub marked: Vec<(&'static str, u64)>,
    /// What came of each `converge` check.
    pub converged: BTreeMap<String, Converged>,
    /// Counters of the engine: (name, count).
    pub counters: Vec<(&'static str, u64)>,
    /// Nodes that were killed for memory or refused to boot.
    pub incidents: Vec<String>,
    /// What the nodes allocated, where the binary meters it.
    pub metered: Metered,
    /// What the operations of each `op-cost` check allocated, by its id.
    pub spent: BTreeMap<String, Spent>,
    /// The last events before the first violation, or before the end.
    pub trace: Vec<TraceLine>,
    /// What a scraper would have found at the end, in the text format of Prometheus; empty where
    /// no system exposes anything.
    pub metrics: String,
}

impl Finished {
    /// The run, if it is one: what was interrupted is no result.
    ///
    /// # Errors
    /// When the user interrupted it.
    pub fn whole(self) -> Result<Self, Interrupted> {
        if self.ended == Ended::Interrupted { Err(Interrupted) } else { Ok(self) }
    }

    /// Whether any check fired, or any property that no check names was broken.
    #[must_use]
    pub fn fired(&self) -> bool {
        self.verdicts.iter().any(crate::outcome::violated) || !self.unnamed.is_empty()
    }
}

/// One event of the engine, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceLine {
    /// When it happened.
    pub at: SimTime,
    /// At which node.
    pub node: NodeId,
    /// What happened: `datagram from h/1, 64 B`.
    pub line: String,
}

/// A check with its verdict.
pub struct Judged {
    /// The check's id.
    pub id: String,
    /// Its kind.
    pub kind: &'static str,
    /// What it holds.
    pub property: Property,
    /// What it says.
    pub verdict: Verdict,
    /// What it measured, for people; empty where there is no figure.
    pub measured: String,
    /// The quantiles, shares and rates that it bounds.
    pub figures: Vec<Figure>,
}

/// A verdict per check, in the order of the plan.
#[must_use]
pub fn judge(data: &RunData<'_>) -> Vec<Judged> {
    let kinds = Kinds::of(data.plan);
    let judged = |check: &CheckPlan| {
        let kind = kinds.check(check.kind).expect("the compiler accepts known kinds only");
        Judged {
            id: check.id.clone(),
            kind: check.kind,
            property: kind.property(check, data),
            verdict: kind.judge(check, data),
            measured: kind.measured(check, data),
            figures: kind.figures(check, data),
        }
    };
    let all: Vec<Judged> = data.plan.checks.iter().map(judged).collect();
    let blamed = |judged: &Judged| !matches!(&judged.verdict, Verdict::Violated(v) if v.is_empty());
    assert!(all.iter().all(blamed), "what is violated is shown");
    let told =
        |judged: &Judged| !matches!(&judged.verdict, Verdict::Inconclusive(w) if w.is_empty());
    assert!(all.iter().all(told), "what is inconclusive says why");
    all
}

/// Under this kind the pins stand that met no message, in the place of a check.
pub const PINS: &str = "pins";

/// The message that each pin is about was sent.
const PINS_MEET: Property = Property {
    name: PINS,
    about: "every pinned message is sent, so that the run is the one that was pinned down",
    source: "tigerstyle §safety",
};

/// A verdict on pins that met no message, if there are any: the run is not the one that whoever
/// pinned them had in mind.
#[must_use]
pub fn never_met(pins: &[String]) -> Option<Judged> {
    let shown = pins.join(", ");
    let verdict = match pins {
        [] => return None,
        [_] => format!("the pin of {shown} never met its message"),
        _ => format!("the pins of {shown} never met their messages"),
    };
    Some(Judged {
        id: PINS.to_owned(),
        kind: PINS,
        property: PINS_MEET,
        verdict: Verdict::Inconclusive(verdict),
        measured: String::new(),
        figures: Vec::new(),
    })
}

/// The violations of properties that no check of the scenario names.
#[must_use]
pub fn unnamed(data: &RunData<'_>) -> Vec<Violation> {
    let named: Vec<String> = data
        .plan
        .checks
        .iter()
        .filter(|check| check.kind == "invariant")
        .map(|check| check.fields.text("name"))
        .collect();
    let is_named = |violation: &&Violation| named.iter().any(|name| name == violation.property);
    data.violations.iter().filter(|violation| !is_named(violation)).cloned().collect()
}

/// A run whose world could not even be booted.
#[must_use]
pub fn stillborn(roster: &Rc<Roster>, said: &str) -> Finished {
    let violation = Violation {
        property: NO_PANIC.name,
        rule: "a node panicked",
        at: SimTime::ZERO,
        nodes: Vec::new(),
        ops: Vec::new(),
        detail: format!("a node panicked at its first boot: {said}"),
    };
    Finished {
        plan: roster.shared_plan(),
        roster: Rc::clone(roster),
        digest: 0,
        node_digests: Vec::new(),
        script: Vec::new(),
        events: 0,
        ended_at: SimTime::ZERO,
        ended: Ended::Panicked,
        ops: Vec::new(),
        never_sent: 0,
        verdicts: Vec::new(),
        unnamed: vec![violation],
        occurrences: Vec::new(),
        covers: vec![0; roster.plan().covers.len()],
        marked: Vec::new(),
        converged: BTreeMap::new(),
        counters: Vec::new(),
        incidents: Vec::new(),
        metered: Metered::default(),
        spent: BTreeMap::new(),
        trace: Vec::new(),
        metrics: String::new(),
    }
}
