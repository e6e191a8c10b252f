//! Edits of a draft that concern several places at once: a node with whatever names it, the members
//! of the sides of a partition, distributions that become constants, the numbers of values.

use crate::edit::draft::Draft;
use crate::edit::paths;
use crate::plan::PinPlan;
use crate::read::dist;
use crate::syntax::tree::{Item, Span, Table, Value};
use crate::syntax::units::Measure;
use std::collections::BTreeMap;

impl Draft {
    /// Pins these messages, and no others.
    pub fn set_pins(&mut self, pins: &[PinPlan]) {
        self.tree_mut().remove("pin");
        if !pins.is_empty() {
            let value = Value::List(pins.iter().map(crate::read::pins::write).collect());
            self.tree_mut().set("pin", Span::default(), Item { span: Span::default(), value });
        }
    }

    /// Takes the last node of a group away: from the sides of partitions and from lists of one
    /// value per node too, and with it the faults that are on it alone.
    pub fn drop_node(&mut self, group: &str) {
        let groups = self.groups("nodes");
        let count = groups.iter().find(|(name, _)| name == group).map_or(0, |(_, count)| *count);
        if count < 2 {
            return;
        }
        let name = format!("{group}/{count}");
        self.set_count(&format!("nodes.{group}.count"), count - 1);
        for id in self.ids("fault") {
            let is_it = |path: String| {
                let text = self.text(&path);
                text.is_some_and(|text| text.strip_prefix("machine:").unwrap_or(text) == name)
            };
            let alone = ["node", "link.from", "link.to"];
            if alone.into_iter().any(|field| is_it(format!("fault.{id}.{field}"))) {
                self.keep("fault", |other| other != id);
            }
        }
        for (fault, side, member) in self.members() {
            if member.strip_prefix("machine:").unwrap_or(&member) == name {
                self.remove_member(&fault, side, &member);
            }
        }
        for table in ["tuning", "clock"] {
            self.shorten_lists(&format!("{table}.{group}"), count);
        }
    }

    /// Lists of one value per node lose the last.
    fn shorten_lists(&mut self, path: &str, count: u64) {
        let Some(Value::Table(table)) = paths::get_mut(self.tree_mut(), path).map(|i| &mut i.value)
        else {
            return;
        };
        for entry in table.entries_mut() {
            if let Value::List(items) = &mut entry.item.value
                && items.len() as u64 == count
            {
                items.pop();
            }
        }
    }

    /// The members of the sides of all partitions: (fault, side from 1, selector).
    #[must_use]
    pub fn members(&self) -> Vec<(String, usize, String)> {
        let mut found = Vec::new();
        for id in self.ids("fault") {
            for side in 1.. {
                let path = format!("fault.{id}.sides.{side}");
                if !self.has(&path) {
                    break;
                }
                let members = self.texts(&path).into_iter();
                found.extend(members.map(|member| (id.clone(), side, member)));
            }
        }
        found
    }

    /// On what a fault is, as it stands in the file: `h/1 | h/2, h/3`.
    #[must_use]
    pub fn victims(&self, fault: &str) -> String {
        let text = |field: &str| self.text(&format!("fault.{fault}.{field}"));
        if let Some(node) = text("node") {
            return node.to_owned();
        }
        if let (Some(from), Some(to)) = (text("link.from"), text("link.to")) {
            return format!("{from} > {to}");
        }
        let sides = (1..).map(|side| self.texts(&format!("fault.{fault}.sides.{side}")));
        let sides: Vec<String> =
            sides.take_while(|side| !side.is_empty()).map(|side| side.join(", ")).collect();
        sides.join(" | ")
    }

    /// Takes a member out of a side.
    pub fn remove_member(&mut self, fault: &str, side: usize, member: &str) {
        let path = format!("fault.{fault}.sides.{side}");
        let left: Vec<String> =
            self.texts(&path).into_iter().filter(|other| other != member).collect();
        if !left.is_empty() {
            self.set_texts(&path, &left);
        }
    }

