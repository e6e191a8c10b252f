//! Moments: `5s`, `drain`, `drain.end`, `fault.split.end`.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::{E0206, E0408};
use crate::read::context::Context;
use crate::syntax::tree::Span;
use crate::syntax::units::Measure;
use crate::vocabulary::suggest::nearest;
use contract::SimTime;

/// A moment that is known before the run: a time, or the start or end of a phase. A phase alone is
/// its start.
pub fn known(cx: &mut Context<'_>, text: &str, span: Span) -> Option<SimTime> {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return match Measure::Duration.parse(text) {
            Ok(nanos) => Some(SimTime(nanos)),
            Err(why) => {
                crate::read::value::not_a_quantity(cx, span, text, Measure::Duration, &why);
                None
            }
        };
    }
    if text.starts_with("fault.") {
        let message = format!("`{text}` is not known before the run");
        let help = "write a time, or the start or end of a phase";
        cx.report(Diagnostic::error(E0408, message).help(help), span, "");
        return None;
    }
    let (name, edge) = text.split_once('.').unwrap_or((text, "start"));
    let phase = phase(cx, name, span)?;
    match edge {
        "start" => Some(phase.0),
        "end" => Some(phase.1),
        _ => {
            malformed(cx, text, span);
            None
        }
    }
}

/// A moment of any kind; it is kept as it was written.
pub fn any(cx: &mut Context<'_>, text: &str, span: Span) -> Option<()> {
    let Some(rest) = text.strip_prefix("fault.") else {
        return known(cx, text, span).map(|_| ());
    };
    match rest.rsplit_once('.') {
        Some((id, "start" | "end")) => fault(cx, id, span),
        _ => {
            malformed(cx, text, span);
            None
        }
    }
}

/// A fault of this file.
pub fn fault(cx: &mut Context<'_>, id: &str, span: Span) -> Option<()> {
    if cx.names.faults.iter().any(|fault| fault == id) {
        return Some(());
    }
    let ids = cx.names.faults.clone();
    no_such(cx, "fault", id, span, &ids);
    None
}

/// Start and end of a phase of this file.
pub fn phase(cx: &mut Context<'_>, name: &str, span: Span) -> Option<(SimTime, SimTime)> {
    if let Some(phase) = cx.names.phase(name) {
        return Some((phase.start, phase.end));
    }
    let names: Vec<String> = cx.names.phases.iter().map(|p| p.name.clone()).collect();
    no_such(cx, "phase", name, span, &names);
    None
}

/// Reports a reference to a `what` that this file does not have.
pub fn no_such(cx: &mut Context<'_>, what: &str, name: &str, span: Span, names: &[String]) {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut diagnostic = Diagnostic::error(E0206, format!("there is no {what} `{name}`"));
    diagnostic.help = match nearest(name, names.iter().copied()) {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None if names.is_empty() => Some(format!("this file has no {what}")),
        None => Some(format!("there are {}", crate::read::context::listed(&names))),
    };
    cx.report(diagnostic, span, "");
}

fn malformed(cx: &mut Context<'_>, text: &str, span: Span) {
    let diagnostic = Diagnostic::error(E0408, format!("`{text}` is not a moment"));
    let help = "a moment is a time, PHASE.start, PHASE.end, fault.ID.start or fault.ID.end";
    cx.report(diagnostic.help(help), span, "");
}
