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

/// Kinds of faults and of checks that the format reserves and no lab has yet: not misspelt, but an
/// error of its own.
pub const RESERVED_KINDS: &[&str] = &["expire", "upgrade", "agree"];

/// Built-in node models of the format.
pub const NODE_MODELS: &[&str] = &["queue", "blackhole"];

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
    let faults = cx.lab.faults.iter().map(|kind| ("[[fault]]", &kind.row));
    let checks = cx.lab.checks.iter().map(|kind| ("[[check]]", &kind.row));
    for (table, row) in faults.chain(checks) {
        if row.fields.iter().any(|field| field.name == key) {
            found.push(format!("{table} of kind \"{}\"", row.name));
        }
    }
    found.truncate(3);
    found
}
