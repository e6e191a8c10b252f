//! Two protocols in one node, in systems whose tables put them in other orders: marks, gauges,
//! predicates, defects and properties arrive under the right names.

mod probe;
mod toy;

use catalog::{Group, Invariant, Seat, Settings, System, Violation};
use contract::{
    Condition, DiskFate, Dist, Fx, Mark, Node, NodeId, Nodes, Now, Ratio, Refused, SimTime,
};
use engine::{
    Boot, Config, Control, DiskSpec, Engine, Idle, LinkSpec, NodeSpec, Observer, Stopped, Ties,
};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use toy::{COUNCIL, Toy, WATCHMEN};

/// Three members and a bystander.
const MEMBERS: [NodeId; 3] = [NodeId(0), NodeId(1), NodeId(2)];
const BYSTANDERS: [NodeId; 1] = [NodeId(3)];

struct Lab(&'static Toy, Vec<&'static str>);

impl Boot for Lab {
    fn boot(
        &self,
        node: NodeId,
        boot: u32,
        now: Now,
        fx: &mut Fx<'_>,
    ) -> Result<Box<dyn Node>, Refused> {
        let is_member = MEMBERS.contains(&node);
        let seat = Seat {
            node,
            name: "toy",
            machine: None,
            index: if is_member { node.0 } else { 0 },
            boot,
            role: if is_member { "member" } else { "bystander" },
            group: if is_member { &MEMBERS } else { &BYSTANDERS },
            uses: &BTreeMap::new(),
            settings: &Settings::default(),
            defects: &self.1,
            drift_max: Ratio::new(1, 100),
            preload: &[],
        };
        self.0.boot(&seat, now, fx)
    }
}

#[derive(Default)]
struct Watch {
    invariants: Vec<Box<dyn Invariant>>,
    violations: Vec<Violation>,
    marks: Vec<(NodeId, Mark)>,
}

impl Clone for Watch {
    fn clone(&self) -> Self {
        Self {
            invariants: self.invariants.iter().map(|invariant| invariant.fork()).collect(),
            violations: self.violations.clone(),
            marks: self.marks.clone(),
        }
    }
}

impl Observer for Watch {
    fn on_mark(&mut self, _: SimTime, node: NodeId, mark: Mark, _: &dyn Nodes) -> Control {
        self.marks.push((node, mark));
        Control::Continue
    }

    fn after_event(&mut self, at: SimTime, touched: NodeId, nodes: &dyn Nodes) -> Control {
        for invariant in &mut self.invariants {
            self.violations.extend(invariant.after_event(at, touched, nodes).err());
        }
        Control::Continue
    }
}

struct World {
    toy: &'static Toy,
    engine: Engine<Watch>,
}

impl World {
    fn new(toy: &'static Toy, defects: &[&'static str]) -> Self {
        let group = |name: &str, role, nodes: &[NodeId]| Group {
            name: name.to_owned(),
            role,
            nodes: nodes.to_vec(),
            defects: defects.to_vec(),
        };
        let groups = [group("m", "member", &MEMBERS), group("b", "bystander", &BYSTANDERS)];
        let spec = |name: &str| NodeSpec {
            name: name.to_owned(),
            disk: DiskSpec {
                sync: Dist::Uniform { min: 100_000, max: 1_000_000 },
                ..DiskSpec::default()
            },
            ..NodeSpec::default()
        };
        let link = LinkSpec {
            latency: Dist::Uniform { min: 1_000_000, max: 4_000_000 },
            ..LinkSpec::default()
        };
        let config = Config {
            seed: 7,
            nodes: ["m/1", "m/2", "m/3", "b/1"].into_iter().map(spec).collect(),
            link,
            links: Vec::new(),
            ties: Ties::Canonical,
            events_max: u64::MAX,
            pins: Vec::new(),
        };
        let watch = Watch { invariants: toy.invariants(&groups), ..Watch::default() };
        let lab = Rc::new(Lab(toy, defects.to_vec()));
        Self { toy, engine: Engine::new(config, lab, Box::new(Idle), watch) }
    }

    fn run_to(&mut self, at_ms: u64) {
        let stopped = self.engine.run_until(SimTime(at_ms * 1_000_000));
        assert!(!matches!(stopped, Stopped::Stuck | Stopped::Budget), "{stopped:?}");
    }

    /// How often each event was marked, by the name that the system's table gives it.
    fn marks(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for (_, mark) in &self.engine.observer().marks {
            *counts.entry(self.toy.events()[usize::from(mark.event)].name).or_default() += 1;
        }
        counts
    }

    fn gauge(&self, name: &str, node: NodeId) -> Option<u64> {
        let row = self.toy.gauges().iter().position(|row| row.name == name);
        let node = self.engine.nodes().node(node).expect("it is up");
        self.toy.gauge(row.expect("the gauge has a row"), node)
    }

    fn holds(&self, name: &str, group: &[NodeId]) -> Option<bool> {
        let row = self.toy.predicates().iter().position(|row| row.name == name);
        self.toy.holds(row.expect("the predicate has a row"), group, self.engine.nodes())
    }
}

