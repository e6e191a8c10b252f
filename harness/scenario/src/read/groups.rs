//! `[nodes.G]`, `[tuning.G]`, `[disk.G]`, `[memory.G]` and the groups of nodes that follow.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::{E0103, E0106, E0107, E0202, E0203, E0204};
use crate::plan::{ClockPlan, GroupPlan};
use crate::read::clock;
use crate::read::context::Context;
use crate::read::fields::{Fields, check_name};
use crate::read::machines;
use crate::read::value;
use crate::syntax::tree::{Entry, Item, Span, Table, Value};
use crate::syntax::units::Measure;
use crate::vocabulary::selector::{self, Resolved};
use crate::vocabulary::suggest::nearest;
use crate::vocabulary::words;
use catalog::{Role, Settings, System};
use engine::DiskSpec;
use std::collections::BTreeSet;

/// The most nodes (and clients) of one group.
pub const COUNT_MAX: u64 = 10_000;

/// The tables about groups, by group.
pub struct PerGroup<'t> {
    tuning: &'t [Entry],
    disk: &'t [Entry],
    clock: &'t [Entry],
    memory: &'t [Entry],
}

impl<'t> PerGroup<'t> {
    /// Takes the tables and reports those of groups that do not exist.
    pub fn take(cx: &mut Context<'_>, top: &mut Fields<'t>) -> Self {
        let per_group = Self {
            tuning: top.entries(cx, "tuning").unwrap_or(&[]),
            disk: top.entries(cx, "disk").unwrap_or(&[]),
            clock: top.entries(cx, "clock").unwrap_or(&[]),
            memory: top.entries(cx, "memory").unwrap_or(&[]),
        };
        known_groups(cx, "tuning", per_group.tuning, true);
        known_groups(cx, "disk", per_group.disk, false);
        known_groups(cx, "clock", per_group.clock, true);
        known_groups(cx, "memory", per_group.memory, false);
        per_group
    }

    /// What the settings of `group` are, and where they stand.
    pub fn tuning(&self, group: &str) -> Option<&'t Item> {
        find(self.tuning, group)
    }

    /// The clocks of `group`.
    pub fn clock(&self, group: &str) -> Option<&'t Item> {
        find(self.clock, group)
    }
}

fn find<'t>(entries: &'t [Entry], group: &str) -> Option<&'t Item> {
    let entry = entries.iter().find(|entry| entry.key == group);
    entry.map(|entry| &entry.item)
}

fn known_groups(cx: &mut Context<'_>, table: &str, entries: &[Entry], clients_too: bool) {
    for entry in entries {
        let group = cx.names.groups.get(&entry.key);
        if group.is_some_and(|group| clients_too || !group.client) {
            continue;
        }
        let message = format!("[{table}.{}] is about no group of nodes", entry.key);
        let mut diagnostic = Diagnostic::error(E0106, message);
        let mut names = cx.names.group_names(false);
        if clients_too {
            names.extend(cx.names.group_names(true));
        }
        let near = nearest(&entry.key, names.iter().copied()).or(names.first().copied());
        diagnostic.help = near.map(|near| format!("did you mean `[{table}.{near}]`?"));
        cx.report(diagnostic, entry.key_span, "");
    }
}

/// The groups of nodes.
pub fn read<'t>(
    cx: &mut Context<'_>,
    top: &mut Fields<'t>,
    per_group: &PerGroup<'t>,
    defects: &[&'static str],
) -> Vec<GroupPlan> {
    let Some(entries) = top.entries(cx, "nodes") else {
        top.missing(cx, "nodes", "the cluster: `[nodes.h]` with `count` and `role`");
        return Vec::new();
    };
    each(cx, "nodes", entries, |cx, entry, fields| group(cx, entry, fields, per_group, defects))
}

/// The groups of one table, `nodes` or `clients`: each has a name, and is a table itself.
pub fn each<'t>(
    cx: &mut Context<'_>,
    table: &str,
    entries: &'t [Entry],
    group: impl Fn(&mut Context<'_>, &'t Entry, Fields<'t>) -> Option<GroupPlan>,
) -> Vec<GroupPlan> {
    let mut found = Vec::new();
    for entry in entries {
        check_name(cx, &entry.key, entry.key_span);
        let path = format!("{table}.{}", entry.key);
        if let Some(fields) = Fields::of(cx, &entry.item, &path, &format!("[{path}]")) {
            found.extend(group(cx, entry, fields));
        }
    }
    found
}

