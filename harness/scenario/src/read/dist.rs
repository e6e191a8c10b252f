//! Distribution tables: `{ dist = "uniform", min = "1ms", max = "4ms" }`.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::{E0201, E0205};
use crate::read::context::Context;
use crate::read::fields::Fields;
use crate::read::value;
use crate::syntax::tree::{Item, Value};
use crate::syntax::units::{self, Measure};
use contract::{Dist, Ratio};

/// A distribution of scalars.
pub struct Row {
    /// Its name.
    pub word: &'static str,
    /// What it is made of: the key, what it holds, whether it must be there.
    pub parts: &'static [(&'static str, Part, bool)],
}

/// What a part of a distribution holds.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// A quantity of what is drawn.
    Quantity,
    /// `{ min, max }` of such quantities.
    Range,
    /// A list of such quantities.
    List,
    /// A share.
    Share,
    /// A pure factor.
    Factor,
}

const fn row(word: &'static str, parts: &'static [(&'static str, Part, bool)]) -> Row {
    Row { word, parts }
}

/// Every distribution of scalars. The schema is made of the rows; [`read`] takes their parts.
pub const ROWS: &[Row] = &[
    row("constant", &[("value", Part::Quantity, true)]),
    row("uniform", &[("min", Part::Quantity, true), ("max", Part::Quantity, true)]),
    row("exponential", &[("min", Part::Quantity, false), ("mean", Part::Quantity, true)]),
    row(
        "lognormal",
        &[
            ("min", Part::Quantity, false),
            ("median", Part::Quantity, true),
            ("max", Part::Quantity, false),
            ("sigma", Part::Factor, true),
        ],
    ),
    row(
        "bimodal",
        &[
            ("fast", Part::Range, true),
            ("slow", Part::Range, true),
            ("slow_share", Part::Share, true),
        ],
    ),
    row("choice", &[("values", Part::List, true)]),
];

/// Whether `item` declares a distribution.
pub fn is_dist(item: &Item) -> bool {
    item.table().is_some_and(|table| table.get("dist").is_some())
}

/// A distribution of quantities of `measure`; a quantity alone is a constant.
pub fn read(cx: &mut Context<'_>, item: &Item, measure: Measure) -> Option<Dist> {
    if !matches!(item.value, Value::Table(_)) {
        return value::plain_quantity(cx, item, measure).map(Dist::Constant);
    }
    let mut fields = Fields::of(cx, item, "", "the distribution")?;
    let word = fields.need(cx, "dist", "the name of the distribution")?;
    let word_text = value::text(cx, word, "dist")?;
    let before = cx.diagnostics.len();
    let dist = match word_text {
        "constant" => constant(cx, &mut fields, measure),
        "uniform" => uniform(cx, &mut fields, measure),
        "exponential" => exponential(cx, &mut fields, measure),
        "lognormal" => lognormal(cx, &mut fields, measure),
        "bimodal" => bimodal(cx, &mut fields, measure),
        "choice" => choice(cx, &mut fields, measure),
        "zipf" => {
            let diagnostic = Diagnostic::error(E0205, "`zipf` is a distribution of keys alone");
            cx.report(diagnostic, word.span, "");
            return None;
        }
        other => {
            let words: Vec<&str> = ROWS.iter().map(|row| row.word).collect();
            cx.unknown("distribution", other, word.span, &words);
            return None;
        }
    };
    fields.finish(cx);
    let clean = cx.diagnostics.len() == before;
    dist.filter(|_| clean)
}

/// The least and the greatest value that can be drawn; `None` where a tail has no end of its own.
pub fn reach(dist: &Dist) -> (Option<u64>, Option<u64>) {
    match dist {
        Dist::Constant(value) => (Some(*value), Some(*value)),
        Dist::Uniform { min, max } => (Some(*min), Some(max.saturating_sub(1).max(*min))),
        Dist::Exponential { min, .. } => (Some(*min), None),
        Dist::LogNormal { min, max, .. } => {
            (Some(*min).filter(|min| *min > 0), Some(*max).filter(|max| *max < u64::MAX))
        }
        Dist::Bimodal { fast, slow, .. } => {
            let top = |range: &(u64, u64)| range.1.saturating_sub(1).max(range.0);
            (Some(dist.min()), Some(top(fast).max(top(slow))))
        }
        Dist::Choice(values) => (Some(dist.min()), values.iter().copied().max()),
    }
}

/// The measure of a distribution whose quantities tell it: that of the first quantity in it.
pub fn guess_measure(item: &Item) -> Option<Measure> {
    match &item.value {
        Value::Int(_) => Some(Measure::Count),
        Value::Text(text) => Measure::guess(text).map(|(measure, _)| measure),
        Value::List(items) => items.first().and_then(guess_measure),
        Value::Table(table) => {
            let named = |key: &&str| table.get(key).and_then(guess_measure);
            ["min", "mean", "median", "fast", "values", "value", "from"].iter().find_map(named)
        }
        _ => None,
    }
}

fn part(
    cx: &mut Context<'_>,
    fields: &mut Fields<'_>,
    key: &'static str,
    m: Measure,
) -> Option<u64> {
    let item = fields.need(cx, key, &format!("{} of the distribution", m.noun()))?;
    value::plain_quantity(cx, item, m)
}

fn optional(
    cx: &mut Context<'_>,
    fields: &mut Fields<'_>,
    key: &'static str,
    m: Measure,
) -> Option<u64> {
    let item = fields.get(key)?;
    value::plain_quantity(cx, item, m)
}

fn constant(cx: &mut Context<'_>, fields: &mut Fields<'_>, m: Measure) -> Option<Dist> {
    part(cx, fields, "value", m).map(Dist::Constant)
}

fn uniform(cx: &mut Context<'_>, fields: &mut Fields<'_>, m: Measure) -> Option<Dist> {
    let (min, max) = (part(cx, fields, "min", m), part(cx, fields, "max", m));
    let (min, max) = (min?, max?);
    ordered(cx, fields, ("min", min), ("max", max))?;
    Some(Dist::Uniform { min, max })
}

fn exponential(cx: &mut Context<'_>, fields: &mut Fields<'_>, m: Measure) -> Option<Dist> {
    let min = optional(cx, fields, "min", m).unwrap_or(0);
    let mean = part(cx, fields, "mean", m)?;
    ordered(cx, fields, ("min", min), ("mean", mean))?;
    Some(Dist::Exponential { min, mean })
}

fn lognormal(cx: &mut Context<'_>, fields: &mut Fields<'_>, m: Measure) -> Option<Dist> {
    /// Beyond it the tail is all there is: e^10 is 22 000 times the median.
    const SIGMA_PPM_MAX: u32 = 10_000_000;
    let min = optional(cx, fields, "min", m).unwrap_or(0);
    let median = part(cx, fields, "median", m);
    let max = optional(cx, fields, "max", m).unwrap_or(u64::MAX);
    let item = fields.need(cx, "sigma", "the standard deviation of the logarithm, a factor")?;
    let sigma_ppm = value::factor(cx, item, "sigma", SIGMA_PPM_MAX)?;
    let median = median?;
    ordered(cx, fields, ("min", min), ("median", median))?;
    ordered(cx, fields, ("median", median), ("max", max))?;
    Some(Dist::LogNormal { min, median, sigma_ppm, max })
}

fn bimodal(cx: &mut Context<'_>, fields: &mut Fields<'_>, m: Measure) -> Option<Dist> {
    let fast = range(cx, fields, "fast", m);
    let slow = range(cx, fields, "slow", m);
    let item = fields.need(cx, "slow_share", "how often it is slow: \"1%\"")?;
    let share: Ratio = units::ratio_of_ppm(value::plain_quantity(cx, item, Measure::Ratio)?);
    Some(Dist::Bimodal { fast: fast?, slow: slow?, slow_share: share })
}

fn range(
    cx: &mut Context<'_>,
    fields: &mut Fields<'_>,
    key: &'static str,
    m: Measure,
) -> Option<(u64, u64)> {
    let item = fields.need(cx, key, "a range { min, max }")?;
    let mut inner = Fields::of(cx, item, "", &format!("`{key}`"))?;
    let (min, max) = (part(cx, &mut inner, "min", m), part(cx, &mut inner, "max", m));
    let (min, max) = (min?, max?);
    ordered(cx, &inner, ("min", min), ("max", max))?;
    inner.finish(cx);
    Some((min, max))
}

fn choice(cx: &mut Context<'_>, fields: &mut Fields<'_>, m: Measure) -> Option<Dist> {
    let item = fields.need(cx, "values", "the list to choose from")?;
    let Value::List(items) = &item.value else {
        let message = format!("`values` is a list, not {}", item.noun());
        cx.report(Diagnostic::error(E0201, message), item.span, "");
        return None;
    };
    let read = items.iter().map(|item| value::plain_quantity(cx, item, m));
    let values: Vec<Option<u64>> = read.collect();
    if values.is_empty() {
        let diagnostic = Diagnostic::error(E0205, "there is nothing to choose from");
        cx.report(diagnostic, item.span, "");
        return None;
    }
    values.into_iter().collect::<Option<Vec<u64>>>().map(Dist::Choice)
}

/// `low.1 <= high.1`, or an error.
fn ordered(
    cx: &mut Context<'_>,
    fields: &Fields<'_>,
    low: (&str, u64),
    high: (&str, u64),
) -> Option<()> {
    if low.1 <= high.1 {
        return Some(());
    }
    let message = format!("`{}` is above `{}`", low.0, high.0);
    cx.report(Diagnostic::error(E0205, message), fields.span, "");
    None
}
