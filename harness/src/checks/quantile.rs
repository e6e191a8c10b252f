//! `quantile`: how large most values are: latencies of operations, values of an event.

use super::measured::{IN, What, shown, violation, violation_of_ops};
use super::{CheckKind, RunData};
use crate::measure::Wanted;
use crate::measure::extremes::{limit, span};
use crate::measure::labels;
use crate::scenario::plan::{CheckPlan, Plan};
use crate::table::{Field, FieldKind, Row, Source};
use contract::{NodeId, OpId, Outcome, Property, SimTime, Verdict};

/// Judges quantiles by nearest rank.
pub struct Quantile;

/// The quantiles that may be bounded, in thousandths.
pub const QUANTILES: [(&str, u64); 6] =
    [("p50", 500), ("p90", 900), ("p95", 950), ("p99", 990), ("p999", 999), ("max", 1000)];

impl CheckKind for Quantile {
    fn row(&self) -> Row {
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
            IN,
        ];
        Row { name: "quantile", about: "how large most latencies or values are", fields: FIELDS }
    }

    fn property(&self, _: &CheckPlan, _: &RunData<'_>) -> Property {
        Property {
            name: "quantile",
            about: "the quantiles, by nearest rank, are no larger than allowed",
            source: "hyndman-fan-1996 §2",
        }
    }

    fn wanted(&self, check: &CheckPlan, plan: &Plan) -> Wanted {
        let event = What::of(plan, check, "what").and_then(|what| what.event());
        Wanted { events: event.into_iter().collect(), ..Wanted::default() }
    }

    fn judge(&self, check: &CheckPlan, run: &RunData<'_>) -> Verdict {
        if let Some(missing) = run.marks_missing() {
            return missing;
        }
        let name = check.fields.text("what");
        let what = What::of(run.plan, check, "what").expect("the compiler knows it");
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
            if found.value > allowed {
                let detail = format!(
                    "{quantile} of `{name}` over {count} values is {}; {} is allowed",
                    shown(found.value, unit),
                    shown(allowed, unit),
                );
                let rule = "quantile too large";
                broken.push(match found.by {
                    By::Op(op) => violation_of_ops("quantile", rule, found.at, vec![op], detail),
                    By::Node(node) => violation("quantile", rule, found.at, Some(node), detail),
                });
            }
        }
        if broken.is_empty() { Verdict::Ok } else { Verdict::Violated(broken) }
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
