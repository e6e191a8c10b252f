//! The load of a group of clients: when operations arrive, which ones, on which keys.

use crate::ask::Ask;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::{E0103, E0107, E0202, E0407, E0502, E0503};
use crate::plan::{KeysPlan, LoadPlan, OpPlan, Session};
use crate::read::asks;
use crate::read::context::Context;
use crate::read::dist;
use crate::read::fields::Fields;
use crate::read::time_point;
use crate::read::value;
use crate::syntax::tree::Item;
use crate::syntax::units::Measure;
use crate::vocabulary::grammar::LOADS;
use crate::workload::{self, GENERAL, GENERAL_KEYS, LoadKind};
use catalog::{Kind, SettingValue, System};
use contract::dist::Zipf;
use contract::{Dist, Duration, ReadLevel, SimTime, Value};

/// The size of written values where a file does not say.
const VALUE_BYTES: u64 = 64;
/// The most keys.
const KEYS_MAX: u64 = 1 << 40;
/// The keys of a batch-get where a file does not say, and the most.
const BATCH_KEYS: u64 = 10;
const BATCH_KEYS_MAX: u64 = 1_000;
/// The greatest weight of an operation.
const WEIGHT_MAX: u64 = 1_000_000;
/// The largest value.
pub const VALUE_BYTES_MAX: u64 = 1 << 30;

/// The load that is drawn, for `count` clients of `system`.
pub fn drawn(
    cx: &mut Context<'_>,
    fields: &mut Fields<'_>,
    count: u32,
    system: Option<&'static dyn System>,
) -> Option<LoadPlan> {
    let (closed, gap, think) = arrivals(cx, fields, count);
    let asked = asked(cx, fields, system);
    let keys = keys(cx, fields);
    let batch = batch(cx, fields);
    let value = fields.dist(cx, "value", Measure::Bytes);
    let value = value.unwrap_or(Dist::Constant(VALUE_BYTES));
    if let Some(item) = fields.get("value") {
        check_size(cx, item, &value);
    }
    let ttl = fields.dist(cx, "ttl", Measure::Duration);
    let read = read_level(cx, fields);
    let (start, stop) = span_of_load(cx, fields);
    let (ops, session) = asked?;
    Some(LoadPlan {
        closed,
        gap: gap?,
        think,
        ops,
        session,
        keys: keys?,
        batch,
        value,
        value_bytes_max: VALUE_BYTES_MAX as u32,
        ttl,
        read,
        start,
        stop,
        listed: None,
        sends_until: None,
    })
}

/// Fields that say what is drawn, and when: clients whose operations are listed have none of them.
pub const DRAWN: [&str; 12] = [
    "mode", "rate", "think", "ops", "script", "workload", "args", "keys", "batch", "ttl", "start",
    "stop",
];

