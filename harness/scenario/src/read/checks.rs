//! `[[check]]` and `[[cover]]`: what must hold, and what must have been reached.

use crate::TERMINATION;
use crate::ask::Ask;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::{E0103, E0501, E0504, E0505};
use crate::kinds::Row;
use crate::plan::{CheckPlan, CoverPlan, Covered, During, GroupPlan, Recovery};
use crate::read::context::Context;
use crate::read::faults::{id, list, place};
use crate::read::fields::Fields;
use crate::read::kind_fields;
use crate::read::limits;
use crate::read::time_point;
use crate::read::value;
use crate::syntax::tree::{Item, Span};
use crate::vocabulary::words;
use catalog::{SettingValue, Settings};

/// The most checks, and the most covers, of one file.
const CHECKS_MAX: usize = 1_000;

/// Adds the check that every scenario with a recovery is held to, unless the file has one of its own.
pub fn held_by_default(cx: &Context<'_>, checks: &mut Vec<CheckPlan>, plan: Option<Recovery>) {
    let has_own = checks.iter().any(|c| c.kind == TERMINATION || c.id == TERMINATION);
    let row = cx.lab.checks.iter().find(|row| row.name == TERMINATION);
    if let (Some(_), Some(row), false) = (plan, row, has_own) {
        let fields = Settings::default();
        checks.push(CheckPlan { id: TERMINATION.to_owned(), kind: row.name, fields });
    }
}

/// Reads every `[[check]]`.
pub fn read(cx: &mut Context<'_>, top: &mut Fields<'_>, groups: &[GroupPlan]) -> Vec<CheckPlan> {
    let items = list(cx, top, "check", CHECKS_MAX).unwrap_or(&[]);
    if items.is_empty() {
        let diagnostic = Diagnostic::error(E0504, "a scenario without a check proves nothing");
        let help = "add a `[[check]]` with an `id` and a `kind`";
        cx.report(diagnostic.help(help), top.span, "");
    }
    let mut checks = Vec::new();
    let mut ids = Vec::new();
    for (i, item) in items.iter().enumerate() {
        checks.extend(check(cx, item, i + 1, &mut ids, groups));
    }
    checks
}

fn check(
    cx: &mut Context<'_>,
    item: &Item,
    number: usize,
    ids: &mut Vec<(String, Span)>,
    groups: &[GroupPlan],
) -> Option<CheckPlan> {
    let (path, shown) = place(item, "check", "id", number);
    let mut fields = Fields::of(cx, item, &path, &shown)?;
    let id = id(cx, &mut fields, "id", ids);
    let kind = fields.need(cx, "kind", "what is judged: \"linearizable\", \"invariant\", …");
    let row = kind.and_then(|item| kind_of(cx, item))?;
    let settings = kind_fields::read(cx, &mut fields, row);
    limits::given(cx, &mut fields, row.name);
    limits::fit(cx, &mut fields, row.name, &settings);
    fields.finish(cx);
    let check = CheckPlan { id: id?, kind: row.name, fields: settings };
    sees_something(cx, &check, item.span, groups);
    Some(check)
}

fn kind_of<'a>(cx: &mut Context<'a>, item: &Item) -> Option<&'a Row> {
    let text = value::text(cx, item, "kind")?;
    let checks = cx.lab.checks;
    if let Some(row) = checks.iter().find(|row| row.name == text) {
        return Some(row);
    }
    if words::RESERVED_KINDS.contains(&text) {
        cx.unsupported(&format!("checks of kind \"{text}\""), item.span, None);
    } else {
        let mut names: Vec<&str> = checks.iter().map(|row| row.name).collect();
        names.sort_unstable();
        cx.unknown("kind of check", text, item.span, &names);
    }
    None
}

/// Checks that judge what clients saw.
const OF_READS: &[&str] = &["linearizable", "staleness", "sessions"];

