//! `[clock.G]`: what each node's clocks are off by and drift at, drawn per node.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::{E0202, E0205};
use crate::plan::ClockPlan;
use crate::read::context::Context;
use crate::read::dist;
use crate::read::fields::Fields;
use crate::read::value;
use crate::syntax::tree::{Item, Span, Value};
use crate::syntax::units::{self, Measure};
use contract::{Dist, Domain, Duration, Ratio, Rng};
use engine::ClockSpec;

/// Clocks that are worse than this are broken, not drifting.
const DRIFT_PPM_MAX: i64 = 500_000;

/// The clocks of a group of `count` nodes.
pub fn read(cx: &mut Context<'_>, group: &str, count: u32, item: Option<&Item>) -> ClockPlan {
    let mut plan =
        ClockPlan { nodes: vec![ClockSpec::default(); count as usize], drift_max: Ratio::ZERO };
    let path = format!("clock.{group}");
    let Some(item) = item else { return plan };
    let Some(mut fields) = Fields::of(cx, item, &path, &format!("[{path}]")) else {
        return plan;
    };
    if let Some(ratio) = fields.ratio(cx, "drift_max") {
        plan.drift_max = ratio;
    }
    if let Some(item) = fields.get("skew") {
        let skews = per_node(cx, &fields.path_of("skew"), item, count, Signed::Time);
        for (node, skew) in plan.nodes.iter_mut().zip(skews) {
            node.skew_ns = skew;
        }
    }
    if let Some(item) = fields.get("drift_ppm") {
        let drifts = per_node(cx, &fields.path_of("drift_ppm"), item, count, Signed::Drift);
        for (node, drift) in plan.nodes.iter_mut().zip(drifts) {
            node.drift_ppm = i32::try_from(drift).expect("drift is within its limit");
        }
    }
    if let Some(item) = fields.get("jump") {
        let help = "a `[[fault]]` of kind \"clock\" makes a clock jump";
        cx.unsupported("`jump` in [clock.G]", item.span, Some(help));
    }
    fields.finish(cx);
    plan
}

/// The two quantities of clocks, which may be negative.
#[derive(Clone, Copy, PartialEq)]
enum Signed {
    Time,
    Drift,
}

impl Signed {
    fn read(self, cx: &mut Context<'_>, item: &Item) -> Option<i64> {
        if self == Self::Drift {
            return value::integer(cx, item, -DRIFT_PPM_MAX, DRIFT_PPM_MAX);
        }
        let Some(text) = item.as_text() else {
            value::plain_quantity(cx, item, Measure::Duration);
            return None;
        };
        match units::signed_duration(text) {
            Ok(nanos) => Some(nanos),
            Err(why) => {
                value::not_a_quantity(cx, item.span, text, Measure::Duration, &why);
                None
            }
        }
    }

    fn show(self, span: Span, number: i64) -> Item {
        if self == Self::Drift {
            let value = Value::Int(i128::from(number));
            return Item { span, value };
        }
        let sign = if number < 0 { "-" } else { "" };
        Item::text(span, format!("{sign}{}", Duration(number.unsigned_abs())))
    }
}

/// One value per node: the same for all, a list of one for each, or drawn for each.
fn per_node(cx: &mut Context<'_>, path: &str, item: &Item, count: u32, what: Signed) -> Vec<i64> {
    if let Value::List(items) = &item.value {
        if items.len() != count as usize {
            let message = format!("the group has {count} nodes, the list {}", items.len());
            cx.report(Diagnostic::error(E0202, message), item.span, "");
            return Vec::new();
        }
        return items.iter().filter_map(|i| what.read(cx, i)).collect();
    }
    if !dist::is_dist(item) {
        let one = what.read(cx, item);
        return one.map_or_else(Vec::new, |one| vec![one; count as usize]);
    }
    let Some(law) = law(cx, item, what) else {
        return Vec::new();
    };
    let mut drawn = Vec::with_capacity(count as usize);
    for number in 1..=count {
        let mut rng = Rng::new(cx.seed, Domain::Swarm, &format!("{path}.{number}"));
        let sample = i64::try_from(law.dist.sample(&mut rng)).unwrap_or(i64::MAX);
        let value = law.offset.saturating_add(sample);
        drawn.push(match what {
            Signed::Time => value,
            Signed::Drift => value.min(DRIFT_PPM_MAX),
        });
    }
    let shown = drawn.iter().map(|number| what.show(item.span, *number));
    let list = Item { span: item.span, value: Value::List(shown.collect()) };
    cx.draws.push((path.to_owned(), list));
    drawn
}

/// A distribution that may reach below zero: `offset` plus a draw.
struct Law {
    offset: i64,
    dist: Dist,
}

fn law(cx: &mut Context<'_>, item: &Item, what: Signed) -> Option<Law> {
    let table = item.table()?;
    let word = table.get("dist").and_then(|word| word.as_text());
    if word != Some("uniform") {
        let measure = match what {
            Signed::Time => Measure::Duration,
            Signed::Drift => Measure::Count,
        };
        let dist = dist::read(cx, item, measure)?;
        return Some(Law { offset: 0, dist });
    }
    let mut fields = Fields::of(cx, item, "", "the distribution")?;
    fields.get("dist");
    let min = fields.need(cx, "min", "the least value");
    let max = fields.need(cx, "max", "just above the greatest value");
    fields.finish(cx);
    let (min, max) = (what.read(cx, min?), what.read(cx, max?));
    let (min, max) = (min?, max?);
    if min > max {
        cx.report(Diagnostic::error(E0205, "`min` is above `max`"), item.span, "");
        return None;
    }
    let dist = Dist::Uniform { min: 0, max: max.abs_diff(min) };
    Some(Law { offset: min, dist })
}
