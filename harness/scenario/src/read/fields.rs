//! Reading one table: fields are taken one by one, and what is left over is unknown.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::{E0102, E0103, E0107, E0108, E0201};
use crate::read::context::{Context, listed};
use crate::read::value;
use crate::syntax::tree::{Item, Span, Table, Value};
use crate::syntax::units::Measure;
use crate::vocabulary::suggest::nearest;
use crate::vocabulary::words;
use catalog::{Kind, SettingValue};
use contract::{Dist, Duration, Ratio};

/// A table that is being read.
pub struct Fields<'t> {
    /// As in overrides: `tuning.h`; empty at the top level.
    pub path: String,
    /// As in messages: `[tuning.h]`.
    pub shown: String,
    /// Where the table stands.
    pub span: Span,
    table: &'t Table,
    known: Vec<&'static str>,
}

impl<'t> Fields<'t> {
    /// The fields of `item`; an error when it is not a table.
    pub fn of(cx: &mut Context<'_>, item: &'t Item, path: &str, shown: &str) -> Option<Self> {
        let Some(table) = item.table() else {
            let message = format!("{shown} is a table, not {}", item.noun());
            cx.report(Diagnostic::error(E0201, message), item.span, "");
            return None;
        };
        Some(Self::top(table, item.span, path, shown))
    }

    /// The fields of `table`.
    pub fn top(table: &'t Table, span: Span, path: &str, shown: &str) -> Self {
        Self { path: path.to_owned(), shown: shown.to_owned(), span, table, known: Vec::new() }
    }

    /// The path of a field.
    pub fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// A field that may be absent.
    pub fn get(&mut self, key: &'static str) -> Option<&'t Item> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.table.get(key)
    }