#[test]
fn marks_arrive_under_the_names_of_their_protocols() {
    let check = |toy: &'static Toy| {
        let mut world = World::new(toy, &[]);
        world.run_to(10_000);
        let marks = world.marks();
        let of = |name| marks.get(name).copied().unwrap_or(0);
        let terms = of("raft.leader_elected");
        assert!(terms >= 1, "{marks:?}");
        assert_eq!(of("toy.led"), terms, "each election is heard of once: {marks:?}");
        assert!(of("raft.heartbeat_sent") > 20, "{marks:?}");
        let turns: u64 = MEMBERS.iter().filter_map(|&node| world.gauge("probe.turns", node)).sum();
        assert_eq!(of("probe.probed") as u64, turns, "each question is marked: {marks:?}");
        assert!(turns - of("probe.answered") as u64 <= 3, "all but the last are answered");
        assert_eq!(of("probe.suspected"), 0, "{marks:?}");
        assert_eq!(world.engine.observer().violations, []);
        marks
    };
    // The protocols do the same in both systems; only their numbers differ.
    assert_eq!(check(&WATCHMEN), check(&COUNCIL));
}

#[test]
fn gauges_are_read_off_the_part_that_they_are_of() {
    let check = |toy: &'static Toy| {
        let mut world = World::new(toy, &[]);
        world.run_to(10_000);
        let leader = toy.select("leader", &MEMBERS, world.engine.nodes())[0];
        assert_eq!(world.gauge("raft.is_leader", leader), Some(1));
        assert_eq!(world.gauge("raft.voters", leader), Some(3));
        assert!(world.gauge("raft.term", leader) >= Some(1));
        assert_eq!(world.gauge("probe.alive", leader), Some(2));
        let names: BTreeSet<&str> = toy.gauges().iter().map(|row| row.name).collect();
        assert_eq!(names.len(), toy.gauges().len());
        for name in names {
            assert!(world.gauge(name, leader).is_some(), "{name}");
            assert_eq!(world.gauge(name, BYSTANDERS[0]), None, "{name}");
        }
    };
    check(&WATCHMEN);
    check(&COUNCIL);
}

#[test]
fn predicates_say_nothing_of_groups_that_they_are_not_about() {
    let check = |toy: &'static Toy| {
        let mut world = World::new(toy, &[]);
        assert_eq!(world.holds("raft.single_leader", &MEMBERS), Some(false));
        world.run_to(10_000);
        for name in ["raft.single_leader", "raft.applied_equal", "probe.all_alive"] {
            assert_eq!(world.holds(name, &MEMBERS), Some(true), "{name}");
            assert_eq!(world.holds(name, &BYSTANDERS), None, "{name}");
            assert_eq!(world.holds(name, &[]), None, "{name}");
        }
        for node in MEMBERS {
            let disk = DiskFate::UnsyncedLost;
            world.engine.impose(Condition::down(node, disk)).expect("it can go down");
        }
        world.run_to(10_001);
        assert_eq!(world.holds("raft.single_leader", &MEMBERS), Some(false), "nobody is up");
        assert!(toy.predicates().iter().all(|row| row.roles == ["member"]));
    };
    check(&WATCHMEN);
    check(&COUNCIL);
}

#[test]
fn a_defect_is_planted_in_its_own_protocol() {
    // Whether the survivors take a dead member for alive, and whether anybody led.
    let check = |toy: &'static Toy, defect: &'static str, expect: (bool, bool)| {
        assert!(toy.defects().iter().any(|row| row.name == defect), "{defect}");
        let mut world = World::new(toy, &[defect]);
        world.run_to(5_000);
        let disk = DiskFate::UnsyncedLost;
        world.engine.impose(Condition::down(NodeId(2), disk)).expect("it can go down");
        world.run_to(6_000);
        let takes_for_alive = world.holds("probe.all_alive", &MEMBERS[..2]) == Some(true);
        let asked_first = world.marks().contains_key("raft.pre_vote_started");
        assert_eq!((takes_for_alive, asked_first), expect, "{} {defect}", toy.name);
    };
    for toy in [&WATCHMEN, &COUNCIL] {
        check(toy, "probe-never-suspects", (true, true));
        // Who rejoins disruptively does not ask before it stands.
        check(toy, "disruptive-rejoin", (false, false));
    }
}

#[test]
fn properties_count_what_they_judged() {
    let mut world = World::new(&WATCHMEN, &[]);
    world.run_to(10_000);
    let invariants = &world.engine.observer().invariants;
    let names: Vec<&str> = invariants.iter().map(|one| one.property().name).collect();
    let rows: Vec<&str> = WATCHMEN.properties().iter().map(|row| row.property.name).collect();
    assert_eq!(names, rows, "each property has a row, in their order");
    for one in invariants {
        assert!(one.looked() > 0, "{} looked at nothing", one.property().name);
        assert_eq!(one.fork().looked(), one.looked());
    }
    // Where there are no members there is nothing to look at.
    let group =
        Group { name: "m".to_owned(), role: "member", nodes: Vec::new(), defects: Vec::new() };
    assert!(WATCHMEN.invariants(&[group]).iter().all(|one| one.looked() == 0));
}
