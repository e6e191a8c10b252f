//! What every simulator must do: show each node exactly what the engine shows it.

use crate::common::{Busy, MS, boot_with, config, ms};
use contract::{
    Call, Condition, ConditionId, ConnId, DiskFate, Dist, Domain, Duration, FileId, Fx, InFlight,
    Input, Node, NodeId, Now, OpId, Outcome, Ratio, ReadLevel, Refused, Ret, Rng, Shock, SimTime,
    TimerKey,
};
use engine::hosting::{Action, Harvest, HostError, HostRun, Parts, Simulator, Timed, run_here};
use engine::{Config, Event, Idle, Wake, Workload};
use std::any::Any;
use std::rc::Rc;

pub fn datagrams_timers_streams_and_syncs_are_equal(simulator: &dyn Simulator, seeds: u64) {
    for seed in 0..seeds {
        compare(simulator, "plain", &world(seed, 3), &[], ms(1_000), &busy(3));
    }
}

pub fn chances_of_links_are_equal(simulator: &dyn Simulator, seeds: u64) {
    for seed in 0..seeds {
        let mut config = world(seed, 3);
        config.link.loss = Ratio::new(1, 20);
        config.link.duplicate = Ratio::new(1, 50);
        config.link.corrupt = Ratio::new(1, 100);
        config.link.reorder = Ratio::new(1, 10);
        config.link.reorder_extra = Duration::from_millis(30);
        config.link.bandwidth = Some(200_000);
        compare(simulator, "chances", &config, &[], ms(1_000), &busy(3));
    }
}

pub fn partitions_are_equal(simulator: &dyn Simulator, seeds: u64) {
    let kinds: &[fn(NodeId, NodeId) -> Condition] = &[
        |from, to| Condition::Block { from, to, in_flight: InFlight::Lost },
        |from, to| Condition::Block { from, to, in_flight: InFlight::Kept },
        |from, to| Condition::Hold { from, to },
        |from, to| Condition::Loss { from, to, ratio: Ratio::new(1, 2) },
        |from, to| Condition::Delay { from, to, extra: Dist::Uniform { min: 0, max: 9 * MS } },
    ];
    for seed in 0..seeds {
        let script = script(seed, 900, kinds);
        compare(simulator, "partition", &world(seed, 3), &script, ms(2_000), &busy(3));
        compare(simulator, "partition in step", &coarse(seed, 3), &script, ms(2_000), &in_step(3));
    }
}

pub fn crashes_are_equal(simulator: &dyn Simulator, seeds: u64) {
    let kinds: &[fn(NodeId, NodeId) -> Condition] = &[
        |node, _| Condition::down(node, DiskFate::UnsyncedLost),
        |node, _| Condition::down(node, DiskFate::Torn),
        |node, _| Condition::down(node, DiskFate::Kept),
        |node, _| Condition::Pause { node },
        |node, _| Condition::SlowCpu { node, times: 20 },
        |node, _| Condition::Drift { node, ppm: 20_000 },
        |node, _| Condition::SyncFails { node, ratio: Ratio::new(1, 2) },
        |from, to| Condition::Block { from, to, in_flight: InFlight::Lost },
    ];
    for seed in 0..seeds {
        let mut script = script(seed, 900, kinds);
        let shocks = [
            Shock::WallJump { node: NodeId(1), by_ns: -77_000_000 },
            Shock::FlipBit { node: NodeId(0), file: FileId(1), bit: 77 },
            Shock::InjectFrame { from: NodeId(0), to: NodeId(2), bytes: vec![1, 2, 3] },
        ];
        script.extend(shocks.map(|shock| at(500, Action::Strike(shock))));
        script.sort_by_key(|step| (step.at, step.round));
        compare(simulator, "crash", &world(seed, 3), &script, ms(2_000), &busy(3));
        compare(simulator, "crash in step", &coarse(seed, 3), &script, ms(2_000), &in_step(3));
    }
}

