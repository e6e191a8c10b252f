//! Reading a whole tree: the order of its parts, and the fields of the top level.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::{E0108, E0202, E0406, E0407, E0606};
use crate::edit::matrix::{self, Swarm, Sweep};
use crate::plan::{Budget, Expectation, GroupPlan, OpPlan, Phase, Plan, Recovery};
use crate::read::capacity;
use crate::read::checks;
use crate::read::clients;
use crate::read::context::Context;
use crate::read::exact;
use crate::read::expect;
use crate::read::faults;
use crate::read::fields::{Fields, check_name};
use crate::read::groups::{self, PerGroup};
use crate::read::load;
use crate::read::net;
use crate::read::ops;
use crate::read::pins;
use crate::read::preload;
use crate::read::time_point;
use crate::read::value;
use crate::syntax::tree::{Entry, Span, Table, Value};
use crate::syntax::units::Measure;
use crate::vocabulary::symbols;
use catalog::SettingValue;
use contract::Duration;
use std::collections::BTreeMap;

/// Events of the engine, where a file does not say.
const EVENTS: u64 = 50_000_000;
/// Steps of the linearizability checker, where a file does not say.
const SEARCH_STEPS: u64 = 20_000_000;

/// What a tree says.
pub struct Reading {
    /// The plan of the tree as it stands, without its document; `None` when something is wrong.
    pub plan: Option<Plan>,
    pub sweep: Sweep,
    pub swarm: Swarm,
    pub expectation: Expectation,
    pub tags: Vec<String>,
    pub seed: Option<u64>,
    /// Whether it was shrunk.
    pub minimal: bool,
}

/// Reads everything; what is wrong is in `cx`.
pub fn read(cx: &mut Context<'_>, tree: &Table) -> Reading {
    let before = cx.diagnostics.len();
    let mut top = Fields::top(tree, Span::default(), "", "the top level");
    top.get("format");
    let name = name(cx, &mut top);
    let about = top.text(cx, "about").unwrap_or_default();
    if let Some(item) = top.get("system")
        && let Some(text) = value::text(cx, item, "system")
    {
        groups::system(cx, text, item.span);
    }
    let seed = seed(cx, &mut top);
    let tags = expect::tags(cx, &mut top);
    let budget = budget(cx, &mut top);
    let phases = phases(cx, &mut top);
    let recovery = recovery(cx, &mut top);
    let defects = expect::defects(cx, &mut top);
    let ops = ops::read(cx, &mut top);
    let mut groups = all_groups(cx, &mut top, &defects, ops);
    stop_loads(&mut groups, recovery);
    let (net, pins) = (net::read(cx, &mut top), pins::read(cx, &mut top));
    let faults = faults::read(cx, &mut top);
    let mut checks = checks::read(cx, &mut top, &groups);
    checks::held_by_default(cx, &mut checks, recovery);
    let covers = checks::covers(cx, &mut top);
    let expectation = expect::read(cx, &mut top);
    let sweep = matrix::read(cx, &mut top);
    let swarm = matrix::read_swarm(cx, &mut top);
    expect::variants(cx, &mut top);
    report(cx, &mut top);
    let minimal = minimal(cx, &mut top);
    top.finish(cx);
    let plan = Plan {
        name: name.unwrap_or_default(),
        about: about.to_owned(),
        seed: cx.seed,
        variant: None,
        point: Vec::new(),
        overrides: Vec::new(),
        groups,
        budget: budget.unwrap_or(Budget { sim_time: Duration::ZERO, events: 0, search_steps: 0 }),
        phases,
        recovery,
        link: net.link,
        links: net.links,
        pins,
        faults,
        checks,
        covers,
        expectation: expectation.clone(),
        ties_explore: sweep.ties_explore,
        exact: tags.iter().any(|tag| tag == "exact"),
        behind: cx.lab.behind,
        omittable: swarm.omittable(),
        document: String::new(),
    };
    if plan.exact {
        exact::check(cx, &plan, tree);
    }
    omittable(cx, &plan, tree);
    capacity::check(cx, &plan, tree);
    let errors = crate::diagnostics::any_error(&cx.diagnostics[before..], false);
    Reading { plan: (!errors).then_some(plan), sweep, swarm, expectation, tags, seed, minimal }
}

/// From the recovery on no client calls any more.
fn stop_loads(groups: &mut [GroupPlan], recovery: Option<Recovery>) {
    let Some(Recovery { at, .. }) = recovery else { return };
    for load in groups.iter_mut().filter_map(|group| group.load.as_mut()) {
        load.sends_until = Some(at);
        load.stop = load.stop.min(at);
    }
}

