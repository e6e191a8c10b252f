//! Names of operations and verbs in scenario files, and the arguments that they are given.

use crate::ask::{Ask, Does};
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::{E0107, E0202, E0203, E0205};
use crate::read::context::{Context, listed};
use crate::read::dist;
use crate::read::fields::Fields;
use crate::read::value;
use crate::syntax::tree::{Item, Span, Table, Value};
use crate::syntax::units::Measure;
use crate::vocabulary::suggest::nearest;
use catalog::{Argument, System};
use contract::Dist;

/// What `system` calls `name`; reports when it has nothing of that name.
pub fn find(
    cx: &mut Context<'_>,
    system: &'static dyn System,
    name: &str,
    span: Span,
) -> Option<Ask> {
    let found = Ask::named(system, name);
    if found.is_none() {
        let names = Ask::names(system);
        let message = format!("the system \"{}\" has no operation `{name}`", system.name());
        let help = match nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known: {}", listed(&names)),
        };
        cx.report(Diagnostic::error(E0203, message).help(help), span, "");
    }
    found
}

/// Reads `{ ttl_ms = 500, count = { min = 1, max = 9 } }` into the arguments of `ask`.
pub fn arguments(cx: &mut Context<'_>, ask: &mut Ask, item: &Item, path: &str) -> Option<()> {
    let rows = ask.arguments();
    let shown = format!("the arguments of `{}`", ask.name);
    let mut fields = Fields::of(cx, item, path, &shown)?;
    if rows.is_empty() {
        let message = format!("`{}` takes no arguments", ask.name);
        cx.report(Diagnostic::error(E0107, message), item.span, "");
        return None;
    }
    let mut all_good = true;
    for (position, row) in rows.iter().enumerate() {
        let Some(item) = fields.get(row.name) else { continue };
        match (argument(cx, row, item), &mut ask.does) {
            (Some(dist), Does::Operation { args, .. }) => args[position] = dist,
            _ => all_good = false,
        }
    }
    fields.finish(cx);
    all_good.then_some(())
}

/// A number, `{ min, max }` for an even draw, or any other distribution; within the row's limits.
fn argument(cx: &mut Context<'_>, row: &Argument, item: &Item) -> Option<Dist> {
    let drawn = match item.table() {
        Some(_) if !dist::is_dist(item) => even(cx, item)?,
        _ => dist::read(cx, item, Measure::Count)?,
    };
    let (least, most) = dist::reach(&drawn);
    let inside = |bound: Option<u64>| bound.is_some_and(|b| (row.min..=row.max).contains(&b));
    if !inside(least) || !inside(most) {
        let message = format!("`{}` is from {} to {}", row.name, row.min, row.max);
        cx.report(Diagnostic::error(E0202, message).help(row.about), item.span, "");
        return None;
    }
    Some(drawn)
}

fn even(cx: &mut Context<'_>, item: &Item) -> Option<Dist> {
    let mut fields = Fields::of(cx, item, "", "the range")?;
    let min = fields.need(cx, "min", "the least value");
    let max = fields.need(cx, "max", "just above the greatest value");
    fields.finish(cx);
    let min = value::plain_quantity(cx, min?, Measure::Count)?;
    let max = value::plain_quantity(cx, max?, Measure::Count)?;
    if min >= max {
        let message = "`min` is not below `max`";
        cx.report(Diagnostic::error(E0205, message).help("`max` is not reached"), item.span, "");
        return None;
    }
    Some(Dist::Uniform { min, max })
}

/// The arguments of a call as they stand in a file; `None` where it has none.
pub fn write(ask: &Ask) -> Option<Item> {
    let here = Span::default();
    let Does::Operation { args, .. } = &ask.does else { return None };
    let mut table = Table::default();
    for (row, arg) in ask.arguments().iter().zip(args) {
        let (Some(value), _) = dist::reach(arg) else { continue };
        table.set(row.name, here, Item::quantity(here, Measure::Count, value));
    }
    let is_empty = table.entries.is_empty();
    (!is_empty).then_some(Item { span: here, value: Value::Table(table) })
}
