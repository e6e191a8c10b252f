//! `quantile`: how large most values are: latencies of operations, values of an event.

use super::measured::{IN, RECORDED, What, shown, subject, violation, violation_of_ops};
use super::{CheckKind, Figure, RunData};
use crate::measure::Wanted;
use crate::measure::extremes::{limit, span};
use crate::measure::labels;
use catalog::{Kind, Property, SettingValue, Verdict};
use contract::{NodeId, OpId, Outcome, SimTime};
use scenario::kinds::{CheckRow, Field, FieldKind, Row, Source};
use scenario::plan::{CheckPlan, Plan};

/// Judges quantiles by nearest rank.
pub struct Quantile;

/// The quantiles that may be bounded, in thousandths.
pub const QUANTILES: [(&str, u64); 6] =
    [("p50", 500), ("p90", 900), ("p95", 950), ("p99", 990), ("p999", 999), ("max", 1000)];

impl CheckKind for Quantile {
    fn row(&self) -> CheckRow {
        const fn bound(name: &'static str, about: &'static str) -> Field {
            Field { name, kind: FieldKind::Amount, about, default: "", required: false }
        }
        const FIELDS: &[Field] = &[
            Field {
                name: "what",
                kind: FieldKind::Measured(&[Source::Latency, Source::Event]),
                about: "`clients.C.latency`, from arrival to answer with waiting and retries, or \
                        an event by its value",
                default: "",
                required: true,
            },
            bound("p50", "the most that half of the values may be"),
            bound("p90", "the most that 90% of the values may be"),
            bound("p95", "the most that 95% of the values may be"),
            bound("p99", "the most that 99% of the values may be"),
            bound("p999", "the most that 99.9% of the values may be"),
            bound("max", "the most that any value may be"),
            Field {
                name: "within",
                kind: FieldKind::Plain(Kind::Ratio),
                about: "with it the quantiles must be as large as those given, give or take this \
                        share of them",
                default: "",
                required: false,
            },
            IN,
            RECORDED,
        ];
        CheckRow {
            limits: &["p50", "p90", "p95", "p99", "p999", "max"],
            ..CheckRow::of(Row {
                name: "quantile",
                about: "how large most latencies or values are",
                fields: FIELDS,
            })
        }
    }

    fn property(&self, _: &CheckPlan, _: &RunData<'_>) -> Property {
        Property {
            name: "quantile",
            about: "the quantiles, by nearest rank, are as large as allowed",
            source: "hyndman-fan-1996 §2",
        }
    }

    fn wanted(&self, check: &CheckPlan, plan: &Plan) -> Wanted {
        What::marks(plan, check, &["what"])
    }

    fn judge(&self, check: &CheckPlan, run: &RunData<'_>) -> Verdict {
        let (name, what) = match run.subject(check) {
            Ok(subject) => subject,
            Err(missing) => return missing,
        };
        let (mut seen, unit) = values(&what, check, run);
        seen.sort_unstable_by_key(|seen| (seen.value, seen.at));
        let count = seen.len() as u64;
        if count == 0 {
            return Verdict::Inconclusive(format!("`{name}` has no value while it counts"));
        }
        let mut broken = Vec::new();
        for (quantile, permille) in QUANTILES {
            let Some(allowed) = limit(check, quantile) else { continue };
            let found = &seen[nearest_rank(count, permille) as usize];
            let band = Band::of(check, allowed);
            let Some(rule) = band.broken_by(found.value) else { continue };
            let detail = format!(
                "{quantile} of `{name}` over {count} values is {}; {} is {}",
                shown(found.value, unit),
                shown(allowed, unit),
                band.told,
            );
            broken.push(match found.by {
                By::Op(op) => violation_of_ops("quantile", rule, found.at, vec![op], detail),
                By::Node(node) => violation("quantile", rule, found.at, Some(node), detail),
            });
        }
        if broken.is_empty() { Verdict::Ok } else { Verdict::Violated(broken) }
    }

    fn measured(&self, check: &CheckPlan, run: &RunData<'_>) -> String {
        let what = subject(run.plan, check);
        let (mut seen, unit) = values(&what, check, run);
        if seen.is_empty() {
            return String::new();
        }
        seen.sort_unstable_by_key(|seen| seen.value);
        let given = QUANTILES.iter().filter(|(quantile, _)| limit(check, quantile).is_some());
        let told = given.map(|(quantile, permille)| {
            let found = &seen[nearest_rank(seen.len() as u64, *permille) as usize];
            format!("{quantile} {}", shown(found.value, unit))
        });
        told.collect::<Vec<_>>().join(", ")
    }

