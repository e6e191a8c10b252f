//! `slope`: a gauge does not grow, and if it does, what grew beside it.

use super::measured::{IN, What, gauge_unit, shown, violation};
use super::{CheckKind, RunData};
use crate::measure::extremes::{limit, span};
use crate::measure::samples::{Sample, Schedule};
use crate::measure::{RowOf, Wanted};
use catalog::{Kind, Property, Verdict};
use contract::{Duration, NodeId, Outcome, SimTime};
use scenario::kinds::{CheckRow, Field, FieldKind, Row, Source};
use scenario::plan::{CheckPlan, Plan};

/// Judges the trend of a gauge at each node.
pub struct Slope;

/// A phase is looked at so often.
const SAMPLES: u64 = 200;

/// Fewer samples of a node are no trend.
const SAMPLES_MIN: usize = 8;

/// Looking more often than the runner does is of no use.
const EVERY_MIN: Duration = Duration::from_millis(10);

impl CheckKind for Slope {
    fn row(&self) -> CheckRow {
        const FIELDS: &[Field] = &[
            Field {
                name: "what",
                kind: FieldKind::Measured(&[Source::Gauge]),
                about: "a gauge, looked at 200 times in the phase and at most every 10ms",
                default: "",
                required: true,
            },
            Field {
                name: "per",
                kind: FieldKind::Plain(Kind::Choice(&["second", "op"])),
                about: "what `max` is per: simulated seconds, or answered operations of all clients",
                default: "second",
                required: false,
            },
            Field {
                name: "max",
                kind: FieldKind::Amount,
                about: "how much it may grow per second or operation",
                default: "0",
                required: false,
            },
            Field {
                name: "tolerance",
                kind: FieldKind::Amount,
                about: "how much more it may grow over the whole phase",
                default: "0",
                required: false,
            },
            IN,
        ];
        CheckRow::of(Row {
            name: "slope",
            about: "a gauge does not grow over a phase",
            fields: FIELDS,
        })
    }

    fn property(&self, _: &CheckPlan, _: &RunData<'_>) -> Property {
        Property {
            name: "slope",
            about: "the median slope of the gauge at each node is no steeper than allowed",
            source: "sen-1968 §1",
        }
    }

    fn wanted(&self, check: &CheckPlan, plan: &Plan) -> Wanted {
        let Some(What::Gauge(row)) = What::of(plan, check, "what") else {
            return Wanted::default();
        };
        let (from, until) = span(plan, check);
        let every = Duration(until.since(from).as_nanos() / SAMPLES).max(EVERY_MIN);
        let schedule = Schedule::Every { from, until, every };
        Wanted { samples: Some((row, schedule)), ..Wanted::default() }
    }

    fn judge(&self, check: &CheckPlan, run: &RunData<'_>) -> Verdict {
        let Some(What::Gauge(row)) = What::of(run.plan, check, "what") else {
            unreachable!("the compiler accepts gauges only")
        };
        let samples = &run.measured.samples[&check.id];
        let mut nodes: Vec<NodeId> = samples.iter().map(|sample| sample.node).collect();
        nodes.sort_unstable();
        nodes.dedup();
        let mut judged = 0;
        let mut broken = Vec::new();
        for node in nodes {
            let points = points(samples, node, row.1);
            if points.len() < SAMPLES_MIN {
                continue;
            }
            judged += 1;
            let Some(growth) = Growth::of(&points).filter(|growth| growth.is_over(check, run))
            else {
                continue;
            };
            let at = points.last().expect("there are points").0;
            let detail = told(check, run, row, node, &growth, samples);
            broken.push(violation("slope", "grows", at, Some(node), detail));
        }
        if !broken.is_empty() {
            return Verdict::Violated(broken);
        }
        if judged == 0 {
            let name = check.fields.text("what");
            return Verdict::Inconclusive(format!("`{name}` was seen too seldom for a trend"));
        }
        Verdict::Ok
    }
}

/// The values of one gauge at one node.
fn points(samples: &[Sample], node: NodeId, row: usize) -> Vec<(SimTime, u64)> {
    let mine = samples.iter().filter(|sample| sample.node == node && sample.row == row);
    mine.map(|sample| (sample.at, sample.value)).collect()
}

/// The trend of a gauge: `rise` in `run_ns`, and between which instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Growth {
    rise: i128,
    run_ns: i128,
    from: SimTime,
    until: SimTime,
}

