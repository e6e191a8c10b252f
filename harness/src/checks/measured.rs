//! What the checks of figures share: the fields that many have, what they count, how they say it.

use super::RunData;
use crate::director::Occurrence;
use crate::measure::extremes::span;
use crate::measure::{self, Marked, RowOf, Wanted};
use catalog::{Kind, SettingValue, Verdict, Violation};
use contract::{NodeId, Op, OpId, Outcome, SimTime};
use scenario::kinds::{Field, FieldKind, Source};
use scenario::plan::{CheckPlan, End, Plan, Start, When};

/// `what`: events or operations, to be counted.
pub const COUNTED: Field = Field {
    name: "what",
    kind: FieldKind::Measured(&[Source::Event, Source::Ops]),
    about: "what is counted: an event, or operations that ended so",
    default: "",
    required: true,
};

/// `after`: the moment that something has to follow.
pub const AFTER: Field = Field {
    name: "after",
    kind: FieldKind::Moment,
    about: "from when on: `fault.ID.start`, `fault.ID.end`, `PHASE.start`, or a time",
    default: "",
    required: true,
};

/// `within`: how long after it.
pub const WITHIN: Field = Field {
    name: "within",
    kind: FieldKind::Plain(Kind::DURATION),
    about: "how long it may take",
    default: "",
    required: true,
};

/// `in`: the phase that counts.
pub const IN: Field = Field {
    name: "in",
    kind: FieldKind::Phase,
    about: "the phase that counts; the whole run when it is not given",
    default: "",
    required: false,
};

/// `max`, of anything.
pub const MAX: Field = Field {
    name: "max",
    kind: FieldKind::Amount,
    about: "the most that is allowed",
    default: "",
    required: false,
};

/// `min`, of anything.
pub const MIN: Field = Field {
    name: "min",
    kind: FieldKind::Amount,
    about: "the least that is allowed",
    default: "",
    required: false,
};

/// `recorded`: the figure that the one in the run is to be compared with.
pub const RECORDED: Field = Field {
    name: "recorded",
    kind: FieldKind::Plain(Kind::Text),
    about: "what it was elsewhere, as in the account of an incident: shown beside what is \
            measured, and not judged",
    default: "",
    required: false,
};

/// What a check measures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A gauge.
    Gauge(RowOf),
    /// An event.
    Event(RowOf),
    /// Operations of a group of clients that ended so: a row of [`scenario::kinds::CLIENT_OPS`].
    Ops {
        /// The group.
        clients: String,
        /// `ops`, `ok`, `fail` or `unknown`.
        ended: String,
    },
    /// How long the answered operations of a group of clients took.
    Latency {
        /// The group.
        clients: String,
    },
}

impl What {
    /// What the text in the field `name` of `check` means.
    #[must_use]
    pub fn of(plan: &Plan, check: &CheckPlan, name: &str) -> Option<Self> {
        let Some(SettingValue::Text(text)) = check.fields.0.get(name) else { return None };
        if let Some(rest) = text.strip_prefix("clients.") {
            let (clients, what) = rest.rsplit_once('.')?;
            let clients = clients.to_owned();
            return Some(match what {
                "latency" => Self::Latency { clients },
                ended => Self::Ops { clients, ended: ended.to_owned() },
            });
        }
        let gauge = measure::gauge(plan, text).map(Self::Gauge);
        gauge.or_else(|| measure::event(plan, text).map(Self::Event))
    }

    /// The marks that a check wants whose `fields` may name events.
    #[must_use]
    pub fn marks(plan: &Plan, check: &CheckPlan, fields: &[&str]) -> Wanted {
        let named = fields.iter().filter_map(|name| Self::of(plan, check, name));
        Wanted { events: named.filter_map(|what| what.event()).collect(), ..Wanted::default() }
    }

    /// The event whose marks have to be kept.
    #[must_use]
    pub fn event(&self) -> Option<RowOf> {
        if let Self::Event(row) = self { Some(*row) } else { None }
    }
}

