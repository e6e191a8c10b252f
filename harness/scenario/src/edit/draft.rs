//! A scenario under the knife: the tree of a plan's document, edited by `shrink` and `cause` and
//! compiled again for each trial. What does not compile is no trial.

use crate::Lab;
use crate::Scenario;
use crate::edit::paths;
use crate::plan::{OpPlan, Plan};
use crate::read::context::Context;
use crate::read::ops;
use crate::read::reading;
use crate::syntax::document;
use crate::syntax::formatter::tidied;
use crate::syntax::tree::{Item, Span, Table, Value};
use crate::syntax::units::Measure;
use crate::vocabulary::symbols::Names;
use crate::vocabulary::words;
use contract::Duration;
use contract::hash::{hash_bytes, mix};
use std::collections::{BTreeMap, BTreeSet};

/// A scenario of one run that can be edited.
#[derive(Clone)]
pub struct Draft {
    tree: Table,
    seed: u64,
}

/// Tables whose single fields a run may do without.
const SETTINGS: &[&str] = &["tuning", "net", "disk", "clock", "memory", "preload"];

/// Chances of the network, which pinned messages can stand in for.
pub const CHANCES: [&str; 5] =
    ["net.loss", "net.duplicate", "net.reorder", "net.reorder_extra", "net.corrupt"];

impl Draft {
    /// The scenario without its variants, under `seed`.
    #[must_use]
    pub fn of(scenario: &Scenario, seed: u64) -> Self {
        let mut tree = scenario.tree.clone();
        tree.remove("variant");
        Self { tree, seed }
    }

    pub(crate) const fn tree(&self) -> &Table {
        &self.tree
    }

    pub(crate) const fn tree_mut(&mut self) -> &mut Table {
        &mut self.tree
    }

    /// The plan that it says; `None` when something is wrong with it. The plan has no document.
    #[must_use]
    pub fn plan(&self, lab: &Lab<'_>) -> Option<Plan> {
        let mut cx = Context::new(lab, Names::collect(&self.tree, lab), self.seed, &[]);
        cx.expand = true;
        reading::read(&mut cx, &self.tree).plan
    }

    /// The text of the file, below `header`, whose lines become comments.
    #[must_use]
    pub fn document(&self, header: &str) -> String {
        let comment: String = header
            .lines()
            .map(|line| if line.is_empty() { "#\n".to_owned() } else { format!("# {line}\n") })
            .collect();
        let text = format!("{comment}{}", document::write(&self.tree));
        tidied(&text).expect("what is written here is TOML")
    }

    /// A hash of what it says; equal drafts are equal trials.
    #[must_use]
    pub fn hash(&self) -> u64 {
        hash_table(self.seed, &self.tree)
    }

    /// The ids of a list: `fault`, `check`, `cover`.
    #[must_use]
    pub fn ids(&self, list: &str) -> Vec<String> {
        let id = |table: &Table| table.get("id")?.as_text().map(str::to_owned);
        self.tree.tables(list).filter_map(|(_, table)| id(table)).collect()
    }

    /// Keeps the items of a list whose id `keeps` selects.
    pub fn keep(&mut self, list: &str, keeps: impl Fn(&str) -> bool) {
        let Some(Value::List(items)) = self.tree.get_mut(list).map(|item| &mut item.value) else {
            return;
        };
        items.retain(|item| {
            let id = item.table().and_then(|table| table.get("id")).and_then(Item::as_text);
            id.is_some_and(&keeps)
        });
        if items.is_empty() {
            self.tree.remove(list);
        }
    }

    /// Puts `items` in the place of the item `id` of a list.
    pub(crate) fn replace(&mut self, list: &str, id: &str, items: Vec<Item>) {
        let Some(Value::List(all)) = self.tree.get_mut(list).map(|item| &mut item.value) else {
            return;
        };
        let is_it = |item: &Item| {
            item.table().and_then(|table| table.get("id")).and_then(Item::as_text) == Some(id)
        };
        if let Some(at) = all.iter().position(is_it) {
            all.splice(at..=at, items);
        }
    }

    /// The table of an item of a list.
    pub(crate) fn item(&self, list: &str, id: &str) -> Option<&Table> {
        let mut tables = self.tree.tables(list).map(|(_, table)| table);
        tables.find(|table| table.get("id").and_then(Item::as_text) == Some(id))
    }

    /// Takes a path away, and the table around it when nothing is left in it.
    pub fn remove(&mut self, path: &str) {
        paths::remove(&mut self.tree, path);
    }

