//! Limits of checks: a check without one proves nothing, and a limit has to be of the same kind as
//! what it limits.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::{E0103, E0201};
use crate::kinds::{Amounts, CheckRow};
use crate::read::context::Context;
use crate::read::fields::Fields;
use catalog::{SettingValue, Settings};

/// Reports a check of `kind` without a limit.
pub fn given(cx: &mut Context<'_>, fields: &mut Fields<'_>, kind: &CheckRow) {
    let names = kind.limits;
    if names.is_empty() || names.iter().any(|name| fields.get(name).is_some()) {
        return;
    }
    let listed: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let message = format!("missing field: one of {}", listed.join(", "));
    let diagnostic = Diagnostic::error(E0103, message).help("a check without a limit cannot fail");
    cx.report(diagnostic, fields.span, &format!("in {}", fields.shown));
}

/// Reports limits that are of another kind than what they limit.
pub fn fit(cx: &mut Context<'_>, fields: &mut Fields<'_>, kind: &CheckRow, settings: &Settings) {
    const AMOUNTS: [&str; 9] =
        ["max", "min", "equals", "tolerance", "p50", "p90", "p95", "p99", "p999"];
    let text = |name: &str| match settings.0.get(name) {
        Some(SettingValue::Text(text)) => Some(text.as_str()),
        _ => None,
    };
    let Some(what) = text("what").or_else(|| text("up")) else { return };
    let wanted = Wanted::of(cx, kind.amounts, what, text("per").is_some());
    for name in AMOUNTS {
        let Some(value) = settings.0.get(name) else { continue };
        let Some(item) = fields.get(name) else { continue };
        if !wanted.takes(value) {
            let message = format!("`{name}` has to be {}", wanted.told());
            let help = format!("it limits `{what}`");
            cx.report(Diagnostic::error(E0201, message).help(help), item.span, "");
        }
    }
}

/// What a limit has to be.
enum Wanted {
    Count,
    Bytes,
    Duration,
    Rate,
    Factor,
}

impl Wanted {
    fn of(cx: &Context<'_>, amounts: Amounts, what: &str, is_divided: bool) -> Self {
        let systems = cx.names.systems();
        let gauges = systems.iter().flat_map(|system| system.gauges());
        let gauge = gauges.clone().find(|row| row.name == what).map(|row| row.unit);
        let events = systems.iter().flat_map(|system| system.events());
        let event = events.clone().find(|row| row.name == what).map(|row| row.unit);
        match (amounts, gauge.or(event)) {
            (Amounts::Rate, _) => Self::Rate,
            (Amounts::RateUnlessGauge, _) if gauge.is_none() => Self::Rate,
            (Amounts::Count, _) if is_divided => Self::Factor,
            (Amounts::Count, _) => Self::Count,
            (_, Some("bytes")) => Self::Bytes,
            (_, Some("ns")) => Self::Duration,
            _ if what.ends_with(".latency") => Self::Duration,
            _ => Self::Count,
        }
    }

    const fn takes(&self, value: &SettingValue) -> bool {
        match self {
            Self::Count => matches!(value, SettingValue::Int(_)),
            // 0 and 1 need no unit.
            Self::Bytes => matches!(value, SettingValue::Bytes(_) | SettingValue::Int(0 | 1)),
            Self::Duration => matches!(value, SettingValue::Duration(_)),
            Self::Rate => matches!(value, SettingValue::Rate { .. }),
            Self::Factor => matches!(value, SettingValue::Ratio(_) | SettingValue::Int(_)),
        }
    }

    const fn told(&self) -> &'static str {
        match self {
            Self::Count => "a count such as 512",
            Self::Bytes => "a size such as \"64KiB\"",
            Self::Duration => "a duration such as \"150ms\"",
            Self::Rate => "a rate such as \"300/s\"",
            Self::Factor => "a share such as \"5%\", or a count",
        }
    }
}
