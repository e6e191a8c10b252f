//! Fields that the rows of the tables of faults and checks declare.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::{E0105, E0201, E0206, E0403, E0507};
use crate::kinds::{CLIENT_OPS, FieldKind, Row, Source};
use crate::read::context::Context;
use crate::read::dist;
use crate::read::fields::Fields;
use crate::read::time_point;
use crate::read::value;
use crate::syntax::tree::{Item, Span, Value, parse_value};
use crate::syntax::units::Measure;
use crate::vocabulary::selector::{self, Resolved, Selector};
use crate::vocabulary::symbols::GroupName;
use catalog::{Group, Kind, SettingValue, Settings, System};
use contract::NodeId;

/// The most sides of a partition.
const SIDES_MAX: usize = 100;

/// The fields of `row` out of `fields`, defaults filled in.
pub fn read(cx: &mut Context<'_>, fields: &mut Fields<'_>, row: &Row) -> Settings {
    let mut settings = Settings::default();
    for field in row.fields {
        let value = match fields.get(field.name) {
            Some(item) => match field.kind {
                FieldKind::Labels(of) => {
                    let event = fields.get(of);
                    labels(cx, item, event)
                }
                _ => self::value(cx, &fields.path_of(field.name), item, &field.kind),
            },
            None if field.required => {
                fields.missing(cx, field.name, field.about);
                continue;
            }
            None if field.default.is_empty() => continue,
            None => default(cx, field.name, field.default, &field.kind),
        };
        if let Some(value) = value {
            settings.0.insert(field.name, value);
        }
    }
    settings
}

fn default(cx: &mut Context<'_>, name: &str, text: &str, kind: &FieldKind) -> Option<SettingValue> {
    match kind {
        FieldKind::Plain(kind) => value::default(cx, name, text, kind),
        FieldKind::Amount => amount(cx, name, &parse_value(text, 0, 0)),
        FieldKind::Factor => factor(cx, name, &parse_value(text, 0, 0)),
        _ => Some(SettingValue::Text(text.to_owned())),
    }
}

/// A value of `kind`; every name is looked up.
fn value(cx: &mut Context<'_>, path: &str, item: &Item, kind: &FieldKind) -> Option<SettingValue> {
    let kept = |text: &str| Some(SettingValue::Text(text.to_owned()));
    match kind {
        FieldKind::Plain(kind) => return value::setting(cx, path, item, kind),
        FieldKind::Amount => return amount(cx, path, item),
        FieldKind::Factor => return factor(cx, path, item),
        FieldKind::Sides => return sides(cx, item),
        FieldKind::Link => return link(cx, item),
        FieldKind::Predicates => return predicates(cx, item),
        _ => {}
    }
    let text = value::text(cx, item, path.rsplit('.').next().unwrap_or(path))?;
    let span = item.span;
    match kind {
        FieldKind::Selector => {
            selector::read(cx, text, span, Resolved::InRun)?;
        }
        FieldKind::Clients => clients(cx, text, span)?,
        FieldKind::Group => group(cx, text, span)?,
        FieldKind::Phase => {
            time_point::phase(cx, text, span)?;
        }
        FieldKind::Invariant => {
            let names = invariants(cx);
            named(cx, "invariant", text, span, &names)?;
            can_look(cx, text, span)?;
        }
        FieldKind::Event => {
            event(cx, text, span)?;
        }
        FieldKind::Gauge => {
            let systems = cx.names.systems();
            let rows = systems.iter().flat_map(|system| system.gauges());
            let names: Vec<&str> = rows.map(|row| row.name).collect();
            named(cx, "gauge", text, span, &names)?;
        }
        FieldKind::Measured(sources) => measured(cx, text, span, sources)?,
        FieldKind::Model => model(cx, text, span)?,
        FieldKind::Moment => time_point::any(cx, text, span)?,
        FieldKind::Plain(_)
        | FieldKind::Amount
        | FieldKind::Labels(_)
        | FieldKind::Factor
        | FieldKind::Sides
        | FieldKind::Link
        | FieldKind::Predicates => unreachable!("read above"),
    }
    kept(text)
}

