//! `[[pin]]`: single datagrams whose fate is not left to chance. Written by `shrink`, and by hand to
//! ask what if one message had been lost, or had not.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::{E0103, E0204, E0206};
use crate::plan::PinPlan;
use crate::read::context::Context;
use crate::read::faults::list;
use crate::read::fields::Fields;
use crate::read::value;
use crate::syntax::tree::{Item, Span, Table, Value};
use crate::syntax::units::Measure;
use contract::Duration;
use engine::{Fate, Pin};
use std::collections::BTreeMap;

/// The most pins of one file.
const PINS_MAX: usize = 100_000;

/// What `fate` may be.
pub const FATES: &[&str] = &["delivered", "lost"];

/// Reads every `[[pin]]`, in the order of the file.
pub fn read(cx: &mut Context<'_>, top: &mut Fields<'_>) -> Vec<PinPlan> {
    let items = list(cx, top, "pin", PINS_MAX).unwrap_or(&[]);
    let mut found = Vec::new();
    let mut seen: BTreeMap<(String, String, u64), Span> = BTreeMap::new();
    for (i, item) in items.iter().enumerate() {
        let Some(pin) = pin(cx, item, i + 1) else { continue };
        let key = (pin.from.clone(), pin.to.clone(), pin.n);
        if let Some(first) = seen.insert(key, item.span) {
            let message = format!("message {} of {}>{} is pinned twice", pin.n, pin.from, pin.to);
            cx.report(Diagnostic::error(E0204, message), item.span, "");
            cx.also(first, "first here");
        }
        found.push(pin);
    }
    found
}

fn pin(cx: &mut Context<'_>, item: &Item, number: usize) -> Option<PinPlan> {
    let mut fields = Fields::of(cx, item, &format!("pin.{number}"), "[[pin]]")?;
    let stream = fields.need(cx, "stream", "the link: \"link h/2>h/1\"");
    let n = fields.need(cx, "n", "which message of the link, from 0");
    let latency = fields.duration(cx, "latency");
    let fate = fields.get("fate");
    if let Some(item) = fields.get("value") {
        let help = "links alone can be pinned: `latency` and `fate`";
        cx.unsupported("a pinned value", item.span, Some(help));
    }
    let span = fields.span;
    fields.finish(cx);
    let (from, to) = link(cx, stream?)?;
    let n = value::integer(cx, n?, 0, i64::MAX)?;
    let fate = match fate {
        None => None,
        Some(item) => Some(self::fate(cx, item)?),
    };
    if latency.is_none() && fate.is_none() {
        let message = "a pin says the `latency` or the `fate` of its message";
        cx.report(Diagnostic::error(E0103, message), span, "in [[pin]]");
        return None;
    }
    let n = u64::try_from(n).expect("not negative");
    Some(PinPlan { from, to, n, pin: Pin { latency, fate } })
}

fn fate(cx: &mut Context<'_>, item: &Item) -> Option<Fate> {
    match value::text(cx, item, "fate")? {
        "delivered" => Some(Fate::Delivered),
        "lost" => Some(Fate::Lost),
        other => {
            cx.unknown("fate", other, item.span, FATES);
            None
        }
    }
}

/// `link h/2>h/1`: from whom, to whom.
fn link(cx: &mut Context<'_>, item: &Item) -> Option<(String, String)> {
    let text = value::text(cx, item, "stream")?;
    let ends = text.strip_prefix("link ").and_then(|link| link.split_once('>'));
    let known = |node: &str| {
        let parts = node.split_once('/').and_then(|(g, n)| Some((g, n.parse::<u32>().ok()?)));
        parts.is_some_and(|(group, n)| {
            cx.names.groups.get(group).is_some_and(|info| (1..=info.count).contains(&n))
        })
    };
    match ends {
        Some((from, to)) if from != to && known(from) && known(to) => {
            Some((from.to_owned(), to.to_owned()))
        }
        _ => {
            let message = format!("there is no link `{text}`");
            let help = "a stream is \"link FROM>TO\", both of them single nodes: \"link h/2>h/1\"";
            cx.report(Diagnostic::error(E0206, message).help(help), item.span, "");
            None
        }
    }
}

/// A pin as it stands in a file.
pub fn write(pin: &PinPlan) -> Item {
    let here = Span::default();
    let mut table = Table::default();
    table.set("stream", here, Item::text(here, format!("link {}>{}", pin.from, pin.to)));
    table.set("n", here, Item::quantity(here, Measure::Count, pin.n));
    if let Some(Duration(latency)) = pin.pin.latency {
        table.set("latency", here, Item::quantity(here, Measure::Duration, latency));
    }
    if let Some(fate) = pin.pin.fate {
        let word = match fate {
            Fate::Delivered => "delivered",
            Fate::Lost => "lost",
        };
        table.set("fate", here, Item::text(here, word));
    }
    Item { span: here, value: Value::Table(table) }
}