fn group<'t>(
    cx: &mut Context<'_>,
    entry: &'t Entry,
    mut fields: Fields<'t>,
    per_group: &PerGroup<'t>,
    defects: &[&'static str],
) -> Option<GroupPlan> {
    let name = entry.key.as_str();
    if let Some(model) = fields.text(cx, "model") {
        let span = fields.get("model").map_or(entry.key_span, |item| item.span);
        return built_in(cx, model, span);
    }
    let count = group_count(cx, &mut fields);
    let zones = zones(cx, &mut fields);
    let before = cx.diagnostics.len();
    let on = machines::host(cx, &mut fields);
    let is_host_known = cx.diagnostics.len() == before;
    if let Some(item) = fields.get("version") {
        let help = "list the defects of that release in `defects`";
        cx.unsupported("presets of defects by `version`", item.span, Some(help));
    }
    let system = system_of(cx, &mut fields);
    // A field also where nobody can say which roles there are.
    fields.get("role");
    let role = system.and_then(|system| role(cx, &mut fields, system));
    let uses = uses(cx, &mut fields, role);
    fields.finish(cx);
    let (system, role) = (system?, role?);
    if on.is_some() {
        machines::no_hardware(cx, name, find(per_group.disk, name), per_group.clock(name));
    }
    let clock = clock::read(cx, name, count.unwrap_or(1), per_group.clock(name));
    let disk = disk(cx, name, find(per_group.disk, name));
    let mut extra = Vec::new();
    let memory_limit = memory(cx, name, (system, role), find(per_group.memory, name), &mut extra);
    let seat = SettingsOf {
        group: name,
        system,
        role,
        tuning: per_group.tuning(name),
        span: entry.item.span,
    };
    let settings = seat.read(cx, extra, &clock)?;
    is_host_known.then_some(())?;
    Some(GroupPlan {
        name: name.to_owned(),
        system,
        role: role.name,
        count: count?,
        on,
        uses,
        settings,
        defects: defects_of(system, defects),
        zones,
        clock,
        disk,
        memory_limit,
        preload: Vec::new(),
        load: None,
    })
}

fn built_in(cx: &mut Context<'_>, model: &str, span: Span) -> Option<GroupPlan> {
    if model == "real" {
        cx.unsupported("`model = \"real\"`", span, Some("leave `model` out"));
    } else if words::NODE_MODELS.contains(&model) {
        cx.unsupported(&format!("the built-in node model \"{model}\""), span, None);
    } else {
        cx.unknown("node model", model, span, words::NODE_MODELS);
    }
    None
}

