//! Selectors: the words that scenario files use for nodes, resolved when a fault fires.
//!
//! `h/1` (numbered from 1), `h/*`, `h/any`, `h/random(2)`, `h/minority`, `h/majority`, `zone:eu`,
//! `machine:m/2` (a machine and all that runs on it now), and the words that a system defines itself, such as `h/leader`.

use catalog::{Group, System};
use contract::{NodeId, Nodes, Rng};
use scenario::plan::{GroupPlan, Plan};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The nodes of a plan by name, and what its selectors mean.
pub struct Roster {
    plan: Rc<Plan>,
    /// Beside the groups of the plan.
    members: Vec<Vec<NodeId>>,
    /// By node id.
    names: Vec<String>,
    /// By node id: the position of its group.
    group_of: Vec<usize>,
}

/// A group and the ids of its nodes.
#[derive(Clone, Copy)]
pub struct Members<'a> {
    /// The group.
    pub plan: &'a GroupPlan,
    /// Its nodes by index.
    pub nodes: &'a [NodeId],
}

/// One drawing of lots per group: within one occurrence of a fault, `h/minority` and `h/majority`
/// are the two sides of the same draw.
pub type Lots = BTreeMap<String, Vec<NodeId>>;

impl Roster {
    /// Numbers the nodes of `plan` through, in the order of its groups.
    #[must_use]
    pub fn new(plan: Rc<Plan>) -> Self {
        let mut names = Vec::new();
        let mut members = Vec::new();
        let mut group_of = Vec::new();
        for (position, group) in plan.groups.iter().enumerate() {
            let first = names.len() as u32;
            members.push((first..first + group.count).map(NodeId).collect());
            names.extend((1..=group.count).map(|index| format!("{}/{index}", group.name)));
            group_of.resize(names.len(), position);
        }
        Self { plan, members, names, group_of }
    }

    /// The plan whose nodes these are.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The plan, shared.
    #[must_use]
    pub fn shared_plan(&self) -> Rc<Plan> {
        Rc::clone(&self.plan)
    }

    /// The name of a node: `h/2`.
    #[must_use]
    pub fn name(&self, node: NodeId) -> &str {
        &self.names[node.index()]
    }

    /// The names of all nodes, by id.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// All groups, in the order of the plan.
    pub fn groups(&self) -> impl Iterator<Item = Members<'_>> {
        let all = self.plan.groups.iter().zip(&self.members);
        all.map(|(plan, nodes)| Members { plan, nodes })
    }

    /// The group with the name.
    #[must_use]
    pub fn group(&self, name: &str) -> Option<Members<'_>> {
        self.groups().find(|group| group.plan.name == name)
    }

    /// The group that a node belongs to.
    #[must_use]
    pub fn group_of(&self, node: NodeId) -> Members<'_> {
        let position = self.group_of[node.index()];
        Members { plan: &self.plan.groups[position], nodes: &self.members[position] }
    }

    /// The systems of the world, each once, in the order of their first group.
    #[must_use]
    pub fn systems(&self) -> Vec<&'static dyn System> {
        let mut systems: Vec<&'static dyn System> = Vec::new();
        for group in &self.plan.groups {
            if !systems.iter().any(|system| system.name() == group.system.name()) {
                systems.push(group.system);
            }
        }
        systems
    }

    /// The groups of one system, as it sees them.
    #[must_use]
    pub fn groups_of(&self, system: &str) -> Vec<Group> {
        let mine = self.groups().filter(|group| group.plan.system.name() == system);
        let group = |group: Members<'_>| Group {
            name: group.plan.name.clone(),
            role: group.plan.role,
            nodes: group.nodes.to_vec(),
            defects: group.plan.defects.clone(),
        };
        mine.map(group).collect()
    }

    /// The nodes that `selector` means now, each once. Empty when it means nobody; the compiler
    /// has refused selectors that can never mean anybody.
    pub fn select(
        &self,
        selector: &str,
        nodes: &dyn Nodes,
        lots: &mut Lots,
        rng: &mut Rng,
    ) -> Vec<NodeId> {
        if let Some(zone) = selector.strip_prefix("zone:") {
            return self.in_zone(zone);
        }
        if let Some(machines) = selector.strip_prefix("machine:") {
            let machines = self.select(machines, nodes, lots, rng);
            let is_there = |node: &NodeId| {
                let machine = nodes.machine(*node).unwrap_or(*node);
                machines.contains(&machine)
            };
            return (0..self.names.len() as u32).map(NodeId).filter(is_there).collect();
        }
        let Some((group, word)) = selector.split_once('/') else {
            return self.group(selector).map_or_else(Vec::new, |group| group.nodes.to_vec());
        };
        let Some(group) = self.group(group) else { return Vec::new() };
        let count = group.nodes.len();
        match word {
            "*" => group.nodes.to_vec(),
            "any" => draw(group, 1.min(count), lots, rng),
            "minority" => draw(group, count.saturating_sub(1) / 2, lots, rng),
            "majority" => {
                let minority = draw(group, count.saturating_sub(1) / 2, lots, rng);
                group.nodes.iter().copied().filter(|node| !minority.contains(node)).collect()
            }
            _ => {
                if let Ok(index) = word.parse::<usize>() {
                    return index
                        .checked_sub(1)
                        .and_then(|i| group.nodes.get(i))
                        .copied()
                        .into_iter()
                        .collect();
                }
                if let Some(drawn) = random_count(word) {
                    return draw(group, drawn.min(count), lots, rng);
                }
                group.plan.system.select(word, group.nodes, nodes)
            }
        }
    }

    fn in_zone(&self, zone: &str) -> Vec<NodeId> {
        let mut found = Vec::new();
        for group in self.groups() {
            let zones = &group.plan.zones;
            if zones.is_empty() {
                continue;
            }
            let here = |index: &usize| zones[index % zones.len()] == zone;
            found.extend((0..group.nodes.len()).filter(here).map(|index| group.nodes[index]));
        }
        found
    }
}

/// The `n` of `random(n)`.
fn random_count(word: &str) -> Option<usize> {
    word.strip_prefix("random(")?.strip_suffix(')')?.trim().parse().ok()
}

/// The first `count` of the group's lots, in the order of their ids.
fn draw(group: Members<'_>, count: usize, lots: &mut Lots, rng: &mut Rng) -> Vec<NodeId> {
    let order = lots.entry(group.plan.name.clone()).or_insert_with(|| {
        let mut order = group.nodes.to_vec();
        rng.shuffle(&mut order);
        order
    });
    let mut drawn = order[..count].to_vec();
    drawn.sort_unstable();
    drawn
}
