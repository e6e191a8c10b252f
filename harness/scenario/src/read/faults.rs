//! `[[fault]]`: what starts it, what ends it, and the fields of its kind.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::{E0103, E0202, E0204, E0404, E0410, E0506};
use crate::kinds::FaultRow;
use crate::plan::{End, FaultPlan, Repeat, Start, When};
use crate::read::context::Context;
use crate::read::dist;
use crate::read::fields::{Fields, check_name};
use crate::read::kind_fields;
use crate::read::time_point;
use crate::read::value;
use crate::syntax::tree::{Item, Span, Value};
use crate::syntax::units::Measure;
use crate::vocabulary::grammar::{ENDS, PLACES, STARTS};
use crate::vocabulary::selector::{self, Resolved};
use crate::vocabulary::words;
use contract::{Dist, Duration, SimTime};

/// The most faults of one file.
const FAULTS_MAX: usize = 1_000;
/// The most times that a fault comes again.
const REPEAT_MAX: u64 = 1_000_000;
/// The most events in one `all` or `any`.
const EVENTS_MAX: usize = 100;

/// Reads every `[[fault]]`.
pub fn read(cx: &mut Context<'_>, top: &mut Fields<'_>) -> Vec<FaultPlan> {
    let Some(items) = list(cx, top, "fault", FAULTS_MAX) else {
        return Vec::new();
    };
    let mut faults: Vec<FaultPlan> = Vec::new();
    let mut ids = Vec::new();
    for (i, item) in items.iter().enumerate() {
        faults.extend(fault(cx, item, i + 1, &mut ids));
    }
    faults
}

/// The items of a list of tables, within its limit.
pub fn list<'t>(
    cx: &mut Context<'_>,
    top: &mut Fields<'t>,
    key: &'static str,
    max: usize,
) -> Option<&'t [Item]> {
    let item = top.get(key)?;
    let Value::List(items) = &item.value else {
        value::wrong_type(cx, item, &format!("`{key}` is a list of tables: `[[{key}]]`"));
        return None;
    };
    if items.len() > max {
        let message = format!("a file has at most {max} `[[{key}]]`");
        cx.report(Diagnostic::error(E0202, message), items[max].span, "");
        return None;
    }
    Some(items)
}

/// An id that must be there, be a name, and be new.
pub fn id(
    cx: &mut Context<'_>,
    fields: &mut Fields<'_>,
    key: &'static str,
    seen: &mut Vec<(String, Span)>,
) -> Option<String> {
    let item = fields.need(cx, key, "its name, unique in the file")?;
    let text = value::text(cx, item, key)?;
    if !check_name(cx, text, item.span) {
        return None;
    }
    if let Some((_, first)) = seen.iter().find(|(other, _)| other == text) {
        let first = *first;
        let diagnostic = Diagnostic::error(E0204, format!("the name `{text}` is taken"));
        cx.report(diagnostic, item.span, "");
        cx.also(first, "first here");
        return None;
    }
    seen.push((text.to_owned(), item.span));
    Some(text.to_owned())
}

/// The path and the shown name of the item `number` of a list, whose id may be missing.
pub fn place(item: &Item, table: &str, key: &str, number: usize) -> (String, String) {
    let id = item.table().and_then(|t| t.get(key)).and_then(|i| i.as_text());
    match id {
        Some(id) => (format!("{table}.{id}"), format!("[[{table}]] `{id}`")),
        None => (format!("{table}.{number}"), format!("[[{table}]]")),
    }
}

fn fault(
    cx: &mut Context<'_>,
    item: &Item,
    number: usize,
    ids: &mut Vec<(String, Span)>,
) -> Option<FaultPlan> {
    let (path, shown) = place(item, "fault", "id", number);
    let mut fields = Fields::of(cx, item, &path, &shown)?;
    let id = id(cx, &mut fields, "id", ids);
    let kind = fields.need(cx, "kind", "what happens: \"partition\", \"crash\", …");
    let kind = kind.and_then(|item| kind_of(cx, item));
    fields.exclusive(cx, STARTS);
    fields.exclusive(cx, ENDS);
    let repeat_item = fields.get("repeat");
    let repeat = repeat_item.and_then(|item| repeat(cx, item, &path));
    let start = start(cx, &mut fields);
    let plus = fields.dist(cx, "plus", Measure::Duration);
    let instant = kind.is_some_and(|kind| kind.at_once);
    let end = end(cx, &mut fields, instant);
    // Without its row nobody knows which fields are wrong.
    let kind = kind?;
    let row = &kind.row;
    one_place(cx, &mut fields, row);
    let settings = kind_fields::read(cx, &mut fields, row);
    let keys = [fields.get("at"), fields.get("plus"), fields.get("for")];
    let span = fields.span;
    fields.finish(cx);
    let mut fault = FaultPlan {
        id: id?,
        kind: row.name,
        start: start?,
        plus: plus.unwrap_or(Dist::Constant(0)),
        end: end?,
        repeat,
        damage: (kind.damage)(&settings),
        fields: settings,
    };
    if repeat_item.is_none() {
        settle(cx, &path, &mut fault, keys);
    }
    inside_the_run(cx, &fault, keys, span);
    Some(fault)
}