/// `count`, 1 where it is absent.
pub fn group_count(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> Option<u32> {
    let Some(item) = fields.get("count") else {
        return Some(1);
    };
    let count = value::plain_quantity(cx, item, Measure::Count)?;
    if !(1..=COUNT_MAX).contains(&count) {
        let message = format!("a group has from 1 to {COUNT_MAX} members, not {count}");
        cx.report(Diagnostic::error(E0202, message), item.span, "");
        return None;
    }
    u32::try_from(count).ok()
}

fn zones(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> Vec<String> {
    let zones = fields.texts(cx, "zones");
    for (zone, span) in &zones {
        check_name(cx, zone, *span);
    }
    zones.iter().map(|(zone, _)| (*zone).to_owned()).collect()
}

/// The system of a group: its own `system` or that of the top level, which is reported there.
fn system_of(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> Option<&'static dyn System> {
    if let Some(item) = fields.get("system") {
        let text = value::text(cx, item, "system")?;
        return system(cx, text, item.span);
    }
    match cx.names.default_system.clone() {
        Some(name) => cx.lab.system(&name),
        None => {
            let message = "missing field `system`";
            let help = "give the scenario a `system`, or this group one of its own";
            let diagnostic = Diagnostic::error(E0103, message).help(help);
            cx.report(diagnostic, fields.span, "");
            None
        }
    }
}

/// The system called `name`; reports when the lab does not have it.
pub fn system(cx: &mut Context<'_>, name: &str, span: Span) -> Option<&'static dyn System> {
    let found = cx.lab.system(name);
    if found.is_none() {
        let names: Vec<&str> = cx.lab.systems.iter().map(|s| s.name()).collect();
        cx.unknown("system", name, span, &names);
    }
    found
}

fn role(
    cx: &mut Context<'_>,
    fields: &mut Fields<'_>,
    system: &'static dyn System,
) -> Option<&'static Role> {
    let roles = system.roles();
    let names = roles.iter().map(|role| role.name);
    let names: Vec<&str> = names.filter(|name| *name != "client").collect();
    if let Some(item) = fields.get("role") {
        let text = value::text(cx, item, "role")?;
        if names.contains(&text) {
            return crate::vocabulary::symbols::role_of(system, Some(text));
        }
        if text == "client" {
            let diagnostic = Diagnostic::error(E0203, "clients do not stand in [nodes]");
            cx.report(diagnostic.help("write `[clients.C]`"), item.span, "");
        } else {
            cx.unknown("role", text, item.span, &names);
        }
        return None;
    }
    let only = crate::vocabulary::symbols::role_of(system, None);
    if only.is_none() {
        let known = crate::read::context::listed(&names);
        fields.missing(cx, "role", &format!("one of the system's roles: {known}"));
    }
    only
}

/// What clients talk to has a field of its own, though their role says that it uses it.
const TARGET: &str = "target";

/// `uses`: for each key that the role wants, a selector of nodes.
pub fn uses(
    cx: &mut Context<'_>,
    fields: &mut Fields<'_>,
    role: Option<&'static Role>,
) -> Vec<(String, String)> {
    let item = fields.get("uses");
    let wanted = role.map_or(&[][..], |role| role.uses);
    let wanted: Vec<&str> = wanted.iter().copied().filter(|key| *key != TARGET).collect();
    let entries = match item.map(|item| &item.value) {
        Some(Value::Table(table)) => table.entries.as_slice(),
        Some(_) => {
            value::wrong_type(cx, item.expect("it is there"), "`uses` is a table");
            return Vec::new();
        }
        None => &[],
    };
    let mut found = Vec::new();
    let mut misspelt = false;
    for entry in entries {
        if role.is_some() && !wanted.contains(&entry.key.as_str()) {
            cx.unknown("use", &entry.key, entry.key_span, &wanted);
            misspelt = true;
            continue;
        }
        let Some(text) = value::text(cx, &entry.item, &entry.key) else {
            continue;
        };
        if let Some(selector) = group_or_selector(cx, text, entry.item.span) {
            found.push((entry.key.clone(), selector));
        }
    }
    for key in wanted {
        if !misspelt && !entries.iter().any(|entry| entry.key == key) {
            let message = format!("missing field `uses.{key}`");
            let help = "the role needs it: name the group that it uses";
            let diagnostic = Diagnostic::error(E0103, message).help(help);
            cx.report(diagnostic, item.map_or(fields.span, |item| item.span), "");
        }
    }
    found
}

/// A group's name stands for all of it; anything else is a selector that is known before the run.
pub fn group_or_selector(cx: &mut Context<'_>, text: &str, span: Span) -> Option<String> {
    if cx.names.groups.contains_key(text) {
        return Some(format!("{text}/*"));
    }
    selector::read(cx, text, span, Resolved::BeforeRun)?;
    Some(text.to_owned())
}

/// Those of `defects` that `system` has.
pub fn defects_of(system: &dyn System, defects: &[&'static str]) -> Vec<&'static str> {
    let has = |name: &&&'static str| system.defects().iter().any(|d| d.name == **name);
    defects.iter().filter(has).copied().collect()
}

/// What is needed to read the settings of one group.
pub struct SettingsOf<'t> {
    pub group: &'t str,
    pub system: &'static dyn System,
    pub role: &'static Role,
    /// `[tuning.G]`, if it is there.
    pub tuning: Option<&'t Item>,
    /// Where the group stands.
    pub span: Span,
}

/// A setting that another table gave: the path, the item, the row's name.
pub type Extra<'t> = (&'static str, String, &'t Item);

impl SettingsOf<'_> {
    /// The settings of the role, defaults filled in, relations checked.
    pub fn read(
        &self,
        cx: &mut Context<'_>,
        extra: Vec<Extra<'_>>,
        clock: &ClockPlan,
    ) -> Option<Settings> {
        let empty = Table::default();
        let path = format!("tuning.{}", self.group);
        let shown = format!("[{path}]");
        let mut fields = match self.tuning {
            Some(item) => Fields::of(cx, item, &path, &shown)?,
            None => Fields::top(&empty, self.span, &path, &shown),
        };
        let before = cx.diagnostics.len();
        let mut settings = Settings::default();
        for row in self.role.settings {
            let given = fields.get(row.name);
            let other = extra.iter().find(|(name, _, _)| *name == row.name);
            let value = match (given, other) {
                (Some(item), Some((_, path, twice))) => {
                    let message = format!("`{}` is given twice", row.name);
                    cx.report(Diagnostic::error(E0107, message), item.span, "");
                    cx.also(twice.span, &format!("here as `{path}`"));
                    continue;
                }
                (Some(item), None) => {
                    value::setting(cx, &fields.path_of(row.name), item, &row.kind)
                }
                (None, Some((_, path, item))) => value::setting(cx, path, item, &row.kind),
                (None, None) if row.default.is_empty() => continue,
                (None, None) => value::default(cx, row.name, row.default, &row.kind),
            };
            if let Some(value) = value {
                settings.0.insert(row.name, value);
            }
        }
        fields.finish(cx);
        if cx.diagnostics.len() > before {
            return None;
        }
        self.relations(cx, &settings, clock).then_some(settings)
    }

    /// Whether the relations between the settings hold.
    fn relations(&self, cx: &mut Context<'_>, settings: &Settings, clock: &ClockPlan) -> bool {
        let broken = self.system.relations(self.role.name, settings, clock.drift_max);
        for relation in &broken {
            let table = self.tuning.and_then(Item::table);
            let item = table.and_then(|table| table.get(relation.setting));
            let span = item.or(self.tuning).map_or(self.span, |item| item.span);
            let message = format!("`{}` {}", relation.setting, relation.detail);
            let help = format!("`chaoslab explain {}` says why", relation.code);
            let diagnostic = Diagnostic::error(relation.code, message).help(help);
            cx.report(diagnostic, span, &format!("in [tuning.{}]", self.group));
        }
        broken.is_empty()
    }
}

fn disk(cx: &mut Context<'_>, group: &str, item: Option<&Item>) -> DiskSpec {
    let mut spec = DiskSpec::default();
    let path = format!("disk.{group}");
    let Some(item) = item else { return spec };
    let Some(mut fields) = Fields::of(cx, item, &path, &format!("[{path}]")) else {
        return spec;
    };
    let latencies =
        [("read", &mut spec.read), ("write", &mut spec.write), ("sync", &mut spec.sync)];
    for (key, place) in latencies {
        if let Some(dist) = fields.dist(cx, key, Measure::Duration) {
            *place = dist;
        }
    }
    let shares = [
        ("read_corrupt", &mut spec.read_corrupt),
        ("write_corrupt", &mut spec.write_corrupt),
        ("misdirect", &mut spec.misdirect),
        ("torn", &mut spec.torn),
        ("sync_lie", &mut spec.sync_lie),
    ];
    for (key, place) in shares {
        if let Some(ratio) = fields.ratio(cx, key) {
            *place = ratio;
        }
    }
    spec.capacity = fields.quantity(cx, "capacity", Measure::Bytes);
    fields.finish(cx);
    spec
}

fn memory<'t>(
    cx: &mut Context<'_>,
    group: &str,
    (system, role): (&'static dyn System, &'static Role),
    item: Option<&'t Item>,
    extra: &mut Vec<Extra<'t>>,
) -> Option<u64> {
    let path = format!("memory.{group}");
    let mut fields = Fields::of(cx, item?, &path, &format!("[{path}]"))?;
    let limit = fields.quantity(cx, "limit", Measure::Bytes);
    if let Some(item) = fields.get("scale") {
        match system.memory_scale(role.name) {
            Some(setting) => extra.push((setting, fields.path_of("scale"), item)),
            None => {
                let what = format!("`scale` for the role \"{}\"", role.name);
                cx.unsupported(&what, item.span, None);
            }
        }
    }
    fields.finish(cx);
    limit
}

/// Reports groups of clients that are called like a group of nodes.
pub fn unique_groups(cx: &mut Context<'_>, nodes: &[Entry], clients: &[Entry]) {
    let taken: BTreeSet<&str> = nodes.iter().map(|entry| entry.key.as_str()).collect();
    for entry in clients {
        if taken.contains(entry.key.as_str()) {
            let message = format!("the name `{}` is taken", entry.key);
            let help = "groups of nodes and of clients share their names";
            let diagnostic = Diagnostic::error(E0204, message).help(help);
            cx.report(diagnostic, entry.key_span, "");
        }
    }
}
