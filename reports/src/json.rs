//! `run.json`: the record as canonical JSON. One record, one sequence of bytes.
//!
//! Keys are sorted, numbers are integers, and the layout is fixed: whatever holds only plain values
//! stands on one line, so a row of a table is a line of the file and two runs can be compared with
//! `diff`.

mod rows;

use crate::record::{RunRecord, VERSION};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::io::Read;

/// Why a record cannot be read. Completes "failed to read a run record: …".
#[derive(Debug)]
pub enum ReadError {
    /// The text is not JSON, or not that of a record.
    Syntax(serde_json::Error),
    /// It has no version, so it is something else.
    NoVersion,
    /// It was written by a newer lab, whose fields may mean something else.
    Newer(u64),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(error) => write!(f, "it is not a run record ({error})"),
            Self::NoVersion => f.write_str("it has no field `version`, so it is no run record"),
            Self::Newer(version) => {
                write!(f, "it has version {version}, and this lab reads versions up to {VERSION}")
            }
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Syntax(error) => Some(error),
            Self::NoVersion | Self::Newer(_) => None,
        }
    }
}

/// The record as canonical JSON, with a newline at the end.
#[must_use]
pub fn write(run: &RunRecord) -> String {
    let mut out = String::new();
    rows::write(run, &mut out);
    out.push('\n');
    out
}

/// Any serialisable value in the same canonical form, for the files beside `run.json`.
///
/// # Panics
/// When `value` has a map whose keys are not text, or a number that is not finite.
#[must_use]
pub fn canonical<T: Serialize>(value: &T) -> String {
    let value = serde_json::to_value(value).expect("records have text keys and finite numbers");
    let mut out = String::new();
    put(&value, 0, &mut out);
    out.push('\n');
    out
}

/// Reads a record of this or an older lab. Fields that are not known are skipped.
///
/// # Errors
/// When the text is not a record, or one of a newer lab.
pub fn read(text: &str) -> Result<RunRecord, ReadError> {
    judge(&serde_json::from_str(text).map_err(ReadError::Syntax)?)?;
    serde_json::from_str(text).map_err(ReadError::Syntax)
}

/// As [`read`], from a source that is read twice and whose text is never held as a whole.
///
/// # Errors
/// When it cannot be read, is not a record, or one of a newer lab.
pub fn read_from<R: Read>(source: impl Fn() -> std::io::Result<R>) -> Result<RunRecord, ReadError> {
    let open = || source().map_err(|error| ReadError::Syntax(serde_json::Error::io(error)));
    judge(&serde_json::from_reader(open()?).map_err(ReadError::Syntax)?)?;
    serde_json::from_reader(open()?).map_err(ReadError::Syntax)
}

/// The version alone: whatever else there is is skipped, not kept.
#[derive(Deserialize)]
struct Versioned {
    #[serde(default)]
    version: Value,
}

fn judge(found: &Versioned) -> Result<(), ReadError> {
    match found.version.as_u64() {
        None | Some(0) => Err(ReadError::NoVersion),
        Some(version) if version > u64::from(VERSION) => Err(ReadError::Newer(version)),
        Some(_) => Ok(()),
    }
}

/// Appends `value`; `indent` is the number of spaces before its closing bracket. An object right
/// below the top is a table of counters: one line each.
fn put(value: &Value, indent: usize, out: &mut String) {
    let inner = indent + 2;
    match value {
        Value::Array(items) if items.iter().any(|item| !is_row(item) || item.is_object()) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                new_line(n > 0, inner, out);
                put(item, inner, out);
            }
            new_line(false, indent, out);
            out.push(']');
        }
        Value::Object(fields) if !is_row(value) || indent == 2 && !fields.is_empty() => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            out.push('{');
            for (n, (name, field)) in fields.into_iter().enumerate() {
                new_line(n > 0, inner, out);
                put_key(name, out);
                put(field, inner, out);
            }
            new_line(false, indent, out);
            out.push('}');
        }
        _ => put_row(value, out),
    }
}

/// Whether the value stands on one line: a plain value, an array of plain values or of pairs, or an
/// object of plain values.
fn is_row(value: &Value) -> bool {
    let plain = |value: &Value| !value.is_array() && !value.is_object();
    let short =
        |value: &Value| plain(value) || value.as_array().is_some_and(|a| a.iter().all(plain));
    match value {
        Value::Array(items) => items.iter().all(short),
        Value::Object(fields) => fields.values().all(short),
        _ => true,
    }
}

/// Appends a value on the current line.
fn put_row(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                out.push_str(if n > 0 { ", " } else { "" });
                put_row(item, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            out.push('{');
            for (n, (name, field)) in fields.into_iter().enumerate() {
                out.push_str(if n > 0 { ", " } else { "" });
                put_key(name, out);
                put_row(field, out);
            }
            out.push('}');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

fn put_key(name: &str, out: &mut String) {
    out.push_str(&Value::from(name).to_string());
    out.push_str(": ");
}

fn new_line(comma: bool, indent: usize, out: &mut String) {
    out.push_str(if comma { ",\n" } else { "\n" });
    out.extend(std::iter::repeat_n(' ', indent));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::RunOutcome;
    use crate::testkit::{check_snapshot, hostile, split_brain};
    use serde_json::json;

    #[test]
    fn reading_then_writing_is_the_identity() {
        for run in [RunRecord::default(), split_brain(), hostile()] {
            let text = write(&run);
            let back = read(&text).unwrap();
            assert_eq!(back, run);
            assert_eq!(write(&back), text);
            assert_eq!(read_from(|| Ok(text.as_bytes())).unwrap(), run);
        }
    }

    #[test]
    fn the_bytes_of_a_record() {
        check_snapshot("split-brain.json", &write(&split_brain()));
    }

    #[test]
    fn keys_are_sorted_and_rows_stand_on_one_line() {
        let text = canonical(&json!({"b": [{"y": 1, "x": [[1, 2], [3, 4]]}], "a": {}, "c": []}));
        let expect = concat!(
            "{\n  \"a\": {},\n  \"b\": [\n    {\n      \"x\": [[1, 2], [3, 4]],\n",
            "      \"y\": 1\n    }\n  ],\n  \"c\": []\n}\n"
        );
        assert_eq!(text, expect);
    }

    #[test]
    fn an_old_record_with_few_and_with_unknown_fields_renders() {
        let text = r#"{"version": 1, "scenario": "old/one", "seed": 18446744073709551615,
            "mood": {"of": "the day"}, "checks": [{"id": "lin", "colour": 3}]}"#;
        let run = read(text).unwrap();
        assert_eq!(run.seed, u64::MAX);
        assert_eq!(run.checks[0].id, "lin");
        assert_eq!(run.outcome, RunOutcome::Inconclusive);
    }

    #[test]
    fn what_is_no_record_is_refused_with_the_reason() {
        let reason = |text: &str| read(text).unwrap_err().to_string();
        assert!(reason("{}").contains("no field `version`"));
        assert!(reason("[]").contains("no field `version`"));
        assert!(reason("nonsense").contains("not a run record"));
        assert!(reason(r#"{"version": 2}"#).contains("version 2"));
        assert!(reason(r#"{"version": 1, "seed": "x"}"#).contains("not a run record"));
    }
}
