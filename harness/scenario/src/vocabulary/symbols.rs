//! What a file declares: groups, phases, ids. Collected before anything is judged, so that a table
//! may refer to one that stands below it.

use crate::Lab;
use crate::plan::Phase;
use crate::syntax::tree::{Table, Value};
use crate::syntax::units::Measure;
use catalog::{Role, System};
use contract::{Duration, SimTime};
use std::collections::{BTreeMap, BTreeSet};

/// The names of one file. Whatever is malformed is left out here and reported by its reader.
#[derive(Clone, Default)]
pub struct Names {
    /// Groups of nodes and of clients.
    pub groups: BTreeMap<String, GroupName>,
    /// Phases in the order of the file.
    pub phases: Vec<Phase>,
    /// Ids of faults in the order of the file.
    pub faults: Vec<String>,
    /// Ids of checks in the order of the file.
    pub checks: Vec<String>,
    /// Groups of clients whose operations are listed.
    pub listed: BTreeSet<String>,
    /// Zones of any group.
    pub zones: BTreeSet<String>,
    /// The `system` of the top level.
    pub default_system: Option<String>,
    /// The end of the run.
    pub sim_time: Option<Duration>,
    /// Some group's system is not known to this lab, so names cannot be judged.
    pub blind: bool,
}

/// A group that the file declares.
#[derive(Clone)]
pub struct GroupName {
    /// Whether it stands in `[clients]`.
    pub client: bool,
    /// How many nodes it has.
    pub count: u32,
    /// Its system, when the lab knows it.
    pub system: Option<&'static dyn System>,
    /// Its role, when the system has it.
    pub role: Option<&'static Role>,
    /// Its zones, dealt round-robin.
    pub zones: Vec<String>,
    /// The selectors in its `uses`.
    pub uses: Vec<String>,
    /// The group that `on` names, for a dormant group.
    pub on: Option<String>,
}

impl Names {
    /// Whatever `tree` declares.
    pub fn collect(tree: &Table, lab: &Lab<'_>) -> Self {
        let mut names = Self {
            sim_time: sim_time(tree),
            default_system: system_name(tree).map(str::to_owned),
            phases: phases(tree),
            faults: ids(tree, "fault"),
            checks: ids(tree, "check"),
            listed: crate::read::ops::groups(tree),
            ..Self::default()
        };
        names.collect_nodes(tree, lab);
        names.collect_clients(tree, lab);
        names.blind = names.groups.values().any(|group| group.system.is_none());
        for group in names.groups.values() {
            names.zones.extend(group.zones.iter().cloned());
        }
        names
    }

    fn collect_nodes(&mut self, tree: &Table, lab: &Lab<'_>) {
        let default = system_name(tree);
        for (name, table) in sub_tables(tree, "nodes") {
            let text = |key: &str| table.get(key).and_then(|item| item.as_text());
            let built_in = table.get("model").is_some();
            let system = text("system").or(default).filter(|_| !built_in);
            let system = system.and_then(|system| lab.system(system));
            let role = system.and_then(|system| role_of(system, text("role")));
            let group = GroupName {
                client: false,
                count: count(table),
                system,
                role,
                zones: texts(table, "zones"),
                uses: used(table),
                on: crate::read::machines::on(table),
            };
            self.groups.insert(name.to_owned(), group);
        }
    }

    fn collect_clients(&mut self, tree: &Table, lab: &Lab<'_>) {
        let default = system_name(tree);
        for (name, table) in sub_tables(tree, "clients") {
            let text = |key: &str| table.get(key).and_then(|item| item.as_text());
            let target = text("target").map(|target| target.split('/').next().unwrap_or(target));
            let targeted = target.and_then(|group| self.groups.get(group)?.system);
            let system = targeted.or_else(|| lab.system(default?));
            let group = GroupName {
                client: true,
                count: count(table),
                system,
                role: system.and_then(|system| role_of(system, Some("client"))),
                zones: Vec::new(),
                uses: used(table),
                on: None,
            };
            if !self.groups.contains_key(name) {
                self.groups.insert(name.to_owned(), group);
            }
        }
    }