/// A pure factor, in thousandths.
fn factor(cx: &mut Context<'_>, path: &str, item: &Item) -> Option<SettingValue> {
    const PPM_MAX: u32 = 4_000_000_000;
    let name = path.rsplit('.').next().unwrap_or(path);
    let ppm = value::factor(cx, item, name, PPM_MAX)?;
    if !ppm.is_multiple_of(1_000) {
        let message = format!("`{name}` has at most three decimals");
        cx.report(Diagnostic::error(E0105, message), item.span, "");
        return None;
    }
    Some(SettingValue::Int(i64::from(ppm / 1_000)))
}

/// An amount of whatever is measured; what it measures is told by its unit.
fn amount(cx: &mut Context<'_>, path: &str, item: &Item) -> Option<SettingValue> {
    let measured = dist::guess_measure(item).filter(|measure| *measure != Measure::Bandwidth);
    if let Some(measure) = measured {
        let kind = match measure {
            Measure::Count | Measure::Bandwidth => Kind::COUNT,
            Measure::Duration => Kind::DURATION,
            Measure::Bytes => Kind::Bytes,
            Measure::Ratio => Kind::Ratio,
            Measure::Rate => Kind::Rate,
        };
        return value::setting(cx, path, item, &kind);
    }
    let text = value::text(cx, item, path.rsplit('.').next().unwrap_or(path))?;
    // A count may name what it counts: a unit of some gauge or event.
    let Some((number, unit)) = text.split_once(' ') else {
        let message = format!("\"{text}\" is not an amount");
        let help = "a count, or a text such as \"64KiB\", \"5ms\", \"98%\", \"300/s\"";
        cx.report(Diagnostic::error(E0105, message).help(help), item.span, "");
        return None;
    };
    let systems = cx.names.systems();
    let gauges = systems.iter().flat_map(|system| system.gauges());
    let events = systems.iter().flat_map(|system| system.events());
    let gauge_units = gauges.map(|row| row.unit);
    let units: Vec<&str> = gauge_units.chain(events.map(|row| row.unit)).collect();
    let units: Vec<&str> = units.into_iter().filter(|unit| !unit.is_empty()).collect();
    named(cx, "unit", unit, item.span, &units)?;
    match Measure::Count.parse(number) {
        Ok(count) => i64::try_from(count).ok().map(SettingValue::Int),
        Err(why) => {
            value::not_a_quantity(cx, item.span, text, Measure::Count, &why);
            None
        }
    }
}

/// `text`, when it is one of `names` or when some system is not here to name them all.
fn named(cx: &mut Context<'_>, what: &str, text: &str, span: Span, names: &[&str]) -> Option<()> {
    if names.contains(&text) {
        return Some(());
    }
    if cx.names.blind {
        return None;
    }
    cx.unknown(what, text, span, names);
    None
}

fn clients(cx: &mut Context<'_>, text: &str, span: Span) -> Option<()> {
    let names = cx.names.group_names(true);
    let name = text.strip_prefix("clients.");
    if name.is_some_and(|name| names.contains(&name)) {
        return Some(());
    }
    let diagnostic = Diagnostic::error(E0206, format!("there are no clients `{text}`"));
    let near = crate::vocabulary::suggest::nearest(name.unwrap_or(text), names.iter().copied());
    let help = match near.or(names.first().copied()) {
        Some(near) => format!("did you mean `clients.{near}`?"),
        None => "the scenario has no `[clients.C]`".to_owned(),
    };
    cx.report(diagnostic.help(help), span, "");
    None
}

fn group(cx: &mut Context<'_>, text: &str, span: Span) -> Option<()> {
    let names = cx.names.group_names(false);
    if names.contains(&text) {
        return Some(());
    }
    let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
    time_point::no_such(cx, "group", text, span, &names);
    None
}

