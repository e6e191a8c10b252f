//! What is wrong with a recorded history, and where.

use std::fmt;

/// A place in a file and what should have been there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// From 1.
    pub line: u64,
    /// From 1, in characters.
    pub column: u64,
    /// What was expected there.
    pub expected: String,
    /// What is there, shortened; empty at the end of the file.
    pub found: String,
}

/// The most characters that `found` quotes.
const QUOTED_MAX: usize = 24;

impl ReadError {
    /// An error at byte `offset` of `text`, quoting what stands there up to the end of its line.
    #[must_use]
    pub fn at(text: &str, offset: usize, expected: impl Into<String>) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let rest = text.get(offset..).unwrap_or("");
        let found = rest.lines().next().unwrap_or("").trim_end();
        Self {
            line: before.matches('\n').count() as u64 + 1,
            column: before[line_start..].chars().count() as u64 + 1,
            expected: expected.into(),
            found: found.chars().take(QUOTED_MAX).collect(),
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, expected, found } = self;
        write!(f, "line {line}, column {column}: expected {expected}, found ")?;
        if found.is_empty() { write!(f, "the end") } else { write!(f, "`{found}`") }
    }
}

impl std::error::Error for ReadError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters() {
        let text = "abc\näöü rest of the line that is long\n";
        let offset = text.find("rest").expect("it is there");
        let error = ReadError::at(text, offset, "a number");
        assert_eq!((error.line, error.column), (2, 5));
        assert_eq!(
            error.to_string(),
            "line 2, column 5: expected a number, found `rest of the line that is`"
        );
        let end = ReadError::at(text, text.len(), "more");
        assert_eq!(end.to_string(), "line 3, column 1: expected more, found the end");
    }
}
