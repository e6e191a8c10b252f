//! A scenario file as a tree that keeps the order and the places of everything in it, and that can
//! be edited: variants, matrices and overrides change the tree, and the document of a plan is the
//! tree that was left.

use crate::syntax::units::Measure;
use std::ops::Range;
use std::sync::Arc;
use toml::de::{DeTable, DeValue};

/// A place: bytes of one of the sources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// 0 is the file, `n` the n-th override.
    pub source: u16,
    /// The first byte.
    pub start: u32,
    /// Just after the last byte.
    pub end: u32,
}

impl Span {
    fn new(source: u16, range: &Range<usize>, offset: usize) -> Self {
        // Sources are at most a megabyte, so nothing is cut off.
        Self { source, start: (range.start + offset) as u32, end: (range.end + offset) as u32 }
    }

    /// The bytes.
    pub const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A value with its place.
#[derive(Clone, Debug, Eq)]
pub struct Item {
    pub span: Span,
    pub value: Value,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Int(i128),
    /// As it was written, because a float would lose what was meant.
    Float(String),
    Bool(bool),
    /// Parsed, and never accepted.
    Date,
    List(Vec<Item>),
    Table(Table),
}

/// A table, in the order of the file. Copies share their entries until one of them is changed: a
/// shrink copies tens of thousands of operations for each trial, and takes some of them away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    pub entries: Arc<Vec<Entry>>,
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub key: String,
    pub key_span: Span,
    pub item: Item,
}

impl PartialEq for Item {
    /// By value: where something stands does not matter.
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Table {
    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Item> {
        self.entry(key).map(|entry| &entry.item)
    }

    /// The entry of `key`.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The value of `key`, to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Item> {
        let found = self.entries_mut().iter_mut().find(|entry| entry.key == key);
        found.map(|entry| &mut entry.item)
    }

    /// Sets `key`; a key that was there keeps its position.
    pub fn set(&mut self, key: &str, key_span: Span, item: Item) {
        let entries = self.entries_mut();
        match entries.iter_mut().find(|entry| entry.key == key) {
            Some(entry) => {
                entry.item = item;
                entry.key_span = key_span;
            }
            None => entries.push(Entry { key: key.to_owned(), key_span, item }),
        }
    }

    /// The entries, to change.
    pub fn entries_mut(&mut self) -> &mut Vec<Entry> {
        Arc::make_mut(&mut self.entries)
    }

    /// Takes `key` out.
    pub fn remove(&mut self, key: &str) -> Option<Item> {
        let index = self.entries.iter().position(|entry| entry.key == key)?;
        Some(self.entries_mut().remove(index).item)
    }

    /// The tables in the list `key`; nothing when it is not a list of tables.
    pub fn tables(&self, key: &str) -> impl Iterator<Item = (&Item, &Table)> {
        let items = match self.get(key).map(|item| &item.value) {
            Some(Value::List(items)) => items.as_slice(),
            _ => &[],
        };
        items.iter().filter_map(|item| Some((item, item.table()?)))
    }
}

impl Item {
    /// A text that was made and not read; it stands where `span` says.
    pub fn text(span: Span, text: impl Into<String>) -> Self {
        let value = Value::Text(text.into());
        Self { span, value }
    }

    /// A quantity that was made and not read.
    pub fn quantity(span: Span, measure: Measure, value: u64) -> Self {
        match measure {
            Measure::Count => Self { span, value: Value::Int(i128::from(value)) },
            other => Self::text(span, other.show(value)),
        }
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The table, if it is one.
    pub const fn table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// What it is, for error messages.
    pub const fn noun(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "text",
            Value::Int(_) => "a number",
            Value::Float(_) => "a number with a point",
            Value::Bool(_) => "true or false",
            Value::Date => "a date",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }

    /// On one line, as it would be written.
    pub fn show(&self) -> String {
        crate::syntax::document::inline(self).to_string().trim().to_owned()
    }
}

/// A mistake in the syntax: message and place.
pub struct SyntaxError {
    pub message: String,
    pub range: Range<usize>,
}

/// The tree of a whole document, and every mistake in its syntax.
pub fn parse_document(text: &str) -> (Table, Vec<SyntaxError>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let syntax = |error: &toml::de::Error| SyntaxError {
        message: error.message().to_owned(),
        range: error.span().unwrap_or(0..0),
    };
    let errors = errors.iter().map(syntax).collect();
    (convert_table(table.get_ref(), 0, 0), errors)
}

/// A value out of `text`, from byte `offset` of source `source` on. What is no TOML value is a text
/// without quotes, so that `--set net.latency=5ms` works as one would type it.
pub fn parse_value(text: &str, source: u16, offset: usize) -> Item {
    match DeValue::parse(text) {
        Ok(value) => {
            let range = value.span();
            convert(value.get_ref(), &range, source, offset)
        }
        Err(_) => Item::text(Span::new(source, &(0..text.len()), offset), text.trim()),
    }
}

fn convert_table(table: &DeTable<'_>, source: u16, offset: usize) -> Table {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().clone().into_owned(),
            key_span: Span::new(source, &key.span(), offset),
            item: convert(value.get_ref(), &value.span(), source, offset),
        })
        .collect();
    // The parser sorts by name; people (and the order of faults and axes) go by the file.
    entries.sort_by_key(|entry| entry.key_span);
    Table { entries: Arc::new(entries) }
}

fn convert(value: &DeValue<'_>, range: &Range<usize>, source: u16, offset: usize) -> Item {
    let span = Span::new(source, range, offset);
    let value = match value {
        DeValue::String(text) => Value::Text(text.clone().into_owned()),
        DeValue::Integer(int) => match i128::from_str_radix(int.as_str(), int.radix()) {
            Ok(int) => Value::Int(int),
            // Out of any range; every reader refuses it as a number.
            Err(_) => Value::Float(int.to_string()),
        },
        DeValue::Float(float) => Value::Float(float.as_str().to_owned()),
        DeValue::Boolean(bool) => Value::Bool(*bool),
        DeValue::Datetime(_) => Value::Date,
        DeValue::Array(items) => {
            let item = |item: &toml::Spanned<DeValue<'_>>| {
                convert(item.get_ref(), &item.span(), source, offset)
            };
            Value::List(items.iter().map(item).collect())
        }
        DeValue::Table(table) => Value::Table(convert_table(table, source, offset)),
    };
    Item { span, value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_order_of_the_file() {
        let (table, errors) = parse_document("b = 1\na = 2\n[z]\n[[f]]\nx = 1\n[[f]]\n[c]\n");
        assert!(errors.is_empty());
        let keys: Vec<&str> = table.entries.iter().map(|e| e.key.as_str()).collect();
        assert_eq!(keys, ["b", "a", "z", "f", "c"]);
        assert_eq!(table.tables("f").count(), 2);
        assert_eq!(table.tables("a").count(), 0);
    }

    #[test]
    fn reports_several_mistakes_at_once() {
        let (_, errors) = parse_document("a = = 1\nb = [1\nc = \"x\n");
        assert!(errors.len() >= 2, "{}", errors.len());
    }

    #[test]
    fn bare_words_of_the_command_line_are_texts() {
        assert_eq!(parse_value("5ms", 1, 12).as_text(), Some("5ms"));
        assert_eq!(parse_value("\"5ms\"", 1, 0).as_text(), Some("5ms"));
        assert_eq!(parse_value("true", 1, 0).value, Value::Bool(true));
        assert_eq!(parse_value("1_000", 1, 0).value, Value::Int(1_000));
        assert_eq!(parse_value("5ms", 1, 12).span.range(), 12..15);
    }
}
