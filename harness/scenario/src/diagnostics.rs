//! What the lab says about a wrong file: stable codes, spans, suggestions.
//!
//! Start with [`Diagnostic`]; [`render`] prints them with the source, [`explain`] is the long form
//! of a code. The table of codes is [`codes::CODES`].

pub mod codes;

use annotate_snippets::{AnnotationKind, Element, Group, Level, Renderer, Snippet};
use std::ops::Range;

pub use codes::explain;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file is not used.
    Error,
    /// The file is used; an error with `--deny-warnings`.
    Warning,
}

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// A row of [`codes::CODES`], or a code of a system's relations: `E0102`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one line that begins in lower case.
    pub message: String,
    /// Where. The first is where the error points; it may be missing when the whole file is meant.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub help: Option<String>,
    /// The text that the labels point into, when it is not the file: an override of the command
    /// line, with the name under which it is shown.
    pub source: Option<(String, String)>,
}

/// A place in a source, with a few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// In bytes.
    pub span: Range<usize>,
    /// May be empty.
    pub text: String,
}

impl Diagnostic {
    /// An error without a place yet.
    #[must_use]
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        assert!(code.len() == 5, "codes look like E0102, not {code}");
        Self {
            code,
            severity: Severity::Error,
            message,
            labels: Vec::new(),
            help: None,
            source: None,
        }
    }

    /// A warning without a place yet.
    #[must_use]
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// Adds a place.
    #[must_use]
    pub fn at(mut self, span: Range<usize>, text: impl Into<String>) -> Self {
        let text = text.into();
        self.labels.push(Label { span, text });
        self
    }

    /// Sets the help.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Where the first label begins: line and column from 1, columns in characters.
    #[must_use]
    pub fn line_column(&self, source: &str) -> Option<(usize, usize)> {
        let start = self.labels.first()?.span.start;
        let text = self.source.as_ref().map_or(source, |(_, text)| text);
        let before = text.get(..start.min(text.len()))?;
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        Some((line, before[line_start..].chars().count() + 1))
    }
}

/// Whether any of them is an error (with `deny_warnings`, whether there is any).
#[must_use]
pub fn any_error(diagnostics: &[Diagnostic], deny_warnings: bool) -> bool {
    let counts = |d: &Diagnostic| deny_warnings || d.severity == Severity::Error;
    diagnostics.iter().any(counts)
}

/// All of them as text, with the lines of `source` that they point at. `path` is how the file is
/// shown.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], source: &str, path: &str, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for diagnostic in diagnostics {
        let group = group(diagnostic, source, path);
        out.push_str(&renderer.render(&[group]));
        out.push_str("\n\n");
    }
    out.push_str(&tally(diagnostics));
    out
}

fn group<'a>(diagnostic: &'a Diagnostic, source: &'a str, path: &'a str) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code);
    let (path, source) = match &diagnostic.source {
        Some((name, text)) => (name.as_str(), text.as_str()),
        None => (path, source),
    };
    let mut elements: Vec<Element<'a>> = Vec::new();
    if diagnostic.labels.is_empty() {
        elements.push(annotate_snippets::Origin::path(path).into());
    } else {
        let annotations = diagnostic.labels.iter().enumerate().map(|(i, label)| {
            let kind = if i == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
            let annotation = kind.span(on_characters(source, &label.span));
            if label.text.is_empty() { annotation } else { annotation.label(label.text.as_str()) }
        });
        let snippet = Snippet::source(source).path(path).annotations(annotations);
        elements.push(snippet.into());
    }
    if let Some(help) = &diagnostic.help {
        elements.push(Level::HELP.message(help.as_str()).into());
    }
    title.elements(elements)
}

/// `span` cut to whole characters inside `source`: a printer must not fail on what it prints.
fn on_characters(source: &str, span: &Range<usize>) -> Range<usize> {
    let mut start = span.start.min(source.len());
    while !source.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = span.end.clamp(start, source.len());
    while !source.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

/// `2 errors, 1 warning`, as the last line; empty when there is nothing.
fn tally(diagnostics: &[Diagnostic]) -> String {
    let count = |severity| {
        let same = |d: &&Diagnostic| d.severity == severity;
        diagnostics.iter().filter(same).count()
    };
    let mut parts = Vec::new();
    for (number, word) in [(count(Severity::Error), "error"), (count(Severity::Warning), "warning")]
    {
        if number > 0 {
            parts.push(format!("{number} {word}{}", if number == 1 { "" } else { "s" }));
        }
    }
    if parts.is_empty() {
        return String::new();
    }
    format!("{}\n", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_of_a_message() {
        let source = "[tuning.h]\nheart_beat = \"150ms\"\n";
        let diagnostic = Diagnostic::error("E0102", "unknown field `heart_beat`")
            .at(11..21, "in [tuning.h]")
            .help("did you mean `heartbeat`?");
        assert_eq!(diagnostic.line_column(source), Some((2, 1)));
        let expect = "\
error[E0102]: unknown field `heart_beat`
 --> scenarios/split.toml:2:1
  |
2 | heart_beat = \"150ms\"
  | ^^^^^^^^^^ in [tuning.h]
  |
  = help: did you mean `heartbeat`?

1 error
";
        let shown = render(&[diagnostic], source, "scenarios/split.toml", false);
        assert_eq!(shown, expect);
    }

    #[test]
    fn colour_is_only_on_request() {
        let diagnostic = Diagnostic::warning("E0505", "a cover of nothing").at(0..1, "");
        assert!(!render(std::slice::from_ref(&diagnostic), "a", "p", false).contains('\x1b'));
        assert!(render(&[diagnostic], "a", "p", true).contains('\x1b'));
    }

    #[test]
    fn spans_outside_of_the_source_or_inside_a_character_are_survived() {
        for span in [0..99, 50..60, 1..2, 4..4] {
            let diagnostic = Diagnostic::error("E0101", "odd").at(span, "here");
            assert!(render(&[diagnostic], "é€", "p", false).contains("odd"));
        }
        let nowhere = Diagnostic::error("E0701", "not UTF-8");
        assert!(render(&[nowhere], "", "p.toml", false).contains("--> p.toml"));
    }

    #[test]
    fn warnings_fail_only_when_denied() {
        let warning = [Diagnostic::warning("E0505", "w")];
        assert!(!any_error(&warning, false));
        assert!(any_error(&warning, true));
        assert!(any_error(&[Diagnostic::error("E0101", "e")], false));
    }
}