/// What the field `what` of a check means.
#[must_use]
pub fn subject(plan: &Plan, check: &CheckPlan) -> What {
    What::of(plan, check, "what").expect("the compiler knows what is measured")
}

/// Whether an operation that ended so counts for `clients.C.{ended}`.
#[must_use]
pub fn ended_so(op: &Op, ended: &str) -> bool {
    match ended {
        "ok" => matches!(op.outcome, Outcome::Ok(_)),
        "fail" => op.outcome == Outcome::Fail,
        "unknown" => op.outcome == Outcome::Unknown,
        _ => true,
    }
}

impl<'a> RunData<'a> {
    /// The marks of an event in the interval of a check.
    pub fn marks_of(&self, row: RowOf, check: &CheckPlan) -> impl Iterator<Item = &'a Marked> {
        let (from, until) = span(self.plan, check);
        let roster = self.roster;
        self.measured.marks.iter().filter(move |marked| {
            let system = roster.group_of(marked.node).plan.system.name();
            let is_it = (system, usize::from(marked.mark.event)) == row;
            is_it && from <= marked.at && marked.at < until
        })
    }

    /// Whether an event was seen at any time of the run, in the interval of a check or outside of it:
    /// then it can happen, and that it did not is a finding.
    #[must_use]
    pub fn was_seen(&self, what: &What) -> bool {
        let Some(row) = what.event() else { return false };
        self.measured.marks.iter().any(|marked| {
            let system = self.roster.group_of(marked.node).plan.system.name();
            (system, usize::from(marked.mark.event)) == row
        })
    }

    /// When each thing happened that `what` counts, in the interval of a check, in the order of
    /// time. An operation counts when it ended, or when it arrived if it never did.
    #[must_use]
    pub fn times_of(&self, what: &What, check: &CheckPlan) -> Vec<SimTime> {
        let (from, until) = span(self.plan, check);
        let mut times: Vec<SimTime> = match what {
            What::Event(row) => self.marks_of(*row, check).map(|marked| marked.at).collect(),
            What::Ops { clients, ended } => {
                let mine = self.ops_of(clients).filter(|op| ended_so(op, ended));
                mine.map(ended_at).filter(|at| from <= *at && *at < until).collect()
            }
            What::Gauge(_) | What::Latency { .. } => {
                unreachable!("the compiler accepts events and operations only")
            }
        };
        times.sort_unstable();
        times
    }

    /// Why a count of `what` would say nothing, if it would not: its interval never began, or the
    /// clients whose operations it counts ended none in it. An event that never happens is a
    /// finding, and so is too little where a `min` is asked for; idle clients are none.
    #[must_use]
    pub fn nothing_to_count(&self, what: &What, check: &CheckPlan) -> Option<Verdict> {
        let (from, _) = span(self.plan, check);
        if self.ended_at <= from {
            return Some(Verdict::Inconclusive(format!("the run ended before {from}")));
        }
        let What::Ops { clients, .. } = what else { return None };
        let all = What::Ops { clients: clients.clone(), ended: "ops".to_owned() };
        let none = !check.fields.has("min") && self.times_of(&all, check).is_empty();
        none.then(|| {
            Verdict::Inconclusive(format!("clients.{clients} did nothing while it counts"))
        })
    }

    /// What the field `what` of a check names, by its name and as what it is.
    ///
    /// # Errors
    /// When marks are missing that it may need: the verdict.
    pub fn subject(&self, check: &CheckPlan) -> Result<(String, What), Verdict> {
        match self.marks_missing() {
            Some(missing) => Err(missing),
            None => Ok((check.fields.text("what"), subject(self.plan, check))),
        }
    }

    /// Why a check that needs all marks cannot be judged, if it cannot.
    #[must_use]
    pub fn marks_missing(&self) -> Option<Verdict> {
        (self.measured.marks_lost > 0).then(|| {
            Verdict::Inconclusive(format!(
                "{} marks were not kept: a run keeps at most {}",
                self.measured.marks_lost,
                measure::MARKS_MAX
            ))
        })
    }

    /// When a moment of a scenario file was; `None` when it did not come.
    #[must_use]
    pub fn moment(&self, moment: &str) -> Option<SimTime> {
        let Some(fault) = moment.strip_prefix("fault.") else {
            return super::known_moment(self.plan, moment);
        };
        let (id, edge) = fault.rsplit_once('.')?;
        let mine = || self.occurrences.iter().filter(|o| self.plan.faults[o.fault].id == id);
        match edge {
            "start" => mine().map(|occurrence| occurrence.start).next(),
            _ => mine().filter_map(|occurrence| occurrence.end).max(),
        }
    }

    /// That a moment of a scenario file did not come, and the event that would have brought it.
    #[must_use]
    pub fn never_came(&self, moment: &str) -> String {
        let fault = moment.strip_prefix("fault.").and_then(|rest| rest.rsplit_once('.'));
        let fault = fault.and_then(|(id, _)| self.plan.faults.iter().find(|fault| fault.id == id));
        let Some(fault) = fault else {
            return format!("`{moment}` never came: the run ended before");
        };
        let is_mine = |o: &Occurrence| self.plan.faults[o.fault].id == fault.id;
        let awaited = match (self.occurrences.iter().any(is_mine), &fault.start, &fault.end) {
            (false, Start::When(when), _) | (true, _, End::When(when)) => self.awaited(when),
            _ => return format!("`{moment}` never came: the run ended before"),
        };
        format!("`{moment}` never came: it waits for {awaited}")
    }

    /// What a condition waits for.
    fn awaited(&self, when: &When) -> String {
        let all = |parts: &[When], word: &str| {
            let parts: Vec<String> = parts.iter().map(|part| self.awaited(part)).collect();
            parts.join(word)
        };
        match when {
            When::All(parts) => all(parts, " and "),
            When::Any(parts) => all(parts, " or "),
            When::Event { system, event, node, nth } => {
                let systems = self.roster.systems();
                let mine = systems.iter().find(|mine| mine.name() == *system);
                let rows = mine.map_or(&[][..], |mine| mine.events());
                let name = rows.get(usize::from(*event)).map_or(*system, |row| row.name);
                let node = node.as_ref().map_or(String::new(), |node| format!(" at {node}"));
                let times = if *nth > 1 { format!(" no. {nth}") } else { String::new() };
                format!("`{name}`{times}{node}")
            }
        }
    }
}

