//! `[[preload]]`: what nodes hold from the start, as if from a snapshot.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::{E0202, E0401, E0407, E0508, E0510};
use crate::plan::GroupPlan;
use crate::read::context::Context;
use crate::read::dist;
use crate::read::faults::list;
use crate::read::fields::Fields;
use crate::read::load::{VALUE_BYTES_MAX, check_size};
use crate::read::value;
use crate::syntax::tree::Item;
use crate::syntax::units::Measure;
use crate::vocabulary::selector::{self, Resolved, Selector};
use catalog::Preload;
use contract::{Dist, Domain, Duration, Rng, Value};

/// The most entries of one preload.
const ENTRIES_MAX: u64 = 1_000_000;
/// What the values of one preload take, at most.
const ROOM_BYTES_MAX: u64 = 512 << 20;
/// The size of a value where none is given.
const DEFAULT_BYTES: u64 = 64;
/// The most preloads of one file.
const PRELOADS_MAX: usize = 1_000;
/// Reads `[[preload]]` into the groups that it is about.
pub fn read(cx: &mut Context<'_>, top: &mut Fields<'_>, groups: &mut [GroupPlan]) {
    let items = list(cx, top, "preload", PRELOADS_MAX).unwrap_or(&[]);
    for (i, item) in items.iter().enumerate() {
        let Some((selector, group, preload)) = one(cx, item, i + 1) else {
            continue;
        };
        let Some(plan) = groups.iter_mut().find(|plan| plan.name == group) else {
            // The group itself was refused, which is reported there.
            continue;
        };
        let limits = plan.system.limits(plan.role, &plan.settings);
        fits(cx, item, &preload.value, limits.preload_bytes_max);
        let entries = if cx.expand {
            preload.entries(cx.seed, i as u64 + 1, limits.preload_bytes_max)
        } else {
            Vec::new()
        };
        plan.preload.push((selector, entries));
    }
}

/// One `[[preload]]`, not spelt out.
struct Spec {
    count: u64,
    value: Dist,
    ttl: Option<Dist>,
    spread: Duration,
}

impl Spec {
    /// The entries: keys from 0, the same values at every node, none larger than `bytes_max`.
    fn entries(&self, seed: u64, number: u64, bytes_max: u64) -> Vec<Preload> {
        let least = u64::from(Value::SIZE_MIN);
        let most = bytes_max.clamp(least, VALUE_BYTES_MAX);
        let stream = |what: &str| {
            let name = format!("preload.{number}.{what}");
            Rng::new(seed, Domain::Swarm, &name)
        };
        let (mut sizes, mut ttls, mut spreads) = (stream("value"), stream("ttl"), stream("spread"));
        let size = |rng: &mut Rng| {
            let drawn = self.value.sample(rng);
            drawn.clamp(least, most) as u32
        };
        let entry = |key: u64| Preload {
            key,
            value: Value {
                id: Value::PRELOADED | (number << 40) | key,
                size_bytes: size(&mut sizes),
            },
            ttl: self.ttl.as_ref().map(|ttl| {
                let spread = spreads.range(0, self.spread.0);
                Duration(ttl.sample(&mut ttls).saturating_add(spread))
            }),
        };
        (0..self.count).map(entry).collect()
    }
}

