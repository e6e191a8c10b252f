//! What a run can hold. A load whose arrivals alone are more than its budget of events would fill the
//! memory of the machine before it came to an end; and what a system cannot do by its own account is
//! wrong in the file, not in the system.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::{E0508, E0510};
use crate::edit::paths;
use crate::plan::{LoadPlan, Plan};
use crate::read::context::Context;
use crate::read::dist;
use crate::syntax::tree::{Span, Table};
use crate::syntax::units::Measure;
use catalog::Limits;
use contract::{Dist, SimTime};

/// Reports loads that are more than the budget holds.
pub fn check(cx: &mut Context<'_>, plan: &Plan, tree: &Table) {
    let end = SimTime(plan.budget.sim_time.0);
    for group in &plan.groups {
        let limits = group.system.limits(group.role, &group.settings);
        if group.count > limits.nodes_max {
            let path = format!("nodes.{}.count", group.name);
            let span = paths::get(tree, &path).map_or(Span::default(), |item| item.span);
            let message =
                format!("a group of `{}` has at most {} nodes", group.role, limits.nodes_max);
            cx.report(Diagnostic::error(E0510, message), span, "");
        }
        let Some(load) = &group.load else { continue };
        value(cx, &group.name, &load.value, limits, tree);
        let arrivals = u128::from(group.count) * arrivals(load, end);
        if arrivals <= u128::from(plan.budget.events) || plan.budget.events == 0 {
            continue;
        }
        let path = format!("clients.{}.rate", group.name);
        let span = paths::get(tree, &path).map_or(Span::default(), |item| item.span);
        let message = format!("about {arrivals} operations arrive, more than the run has events");
        let events = plan.budget.events;
        let help = format!("`[budget] events` is {events}, and each operation takes several");
        cx.report(Diagnostic::error(E0508, message).help(help), span, "");
    }
}

/// Reports values that no client can write. A tail without a bound is cut where it is drawn from.
fn value(cx: &mut Context<'_>, group: &str, sizes: &Dist, limits: Limits, tree: &Table) {
    let (least, most) = dist::reach(sizes);
    if most.or(least).is_some_and(|bytes| bytes > limits.value_bytes_max) {
        let path = format!("clients.{group}.value");
        let span = paths::get(tree, &path).map_or(Span::default(), |item| item.span);
        let shown = Measure::Bytes.show(limits.value_bytes_max);
        let message = format!("a client of this system writes values of at most {shown}");
        cx.report(Diagnostic::error(E0510, message), span, "");
    }
}

/// How often one client of an open load calls, about.
fn arrivals(load: &LoadPlan, end: SimTime) -> u128 {
    if load.closed || load.listed.is_some() || load.gap.0 == 0 {
        return 0;
    }
    let span = load.stop.min(end).0.saturating_sub(load.start.0);
    u128::from(span / load.gap.0)
}
