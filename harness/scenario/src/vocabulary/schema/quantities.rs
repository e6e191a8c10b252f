//! Quantities and the distributions that they are drawn from, and the small parts of every schema.

use super::{closed, text};
use crate::Lab;
use crate::read::dist::{self, Part};
use crate::syntax::units::Measure;
use serde_json::{Map, Value, json};

/// Everything that quantities measure.
pub const MEASURES: [Measure; 6] = [
    Measure::Count,
    Measure::Duration,
    Measure::Bytes,
    Measure::Ratio,
    Measure::Rate,
    Measure::Bandwidth,
];

/// What the fields refer to.
pub fn definitions(lab: &Lab<'_>) -> Value {
    let mut found = Map::new();
    for measure in MEASURES {
        found.insert(name_of(measure).to_owned(), plain(measure));
        found.insert(drawn_name(measure), distribution(measure, &one(measure)));
    }
    for measure in [Measure::Duration, Measure::Count] {
        let number = signed(measure);
        found.insert(format!("signed-{}", name_of(measure)), number);
        // Only an even draw reaches below zero.
        let below = json!({ "$ref": format!("#/definitions/signed-{}", name_of(measure)) });
        let even = made_of("uniform", &[("min", below.clone()), ("max", below)], &["min", "max"]);
        let others = json!({ "$ref": format!("#/definitions/{}", drawn_name(measure)) });
        found.insert(
            format!("drawn-signed-{}", name_of(measure)),
            json!({ "anyOf": [even, others] }),
        );
    }
    found.insert("event".to_owned(), super::shapes::event(lab));
    Value::Object(found)
}

const fn name_of(measure: Measure) -> &'static str {
    match measure {
        Measure::Count => "count",
        Measure::Duration => "duration",
        Measure::Bytes => "size",
        Measure::Ratio => "share",
        Measure::Rate => "rate",
        Measure::Bandwidth => "bandwidth",
    }
}

pub fn drawn_name(measure: Measure) -> String {
    format!("drawn-{}", name_of(measure))
}

/// The definition of a quantity that stands there as such.
fn plain(measure: Measure) -> Value {
    if measure == Measure::Count {
        return json!({ "type": "integer", "minimum": 0 });
    }
    json!({
        "type": "string",
        "pattern": text::whole(&text::quantity(measure)),
        "description": format!("{}; units: {}", measure.noun(), measure.units().join(", ")),
    })
}

/// One that may be negative.
fn signed(measure: Measure) -> Value {
    if measure == Measure::Count {
        return json!({ "type": "integer" });
    }
    let pattern = format!("-?({})", text::quantity(measure));
    json!({ "type": "string", "pattern": text::whole(&pattern) })
}

pub fn one(measure: Measure) -> Value {
    json!({ "$ref": format!("#/definitions/{}", name_of(measure)) })
}

/// A quantity, or a distribution that it is drawn from.
pub fn quantity(measure: Measure) -> Value {
    let drawn = json!({ "$ref": format!("#/definitions/{}", drawn_name(measure)) });
    json!({ "anyOf": [one(measure), drawn] })
}

/// The distributions of what `one` describes.
fn distribution(measure: Measure, one: &Value) -> Value {
    let part = |part: Part| match part {
        Part::Quantity => one.clone(),
        Part::Range => range(one),
        Part::List => json!({ "type": "array", "minItems": 1, "items": one }),
        Part::Share => self::one(Measure::Ratio),
        Part::Factor => factor(),
    };
    let row = |row: &dist::Row| {
        let parts: Vec<(&str, Value)> =
            row.parts.iter().map(|(name, what, _)| (*name, part(*what))).collect();
        let needed = row.parts.iter().filter(|part| part.2).map(|part| part.0);
        made_of(row.word, &parts, &needed.collect::<Vec<_>>())
    };
    let all: Vec<Value> = dist::ROWS.iter().map(row).collect();
    json!({ "oneOf": all, "description": format!("{} that is drawn", measure.noun()) })
}

/// A distribution of that name, of these parts.
pub fn made_of(word: &str, parts: &[(&str, Value)], required: &[&str]) -> Value {
    let word = ("dist".to_owned(), json!({ "const": word }));
    let parts = parts.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone()));
    let required: Vec<&str> = ["dist"].iter().chain(required).copied().collect();
    closed([word].into_iter().chain(parts).collect(), &required, &[])
}

pub fn range(one: &Value) -> Value {
    let ends = ["min", "max"];
    closed(ends.map(|end| (end.to_owned(), one.clone())).into_iter().collect(), &ends, &[])
}

pub fn factor() -> Value {
    json!({ "type": "number", "minimum": 0 })
}

pub fn int(min: i64, max: i64) -> Value {
    json!({ "type": "integer", "minimum": min, "maximum": max })
}

pub fn pattern(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": text::whole(pattern) })
}

pub fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

/// One of these words; nothing where there are none.
pub fn words<T: serde::Serialize>(words: &[T]) -> Value {
    if words.is_empty() { nothing() } else { json!({ "enum": words }) }
}

/// What no value is.
pub fn nothing() -> Value {
    json!({ "not": {} })
}

pub fn per_node(measure: Measure) -> Value {
    let name = name_of(measure);
    let one = json!({ "$ref": format!("#/definitions/signed-{name}") });
    let drawn = json!({ "$ref": format!("#/definitions/drawn-signed-{name}") });
    json!({ "anyOf": [one, list(one.clone()), drawn] })
}
