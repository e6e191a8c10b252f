//! The names of the format, for suggestions and for telling what is not yet supported from what is
//! misspelt.

use crate::read::context::Context;
use crate::vocabulary::grammar::{TABLES, TOP as TOP_LAYOUT};

/// Keys of the top level, in the order in which documents are written.
pub const TOP: &[&str] = &[
    "format",
    "name",
    "about",
    "system",
    "seed",
    "expect",
    "caught_by",
    "may_fail",
    "min_rate",
    "defects",
    "tags",
    "budget",
    "phases",
    "recovery",
    "nodes",
    "tuning",
    "net",
    "disk",
    "clock",
    "memory",
    "preload",
    "clients",
    "op",
    "pin",
    "fault",
    "check",
    "cover",
    "sweep",
    "swarm",
    "variant",
    "report",
    "minimal",
];

/// Systems that the format's documents speak of; one that is not registered is not a typo.
pub const SYSTEMS: &[&str] = &["hyperion", "hypercore", "neurocache", "aspen"];

/// Kinds of faults of the format.
pub const FAULT_KINDS: &[&str] = &[
    "partition",
    "link",
    "clog",
    "swizzle-clog",
    "crash",
    "pause",
    "slow-cpu",
    "clock",
    "disk",
    "memory-pressure",
    "service-time",
    "dependency-down",
    "membership",
    "expire",
    "inject-frame",
    "upgrade",
];

/// Kinds of faults that are over as soon as they began: without `for` or `until` they end at once,
/// all others when the run's faults are lifted.
pub const FAULTS_AT_ONCE: &[&str] = &["membership", "expire", "inject-frame", "upgrade"];

/// Kinds of checks of the format.
pub const CHECK_KINDS: &[&str] = &[
    "linearizable",
    "invariant",
    "converge",
    "bound",
    "rate",
    "count",
    "quantile",
    "slope",
    "reach",
    "final",
    "op-cost",
    "staleness",
    "sessions",
    "level",
    "agree",
];

/// Built-in node models of the format.
pub const NODE_MODELS: &[&str] = &["queue", "blackhole"];

/// Models that a check may name; one that is not registered is not a typo.
pub const MODELS: &[&str] =
    &["register", "register-cas", "kv", "kv-ttl", "lock", "counter", "list"];

/// The tables that have a field `key`, settings of the scenario's roles and fields of kinds of
/// faults and checks included; at most three.
pub fn tables_with(cx: &Context<'_>, key: &str) -> Vec<String> {
    let mut found = Vec::new();
    for layout in [&TOP_LAYOUT].into_iter().chain(TABLES) {
        let is_table = layout.key.is_empty() && TOP.contains(&key);
        if is_table || layout.fields.iter().any(|field| field.0 == key) {
            found.push(layout.shown.to_owned());
        }
    }
    for (name, group) in &cx.names.groups {
        let settings = group.role.map_or(&[][..], |role| role.settings);
        if settings.iter().any(|setting| setting.name == key) {
            found.push(format!("[tuning.{name}]"));
        }
    }
    for (table, rows) in [("[[fault]]", cx.lab.faults), ("[[check]]", cx.lab.checks)] {
        for row in rows {
            if row.fields.iter().any(|field| field.name == key) {
                found.push(format!("{table} of kind \"{}\"", row.name));
            }
        }
    }
    found.truncate(3);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instant_kinds_are_kinds() {
        assert!(FAULTS_AT_ONCE.iter().all(|kind| FAULT_KINDS.contains(kind)));
    }
}