/// Nodes and clients, in the order of their names.
fn all_groups<'t>(
    cx: &mut Context<'_>,
    top: &mut Fields<'t>,
    defects: &[&'static str],
    ops: BTreeMap<String, Vec<OpPlan>>,
) -> Vec<GroupPlan> {
    let per_group = PerGroup::take(cx, top);
    let nodes: &[Entry] = match top.get("nodes").map(|item| &item.value) {
        Some(Value::Table(table)) => &table.entries,
        _ => &[],
    };
    let clients = top.entries(cx, "clients").unwrap_or(&[]);
    groups::unique_groups(cx, nodes, clients);
    let mut found = groups::read(cx, top, &per_group, defects);
    found.extend(clients::read(cx, clients, &per_group, defects));
    for group in &mut found {
        if let (Some(load), Some(ops)) = (&mut group.load, ops.get(&group.name)) {
            load::list(load, ops.clone());
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    preload::read(cx, top, &mut found);
    found
}

/// The name: parts of a path, each of letters, digits, `-` and `_`.
fn name(cx: &mut Context<'_>, top: &mut Fields<'_>) -> Option<String> {
    let what = "its path under scenarios/, without the suffix";
    let item = top.need(cx, "name", what)?;
    let text = value::text(cx, item, "name")?;
    let part = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
    };
    if text.len() > 200 || !text.split('/').all(part) {
        let message = format!("`{text}` is not the name of a scenario");
        let help = "parts of letters, digits, `-` and `_`, with slashes between them";
        cx.report(Diagnostic::error(E0108, message).help(help), item.span, "");
        return None;
    }
    Some(text.to_owned())
}

/// The seed: a count, or text in hex or decimal.
fn seed(cx: &mut Context<'_>, top: &mut Fields<'_>) -> Option<u64> {
    let item = top.get("seed")?;
    let seed = match &item.value {
        Value::Int(number) => u64::try_from(*number).ok(),
        Value::Text(text) => parse_seed(text),
        _ => {
            value::wrong_type(cx, item, "a seed is a number or a hex text such as \"0x5EED\"");
            return None;
        }
    };
    if seed.is_none() {
        let diagnostic = Diagnostic::error(E0202, "a seed is a number below 2^64");
        let help = "a number, or text in hex: \"0x5EED\"";
        cx.report(diagnostic.help(help), item.span, "");
    }
    seed
}

/// A seed as text: `0x5EED`, `24301`, with `_` between digits.
pub fn parse_seed(text: &str) -> Option<u64> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => (hex, 16),
        None => (text, 10),
    };
    if digits.starts_with(['_', '+']) || digits.ends_with('_') {
        return None;
    }
    u64::from_str_radix(&digits.replace('_', ""), radix).ok()
}

fn budget(cx: &mut Context<'_>, top: &mut Fields<'_>) -> Option<Budget> {
    let item = top.need(cx, "budget", "`[budget]` with `sim_time`, the end of the run")?;
    let mut fields = Fields::of(cx, item, "budget", "[budget]")?;
    let sim_time = fields.need(cx, "sim_time", "the end of the run, in virtual time");
    let events = fields.count(cx, "events", 1, u64::MAX).unwrap_or(EVENTS);
    let steps = fields.count(cx, "search_steps", 1, u64::MAX);
    fields.finish(cx);
    let sim_time = sim_time?;
    let nanos = value::plain_quantity(cx, sim_time, Measure::Duration)?;
    if nanos == 0 {
        let diagnostic = Diagnostic::error(E0202, "a run of no time");
        cx.report(diagnostic, sim_time.span, "");
        return None;
    }
    Some(Budget { sim_time: Duration(nanos), events, search_steps: steps.unwrap_or(SEARCH_STEPS) })
}

/// `[phases]`: well-formed, contiguous, inside the run.
fn phases(cx: &mut Context<'_>, top: &mut Fields<'_>) -> Vec<Phase> {
    let mut found: Vec<Phase> = Vec::new();
    for entry in top.entries(cx, "phases").unwrap_or(&[]) {
        check_name(cx, &entry.key, entry.key_span);
        let Some(text) = value::text(cx, &entry.item, &entry.key) else {
            continue;
        };
        let Some((start, end)) = symbols::interval(text) else {
            let message = format!("`{text}` is not an interval");
            let help = "write \"5s..25s\"; the start is below the end";
            let diagnostic = Diagnostic::error(E0406, message).help(help);
            cx.report(diagnostic, entry.item.span, "");
            continue;
        };
        if let Some(last) = found.last().filter(|last| last.end != start) {
            let gap = Duration(last.end.0);
            let message =
                format!("phase `{}` does not start where `{}` ends", entry.key, last.name);
            let help = format!("`{}` ends at {gap}; phases are contiguous", last.name);
            let diagnostic = Diagnostic::error(E0406, message).help(help);
            cx.report(diagnostic, entry.item.span, "");
        }
        if cx.names.sim_time.is_some_and(|run| end.0 > run.0) {
            let message = format!("phase `{}` ends past the end of the run", entry.key);
            cx.report(Diagnostic::error(E0407, message), entry.item.span, "");
        }
        found.push(Phase { name: entry.key.clone(), start, end });
    }
    found
}

