//! What fields may hold that name rows: of the systems, of the kinds of faults and checks.

use super::quantities::{
    MEASURES, drawn_name, factor, int, list, nothing, one, pattern, quantity, range, words,
};
use super::{closed, described, text};
use crate::Lab;
use crate::ask::Ask;
use crate::kinds::{CLIENT_OPS, FieldKind, Source};
use crate::syntax::units::Measure;
use crate::vocabulary::grammar::Shape;
use catalog::{Kind, System};
use serde_json::{Map, Value, json};

/// Shapes that name rows of the lab.
pub fn of_rows(name: &str, shape: Shape, lab: &Lab<'_>) -> Value {
    match shape {
        Shape::System => words(&lab.systems.iter().map(|system| system.name()).collect::<Vec<_>>()),
        Shape::Role => {
            let roles = |system: &dyn System| system.roles().iter().map(|role| role.name).collect();
            words(&names_of(lab, roles, |name| *name != "client"))
        }
        Shape::Uses => uses(lab),
        Shape::Defects => list(words(&names_of(
            lab,
            |system| system.defects().iter().map(|row| row.name).collect(),
            |_| true,
        ))),
        Shape::EventName => events(lab),
        Shape::PredicateName => words(&predicates(lab)),
        Shape::Calls => words(&asks(lab)),
        Shape::Steps => {
            json!({ "type": "array", "minItems": 1, "maxItems": 100, "items": words(&asks(lab)) })
        }
        Shape::Weights => {
            let weight = |name: &str| (name.to_owned(), quantity(Measure::Count));
            closed(asks(lab).into_iter().map(weight).collect(), &[], &[])
        }
        Shape::Arguments => {
            let rows = operations(lab).into_iter().flat_map(|(_, arguments)| arguments);
            closed(joined(rows), &[], &[])
        }
        Shape::ArgumentsOf => {
            let one = |(name, rows): (String, Vec<(String, Value)>)| {
                (name, closed(joined(rows.into_iter()), &[], &[]))
            };
            closed(joined(operations(lab).into_iter().map(one)), &[], &[])
        }
        Shape::Workload => {
            let own = lab.workloads.iter().map(|kind| kind.name());
            words(&own.chain([crate::workload::GENERAL]).collect::<Vec<_>>())
        }
        Shape::Setting => setting(name, lab),
        other => unreachable!("{other:?} names no row"),
    }
}

/// Properties by name; where two mean different things by one name, either.
fn joined(rows: impl Iterator<Item = (String, Value)>) -> Map<String, Value> {
    let mut found: Map<String, Value> = Map::new();
    for (name, schema) in rows {
        match found.get_mut(&name) {
            Some(known) if *known != schema => {
                let both = vec![known.take(), schema];
                *known = json!({ "anyOf": both });
            }
            _ => {
                found.insert(name, schema);
            }
        }
    }
    found
}

/// Operations and verbs of all systems, each with its arguments.
fn operations(lab: &Lab<'_>) -> Vec<(String, Vec<(String, Value)>)> {
    let all = lab.systems.iter().flat_map(|system| {
        Ask::names(*system).into_iter().filter_map(|name| Ask::named(*system, name))
    });
    let argument = |row: &catalog::Argument| {
        let number = json!({ "type": "integer", "minimum": row.min, "maximum": row.max });
        let drawn = json!({ "$ref": format!("#/definitions/{}", drawn_name(Measure::Count)) });
        let either = json!({ "anyOf": [number, range(&one(Measure::Count)), drawn] });
        (row.name.to_owned(), described(either, row.about))
    };
    let with = |ask: &Ask| !ask.arguments().is_empty();
    let row = |ask: Ask| (ask.name.to_owned(), ask.arguments().iter().map(argument).collect());
    all.filter(with).map(row).collect()
}

fn uses(lab: &Lab<'_>) -> Value {
    let roles = |system: &'static dyn System| {
        system.roles().iter().flat_map(|role| role.uses).copied().collect()
    };
    let keys = names_of(lab, roles, |_| true);
    let one = |key: &str| (key.to_owned(), pattern(&text::nodes()));
    closed(keys.into_iter().map(one).collect(), &[], &[])
}