pub fn ten_seconds_of_partition_break_streams_alike(simulator: &dyn Simulator, seeds: u64) {
    for seed in 0..seeds {
        let mut steps = Vec::new();
        for (id, from, to) in [(0, 0, 1), (1, 1, 0), (2, 0, 2)] {
            let (from, to) = (NodeId(from), NodeId(to));
            let block = Condition::Block { from, to, in_flight: InFlight::Lost };
            steps.push(at(100 + u64::from(id) * 7, Action::Impose(ConditionId(id), block)));
        }
        steps.push(at(11_000, Action::Lift(ConditionId(0))));
        compare(simulator, "cut off", &world(seed, 3), &steps, ms(12_000), &busy(3));
    }
}

/// Long enough for every time-out of a connection: of requests to open, of what is written, of
/// keep-alives, and for what machines answer that are back.
pub fn outages_are_equal(simulator: &dyn Simulator, seeds: u64) {
    for seed in 0..seeds {
        let mut rng = Rng::new(seed, Domain::Swarm, "outages");
        let mut steps = Vec::new();
        for id in 0..6 {
            let (node, other) = (NodeId(rng.below(3) as u32), NodeId(rng.below(3) as u32));
            let fates = [DiskFate::UnsyncedLost, DiskFate::Kept, DiskFate::Torn];
            let condition = match rng.below(4) {
                0 if node != other => {
                    Condition::Block { from: node, to: other, in_flight: InFlight::Lost }
                }
                _ => Condition::down(node, fates[rng.below(3) as usize]),
            };
            let start = 50 + rng.below(20_000);
            steps.push(at(start, Action::Impose(ConditionId(id), condition)));
            steps.push(at(start + rng.below(14_000), Action::Lift(ConditionId(id))));
        }
        steps.sort_by_key(|step| (step.at, step.round));
        let mut config = coarse(seed, 3);
        config.link.loss = Ratio::new(seed as u32 % 2, 10);
        compare(simulator, "outages", &config, &steps, ms(45_000), &in_step(3));
    }
}

pub fn clients_with_a_load_are_equal_over_crashes(simulator: &dyn Simulator, seeds: u64) {
    let refuses = |node: NodeId, boot, _: &mut Fx<'_>| -> Result<Box<dyn Node>, Refused> {
        if node == NodeId(3) && boot == 1 {
            return Err(Refused("its disk is too old".into()));
        }
        Ok(Box::new(Desk { asked: None }))
    };
    let kinds: &[fn(NodeId, NodeId) -> Condition] = &[
        |node, _| Condition::down(node, DiskFate::Kept),
        |node, _| Condition::down(node, DiskFate::UnsyncedLost),
        |_, _| Condition::down(NodeId(3), DiskFate::Kept),
        |from, to| Condition::Block { from, to, in_flight: InFlight::Lost },
    ];
    let harvest = |loads: &[&dyn Workload]| -> Harvest {
        let of = |load: &&dyn Workload| {
            let load = load.as_any().downcast_ref::<Asking>().expect("it was given");
            (load.done, load.lost)
        };
        Box::new(loads.iter().map(of).collect::<Vec<(u64, u64)>>())
    };
    for seed in 0..seeds {
        let script = script(seed, 1_900, kinds);
        let config = world(seed, 4);
        let parts =
            || Parts { boot: Rc::new(boot_with(refuses)), workload: Box::new(Asking::new(seed)) };
        compare(simulator, "clients", &config, &script, ms(3_000), &parts);
        let run = HostRun {
            config: &config,
            parts: &parts,
            script: &script,
            until: ms(3_000),
            harvest: &harvest,
            traced: false,
        };
        let here = run_here(&run).expect("the run can be exact").harvest;
        let there = simulator.run_exact(&run).expect("the simulator can run it").harvest;
        let (here, there) = (done(&here), done(&there));
        assert_eq!(here, there);
        assert!(here[0].0 > 10, "{here:?}");
    }
}

