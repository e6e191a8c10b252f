//! The JSON Schema (draft 7) of scenario files, for editors that complete and check them.
//!
//! It is made of the same tables as everything else: [`layout`](crate::vocabulary::grammar) for the format, the
//! lab's rows for faults and checks, the systems' rows for settings and names. It says less than
//! the compiler, never more: what it refuses, the compiler refuses too.

use crate::Lab;
use crate::ask::Ask;
use crate::kinds::{FieldKind, Row};
use crate::syntax::units::Measure;
use crate::vocabulary::grammar::{Field, Form, Layout, Shape, TABLES, TOP};
use catalog::{Kind, System};
use serde_json::{Map, Value, json};

/// The schema of the files that `lab` reads.
#[must_use]
pub fn schema(lab: &Lab<'_>) -> Value {
    let mut properties = fields(TOP.fields, lab);
    for layout in TABLES {
        properties.insert(layout.key.to_owned(), table(layout, lab));
    }
    let names = |name: &str, found: Vec<&str>| (name.to_owned(), json!({ "enum": found }));
    properties.extend([("phases".to_owned(), json!({ "type": "object" }))]);
    properties.extend([("tuning".to_owned(), tuning(lab))]);
    properties.extend([names("system", lab.systems.iter().map(|s| s.name()).collect())]);
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A scenario of the chaos lab",
        "type": "object",
        "additionalProperties": false,
        "required": TOP.required,
        "properties": properties,
        "definitions": definitions(),
    })
}

fn definitions() -> Value {
    let mut found = Map::new();
    let measures =
        [Measure::Duration, Measure::Bytes, Measure::Ratio, Measure::Rate, Measure::Bandwidth];
    for measure in measures {
        let units = measure.units().join("|");
        let pattern = format!("^[0-9][0-9_]*(\\.[0-9_]+)? ?({units})$");
        let quantity = json!({
            "type": "string",
            "pattern": pattern,
            "description": format!("{}; units: {}", measure.noun(), measure.units().join(", ")),
        });
        found.insert(name_of(measure).to_owned(), quantity);
    }
    let words = crate::read::dist::WORDS;
    let distribution = json!({
        "type": "object",
        "required": ["dist"],
        "properties": { "dist": { "enum": words } },
    });
    found.insert("distribution".to_owned(), distribution);
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

/// A quantity, or a distribution that it is drawn from.
fn quantity(measure: Measure) -> Value {
    let one = match measure {
        Measure::Count => json!({ "type": "integer", "minimum": 0 }),
        other => json!({ "$ref": format!("#/definitions/{}", name_of(other)) }),
    };
    json!({ "anyOf": [one, { "$ref": "#/definitions/distribution" }] })
}

fn fields(fields: &[Field], lab: &Lab<'_>) -> Map<String, Value> {
    let field = |(name, shape, about): &Field| {
        let described = described(shape_of(*shape, lab), about);
        ((*name).to_owned(), described)
    };
    fields.iter().map(field).collect()
}

fn shape_of(shape: Shape, lab: &Lab<'_>) -> Value {
    let asks = || names_of(lab, Ask::names);
    match shape {
        Shape::Calls => json!({ "enum": asks() }),
        Shape::Steps => json!({ "type": "array", "items": { "enum": asks() } }),
        Shape::Workload => {
            let own = lab.workloads.iter().map(|kind| kind.name());
            let names: Vec<&str> = own.chain([crate::workload::GENERAL]).collect();
            json!({ "enum": names })
        }
        Shape::Weights => {
            let weight = |name: &str| (name.to_owned(), quantity(Measure::Count));
            let properties: Map<String, Value> = asks().into_iter().map(weight).collect();
            closed(properties, &[])
        }
        Shape::Text => json!({ "type": "string" }),
        Shape::Quantity(measure) => quantity(measure),
        Shape::Words(words) => json!({ "enum": words }),
        Shape::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Inner => json!({ "type": "object" }),
        Shape::Inners => json!({ "type": "array", "items": { "type": "object" } }),
        Shape::Mixed => json!({}),
    }
}

fn described(schema: Value, about: &str) -> Value {
    let mut schema = schema;
    if let Value::Object(map) = &mut schema {
        map.insert("description".to_owned(), json!(about));
    }
    schema
}

fn table(layout: &Layout, lab: &Lab<'_>) -> Value {
    let events = names_of(lab, |system| system.events().iter().map(|row| row.name).collect());
    let one = match layout.key {
        "fault" => kinds(layout, lab.faults.iter().map(|kind| &kind.row), lab),
        "check" => kinds(layout, lab.checks.iter(), lab),
        _ => {
            let mut properties = fields(layout.fields, lab);
            if layout.key == "cover" {
                properties.insert("event".to_owned(), json!({ "enum": events }));
            }
            closed(properties, layout.required)
        }
    };
    match layout.form {
        Form::One => one,
        Form::PerName => json!({ "type": "object", "additionalProperties": one }),
        Form::List => json!({ "type": "array", "items": one }),
    }
}

fn closed(properties: Map<String, Value>, required: &[&str]) -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    })
}