/// The load of clients whose operations are listed; the operations come later.
pub fn listed(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> Option<LoadPlan> {
    for key in DRAWN {
        if let Some(item) = fields.get(key) {
            let message = format!("`{key}` and `[[op]]` exclude each other");
            let help = "operations of these clients are listed, so none are drawn";
            cx.report(Diagnostic::error(E0107, message).help(help), item.span, "");
        }
    }
    let value = fields.dist(cx, "value", Measure::Bytes);
    let value = value.unwrap_or(Dist::Constant(VALUE_BYTES));
    if let Some(item) = fields.get("value") {
        check_size(cx, item, &value);
    }
    Some(LoadPlan {
        closed: false,
        gap: Duration::ZERO,
        think: Dist::Constant(0),
        ops: Vec::new(),
        session: Session::Single,
        keys: KeysPlan::Uniform(1),
        batch: 1,
        value,
        value_bytes_max: VALUE_BYTES_MAX as u32,
        ttl: None,
        read: read_level(cx, fields),
        start: SimTime::ZERO,
        stop: SimTime::MAX,
        listed: Some(Vec::new()),
        sends_until: None,
    })
}

fn read_level(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> ReadLevel {
    match fields.word(cx, "read", &["linearizable", "lease", "stale"]) {
        "lease" => ReadLevel::Lease,
        "stale" => ReadLevel::Stale,
        _ => ReadLevel::Linearizable,
    }
}

/// Gives a load its listed operations.
pub fn list(load: &mut LoadPlan, ops: Vec<OpPlan>) {
    for op in &ops {
        match load.ops.iter_mut().find(|(ask, _)| ask.name == op.ask.name) {
            Some((_, weight)) => *weight = weight.saturating_add(1),
            None => load.ops.push((op.ask.clone(), 1)),
        }
    }
    load.listed = Some(ops);
}

/// Reports sizes that cannot be those of a value. A tail without a bound of its own is cut where it is
/// drawn from, by [`LoadPlan::size`].
pub fn check_size(cx: &mut Context<'_>, item: &Item, sizes: &Dist) {
    let (least, most) = dist::reach(sizes);
    if least.is_some_and(|least| least < u64::from(Value::SIZE_MIN)) {
        let message = format!("a value has at least {} bytes", Value::SIZE_MIN);
        let help = "its first eight bytes say which write it came from";
        cx.report(Diagnostic::error(E0202, message).help(help), item.span, "");
    }
    if most.is_some_and(|most| most > VALUE_BYTES_MAX) {
        let message = format!("a value has at most {}", Measure::Bytes.show(VALUE_BYTES_MAX));
        cx.report(Diagnostic::error(E0202, message), item.span, "");
    }
}

/// `mode`, `rate` and `think`: whether closed, the mean gap at one client, the pause.
fn arrivals(
    cx: &mut Context<'_>,
    fields: &mut Fields<'_>,
    count: u32,
) -> (bool, Option<Duration>, Dist) {
    let think = fields.dist(cx, "think", Measure::Duration);
    let rate = fields.get("rate");
    let default = match rate {
        Some(_) => ["open", "closed"],
        None => ["closed", "open"],
    };
    let given = fields.get("mode");
    let closed = fields.word(cx, "mode", &default) == "closed";
    let pause = think.clone().unwrap_or(Dist::Constant(0));
    if closed {
        if let Some(rate) = rate {
            let message = "a closed load has no rate: it waits for its answers";
            let help = "leave `rate` out, or write mode = \"open\"";
            cx.report(Diagnostic::error(E0107, message).help(help), rate.span, "");
            cx.also(given.map_or(fields.span, |item| item.span), "closed here");
        }
        return (true, Some(Duration::ZERO), pause);
    }
    if let (Some(_), Some(item)) = (&think, fields.get("think")) {
        let message = "an open load does not think: arrivals do not wait for answers";
        let help = "leave `think` out, or write mode = \"closed\"";
        cx.report(Diagnostic::error(E0107, message).help(help), item.span, "");
    }
    let Some(rate) = rate else {
        let message = "an open load needs a rate";
        let diagnostic = Diagnostic::error(E0103, message).help("write rate = \"300/s\"");
        cx.report(diagnostic, given.map_or(fields.span, |item| item.span), "");
        return (false, None, pause);
    };
    let path = fields.path_of("rate");
    (false, gap(cx, &path, rate, count), pause)
}

/// The mean gap between the arrivals at one of `count` clients that share a rate.
fn gap(cx: &mut Context<'_>, path: &str, item: &Item, count: u32) -> Option<Duration> {
    let SettingValue::Rate { count: events, per } = value::setting(cx, path, item, &Kind::Rate)?
    else {
        return None;
    };
    if events == 0 {
        let diagnostic = Diagnostic::error(E0502, "a rate of zero is no load");
        cx.report(diagnostic, item.span, "");
        return None;
    }
    let shared = u128::from(count) * u128::from(per.0);
    let events = u128::from(events);
    let gap = u64::try_from((shared + events / 2) / events).unwrap_or(u64::MAX);
    if gap == 0 {
        let diagnostic = Diagnostic::error(E0202, "more than one arrival per nanosecond");
        cx.report(diagnostic, item.span, "");
        return None;
    }
    Some(Duration(gap))
}

/// What is asked for, with weights, and what one arrival does: `ops`, `script` or `workload`, with
/// `args`.
fn asked(
    cx: &mut Context<'_>,
    fields: &mut Fields<'_>,
    system: Option<&'static dyn System>,
) -> Option<(Vec<(Ask, u32)>, Session)> {
    fields.exclusive(cx, LOADS);
    // The order in which a message lists the fields.
    fields.get("ops");
    let (script, workload) = (fields.get("script"), fields.get("workload"));
    let args = fields.get("args");
    let args_path = fields.path_of("args");
    let (mut ops, session) = match (script, workload) {
        (Some(item), _) => (steps(cx, item, system)?, Session::Script),
        (None, Some(item)) if item.as_text() == Some(GENERAL) => {
            let ops = workload::general(system?);
            if ops.is_empty() {
                let message = "the system has no operation that a client could ask for";
                cx.report(Diagnostic::error(E0502, message), item.span, "");
                return None;
            }
            (ops, Session::Single)
        }
        (None, Some(item)) => {
            let kind = workload_of(cx, item)?;
            (asks_of(cx, kind, item, system)?, Session::Own(kind))
        }
        (None, None) => (weighed(cx, fields, system)?, Session::Single),
    };
    if let Some(item) = args {
        given(cx, &mut ops, item, &args_path)?;
    }
    Some((ops, session))
}

/// `args = { lock = { ttl_ms = 500 } }`.
fn given(cx: &mut Context<'_>, ops: &mut [(Ask, u32)], item: &Item, path: &str) -> Option<()> {
    let Some(table) = item.table() else {
        value::wrong_type(cx, item, "`args` is a table of operations and their arguments");
        return None;
    };
    let names: Vec<&str> = ops.iter().map(|(ask, _)| ask.name).collect();
    let mut all_good = true;
    for entry in table.entries.iter() {
        let mut found = false;
        // A script may name an operation more than once.
        for (ask, _) in ops.iter_mut().filter(|(ask, _)| ask.name == entry.key) {
            found = true;
            let path = format!("{path}.{}", entry.key);
            all_good &= asks::arguments(cx, ask, &entry.item, &path).is_some();
        }
        if !found {
            cx.unknown("operation of these clients", &entry.key, entry.key_span, &names);
            all_good = false;
        }
    }
    all_good.then_some(())
}

/// The most steps of a script.
const STEPS_MAX: usize = 100;

/// `script = ["acquire", "put", "release"]`.
fn steps(
    cx: &mut Context<'_>,
    item: &Item,
    system: Option<&'static dyn System>,
) -> Option<Vec<(Ask, u32)>> {
    let names = value::texts(cx, item, "script");
    if names.is_empty() || names.len() > STEPS_MAX {
        let message = format!("a script has from 1 to {STEPS_MAX} steps");
        cx.report(Diagnostic::error(E0502, message), item.span, "");
        return None;
    }
    let system = system?;
    let steps: Vec<Option<Ask>> =
        names.into_iter().map(|(name, span)| asks::find(cx, system, name, span)).collect();
    steps.into_iter().map(|step| Some((step?, 1))).collect()
}

fn workload_of(cx: &mut Context<'_>, item: &Item) -> Option<&'static dyn LoadKind> {
    let text = value::text(cx, item, "workload")?;
    let kinds = cx.lab.workloads;
    let found = kinds.iter().copied().find(|kind| kind.name() == text);
    if found.is_none() {
        let own = kinds.iter().map(|kind| kind.name());
        let names: Vec<&str> = own.chain([GENERAL]).collect();
        cx.unknown("workload", text, item.span, &names);
    }
    found
}

/// What the sessions of a workload may ask for.
fn asks_of(
    cx: &mut Context<'_>,
    kind: &'static dyn LoadKind,
    item: &Item,
    system: Option<&'static dyn System>,
) -> Option<Vec<(Ask, u32)>> {
    let system = system?;
    let asks = kind.asks().iter().map(|name| asks::find(cx, system, name, item.span));
    let asks: Vec<Option<Ask>> = asks.collect();
    assert!(!asks.is_empty(), "the workload {} asks for nothing", kind.name());
    asks.into_iter().map(|ask| Some((ask?, 1))).collect()
}

/// `ops = { get = 90, put = 10 }`.
fn weighed(
    cx: &mut Context<'_>,
    fields: &mut Fields<'_>,
    system: Option<&'static dyn System>,
) -> Option<Vec<(Ask, u32)>> {
    let what = "operations and weights: `{ get = 90, put = 10 }`";
    let item = fields.need(cx, "ops", what)?;
    let path = fields.path_of("ops");
    let Some(table) = item.table() else {
        value::wrong_type(cx, item, "`ops` is a table of operations and weights");
        return None;
    };
    let system = system?;
    let mut found = Vec::new();
    for entry in table.entries.iter() {
        let Some(ask) = asks::find(cx, system, &entry.key, entry.key_span) else { continue };
        let path = format!("{path}.{}", entry.key);
        let range = (0, WEIGHT_MAX);
        let weight = value::quantity(cx, &path, &entry.item, Measure::Count, range)?;
        let weight = u32::try_from(weight).expect("a weight has a limit");
        found.push((ask, weight));
    }
    if found.len() < table.entries.len() {
        // One was misspelt: what is left does not say what was meant.
        return None;
    }
    if found.iter().all(|(_, weight)| *weight == 0) {
        let diagnostic = Diagnostic::error(E0502, "no operation has a weight above zero");
        cx.report(diagnostic, item.span, "");
        return None;
    }
    Some(found)
}

fn keys(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> Option<KeysPlan> {
    let is_general = fields.get("workload").and_then(Item::as_text) == Some(GENERAL);
    if is_general && fields.get("keys").is_none() {
        return Some(KeysPlan::Uniform(GENERAL_KEYS));
    }
    let item = fields.need(cx, "keys", "`{ count = 1_000, dist = \"zipf\", s = 1.1 }`")?;
    let path = fields.path_of("keys");
    let mut fields = Fields::of(cx, item, &path, "`keys`")?;
    let count_item = fields.need(cx, "count", "how many keys there are");
    let word = fields.word(cx, "dist", &["uniform", "zipf"]);
    let s_ppm = match fields.get("s") {
        Some(item) if word == "zipf" => value::factor(cx, item, "s", 10_000_000),
        Some(item) => {
            let diagnostic = Diagnostic::error(E0107, "`s` belongs to dist = \"zipf\"");
            cx.report(diagnostic, item.span, "");
            None
        }
        None if word == "zipf" => {
            fields.missing(cx, "s", "the exponent of Zipf's law, such as 1.1");
            None
        }
        None => Some(0),
    };
    fields.finish(cx);
    let count_item = count_item?;
    let max = if word == "zipf" { Zipf::COUNT_MAX } else { KEYS_MAX };
    let path = format!("{path}.count");
    let count = value::quantity(cx, &path, count_item, Measure::Count, (0, max))?;
    if count == 0 {
        let diagnostic = Diagnostic::error(E0502, "a load without keys does nothing");
        cx.report(diagnostic, count_item.span, "");
        return None;
    }
    let s_ppm = s_ppm?;
    Some(match word {
        "zipf" => KeysPlan::Zipf { count, s_ppm },
        _ => KeysPlan::Uniform(count),
    })
}

/// `batch`: how many keys a batch-get draws.
fn batch(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> u64 {
    let Some(item) = fields.get("batch") else { return BATCH_KEYS };
    let path = fields.path_of("batch");
    value::quantity(cx, &path, item, Measure::Count, (1, BATCH_KEYS_MAX)).unwrap_or(BATCH_KEYS)
}

/// `start` and `stop`: the whole run where they are absent.
fn span_of_load(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> (SimTime, SimTime) {
    let end = cx.names.sim_time.map_or(SimTime::MAX, |time| SimTime(time.0));
    let start_item = fields.get("start");
    let stop_item = fields.get("stop");
    let start = bound(cx, start_item, "start", end).unwrap_or(SimTime::ZERO);
    let stop = bound(cx, stop_item, "stop", end).unwrap_or(end);
    if let Some(item) = start_item.or(stop_item).filter(|_| start >= stop) {
        let message = "the load stops before it starts";
        cx.report(Diagnostic::error(E0503, message), item.span, "");
    }
    (start, stop)
}

fn bound(cx: &mut Context<'_>, item: Option<&Item>, key: &str, end: SimTime) -> Option<SimTime> {
    let item = item?;
    let time = if dist::is_dist(item) { None } else { item.as_text() };
    let Some(text) = time else {
        value::wrong_type(cx, item, &format!("`{key}` is a time or a phase"));
        return None;
    };
    let at = time_point::known(cx, text, item.span)?;
    if at > end {
        let message = format!("`{key}` is past the end of the run");
        cx.report(Diagnostic::error(E0407, message), item.span, "");
        return None;
    }
    Some(at)
}
