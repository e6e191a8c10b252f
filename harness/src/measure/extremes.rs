//! The least and the greatest value of a gauge, looked at after every event.

use super::{RowOf, Wanted};
use crate::select::Roster;
use catalog::SettingValue;
use contract::{NodeId, Nodes, SimTime};
use scenario::plan::{CheckPlan, Plan};
use std::collections::{BTreeMap, BTreeSet};

/// What a gauge was at its least and at its greatest, while it counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extremes {
    /// The least value, and when and where it was first seen.
    pub least: Option<(u64, SimTime, NodeId)>,
    /// The greatest value, and when and where it was first seen.
    pub greatest: Option<(u64, SimTime, NodeId)>,
    /// The first value out of bounds.
    pub first_breach: Option<(u64, SimTime, NodeId)>,
    /// How often a node went out of bounds.
    pub breaches: u64,
    /// The nodes that are out of bounds now.
    out: BTreeSet<NodeId>,
}

/// All gauges that are looked at after every event.
#[derive(Clone, Default)]
pub struct Watched {
    gauges: Vec<Gauge>,
}

#[derive(Clone)]
struct Gauge {
    check: String,
    row: RowOf,
    from: SimTime,
    until: SimTime,
    min: u64,
    max: u64,
    seen: Extremes,
}

impl Watched {
    /// What the checks of `plan` ask for.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let wanted = super::wanted(plan).into_iter();
        let gauge = |(check, wanted): (&CheckPlan, Wanted)| {
            let (from, until) = span(plan, check);
            Some(Gauge {
                check: check.id.clone(),
                row: wanted.extremes?,
                from,
                until,
                min: limit(check, "min").unwrap_or(0),
                max: limit(check, "max").unwrap_or(u64::MAX),
                seen: Extremes::default(),
            })
        };
        Self { gauges: wanted.filter_map(gauge).collect() }
    }

    /// Whether nothing is watched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.gauges.is_empty()
    }

    /// Looks at the node whose state may have changed.
    pub fn look(&mut self, roster: &Roster, at: SimTime, touched: NodeId, nodes: &dyn Nodes) {
        let system = roster.group_of(touched).plan.system;
        for gauge in &mut self.gauges {
            let counts = gauge.row.0 == system.name() && gauge.from <= at && at < gauge.until;
            let node = nodes.node(touched).filter(|_| counts);
            if let Some(value) = node.and_then(|node| system.gauge(gauge.row.1, node)) {
                gauge.note((value, at, touched));
            }
        }
    }

    /// What was seen, by the id of the check.
    #[must_use]
    pub fn seen(&self) -> BTreeMap<String, Extremes> {
        let seen = self.gauges.iter();
        seen.map(|gauge| (gauge.check.clone(), gauge.seen.clone())).collect()
    }
}

impl Gauge {
    fn note(&mut self, seen: (u64, SimTime, NodeId)) {
        let (value, _, node) = seen;
        let Extremes { least, greatest, .. } = &mut self.seen;
        if least.is_none_or(|(least, ..)| value < least) {
            *least = Some(seen);
        }
        if greatest.is_none_or(|(greatest, ..)| value > greatest) {
            *greatest = Some(seen);
        }
        if (self.min..=self.max).contains(&value) {
            self.seen.out.remove(&node);
        } else if self.seen.out.insert(node) {
            self.seen.breaches += 1;
            self.seen.first_breach.get_or_insert(seen);
        }
    }
}

/// The interval that a check is about: its phase, or the whole run.
#[must_use]
pub fn span(plan: &Plan, check: &CheckPlan) -> (SimTime, SimTime) {
    let Some(SettingValue::Text(name)) = check.fields.0.get("in") else {
        return (SimTime::ZERO, SimTime::ZERO + plan.budget.sim_time);
    };
    let phase = plan.phases.iter().find(|phase| phase.name == *name);
    let phase = phase.expect("the compiler accepts phases of the scenario only");
    (phase.start, phase.end)
}

/// A limit that is a whole number: a count, bytes, nanoseconds.
#[must_use]
pub fn limit(check: &CheckPlan, name: &str) -> Option<u64> {
    match check.fields.0.get(name)? {
        SettingValue::Int(count) => Some(u64::try_from(*count).unwrap_or(0)),
        SettingValue::Bytes(bytes) => Some(*bytes),
        SettingValue::Duration(duration) => Some(duration.as_nanos()),
        _ => None,
    }
}
