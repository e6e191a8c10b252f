//! `[sweep]` and `[swarm]`: the matrix of a scenario, and what is redrawn or left out per seed.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::{E0205, E0603, E0604};
use crate::read::context::Context;
use crate::read::dist;
use crate::read::fields::Fields;
use crate::read::random::{self, Random};
use crate::read::time_point;
use crate::read::value;
use crate::syntax::tree::{Entry, Item, Span, Value};
use crate::syntax::units::Measure;
use contract::{Dist, Ratio};

/// Points of a matrix, unless `[sweep] cap` says otherwise.
const CAP: u64 = 1_000;
/// The most points that a cap can allow.
const CAP_MAX: u64 = 1_000_000;
/// The most values of one axis.
const AXIS_MAX: u64 = 10_000;

/// `[sweep]`.
#[derive(Clone, Debug, Default)]
pub struct Sweep {
    /// How many seeds a sweep runs.
    pub seeds: Option<u64>,
    /// The axes of the matrix, in the order of the file.
    pub axes: Vec<Axis>,
    /// Whether events at one instant are permuted.
    pub ties_explore: bool,
}

/// One axis: a path and its values.
#[derive(Clone, Debug)]
pub struct Axis {
    /// `fault.split.plus`.
    pub path: String,
    /// Where the path stands.
    pub span: Span,
    /// At least one.
    pub values: Vec<Item>,
}

impl Sweep {
    /// How many points the matrix has; 1 without axes.
    pub fn points(&self) -> u64 {
        let sizes = self.axes.iter().map(|axis| axis.values.len() as u64);
        sizes.fold(1, u64::saturating_mul)
    }

    /// The values at `point`, the last axis counting fastest; `None` past the end.
    pub fn at(&self, point: u64) -> Option<Vec<(&Axis, &Item)>> {
        if point >= self.points() {
            return None;
        }
        let mut rest = point;
        let mut found = Vec::new();
        for axis in self.axes.iter().rev() {
            let size = axis.values.len() as u64;
            found.push((axis, &axis.values[(rest % size) as usize]));
            rest /= size;
        }
        found.reverse();
        assert_eq!(rest, 0, "the point is inside the matrix");
        Some(found)
    }
}

/// Reads `[sweep]`.
pub fn read(cx: &mut Context<'_>, top: &mut Fields<'_>) -> Sweep {
    let mut sweep = Sweep::default();
    let Some(item) = top.get("sweep") else {
        return sweep;
    };
    let Some(mut fields) = Fields::of(cx, item, "sweep", "[sweep]") else {
        return sweep;
    };
    sweep.seeds = fields.count(cx, "seeds", 1, u64::MAX);
    sweep.ties_explore = fields.word(cx, "ties", &["canonical", "explore"]) == "explore";
    let cap = fields.count(cx, "cap", 1, CAP_MAX).unwrap_or(CAP);
    for entry in fields.entries(cx, "vary").unwrap_or(&[]) {
        sweep.axes.extend(axis(cx, entry));
    }
    if sweep.points() > cap {
        let span = fields.get("vary").map_or(fields.span, |item| item.span);
        let message = format!("the matrix has {} points, its cap is {cap}", sweep.points());
        let help = "shorten an axis, or raise `[sweep] cap`";
        cx.report(Diagnostic::error(E0603, message).help(help), span, "");
        sweep.axes.clear();
    }
    fields.finish(cx);
    sweep
}

fn axis(cx: &mut Context<'_>, entry: &Entry) -> Option<Axis> {
    let values = match &entry.item.value {
        Value::List(items) => items.clone(),
        Value::Table(_) => range(cx, &entry.item)?,
        _ => {
            let message = "an axis is a list, or `{ from, to, step }`";
            cx.report(Diagnostic::error(E0604, message), entry.item.span, "");
            return None;
        }
    };
    if values.is_empty() {
        let diagnostic = Diagnostic::error(E0604, "an axis without values");
        cx.report(diagnostic, entry.item.span, "");
        return None;
    }
    Some(Axis { path: entry.key.clone(), span: entry.key_span, values })
}

/// `{ from, to, step }`: half-open, as every interval.
fn range(cx: &mut Context<'_>, item: &Item) -> Option<Vec<Item>> {
    let mut fields = Fields::of(cx, item, "", "the axis")?;
    let parts = ["from", "to", "step"].map(|key| fields.need(cx, key, "a quantity"));
    fields.finish(cx);
    let [from, to, step] = parts;
    let (from, to, step) = (from?, to?, step?);
    let Some(measure) = dist::guess_measure(from) else {
        let diagnostic = Diagnostic::error(E0604, "`from` is not a quantity");
        cx.report(diagnostic, from.span, "");
        return None;
    };
    let start = value::plain_quantity(cx, from, measure);
    let end = value::plain_quantity(cx, to, measure);
    let by = value::plain_quantity(cx, step, measure);
    let (start, end, by) = (start?, end?, by?);
    if by == 0 || start >= end {
        let message =
            if by == 0 { "a step of nothing goes nowhere" } else { "`from` is not below `to`" };
        cx.report(Diagnostic::error(E0604, message), item.span, "");
        return None;
    }
    let count = (end - start).div_ceil(by);
    if count > AXIS_MAX {
        let message = format!("the axis has {count} values; at most {AXIS_MAX} are allowed");
        cx.report(Diagnostic::error(E0603, message), item.span, "");
        return None;
    }
    let at = |i: u64| Item::quantity(item.span, measure, start + i * by);
    Some((0..count).map(at).collect())
}

/// `[swarm]`.
#[derive(Clone, Debug, Default)]
pub struct Swarm {
    /// What is redrawn per seed, in the order of the file.
    pub redraw: Vec<Redraw>,
    /// The faults that may be left out, and how often each is.
    pub omit: Vec<(String, Ratio)>,
    /// Faults that are drawn besides.
    pub random: Option<Random>,
}

