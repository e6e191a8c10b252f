//! `final`: what a gauge is at one moment, at every node.

use super::measured::{MAX, MIN, What, gauge_unit, shown, violation};
use super::{CheckKind, RunData};
use crate::measure::Wanted;
use crate::measure::extremes::limit;
use crate::measure::samples::Schedule;
use catalog::{Property, Verdict};
use scenario::kinds::{CheckRow, Field, FieldKind, Row, Source};
use scenario::plan::{CheckPlan, Plan};

/// Judges a gauge at one moment.
pub struct Final;

impl CheckKind for Final {
    fn row(&self) -> CheckRow {
        const FIELDS: &[Field] = &[
            Field {
                name: "what",
                kind: FieldKind::Measured(&[Source::Gauge]),
                about: "a gauge, at every node that is up",
                default: "",
                required: true,
            },
            Field {
                name: "at",
                kind: FieldKind::Moment,
                about: "when: `PHASE.end`, `fault.ID.end`, or a time",
                default: "",
                required: true,
            },
            Field {
                name: "equals",
                kind: FieldKind::Amount,
                about: "exactly this",
                default: "",
                required: false,
            },
            MAX,
            MIN,
        ];
        CheckRow {
            limits: &["equals", "max", "min"],
            ..CheckRow::of(Row { name: "final", about: "a gauge at one moment", fields: FIELDS })
        }
    }

    fn property(&self, _: &CheckPlan, _: &RunData<'_>) -> Property {
        Property {
            name: "final",
            about: "at the moment the gauge is what it has to be at every node",
            source: "dijkstra-1974 §1",
        }
    }

    fn wanted(&self, check: &CheckPlan, plan: &Plan) -> Wanted {
        let Some(What::Gauge(row)) = What::of(plan, check, "what") else {
            return Wanted::default();
        };
        let schedule = Schedule::Once { at: check.fields.text("at") };
        Wanted { samples: Some((row, schedule)), ..Wanted::default() }
    }

    fn judge(&self, check: &CheckPlan, run: &RunData<'_>) -> Verdict {
        let (name, at) = (check.fields.text("what"), check.fields.text("at"));
        let Some(What::Gauge(row)) = What::of(run.plan, check, "what") else {
            unreachable!("the compiler accepts gauges only")
        };
        let Some(moment) = run.moment(&at).filter(|moment| *moment <= run.ended_at) else {
            return Verdict::Inconclusive(run.never_came(&at));
        };
        let samples = &run.measured.samples[&check.id];
        if samples.is_empty() {
            return Verdict::Inconclusive(format!("no node had `{name}` at {moment}"));
        }
        let unit = gauge_unit(run, row);
        let exactly = limit(check, "equals");
        let least = exactly.or_else(|| limit(check, "min")).unwrap_or(0);
        let most = exactly.or_else(|| limit(check, "max")).unwrap_or(u64::MAX);
        let wrong = samples.iter().filter(|sample| !(least..=most).contains(&sample.value));
        let broken = wrong.map(|sample| {
            let allowed = match (exactly, sample.value > most) {
                (Some(exactly), _) => shown(exactly, unit),
                (None, true) => format!("at most {}", shown(most, unit)),
                (None, false) => format!("at least {}", shown(least, unit)),
            };
            let detail = format!(
                "`{name}` was {} at {} at {}; it has to be {allowed}",
                shown(sample.value, unit),
                run.name(sample.node),
                sample.at,
            );
            violation("final", "not what it has to be", sample.at, Some(sample.node), detail)
        });
        let broken: Vec<_> = broken.collect();
        if broken.is_empty() { Verdict::Ok } else { Verdict::Violated(broken) }
    }
}