/// The row of a kind of fault.
fn kind_of<'a>(cx: &mut Context<'a>, item: &Item) -> Option<&'a FaultRow> {
    let text = value::text(cx, item, "kind")?;
    let faults = cx.lab.faults;
    if let Some(kind) = faults.iter().find(|kind| kind.row.name == text) {
        return Some(kind);
    }
    if words::RESERVED_KINDS.contains(&text) {
        cx.unsupported(&format!("faults of kind \"{text}\""), item.span, None);
    } else {
        let mut names: Vec<&str> = faults.iter().map(|kind| kind.row.name).collect();
        names.sort_unstable();
        cx.unknown("kind of fault", text, item.span, &names);
    }
    None
}

/// A kind that strikes links or the links of nodes needs one of the two fields, and not both.
fn one_place(cx: &mut Context<'_>, fields: &mut Fields<'_>, row: &crate::kinds::Row) {
    let places = PLACES;
    let has = |name: &&str| row.fields.iter().any(|field| field.name == *name && !field.required);
    if !places.iter().all(has) {
        return;
    }
    fields.exclusive(cx, places);
    if fields.get("link").or(fields.get("node")).is_none() {
        let message = "missing field `link` or `node`";
        let help =
            "`link = { from = \"h/1\", to = \"h/*\" }`, or all links of a node: `node = \"h/1\"`";
        let diagnostic = Diagnostic::error(E0103, message).help(help);
        cx.report(diagnostic, fields.span, &format!("in {}", fields.shown));
    }
}

/// Draws the times of a fault that comes once, so that the plan says when it comes.
fn settle(cx: &mut Context<'_>, path: &str, fault: &mut FaultPlan, keys: [Option<&Item>; 3]) {
    let [at, plus, length] = keys;
    if let (Start::At(dist), Some(item)) = (&mut fault.start, at) {
        *dist = value::settle(cx, &format!("{path}.at"), item, dist.clone());
    }
    if let Some(item) = plus {
        let dist = fault.plus.clone();
        fault.plus = value::settle(cx, &format!("{path}.plus"), item, dist);
    }
    if let (End::After(dist), Some(item)) = (&mut fault.end, length) {
        *dist = value::settle(cx, &format!("{path}.for"), item, dist.clone());
    }
}

