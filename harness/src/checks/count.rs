//! `count`: how often something happened, as such, per group, or per something else that happened.
//!
//! Load amplification is what clients cause behind the door per operation; availability the share
//! of operations that were answered; a hit ratio the share of hits.

use super::measured::{COUNTED, IN, MAX, MIN, What, violation};
use super::{CheckKind, Figure, RunData};
use crate::measure::{Marked, Wanted, labels};
use catalog::{Property, SettingValue, Verdict};
use contract::{NodeId, Ratio, SimTime};
use scenario::kinds::{Amounts, CheckRow, Field, FieldKind, Row, Source};
use scenario::plan::{CheckPlan, Plan};
use std::collections::BTreeMap;

/// Counts marks and operations.
pub struct Count;

const WHAT: FieldKind = FieldKind::Measured(&[Source::Event, Source::Ops]);

const FIELDS: &[Field] = &[
    COUNTED,
    Field {
        name: "per",
        kind: WHAT,
        about: "what it is divided by; `max` and `min` are then a share or a factor: \"5%\", 2",
        default: "",
        required: false,
    },
    Field {
        name: "group",
        kind: FieldKind::Labels("what"),
        about: "labels of the event, or `node`: each combination is counted on its own",
        default: "",
        required: false,
    },
    MAX,
    MIN,
    IN,
];

impl CheckKind for Count {
    fn row(&self) -> CheckRow {
        CheckRow {
            limits: &["max", "min"],
            amounts: Amounts::Count,
            ..CheckRow::of(Row {
                name: "count",
                about: "how often something happened, as such or per something else",
                fields: FIELDS,
            })
        }
    }

    fn property(&self, _: &CheckPlan, _: &RunData<'_>) -> Property {
        Property {
            name: "count",
            about: "it happened no more often, and no more seldom, than allowed",
            source: "tigerstyle §safety",
        }
    }

    fn wanted(&self, check: &CheckPlan, plan: &Plan) -> Wanted {
        What::marks(plan, check, &["what", "per"])
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
        let Some(per) = What::of(run.plan, check, "per") else {
            return match (&what, group(check)) {
                (What::Event(row), Some(group)) => {
                    let labels = labels(run.plan, *row).0;
                    let marks: Vec<&Marked> = run.marks_of(*row, check).collect();
                    by_group(check, run, &Group { labels, group }, &marks)
                }
                _ => alone(check, &name, &times),
            };
        };
        let divisor = run.times_of(&per, check).len() as u64;
        let per = check.fields.text("per");
        if divisor == 0 {
            return Verdict::Inconclusive(format!("`{per}` never happened: nothing to divide by"));
        }
        let count = times.len() as u64;
        let too = |bound: &str| {
            let limit = check.fields.0.get(bound)?;
            let (num, den) = factor(limit);
            // count / divisor against num / den, in whole numbers.
            let (have, allowed) =
                (u128::from(count) * u128::from(den), u128::from(divisor) * u128::from(num));
            let is_broken = if bound == "max" { have > allowed } else { have < allowed };
            is_broken.then(|| {
                format!(
                    "{count} of `{name}` for {divisor} of `{per}` are {}; {} is the {} that is \
                     allowed",
                    share(count, divisor),
                    share(num, den),
                    if bound == "max" { "most" } else { "least" },
                )
            })
        };
        let Some(detail) = too("max").or_else(|| too("min")) else { return Verdict::Ok };
        let at = times.last().copied().unwrap_or(run.ended_at);
        Verdict::Violated(vec![violation("count", "share out of bounds", at, None, detail)])
    }

    fn figures(&self, check: &CheckPlan, run: &RunData<'_>) -> Vec<Figure> {
        let Some(per) = What::of(run.plan, check, "per") else { return Vec::new() };
        let what = What::of(run.plan, check, "what").expect("the compiler knows it");
        let count = run.times_of(&what, check).len() as u64;
        let divisor = run.times_of(&per, check).len() as u64;
        if divisor == 0 {
            return Vec::new();
        }
        let ppm = |num: u64, den: u64| {
            u64::try_from(u128::from(num) * 1_000_000 / u128::from(den)).unwrap_or(u64::MAX)
        };
        let figure = |bound: &'static str| {
            let (num, den) = factor(check.fields.0.get(bound)?);
            let (measured, allowed) = (ppm(count, divisor), ppm(num, den));
            Some(Figure { bound, measured, allowed, is_most: bound == "max" })
        };
        ["max", "min"].into_iter().filter_map(figure).collect()
    }
}