    fn figures(&self, check: &CheckPlan, run: &RunData<'_>) -> Vec<Figure> {
        // What has to lie in a band is compared with a record, not bounded.
        if check.fields.0.contains_key("within") {
            return Vec::new();
        }
        let what = What::of(run.plan, check, "what").expect("the compiler knows it");
        let mut seen: Vec<u64> =
            values(&what, check, run).0.iter().map(|seen| seen.value).collect();
        if seen.is_empty() {
            return Vec::new();
        }
        seen.sort_unstable();
        let figure = |(bound, permille): &(&'static str, u64)| {
            let allowed = limit(check, bound)?;
            let measured = seen[nearest_rank(seen.len() as u64, *permille) as usize];
            Some(Figure { bound, measured, allowed, is_most: true })
        };
        QUANTILES.iter().filter_map(figure).collect()
    }
}

/// Where a quantile has to lie.
struct Band {
    least: u64,
    most: u64,
    /// What the limit is: `allowed`.
    told: String,
}

impl Band {
    fn of(check: &CheckPlan, limit: u64) -> Self {
        let Some(SettingValue::Ratio(within)) = check.fields.0.get("within") else {
            return Self { least: 0, most: limit, told: "allowed".to_owned() };
        };
        let part = u128::from(limit) * u128::from(within.numerator);
        let part = u64::try_from(part / u128::from(within.denominator)).unwrap_or(u64::MAX);
        let told = format!("asked for, give or take {}%", f64::from(within.ppm()) / 1e4);
        Self { least: limit.saturating_sub(part), most: limit.saturating_add(part), told }
    }

    /// The rule that a value breaks.
    fn broken_by(&self, value: u64) -> Option<&'static str> {
        match value {
            value if value > self.most => Some("quantile too large"),
            value if value < self.least => Some("quantile too small"),
            _ => None,
        }
    }
}

/// One value, when it showed and at whom.
struct Seen {
    value: u64,
    at: SimTime,
    by: By,
}

enum By {
    Op(OpId),
    Node(NodeId),
}

fn values(what: &What, check: &CheckPlan, run: &RunData<'_>) -> (Vec<Seen>, &'static str) {
    match what {
        What::Latency { clients } => {
            let (from, until) = span(run.plan, check);
            let counts = |at: SimTime| from <= at && at < until;
            let answered = |op: &&contract::Op| matches!(op.outcome, Outcome::Ok(_));
            let ops = run.ops_of(clients).filter(answered).filter(|op| counts(op.arrived_at));
            let seen = ops.map(|op| Seen {
                value: op.ret_at.since(op.arrived_at).as_nanos(),
                at: op.ret_at,
                by: By::Op(op.id),
            });
            (seen.collect(), "ns")
        }
        What::Event(row) => {
            let marks = run.marks_of(*row, check);
            let seen = marks.map(|marked| Seen {
                value: marked.mark.value,
                at: marked.at,
                by: By::Node(marked.node),
            });
            (seen.collect(), labels(run.plan, *row).1)
        }
        What::Gauge(_) | What::Ops { .. } => {
            unreachable!("the compiler accepts latencies and events only")
        }
    }
}

/// The position of a quantile among `count` sorted values: the least value that is no smaller than
/// `permille` thousandths of them.
#[must_use]
pub fn nearest_rank(count: u64, permille: u64) -> u64 {
    assert!(count > 0, "nothing has no quantile");
    assert!(permille <= 1000, "a quantile is a share");
    let rank = (u128::from(count) * u128::from(permille)).div_ceil(1000).max(1);
    rank as u64 - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_exact() {
        let check = |count, permille, expect| assert_eq!(nearest_rank(count, permille), expect);
        check(1, 500, 0);
        check(2, 500, 0);
        check(3, 500, 1);
        check(100, 990, 98);
        check(101, 990, 99);
        check(1_000, 999, 998);
        check(1_001, 999, 999);
        check(7, 1000, 6);
        check(u64::MAX, 1000, u64::MAX - 1);
    }
}