    /// Whether the path is there.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        paths::get(&self.tree, path).is_some()
    }

    /// Whether the network loses, doubles, reorders or damages messages by chance.
    #[must_use]
    pub fn is_rough(&self) -> bool {
        CHANCES.iter().any(|path| self.has(path))
    }

    /// The text at a path of the top level or below.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        paths::get(&self.tree, path)?.as_text()
    }

    /// The texts of a list.
    #[must_use]
    pub fn texts(&self, path: &str) -> Vec<String> {
        let Some(Value::List(items)) = paths::get(&self.tree, path).map(|item| &item.value) else {
            return Vec::new();
        };
        items.iter().filter_map(|item| item.as_text().map(str::to_owned)).collect()
    }

    /// The length of time at a path; `None` where something else stands.
    #[must_use]
    pub fn duration(&self, path: &str) -> Option<Duration> {
        Measure::Duration.parse(self.text(path)?).ok().map(Duration)
    }

    /// Sets a text.
    pub fn set_text(&mut self, path: &str, text: &str) {
        self.put(path, Item::text(Span::default(), text));
    }

    /// Sets a list of texts.
    pub fn set_texts(&mut self, path: &str, texts: &[String]) {
        let items = texts.iter().map(|text| Item::text(Span::default(), text)).collect();
        self.put(path, Item { span: Span::default(), value: Value::List(items) });
    }

    /// Sets a count.
    pub fn set_count(&mut self, path: &str, count: u64) {
        self.put(path, Item::quantity(Span::default(), Measure::Count, count));
    }

    /// Sets a length of time.
    pub fn set_duration(&mut self, path: &str, length: Duration) {
        self.put(path, Item::quantity(Span::default(), Measure::Duration, length.0));
    }

    fn put(&mut self, path: &str, item: Item) {
        match path.split_once('.') {
            // Also what an edit by hand may not touch: the name.
            None => self.tree.set(path, Span::default(), item),
            Some((first, key)) if first == "minimal" => {
                let empty = Value::Table(Table::default());
                if self.tree.get(first).is_none() {
                    self.tree.set(
                        first,
                        Span::default(),
                        Item { span: Span::default(), value: empty },
                    );
                }
                if let Some(Value::Table(table)) = self.tree.get_mut(first).map(|i| &mut i.value) {
                    table.set(key, Span::default(), item);
                }
            }
            Some(_) => {
                let set = paths::set(&mut self.tree, path, Span::default(), item);
                set.expect("only paths that are there are set");
            }
        }
    }

    /// The groups of a table (`nodes`, `clients`) with their counts.
    #[must_use]
    pub fn groups(&self, table: &str) -> Vec<(String, u64)> {
        let Some(groups) = self.tree.get(table).and_then(Item::table) else { return Vec::new() };
        let count = |table: &Table| match table.get("count").map(|item| &item.value) {
            Some(Value::Int(count)) => u64::try_from(*count).unwrap_or(1),
            _ => 1,
        };
        let group = |entry: &crate::syntax::tree::Entry| {
            Some((entry.key.clone(), count(entry.item.table()?)))
        };
        groups.entries.iter().filter_map(group).collect()
    }

    /// The paths of single settings that a run may do without, in the order of the file.
    #[must_use]
    pub fn settings(&self) -> Vec<String> {
        let mut found = Vec::new();
        for key in words::TOP.iter().filter(|key| SETTINGS.contains(key)) {
            match self.tree.get(key).map(|item| &item.value) {
                Some(Value::Table(table)) if *key == "net" => {
                    found.extend(table.entries.iter().map(|entry| format!("net.{}", entry.key)));
                }
                Some(Value::Table(groups)) => {
                    for group in groups.entries.iter() {
                        let Some(table) = group.item.table() else { continue };
                        let path = |field: &crate::syntax::tree::Entry| {
                            format!("{key}.{}.{}", group.key, field.key)
                        };
                        found.extend(table.entries.iter().map(path));
                    }
                }
                Some(Value::List(items)) => {
                    found.extend((1..=items.len()).rev().map(|n| format!("{key}.{n}")));
                }
                _ => {}
            }
        }
        found
    }

    /// The paths of all lengths of time and instants that a person would rather see round: the
    /// end, the faults, and operations from the `ops` on.
    #[must_use]
    pub fn times(&self) -> Vec<String> {
        let mut paths = vec!["budget.sim_time".to_owned()];
        for id in self.ids("fault") {
            paths.extend(["at", "plus", "for"].map(|key| format!("fault.{id}.{key}")));
        }
        paths.extend((1..=self.ops()).map(|n| format!("op.{n}.at")));
        paths.retain(|path| self.duration(path).is_some());
        paths
    }

    /// How many operations are listed.
    #[must_use]
    pub fn ops(&self) -> usize {
        self.tree.tables("op").count()
    }

    /// The clients of the listed operations, in their order.
    #[must_use]
    pub fn op_clients(&self) -> Vec<String> {
        let client = |table: &Table| table.get("client")?.as_text().map(str::to_owned);
        self.tree.tables("op").filter_map(|(_, table)| client(table)).collect()
    }

    /// The keys of the listed operations, in their order; `None` for those that have none.
    #[must_use]
    pub fn op_keys(&self) -> Vec<Option<u64>> {
        let key = |table: &Table| match table.get("key").map(|item| &item.value) {
            Some(Value::Int(key)) => u64::try_from(*key).ok(),
            _ => None,
        };
        self.tree.tables("op").map(|(_, table)| key(table)).collect()
    }

    /// Lists operations in place of the loads of `by_group`. Groups without one are taken away.
    pub fn set_ops(&mut self, by_group: &BTreeMap<String, Vec<OpPlan>>) {
        let mut all: Vec<(&OpPlan, Item)> = Vec::new();
        for (group, found) in by_group {
            all.extend(found.iter().map(|op| (op, ops::write(group, op))));
        }
        // Ties by client and value, so that the order does not depend on that of the groups alone.
        all.sort_by_key(|(op, _)| (op.at, op.value, op.client));
        let items: Vec<Item> = all.into_iter().map(|(_, item)| item).collect();
        let value = Value::List(items);
        self.tree.set("op", Span::default(), Item { span: Span::default(), value });
        for (group, _) in self.groups("clients") {
            for field in crate::read::load::DRAWN {
                self.remove(&format!("clients.{group}.{field}"));
            }
        }
        self.tidy_clients();
    }

    /// Keeps the operations whose positions `keeps` selects.
    pub fn keep_ops(&mut self, keeps: impl Fn(usize) -> bool) {
        if let Some(Value::List(items)) = self.tree.get_mut("op").map(|item| &mut item.value) {
            let mut position = 0;
            items.retain(|_| {
                position += 1;
                keeps(position - 1)
            });
        }
        self.tidy_clients();
    }

    /// Lets `client` ask for what `from` asked for: for each pair, everywhere.
    pub fn rename_clients(&mut self, names: &BTreeMap<String, String>) {
        let Some(Value::List(items)) = self.tree.get_mut("op").map(|item| &mut item.value) else {
            return;
        };
        for item in items {
            let Value::Table(table) = &mut item.value else { continue };
            let Some(client) = table.get_mut("client") else { continue };
            if let Some(new) = client.as_text().and_then(|old| names.get(old)) {
                *client = Item::text(Span::default(), new);
            }
        }
    }

    /// Takes away groups of clients that are asked for nothing, where operations are listed.
    fn tidy_clients(&mut self) {
        let busy: BTreeSet<String> = ops::groups(&self.tree);
        let idle = self.groups("clients").into_iter().map(|(group, _)| group);
        let idle: Vec<String> = idle.filter(|group| !busy.contains(group)).collect();
        for group in idle {
            for table in ["clients", "tuning", "clock"] {
                self.remove(&format!("{table}.{group}"));
            }
        }
        if self.ops() == 0 {
            self.tree.remove("op");
        }
    }
}

fn hash_table(seed: u64, table: &Table) -> u64 {
    table.entries.iter().fold(seed, |hash, entry| {
        mix(mix(hash, hash_bytes(entry.key.as_bytes())), hash_item(&entry.item))
    })
}

fn hash_item(item: &Item) -> u64 {
    match &item.value {
        Value::Text(text) => mix(1, hash_bytes(text.as_bytes())),
        Value::Int(number) => mix(2, hash_bytes(&number.to_le_bytes())),
        Value::Float(text) => mix(3, hash_bytes(text.as_bytes())),
        Value::Bool(bool) => mix(4, u64::from(*bool)),
        Value::Date => 5,
        Value::List(items) => items.iter().fold(6, |hash, item| mix(hash, hash_item(item))),
        Value::Table(table) => hash_table(7, table),
    }
}