/// A check of reads over clients that see nothing could never fail.
fn sees_something(cx: &mut Context<'_>, check: &CheckPlan, span: Span, groups: &[GroupPlan]) {
    if !OF_READS.contains(&check.kind) {
        return;
    }
    let over = match check.fields.0.get("over") {
        Some(SettingValue::Text(over)) => over.strip_prefix("clients."),
        _ => None,
    };
    let watched = groups.iter().filter(|group| match over {
        Some(over) => group.name == over,
        None => group.load.is_some(),
    });
    let mut loads = watched.filter_map(|group| group.load.as_ref()).peekable();
    if loads.peek().is_none() {
        // No clients at all, or clients that were refused; the latter is reported there.
        if cx.names.group_names(true).is_empty() {
            let diagnostic = Diagnostic::error(E0501, "there are no clients to judge");
            cx.report(diagnostic.help("add `[clients.C]`"), span, "");
        }
        return;
    }
    let sees = |(ask, weight): &(Ask, u32)| *weight > 0 && !ask.blind;
    if !loads.any(|load| load.ops.iter().any(sees)) {
        let message = "these clients never read, so the check could never fail";
        let help = "give `get`, `cas` or another reading operation a weight in `ops`";
        cx.report(Diagnostic::error(E0501, message).help(help), span, "");
    }
}

/// Reads every `[[cover]]`.
pub fn covers(cx: &mut Context<'_>, top: &mut Fields<'_>) -> Vec<CoverPlan> {
    let items = list(cx, top, "cover", CHECKS_MAX).unwrap_or(&[]);
    let mut covers = Vec::new();
    let mut ids = Vec::new();
    for (i, item) in items.iter().enumerate() {
        covers.extend(cover(cx, item, i + 1, &mut ids));
    }
    covers
}

fn cover(
    cx: &mut Context<'_>,
    item: &Item,
    number: usize,
    ids: &mut Vec<(String, Span)>,
) -> Option<CoverPlan> {
    let (path, shown) = place(item, "cover", "id", number);
    let mut fields = Fields::of(cx, item, &path, &shown)?;
    let id = id(cx, &mut fields, "id", ids);
    fields.exclusive(cx, &["event", "state"]);
    fields.exclusive(cx, &["in", "during", "at"]);
    let what = covered(cx, &mut fields);
    let during = during(cx, &mut fields);
    let min = at_least(cx, &mut fields, "min");
    let min_runs = at_least(cx, &mut fields, "min_runs");
    fields.finish(cx);
    Some(CoverPlan { id: id?, what: what?, during: during?, min, min_runs })
}

fn covered(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> Option<Covered> {
    let event = fields.get("event");
    let state = fields.get("state");
    if let Some(item) = event {
        let text = value::text(cx, item, "event")?;
        let (system, row) = kind_fields::event(cx, text, item.span)?;
        return Some(Covered::Event(system, row));
    }
    if let Some(item) = state {
        let text = value::text(cx, item, "state")?;
        let (system, row) = kind_fields::predicate(cx, text, item.span)?;
        return Some(Covered::State(system, row));
    }
    let message = "missing field `event` or `state`";
    let diagnostic = Diagnostic::error(E0103, message).help("what must have been reached?");
    cx.report(diagnostic, fields.span, &format!("in {}", fields.shown));
    None
}

/// `in = "PHASE"`, `during = "fault.ID"` or `during = "PHASE"`.
fn during(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> Option<During> {
    let inside = fields.get("in");
    let during = fields.get("during");
    if let Some(item) = fields.get("at") {
        cx.unsupported("`at` in [[cover]]", item.span, Some("use `in` or `during`"));
        return None;
    }
    let Some(item) = inside.or(during) else {
        return Some(During::Run);
    };
    let text = value::text(cx, item, "during")?;
    if let Some(id) = text.strip_prefix("fault.") {
        time_point::fault(cx, id, item.span)?;
        return Some(During::Fault(id.to_owned()));
    }
    time_point::phase(cx, text, item.span)?;
    Some(During::Phase(text.to_owned()))
}

fn at_least(cx: &mut Context<'_>, fields: &mut Fields<'_>, key: &'static str) -> u64 {
    let least = fields.count(cx, key, 0, u64::MAX).unwrap_or(1);
    if let (0, Some(item)) = (least, fields.get(key)) {
        let message = format!("`{key} = 0` is reached by every run");
        cx.report(Diagnostic::warning(E0505, message), item.span, "");
    }
    least
}