fn one(cx: &mut Context<'_>, item: &Item, number: usize) -> Option<(String, String, Spec)> {
    let path = format!("preload.{number}");
    let mut fields = Fields::of(cx, item, &path, "[[preload]]")?;
    let into = fields.need(cx, "into", "a selector of nodes, such as \"h/*\"");
    let count = fields.need(cx, "entries", "how many keys are there from the start");
    let count = count.and_then(|item| {
        let path = format!("{path}.entries");
        value::quantity(cx, &path, item, Measure::Count, (1, ENTRIES_MAX))
    });
    let sizes = fields.dist(cx, "value", Measure::Bytes);
    if let (Some(sizes), Some(item)) = (&sizes, fields.get("value")) {
        check_size(cx, item, sizes);
    }
    if let (Some(count), Some(item)) = (count, fields.get("entries")) {
        check_room(cx, item, count, sizes.as_ref());
    }
    let ttl = fields.dist(cx, "ttl", Measure::Duration);
    let spread = fields.duration(cx, "spread").unwrap_or(Duration::ZERO);
    if let (Some(item), None) = (fields.get("spread"), &ttl) {
        let diagnostic = Diagnostic::error(E0202, "`spread` without `ttl` spreads nothing");
        cx.report(diagnostic, item.span, "");
    }
    if let (Some(at), Some(item)) = (fields.duration(cx, "at"), fields.get("at")) {
        not_at_the_start(cx, at, item);
    }
    fields.finish(cx);
    let (selector, group) = group_of(cx, into?)?;
    let value = sizes.unwrap_or(Dist::Constant(DEFAULT_BYTES));
    let spec = Spec { count: count?, value, ttl, spread };
    Some((selector, group, spec))
}

/// Reports values that the nodes cannot hold.
fn fits(cx: &mut Context<'_>, item: &Item, sizes: &Dist, bytes_max: u64) {
    let (least, most) = dist::reach(sizes);
    if most.or(least).is_some_and(|bytes| bytes > bytes_max) {
        let value = item.table().and_then(|table| table.get("value"));
        let span = value.map_or(item.span, |value| value.span);
        let shown = Measure::Bytes.show(bytes_max);
        let message = format!("these nodes hold values of at most {shown}");
        cx.report(Diagnostic::error(E0510, message), span, "");
    }
}

/// Reports entries that take more memory than a run should have: so many of the average size.
fn check_room(cx: &mut Context<'_>, item: &Item, count: u64, sizes: Option<&Dist>) {
    let each = sizes.map_or(DEFAULT_BYTES, average).max(u64::from(Value::SIZE_MIN));
    let bytes = count.saturating_mul(each);
    if bytes > ROOM_BYTES_MAX {
        let message = format!("the entries take {}", Measure::Bytes.show(bytes));
        let help = format!("a preload takes at most {}", Measure::Bytes.show(ROOM_BYTES_MAX));
        cx.report(Diagnostic::error(E0508, message).help(help), item.span, "");
    }
}

/// The average of some draws, always the same ones.
fn average(sizes: &Dist) -> u64 {
    const DRAWS: u64 = 256;
    let mut rng = Rng::new(0, Domain::Client, "room of a preload");
    let drawn = (0..DRAWS).map(|_| sizes.sample(&mut rng).min(u64::from(u32::MAX)));
    drawn.sum::<u64>() / DRAWS
}

fn not_at_the_start(cx: &mut Context<'_>, at: Duration, item: &Item) {
    if cx.names.sim_time.is_some_and(|end| at >= end) {
        let message = "a preload past the end of the run";
        cx.report(Diagnostic::error(E0407, message), item.span, "");
    } else if at > Duration::ZERO {
        let help = "entries are there from the start; `ttl` counts from it";
        cx.unsupported("a preload during the run", item.span, Some(help));
    }
}

/// The selector, and the one group that it is about.
fn group_of(cx: &mut Context<'_>, item: &Item) -> Option<(String, String)> {
    let text = value::text(cx, item, "into")?;
    if cx.names.groups.contains_key(text) {
        return Some((format!("{text}/*"), text.to_owned()));
    }
    match selector::read(cx, text, item.span, Resolved::InRun)? {
        Selector::Group(group, _) => Some((text.to_owned(), group)),
        Selector::Zone(_) | Selector::Machine(_) => {
            let message = "a preload goes into nodes of one group";
            let help = "write one `[[preload]]` per group";
            cx.report(Diagnostic::error(E0401, message).help(help), item.span, "");
            None
        }
    }
}