/// The labels to group by.
fn group(check: &CheckPlan) -> Option<Vec<String>> {
    let Some(SettingValue::List(items)) = check.fields.0.get("group") else { return None };
    let names = items.iter().filter_map(|item| match item {
        SettingValue::Text(name) => Some(name.clone()),
        _ => None,
    });
    Some(names.collect())
}

/// A count without a group, against `max` and `min`.
fn alone(check: &CheckPlan, name: &str, times: &[SimTime]) -> Verdict {
    let count = times.len() as u64;
    let allowed = |bound: &str| Some(whole(check.fields.0.get(bound)?));
    let (at, detail) = match (allowed("max"), allowed("min")) {
        (Some(max), _) if count > max => {
            // The one that was too many.
            let at = times[max as usize];
            (at, format!("`{name}` happened {count} times, at {at} once too often: at most {max}"))
        }
        (_, Some(min)) if count < min => {
            let at = times.last().copied().unwrap_or(SimTime::ZERO);
            (at, format!("`{name}` happened {count} times: at least {min} are asked for"))
        }
        _ => return Verdict::Ok,
    };
    Verdict::Violated(vec![violation("count", "count out of bounds", at, None, detail)])
}

/// How marks are put into groups.
struct Group {
    labels: &'static [&'static str],
    group: Vec<String>,
}

impl Group {
    fn key(&self, marked: &Marked) -> Vec<u64> {
        let value = |name: &String| {
            let position = self.labels.iter().position(|label| label == name);
            position.map_or(u64::from(marked.node.0), |position| marked.mark.labels[position])
        };
        self.group.iter().map(value).collect()
    }

    /// `key 7, node h/1`.
    fn told(&self, key: &[u64], run: &RunData<'_>) -> String {
        let part = |(name, value): (&String, &u64)| {
            if self.labels.contains(&name.as_str()) {
                return format!("{name} {value}");
            }
            format!("node {}", run.name(NodeId(*value as u32)))
        };
        let parts: Vec<String> = self.group.iter().zip(key).map(part).collect();
        parts.join(", ")
    }
}

/// At most so many groups out of bounds are told.
const TOLD_MAX: usize = 20;

fn by_group(check: &CheckPlan, run: &RunData<'_>, group: &Group, marks: &[&Marked]) -> Verdict {
    let name = check.fields.text("what");
    let mut found: BTreeMap<Vec<u64>, Vec<&Marked>> = BTreeMap::new();
    for marked in marks {
        found.entry(group.key(marked)).or_default().push(marked);
    }
    if found.is_empty() {
        return Verdict::Inconclusive(format!("`{name}` never happened, so there is no group"));
    }
    let max = check.fields.0.get("max").map_or(u64::MAX, whole);
    let min = check.fields.0.get("min").map_or(0, whole);
    let mut broken = Vec::new();
    for (key, marks) in &found {
        let count = marks.len() as u64;
        if (min..=max).contains(&count) {
            continue;
        }
        let last = marks.get(max as usize).or(marks.last()).expect("a group has a mark");
        let allowed =
            if count > max { format!("at most {max}") } else { format!("at least {min}") };
        let detail = format!(
            "`{name}` happened {count} times for {}, and {allowed} are allowed",
            group.told(key, run)
        );
        let (at, node) = (last.at, Some(last.node));
        broken.push(violation("count", "count of a group out of bounds", at, node, detail));
    }
    broken.sort_by_key(|violation| violation.at);
    broken.truncate(TOLD_MAX);
    if broken.is_empty() { Verdict::Ok } else { Verdict::Violated(broken) }
}

/// A limit as a whole number.
fn whole(limit: &SettingValue) -> u64 {
    match limit {
        SettingValue::Int(count) => u64::try_from(*count).unwrap_or(0),
        SettingValue::Bytes(bytes) => *bytes,
        other => panic!("the compiler accepts counts here only, not {other:?}"),
    }
}

/// A limit as a fraction.
fn factor(limit: &SettingValue) -> (u64, u64) {
    match limit {
        SettingValue::Ratio(Ratio { numerator, denominator }) => {
            (u64::from(*numerator), u64::from(*denominator))
        }
        other => (whole(other), 1),
    }
}

/// `37.5%`, cut off after two digits.
fn share(num: u64, den: u64) -> String {
    let hundredths = u128::from(num) * 10_000 / u128::from(den.max(1));
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}
