//! Making a world from a plan: node specifications for the engine, and seats for the systems.

use crate::select::{Lots, Members, Roster};
use catalog::{Preload, Seat, Settings};
use contract::{Domain, Fx, Node, NodeId, Nodes, Now, Refused, Rng};
use engine::{Boot, Boots, Config, NoStart, NodeSpec, Pin, Ties};
use scenario::plan::{GroupPlan, Plan};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Boots the nodes of a plan.
pub struct Seats {
    roster: Rc<Roster>,
    /// By node id.
    seats: Vec<Prepared>,
}

/// What does not change between the boots of one node.
struct Prepared {
    index: u32,
    uses: Rc<BTreeMap<String, Vec<NodeId>>>,
    /// Shared by all nodes of the group that hold the same.
    preload: Rc<[Preload]>,
}

impl Seats {
    /// Prepares the seats of all nodes.
    #[must_use]
    pub fn new(roster: Rc<Roster>) -> Self {
        let mut seats = Vec::new();
        for group in roster.groups() {
            let uses = Rc::new(uses(&roster, group.plan));
            let preloads = preloads(&roster, group);
            assert_eq!(preloads.len(), group.nodes.len(), "one for each node");
            for (index, preload) in (0..).zip(preloads) {
                seats.push(Prepared { index, uses: Rc::clone(&uses), preload });
            }
        }
        assert_eq!(seats.len(), roster.names().len(), "a seat for each node");
        Self { roster, seats }
    }
}

impl Boot for Seats {
    fn boot(
        &self,
        node: NodeId,
        boot: u32,
        now: Now,
        fx: &mut Fx<'_>,
    ) -> Result<Box<dyn Node>, Refused> {
        let settings = &self.roster.group_of(node).plan.settings;
        self.boot_with(node, boot, None, settings, now, fx)
    }

    fn place(
        &self,
        machine: NodeId,
        role: &str,
        given: &[u8],
        free: &[NodeId],
        nodes: &dyn Nodes,
    ) -> Result<NodeId, NoStart> {
        let home = self.roster.group_of(machine).plan;
        let is_hosted = |group: &GroupPlan| group.on.as_ref() == Some(&home.name);
        let does = |group: &GroupPlan| is_hosted(group) && group.role == role;
        let Some(hosted) = self.roster.groups().find(|group| does(group.plan)) else {
            return Err(nowhere(home, role));
        };
        // What is wrong with the settings is wrong whether there is room or not.
        overridden(hosted.plan, given).map_err(NoStart::Mistake)?;
        let fits = |seat: &NodeId| does(self.roster.group_of(*seat).plan);
        let free: Vec<NodeId> = free.iter().copied().filter(fits).collect();
        let placed = if free.is_empty() {
            None
        } else {
            home.system.place(machine, hosted.plan.role, &free, nodes)
        };
        let seat = placed.ok_or(NoStart::NoSeat)?;
        assert!(free.contains(&seat), "a system places a node on one of the free seats");
        overridden(self.roster.group_of(seat).plan, given).map_err(NoStart::Mistake)?;
        Ok(seat)
    }

    fn boot_started(
        &self,
        node: NodeId,
        boot: u32,
        machine: NodeId,
        given: &[u8],
        now: Now,
        fx: &mut Fx<'_>,
    ) -> Result<Box<dyn Node>, Refused> {
        let settings = overridden(self.roster.group_of(node).plan, given);
        let settings = settings.expect("they were read when the seat was chosen");
        self.boot_with(node, boot, Some(machine), &settings, now, fx)
    }
}

/// Why no group that runs on machines of the group `home` has the role.
fn nowhere(home: &GroupPlan, role: &str) -> NoStart {
    if home.system.roles().iter().any(|known| known.name == role) {
        return NoStart::NoSeat;
    }
    NoStart::Mistake(format!("it starts a node of the role `{role}`, which its system has not"))
}

/// The settings of a group with what a machine gave in their place.
fn overridden(group: &GroupPlan, given: &[u8]) -> Result<Settings, String> {
    let role = group.system.roles().iter().find(|role| role.name == group.role);
    let role = role.expect("the role of a group is one of its system's");
    let wrong = |why: String| format!("it starts a node of the role `{}`, and {why}", role.name);
    let settings = catalog::overridden(&group.settings, role, given).map_err(wrong)?;
    let broken = group.system.relations(role.name, &settings, group.clock.drift_max);
    match broken.first() {
        Some(relation) => Err(wrong(format!("`{}` {}", relation.setting, relation.detail))),
        None => Ok(settings),
    }
}

impl Seats {
    fn boot_with(
        &self,
        node: NodeId,
        boot: u32,
        machine: Option<NodeId>,
        settings: &Settings,
        now: Now,
        fx: &mut Fx<'_>,
    ) -> Result<Box<dyn Node>, Refused> {
        let group = self.roster.group_of(node);
        let seat = &self.seats[node.index()];
        let seat = Seat {
            node,
            name: self.roster.name(node),
            machine,
            index: seat.index,
            boot,
            role: group.plan.role,
            group: group.nodes,
            uses: &seat.uses,
            settings,
            defects: &group.plan.defects,
            drift_max: group.plan.clock.drift_max,
            preload: &seat.preload,
        };
        group.plan.system.boot(&seat, now, fx)
    }
}

