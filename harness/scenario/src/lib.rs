//! The compiler from scenario files to plans.
//!
//! A file becomes a tree that keeps its places ([`syntax`]); variants, points of the matrix, swarm
//! draws and overrides are edits of that tree ([`edit`]); one reader (`read`) judges a tree and
//! makes a [`plan::Plan`] of it. So a variant is checked exactly as the base is, and the document
//! of a plan is the tree that was left, with every draw written into it.
//!
//! Start with [`Scenario::compile`] and [`Scenario::plan`].

pub mod ask;
pub mod diagnostics;
pub mod edit;
pub mod kinds;
pub mod law;
pub mod plan;
mod read;
pub mod syntax;
mod vocabulary;
pub mod workload;

#[cfg(test)]
mod load_tests;
#[cfg(test)]
mod test_lab;
#[cfg(test)]
mod tests;

use crate::diagnostics::codes::{E0101, E0607, E0701, E0703, E0704, E0705, E0706};
use crate::diagnostics::{Diagnostic, any_error};
use crate::edit::matrix::Sweep;
use crate::edit::overrides::Edits;
use crate::edit::{overrides, paths};
use crate::kinds::{Behind, CheckRow, FaultRow, FieldKind};
use crate::law::Law;
use crate::plan::{Expectation, Plan};
use crate::read::context::{Context, Source};
use crate::read::reading::Reading;
use crate::read::{check_variants, expect, reading, value};
use crate::syntax::tree::{Item, Span, Table, Value};
use crate::syntax::{document, tree};
use crate::vocabulary::symbols::Names;
use crate::workload::LoadKind;
use catalog::{Kind, System};

pub use crate::read::random;
pub use crate::read::reading::parse_seed;
pub use crate::vocabulary::schema::schema;

/// The predicate that every lab has: no system of the scenario says that it has anything pending.
pub const SETTLED: &str = "settled";

/// The kind of the check, and its id, that every scenario with a recovery has without asking for
/// it: every operation ends.
pub const TERMINATION: &str = "termination";

/// The largest file.
pub const FILE_BYTES_MAX: usize = 1 << 20;

/// What a file gets reported at most.
const DIAGNOSTICS_MAX: usize = 200;

/// What names exist: the tables that a file is checked against.
#[derive(Clone, Copy)]
pub struct Lab<'a> {
    /// The systems under test.
    pub systems: &'a [&'static dyn System],
    /// The kinds of faults.
    pub faults: &'a [FaultRow],
    /// The kinds of checks.
    pub checks: &'a [CheckRow],
    /// The models of the checks.
    pub models: &'a [&'static str],
    /// The code behind the kinds and the models, for whoever runs the plans.
    pub behind: Behind,
    /// Workloads written in code.
    pub workloads: &'a [&'static dyn LoadKind],
}

impl Lab<'_> {
    /// The system called `name`.
    #[must_use]
    pub fn system(&self, name: &str) -> Option<&'static dyn System> {
        let found = self.systems.iter().find(|system| system.name() == name);
        found.copied()
    }

    /// The defaults of the tables that are not of their own kind, one line each: a test of whoever
    /// puts the tables together asserts that there are none.
    #[must_use]
    pub fn wrong_defaults(&self) -> Vec<String> {
        let mut rows: Vec<(String, &str, Kind)> = Vec::new();
        for system in self.systems {
            for role in system.roles() {
                let place = format!("{} {}", system.name(), role.name);
                let settings = role.settings.iter();
                rows.extend(settings.map(|s| (format!("{place} {}", s.name), s.default, s.kind)));
            }
        }
        let checks = self.checks.iter().map(|kind| &kind.row);
        for row in self.faults.iter().map(|kind| &kind.row).chain(checks) {
            for field in row.fields {
                if let FieldKind::Plain(kind) = field.kind {
                    rows.push((format!("{} {}", row.name, field.name), field.default, kind));
                }
            }
        }
        let mut cx = Context::new(self, Names::default(), 0, &[]);
        let mut wrong = Vec::new();
        for (name, text, kind) in rows.iter().filter(|(_, text, _)| !text.is_empty()) {
            let value = value::setting(&mut cx, name, &tree::parse_value(text, 0, 0), kind);
            if value.is_none() {
                wrong.push(format!("the default of {name}, {text}, is not {kind}"));
            }
        }
        wrong
    }
}

/// A scenario file that was parsed and found right.
#[derive(Clone)]
pub struct Scenario {
    tree: Table,
    name: String,
    about: String,
    system: Option<String>,
    tags: Vec<String>,
    seed: Option<u64>,
    minimal: bool,
    base: Shape,
    variants: Vec<(String, Shape)>,
}