pub fn a_run_that_cannot_be_exact_is_refused(simulator: &dyn Simulator) {
    let mut config = world(1, 3);
    config.link.latency = Dist::Constant(4 * MS);
    let limit = Condition::MemoryLimit { node: NodeId(0), bytes: 1 };
    let run = HostRun {
        config: &config,
        parts: &busy(3),
        script: &[at(7, Action::Impose(ConditionId(0), limit))],
        until: ms(10),
        harvest: &|_| Box::new(()),
        traced: false,
    };
    let Err(HostError::Refused(problems)) = simulator.run_exact(&run) else {
        panic!("the run was not refused");
    };
    assert_eq!(problems.len(), 2, "{problems:?}");
}

/// Compares a simulator with the engine, and names the first event that differs.
fn compare(
    simulator: &dyn Simulator,
    name: &str,
    config: &Config,
    script: &[Timed],
    until: SimTime,
    parts: &(dyn Fn() -> Parts + Sync),
) {
    let run = HostRun { config, parts, script, until, harvest: &|_| Box::new(()), traced: true };
    let here = run_here(&run).expect("the run can be exact");
    let there = simulator.run_exact(&run).expect("the simulator can run it");
    assert_eq!((there.late, &there.problems[..]), (0, &[][..]), "{name}: the run is void");
    let differs = |(one, two): (&Vec<Event>, &Vec<Event>)| {
        let at = (0..one.len().max(two.len())).find(|at| one.get(*at) != two.get(*at))?;
        let near = at.saturating_sub(2)..at + 1;
        let cut = |events: &[Event]| {
            events[near.start.min(events.len())..near.end.min(events.len())].to_vec()
        };
        Some((cut(one), cut(two)))
    };
    let pairs = here.events_of.iter().zip(&there.events_of);
    let first = pairs.filter_map(differs).min_by_key(|(one, _)| one.last().map(|event| event.at));
    if let Some((one, two)) = first {
        panic!("{name}, seed {}: first here {one:?}, there {two:?}", config.seed);
    }
    assert_eq!(here.node_digests, there.node_digests, "{name}: seed {}", config.seed);
    assert_eq!((here.digest, here.events), (there.digest, there.events));
    assert!(here.events > 300, "{name}: {} events are no test", here.events);
}

pub fn world(seed: u64, count: usize) -> Config {
    let mut config = config(seed, count);
    config.link.latency = Dist::Uniform { min: 5 * MS, max: 15 * MS };
    config
}

/// A world in which everything takes whole milliseconds, so that much happens at one instant.
fn coarse(seed: u64, count: usize) -> Config {
    let mut config = world(seed, count);
    config.link.latency = Dist::Choice((5..10).map(|n| n * MS).collect());
    for node in &mut config.nodes {
        node.disk.write = Dist::Constant(0);
        node.disk.sync = Dist::Choice(vec![MS, 2 * MS, 5 * MS]);
    }
    config
}

pub fn busy(peers: u32) -> impl Fn() -> Parts + Sync {
    move || Parts { boot: Rc::new(Busy::boots(peers)), workload: Box::new(Idle) }
}

/// As [`busy`], ticking at whole milliseconds.
fn in_step(peers: u32) -> impl Fn() -> Parts + Sync {
    move || Parts { boot: Rc::new(Busy::boots_in_step(peers)), workload: Box::new(Idle) }
}

fn at(at_ms: u64, action: Action) -> Timed {
    Timed { at: ms(at_ms), round: u32::from(at_ms == 0), action }
}

