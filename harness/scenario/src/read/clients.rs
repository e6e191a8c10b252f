//! `[clients.C]`: groups of clients and their load.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::{E0102, E0203, E0206};
use crate::plan::GroupPlan;
use crate::read::clock;
use crate::read::context::Context;
use crate::read::fields::Fields;
use crate::read::groups::{self, Extra, PerGroup, SettingsOf};
use crate::read::load;
use crate::read::value;
use crate::syntax::tree::Entry;
use catalog::{Role, System};
use contract::Value;
use engine::DiskSpec;

/// The groups of clients.
pub fn read<'t>(
    cx: &mut Context<'_>,
    entries: &'t [Entry],
    per_group: &PerGroup<'t>,
    defects: &[&'static str],
) -> Vec<GroupPlan> {
    groups::each(cx, "clients", entries, |cx, entry, fields| {
        group(cx, entry, fields, per_group, defects)
    })
}

fn group<'t>(
    cx: &mut Context<'_>,
    entry: &'t Entry,
    mut fields: Fields<'t>,
    per_group: &PerGroup<'t>,
    defects: &[&'static str],
) -> Option<GroupPlan> {
    let name = entry.key.as_str();
    let count = groups::group_count(cx, &mut fields);
    let target = target(cx, &mut fields);
    let info = cx.names.groups.get(name).cloned();
    let system = info.as_ref().and_then(|info| info.system);
    let role = info.as_ref().and_then(|info| info.role);
    let mut extra = Vec::new();
    for key in ["timeout", "retry"] {
        passed_on(cx, &mut fields, key, role, &mut extra);
    }
    let load = match cx.names.listed.contains(name) {
        true => load::listed(cx, &mut fields),
        false => load::drawn(cx, &mut fields, count.unwrap_or(1), system),
    };
    let uses = groups::uses(cx, &mut fields, role);
    fields.finish(cx);
    let system = system?;
    let Some(role) = role else {
        no_clients(cx, system, entry);
        return None;
    };
    let clock = clock::read(cx, name, count.unwrap_or(1), per_group.clock(name));
    let seat = SettingsOf {
        group: name,
        system,
        role,
        tuning: per_group.tuning(name),
        span: entry.item.span,
    };
    let settings = seat.read(cx, extra, &clock)?;
    let mut load = load?;
    let most = system.limits(role.name, &settings).value_bytes_max;
    load.value_bytes_max = u32::try_from(most)
        .map_or(load.value_bytes_max, |most| most.clamp(Value::SIZE_MIN, load.value_bytes_max));
    Some(GroupPlan {
        name: name.to_owned(),
        system,
        role: role.name,
        count: count?,
        uses: [("target".to_owned(), target?)].into_iter().chain(uses).collect(),
        settings,
        defects: groups::defects_of(system, defects),
        on: None,
        zones: Vec::new(),
        clock,
        disk: DiskSpec::default(),
        memory_limit: None,
        preload: Vec::new(),
        load: Some(load),
    })
}

fn no_clients(cx: &mut Context<'_>, system: &'static dyn System, entry: &Entry) {
    let message = format!("the system \"{}\" has no clients", system.name());
    let diagnostic = Diagnostic::error(E0203, message);
    cx.report(diagnostic, entry.key_span, "");
}

/// `target`, or any node of the only group that no other group uses.
fn target(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> Option<String> {
    if let Some(item) = fields.get("target") {
        let text = value::text(cx, item, "target")?;
        let selector = groups::group_or_selector(cx, text, item.span)?;
        let group = selector.split('/').next().unwrap_or_default();
        if cx.names.groups.get(group).is_some_and(|group| group.client) {
            let diagnostic = Diagnostic::error(E0206, format!("`{group}` is a group of clients"));
            let help = "the target of clients is a group of [nodes]";
            cx.report(diagnostic.help(help), item.span, "");
            return None;
        }
        return Some(selector);
    }
    if let Some(front) = cx.names.front() {
        return Some(format!("{front}/any"));
    }
    let groups = cx.names.group_names(false);
    let known = crate::read::context::listed(&groups);
    fields.missing(cx, "target", &format!("what they talk to, in one of {known}"));
    None
}

/// A field that is a setting of the client's role.
fn passed_on<'t>(
    cx: &mut Context<'_>,
    fields: &mut Fields<'t>,
    key: &'static str,
    role: Option<&'static Role>,
    extra: &mut Vec<Extra<'t>>,
) {
    let (Some(item), Some(role)) = (fields.get(key), role) else {
        return;
    };
    if role.settings.iter().any(|row| row.name == key) {
        extra.push((key, fields.path_of(key), item));
        return;
    }
    let message = format!("these clients have no setting `{key}`");
    let names: Vec<&str> = role.settings.iter().map(|row| row.name).collect();
    let help = format!("their settings are {}", crate::read::context::listed(&names));
    cx.report(Diagnostic::error(E0102, message).help(help), item.span, "");
}