/// When an operation ended; when it arrived where it never did.
fn ended_at(op: &Op) -> SimTime {
    if op.ret_at == SimTime::MAX { op.arrived_at } else { op.ret_at }
}

/// A violation by one node, or by none in particular.
#[must_use]
pub fn violation(
    property: &'static str,
    rule: &'static str,
    at: SimTime,
    node: Option<NodeId>,
    detail: String,
) -> Violation {
    Violation { property, rule, at, nodes: node.into_iter().collect(), ops: Vec::new(), detail }
}

/// A violation that operations show.
#[must_use]
pub fn violation_of_ops(
    property: &'static str,
    rule: &'static str,
    at: SimTime,
    ops: Vec<OpId>,
    detail: String,
) -> Violation {
    Violation { property, rule, at, nodes: Vec::new(), ops, detail }
}

/// A value with its unit, for people.
#[must_use]
pub fn shown(value: u64, unit: &str) -> String {
    match unit {
        "" => value.to_string(),
        "ns" => contract::Duration(value).human(),
        unit => format!("{value} {unit}"),
    }
}

/// The unit of a gauge.
#[must_use]
pub fn gauge_unit(run: &RunData<'_>, (system, row): RowOf) -> &'static str {
    let systems = run.roster.systems();
    let found = systems.iter().find(|other| other.name() == system);
    found.expect("a row of a system of the plan").gauges()[row].unit
}