impl Growth {
    /// The median of the slopes between any two points (Theil and Sen): a fraction, and up to
    /// 29% of the points may be anything.
    fn of(points: &[(SimTime, u64)]) -> Option<Self> {
        let mut slopes: Vec<(i128, i128)> = Vec::new();
        for (position, (at, value)) in points.iter().enumerate() {
            for (later, next) in &points[position + 1..] {
                let run_ns = i128::from(later.since(*at).as_nanos());
                if run_ns > 0 {
                    slopes.push((i128::from(*next) - i128::from(*value), run_ns));
                }
            }
        }
        slopes.sort_unstable_by(|(a, b), (c, d)| (a * d).cmp(&(c * b)));
        let (rise, run_ns) = *slopes.get(slopes.len().checked_sub(1)? / 2)?;
        Some(Self { rise, run_ns, from: points.first()?.0, until: points.last()?.0 })
    }

    /// How much it grew from its first to its last sample, along the trend, rounded down.
    fn total(&self) -> i128 {
        let length = i128::from(self.until.since(self.from).as_nanos());
        (self.rise * length).div_euclid(self.run_ns)
    }

    /// Whether that is more than `check` allows.
    fn is_over(&self, check: &CheckPlan, run: &RunData<'_>) -> bool {
        let length = i128::from(self.until.since(self.from).as_nanos());
        let max = i128::from(limit(check, "max").unwrap_or(0));
        let tolerance = i128::from(limit(check, "tolerance").unwrap_or(0));
        let (units, per) = match check.fields.choice("per") {
            "op" => (i128::from(self.ops(run)), 1),
            _ => (length, 1_000_000_000),
        };
        // rise / run · length > max · units / per + tolerance, in whole numbers.
        self.rise * length * per > (max * units + tolerance * per) * self.run_ns
    }

    /// Operations that were answered meanwhile.
    fn ops(&self, run: &RunData<'_>) -> u64 {
        let meanwhile = |at: SimTime| self.from <= at && at <= self.until;
        let answered = |op: &&contract::Op| matches!(op.outcome, Outcome::Ok(_));
        run.ops.iter().filter(answered).filter(|op| meanwhile(op.ret_at)).count() as u64
    }
}

/// At most so many other gauges are named.
const BESIDE_MAX: usize = 4;

fn told(
    check: &CheckPlan,
    run: &RunData<'_>,
    row: RowOf,
    node: NodeId,
    growth: &Growth,
    samples: &[Sample],
) -> String {
    let name = check.fields.text("what");
    let unit = gauge_unit(run, row);
    let amount = |total: i128, unit| shown(u64::try_from(total).unwrap_or(0), unit);
    let mut text = format!(
        "`{name}` grew at {} by {} from {} to {}, over {} answered operations",
        run.name(node),
        amount(growth.total(), unit),
        growth.from,
        growth.until,
        growth.ops(run),
    );
    let gauges = run.roster.group_of(node).plan.system.gauges();
    let others = (0..gauges.len()).filter(|other| *other != row.1);
    let mut beside: Vec<(i128, usize)> = others
        .filter_map(|other| Some((Growth::of(&points(samples, node, other))?.total(), other)))
        .filter(|(total, _)| *total > 0)
        .collect();
    beside.sort_unstable_by_key(|(total, row)| (-total, *row));
    beside.truncate(BESIDE_MAX);
    let beside = beside.iter().map(|(total, row)| {
        format!("`{}` by {}", gauges[*row].name, amount(*total, gauges[*row].unit))
    });
    let beside: Vec<String> = beside.collect();
    if beside.is_empty() {
        text.push_str("; no other gauge of that node grew");
    } else {
        text.push_str(&format!("; beside it grew {}", beside.join(", ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn growth(values: &[u64]) -> Growth {
        let points = values.iter().enumerate();
        let points: Vec<_> = points
            .map(|(second, value)| (SimTime(second as u64 * 1_000_000_000), *value))
            .collect();
        Growth::of(&points).expect("there are points")
    }

    #[test]
    fn the_median_slope_is_exact_and_ignores_outliers() {
        assert_eq!(growth(&[5; 10]).total(), 0);
        assert_eq!(growth(&[0, 3, 6, 9, 12, 15]).total(), 15);
        assert_eq!(growth(&[0, 3, 900, 9, 12, 15]).total(), 15);
        assert_eq!(growth(&[50, 40, 30, 20]).total(), -30);
        assert_eq!(growth(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 90]).total(), 0, "one jump is no trend");
    }
}