/// Faults of the given kinds, each imposed at a random millisecond and lifted later.
fn script(seed: u64, until_ms: u64, kinds: &[fn(NodeId, NodeId) -> Condition]) -> Vec<Timed> {
    let mut rng = Rng::new(seed, Domain::Swarm, "script");
    let mut script = Vec::new();
    for id in 0..8 {
        let from = NodeId(rng.below(3) as u32);
        let to = NodeId((from.0 + 1 + rng.below(2) as u32) % 3);
        let kind = kinds[rng.below(kinds.len() as u64) as usize];
        let start = rng.below(until_ms);
        let end = start + rng.below(600);
        script.push(at(start, Action::Impose(ConditionId(id), kind(from, to))));
        script.push(at(end, Action::Lift(ConditionId(id))));
    }
    script.sort_by_key(|step| (step.at, step.round));
    script
}

/// Invokes an operation of its own clients every few milliseconds; a client asks the next server
/// over and completes with what it hears.
#[derive(Clone)]
struct Asking {
    rngs: Vec<Rng>,
    busy: Vec<Option<OpId>>,
    lost: u64,
    done: u64,
    next: u64,
}

impl Asking {
    fn new(seed: u64) -> Self {
        let names = ["c/1", "c/2"];
        Self {
            rngs: names.iter().map(|name| Rng::new(seed, Domain::Client, name)).collect(),
            busy: vec![None; 2],
            lost: 0,
            done: 0,
            next: 0,
        }
    }
}

impl Workload for Asking {
    fn start(&mut self, client: NodeId) -> Option<SimTime> {
        (client.0 < 2).then_some(ms(1))
    }
    fn wake(&mut self, at: SimTime, client: NodeId) -> Wake {
        let rng = &mut self.rngs[client.index()];
        let next = Some(at + Duration(1 + rng.below(4 * MS)));
        let key = rng.below(100);
        if self.busy[client.index()].is_some() {
            return Wake { invoke: None, next };
        }
        let op = OpId(self.next);
        self.next += 1;
        self.busy[client.index()] = Some(op);
        let call = Call::Get { key, read: ReadLevel::Stale };
        Wake { invoke: Some((op, call)), next }
    }
    fn complete(&mut self, at: SimTime, client: NodeId, op: OpId, _: Outcome) -> Option<SimTime> {
        assert_eq!(self.busy[client.index()].take(), Some(op));
        self.done += 1;
        Some(at)
    }
    fn lost(&mut self, _: SimTime, client: NodeId) {
        self.lost += u64::from(self.busy[client.index()].take().is_some());
    }
    fn fork(&self) -> Box<dyn Workload> {
        Box::new(self.clone())
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Nodes 0 and 1 are clients with one connection for each operation; nodes 2 and 3 answer, and
/// refuse to boot for the second time.
#[derive(Clone)]
struct Desk {
    asked: Option<(OpId, ConnId)>,
}

impl Desk {
    fn finish(&mut self, outcome: Outcome, fx: &mut Fx<'_>) {
        if let Some((op, conn)) = self.asked.take() {
            fx.close(conn);
            fx.complete(op, outcome);
        }
    }
}

impl Node for Desk {
    fn on_input(&mut self, _: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        match input {
            Input::Invoke { op, call } => {
                let key = call.key().expect("gets have a key");
                let conn = fx.open(NodeId(2 + key as u32 % 2));
                fx.write(conn, |out| out.extend_from_slice(&[key as u8; 9]));
                fx.set_timer(TimerKey(0), Duration::from_millis(300));
                self.asked = Some((op, conn));
            }
            Input::Data { conn, bytes } if conn.opener != fx.me() => {
                fx.write(conn, |out| out.extend_from_slice(bytes));
                fx.close(conn);
            }
            Input::Data { .. } => self.finish(Outcome::Ok(Ret::Missing), fx),
            Input::Closed { .. } | Input::Timer(_) => self.finish(Outcome::Unknown, fx),
            _ => {}
        }
    }
    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }
}

fn done(harvest: &Harvest) -> &[(u64, u64)] {
    harvest.downcast_ref::<Vec<(u64, u64)>>().expect("it was harvested")
}
