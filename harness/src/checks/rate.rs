//! `rate`: how often something happens in any window of time.
//!
//! With `max` it bounds bursts. With `min` it bounds outages: at least one answer in every second
//! is an outage of less than a second, and in a phase after a fault it bounds the recovery time.

use super::measured::{COUNTED, IN, RECORDED, What, subject, violation};
use super::{CheckKind, Figure, RunData};
use crate::measure::Wanted;
use crate::measure::extremes::span;
use catalog::{Kind, Property, SettingValue, Verdict};
use contract::{Duration, SimTime};
use scenario::kinds::{Amounts, CheckRow, Field, FieldKind, Row};
use scenario::plan::{CheckPlan, Plan};

/// Judges every window of a given length.
pub struct Rate;

impl CheckKind for Rate {
    fn row(&self) -> CheckRow {
        const fn rate(name: &'static str, about: &'static str) -> Field {
            let kind = FieldKind::Plain(Kind::Rate);
            Field { name, kind, about, default: "", required: false }
        }
        const FIELDS: &[Field] = &[
            COUNTED,
            Field {
                name: "window",
                kind: FieldKind::Plain(Kind::DURATION),
                about: "the length of the windows; every one inside of the phase is judged",
                default: "1s",
                required: false,
            },
            rate("max", "the highest rate in any window: \"2_500/s\""),
            rate("min", "the lowest rate in any window: \"1/s\""),
            IN,
            RECORDED,
        ];
        CheckRow {
            limits: &["max", "min"],
            amounts: Amounts::Rate,
            ..CheckRow::of(Row {
                name: "rate",
                about: "how often something happens in any window of time",
                fields: FIELDS,
            })
        }
    }

    fn property(&self, _: &CheckPlan, _: &RunData<'_>) -> Property {
        Property {
            name: "rate",
            about: "in every window of the given length the rate is in bounds",
            source: "tigerstyle §safety",
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
        if let Some(nothing) = run.nothing_to_count(&what, check) {
            return nothing;
        }
        let times = run.times_of(&what, check);
        if times.is_empty() && !check.fields.has("min") && !run.was_seen(&what) {
            return Verdict::Inconclusive(format!("`{name}` never happened"));
        }
        let window = check.fields.duration("window");
        let windows = windows(&times, check, run);
        let fits = |count: u64, bound: &str| match check.fields.0.get(bound) {
            Some(SettingValue::Rate { count: allowed, per }) => {
                let have = u128::from(count) * u128::from(per.as_nanos());
                let allowed = u128::from(*allowed) * u128::from(window.as_nanos());
                if bound == "max" { have <= allowed } else { have >= allowed }
            }
            _ => true,
        };
        let told = |(count, at): (u64, SimTime), most: &str, bound: &str| {
            let Some(SettingValue::Rate { count: allowed, per }) = check.fields.0.get(bound) else {
                unreachable!("only a bound that was given is broken")
            };
            let detail = format!(
                "`{name}` happened {count} times in the {window} from {at} on; {allowed} per {per} \
                 is the {most} that is allowed"
            );
            let rule = if bound == "max" { "too often" } else { "too seldom" };
            Verdict::Violated(vec![violation("rate", rule, at, None, detail)])
        };
        let busiest = windows.busiest();
        if !fits(busiest.0, "max") {
            return told(busiest, "most", "max");
        }
        match windows.quietest() {
            None if check.fields.has("min") => {
                Verdict::Inconclusive(format!("no window of {window} fits into the phase"))
            }
            Some(quietest) if !fits(quietest.0, "min") => told(quietest, "least", "min"),
            _ => Verdict::Ok,
        }
    }

    fn measured(&self, check: &CheckPlan, run: &RunData<'_>) -> String {
        let what = subject(run.plan, check);
        let times = run.times_of(&what, check);
        let window = check.fields.duration("window");
        let windows = windows(&times, check, run);
        match windows.quietest() {
            Some((least, _)) => format!("{least} to {} in {window}", windows.busiest().0),
            None => String::new(),
        }
    }

    fn figures(&self, check: &CheckPlan, run: &RunData<'_>) -> Vec<Figure> {
        let what = What::of(run.plan, check, "what").expect("the compiler knows it");
        let times = run.times_of(&what, check);
        let window = check.fields.duration("window");
        let (from, until) = span(run.plan, check);
        let windows = Windows { times: &times, window, from, until: until.min(run.ended_at) };
        let figure = |bound: &'static str, measured: u64| {
            let Some(SettingValue::Rate { count, per }) = check.fields.0.get(bound) else {
                return None;
            };
            let allowed = u128::from(*count) * u128::from(window.as_nanos());
            let allowed = u64::try_from(allowed / u128::from(per.as_nanos())).unwrap_or(u64::MAX);
            Some(Figure { bound, measured, allowed, is_most: bound == "max" })
        };
        let most = figure("max", windows.busiest().0);
        let least = windows.quietest().and_then(|(least, _)| figure("min", least));
        most.into_iter().chain(least).collect()
    }
}

/// All windows of one length, half-open.
struct Windows<'a> {
    times: &'a [SimTime],
    window: Duration,
    from: SimTime,
    until: SimTime,
}

/// The windows that `check` judges.
fn windows<'a>(times: &'a [SimTime], check: &CheckPlan, run: &RunData<'_>) -> Windows<'a> {
    let (from, until) = span(run.plan, check);
    let until = until.min(run.ended_at);
    Windows { times, window: check.fields.duration("window"), from, until }
}

impl Windows<'_> {
    /// How often in the fullest window, and when that begins. The fullest begins with something.
    fn busiest(&self) -> (u64, SimTime) {
        let begins = self.times.iter().enumerate();
        let counted = begins.map(|(first, at)| (self.count(first, *at), *at));
        counted.rev().max_by_key(|(count, _)| *count).unwrap_or((0, self.from))
    }

    /// How often in the emptiest window, and when that begins; `None` when none fits. The emptiest
    /// begins with the phase or just after something.
    fn quietest(&self) -> Option<(u64, SimTime)> {
        let after = self.times.iter().enumerate().map(|(i, at)| (i + 1, *at + Duration(1)));
        let begins = std::iter::once((0, self.from)).chain(after);
        let fits = |at: SimTime| self.from <= at && at + self.window <= self.until;
        let fitting = begins.filter(|(_, at)| fits(*at));
        let counted = fitting.map(|(first, at)| (self.count(first, at), at));
        counted.min_by_key(|(count, _)| *count)
    }

    /// How many of `times[first..]` lie in the window that begins at `at`.
    fn count(&self, first: usize, at: SimTime) -> u64 {
        let end = at + self.window;
        let before = self.times[first..].partition_point(|time| *time < at);
        let until = self.times[first..].partition_point(|time| *time < end);
        (until - before) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_window_is_looked_at() {
        let times: Vec<SimTime> = [10, 20, 21, 22, 50].map(SimTime).to_vec();
        let windows =
            Windows { times: &times, window: Duration(10), from: SimTime(0), until: SimTime(70) };
        assert_eq!(windows.busiest(), (3, SimTime(20)));
        assert_eq!(windows.quietest(), Some((0, SimTime(0))), "nothing in [0, 10)");
        let later = Windows { from: SimTime(15), until: SimTime(31), ..windows };
        assert_eq!(later.quietest(), Some((2, SimTime(21))), "[21, 31) holds 21 and 22");
        let short = Windows { until: SimTime(20), ..later };
        assert_eq!(short.quietest(), None);
    }
}
