//! Faults as they happened: each occurrence of a fault that repeats, waits for an event or draws its
//! victims becomes a fault of its own, with its instant, its length and its victims written out.

use crate::Lab;
use crate::edit::draft::Draft;
use crate::kinds::{Field, FieldKind};
use crate::syntax::tree::{Item, Span, Table, Value};
use crate::syntax::units::Measure;
use contract::SimTime;

/// One occurrence of a fault.
#[derive(Clone, Debug)]
pub struct Happened {
    /// The fault's id.
    pub fault: String,
    /// When it started.
    pub start: SimTime,
    /// When it ended; `None` when it lasted to the end of the run.
    pub end: Option<SimTime>,
    /// What its selectors meant: (selector, names of nodes).
    pub meant: Vec<(String, Vec<String>)>,
    /// How many events it changed.
    pub effects: u64,
}

impl Draft {
    /// Writes the fault `id` out as it happened, without occurrences that changed nothing; a fault
    /// on several nodes becomes one for each. The new ids are the fault's, with numbers where
    /// there are several. `false` when the fault is not there.
    pub fn unroll(&mut self, lab: &Lab<'_>, id: &str, happened: &[Happened]) -> bool {
        let Some(table) = self.item("fault", id) else { return false };
        let kind = table.get("kind").and_then(Item::as_text).unwrap_or_default();
        let mut rows = lab.faults.iter().map(|kind| &kind.row);
        let Some(row) = rows.find(|row| row.name == kind) else { return false };
        let mut tables = Vec::new();
        for one in happened.iter().filter(|one| one.fault == id && one.effects > 0) {
            tables.extend(victims(written_out(table, one), row.fields, one));
        }
        let many = tables.len() > 1;
        let item = |(nth, mut table): (usize, Table)| {
            if many {
                let name = format!("{id}-{}", nth + 1);
                table.set("id", Span::default(), Item::text(Span::default(), name));
            }
            Item { span: Span::default(), value: Value::Table(table) }
        };
        let items = tables.into_iter().enumerate().map(item).collect();
        self.replace("fault", id, items);
        true
    }
}

/// The fault at its instant, for its length.
fn written_out(fault: &Table, one: &Happened) -> Table {
    let time = |nanos| Item::quantity(Span::default(), Measure::Duration, nanos);
    let mut table = Table::default();
    for entry in fault.entries.iter() {
        match entry.key.as_str() {
            "at" | "when" => table.set("at", Span::default(), time(one.start.0)),
            "for" | "until" => {
                if let Some(end) = one.end {
                    table.set("for", Span::default(), time(end.since(one.start).0));
                }
            }
            "plus" | "repeat" => {}
            key => table.set(key, Span::default(), entry.item.clone()),
        }
    }
    table
}

/// The fault with its victims by name: several faults, where its field holds one selector.
fn victims(table: Table, fields: &[Field], one: &Happened) -> Vec<Table> {
    let names = |item: &Item| -> Vec<String> {
        let selector = item.as_text().unwrap_or_default();
        let meant = one.meant.iter().find(|(text, _)| text == selector);
        meant.map_or_else(|| vec![selector.to_owned()], |(_, names)| names.clone())
    };
    let mut tables = vec![table];
    for field in fields {
        let Some(item) = tables.first().and_then(|table| table.get(field.name)).cloned() else {
            continue;
        };
        let choices: Vec<Item> = match field.kind {
            FieldKind::Selector => names(&item).into_iter().map(text).collect(),
            FieldKind::Sides => vec![sides(&item, &names)],
            FieldKind::Link => links(&item, &names),
            _ => continue,
        };
        let with = |table: Table| {
            choices.clone().into_iter().map(move |choice| {
                let mut table = table.clone();
                table.set(field.name, Span::default(), choice);
                table
            })
        };
        tables = tables.into_iter().flat_map(with).collect();
    }
    tables
}

fn text(name: String) -> Item {
    Item::text(Span::default(), name)
}

fn list(items: Vec<Item>) -> Item {
    Item { span: Span::default(), value: Value::List(items) }
}

fn items(item: &Item) -> &[Item] {
    match &item.value {
        Value::List(items) => items,
        _ => &[],
    }
}

fn sides(item: &Item, names: &impl Fn(&Item) -> Vec<String>) -> Item {
    let side = |side: &Item| list(items(side).iter().flat_map(names).map(text).collect());
    list(items(item).iter().map(side).collect())
}

/// Every directed link between those that the two selectors meant.
fn links(item: &Item, names: &impl Fn(&Item) -> Vec<String>) -> Vec<Item> {
    let end = |key: &str| item.table().and_then(|table| table.get(key)).map(names);
    let (Some(from), Some(to)) = (end("from"), end("to")) else { return vec![item.clone()] };
    let mut found = Vec::new();
    for from in &from {
        for to in to.iter().filter(|to| *to != from) {
            let mut table = Table::default();
            table.set("from", Span::default(), text(from.clone()));
            table.set("to", Span::default(), text(to.clone()));
            found.push(Item { span: Span::default(), value: Value::Table(table) });
        }
    }
    found
}
