//! The house style of a scenario file: what `chaoslab fmt` makes of one.
//!
//! Lines stay lines and comments stay where they are; only white space changes. Within a run of keys
//! one below the other the equals signs stand below each other, long keys left out; one empty line
//! stands before each table, no line ends in blanks, the file ends in one newline. What a value says
//! is never touched, and what is written over several lines is left as it is.

use crate::syntax::tree::{Item, Table, Value, parse_document};
use std::collections::BTreeMap;
use std::ops::Range;

/// A longer key stands alone: what is around it is not moved for it.
const KEY_MAX: usize = 16;

/// `text` in the house style; `None` when it is no TOML.
#[must_use]
pub fn tidied(text: &str) -> Option<String> {
    let (tree, errors) = parse_document(text);
    if !errors.is_empty() {
        return None;
    }
    let lines = lines(text, &keys(&tree));
    let out = spaced(&aligned(&lines));
    let (again, errors) = parse_document(&out);
    assert!(errors.is_empty(), "white space alone breaks no file");
    assert!(alike(&tree, &again), "white space alone changes nothing that a file says");
    Some(out)
}

/// A line of the file.
enum Line<'t> {
    /// A key with its value, which ends in this line; what stands behind it is part of the value.
    Key {
        key: &'t str,
        value: &'t str,
    },
    /// The header of a table.
    Header(&'t str),
    Comment(&'t str),
    Empty,
    /// Part of a value that goes over several lines: kept as it is.
    Kept(&'t str),
}

/// Where each key begins, and where its value ends.
fn keys(tree: &Table) -> BTreeMap<usize, Range<usize>> {
    let mut found = BTreeMap::new();
    collect(tree, &mut found);
    found
}

fn collect(table: &Table, found: &mut BTreeMap<usize, Range<usize>>) {
    for entry in table.entries.iter() {
        found.insert(entry.key_span.range().start, entry.item.span.range());
        match &entry.item.value {
            Value::Table(inner) => collect(inner, found),
            Value::List(items) => {
                items.iter().filter_map(Item::table).for_each(|t| collect(t, found))
            }
            _ => {}
        }
    }
}

fn lines<'t>(text: &'t str, keys: &BTreeMap<usize, Range<usize>>) -> Vec<Line<'t>> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut kept_until = 0;
    for raw in text.split_inclusive('\n') {
        let end = start + raw.len();
        let line = raw.trim_end_matches(['\n', '\r']);
        let bare = line.trim();
        let first = start + (line.len() - line.trim_start().len());
        let value = keys.get(&first).filter(|value| value.start > first);
        found.push(if start < kept_until {
            Line::Kept(line)
        } else if bare.is_empty() {
            Line::Empty
        } else if bare.starts_with('#') {
            Line::Comment(bare)
        } else if bare.starts_with('[') {
            Line::Header(bare)
        } else {
            match value {
                Some(value) if value.end > end => {
                    kept_until = value.end;
                    Line::Kept(line)
                }
                Some(value) => {
                    let key = text[first..value.start].trim_end().trim_end_matches('=').trim_end();
                    Line::Key { key, value: text[value.start..end].trim_end() }
                }
                None => Line::Kept(line),
            }
        });
        start = end;
    }
    found
}

/// The text of each line, and what it is, with the equals signs of each run of keys below each other.
fn aligned<'l, 't>(lines: &'l [Line<'t>]) -> Vec<(&'l Line<'t>, String)> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let run = lines[at..].iter().take_while(|line| matches!(line, Line::Key { .. })).count();
        let width = lines[at..at + run].iter().filter_map(|line| match line {
            Line::Key { key, .. } => Some(key.chars().count()).filter(|len| *len <= KEY_MAX),
            _ => None,
        });
        let width = width.max().unwrap_or(0);
        for line in &lines[at..at + run.max(1)] {
            let text = match line {
                Line::Key { key, value } => format!("{key:<width$} = {value}"),
                Line::Header(text) | Line::Comment(text) => (*text).to_owned(),
                Line::Kept(text) => (*text).to_owned(),
                Line::Empty => String::new(),
            };
            out.push((line, text));
        }
        at += run.max(1);
    }
    out
}

/// The lines with one empty line before each table and the comment that belongs to it, and with no
/// more than one anywhere.
fn spaced(lines: &[(&Line<'_>, String)]) -> String {
    let mut out: Vec<&str> = Vec::new();
    for (at, (line, text)) in lines.iter().enumerate() {
        let after_comment = at > 0 && matches!(lines[at - 1].0, Line::Comment(_));
        let opens = match line {
            Line::Header(_) => !after_comment,
            Line::Comment(_) => !after_comment && heads_a_table(&lines[at..]),
            _ => false,
        };
        let last_is_empty = out.last().is_none_or(|last| last.is_empty());
        if opens && !last_is_empty {
            out.push("");
        }
        if matches!(line, Line::Empty) && last_is_empty {
            continue;
        }
        out.push(text);
    }
    while out.last().is_some_and(|last| last.is_empty()) {
        out.pop();
    }
    out.iter().map(|line| format!("{line}\n")).collect()
}

/// Whether comments go over into the header of a table.
fn heads_a_table(lines: &[(&Line<'_>, String)]) -> bool {
    let next = lines.iter().find(|(line, _)| !matches!(line, Line::Comment(_)));
    matches!(next, Some((Line::Header(_), _)))
}

/// Whether two trees say the same, wherever it stands.
fn alike(one: &Table, two: &Table) -> bool {
    let pairs = || one.entries.iter().zip(two.entries.iter());
    one.entries.len() == two.entries.len()
        && pairs().all(|(a, b)| a.key == b.key && alike_items(&a.item, &b.item))
}

fn alike_items(one: &Item, two: &Item) -> bool {
    match (&one.value, &two.value) {
        (Value::Table(one), Value::Table(two)) => alike(one, two),
        (Value::List(one), Value::List(two)) => {
            one.len() == two.len() && one.iter().zip(two).all(|(a, b)| alike_items(a, b))
        }
        (one, two) => one == two,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expect: &str) {
        assert_eq!(tidied(input).as_deref(), Some(expect));
        assert_eq!(tidied(expect).as_deref(), Some(expect), "what is tidy stays as it is");
    }

    #[test]
    fn keys_are_aligned_and_tables_stand_apart() {
        check(
            "\n\n# Why.\nformat=1\nname  =  \"a\"   # the name\n[budget]\nsim_time = \"1s\"\n\n\n\n\
             # A cut.\n[[fault]]\n  id=\"x\"\nentries_per_append_max = 1\nat = \"1s\"  \n\n",
            "# Why.\nformat = 1\nname   = \"a\"   # the name\n\n[budget]\nsim_time = \"1s\"\n\n\
             # A cut.\n[[fault]]\nid = \"x\"\nentries_per_append_max = 1\nat = \"1s\"\n",
        );
    }

    #[test]
    fn what_goes_over_several_lines_is_left_alone() {
        check(
            "a=1\nlist = [\n    1,  \n  2,\n]\ntext = \"\"\"\n  x   \n\"\"\"\nb   = 2\n",
            "a = 1\nlist = [\n    1,  \n  2,\n]\ntext = \"\"\"\n  x   \n\"\"\"\nb = 2\n",
        );
    }

    #[test]
    fn what_is_no_toml_is_refused() {
        assert_eq!(tidied("a = \n"), None);
    }
}