/// `[recovery]`: from when on the world is left in peace.
fn recovery(cx: &mut Context<'_>, top: &mut Fields<'_>) -> Option<Recovery> {
    let item = top.get("recovery")?;
    let mut fields = Fields::of(cx, item, "recovery", "[recovery]")?;
    let at = fields.need(cx, "at", "when faults are lifted and clients stop: a moment");
    let restart_all = fields.word(cx, "restart", &["dead", "all"]) == "all";
    fields.finish(cx);
    let at = at?;
    let text = value::text(cx, at, "at")?;
    let moment = time_point::known(cx, text, at.span)?;
    let run = cx.names.sim_time?;
    if moment.0 >= run.0 {
        let message = "the recovery begins at the end of the run or later";
        let help = format!("`budget.sim_time` is {run}");
        cx.report(Diagnostic::error(E0407, message).help(help), at.span, "");
        return None;
    }
    Some(Recovery { at: moment, restart_all })
}

/// `[report]`: fields that the format reserves. Nothing obeys them yet, so that whoever writes one
/// is told.
fn report(cx: &mut Context<'_>, top: &mut Fields<'_>) {
    let Some(item) = top.get("report") else { return };
    let Some(mut fields) = Fields::of(cx, item, "report", "[report]") else { return };
    let detail = fields.word(cx, "detail", &["brief", "full"]);
    if let Some(item) = fields.get("detail").filter(|_| detail == "full") {
        let help = "a run directory has everything; leave `detail` out";
        cx.unsupported("`detail = \"full\"`", item.span, Some(help));
    }
    if let Some(item) = fields.get("traces") {
        let help = "a run directory has timeline.json and history.jsonl; leave `traces` out";
        cx.unsupported("traces of other formats", item.span, Some(help));
    }
    fields.finish(cx);
}

/// `[minimal]`: what `shrink` did; nothing that a run depends on.
fn minimal(cx: &mut Context<'_>, top: &mut Fields<'_>) -> bool {
    let Some(item) = top.get("minimal") else { return false };
    let Some(mut fields) = Fields::of(cx, item, "minimal", "[minimal]") else { return false };
    fields.need(cx, "of", "the run that was shrunk").and_then(|item| value::text(cx, item, "of"));
    fields.need(cx, "check", "the check that fires").and_then(|i| value::text(cx, i, "check"));
    fields.text(cx, "rule");
    fields.text(cx, "roles");
    fields.count(cx, "trials", 0, u64::MAX);
    fields.texts(cx, "removed");
    fields.texts(cx, "needed");
    fields.finish(cx);
    true
}

/// A fault that may be left out must not be what a check refers to.
fn omittable(cx: &mut Context<'_>, plan: &Plan, tree: &Table) {
    for fault in &plan.omittable {
        let moments = [format!("fault.{fault}.start"), format!("fault.{fault}.end")];
        let refers = |value: &SettingValue| match value {
            SettingValue::Text(text) => moments.contains(text),
            _ => false,
        };
        let check = plan.checks.iter().find(|check| check.fields.0.values().any(refers));
        let Some(check) = check else { continue };
        let span = tree.get("swarm").map_or(Span::default(), |item| item.span);
        let message = format!("the fault `{fault}` cannot be left out");
        let help = format!("the check `{}` refers to it", check.id);
        cx.report(Diagnostic::error(E0606, message).help(help), span, "");
    }
}

/// The names of the variants and `base`, for an error message.
pub fn no_variant(cx: &mut Context<'_>, name: &str, names: &[String]) {
    let mut diagnostic = Diagnostic::error(
        crate::diagnostics::codes::E0607,
        format!("there is no variant `{name}`"),
    );
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    diagnostic.help =
        Some(match crate::vocabulary::suggest::nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if names.is_empty() => "the scenario has no variants".to_owned(),
            None => format!("there are {}", crate::read::context::listed(&names)),
        });
    cx.diagnostics.push(diagnostic);
}
