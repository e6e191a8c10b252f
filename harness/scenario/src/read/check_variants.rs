//! Reading what a scenario can become (every variant, every single value of every axis and swarm), so
//! that what is wrong with any of it is found without running it.

use crate::Shape;
use crate::read::context::Context;
use crate::read::expect;
use crate::read::reading::{self, Reading};
use crate::syntax::tree::{Item, Span, Table};
use crate::vocabulary::symbols::Names;

/// The most values of one axis that are tried.
const PROBES_MAX: usize = 1_000;
/// With so many findings there is no need of more.
const FINDINGS_MAX: usize = 10_000;

/// Reads the variants, and tries the values of the base and of each of them.
pub fn shapes(cx: &mut Context<'_>, tree: &Table, base: &Reading) -> Vec<(String, Shape)> {
    let mut plain = tree.clone();
    plain.remove("variant");
    probe(cx, &plain, base);
    let mut shapes = Vec::new();
    let variants: Vec<&Table> = tree.tables("variant").map(|(_, table)| table).collect();
    for variant in variants {
        let edited = expect::apply(cx, tree, variant);
        let reading = reread(cx, &edited);
        probe(cx, &edited, &reading);
        let Some(name) = variant.get("name").and_then(Item::as_text) else {
            continue;
        };
        shapes.push((name.to_owned(), Shape::of(reading)));
    }
    shapes
}

/// Reads the tree with each value of the matrix and of the swarm in turn.
fn probe(cx: &mut Context<'_>, tree: &Table, reading: &Reading) {
    let mut plain = tree.clone();
    plain.remove("sweep");
    plain.remove("swarm");
    for axis in &reading.sweep.axes {
        let ends = match axis.values.as_slice() {
            // A range of quantities: what holds at both ends holds between them.
            [first, .., last] if first.span == last.span => vec![first.clone(), last.clone()],
            values => values.to_vec(),
        };
        try_each(cx, &plain, &axis.path, axis.span, ends);
    }
    for redraw in &reading.swarm.redraw {
        let probes = redraw.from.probes(redraw.law_span);
        try_each(cx, &plain, &redraw.path, redraw.span, probes);
    }
}

fn try_each(cx: &mut Context<'_>, tree: &Table, path: &str, span: Span, items: Vec<Item>) {
    for item in items.into_iter().take(PROBES_MAX) {
        if cx.diagnostics.len() > FINDINGS_MAX {
            return;
        }
        let mut edited = tree.clone();
        if !expect::put(cx, &mut edited, path, span, item) {
            return;
        }
        reread(cx, &edited);
    }
}

/// Reads an edited tree, with its own names.
fn reread(cx: &mut Context<'_>, tree: &Table) -> Reading {
    let names = Names::collect(tree, cx.lab);
    let before = std::mem::replace(&mut cx.names, names);
    let reading = reading::read(cx, tree);
    cx.names = before;
    cx.draws.clear();
    reading
}