    /// Writes `g/*` where a side lists all members of a group.
    pub fn name_whole_groups(&mut self) {
        let groups: Vec<(String, u64)> =
            [self.groups("nodes"), self.groups("clients")].into_iter().flatten().collect();
        let mut sides: Vec<(String, usize)> =
            self.members().into_iter().map(|(fault, side, _)| (fault, side)).collect();
        sides.dedup();
        for (fault, side) in sides {
            let path = format!("fault.{fault}.sides.{side}");
            let mut members = self.texts(&path);
            for (group, count) in groups.iter().filter(|(_, count)| *count > 1) {
                let all: Vec<String> = (1..=*count).map(|n| format!("{group}/{n}")).collect();
                if all.iter().all(|one| members.contains(one)) {
                    members.retain(|member| !all.contains(member));
                    members.push(format!("{group}/*"));
                }
            }
            self.set_texts(&path, &members);
        }
    }

    /// The paths of settings that are drawn, each with the constant that is nearest to it: the
    /// middle in whole milliseconds.
    #[must_use]
    pub fn constants(&self) -> Vec<(String, String)> {
        let constant = |path: String| {
            let item = paths::get(self.tree(), &path)?;
            let middle = middle(item)?;
            Some((path, Measure::Duration.show(middle)))
        };
        self.settings().into_iter().filter_map(constant).collect()
    }

    /// Numbers the values that operations write from 1 on, in the order of the file.
    pub fn number_values(&mut self) {
        let mut numbers: BTreeMap<i128, i128> = BTreeMap::new();
        self.each_op(|op| {
            if let Some(Value::Int(value)) = op.get("value").map(|item| &item.value) {
                let next = numbers.len() as i128 + 1;
                numbers.insert(*value, next);
            }
        });
        // Values that nobody writes any more are beyond those that somebody writes.
        let mut beyond = numbers.len() as i128;
        self.each_op(|op| {
            for key in ["value", "expect"] {
                let Some(item) = op.get_mut(key) else { continue };
                let Value::Int(old) = item.value else { continue };
                let new = *numbers.entry(old).or_insert_with(|| {
                    beyond += 1;
                    beyond
                });
                item.value = Value::Int(new);
            }
        });
    }

    fn each_op(&mut self, mut edit: impl FnMut(&mut Table)) {
        let Some(Value::List(items)) = self.tree_mut().get_mut("op").map(|item| &mut item.value)
        else {
            return;
        };
        for item in items {
            if let Value::Table(table) = &mut item.value {
                edit(table);
            }
        }
    }

    /// Puts the operations in the order of time; those of one instant keep theirs.
    pub fn sort_ops(&mut self) {
        let at = |item: &Item| {
            let at = item.table().and_then(|table| table.get("at")).and_then(Item::as_text);
            at.and_then(|at| Measure::Duration.parse(at).ok())
        };
        if let Some(Value::List(items)) = self.tree_mut().get_mut("op").map(|item| &mut item.value)
        {
            items.sort_by_key(at);
        }
    }

    /// Puts a constant where a distribution stood.
    pub fn set_constant(&mut self, path: &str, constant: &str) {
        if let Some(item) = paths::get_mut(self.tree_mut(), path) {
            *item = Item::text(Span::default(), constant);
        }
    }
}

/// The middle of a distribution of times, in nanoseconds, whole milliseconds from one on.
fn middle(item: &Item) -> Option<u64> {
    if !dist::is_dist(item) {
        return None;
    }
    let table = item.table()?;
    let time = |key: &str| Measure::Duration.parse(table.get(key)?.as_text()?).ok();
    let middle = match (time("min"), time("max"), time("mean"), time("median")) {
        (_, _, Some(mean), _) => mean,
        (_, _, _, Some(median)) => median,
        (Some(min), Some(max), ..) => min.midpoint(max),
        _ => return None,
    };
    let millisecond = 1_000_000;
    Some(if middle < millisecond { middle } else { middle / millisecond * millisecond })
}
