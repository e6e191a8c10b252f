//! `[[op]]`: single operations, in place of a load that is drawn. Written by `shrink`, and by hand
//! where a history has to be exact.

use crate::ask::Ask;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::{E0103, E0107, E0202, E0203, E0204, E0206, E0404};
use crate::plan::{Expected, OpPlan};
use crate::read::asks;
use crate::read::context::Context;
use crate::read::faults::list;
use crate::read::fields::Fields;
use crate::read::time_point;
use crate::read::value;
use crate::syntax::tree::{Item, Span, Table, Value};
use crate::syntax::units::Measure;
use catalog::{Form, System};
use contract::{Duration, SimTime};
use std::collections::{BTreeMap, BTreeSet};

/// The most operations of one file.
const OPS_MAX: usize = 100_000;

/// Whether a call of this form writes a value.
const fn writes(form: Form) -> bool {
    matches!(form, Form::Put | Form::Cas | Form::Append)
}

/// The groups of clients that some `[[op]]` of the tree names.
pub fn groups(tree: &Table) -> BTreeSet<String> {
    let mut named: Vec<&str> = tree
        .tables("op")
        .filter_map(|(_, table)| Some(table.get("client")?.as_text()?.split_once('/')?.0))
        .collect();
    named.dedup();
    named.into_iter().map(str::to_owned).collect()
}

/// Reads every `[[op]]`, by group of clients, in the order of time and then of the file.
pub fn read(cx: &mut Context<'_>, top: &mut Fields<'_>) -> BTreeMap<String, Vec<OpPlan>> {
    let items = list(cx, top, "op", OPS_MAX).unwrap_or(&[]);
    let mut by_group: BTreeMap<String, Vec<OpPlan>> = BTreeMap::new();
    let mut written = BTreeMap::new();
    for (i, item) in items.iter().enumerate() {
        if let Some((group, op)) = op(cx, item, i + 1, &mut written) {
            by_group.entry(group).or_default().push(op);
        }
    }
    for ops in by_group.values_mut() {
        ops.sort_by_key(|op| op.at);
    }
    by_group
}

fn op(
    cx: &mut Context<'_>,
    item: &Item,
    number: usize,
    written: &mut BTreeMap<u32, Span>,
) -> Option<(String, OpPlan)> {
    let mut fields = Fields::of(cx, item, &format!("op.{number}"), "[[op]]")?;
    let at = fields.need(cx, "at", "when the client is asked for it");
    let client = fields.need(cx, "client", "who is asked: `kv/3`");
    let call_item = fields.need(cx, "call", "what is asked: \"get\", \"put\", …");
    let key = fields.get("key");
    let value = fields.get("value");
    let expect = fields.get("expect");
    let ttl = fields.duration(cx, "ttl");
    let ttl_item = fields.get("ttl");
    let args = fields.get("args");
    let args_path = fields.path_of("args");
    if let Some(item) = fields.get("timeout") {
        let help = "`timeout` in [clients.C] holds for all operations of its clients";
        cx.unsupported("a timeout of a single operation", item.span, Some(help));
    }
    let span = fields.span;
    fields.finish(cx);
    let at = instant(cx, at?);
    let client = client_of(cx, client?);
    let call_item = call_item?;
    let (group, client, system) = client?;
    let mut ask = ask_of(cx, call_item, system?)?;
    let has = |wanted: bool| if wanted { Belongs::Needed(span) } else { Belongs::Not };
    let may = |form: Form| if ask.form() == Some(form) { Belongs::May } else { Belongs::Not };
    belongs(cx, &ask, "key", has(ask.is_keyed()), key);
    belongs(cx, &ask, "value", has(ask.form().is_some_and(writes)), value);
    belongs(cx, &ask, "expect", may(Form::Cas), expect);
    belongs(cx, &ask, "ttl", may(Form::Put), ttl_item);
    let key = match key {
        Some(item) => Some(number_of(cx, item, 0)?),
        None if ask.is_keyed() => return None,
        None => None,
    };
    let value = match value {
        Some(item) => Some(value_of(cx, item, written)?),
        None => None,
    };
    let expect = match expect {
        Some(item) => expected(cx, item)?,
        None => Expected::LastSeen,
    };
    if let Some(item) = args {
        asks::arguments(cx, &mut ask, item, &args_path)?;
    }
    Some((group, OpPlan { at: at?, client, ask, key, value, expect, ttl }))
}

/// What is asked for, of a client of `system`.
fn ask_of(cx: &mut Context<'_>, item: &Item, system: &'static dyn System) -> Option<Ask> {
    let text = value::text(cx, item, "call")?;
    let ask = asks::find(cx, system, text, item.span)?;
    if !ask.is_listable() {
        let message = format!("`{text}` cannot be listed: it is about several keys");
        let help = "list a `get` for each of them";
        cx.report(Diagnostic::error(E0203, message).help(help), item.span, "");
        return None;
    }
    Some(ask)
}