fn start(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> Option<Start> {
    let at = fields.get("at");
    let when = fields.get("when");
    if let Some(item) = at {
        return time(cx, item, "at").map(Start::At);
    }
    if let Some(item) = when {
        return self::when(cx, item, 0).map(Start::When);
    }
    let message = "missing field `at` or `when`";
    let help = "`at` is a time, `when` an event: { event = \"..\", node = \"..\", nth = 1 }";
    let diagnostic = Diagnostic::error(E0103, message).help(help);
    cx.report(diagnostic, fields.span, &format!("in {}", fields.shown));
    None
}

/// A time, a phase, or a distribution of times.
fn time(cx: &mut Context<'_>, item: &Item, key: &str) -> Option<Dist> {
    match &item.value {
        Value::Text(text) => {
            let at = time_point::known(cx, text, item.span)?;
            Some(Dist::Constant(at.0))
        }
        Value::Table(_) => dist::read(cx, item, Measure::Duration),
        Value::Int(_) | Value::Float(_) => {
            value::plain_quantity(cx, item, Measure::Duration).map(Dist::Constant)
        }
        _ => {
            value::wrong_type(cx, item, &format!("`{key}` is a time or a phase"));
            None
        }
    }
}

fn end(cx: &mut Context<'_>, fields: &mut Fields<'_>, instant: bool) -> Option<End> {
    let length = fields.get("for");
    let until = fields.get("until");
    if let Some(item) = length {
        let dist = dist::read(cx, item, Measure::Duration)?;
        if dist == Dist::Constant(0) {
            let diagnostic = Diagnostic::error(E0506, "a fault of no length has no effect");
            cx.report(diagnostic, item.span, "");
            return None;
        }
        return Some(End::After(dist));
    }
    match until {
        Some(item) if item.table().is_some() => when(cx, item, 0).map(End::When),
        Some(item) => match time(cx, item, "until")? {
            Dist::Constant(at) => Some(End::At(SimTime(at))),
            _ => unreachable!("only a table is a distribution"),
        },
        None if instant => Some(End::AtOnce),
        None => Some(End::Never),
    }
}

/// `{ event, node, nth }`, or `{ all = [..] }`, or `{ any = [..] }`.
fn when(cx: &mut Context<'_>, item: &Item, depth: u32) -> Option<When> {
    const DEPTH_MAX: u32 = 8;
    let mut fields = Fields::of(cx, item, "", "the event")?;
    if depth > DEPTH_MAX {
        let message = format!("events are combined at most {DEPTH_MAX} deep");
        cx.report(Diagnostic::error(E0202, message), item.span, "");
        return None;
    }
    fields.exclusive(cx, &["event", "all", "any"]);
    let all = fields.get("all");
    let any = fields.get("any");
    if let Some(list) = all.or(any) {
        fields.get("event");
        let parts = parts(cx, list, depth)?;
        fields.finish(cx);
        return Some(if all.is_some() { When::All(parts) } else { When::Any(parts) });
    }
    let event_item = fields.need(cx, "event", "what happens: a row of the system's events");
    let node_item = fields.get("node");
    let nth = match fields.get("nth") {
        Some(item) => value::integer(cx, item, 1, i64::from(u32::MAX))?,
        None => 1,
    };
    fields.finish(cx);
    let node = match node_item {
        Some(item) => {
            let text = value::text(cx, item, "node")?;
            selector::read(cx, text, item.span, Resolved::InRun)?;
            Some(text.to_owned())
        }
        None => None,
    };
    let event_item = event_item?;
    let text = value::text(cx, event_item, "event")?;
    let (system, event) = kind_fields::event(cx, text, event_item.span)?;
    Some(When::Event { system, event, node, nth: u32::try_from(nth).expect("within its range") })
}

fn parts(cx: &mut Context<'_>, item: &Item, depth: u32) -> Option<Vec<When>> {
    let Value::List(items) = &item.value else {
        value::wrong_type(cx, item, "a list of events is wanted here");
        return None;
    };
    if items.is_empty() || items.len() > EVENTS_MAX {
        let message = format!("from 1 to {EVENTS_MAX} events are combined");
        cx.report(Diagnostic::error(E0202, message), item.span, "");
        return None;
    }
    let parts: Vec<Option<When>> = items.iter().map(|i| when(cx, i, depth + 1)).collect();
    parts.into_iter().collect()
}

fn repeat(cx: &mut Context<'_>, item: &Item, path: &str) -> Option<Repeat> {
    let path = format!("{path}.repeat");
    let mut fields = Fields::of(cx, item, &path, "`repeat`")?;
    let every = fields.need(cx, "every", "the time from one start to the next");
    let max = fields.need(cx, "max", "how often it comes in all");
    let every = every.and_then(|item| {
        let path = format!("{path}.every");
        value::quantity(cx, &path, item, Measure::Duration, (1, u64::MAX))
    });
    let max = max.and_then(|item| {
        let path = format!("{path}.max");
        value::quantity(cx, &path, item, Measure::Count, (1, REPEAT_MAX))
    });
    let jitter = fields.duration(cx, "jitter").unwrap_or(Duration::ZERO);
    fields.finish(cx);
    Some(Repeat {
        every: Duration(every?),
        jitter,
        max: u32::try_from(max?).expect("within its range"),
    })
}

/// Reports a fault that starts after the end of the run, or ends before it starts.
fn inside_the_run(cx: &mut Context<'_>, fault: &FaultPlan, keys: [Option<&Item>; 3], span: Span) {
    let Some(end) = cx.names.sim_time else {
        return;
    };
    let at = match &fault.start {
        Start::At(at) => at.min(),
        // An event at the first instant, at best.
        Start::When(_) => 0,
    };
    let earliest = at.saturating_add(fault.plus.min());
    let at_span = keys[0].or(keys[1]).map_or(span, |item| item.span);
    if earliest >= end.0 {
        let message = format!("the fault starts at {}, when the run is over", Duration(earliest));
        let help = format!("`budget.sim_time` is {end}");
        cx.report(Diagnostic::error(E0404, message).help(help), at_span, "");
        return;
    }
    match &fault.end {
        End::At(until) if until.0 <= earliest => {
            let message = "the fault ends before it starts";
            cx.report(Diagnostic::error(E0404, message), at_span, "");
        }
        End::After(length) if earliest.saturating_add(length.min()) > end.0 => {
            let message = format!("the fault outlives the run, which ends at {end}");
            let length = keys[2].map_or(span, |item| item.span);
            let help = "shorten it, or leave `for` out to say that it never ends";
            cx.report(Diagnostic::warning(E0410, message).help(help), length, "");
        }
        _ => {}
    }
}