/// One closed table per kind, told apart by `kind`.
fn kinds<'a>(layout: &Layout, rows: impl Iterator<Item = &'a Row>, lab: &Lab<'_>) -> Value {
    let kind = |row: &Row| {
        let mut properties = fields(layout.fields, lab);
        let named = json!({ "const": row.name, "description": row.about });
        properties.insert("kind".to_owned(), named);
        let mut required = layout.required.to_vec();
        for field in row.fields {
            let schema = described(field_of(&field.kind, lab), field.about);
            properties.insert(field.name.to_owned(), schema);
            if field.required {
                required.push(field.name);
            }
        }
        closed(properties, &required)
    };
    json!({ "oneOf": rows.map(kind).collect::<Vec<Value>>() })
}

fn field_of(kind: &FieldKind, lab: &Lab<'_>) -> Value {
    let selectors = json!({ "type": "array", "items": { "type": "string" } });
    match kind {
        FieldKind::Plain(kind) => kind_of(kind),
        FieldKind::Factor => json!({ "type": "number", "minimum": 0 }),
        FieldKind::Amount => json!({ "type": ["string", "integer", "object"] }),
        FieldKind::Sides => json!({ "type": "array", "minItems": 2, "items": selectors }),
        FieldKind::Link => json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["from", "to"],
            "properties": { "from": { "type": "string" }, "to": { "type": "string" } },
        }),
        FieldKind::Event => json!({ "enum": names_of(lab, |system| {
            system.events().iter().map(|row| row.name).collect()
        }) }),
        FieldKind::Gauge => json!({ "enum": names_of(lab, |system| {
            system.gauges().iter().map(|row| row.name).collect()
        }) }),
        FieldKind::Predicates => {
            let mut names =
                names_of(lab, |system| system.predicates().iter().map(|row| row.name).collect());
            names.push(crate::SETTLED);
            json!({ "type": "array", "items": { "enum": names } })
        }
        FieldKind::Labels(_) => json!({ "type": "array", "items": { "type": "string" } }),
        FieldKind::Model => json!({ "enum": lab.models }),
        FieldKind::Selector
        | FieldKind::Clients
        | FieldKind::Measured(_)
        | FieldKind::Group
        | FieldKind::Phase
        | FieldKind::Invariant
        | FieldKind::Moment => json!({ "type": "string" }),
    }
}

/// Names of all systems of the lab, sorted, each once.
fn names_of(
    lab: &Lab<'_>,
    rows: impl Fn(&'static dyn System) -> Vec<&'static str>,
) -> Vec<&'static str> {
    let mut names: Vec<&str> = lab.systems.iter().flat_map(|system| rows(*system)).collect();
    names.sort_unstable();
    names.dedup();
    names
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
    let group = closed(properties, &[]);
    json!({ "type": "object", "additionalProperties": group })
}

