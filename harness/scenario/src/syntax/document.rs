//! Writing a tree as a scenario file.

use crate::syntax::tree::{Item, Table, Value};
use crate::vocabulary::words;
use std::str::FromStr;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Formatted, InlineTable};

/// Lists that are written as `[[list]]`.
const LISTS: &[&str] = &["preload", "op", "pin", "fault", "check", "cover", "variant"];
/// The table whose lists stand one item to a line: they are sentences.
const MINIMAL: &str = "minimal";
/// Tables that hold one table per group.
const PER_GROUP: &[&str] = &["nodes", "tuning", "disk", "clock", "memory", "clients"];

/// `tree` as text: keys of the top level in the order of the format, everything below it in the
/// order of the tree.
pub fn write(tree: &Table) -> String {
    let mut document = DocumentMut::new();
    let known = words::TOP.iter().filter_map(|key| tree.entry(key));
    for entry in known {
        let key = entry.key.as_str();
        let item = match &entry.item.value {
            Value::Table(table) if PER_GROUP.contains(&key) => {
                let mut outer = toml_edit::Table::new();
                outer.set_implicit(true);
                for inner in table.entries.iter() {
                    outer.insert(&inner.key, section(&inner.item));
                }
                toml_edit::Item::Table(outer)
            }
            Value::List(items) if LISTS.contains(&key) => list(items),
            Value::Table(table) if key == MINIMAL => {
                toml_edit::Item::Table(self::spread(self::table(table)))
            }
            Value::Table(table) => toml_edit::Item::Table(self::table(table)),
            _ => toml_edit::Item::Value(inline(&entry.item)),
        };
        document.insert(key, item);
    }
    document.to_string()
}

fn section(item: &Item) -> toml_edit::Item {
    match &item.value {
        Value::Table(table) => toml_edit::Item::Table(self::table(table)),
        _ => toml_edit::Item::Value(inline(item)),
    }
}

fn list(items: &[Item]) -> toml_edit::Item {
    let mut tables = ArrayOfTables::new();
    for item in items {
        match &item.value {
            Value::Table(table) => tables.push(self::table(table)),
            // A list that is not only tables cannot be written as one; it is no scenario either.
            _ => return toml_edit::Item::Value(inline_list(items)),
        }
    }
    toml_edit::Item::ArrayOfTables(tables)
}

/// A table with a header; what is inside of it is written inline, except for `[[net.link]]`.
fn table(table: &Table) -> toml_edit::Table {
    let mut written = toml_edit::Table::new();
    for entry in table.entries.iter() {
        let item = match &entry.item.value {
            Value::List(items) if entry.key == "link" && !items.is_empty() => list(items),
            _ => toml_edit::Item::Value(inline(&entry.item)),
        };
        written.insert(&entry.key, item);
    }
    written
}

/// The table with its lists one item to a line.
fn spread(mut table: toml_edit::Table) -> toml_edit::Table {
    for (_, item) in table.iter_mut() {
        let Some(array) = item.as_array_mut() else { continue };
        if array.is_empty() {
            continue;
        }
        array.iter_mut().for_each(|value| value.decor_mut().set_prefix("\n    "));
        array.set_trailing("\n");
        array.set_trailing_comma(true);
    }
    table
}

/// A value on one line.
pub fn inline(item: &Item) -> toml_edit::Value {
    match &item.value {
        Value::Text(text) => toml_edit::Value::from(text.as_str()),
        Value::Int(number) => match i64::try_from(*number) {
            Ok(number) => toml_edit::Value::from(number),
            // Seeds may need the 64th bit; they are read from hex texts as well.
            Err(_) => toml_edit::Value::from(format!("{number:#x}")),
        },
        Value::Float(text) => float(text),
        Value::Bool(bool) => toml_edit::Value::from(*bool),
        // Dates are never accepted, so no plan has one; only error messages show them.
        Value::Date => toml_edit::Value::from("a date"),
        Value::List(items) => inline_list(items),
        Value::Table(table) => {
            let mut written = InlineTable::new();
            for entry in table.entries.iter() {
                written.insert(&entry.key, inline(&entry.item));
            }
            toml_edit::Value::InlineTable(written)
        }
    }
}

fn inline_list(items: &[Item]) -> toml_edit::Value {
    toml_edit::Value::Array(items.iter().map(inline).collect::<Array>())
}

/// A float exactly as it was written.
fn float(text: &str) -> toml_edit::Value {
    match toml_edit::Value::from_str(text) {
        Ok(value) => value,
        Err(_) => toml_edit::Value::String(Formatted::new(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::tree::parse_document;

    #[test]
    fn what_is_written_is_read_back() {
        let text = "\
format = 1
about = 'a \"quoted\" word'

[nodes.h]
count = 3

[tuning.h]
election = { min = \"1s\", max = \"2s\" }
s = 1.10

[net]
latency = { dist = \"choice\", values = [\"1ms\", \"2ms\"] }

[[net.link]]
from = \"h/1\"
to = \"h/2\"

[[fault]]
id = \"a\"
sides = [[\"h/1\"], [\"h/2\"]]

[[fault]]
id = \"b\"
";
        let (tree, errors) = parse_document(text);
        assert!(errors.is_empty());
        assert_eq!(write(&tree), text);
        let (again, errors) = parse_document(&write(&tree));
        assert!(errors.is_empty());
        assert_eq!(again, tree);
    }
}
