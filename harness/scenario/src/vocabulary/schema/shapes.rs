//! What single fields of the format may hold.

use super::quantities::{
    MEASURES, drawn_name, factor, int, list, made_of, nothing, one, pattern, per_node, quantity,
    words,
};
use super::{closed, fields, rows, text};
use crate::Lab;
use crate::syntax::units::Measure;
use crate::vocabulary::grammar::{Nested, Shape};
use serde_json::{Value, json};

/// What a field of the format may hold.
pub fn of_shape(name: &str, shape: Shape, lab: &Lab<'_>) -> Value {
    match shape {
        Shape::Text => json!({ "type": "string" }),
        Shape::Name => pattern(text::NAME),
        Shape::Names => list(pattern(text::NAME)),
        Shape::Path => json!({
            "type": "string",
            "maxLength": 200,
            "pattern": text::whole(text::PATH),
        }),
        Shape::Seed => json!({ "anyOf": [one(Measure::Count), pattern(&text::seed())] }),
        Shape::Quantity(measure) => quantity(measure),
        Shape::Plain(measure) => one(measure),
        Shape::PerNode(measure) => per_node(measure),
        Shape::Int(min, max) => int(min, max),
        Shape::Factor => factor(),
        Shape::Moment | Shape::Start | Shape::End | Shape::Event | Shape::Interval => {
            of_time(shape)
        }
        Shape::Nodes => pattern(&text::nodes()),
        Shape::Client => pattern(&text::member()),
        Shape::Stream => pattern(&text::stream()),
        Shape::During => pattern(&text::during()),
        Shape::Words(known) => words(known),
        Shape::Texts => list(json!({ "type": "string" })),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Expected => {
            json!({ "anyOf": [int(1, i64::from(u32::MAX)), { "const": "nothing" }] })
        }
        Shape::Bandwidths => bandwidths(),
        Shape::Axes => json!({ "type": "object", "additionalProperties": axis() }),
        Shape::Redraws => json!({ "type": "object", "additionalProperties": redraw() }),
        Shape::Edits => json!({ "type": "object" }),
        Shape::Table(nested) => nested_table(nested, lab),
        Shape::Tables(nested) => list(nested_table(nested, lab)),
        Shape::TableOrTables(nested) => {
            let one = nested_table(nested, lab);
            json!({ "anyOf": [one, list(one.clone())] })
        }
        Shape::Reserved => nothing(),
        _ => rows::of_rows(name, shape, lab),
    }
}

fn of_time(shape: Shape) -> Value {
    let moment = pattern(&text::moment());
    match shape {
        Shape::Moment => moment,
        Shape::Interval => pattern(&text::interval()),
        Shape::Start => {
            let drawn =
                json!({ "$ref": format!("#/definitions/{}", drawn_name(Measure::Duration)) });
            json!({ "anyOf": [moment, drawn] })
        }
        Shape::End => json!({ "anyOf": [moment, { "$ref": "#/definitions/event" }] }),
        _ => json!({ "$ref": "#/definitions/event" }),
    }
}

/// One for all links, or one for each of some.
fn bandwidths() -> Value {
    let by_link = json!({
        "type": "object",
        "propertyNames": { "pattern": text::whole("default|.*->.*") },
        "additionalProperties": quantity(Measure::Bandwidth),
    });
    json!({ "anyOf": [quantity(Measure::Bandwidth), by_link] })
}

/// A list of values, or steps from one quantity to another.
fn axis() -> Value {
    let steps = |measure: Measure| {
        let parts = ["from", "to", "step"];
        let properties = parts.map(|part| (part.to_owned(), one(measure)));
        closed(properties.into_iter().collect(), &parts, &[])
    };
    let values = json!({ "type": "array", "minItems": 1 });
    let either: Vec<Value> = [values].into_iter().chain(MEASURES.map(steps)).collect();
    json!({ "anyOf": either })
}

/// A distribution of anything.
fn redraw() -> Value {
    let drawn = |measure| json!({ "$ref": format!("#/definitions/{}", drawn_name(measure)) });
    let values = json!({ "type": "array", "minItems": 1 });
    let choice = made_of("choice", &[("values", values)], &["values"]);
    let either: Vec<Value> = MEASURES.map(drawn).into_iter().chain([choice]).collect();
    json!({ "anyOf": either })
}

fn nested_table(nested: &Nested, lab: &Lab<'_>) -> Value {
    closed(fields(nested.fields, lab), nested.required, &[])
}

/// `{ event, node, nth }`, or `{ all = [..] }`, or `{ any = [..] }`.
pub fn event(lab: &Lab<'_>) -> Value {
    let happens = [
        ("event".to_owned(), rows::events(lab)),
        ("node".to_owned(), pattern(&text::selector())),
        ("nth".to_owned(), int(1, i64::from(u32::MAX))),
    ];
    let mut either = vec![closed(happens.into_iter().collect(), &["event"], &[])];
    for word in ["all", "any"] {
        let parts = json!({ "$ref": "#/definitions/event" });
        let some = json!({ "type": "array", "minItems": 1, "maxItems": 100, "items": parts });
        either.push(closed([(word.to_owned(), some)].into_iter().collect(), &[word], &[]));
    }
    json!({ "oneOf": either })
}