    /// The systems of the file, each once, in the order of their names.
    pub fn systems(&self) -> Vec<&'static dyn System> {
        let mut systems: BTreeMap<&str, &'static dyn System> = BTreeMap::new();
        for group in self.groups.values() {
            if let Some(system) = group.system {
                systems.insert(system.name(), system);
            }
        }
        systems.into_values().collect()
    }

    /// The names of groups, of clients alone or of nodes alone.
    pub fn group_names(&self, client: bool) -> Vec<&str> {
        let same = self.groups.iter().filter(|(_, group)| group.client == client);
        same.map(|(name, _)| name.as_str()).collect()
    }

    /// The groups of nodes that boot with the world.
    pub fn machines(&self) -> Vec<&str> {
        let all = self.groups.iter().filter(|(_, group)| !group.client && group.on.is_none());
        all.map(|(name, _)| name.as_str()).collect()
    }

    /// The groups whose nodes run on machines of the group `name`.
    pub fn hosted_by(&self, name: &str) -> impl Iterator<Item = &str> {
        let all = self.groups.iter().filter(move |(_, group)| group.on.as_deref() == Some(name));
        all.map(|(name, _)| name.as_str())
    }

    /// The group of nodes that clients talk to unless they say otherwise: the only one that no
    /// other group uses.
    pub fn front(&self) -> Option<&str> {
        let uses = |selector: &String, name: &str| {
            let group = selector.split('/').next();
            group == Some(name)
        };
        let used = |name: &str| {
            let mut all = self.groups.values().flat_map(|group| &group.uses);
            all.any(|selector| uses(selector, name))
        };
        let mut fronts = self.machines().into_iter().filter(|name| !used(name));
        let only = fronts.next()?;
        fronts.next().is_none().then_some(only)
    }

    /// The phase called `name`.
    pub fn phase(&self, name: &str) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.name == name)
    }
}

/// The role called `name`, or, without a name, the only one that is not `client`.
pub fn role_of(system: &'static dyn System, name: Option<&str>) -> Option<&'static Role> {
    let roles = system.roles();
    match name {
        Some(name) => roles.iter().find(|role| role.name == name),
        None => {
            let mut others = roles.iter().filter(|role| role.name != "client");
            let only = others.next()?;
            others.next().is_none().then_some(only)
        }
    }
}

/// `"a..b"` as a half-open interval.
pub fn interval(text: &str) -> Option<(SimTime, SimTime)> {
    let (start, end) = text.split_once("..")?;
    let start = Measure::Duration.parse(start.trim()).ok()?;
    let end = Measure::Duration.parse(end.trim()).ok()?;
    (start < end).then_some((SimTime(start), SimTime(end)))
}

fn system_name(tree: &Table) -> Option<&str> {
    tree.get("system")?.as_text()
}

fn sim_time(tree: &Table) -> Option<Duration> {
    let text = tree.get("budget")?.table()?.get("sim_time")?.as_text()?;
    Measure::Duration.parse(text).ok().map(Duration)
}

fn phases(tree: &Table) -> Vec<Phase> {
    let entries = match tree.get("phases").and_then(|item| item.table()) {
        Some(table) => table.entries.as_slice(),
        None => &[],
    };
    let phase = |entry: &crate::syntax::tree::Entry| {
        let (start, end) = interval(entry.item.as_text()?)?;
        Some(Phase { name: entry.key.clone(), start, end })
    };
    entries.iter().filter_map(phase).collect()
}

fn ids(tree: &Table, key: &str) -> Vec<String> {
    let id = |table: &Table| table.get("id")?.as_text().map(str::to_owned);
    tree.tables(key).filter_map(|(_, table)| id(table)).collect()
}

fn sub_tables<'t>(tree: &'t Table, key: &str) -> impl Iterator<Item = (&'t str, &'t Table)> {
    let entries = match tree.get(key).and_then(|item| item.table()) {
        Some(table) => table.entries.as_slice(),
        None => &[],
    };
    let table =
        |entry: &'t crate::syntax::tree::Entry| Some((entry.key.as_str(), entry.item.table()?));
    entries.iter().filter_map(table)
}

/// The `count` of a group, 1 where it is absent or malformed.
fn count(table: &Table) -> u32 {
    match table.get("count").map(|item| &item.value) {
        Some(Value::Int(count)) => u32::try_from(*count).unwrap_or(1),
        _ => 1,
    }
}

fn used(table: &Table) -> Vec<String> {
    let Some(uses) = table.get("uses").and_then(|item| item.table()) else {
        return Vec::new();
    };
    let texts = uses.entries.iter().filter_map(|entry| entry.item.as_text());
    texts.map(str::to_owned).collect()
}

fn texts(table: &Table, key: &str) -> Vec<String> {
    let Some(Value::List(items)) = table.get(key).map(|item| &item.value) else {
        return Vec::new();
    };
    let texts = items.iter().filter_map(|item| item.as_text());
    texts.map(str::to_owned).collect()
}