    /// A field that must be there.
    pub fn need(
        &mut self,
        cx: &mut Context<'_>,
        key: &'static str,
        what: &str,
    ) -> Option<&'t Item> {
        let item = self.get(key);
        if item.is_none() {
            self.missing(cx, key, what);
        }
        item
    }

    /// Reports that `key` is missing; `what` says what it is for.
    pub fn missing(&self, cx: &mut Context<'_>, key: &str, what: &str) {
        let message = format!("missing field `{key}`");
        let diagnostic = Diagnostic::error(E0103, message).help(format!("`{key}` is {what}"));
        cx.report(diagnostic, self.span, &format!("in {}", self.shown));
    }

    /// A text that may be absent.
    pub fn text(&mut self, cx: &mut Context<'_>, key: &'static str) -> Option<&'t str> {
        let item = self.get(key)?;
        value::text(cx, item, key)
    }

    /// A count that may be absent.
    pub fn count(
        &mut self,
        cx: &mut Context<'_>,
        key: &'static str,
        min: u64,
        max: u64,
    ) -> Option<u64> {
        let item = self.get(key)?;
        let path = self.path_of(key);
        value::quantity(cx, &path, item, Measure::Count, (min, max))
    }

    /// A quantity that may be absent.
    pub fn quantity(
        &mut self,
        cx: &mut Context<'_>,
        key: &'static str,
        what: Measure,
    ) -> Option<u64> {
        let item = self.get(key)?;
        let path = self.path_of(key);
        value::quantity(cx, &path, item, what, (0, u64::MAX))
    }

    /// A length of time that may be absent.
    pub fn duration(&mut self, cx: &mut Context<'_>, key: &'static str) -> Option<Duration> {
        self.quantity(cx, key, Measure::Duration).map(Duration)
    }

    /// A share that may be absent.
    pub fn ratio(&mut self, cx: &mut Context<'_>, key: &'static str) -> Option<Ratio> {
        let item = self.get(key)?;
        let path = self.path_of(key);
        match value::setting(cx, &path, item, &Kind::Ratio)? {
            SettingValue::Ratio(ratio) => Some(ratio),
            _ => None,
        }
    }

    /// A distribution that may be absent; a quantity alone is a constant.
    pub fn dist(&mut self, cx: &mut Context<'_>, key: &'static str, what: Measure) -> Option<Dist> {
        let item = self.get(key)?;
        crate::read::dist::read(cx, item, what)
    }

    /// One of a few words, or the first of them when it is absent.
    pub fn word(
        &mut self,
        cx: &mut Context<'_>,
        key: &'static str,
        words: &[&'static str],
    ) -> &'static str {
        assert!(!words.is_empty(), "there is a default");
        let Some(item) = self.get(key) else {
            return words[0];
        };
        let Some(text) = value::text(cx, item, key) else {
            return words[0];
        };
        match words.iter().find(|word| **word == text) {
            Some(word) => word,
            None => {
                cx.unknown(key, text, item.span, words);
                words[0]
            }
        }
    }

    /// A list of texts with their places; empty when it is absent.
    pub fn texts(&mut self, cx: &mut Context<'_>, key: &'static str) -> Vec<(&'t str, Span)> {
        match self.get(key) {
            Some(item) => value::texts(cx, item, key),
            None => Vec::new(),
        }
    }

    /// The entries of a field that is a table with free keys; empty when it is absent.
    pub fn entries(
        &mut self,
        cx: &mut Context<'_>,
        key: &'static str,
    ) -> Option<&'t [crate::syntax::tree::Entry]> {
        let item = self.get(key)?;
        let Value::Table(table) = &item.value else {
            let message = format!("`{key}` is a table, not {}", item.noun());
            cx.report(Diagnostic::error(E0201, message), item.span, "");
            return None;
        };
        Some(&table.entries)
    }

    /// At most one of `keys` may be given.
    pub fn exclusive(&self, cx: &mut Context<'_>, keys: &[&'static str]) {
        let given = keys.iter().filter_map(|key| self.table.entry(key));
        let given: Vec<_> = given.collect();
        if given.len() > 1 {
            let names: Vec<&str> = given.iter().map(|entry| entry.key.as_str()).collect();
            let message = format!("{} exclude each other", listed(&names));
            cx.report(Diagnostic::error(E0107, message), given[1].key_span, "");
            cx.also(given[0].key_span, "given here already");
        }
    }

    /// Reports every field that nobody asked for.
    pub fn finish(self, cx: &mut Context<'_>) {
        for entry in self.table.entries.iter() {
            if self.known.contains(&entry.key.as_str()) {
                continue;
            }
            let message = format!("unknown field `{}`", entry.key);
            let mut diagnostic = Diagnostic::error(E0102, message);
            diagnostic.help = self.advice(cx, &entry.key);
            cx.report(diagnostic, entry.key_span, &format!("in {}", self.shown));
        }
    }

    /// What was meant instead of `key`: exactly a field of another table, or nearly one of this.
    fn advice(&self, cx: &Context<'_>, key: &str) -> Option<String> {
        let elsewhere = words::tables_with(cx, key);
        let elsewhere: Vec<&str> =
            elsewhere.iter().map(String::as_str).filter(|table| *table != self.shown).collect();
        if let Some(near) = nearest(key, self.known.iter().copied()) {
            return Some(format!("did you mean `{near}`?"));
        }
        if !elsewhere.is_empty() {
            return Some(format!("`{key}` belongs to {}", elsewhere.join(" or ")));
        }
        if self.known.is_empty() {
            return Some(format!("{} has no fields", self.shown));
        }
        Some(format!("fields of {}: {}", self.shown, listed(&self.known)))
    }
}

/// Whether `name` can be part of a path, a selector and a directory; reports when it cannot.
pub fn check_name(cx: &mut Context<'_>, name: &str, span: Span) -> bool {
    let good = is_name(name);
    if !good {
        let diagnostic = Diagnostic::error(E0108, format!("`{name}` is not a name"));
        let help = "names are at most 64 letters, digits, `-` and `_`, and begin with a letter";
        cx.report(diagnostic.help(help), span, "");
    }
    good
}

/// Letters, digits, `-` and `_`, a letter first, at most 64.
pub fn is_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}
