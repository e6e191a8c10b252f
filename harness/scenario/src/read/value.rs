//! Values of the types that settings and fields declare.
//!
//! Where a scalar is wanted and a distribution is given, the scalar is drawn here, from the stream
//! named by its path, and noted in [`Context::draws`].

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::{E0104, E0105, E0201, E0202};
use crate::read::context::Context;
use crate::read::dist;
use crate::read::fields::Fields;
use crate::syntax::tree::{Item, Span, Value, parse_value};
use crate::syntax::units::{self, Measure, UnitError};
use catalog::{Kind, SettingValue};
use contract::{Dist, Duration};

/// The longest list of settings.
const LIST_MAX: usize = 1_000;

/// A text.
pub fn text<'t>(cx: &mut Context<'_>, item: &'t Item, what: &str) -> Option<&'t str> {
    let text = item.as_text();
    if text.is_none() {
        wrong_type(cx, item, &format!("`{what}` is text"));
    }
    text
}

/// A list of texts with their places.
pub fn texts<'t>(cx: &mut Context<'_>, item: &'t Item, what: &str) -> Vec<(&'t str, Span)> {
    let Value::List(items) = &item.value else {
        wrong_type(cx, item, &format!("`{what}` is a list of texts"));
        return Vec::new();
    };
    let mut found = Vec::new();
    for item in items {
        if let Some(text) = text(cx, item, what) {
            found.push((text, item.span));
        }
    }
    found
}

/// A quantity, or one drawn from a distribution, within `range` (both ends included).
pub fn quantity(
    cx: &mut Context<'_>,
    path: &str,
    item: &Item,
    measure: Measure,
    range: (u64, u64),
) -> Option<u64> {
    if dist::is_dist(item) {
        return drawn(cx, path, item, measure, range);
    }
    let value = plain_quantity(cx, item, measure)?;
    in_range(cx, item, measure, value, range)
}

/// A value of the distribution that `item` declares, noted under `path`. A distribution must not
/// reach out of `range`, so that a file is right for every seed or for none; a tail without a bound
/// of its own is cut.
fn drawn(
    cx: &mut Context<'_>,
    path: &str,
    item: &Item,
    measure: Measure,
    range: (u64, u64),
) -> Option<u64> {
    let dist = dist::read(cx, item, measure)?;
    let (least, most) = dist::reach(&dist);
    for end in [least, most].into_iter().flatten() {
        in_range(cx, item, measure, end, range)?;
    }
    let value = cx.draw(path, &dist).clamp(range.0, range.1);
    let drawn = Item::quantity(item.span, measure, value);
    cx.draws.push((path.to_owned(), drawn));
    Some(value)
}

fn in_range(
    cx: &mut Context<'_>,
    item: &Item,
    measure: Measure,
    value: u64,
    (min, max): (u64, u64),
) -> Option<u64> {
    if (min..=max).contains(&value) {
        return Some(value);
    }
    let shown = measure.show(value);
    let limit = if value < min {
        format!("below the least, {}", measure.show(min))
    } else {
        format!("above the most, {}", measure.show(max))
    };
    let diagnostic = Diagnostic::error(E0202, format!("{shown} is {limit}"));
    cx.report(diagnostic, item.span, "");
    None
}

/// A quantity that stands there as such.
pub fn plain_quantity(cx: &mut Context<'_>, item: &Item, measure: Measure) -> Option<u64> {
    match (&item.value, measure) {
        // The integers of TOML end at 2^63, and so do counts: a plan is written as TOML.
        (Value::Int(number), Measure::Count) => match i64::try_from(*number).map(u64::try_from) {
            Ok(Ok(count)) => Some(count),
            _ => {
                let message = format!("{number} is not a count from 0 to 2^63");
                cx.report(Diagnostic::error(E0202, message), item.span, "");
                None
            }
        },
        (Value::Text(text), Measure::Count) => {
            let message = format!("a count is a number without quotes, not \"{text}\"");
            cx.report(Diagnostic::error(E0201, message), item.span, "");
            None
        }
        (Value::Text(text), _) => match measure.parse(text) {
            Ok(value) => Some(value),
            Err(error) => {
                not_a_quantity(cx, item.span, text, measure, &error);
                None
            }
        },
        (Value::Float(_), Measure::Count) => {
            wrong_type(cx, item, "a count is a whole number");
            None
        }
        (Value::Int(_) | Value::Float(_), _) => {
            no_unit(cx, item, measure);
            None
        }
        _ => {
            wrong_type(cx, item, &format!("{} is wanted here", measure.noun()));
            None
        }
    }
}