impl Swarm {
    /// The faults that may come to nothing without the run being vacuous: those that may be left
    /// out, and those that nobody wrote.
    pub fn omittable(&self) -> Vec<String> {
        let named = self.omit.iter().map(|(fault, _)| fault.clone());
        named.chain(self.random.iter().flat_map(Random::ids)).collect()
    }
}

/// One path that is redrawn per seed.
#[derive(Clone, Debug)]
pub struct Redraw {
    /// `tuning.h.lease`.
    pub path: String,
    /// Where the path stands.
    pub span: Span,
    /// What it is redrawn from: quantities, or a choice of any values.
    pub from: Law,
    /// Where the distribution stands.
    pub law_span: Span,
}

/// What a swarm redraws from.
#[derive(Clone, Debug)]
pub enum Law {
    /// A distribution of quantities.
    Dist(Measure, Dist),
    /// Any of these, each as likely: words, booleans, tables.
    Choice(Vec<Item>),
}

impl Law {
    /// The ends of what can be drawn, for validation; every one of a choice.
    pub fn probes(&self, span: Span) -> Vec<Item> {
        let (measure, dist) = match self {
            Self::Choice(items) => return items.clone(),
            Self::Dist(measure, dist) => (*measure, dist),
        };
        let values = match dist {
            Dist::Uniform { min, max } => vec![*min, max.saturating_sub(1).max(*min)],
            Dist::Choice(values) => values.clone(),
            Dist::Exponential { min, mean } => vec![*min, *mean],
            Dist::LogNormal { median, .. } => vec![*median],
            Dist::Bimodal { fast, slow, .. } => vec![fast.0, slow.0, slow.1.saturating_sub(1)],
            Dist::Constant(value) => vec![*value],
        };
        let item = |value| Item::quantity(span, measure, value);
        values.into_iter().map(item).collect()
    }
}

/// Reads `[swarm]`.
pub fn read_swarm(cx: &mut Context<'_>, top: &mut Fields<'_>) -> Swarm {
    let mut swarm = Swarm::default();
    let Some(item) = top.get("swarm") else {
        return swarm;
    };
    let Some(mut fields) = Fields::of(cx, item, "swarm", "[swarm]") else {
        return swarm;
    };
    for entry in fields.entries(cx, "redraw").unwrap_or(&[]) {
        if let Some(from) = law(cx, &entry.item) {
            swarm.redraw.push(Redraw {
                path: entry.key.clone(),
                span: entry.key_span,
                from,
                law_span: entry.item.span,
            });
        }
    }
    if let Some(item) = fields.get("omit") {
        match &item.value {
            Value::List(items) => {
                for item in items {
                    omit(cx, item, &mut swarm);
                }
            }
            _ => omit(cx, item, &mut swarm),
        }
    }
    swarm.random = fields.get("random").and_then(|item| random::read(cx, item));
    fields.finish(cx);
    swarm
}

fn law(cx: &mut Context<'_>, item: &Item) -> Option<Law> {
    if !dist::is_dist(item) {
        value::wrong_type(cx, item, "a path is redrawn from a distribution");
        return None;
    }
    let table = item.table()?;
    let word = table.get("dist").and_then(|word| word.as_text());
    let values = table.get("values").map(|item| &item.value);
    if let (Some("choice"), Some(Value::List(items))) = (word, values) {
        let only = table.entries.len() == 2 && !items.is_empty();
        if only && dist::guess_measure(&items[0]).is_none() {
            return Some(Law::Choice(items.clone()));
        }
    }
    let Some(measure) = dist::guess_measure(item) else {
        let message = "the distribution says of nothing what it measures";
        cx.report(Diagnostic::error(E0205, message), item.span, "");
        return None;
    };
    dist::read(cx, item, measure).map(|dist| Law::Dist(measure, dist))
}

/// `{ faults = ["split"], probability = "20%" }`.
fn omit(cx: &mut Context<'_>, item: &Item, swarm: &mut Swarm) {
    let Some(mut fields) = Fields::of(cx, item, "swarm.omit", "`omit`") else {
        return;
    };
    let faults = fields.texts(cx, "faults");
    if fields.get("faults").is_none() {
        fields.missing(cx, "faults", "the ids of the faults that may be left out");
    }
    let ratio = match fields.get("probability") {
        Some(_) => fields.ratio(cx, "probability"),
        None => {
            fields.missing(cx, "probability", "how often each is left out: \"20%\"");
            None
        }
    };
    fields.finish(cx);
    for (fault, span) in faults {
        if time_point::fault(cx, fault, span).is_some() {
            swarm.omit.push((fault.to_owned(), ratio.unwrap_or(Ratio::ZERO)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_axis_counts_fastest() {
        let axis = |path: &str, count: u64| Axis {
            path: path.to_owned(),
            span: Span::default(),
            values: (0..count)
                .map(|n| Item::quantity(Span::default(), Measure::Count, n))
                .collect(),
        };
        let sweep = Sweep { axes: vec![axis("a", 2), axis("b", 3)], ..Sweep::default() };
        assert_eq!(sweep.points(), 6);
        let at = |point| {
            let values = sweep.at(point)?;
            let shown = values.iter().map(|(axis, item)| format!("{}{}", axis.path, item.show()));
            Some(shown.collect::<Vec<_>>().join(" "))
        };
        assert_eq!(at(0).as_deref(), Some("a0 b0"));
        assert_eq!(at(1).as_deref(), Some("a0 b1"));
        assert_eq!(at(5).as_deref(), Some("a1 b2"));
        assert_eq!(at(6), None);
        assert_eq!(Sweep::default().points(), 1);
    }
}
