//! The JSON Schema (draft 7) of scenario files, for editors that complete and check them.
//!
//! It is made of the same tables as everything else: [`grammar`](crate::vocabulary::grammar) for the
//! format, the lab's rows for faults and checks, the systems' rows for settings and names. It says
//! less than the compiler, never more: what it refuses, the compiler refuses too. It says all that
//! there is to say about the shape: which fields there are, what each may hold, and which units. What
//! it leaves to the compiler is what one part of a file says about another.

mod quantities;
mod rows;
mod shapes;
mod text;

#[cfg(test)]
mod tests;

use crate::Lab;
use crate::kinds::{CheckRow, FaultRow, Row};
use crate::vocabulary::grammar::{Choice, Field, Form, Layout, PLACES, TABLES, TOP};
use rows::{kind_of, of_field};
use serde_json::{Map, Value, json};
use shapes::of_shape;

/// The schema of the files that `lab` reads.
#[must_use]
pub fn schema(lab: &Lab<'_>) -> Value {
    let mut properties = fields(TOP.fields, lab);
    for layout in TABLES {
        properties.insert(layout.key.to_owned(), table(layout, lab));
    }
    properties.insert("tuning".to_owned(), tuning(lab));
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A scenario of the chaos lab",
        "type": "object",
        "additionalProperties": false,
        "required": TOP.required,
        "properties": properties,
        "definitions": quantities::definitions(lab),
    })
}

fn fields(fields: &[Field], lab: &Lab<'_>) -> Map<String, Value> {
    let field = |(name, shape, about): &Field| {
        let described = described(of_shape(name, *shape, lab), about);
        ((*name).to_owned(), described)
    };
    fields.iter().map(field).collect()
}

fn described(schema: Value, about: &str) -> Value {
    let mut schema = schema;
    if let Value::Object(map) = &mut schema {
        map.insert("description".to_owned(), json!(about));
    }
    schema
}

fn table(layout: &Layout, lab: &Lab<'_>) -> Value {
    let one = match layout.key {
        "fault" => {
            json!({ "oneOf": lab.faults.iter().map(|kind| fault(layout, kind, lab)).collect::<Vec<_>>() })
        }
        "check" => {
            json!({ "oneOf": lab.checks.iter().map(|kind| check(layout, kind, lab)).collect::<Vec<_>>() })
        }
        _ => closed(fields(layout.fields, lab), layout.required, layout.choices),
    };
    match layout.form {
        Form::One => one,
        Form::PerName => named(one),
        Form::PerNameOf(shape) => named(of_shape(layout.key, shape, lab)),
        Form::List => json!({ "type": "array", "items": one }),
    }
}

/// A table with a value of the shape for each name.
fn named(one: Value) -> Value {
    json!({
        "type": "object",
        "propertyNames": { "pattern": text::whole(text::NAME) },
        "additionalProperties": one,
    })
}

/// A table without other fields.
fn closed(properties: Map<String, Value>, required: &[&str], choices: &[Choice]) -> Value {
    assert!(required.iter().all(|name| properties.contains_key(*name)), "{required:?} are fields");
    let mut schema = json!({
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    });
    if !choices.is_empty() {
        schema["allOf"] = choices.iter().map(chosen).collect();
    }
    schema
}

fn chosen(choice: &Choice) -> Value {
    let each = |names: &[&str]| -> Value {
        names.iter().map(|name| json!({ "required": [name] })).collect()
    };
    match choice {
        Choice::One(names) => json!({ "oneOf": each(names) }),
        Choice::AtLeastOne(names) => json!({ "anyOf": each(names) }),
        Choice::AtMostOne(names) => {
            let pairs = names.iter().enumerate().flat_map(|(at, one)| {
                names[at + 1..].iter().map(move |other| json!({ "required": [one, other] }))
            });
            json!({ "not": { "anyOf": pairs.collect::<Vec<_>>() } })
        }
    }
}

fn fault(layout: &Layout, kind: &FaultRow, lab: &Lab<'_>) -> Value {
    let fields = kind.row.fields;
    let may = |name: &&str| fields.iter().any(|field| field.name == *name && !field.required);
    let place = PLACES.iter().all(may).then_some(Choice::One(PLACES));
    let choices: Vec<Choice> = layout.choices.iter().copied().chain(place).collect();
    of_kind(layout, &kind.row, &choices, lab)
}

fn check(layout: &Layout, kind: &CheckRow, lab: &Lab<'_>) -> Value {
    let limits = (!kind.limits.is_empty()).then_some(Choice::AtLeastOne(kind.limits));
    let choices: Vec<Choice> = layout.choices.iter().copied().chain(limits).collect();
    of_kind(layout, &kind.row, &choices, lab)
}

/// The closed table of a kind, told from the others by `kind`.
fn of_kind(layout: &Layout, row: &Row, choices: &[Choice], lab: &Lab<'_>) -> Value {
    let mut properties = fields(layout.fields, lab);
    let named = json!({ "const": row.name, "description": row.about });
    properties.insert("kind".to_owned(), named);
    let mut required = layout.required.to_vec();
    for field in row.fields {
        let schema = described(of_field(&field.kind, lab), field.about);
        properties.insert(field.name.to_owned(), schema);
        if field.required {
            required.push(field.name);
        }
    }
    closed(properties, &required, choices)
}

/// The settings of every role of every system: which of them a group has, a schema cannot know.
fn tuning(lab: &Lab<'_>) -> Value {
    let mut properties: Map<String, Value> = Map::new();
    let roles = lab.systems.iter().flat_map(|system| system.roles());
    for row in roles.flat_map(|role| role.settings) {
        let schema = described(kind_of(&row.kind), row.about);
        match properties.get_mut(row.name) {
            None => {
                properties.insert(row.name.to_owned(), schema);
            }
            Some(known) if *known == schema => {}
            // Two roles mean different things by one name.
            Some(known) => {
                let both = vec![known.take(), schema];
                *known = json!({ "anyOf": both });
            }
        }
    }
    named(closed(properties, &[], &[]))
}