/// Reports a text that is not a quantity of `measure`.
pub fn not_a_quantity(
    cx: &mut Context<'_>,
    span: Span,
    text: &str,
    measure: Measure,
    why: &UnitError,
) {
    if *why == UnitError::NoUnit {
        let message = format!("\"{text}\" has no unit");
        let help = format!("write \"{text}{}\"", measure.likely_unit());
        cx.report(Diagnostic::error(E0104, message).help(help), span, "");
        return;
    }
    let message = format!("\"{text}\" is not {}: {why}", measure.noun());
    let units = measure.units();
    let meant = match why {
        UnitError::UnknownUnit(unit) => units::alias(unit)
            .or_else(|| crate::vocabulary::suggest::nearest(unit, units.iter().copied())),
        _ => None,
    };
    let help = match (Measure::guess(text), meant) {
        (Some((other, _)), _) if other != measure => format!("\"{text}\" is {}", other.noun()),
        (_, Some(unit)) => format!("did you mean `{unit}`?"),
        _ => format!("units of {}: {}", measure.noun(), units.join(", ")),
    };
    cx.report(Diagnostic::error(E0105, message).help(help), span, "");
}

fn no_unit(cx: &mut Context<'_>, item: &Item, measure: Measure) {
    let shown = item.show();
    let message = format!("{} needs a unit", measure.noun());
    let help = format!("write \"{shown}{}\"", measure.likely_unit());
    cx.report(Diagnostic::error(E0104, message).help(help), item.span, "");
}

/// Reports a value of the wrong type; `wanted` says what should stand there.
pub fn wrong_type(cx: &mut Context<'_>, item: &Item, wanted: &str) {
    let message = format!("{wanted}, not {}", item.noun());
    cx.report(Diagnostic::error(E0201, message), item.span, "");
}

/// A pure factor in millionths: `1.1`.
pub fn factor(cx: &mut Context<'_>, item: &Item, what: &str, ppm_max: u32) -> Option<u32> {
    let text = match &item.value {
        Value::Int(number) => number.to_string(),
        Value::Float(text) => text.clone(),
        _ => {
            wrong_type(cx, item, &format!("`{what}` is a factor such as 1.1"));
            return None;
        }
    };
    let ppm = match units::factor_ppm(&text) {
        Ok(ppm) => ppm,
        Err(why) => {
            let message = format!("{text} is not a factor: {why}");
            let help = "a plain decimal with at most six digits after the point";
            cx.report(Diagnostic::error(E0105, message).help(help), item.span, "");
            return None;
        }
    };
    if ppm > ppm_max {
        let message = format!("`{what}` is at most {}", ppm_max / 1_000_000);
        cx.report(Diagnostic::error(E0202, message), item.span, "");
        return None;
    }
    Some(ppm)
}

/// A count that may be negative.
pub fn integer(cx: &mut Context<'_>, item: &Item, min: i64, max: i64) -> Option<i64> {
    let Value::Int(number) = item.value else {
        wrong_type(cx, item, "a whole number is wanted here");
        return None;
    };
    match i64::try_from(number) {
        Ok(number) if (min..=max).contains(&number) => Some(number),
        _ => {
            let limits = Kind::Int { min, max };
            let message = format!("{number} is not {limits}");
            cx.report(Diagnostic::error(E0202, message), item.span, "");
            None
        }
    }
}

/// A value of `kind`, with its limits checked.
pub fn setting(cx: &mut Context<'_>, path: &str, item: &Item, kind: &Kind) -> Option<SettingValue> {
    match kind {
        Kind::Bool => match item.value {
            Value::Bool(value) => Some(SettingValue::Bool(value)),
            _ => {
                wrong_type(cx, item, "true or false is wanted here");
                None
            }
        },
        Kind::Int { min, max } => int_setting(cx, path, item, *min, *max),
        Kind::Ratio => {
            let ppm = quantity(cx, path, item, Measure::Ratio, (0, 1_000_000))?;
            Some(SettingValue::Ratio(units::ratio_of_ppm(ppm)))
        }
        Kind::Duration { min, max } => {
            let nanos = quantity(cx, path, item, Measure::Duration, (min.0, max.0))?;
            Some(SettingValue::Duration(Duration(nanos)))
        }
        Kind::Bytes => {
            let bytes = quantity(cx, path, item, Measure::Bytes, (0, u64::MAX))?;
            Some(SettingValue::Bytes(bytes))
        }
        Kind::Rate => rate(cx, path, item),
        Kind::Choice(words) => {
            let text = text(cx, item, last_part(path))?;
            match words.iter().find(|word| **word == text) {
                Some(word) => Some(SettingValue::Choice(word)),
                None => {
                    cx.unknown("value", text, item.span, words);
                    None
                }
            }
        }
        Kind::Range => range(cx, item),
        Kind::Dist => dist::read(cx, item, Measure::Duration).map(SettingValue::Dist),
        Kind::Text => text(cx, item, last_part(path)).map(|t| SettingValue::Text(t.to_owned())),
        Kind::List(inner) => list(cx, path, item, inner),
    }
}

