//! `dormant` and `on` in `[nodes.G]`: groups whose nodes are started by machines.
//!
//! A dormant node has no hardware of its own: its clock, its disk and its zone are those of the
//! machine that it runs on, so a file that gives it any is wrong.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::{E0103, E0107, E0206};
use crate::read::context::{Context, listed};
use crate::read::fields::Fields;
use crate::read::value;
use crate::syntax::tree::{Item, Table, Value};
use crate::vocabulary::suggest::nearest;

/// The group of machines that start the nodes of the group whose fields these are; `None` for a
/// group that boots with the world. Reports what does not go together.
pub fn host(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> Option<String> {
    let on = fields.get("on");
    let is_dormant = match fields.get("dormant") {
        Some(item) => match item.value {
            Value::Bool(is_dormant) => is_dormant,
            _ => {
                value::wrong_type(cx, item, "true or false is wanted here");
                return None;
            }
        },
        None => false,
    };
    if !is_dormant {
        if let Some(item) = on {
            let help = "write `dormant = true` if other nodes start these";
            let diagnostic = Diagnostic::error(E0107, "`on` is for dormant nodes");
            cx.report(diagnostic.help(help), item.span, "");
        }
        return None;
    }
    let Some(item) = on else {
        let message = "missing field `on`";
        let help = "name the group of machines that may start these nodes";
        cx.report(Diagnostic::error(E0103, message).help(help), fields.span, "");
        return None;
    };
    if let Some(zones) = fields.get("zones") {
        let message = "a dormant node is in the zone of its machine";
        cx.report(Diagnostic::error(E0107, message), zones.span, "");
    }
    machines(cx, item)
}

/// The group that `on` names, which must be one of nodes that boot by themselves.
fn machines(cx: &mut Context<'_>, item: &Item) -> Option<String> {
    let text = value::text(cx, item, "on")?;
    let known = cx.names.groups.get(text);
    if known.is_some_and(|group| !group.client && group.on.is_none()) {
        return Some(text.to_owned());
    }
    let message = match known {
        Some(group) if group.client => format!("`{text}` is a group of clients"),
        Some(_) => format!("`{text}` is dormant itself: a machine boots with the world"),
        None => format!("there is no group of nodes `{text}`"),
    };
    let machines = cx.names.machines();
    let help = match nearest(text, machines.iter().copied()) {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None if machines.is_empty() => None,
        None => Some(format!("there are {}", listed(&machines))),
    };
    let mut diagnostic = Diagnostic::error(E0206, message);
    diagnostic.help = help;
    cx.report(diagnostic, item.span, "");
    None
}

/// Reports hardware that the file gives to the dormant group `name`.
pub fn no_hardware(cx: &mut Context<'_>, name: &str, disk: Option<&Item>, clock: Option<&Item>) {
    if let Some(item) = disk {
        let message = format!("the nodes of `{name}` have the disk of their machine");
        let help = "give the disk to the group that `on` names";
        cx.report(Diagnostic::error(E0107, message).help(help), item.span, "");
    }
    let own = ["skew", "drift_ppm"];
    let own = own.iter().filter_map(|key| clock.and_then(Item::table)?.get(key));
    for span in own.map(|item| item.span).collect::<Vec<_>>() {
        let message = format!("the nodes of `{name}` have the clock of their machine");
        let help = "give it to the group that `on` names";
        cx.report(Diagnostic::error(E0107, message).help(help), span, "");
    }
}

/// The `on` of a dormant group, as it stands.
pub fn on(table: &Table) -> Option<String> {
    let is_dormant = matches!(table.get("dormant")?.value, Value::Bool(true));
    // A name that no group has: a dormant group without `on` is reported by its reader.
    let on = table.get("on").and_then(Item::as_text).unwrap_or_default();
    is_dormant.then(|| on.to_owned())
}
