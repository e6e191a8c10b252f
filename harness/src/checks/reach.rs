//! `reach`: after a moment, a gauge or a rate gets to where it has to be, in time.
//!
//! After the end of a fault this is the recovery time.

use super::measured::{AFTER, MAX, MIN, WITHIN, What, gauge_unit, shown, violation};
use super::{CheckKind, RunData};
use crate::measure::Wanted;
use crate::measure::extremes::limit;
use crate::measure::samples::{Sample, Schedule};
use catalog::{Kind, Property, SettingValue, Verdict};
use contract::SimTime;
use scenario::kinds::{Amounts, CheckRow, Field, FieldKind, Row, Source};
use scenario::plan::{CheckPlan, Plan};

/// Judges how soon.
pub struct Reach;

impl CheckKind for Reach {
    fn row(&self) -> CheckRow {
        const FIELDS: &[Field] = &[
            Field {
                name: "what",
                kind: FieldKind::Measured(&[Source::Gauge, Source::Event, Source::Ops]),
                about: "a gauge, which has to be there at every node that is up at one instant; or \
                        an event or operations, whose rate has to be there",
                default: "",
                required: true,
            },
            AFTER,
            WITHIN,
            Field {
                name: "window",
                kind: FieldKind::Plain(Kind::DURATION),
                about: "the length of the window that a rate is taken over",
                default: "1s",
                required: false,
            },
            MAX,
            MIN,
        ];
        CheckRow {
            limits: &["max", "min"],
            amounts: Amounts::RateUnlessGauge,
            ..CheckRow::of(Row {
                name: "reach",
                about: "a gauge or a rate gets to where it has to be in time",
                fields: FIELDS,
            })
        }
    }

    fn property(&self, _: &CheckPlan, _: &RunData<'_>) -> Property {
        Property {
            name: "reach",
            about: "after the moment it is in bounds before the time is over",
            source: "dijkstra-1974 §1",
        }
    }

    fn wanted(&self, check: &CheckPlan, plan: &Plan) -> Wanted {
        match What::of(plan, check, "what") {
            Some(What::Gauge(row)) => {
                let moment = check.fields.text("after");
                let within = check.fields.duration("within");
                let schedule = Schedule::After { moment, within };
                Wanted { samples: Some((row, schedule)), ..Wanted::default() }
            }
            Some(What::Event(row)) => Wanted { events: vec![row], ..Wanted::default() },
            _ => Wanted::default(),
        }
    }

    fn judge(&self, check: &CheckPlan, run: &RunData<'_>) -> Verdict {
        if let Some(missing) = run.marks_missing() {
            return missing;
        }
        let after = check.fields.text("after");
        let within = check.fields.duration("within");
        let Some(from) = run.moment(&after) else {
            return Verdict::Inconclusive(run.never_came(&after));
        };
        let until = from + within;
        let what = What::of(run.plan, check, "what").expect("the compiler knows it");
        let reached = match &what {
            What::Gauge(row) => of_gauge(check, run, until, gauge_unit(run, *row)),
            _ => of_rate(check, &run.times_of(&what, check), from, until.min(run.ended_at)),
        };
        let name = check.fields.text("what");
        let Err(seen) = reached else {
            return match seen_at_all(check, run, &what) {
                true => Verdict::Ok,
                false => Verdict::Inconclusive(format!("`{name}` never happened")),
            };
        };
        if run.ended_at < until {
            let over = run.ended_at.since(from).human();
            return Verdict::Inconclusive(format!("the run ended {over} after `{after}`: {seen}"));
        }
        let detail = format!(
            "{} after `{after}` (at {from}) `{name}` was not there: {seen}",
            within.human()
        );
        Verdict::Violated(vec![violation("reach", "not reached in time", until, None, detail)])
    }
}

/// Whether what is measured was there at all: a rate of at most so many of what never happens is
/// reached by any system. Of a gauge that was in bounds, some node had a value.
fn seen_at_all(check: &CheckPlan, run: &RunData<'_>, what: &What) -> bool {
    match what {
        What::Gauge(_) => true,
        _ => check.fields.has("min") || !run.times_of(what, check).is_empty(),
    }
}

/// Whether the gauge was in bounds at every node at one instant; what was last seen if not.
fn of_gauge(
    check: &CheckPlan,
    run: &RunData<'_>,
    until: SimTime,
    unit: &str,
) -> Result<(), String> {
    let (min, max) = (limit(check, "min").unwrap_or(0), limit(check, "max").unwrap_or(u64::MAX));
    let samples = &run.measured.samples[&check.id];
    let fits = |sample: &Sample| (min..=max).contains(&sample.value);
    let mut looks = samples.chunk_by(|a, b| a.at == b.at).filter(|look| look[0].at <= until);
    if looks.any(|look| look.iter().all(fits)) {
        return Ok(());
    }
    let last = samples.chunk_by(|a, b| a.at == b.at).rfind(|look| look[0].at <= until);
    let Some(last) = last else { return Err("no node had it".to_owned()) };
    let wrong = last.iter().filter(|sample| !fits(sample));
    let told = wrong.map(|s| format!("{} at {}", shown(s.value, unit), run.name(s.node)));
    Err(format!("at {} it was {}", last[0].at, told.collect::<Vec<_>>().join(", ")))
}

/// Whether the rate was in bounds in a window that began after `from` and ended by `until`; the
/// best there was if not.
fn of_rate(
    check: &CheckPlan,
    times: &[SimTime],
    from: SimTime,
    until: SimTime,
) -> Result<(), String> {
    let window = check.fields.duration("window");
    let fits = |count: u64| {
        let compare = |bound: &str| match check.fields.0.get(bound) {
            Some(SettingValue::Rate { count: allowed, per }) => {
                let have = u128::from(count) * u128::from(per.as_nanos());
                Some(have.cmp(&(u128::from(*allowed) * u128::from(window.as_nanos()))))
            }
            _ => None,
        };
        compare("max").is_none_or(core::cmp::Ordering::is_le)
            && compare("min").is_none_or(core::cmp::Ordering::is_ge)
    };
    let count = |at: SimTime| {
        let before = times.partition_point(|time| *time < at);
        (times.partition_point(|time| *time < at + window) - before) as u64
    };
    // The counts of windows change only where one begins with, just after, or ends with something.
    let edges = times.iter().flat_map(|at| [*at, *at + contract::Duration(1), *at - window]);
    let begins = std::iter::once(from).chain(edges).filter(|at| from <= *at);
    let begins: Vec<SimTime> = begins.filter(|at| *at + window <= until).collect();
    if begins.iter().any(|at| fits(count(*at))) {
        return Ok(());
    }
    let Some(most) = begins.iter().map(|at| count(*at)).max() else {
        return Err(format!("no window of {window} fits into the time"));
    };
    let least = begins.iter().map(|at| count(*at)).min().unwrap_or(most);
    Err(format!("every window of {window} had from {least} to {most} of them"))
}
