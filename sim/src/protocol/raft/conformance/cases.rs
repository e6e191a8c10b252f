//! The file format: a JSON list of commands, each with its place, arguments, input and output.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use catalog::conformance::{Agreement, Judged, Malformed};
use serde::Deserialize;

/// One command of a data-driven test.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The file that it comes from.
    pub file: String,
    /// The line in that file.
    pub line: u64,
    /// The command.
    pub cmd: String,
    /// Its arguments: a word with what is set by it, if anything.
    pub args: Vec<(String, Vec<String>)>,
    /// The text under it.
    #[serde(default)]
    pub input: String,
    /// What is printed for it.
    pub expected: Vec<String>,
}

impl Case {
    /// The values of an argument; `None` where it is not given.
    pub fn arg(&self, name: &str) -> Option<&[String]> {
        let found = self.args.iter().find(|(key, _)| key == name);
        found.map(|(_, values)| &values[..])
    }

    /// Whether an argument is given and true.
    pub fn is_set(&self, name: &str) -> bool {
        self.arg(name).is_some_and(|values| values.iter().all(|value| value == "true"))
    }

    /// The verdict on this command.
    pub fn judged(&self, agreement: Agreement) -> Judged {
        let words = self.args.iter().map(|(key, values)| match values.len() {
            0 => format!(" {key}"),
            1 => format!(" {key}={}", values[0]),
            _ => format!(" {key}=({})", values.join(",")),
        });
        let args: String = words.collect();
        let input = self.input.trim().replace('\n', "; ");
        let input = if input.is_empty() { input } else { format!(" {input}") };
        Judged {
            place: format!("{}:{}", self.file, self.line),
            what: format!("{}{args}{input}", self.cmd),
            agreement,
        }
    }

    /// Whether `found` is what is expected.
    pub fn compare(&self, expected: &str, found: &str) -> Judged {
        let (expected, found) = (expected.to_string(), found.to_string());
        self.judged(match expected == found {
            true => Agreement::Agrees,
            false => Agreement::Disagrees { expected, found },
        })
    }
}

/// Reads a file whose commands are all among `known`.
///
/// # Errors
/// With the first line that is not as it must be.
pub fn read(text: &str, known: &[&str]) -> Result<Vec<Case>, Malformed> {
    let wrong = |error: serde_json::Error| Malformed {
        line: error.line() as u64,
        expected: format!(
            "a list of {{file, line, cmd, args, input, expected}} was expected: {error}"
        ),
    };
    let cases: Vec<Case> = serde_json::from_str(text).map_err(wrong)?;
    if cases.is_empty() {
        let expected = "a list of commands was expected, and it is empty".to_string();
        return Err(Malformed { line: 1, expected });
    }
    if let Some(strange) = cases.iter().find(|case| !known.contains(&case.cmd.as_str())) {
        let needle = format!("\"{}\"", strange.cmd);
        let line = text.lines().position(|line| line.contains(&needle)).unwrap_or(0) as u64 + 1;
        let expected = format!("one of {} was expected, not `{}`", known.join(", "), strange.cmd);
        return Err(Malformed { line, expected });
    }
    Ok(cases)
}
