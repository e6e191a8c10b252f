//! `[net]` and `[[net.link]]`: the laws of links.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::{E0201, E0202, E0401};
use crate::read::context::Context;
use crate::read::fields::Fields;
use crate::read::value;
use crate::syntax::tree::{Item, Span, Value};
use crate::syntax::units::Measure;
use crate::vocabulary::selector::{self, Resolved};
use engine::LinkSpec;

/// The law of links in general, and links with a law of their own; where several match, the last
/// holds.
#[derive(Default)]
pub struct Net {
    pub link: LinkSpec,
    pub links: Vec<(String, String, LinkSpec)>,
}

/// Reads `[net]`.
pub fn read(cx: &mut Context<'_>, top: &mut Fields<'_>) -> Net {
    let mut net = Net::default();
    let Some(item) = top.get("net") else {
        return net;
    };
    let Some(mut fields) = Fields::of(cx, item, "net", "[net]") else {
        return net;
    };
    law(cx, &mut fields, &mut net.link);
    if let Some(item) = fields.get("bandwidth") {
        bandwidths(cx, item, &mut net);
    }
    if let Some(item) = fields.get("link") {
        links(cx, item, &mut net);
    }
    fields.finish(cx);
    net
}

/// The fields that a link and the network have in common, except for `bandwidth`.
fn law(cx: &mut Context<'_>, fields: &mut Fields<'_>, spec: &mut LinkSpec) {
    if let Some(latency) = fields.dist(cx, "latency", Measure::Duration) {
        spec.latency = latency;
    }
    let shares = [
        ("loss", &mut spec.loss),
        ("duplicate", &mut spec.duplicate),
        ("reorder", &mut spec.reorder),
        ("corrupt", &mut spec.corrupt),
    ];
    for (key, place) in shares {
        if let Some(ratio) = fields.ratio(cx, key) {
            *place = ratio;
        }
    }
    if let Some(extra) = fields.duration(cx, "reorder_extra") {
        spec.reorder_extra = extra;
    }
    if !spec.reorder.is_zero() && spec.reorder_extra.0 == 0 {
        fields.missing(cx, "reorder_extra", "how much longer a reordered message takes");
    }
}

/// A bandwidth of at least a byte per second.
fn bandwidth(cx: &mut Context<'_>, path: &str, item: &Item) -> Option<u64> {
    let range = (1, u64::MAX);
    value::quantity(cx, path, item, Measure::Bandwidth, range)
}

/// One bandwidth for all, or `{ default = .., "a->b" = .. }`.
fn bandwidths(cx: &mut Context<'_>, item: &Item, net: &mut Net) {
    let table = match item.table() {
        Some(table) if table.get("dist").is_none() => table,
        _ => {
            net.link.bandwidth = bandwidth(cx, "net.bandwidth", item);
            return;
        }
    };
    if let Some(item) = table.get("default") {
        net.link.bandwidth = bandwidth(cx, "net.bandwidth.default", item);
    }
    for entry in table.entries.iter().filter(|entry| entry.key != "default") {
        let path = format!("net.bandwidth.{}", entry.key);
        let carried = bandwidth(cx, &path, &entry.item);
        let Some((from, to)) = entry.key.split_once("->") else {
            let message = format!("`{}` is not a link", entry.key);
            let help = "write `default`, or a link such as `\"shield->origin\"`";
            let diagnostic = Diagnostic::error(E0401, message).help(help);
            cx.report(diagnostic, entry.key_span, "");
            continue;
        };
        let from = end(cx, from.trim(), entry.key_span);
        let to = end(cx, to.trim(), entry.key_span);
        if let (Some(from), Some(to), Some(carried)) = (from, to, carried) {
            let mut spec = net.link.clone();
            spec.bandwidth = Some(carried);
            net.links.push((from, to, spec));
        }
    }
}

/// One end of a link: nodes that are fixed, because the law of a link is.
fn end(cx: &mut Context<'_>, text: &str, span: Span) -> Option<String> {
    if cx.names.groups.contains_key(text) {
        return Some(format!("{text}/*"));
    }
    let selector = selector::read(cx, text, span, Resolved::BeforeRun)?;
    use selector::{Selector, Word};
    if let Selector::Group(group, Word::Any | Word::Random(_)) = selector {
        let message = format!("`{text}` is drawn anew each time, a link is not");
        let help = format!("write `{group}/*` or `{group}/1`");
        cx.report(Diagnostic::error(E0401, message).help(help), span, "");
        return None;
    }
    Some(text.to_owned())
}

fn links(cx: &mut Context<'_>, item: &Item, net: &mut Net) {
    const LINKS_MAX: usize = 1_000;
    let Value::List(items) = &item.value else {
        let diagnostic = Diagnostic::error(E0201, "`link` is a list of tables: `[[net.link]]`");
        cx.report(diagnostic, item.span, "");
        return;
    };
    if items.len() > LINKS_MAX {
        let message = format!("at most {LINKS_MAX} links have a law of their own");
        cx.report(Diagnostic::error(E0202, message), item.span, "");
        return;
    }
    for (i, item) in items.iter().enumerate() {
        let path = format!("net.link.{}", i + 1);
        let Some(mut fields) = Fields::of(cx, item, &path, "[[net.link]]") else {
            continue;
        };
        let mut spec = net.link.clone();
        let from = link_end(cx, &mut fields, "from");
        let to = link_end(cx, &mut fields, "to");
        law(cx, &mut fields, &mut spec);
        if let Some(item) = fields.get("bandwidth") {
            spec.bandwidth = bandwidth(cx, &fields.path_of("bandwidth"), item);
        }
        fields.finish(cx);
        if let (Some(from), Some(to)) = (from, to) {
            net.links.push((from, to, spec));
        }
    }
}

fn link_end(cx: &mut Context<'_>, fields: &mut Fields<'_>, key: &'static str) -> Option<String> {
    let item = fields.need(cx, key, "one end of the link, such as \"h/1\"")?;
    let text = value::text(cx, item, key)?;
    end(cx, text, item.span)
}
