//! What a scenario with the tag `exact` must keep, so that three simulators can agree on it: whole
//! milliseconds, and latencies of at least five.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::E0405;
use crate::edit::paths;
use crate::plan::{End, FaultPlan, Plan, Start};
use crate::read::context::Context;
use crate::syntax::tree::{Span, Table};
use contract::{Dist, Duration};

const MILLISECOND: u64 = 1_000_000;
/// Below this a message of one simulator could be late on another.
const LATENCY_MIN: Duration = Duration::from_millis(5);

/// Reports whatever only one simulator can do.
pub fn check(cx: &mut Context<'_>, plan: &Plan, tree: &Table) {
    let span = |path: &str| paths::get(tree, path).map_or(Span::default(), |item| item.span);
    latency(cx, &plan.link.latency, span("net.latency"));
    for (i, (_, _, link)) in plan.links.iter().enumerate() {
        let path = format!("net.link.{}.latency", i + 1);
        latency(cx, &link.latency, span(&path));
    }
    for group in plan.groups.iter().filter(|group| group.on.is_some()) {
        let message = "an exact scenario has no dormant nodes";
        let help = "a start takes effect at once on another machine; drop the tag `exact`";
        let path = format!("nodes.{}.dormant", group.name);
        cx.report(Diagnostic::error(E0405, message).help(help), span(&path), "");
    }
    for fault in &plan.faults {
        for key in ["at", "plus", "for"] {
            let path = format!("fault.{}.{key}", fault.id);
            if !times(fault, key).is_none_or(whole) {
                let message = "times of an exact scenario are whole milliseconds";
                cx.report(Diagnostic::error(E0405, message), span(&path), "");
            }
        }
    }
}

fn latency(cx: &mut Context<'_>, dist: &Dist, span: Span) {
    if dist.min() >= LATENCY_MIN.0 && whole(dist) {
        return;
    }
    let message = "latencies of an exact scenario are whole milliseconds, at least 5ms";
    let help = "use a constant or a choice, or drop the tag `exact`";
    cx.report(Diagnostic::error(E0405, message).help(help), span, "");
}

const fn times<'p>(fault: &'p FaultPlan, key: &str) -> Option<&'p Dist> {
    match (key.as_bytes(), &fault.start, &fault.end) {
        (b"at", Start::At(dist), _) | (b"for", _, End::After(dist)) => Some(dist),
        (b"plus", ..) => Some(&fault.plus),
        _ => None,
    }
}

/// Whether only whole milliseconds can be drawn.
fn whole(dist: &Dist) -> bool {
    let whole = |value: &u64| value.is_multiple_of(MILLISECOND);
    match dist {
        Dist::Constant(value) => whole(value),
        Dist::Choice(values) => values.iter().all(whole),
        _ => false,
    }
}