/// What differs between a scenario and its variants before any seed is known.
#[derive(Clone)]
struct Shape {
    expectation: Expectation,
    sweep: Sweep,
    law: Law,
}

impl Shape {
    fn of(reading: Reading) -> Self {
        let mut law = Law::of(&reading.expectation);
        if let Some(plan) = reading.plan {
            law.covers = plan.covers.into_iter().map(|c| (c.id, c.min_runs)).collect();
            law.omittable = plan.omittable.into_iter().collect();
        }
        Self { expectation: reading.expectation, sweep: reading.sweep, law }
    }
}

impl Scenario {
    /// Compiles a file. All that is wrong with it is reported at once; there is a scenario when
    /// nothing is an error. `path` is how the file is shown, and, where it has a part `scenarios/`,
    /// what the name is held against.
    #[must_use]
    pub fn compile(path: &str, text: &[u8], lab: &Lab<'_>) -> (Option<Self>, Vec<Diagnostic>) {
        let text = match decode(text) {
            Ok(text) => text,
            Err(diagnostic) => return (None, vec![*diagnostic]),
        };
        let (tree, syntax) = tree::parse_document(text);
        let syntax_errors: Vec<Diagnostic> = syntax.iter().map(syntax_error).collect();
        if let Some(diagnostic) = format_of(&tree, syntax.is_empty()) {
            let all = syntax_errors.into_iter().chain([diagnostic]);
            return (None, tidy(all.collect()));
        }
        let mut cx = Context::new(lab, Names::collect(&tree, lab), 0, &[]);
        let reading = reading::read(&mut cx, &tree);
        cx.seed = reading.seed.unwrap_or(0);
        if let Some(diagnostic) = name_and_path(&tree, path) {
            cx.diagnostics.push(diagnostic);
        }
        let shapes = check_variants::shapes(&mut cx, &tree, &reading);
        let mut diagnostics = cx.diagnostics;
        if !syntax_errors.is_empty() {
            diagnostics.retain(|d| survives_syntax_errors(d, &syntax, text));
            diagnostics.extend(syntax_errors);
        }
        let diagnostics = tidy(diagnostics);
        if any_error(&diagnostics, false) {
            return (None, diagnostics);
        }
        (Some(Self::assemble(tree, reading, shapes)), diagnostics)
    }

    fn assemble(tree: Table, reading: Reading, variants: Vec<(String, Shape)>) -> Self {
        let text = |key: &str| tree.get(key).and_then(|item| item.as_text());
        let owned = |key: &str| text(key).unwrap_or_default().to_owned();
        Self {
            name: owned("name"),
            about: owned("about"),
            system: text("system").map(str::to_owned),
            tags: reading.tags.clone(),
            seed: reading.seed,
            minimal: reading.minimal,
            base: Shape::of(reading),
            variants,
            tree,
        }
    }

    /// The path under `scenarios/`, without the suffix.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is about.
    #[must_use]
    pub fn about(&self) -> &str {
        &self.about
    }

    /// The `system` of the top level, which groups may override.
    #[must_use]
    pub fn system(&self) -> Option<&str> {
        self.system.as_deref()
    }

    /// Free words: `exact`, `smoke`.
    #[must_use]
    pub fn tags(&self) -> &[String] {
        &self.tags
    }

    /// The seed of the file; where it has none, whoever runs it draws one and prints it.
    #[must_use]
    pub const fn seed(&self) -> Option<u64> {
        self.seed
    }

    /// Whether `shrink` made it: one run, not a law of many.
    #[must_use]
    pub const fn is_minimal(&self) -> bool {
        self.minimal
    }

    /// What the base or a variant must end with; `None` for a variant that does not exist.
    #[must_use]
    pub fn expectation(&self, variant: Option<&str>) -> Option<&Expectation> {
        self.shape(variant).map(|shape| &shape.expectation)
    }