fn asks(lab: &Lab<'_>) -> Vec<&'static str> {
    names_of(lab, Ask::names, |_| true)
}

fn event_names(lab: &Lab<'_>) -> Vec<&'static str> {
    names_of(lab, |system| system.events().iter().map(|row| row.name).collect(), |_| true)
}

/// One of the events of some system.
pub fn events(lab: &Lab<'_>) -> Value {
    words(&event_names(lab))
}

fn gauges(lab: &Lab<'_>) -> Vec<&'static str> {
    names_of(lab, |system| system.gauges().iter().map(|row| row.name).collect(), |_| true)
}

fn predicates(lab: &Lab<'_>) -> Vec<&'static str> {
    names_of(lab, |system| system.predicates().iter().map(|row| row.name).collect(), |_| true)
}

/// Names of all systems of the lab, sorted, each once.
fn names_of(
    lab: &Lab<'_>,
    rows: impl Fn(&'static dyn System) -> Vec<&'static str>,
    wanted: impl Fn(&&'static str) -> bool,
) -> Vec<&'static str> {
    let mut names: Vec<&str> =
        lab.systems.iter().flat_map(|system| rows(*system)).filter(wanted).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// What the clients of some system take for the setting `name`.
fn setting(name: &str, lab: &Lab<'_>) -> Value {
    let roles = lab.systems.iter().flat_map(|system| system.roles());
    let clients = roles.filter(|role| role.name == "client");
    let rows = clients.flat_map(|role| role.settings).filter(|row| row.name == name);
    let found = joined(rows.map(|row| (name.to_owned(), kind_of(&row.kind))));
    found.get(name).cloned().unwrap_or_else(nothing)
}

/// What a field of a kind of fault or check may hold.
pub fn of_field(kind: &FieldKind, lab: &Lab<'_>) -> Value {
    match kind {
        FieldKind::Plain(kind) => kind_of(kind),
        FieldKind::Factor => factor(),
        FieldKind::Amount => amount(lab),
        FieldKind::Sides => {
            let side = json!({
                "type": "array",
                "minItems": 1,
                "items": pattern(&text::selector()),
            });
            json!({ "type": "array", "minItems": 2, "maxItems": 100, "items": side })
        }
        FieldKind::Link => {
            let ends = ["from", "to"];
            let properties = ends.map(|end| (end.to_owned(), pattern(&text::selector())));
            closed(properties.into_iter().collect(), &ends, &[])
        }
        FieldKind::Event => events(lab),
        FieldKind::Gauge => words(&gauges(lab)),
        FieldKind::Measured(sources) => measured(sources, lab),
        FieldKind::Predicates => {
            let mut names = predicates(lab);
            names.push(crate::SETTLED);
            json!({ "type": "array", "minItems": 1, "items": words(&names) })
        }
        FieldKind::Labels(_) => {
            let labels = |system: &'static dyn System| {
                system.events().iter().flat_map(|row| row.labels).copied().collect()
            };
            let mut names = names_of(lab, labels, |_| true);
            names.push("node");
            list(words(&names))
        }
        FieldKind::Model => words(lab.models),
        FieldKind::Selector => pattern(&text::selector()),
        FieldKind::Clients => pattern(&text::clients()),
        FieldKind::Group | FieldKind::Phase => pattern(text::NAME),
        FieldKind::Invariant => json!({ "type": "string" }),
        FieldKind::Moment => pattern(&text::any_moment()),
    }
}

/// An amount of whatever is measured, or a count that says what it counts.
fn amount(lab: &Lab<'_>) -> Value {
    let measures = MEASURES.iter().filter(|measure| **measure != Measure::Bandwidth);
    let mut either: Vec<Value> = measures.map(|measure| quantity(*measure)).collect();
    let units = |system: &'static dyn System| {
        let gauges = system.gauges().iter().map(|row| row.unit);
        gauges.chain(system.events().iter().map(|row| row.unit)).collect()
    };
    let units = names_of(lab, units, |unit| !unit.is_empty());
    if !units.is_empty() {
        either.push(pattern(&text::counted(&units)));
    }
    json!({ "anyOf": either })
}

fn measured(sources: &[Source], lab: &Lab<'_>) -> Value {
    let mut names = Vec::new();
    let mut of_clients: Vec<&str> = Vec::new();
    for source in sources {
        match source {
            Source::Gauge => names.extend(gauges(lab)),
            Source::Event => names.extend(event_names(lab)),
            Source::Ops => of_clients.extend(CLIENT_OPS),
            Source::Latency => of_clients.push("latency"),
        }
    }
    names.sort_unstable();
    names.dedup();
    let mut either = vec![words(&names)];
    if !of_clients.is_empty() {
        let ends = of_clients.join("|");
        either.push(pattern(&format!("{}\\.({ends})", text::clients())));
    }
    json!({ "anyOf": either })
}

/// What a setting may hold.
pub fn kind_of(kind: &Kind) -> Value {
    match kind {
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Int { min, max } => {
            let drawn = json!({ "$ref": format!("#/definitions/{}", drawn_name(Measure::Count)) });
            json!({ "anyOf": [int(*min, *max), drawn] })
        }
        Kind::Ratio => quantity(Measure::Ratio),
        Kind::Duration { .. } | Kind::Dist => quantity(Measure::Duration),
        Kind::Bytes => quantity(Measure::Bytes),
        Kind::Rate => quantity(Measure::Rate),
        Kind::Choice(known) => words(known),
        Kind::Range => range(&one(Measure::Duration)),
        Kind::Text => json!({ "type": "string" }),
        Kind::List(inner) => {
            json!({ "type": "array", "maxItems": 1_000, "items": kind_of(inner) })
        }
    }
}