fn kind_of(kind: &Kind) -> Value {
    match kind {
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Int { min, max } => json!({ "anyOf": [
            { "type": "integer", "minimum": min, "maximum": max },
            { "$ref": "#/definitions/distribution" },
        ] }),
        Kind::Ratio => quantity(Measure::Ratio),
        Kind::Duration { .. } | Kind::Dist => quantity(Measure::Duration),
        Kind::Bytes => quantity(Measure::Bytes),
        Kind::Rate => quantity(Measure::Rate),
        Kind::Choice(words) => json!({ "enum": words }),
        Kind::Range => json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["min", "max"],
            "properties": {
                "min": { "$ref": "#/definitions/duration" },
                "max": { "$ref": "#/definitions/duration" },
            },
        }),
        Kind::Text => json!({ "type": "string" }),
        Kind::List(inner) => json!({ "type": "array", "items": kind_of(inner) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::tree::{self, Item, parse_document};
    use crate::test_lab::LAB;

    /// As much of a validator as the schema needs: whether `item` fits, and where it does not.
    fn fits(item: &Item, schema: &Value, root: &Value, at: &str) -> Result<(), String> {
        if let Some(name) = schema["$ref"].as_str() {
            let target = root.pointer(name.trim_start_matches('#'));
            return fits(item, target.ok_or_else(|| format!("{name} is missing"))?, root, at);
        }
        for key in ["anyOf", "oneOf"] {
            if let Some(choices) = schema[key].as_array() {
                let fit = choices.iter().filter(|c| fits(item, c, root, at).is_ok());
                let count = fit.count();
                let good = if key == "oneOf" { count == 1 } else { count > 0 };
                return if good { Ok(()) } else { Err(format!("{at}: {count} of {key} fit")) };
            }
        }
        match (&item.value, schema["type"].as_str()) {
            (tree::Value::Text(_), Some("string"))
            | (tree::Value::Int(_), Some("integer"))
            | (tree::Value::Bool(_), Some("boolean")) => Ok(()),
            (tree::Value::List(items), Some("array")) => {
                items.iter().try_for_each(|item| fits(item, &schema["items"], root, at))
            }
            (tree::Value::Table(table), Some("object")) => {
                for name in schema["required"].as_array().into_iter().flatten() {
                    let name = name.as_str().unwrap_or_default();
                    table.get(name).ok_or_else(|| format!("{at}: {name} is missing"))?;
                }
                for entry in table.entries.iter() {
                    let named = &schema["properties"][&entry.key];
                    let inner =
                        if named.is_null() { &schema["additionalProperties"] } else { named };
                    let at = format!("{at}.{}", entry.key);
                    match inner {
                        Value::Bool(false) => return Err(format!("{at} is not a property")),
                        Value::Null => {}
                        inner => fits(&entry.item, inner, root, &at)?,
                    }
                }
                Ok(())
            }
            (_, Some(other)) => Err(format!("{at} is not of type {other}")),
            (tree::Value::Text(text), None) => {
                let words = schema["enum"].as_array();
                let known = words.is_none_or(|words| words.iter().any(|w| w == text.as_str()));
                let same = schema["const"].as_str().is_none_or(|word| word == text);
                if known && same { Ok(()) } else { Err(format!("{at}: {text} is not known")) }
            }
            (_, None) => Ok(()),
        }
    }

    #[test]
    fn the_schema_accepts_what_the_compiler_accepts() {
        let root = schema(&LAB);
        let text = include_str!("../testdata/good.toml");
        let (table, _) = parse_document(text);
        let item = Item { span: tree::Span::default(), value: tree::Value::Table(table) };
        assert_eq!(fits(&item, &root, &root, ""), Ok(()));
    }

    #[test]
    fn the_schema_refuses_what_is_misspelt() {
        let root = schema(&LAB);
        let check = |from: &str, to: &str| {
            let text = include_str!("../testdata/good.toml").replace(from, to);
            let item = Item {
                span: tree::Span::default(),
                value: tree::Value::Table(parse_document(&text).0),
            };
            assert!(fits(&item, &root, &root, "").is_err(), "{to}");
        };
        check("heartbeat =", "heart_beat =");
        check("kind  = \"partition\"", "kind  = \"partitoin\"");
        check("sim_time     = \"20s\"", "events_ = 3");
        check("role  = \"cache\"", "roll  = \"cache\"");
        check("mode  = \"hold\"", "mode  = \"held\"");
    }

    #[test]
    fn the_schema_is_the_same_each_time() {
        assert_eq!(schema(&LAB).to_string(), schema(&LAB).to_string());
    }
}