/// What the engine needs to know of a plan.
#[must_use]
pub fn config(roster: &Roster) -> Config {
    let plan = roster.plan();
    let mut nodes = Vec::with_capacity(roster.names().len());
    for group in roster.groups() {
        let clocks = &group.plan.clock.nodes;
        assert_eq!(clocks.len(), group.nodes.len(), "the compiler gives each node its clocks");
        for (node, clock) in group.nodes.iter().zip(clocks) {
            assert_eq!(node.index(), nodes.len(), "nodes are numbered through the groups");
            nodes.push(NodeSpec {
                name: roster.name(*node).to_owned(),
                clock: *clock,
                memory_limit: group.plan.memory_limit,
                disk: group.plan.disk.clone(),
                boots: boots(group.plan),
            });
        }
    }
    Config {
        seed: plan.seed,
        nodes,
        link: plan.link.clone(),
        links: links(roster),
        ties: if plan.ties_explore { Ties::Explore } else { Ties::Canonical },
        events_max: plan.budget.events,
        pins: pins(roster),
    }
}

/// How the nodes of a group come to life.
fn boots(group: &GroupPlan) -> Boots {
    if group.on.is_none() {
        return Boots::WithWorld;
    }
    let role = group.system.roles().iter().find(|role| role.name == group.role);
    let durable = role.is_some_and(|role| role.durable);
    Boots::WhenStarted { durable }
}

/// Links with a law of their own, a later one replacing an earlier one.
fn links(roster: &Roster) -> Vec<(NodeId, NodeId, engine::LinkSpec)> {
    let mut links = BTreeMap::new();
    for (from, to, spec) in &roster.plan().links {
        for from in fixed(roster, from) {
            for to in fixed(roster, to) {
                if from != to {
                    links.insert((from, to), spec.clone());
                }
            }
        }
    }
    links.into_iter().map(|((from, to), spec)| (from, to, spec)).collect()
}

/// The plan's pins, by node.
fn pins(roster: &Roster) -> Vec<(NodeId, NodeId, u64, Pin)> {
    let node = |name: &str| roster.names().iter().position(|other| other == name);
    let id = |name: &str| NodeId(node(name).expect("the compiler knows the nodes") as u32);
    let pins = roster.plan().pins.iter();
    pins.map(|pin| (id(&pin.from), id(&pin.to), pin.n, pin.pin)).collect()
}

/// Which nodes each `uses` (or `target`) means. They are the whole group: which member a node
/// prefers is its own business.
fn uses(roster: &Roster, group: &GroupPlan) -> BTreeMap<String, Vec<NodeId>> {
    let nodes = |selector: &str| {
        let fixed = selector.replace("/any", "/*");
        self::fixed(roster, &fixed)
    };
    group.uses.iter().map(|(key, selector)| (key.clone(), nodes(selector))).collect()
}

/// What each node of a group holds from the start, by index.
fn preloads(roster: &Roster, group: Members<'_>) -> Vec<Rc<[Preload]>> {
    let into = |into: &str| {
        // Every replica holds what any of them does: it is installed as if from a snapshot.
        let all = format!("{}/*", group.plan.name);
        fixed(roster, if into.starts_with("zone:") { into } else { &all })
    };
    let tables = group.plan.preload.iter();
    let tables: Vec<_> = tables.map(|(selector, entries)| (into(selector), entries)).collect();
    // By which of the tables a node holds: alike nodes share one copy.
    let mut shared: BTreeMap<Vec<bool>, Rc<[Preload]>> = BTreeMap::new();
    let of = |node: &NodeId| {
        let held: Vec<bool> = tables.iter().map(|(nodes, _)| nodes.contains(node)).collect();
        let entries = || {
            let held = tables.iter().zip(&held).filter(|(_, held)| **held);
            held.flat_map(|((_, entries), _)| entries.iter().copied()).collect()
        };
        Rc::clone(shared.entry(held.clone()).or_insert_with(entries))
    };
    group.nodes.iter().map(of).collect()
}

/// The nodes of a selector that does not depend on the state of the world.
fn fixed(roster: &Roster, selector: &str) -> Vec<NodeId> {
    let mut rng = Rng::new(roster.plan().seed, Domain::Swarm, selector);
    roster.select(selector, &Nobody, &mut Lots::new(), &mut rng)
}

/// A world in which nobody is up yet.
struct Nobody;

impl Nodes for Nobody {
    fn count(&self) -> usize {
        0
    }
    fn node(&self, _: NodeId) -> Option<&dyn Node> {
        None
    }
    fn boot(&self, _: NodeId) -> u32 {
        0
    }
}

/// The seed and name under which `plan` runs, for messages: `hyperion/crash@7-flawed`.
#[must_use]
pub fn token(plan: &Plan) -> String {
    let mut token = format!("{}@{}", plan.name, plan.seed);
    if let Some(variant) = &plan.variant {
        token.push('-');
        token.push_str(variant);
    }
    if !plan.overrides.is_empty() {
        let all = plan.overrides.join("\n");
        let hash = contract::hash::hash_bytes(all.as_bytes()) as u32;
        token.push_str(&format!("+{hash:08x}"));
    }
    token
}