    /// The names of the variants, in the order of the file.
    #[must_use]
    pub fn variants(&self) -> Vec<&str> {
        self.variants.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The points of the matrix `[sweep] vary`; 1 without one.
    #[must_use]
    pub fn points(&self, variant: Option<&str>) -> u64 {
        self.shape(variant).map_or(1, |shape| shape.sweep.points())
    }

    /// What all runs of the base or a variant are held to; `None` for a variant that does not exist.
    #[must_use]
    pub fn law(&self, variant: Option<&str>) -> Option<&Law> {
        self.shape(variant).map(|shape| &shape.law)
    }

    /// The values of a point of the matrix as overrides, path and value: what `--set` would say.
    /// `None` past the end.
    #[must_use]
    pub fn point_sets(&self, variant: Option<&str>, point: u64) -> Option<Vec<(String, String)>> {
        let values = self.shape(variant)?.sweep.at(point)?;
        Some(values.into_iter().map(|(axis, item)| (axis.path.clone(), item.show())).collect())
    }

    /// The flaws that the base or a variant plants.
    #[must_use]
    pub fn defects(&self, variant: Option<&str>) -> Vec<String> {
        let named = |table: &&Table| table.get("name").and_then(Item::as_text) == variant;
        let variant = self.tree.tables("variant").map(|(_, table)| table).find(named);
        let own = variant.and_then(|table| table.get("defects"));
        let Some(Value::List(items)) = own.or(self.tree.get("defects")).map(|item| &item.value)
        else {
            return Vec::new();
        };
        items.iter().filter_map(|item| item.as_text().map(str::to_owned)).collect()
    }

    /// What a check of the file judges by: the name of an invariant, or the kind of the check;
    /// `None` for one that the file does not have.
    #[must_use]
    pub fn judged_by(&self, check: &str) -> Option<String> {
        let text = |table: &Table, key: &str| table.get(key)?.as_text().map(str::to_owned);
        let mut checks = self.tree.tables("check").map(|(_, table)| table);
        let found = checks.find(|table| text(table, "id").as_deref() == Some(check))?;
        match text(found, "kind")?.as_str() {
            "invariant" => text(found, "name"),
            kind => Some(kind.to_owned()),
        }
    }

    /// What stands at a path such as `check.lin.p99`, as it is written, and where.
    #[must_use]
    pub fn written(&self, path: &str) -> Option<(String, std::ops::Range<usize>)> {
        let item = edit::paths::get(&self.tree, path)?;
        Some((item.show(), item.span.range()))
    }

    /// How many seeds a sweep runs, when the file says so.
    #[must_use]
    pub fn sweep_seeds(&self, variant: Option<&str>) -> Option<u64> {
        self.shape(variant)?.sweep.seeds
    }

    fn shape(&self, variant: Option<&str>) -> Option<&Shape> {
        let Some(name) = variant else {
            return Some(&self.base);
        };
        let found = self.variants.iter().find(|(other, _)| other == name);
        found.map(|(_, shape)| shape)
    }

    /// The plan of one run: the variant applied, then the point of the matrix, then `sets` (path
    /// and value, as on the command line), then what the swarm redraws and leaves out under
    /// `seed`, then every scalar that is declared as a distribution.
    ///
    /// # Errors
    /// When the variant or the point does not exist, or what `sets` make of the scenario is wrong.
    pub fn plan(
        &self,
        lab: &Lab<'_>,
        variant: Option<&str>,
        seed: u64,
        point: u64,
        sets: &[(String, String)],
    ) -> Result<Plan, Vec<Diagnostic>> {
        let source = |(path, value): &(String, String)| Source {
            name: "--set".to_owned(),
            text: format!("{path}={value}"),
        };
        let sources: Vec<Source> = sets.iter().map(source).collect();
        let mut cx = Context::new(lab, Names::collect(&self.tree, lab), seed, &sources);
        let mut tree = self.variant_tree(&mut cx, variant);
        let mut edits = Edits::default();
        self.apply_point(&mut cx, &mut tree, variant, point, &mut edits);
        let values_of_point = std::mem::take(&mut edits.overrides);
        overrides::apply_sets(&mut cx, &mut tree, sets, &mut edits);
        overrides::concrete(&mut cx, &mut tree, &edits);
        if any_error(&cx.diagnostics, false) {
            return Err(tidy(cx.diagnostics));
        }
        cx.names = Names::collect(&tree, lab);
        cx.expand = true;
        let reading = reading::read(&mut cx, &tree);
        let Some(mut plan) = reading.plan else {
            return Err(tidy(cx.diagnostics));
        };
        for (path, item) in std::mem::take(&mut cx.draws) {
            paths::set(&mut tree, &path, Span::default(), item).expect("what was drawn is there");
        }
        plan.variant = variant.map(str::to_owned);
        plan.point = values_of_point;
        plan.overrides = edits.overrides;
        plan.document = document::write(&tree);
        assert_eq!(plan.seed, seed, "the plan has the seed it was drawn under");
        Ok(plan)
    }

    /// The tree of the base or of a variant, without the variants.
    fn variant_tree(&self, cx: &mut Context<'_>, variant: Option<&str>) -> Table {
        let mut base = self.tree.clone();
        let Some(name) = variant else {
            base.remove("variant");
            return base;
        };
        let named = |table: &&Table| table.get("name").and_then(Item::as_text) == Some(name);
        let found = base.tables("variant").map(|(_, table)| table).find(named);
        match found {
            Some(table) => expect::apply(cx, &base, table),
            None => {
                let names: Vec<String> = self.variants.iter().map(|(n, _)| n.clone()).collect();
                reading::no_variant(cx, name, &names);
                base
            }
        }
    }

    fn apply_point(
        &self,
        cx: &mut Context<'_>,
        tree: &mut Table,
        variant: Option<&str>,
        point: u64,
        edits: &mut Edits,
    ) {
        let Some(shape) = self.shape(variant) else {
            return;
        };
        let Some(values) = shape.sweep.at(point) else {
            let message = format!("there is no point {point}");
            let help = format!("the matrix has {} points, from 0", shape.sweep.points());
            cx.diagnostics.push(Diagnostic::error(E0607, message).help(help));
            return;
        };
        for (axis, item) in values {
            edits.put(cx, tree, &axis.path, axis.span, item.clone());
        }
    }
}

fn decode(text: &[u8]) -> Result<&str, Box<Diagnostic>> {
    if text.len() > FILE_BYTES_MAX {
        let message = format!("the file has {} bytes", text.len());
        let help = format!("a scenario has at most {FILE_BYTES_MAX}");
        return Err(Box::new(Diagnostic::error(E0706, message).help(help)));
    }
    std::str::from_utf8(text).map_err(|error| {
        // What is no text is one mark in the source that is shown, and as long as that.
        let at = error.valid_up_to();
        let mark = at..at + char::REPLACEMENT_CHARACTER.len_utf8();
        let message = format!("the file is not UTF-8: byte {at} begins no character");
        Box::new(Diagnostic::error(E0701, message).at(mark, "here"))
    })
}

fn syntax_error(error: &tree::SyntaxError) -> Diagnostic {
    Diagnostic::error(E0101, error.message.as_str()).at(error.range.clone(), "")
}

/// What is wrong with the format, if anything.
fn format_of(tree: &Table, whole: bool) -> Option<Diagnostic> {
    let Some(item) = tree.get("format") else {
        // The line may have been lost to a mistake in the syntax.
        let missing = Diagnostic::error(E0703, "missing field `format`");
        return whole.then(|| missing.at(0..0, "").help("begin the file with `format = 1`"));
    };
    if item.value == Value::Int(1) {
        return None;
    }
    let message = format!("format {} is not known", item.show());
    let diagnostic = Diagnostic::error(E0704, message).at(item.span.range(), "");
    Some(diagnostic.help("this lab reads `format = 1`"))
}

/// Whether the name is the path under `scenarios/`.
fn name_and_path(tree: &Table, path: &str) -> Option<Diagnostic> {
    let parts: Vec<&str> = path.split(['/', '\\']).collect();
    let folder = parts.iter().rposition(|part| *part == "scenarios")?;
    let under = parts[folder + 1..].join("/");
    let expected = under.strip_suffix(".toml").unwrap_or(&under);
    let item = tree.get("name")?;
    let name = item.as_text()?;
    if name == expected {
        return None;
    }
    let message = format!("the name `{name}` is not the path of the file");
    let diagnostic = Diagnostic::error(E0705, message).at(item.span.range(), "");
    Some(diagnostic.help(format!("write name = \"{expected}\", or move the file")))
}

/// Whether a finding can be trusted although the syntax is broken somewhere: it is about what
/// stands there, not about what is missing, and it is on no broken line.
fn survives_syntax_errors(d: &Diagnostic, syntax: &[tree::SyntaxError], text: &str) -> bool {
    const TRUSTED: &[&str] = &["E0102", "E0104", "E0105", "E0201", "E0202", "E0203", "E0205"];
    let Some(label) = d.labels.first() else {
        return false;
    };
    let line = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count();
    let here = line(label.span.start);
    let broken = |error: &tree::SyntaxError| {
        (line(error.range.start)..=line(error.range.end)).contains(&here)
    };
    TRUSTED.contains(&d.code) && !label.span.is_empty() && !syntax.iter().any(broken)
}

/// In the order of the file, each once, at most so many.
fn tidy(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let place = |d: &Diagnostic| {
        let first = d.labels.first();
        first.map_or((0, 0), |label| (label.span.start, label.span.end))
    };
    diagnostics.sort_by(|a, b| {
        let key = |d: &Diagnostic| (d.severity, place(d), d.code);
        key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
    });
    diagnostics.dedup();
    let more = diagnostics.len().saturating_sub(DIAGNOSTICS_MAX);
    diagnostics.truncate(DIAGNOSTICS_MAX);
    if let Some(last) = diagnostics.last_mut().filter(|_| more > 0) {
        last.help = Some(format!("and {more} more"));
    }
    assert!(diagnostics.is_sorted_by_key(|d| d.severity));
    diagnostics
}
