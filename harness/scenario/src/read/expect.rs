//! What a run must end with, and `[[variant]]`, which is the same file with a few things changed.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::{E0601, E0602, E0605};
use crate::edit::paths;
use crate::plan::Expectation;
use crate::read::context::Context;
use crate::read::faults::{id, list, place};
use crate::read::fields::Fields;
use crate::read::time_point;
use crate::read::value;
use crate::syntax::tree::{Item, Span, Table, Value};
use catalog::System;

/// The most variants of one file.
const VARIANTS_MAX: usize = 100;

/// Fields that a variant has in common with the top level, besides `expect`.
const EXPECTED: [&str; 3] = ["caught_by", "may_fail", "min_rate"];

/// Reads `expect` and what belongs to it.
pub fn read(cx: &mut Context<'_>, top: &mut Fields<'_>) -> Expectation {
    let fail = top.word(cx, "expect", &["pass", "fail"]) == "fail";
    let caught_by = checks(cx, top, "caught_by");
    let may_fail = checks(cx, top, "may_fail");
    let min_rate = top.ratio(cx, "min_rate");
    let given = top.get("caught_by").map(|item| &item.value);
    let none_given = given.is_none_or(|value| *value == Value::List(Vec::new()));
    if fail && none_given {
        let span = top.get("expect").map_or(top.span, |item| item.span);
        let message = "an expected failure names the checks that must fire";
        let help = "add caught_by = [\"..\"]";
        cx.report(Diagnostic::error(E0601, message).help(help), span, "");
    }
    if !fail {
        for key in EXPECTED {
            if let Some(item) = top.get(key) {
                let message = format!("`{key}` belongs to expect = \"fail\"");
                cx.report(Diagnostic::error(E0605, message), item.span, "");
            }
        }
    }
    for (check, span) in &may_fail {
        if let Some((_, first)) = caught_by.iter().find(|(other, _)| other == check) {
            let message = format!("`{check}` both must and may fail");
            cx.report(Diagnostic::error(E0605, message), *span, "may");
            cx.also(*first, "must");
        }
    }
    let names = |found: Vec<(String, Span)>| found.into_iter().map(|(name, _)| name).collect();
    Expectation { fail, caught_by: names(caught_by), may_fail: names(may_fail), min_rate }
}

/// A list of checks of this file.
fn checks(cx: &mut Context<'_>, top: &mut Fields<'_>, key: &'static str) -> Vec<(String, Span)> {
    let mut found = Vec::new();
    for (text, span) in top.texts(cx, key) {
        if cx.names.checks.iter().any(|check| check == text) {
            found.push((text.to_owned(), span));
            continue;
        }
        let names = cx.names.checks.clone();
        time_point::no_such(cx, "check", text, span, &names);
    }
    found
}

/// The defects of the top level: each is known to some system of the scenario.
pub fn defects(cx: &mut Context<'_>, top: &mut Fields<'_>) -> Vec<&'static str> {
    let systems = cx.names.systems();
    let rows = systems.iter().flat_map(|system: &&'static dyn System| system.defects());
    let known: Vec<&'static str> = rows.map(|row| row.name).collect();
    let mut found = Vec::new();
    for (text, span) in top.texts(cx, "defects") {
        match known.iter().find(|name| **name == text) {
            Some(name) => found.push(*name),
            None if cx.names.blind => {}
            None => cx.unknown("defect", text, span, &known),
        }
    }
    found
}

/// Judges the form of every `[[variant]]`; what it does to the scenario is judged by reading the
/// scenario that it makes.
pub fn variants(cx: &mut Context<'_>, top: &mut Fields<'_>) {
    let Some(items) = list(cx, top, "variant", VARIANTS_MAX) else {
        return;
    };
    let mut names = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let (path, shown) = place(item, "variant", "name", i + 1);
        let Some(mut fields) = Fields::of(cx, item, &path, &shown) else {
            continue;
        };
        id(cx, &mut fields, "name", &mut names);
        fields.entries(cx, "set");
        fields.get("defects");
        fields.get("expect");
        for key in EXPECTED {
            fields.get(key);
        }
        fields.finish(cx);
    }
}

/// The tree of a variant: the lists of the top level replaced by its own, then its `set`.
pub fn apply(cx: &mut Context<'_>, tree: &Table, variant: &Table) -> Table {
    let mut edited = tree.clone();
    edited.remove("variant");
    if let Some(entry) = variant.entry("expect") {
        // What the base expects to fail says nothing about a variant with its own expectation.
        for key in EXPECTED {
            edited.remove(key);
        }
        edited.set("expect", entry.key_span, entry.item.clone());
    }
    for key in EXPECTED.iter().chain(&["defects"]) {
        if let Some(entry) = variant.entry(key) {
            edited.set(key, entry.key_span, entry.item.clone());
        }
    }
    if let Some(Value::Table(set)) = variant.get("set").map(|item| &item.value) {
        for entry in set.entries.iter() {
            put(cx, &mut edited, &entry.key, entry.key_span, entry.item.clone());
        }
    }
    edited
}

/// Puts a value at a path; reports where the path leads nowhere.
pub fn put(cx: &mut Context<'_>, tree: &mut Table, path: &str, span: Span, value: Item) -> bool {
    let result = paths::set(tree, path, span, value);
    let Err(nowhere) = result else { return true };
    let mut diagnostic = Diagnostic::error(E0602, nowhere.message);
    diagnostic.help = nowhere.help;
    cx.report(diagnostic, span, "");
    false
}

/// The tags of the top level.
pub fn tags(cx: &mut Context<'_>, top: &mut Fields<'_>) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(item) = top.get("tags") {
        for (tag, _) in value::texts(cx, item, "tags") {
            found.push(tag.to_owned());
        }
    }
    found
}