fn int_setting(
    cx: &mut Context<'_>,
    path: &str,
    item: &Item,
    min: i64,
    max: i64,
) -> Option<SettingValue> {
    if !dist::is_dist(item) {
        return integer(cx, item, min, max).map(SettingValue::Int);
    }
    let low = u64::try_from(min).unwrap_or(0);
    let high = u64::try_from(max).unwrap_or(0);
    let count = quantity(cx, path, item, Measure::Count, (low, high))?;
    // `high` came from an i64, so this holds.
    i64::try_from(count).ok().map(SettingValue::Int)
}

fn rate(cx: &mut Context<'_>, path: &str, item: &Item) -> Option<SettingValue> {
    if dist::is_dist(item) {
        let count = quantity(cx, path, item, Measure::Rate, (0, u64::MAX))?;
        let per = Duration::from_secs(1);
        return Some(SettingValue::Rate { count, per });
    }
    let Some(text) = item.as_text() else {
        // Says what is wrong with it.
        plain_quantity(cx, item, Measure::Rate);
        return None;
    };
    match units::rate(text) {
        Ok((count, per)) => Some(SettingValue::Rate { count, per }),
        Err(why) => {
            not_a_quantity(cx, item.span, text, Measure::Rate, &why);
            None
        }
    }
}

fn range(cx: &mut Context<'_>, item: &Item) -> Option<SettingValue> {
    if item.table().is_none() {
        wrong_type(cx, item, &format!("{} is wanted here", Kind::Range));
        return None;
    }
    let mut fields = Fields::of(cx, item, "", "the range")?;
    let min = fields.need(cx, "min", "the shortest");
    let max = fields.need(cx, "max", "the longest");
    fields.finish(cx);
    let min = Duration(plain_quantity(cx, min?, Measure::Duration)?);
    let max = Duration(plain_quantity(cx, max?, Measure::Duration)?);
    if min > max {
        let message = format!("`min` ({min}) is above `max` ({max})");
        cx.report(Diagnostic::error(E0202, message), item.span, "");
        return None;
    }
    Some(SettingValue::Range { min, max })
}

fn list(cx: &mut Context<'_>, path: &str, item: &Item, inner: &Kind) -> Option<SettingValue> {
    let Value::List(items) = &item.value else {
        wrong_type(cx, item, "a list is wanted here");
        return None;
    };
    if items.len() > LIST_MAX {
        let message = format!("a list has at most {LIST_MAX} items");
        cx.report(Diagnostic::error(E0202, message), item.span, "");
        return None;
    }
    let mut values = Vec::with_capacity(items.len());
    for (i, item) in items.iter().enumerate() {
        values.push(setting(cx, &format!("{path}.{}", i + 1), item, inner));
    }
    let values = values.into_iter().collect::<Option<Vec<_>>>();
    values.map(SettingValue::List)
}

/// The default that a row of a table declares, as it would be written in a scenario file. Quotes
/// around a lone text may be left out.
///
/// # Panics
/// When the default is not of its kind: a bug of the table, which [`crate::Lab::wrong_defaults`]
/// finds without a scenario.
pub fn default(cx: &mut Context<'_>, name: &str, text: &str, kind: &Kind) -> Option<SettingValue> {
    assert!(!text.is_empty(), "`{name}` has a default");
    let before = cx.diagnostics.len();
    let value = setting(cx, name, &parse_value(text, 0, 0), kind);
    let broken = cx.diagnostics.len() > before;
    assert!(!broken, "the default of `{name}`, {text}, is not {kind}");
    value
}

/// A distribution of times that has to become one time before the run: drawn, and noted.
pub fn settle(cx: &mut Context<'_>, path: &str, item: &Item, dist: Dist) -> Dist {
    if matches!(dist, Dist::Constant(_)) {
        return dist;
    }
    let value = cx.draw(path, &dist);
    let drawn = Item::quantity(item.span, Measure::Duration, value);
    cx.draws.push((path.to_owned(), drawn));
    Dist::Constant(value)
}

fn last_part(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}