/// The names of the invariants that the systems of the scenario have for its groups.
fn invariants(cx: &Context<'_>) -> Vec<&'static str> {
    let mut next = 0_u32;
    let mut found = Vec::new();
    let mut groups: Vec<(&'static str, Group)> = Vec::new();
    for (name, group) in &cx.names.groups {
        // More groups than anybody writes still fit; a hostile count must not overflow.
        let count = group.count.min(crate::read::groups::COUNT_MAX as u32);
        let nodes = (next..next + count).map(NodeId).collect();
        next += count;
        let (Some(system), Some(role)) = (group.system, group.role) else {
            continue;
        };
        let group = Group { name: name.clone(), role: role.name, nodes, defects: Vec::new() };
        groups.push((system.name(), group));
    }
    for system in cx.names.systems() {
        let own = groups.iter().filter(|(name, _)| *name == system.name());
        let own: Vec<Group> = own.map(|(_, group)| group.clone()).collect();
        let invariants = system.invariants(&own);
        found.extend(invariants.iter().map(|invariant| invariant.property().name));
    }
    found
}

/// Reports an invariant that looks at roles that no group of the file has.
fn can_look(cx: &mut Context<'_>, name: &str, span: Span) -> Option<()> {
    let systems = cx.names.systems();
    let row = systems.iter().find_map(|system| {
        let row = system.properties().iter().find(|row| row.property.name == name)?;
        Some((*system, row.roles))
    });
    let Some((system, roles)) = row else { return Some(()) };
    touches(cx, system, roles, name, span)
}

/// Reports something that is about roles of a system that no group of the file has.
fn touches(
    cx: &mut Context<'_>,
    system: &'static dyn System,
    roles: &[&str],
    name: &str,
    span: Span,
) -> Option<()> {
    let fits = |group: &GroupName| {
        let is_its = group.system.is_some_and(|other| other.name() == system.name());
        // A role that is wrong is reported where it stands.
        is_its && group.role.is_none_or(|role| roles.contains(&role.name))
    };
    if cx.names.blind || roles.is_empty() || cx.names.groups.values().any(fits) {
        return Some(());
    }
    let roles: Vec<String> = roles.iter().map(|role| format!("\"{role}\"")).collect();
    let message = format!("no node of the file can touch `{name}`");
    let help = format!("it is about nodes with role = {}", roles.join(" or "));
    cx.report(Diagnostic::error(E0507, message).help(help), span, "");
    None
}

/// The system and the row of an event.
pub fn event(cx: &mut Context<'_>, text: &str, span: Span) -> Option<(&'static str, u16)> {
    let systems = cx.names.systems();
    for system in &systems {
        let row = system.events().iter().position(|row| row.name == text);
        if let Some(row) = row {
            let row = u16::try_from(row).expect("a table of events is short");
            return Some((system.name(), row));
        }
    }
    let rows = systems.iter().flat_map(|system| system.events());
    let names: Vec<&str> = rows.map(|row| row.name).collect();
    named(cx, "event", text, span, &names)?;
    None
}

/// The system and the row of a predicate.
pub fn predicate(cx: &mut Context<'_>, text: &str, span: Span) -> Option<(&'static str, u16)> {
    let systems = cx.names.systems();
    for system in &systems {
        let row = system.predicates().iter().position(|row| row.name == text);
        if let Some(row) = row {
            touches(cx, *system, system.predicates()[row].roles, text, span)?;
            let row = u16::try_from(row).expect("a table of predicates is short");
            return Some((system.name(), row));
        }
    }
    let rows = systems.iter().flat_map(|system| system.predicates());
    let names: Vec<&str> = rows.map(|row| row.name).collect();
    named(cx, "predicate", text, span, &names)?;
    None
}

fn predicates(cx: &mut Context<'_>, item: &Item) -> Option<SettingValue> {
    let mut found = Vec::new();
    for (text, span) in value::texts(cx, item, "a list of predicates") {
        if text != crate::SETTLED {
            predicate(cx, text, span)?;
        }
        found.push(SettingValue::Text(text.to_owned()));
    }
    if found.is_empty() && matches!(&item.value, Value::List(items) if items.is_empty()) {
        let diagnostic =
            Diagnostic::error(E0507, "no predicate is named, so there is nothing to wait for");
        cx.report(diagnostic, item.span, "");
        return None;
    }
    Some(SettingValue::List(found))
}

/// Something that a check measures.
fn measured(cx: &mut Context<'_>, text: &str, span: Span, sources: &[Source]) -> Option<()> {
    let has = |source| sources.contains(&source);
    if let Some(rest) = text.strip_prefix("clients.") {
        let (group, what) = rest.rsplit_once('.').unwrap_or((rest, ""));
        let ops = CLIENT_OPS.iter().copied().filter(|_| has(Source::Ops));
        let latency = ["latency"].into_iter().filter(|_| has(Source::Latency));
        let known: Vec<&str> = ops.chain(latency).collect();
        clients(cx, &format!("clients.{group}"), span)?;
        if known.contains(&what) {
            return Some(());
        }
        let names: Vec<String> =
            known.iter().map(|name| format!("clients.{group}.{name}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        cx.unknown("measure", text, span, &names);
        return None;
    }
    let systems = cx.names.systems();
    let gauges = systems.iter().flat_map(|system| system.gauges()).map(|row| row.name);
    let events = systems.iter().flat_map(|system| system.events()).map(|row| row.name);
    let gauges = gauges.filter(|_| has(Source::Gauge));
    let names: Vec<&str> = gauges.chain(events.filter(|_| has(Source::Event))).collect();
    let what = match (has(Source::Gauge), has(Source::Event)) {
        (true, true) => "gauge or event",
        (true, false) => "gauge",
        _ => "event",
    };
    named(cx, what, text, span, &names)
}

/// Labels of the event that `event` names.
fn labels(cx: &mut Context<'_>, item: &Item, event: Option<&Item>) -> Option<SettingValue> {
    let of = event.and_then(Item::as_text)?;
    let systems = cx.names.systems();
    let row = systems.iter().flat_map(|system| system.events()).find(|row| row.name == of);
    let mut known = row.map_or(&[][..], |row| row.labels).to_vec();
    known.push("node");
    let mut found = Vec::new();
    for (text, span) in value::texts(cx, item, "a list of labels") {
        named(cx, "label", text, span, &known)?;
        found.push(SettingValue::Text(text.to_owned()));
    }
    Some(SettingValue::List(found))
}

fn model(cx: &mut Context<'_>, text: &str, span: Span) -> Option<()> {
    if cx.lab.models.contains(&text) {
        return Some(());
    }
    let models = cx.lab.models;
    cx.unknown("model", text, span, models);
    None
}

fn link(cx: &mut Context<'_>, item: &Item) -> Option<SettingValue> {
    let mut fields = Fields::of(cx, item, "", "`link`")?;
    let from = fields.need(cx, "from", "a selector");
    let to = fields.need(cx, "to", "a selector");
    fields.finish(cx);
    let mut ends = Vec::new();
    let mut fixed = Vec::new();
    for end in [from?, to?] {
        let text = value::text(cx, end, "link")?;
        let selector = selector::read(cx, text, end.span, Resolved::InRun)?;
        fixed.push(selector.fixed(&cx.names));
        ends.push(SettingValue::Text(text.to_owned()));
    }
    if fixed[0].as_ref().is_some_and(|nodes| nodes.len() == 1) && fixed[0] == fixed[1] {
        let diagnostic = Diagnostic::error(E0403, "a link from a node to itself");
        cx.report(diagnostic, item.span, "");
        return None;
    }
    Some(SettingValue::List(ends))
}

fn sides(cx: &mut Context<'_>, item: &Item) -> Option<SettingValue> {
    let Value::List(sides) = &item.value else {
        let wanted = "`sides` is a list of lists: `[[\"h/1\"], [\"h/2\", \"h/3\"]]`";
        value::wrong_type(cx, item, wanted);
        return None;
    };
    if !(2..=SIDES_MAX).contains(&sides.len()) {
        let message = format!("a partition has from 2 to {SIDES_MAX} sides");
        cx.report(Diagnostic::error(E0201, message), item.span, "");
        return None;
    }
    let mut seen: Vec<(usize, Selector, Span)> = Vec::new();
    let mut found = Vec::new();
    for (i, side) in sides.iter().enumerate() {
        let mut texts = Vec::new();
        for (text, span) in value::texts(cx, side, "a side") {
            let selector = selector::read(cx, text, span, Resolved::InRun)?;
            overlap(cx, &seen, i, &selector, span)?;
            seen.push((i, selector, span));
            texts.push(SettingValue::Text(text.to_owned()));
        }
        if texts.is_empty() {
            let diagnostic = Diagnostic::error(E0201, "a side lists at least one selector");
            cx.report(diagnostic, side.span, "");
            return None;
        }
        found.push(SettingValue::List(texts));
    }
    Some(SettingValue::List(found))
}

/// Reports when `selector` of side `side` overlaps with another side.
fn overlap(
    cx: &mut Context<'_>,
    seen: &[(usize, Selector, Span)],
    side: usize,
    selector: &Selector,
    span: Span,
) -> Option<()> {
    let clash =
        seen.iter().find(|(other, one, _)| *other != side && one.overlaps(selector, &cx.names));
    let Some((_, _, other)) = clash else {
        return Some(());
    };
    let diagnostic = Diagnostic::error(E0403, "a node is on two sides");
    cx.report(diagnostic, span, "this side");
    cx.also(*other, "overlaps with this");
    None
}