fn instant(cx: &mut Context<'_>, item: &Item) -> Option<SimTime> {
    let text = value::text(cx, item, "at")?;
    let at = time_point::known(cx, text, item.span)?;
    if cx.names.sim_time.is_some_and(|end| at.0 >= end.0) {
        let end = cx.names.sim_time.unwrap_or(Duration::ZERO);
        let message = format!("the operation comes at {}, when the run is over", Duration(at.0));
        let help = format!("`budget.sim_time` is {end}");
        cx.report(Diagnostic::error(E0404, message).help(help), item.span, "");
        return None;
    }
    Some(at)
}

/// `kv/3`: a client of a group, numbered from 1. Returns the group, the number, and the system if it
/// is known.
fn client_of(
    cx: &mut Context<'_>,
    item: &Item,
) -> Option<(String, u32, Option<&'static dyn System>)> {
    let text = value::text(cx, item, "client")?;
    let parts = text.split_once('/').and_then(|(group, n)| Some((group, n.parse::<u32>().ok()?)));
    let known = parts.and_then(|(group, n)| Some((group, n, cx.names.groups.get(group)?)));
    match known {
        Some((group, n, info)) if info.client && (1..=info.count).contains(&n) => {
            Some((group.to_owned(), n, info.system))
        }
        _ => {
            let groups = cx.names.group_names(true);
            let message = format!("there is no client `{text}`");
            let help = format!(
                "a client is GROUP/NUMBER, from 1 to the group's count; groups of clients: {}",
                crate::read::context::listed(&groups)
            );
            cx.report(Diagnostic::error(E0206, message).help(help), item.span, "");
            None
        }
    }
}

fn number_of(cx: &mut Context<'_>, item: &Item, min: i64) -> Option<u64> {
    let number = value::integer(cx, item, min, i64::from(u32::MAX))?;
    Some(u64::try_from(number).expect("not negative"))
}

/// Whether a call has a field.
enum Belongs {
    /// It must be there; where the operation stands.
    Needed(Span),
    May,
    Not,
}

fn belongs(
    cx: &mut Context<'_>,
    ask: &Ask,
    field: &'static str,
    belongs: Belongs,
    item: Option<&Item>,
) {
    match (belongs, item) {
        (Belongs::Not, Some(item)) => {
            let message = format!("`{field}` does not belong to `{}`", ask.name);
            let help = "`value` is of what writes, `expect` of a `cas`, `ttl` of a `put`";
            cx.report(Diagnostic::error(E0107, message).help(help), item.span, "");
        }
        (Belongs::Needed(span), None) => {
            let message = format!("missing field `{field}`");
            let help = match field {
                "value" => "`value` is a number that no other operation of the file writes",
                _ => "`key` is a number",
            };
            cx.report(Diagnostic::error(E0103, message).help(help), span, "in [[op]]");
        }
        _ => {}
    }
}

fn value_of(cx: &mut Context<'_>, item: &Item, written: &mut BTreeMap<u32, Span>) -> Option<u32> {
    let number = number_of(cx, item, 1)?;
    let number = u32::try_from(number).expect("within its range");
    if let Some(first) = written.insert(number, item.span) {
        let message = format!("the value {number} is written twice");
        let help = "a read names the write that it saw, so every write has a number of its own";
        cx.report(Diagnostic::error(E0204, message).help(help), item.span, "");
        cx.also(first, "first here");
        return None;
    }
    Some(number)
}

fn expected(cx: &mut Context<'_>, item: &Item) -> Option<Expected> {
    match &item.value {
        Value::Text(text) if text == "nothing" => Some(Expected::Nothing),
        Value::Int(_) => {
            let number = number_of(cx, item, 1)?;
            Some(Expected::Value(u32::try_from(number).expect("within its range")))
        }
        _ => {
            let message = "`expect` is the number of a value, or \"nothing\"";
            let help = "leave it out to expect what was last seen";
            cx.report(Diagnostic::error(E0202, message).help(help), item.span, "");
            None
        }
    }
}

/// An operation as it stands in a file.
pub fn write(group: &str, op: &OpPlan) -> Item {
    let here = Span::default();
    let number = |n: u64| Item::quantity(here, Measure::Count, n);
    let mut table = Table::default();
    let mut set = |key: &str, item: Item| table.set(key, here, item);
    set("at", Item::quantity(here, Measure::Duration, op.at.0));
    set("client", Item::text(here, format!("{group}/{}", op.client)));
    set("call", Item::text(here, op.ask.name));
    if let Some(key) = op.key {
        set("key", number(key));
    }
    if let Some(args) = asks::write(&op.ask) {
        set("args", args);
    }
    match op.expect {
        Expected::LastSeen => {}
        Expected::Nothing => set("expect", Item::text(here, "nothing")),
        Expected::Value(value) => set("expect", number(u64::from(value))),
    }
    if let Some(value) = op.value {
        set("value", number(u64::from(value)));
    }
    if let Some(ttl) = op.ttl {
        set("ttl", Item::quantity(here, Measure::Duration, ttl.0));
    }
    Item { span: here, value: Value::Table(table) }
}
