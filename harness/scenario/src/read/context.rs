//! The state of reading one tree: what may be named, what went wrong so far, what was drawn.

use crate::Lab;
use crate::diagnostics::codes::{E0203, E0702};
use crate::diagnostics::{Diagnostic, Label};
use crate::syntax::tree::{Item, Span};
use crate::vocabulary::suggest::nearest;
use crate::vocabulary::symbols::Names;
use contract::{Dist, Domain, Rng};

/// A text besides the file that spans may point into.
#[derive(Clone, Debug)]
pub struct Source {
    /// How it is shown: `--set`.
    pub name: String,
    /// `net.latency=5ms`.
    pub text: String,
}

/// Everything that reading a tree needs and leaves behind.
pub struct Context<'a> {
    /// What the lab offers.
    pub lab: &'a Lab<'a>,
    /// What the file declares.
    pub names: Names,
    /// The seed of every draw.
    pub seed: u64,
    /// Whether lists that are long and surely right (preloads) are spelt out.
    pub expand: bool,
    /// The overrides, for spans with a source of 1 or more.
    pub sources: &'a [Source],
    /// What went wrong, in the order of reading.
    pub diagnostics: Vec<Diagnostic>,
    /// The source that the last diagnostic points into.
    last_source: u16,
    /// What was drawn: the path of a scalar and its value. The document of the plan has them.
    pub draws: Vec<(String, Item)>,
}

impl<'a> Context<'a> {
    /// Nothing read yet.
    pub fn new(lab: &'a Lab<'a>, names: Names, seed: u64, sources: &'a [Source]) -> Self {
        Self {
            lab,
            names,
            seed,
            expand: false,
            sources,
            diagnostics: Vec::new(),
            last_source: 0,
            draws: Vec::new(),
        }
    }

    /// Records `diagnostic`, which points at `span`.
    pub fn report(&mut self, diagnostic: Diagnostic, span: Span, label: &str) {
        let mut diagnostic = diagnostic.at(span.range(), label);
        if let Some(index) = usize::from(span.source).checked_sub(1) {
            let source = &self.sources[index];
            diagnostic.source = Some((source.name.clone(), source.text.clone()));
        }
        self.last_source = span.source;
        self.diagnostics.push(diagnostic);
    }

    /// Adds a second place to the last diagnostic, unless it is in another source.
    pub fn also(&mut self, span: Span, label: &str) {
        let last = self.diagnostics.last_mut().expect("something was reported");
        if self.last_source == span.source {
            last.labels.push(Label { span: span.range(), text: label.to_owned() });
        }
    }

    /// Reports that `word` is not a `what` (`event`, `kind of fault`), with the nearest candidate.
    pub fn unknown(&mut self, what: &str, word: &str, span: Span, candidates: &[&str]) {
        let message = format!("unknown {what} `{word}`");
        let diagnostic = Diagnostic::error(E0203, message);
        let help = match nearest(word, candidates.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if candidates.is_empty() => format!("there is no {what} here"),
            None => format!("known: {}", listed(candidates)),
        };
        self.report(diagnostic.help(help), span, "");
    }

    /// Reports that `what` belongs to the format but is not offered by this lab.
    pub fn unsupported(&mut self, what: &str, span: Span, help: Option<&str>) {
        let mut diagnostic = Diagnostic::error(E0702, format!("not yet supported: {what}"));
        diagnostic.help = help.map(str::to_owned);
        self.report(diagnostic, span, "");
    }

    /// Draws a value for the scalar at `path`. Every path has a stream of its own, so that an edit
    /// of the file shifts no other draw.
    pub fn draw(&mut self, path: &str, dist: &Dist) -> u64 {
        dist.sample(&mut Rng::new(self.seed, Domain::Swarm, path))
    }
}

/// At most a dozen names in a row.
pub fn listed(names: &[&str]) -> String {
    const SHOWN_MAX: usize = 12;
    let shown: Vec<String> = names.iter().take(SHOWN_MAX).map(|n| format!("`{n}`")).collect();
    let more = names.len().saturating_sub(SHOWN_MAX);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", shown.join(", "))
}
