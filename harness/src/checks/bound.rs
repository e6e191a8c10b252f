//! `bound`: a gauge, or the value of an event, never leaves its bounds.

use super::measured::{IN, MAX, MIN, RECORDED, What, gauge_unit, shown, violation};
use super::{CheckKind, RunData};
use crate::measure::Wanted;
use crate::measure::extremes::limit;
use crate::measure::labels;
use catalog::{Property, Verdict};
use contract::{NodeId, SimTime};
use scenario::kinds::{CheckRow, Field, FieldKind, Row, Source};
use scenario::plan::{CheckPlan, Plan};

/// Judges a gauge after every event, or every mark of an event.
pub struct Bound;

const RULE: &str = "out of bounds";

impl CheckKind for Bound {
    fn row(&self) -> CheckRow {
        const WHAT: FieldKind = FieldKind::Measured(&[Source::Gauge, Source::Event]);
        const FIELDS: &[Field] = &[
            Field {
                name: "what",
                kind: WHAT,
                about: "a gauge, at every node after every event, or the value of every mark of \
                        an event",
                default: "",
                required: true,
            },
            MAX,
            MIN,
            IN,
            RECORDED,
        ];
        CheckRow {
            limits: &["max", "min"],
            ..CheckRow::of(Row {
                name: "bound",
                about: "a gauge or the value of an event stays in bounds",
                fields: FIELDS,
            })
        }
    }

    fn property(&self, _: &CheckPlan, _: &RunData<'_>) -> Property {
        Property {
            name: "bound",
            about: "the gauge, or the value of the event, is in bounds at every node at any time",
            source: "tigerstyle §safety",
        }
    }

    fn wanted(&self, check: &CheckPlan, plan: &Plan) -> Wanted {
        match What::of(plan, check, "what") {
            Some(What::Gauge(row)) => Wanted { extremes: Some(row), ..Wanted::default() },
            Some(What::Event(row)) => Wanted { events: vec![row], ..Wanted::default() },
            _ => Wanted::default(),
        }
    }

    fn judge(&self, check: &CheckPlan, run: &RunData<'_>) -> Verdict {
        let name = check.fields.text("what");
        let (min, max) = (limit(check, "min"), limit(check, "max"));
        let (seen, unit) = match What::of(run.plan, check, "what") {
            Some(What::Gauge(row)) => (of_gauge(check, run), gauge_unit(run, row)),
            Some(What::Event(row)) => {
                if let Some(missing) = run.marks_missing() {
                    return missing;
                }
                let unit = labels(run.plan, row).1;
                let marks = run.marks_of(row, check);
                (of_values(marks.map(|m| (m.mark.value, m.at, m.node)), min, max), unit)
            }
            _ => unreachable!("the compiler accepts gauges and events only"),
        };
        let Some((value, at, node)) = seen.first else {
            return if seen.any {
                Verdict::Ok
            } else {
                Verdict::Inconclusive(format!("`{name}` was never seen while it counted"))
            };
        };
        let (bound, limit) = match max.filter(|max| value > *max) {
            Some(max) => ("most", max),
            None => ("least", min.unwrap_or(0)),
        };
        let detail = format!(
            "`{name}` was {} at {} at {at}; {} is the {bound} that is allowed. It was out of \
             bounds {} times, the worst {}",
            shown(value, unit),
            run.name(node),
            shown(limit, unit),
            seen.times,
            shown(seen.worst, unit),
        );
        Verdict::Violated(vec![violation("bound", RULE, at, Some(node), detail)])
    }

    fn measured(&self, check: &CheckPlan, run: &RunData<'_>) -> String {
        let (ends, unit) = match What::of(run.plan, check, "what") {
            Some(What::Gauge(row)) => {
                let seen = &run.measured.extremes[&check.id];
                let ends = seen.least.zip(seen.greatest).map(|(least, most)| (least.0, most.0));
                (ends, gauge_unit(run, row))
            }
            Some(What::Event(row)) => {
                let values = || run.marks_of(row, check).map(|marked| marked.mark.value);
                (values().min().zip(values().max()), labels(run.plan, row).1)
            }
            _ => (None, ""),
        };
        ends.map_or_else(String::new, |(least, most)| {
            format!("{} to {}", shown(least, unit), shown(most, unit))
        })
    }
}

/// What was seen of values that must stay in bounds.
struct Seen {
    any: bool,
    first: Option<(u64, SimTime, NodeId)>,
    times: u64,
    worst: u64,
}

fn of_gauge(check: &CheckPlan, run: &RunData<'_>) -> Seen {
    let extremes = &run.measured.extremes[&check.id];
    let over = |value: u64| limit(check, "max").is_some_and(|max| value > max);
    let greatest = extremes.greatest.map_or(0, |(value, ..)| value);
    let least = extremes.least.map_or(0, |(value, ..)| value);
    Seen {
        any: extremes.least.is_some(),
        first: extremes.first_breach,
        times: extremes.breaches,
        worst: if over(greatest) { greatest } else { least },
    }
}

fn of_values(
    values: impl Iterator<Item = (u64, SimTime, NodeId)>,
    min: Option<u64>,
    max: Option<u64>,
) -> Seen {
    let mut seen = Seen { any: false, first: None, times: 0, worst: 0 };
    let (min, max) = (min.unwrap_or(0), max.unwrap_or(u64::MAX));
    // How far out of bounds the worst one is.
    let mut worst = 0;
    for (value, at, node) in values {
        seen.any = true;
        let off = value.saturating_sub(max).max(min.saturating_sub(value));
        if off > 0 {
            seen.first.get_or_insert((value, at, node));
            seen.times += 1;
            if off > worst {
                (worst, seen.worst) = (off, value);
            }
        }
    }
    seen
}
