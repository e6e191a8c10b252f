//! Adapters under a courier that wakes them in any order see what nodes see on the engine.

mod common;

use common::{Busy, MS, boot_with, config, ms};
use contract::{
    Call, Condition, ConditionId, ConnId, DiskFate, Dist, Domain, Duration, FileId, Fx, InFlight,
    Input, Node, NodeId, Now, OpId, Outcome, Ratio, ReadLevel, Refused, Ret, Rng, Shock, SimTime,
    TimerKey,
};
use engine::exact::{
    Action, Adapter, Harvest, HostResult, HostRun, Parcel, Parts, Timed, exact_problems, gather,
    run_here,
};
use engine::{Config, Event, Idle, Wake, Workload};
use std::any::Any;
use std::rc::Rc;

/// Carries parcels within two milliseconds and wakes machines up to one millisecond late, in an
/// order that it draws anew at every tick.
fn courier(run: &HostRun<'_>, seed: u64) -> HostResult {
    let parts = (run.parts)();
    let count = run.config.nodes.len() as u32;
    let machine = |id| {
        Adapter::new(
            run,
            NodeId(id),
            Rc::clone(&parts.boot),
            parts.workload.fork(),
        )
    };
    let mut machines: Vec<Adapter> = (0..count).map(machine).collect();
    let mut rng = Rng::new(seed, Domain::Swarm, "courier");
    let mut order: Vec<usize> = (0..machines.len()).collect();
    let mut way: Vec<(u64, Parcel)> = Vec::new();
    for tick in 0..=run.until.0.div_ceil(MS) {
        rng.shuffle(&mut order);
        for at in &order {
            let machine = &mut machines[*at];
            let (here, rest) = std::mem::take(&mut way)
                .into_iter()
                .partition(|(due, parcel)| *due <= tick && parcel.to.index() == *at);
            way = rest;
            let mut here: Vec<(u64, Parcel)> = here;
            rng.shuffle(&mut here);
            here.iter()
                .for_each(|(_, parcel)| machine.arrive(&parcel.bytes));
            if tick == 0 {
                machine.start();
            }
            machine.run(ms(tick));
            for parcel in machine.take_parcels() {
                way.push((tick + rng.below(3), parcel));
            }
        }
    }
    gather(run, &mut machines)
}

/// Compares the two, and names the first event that differs.
fn compare(
    name: &str,
    config: &Config,
    script: &[Timed],
    until: SimTime,
    parts: &(dyn Fn() -> Parts + Sync),
) {
    let run = HostRun {
        config,
        parts,
        script,
        until,
        harvest: &|_| Box::new(()),
        traced: true,
    };
    let here = run_here(&run).expect("the run can be exact");
    let there = courier(&run, config.seed);
    assert_eq!(
        (there.late, &there.problems[..]),
        (0, &[][..]),
        "{name}: the run is void"
    );
    let differs = |(one, two): (&Vec<Event>, &Vec<Event>)| {
        let at = (0..one.len().max(two.len())).find(|at| one.get(*at) != two.get(*at))?;
        let near = at.saturating_sub(2)..at + 1;
        let cut = |events: &[Event]| {
            events[near.start.min(events.len())..near.end.min(events.len())].to_vec()
        };
        Some((cut(one), cut(two)))
    };
    let pairs = here.events_of.iter().zip(&there.events_of);
    let first = pairs
        .filter_map(differs)
        .min_by_key(|(one, _)| one.last().map(|event| event.at));
    if let Some((one, two)) = first {
        panic!(
            "{name}, seed {}: first here {one:?}, there {two:?}",
            config.seed
        );
    }
    assert_eq!(
        here.node_digests, there.node_digests,
        "{name}: seed {}",
        config.seed
    );
    assert_eq!((here.digest, here.events), (there.digest, there.events));
    assert!(
        here.events > 300,
        "{name}: {} events are no test",
        here.events
    );
}

fn world(seed: u64, count: usize) -> Config {
    let mut config = config(seed, count);
    config.link.latency = Dist::Uniform {
        min: 5 * MS,
        max: 15 * MS,
    };
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

fn busy(peers: u32) -> impl Fn() -> Parts + Sync {
    move || Parts {
        boot: Rc::new(Busy::boots(peers)),
        workload: Box::new(Idle),
    }
}

/// As [`busy`], ticking at whole milliseconds.
fn in_step(peers: u32) -> impl Fn() -> Parts + Sync {
    move || Parts {
        boot: Rc::new(Busy::boots_in_step(peers)),
        workload: Box::new(Idle),
    }
}

fn at(at_ms: u64, action: Action) -> Timed {
    Timed {
        at: ms(at_ms),
        round: u32::from(at_ms == 0),
        action,
    }
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

#[test]
fn datagrams_timers_streams_and_syncs_are_equal() {
    for seed in 0..20 {
        compare("plain", &world(seed, 3), &[], ms(1_000), &busy(3));
    }
}

#[test]
fn chances_of_links_are_equal() {
    for seed in 0..20 {
        let mut config = world(seed, 3);
        config.link.loss = Ratio::new(1, 20);
        config.link.duplicate = Ratio::new(1, 50);
        config.link.corrupt = Ratio::new(1, 100);
        config.link.reorder = Ratio::new(1, 10);
        config.link.reorder_extra = Duration::from_millis(30);
        config.link.bandwidth = Some(200_000);
        compare("chances", &config, &[], ms(1_000), &busy(3));
    }
}

#[test]
fn partitions_are_equal() {
    let kinds: &[fn(NodeId, NodeId) -> Condition] = &[
        |from, to| Condition::Block {
            from,
            to,
            in_flight: InFlight::Lost,
        },
        |from, to| Condition::Block {
            from,
            to,
            in_flight: InFlight::Kept,
        },
        |from, to| Condition::Hold { from, to },
        |from, to| Condition::Loss {
            from,
            to,
            ratio: Ratio::new(1, 2),
        },
        |from, to| Condition::Delay {
            from,
            to,
            extra: Dist::Uniform {
                min: 0,
                max: 9 * MS,
            },
        },
    ];
    for seed in 0..40 {
        let script = script(seed, 900, kinds);
        compare("partition", &world(seed, 3), &script, ms(2_000), &busy(3));
        compare(
            "partition in step",
            &coarse(seed, 3),
            &script,
            ms(2_000),
            &in_step(3),
        );
    }
}

#[test]
fn crashes_are_equal() {
    let kinds: &[fn(NodeId, NodeId) -> Condition] = &[
        |node, _| Condition::Down {
            node,
            disk: DiskFate::UnsyncedLost,
        },
        |node, _| Condition::Down {
            node,
            disk: DiskFate::Torn,
        },
        |node, _| Condition::Down {
            node,
            disk: DiskFate::Kept,
        },
        |node, _| Condition::Pause { node },
        |node, _| Condition::SlowCpu { node, times: 20 },
        |node, _| Condition::Drift { node, ppm: 20_000 },
        |node, _| Condition::SyncFails {
            node,
            ratio: Ratio::new(1, 2),
        },
        |from, to| Condition::Block {
            from,
            to,
            in_flight: InFlight::Lost,
        },
    ];
    for seed in 0..40 {
        let mut script = script(seed, 900, kinds);
        let shocks = [
            Shock::WallJump {
                node: NodeId(1),
                by_ns: -77_000_000,
            },
            Shock::FlipBit {
                node: NodeId(0),
                file: FileId(1),
                bit: 77,
            },
            Shock::InjectFrame {
                from: NodeId(0),
                to: NodeId(2),
                bytes: vec![1, 2, 3],
            },
        ];
        script.extend(shocks.map(|shock| at(500, Action::Strike(shock))));
        script.sort_by_key(|step| (step.at, step.round));
        compare("crash", &world(seed, 3), &script, ms(2_000), &busy(3));
        compare(
            "crash in step",
            &coarse(seed, 3),
            &script,
            ms(2_000),
            &in_step(3),
        );
    }
}

#[test]
fn ten_seconds_of_partition_break_streams_alike() {
    for seed in 0..4 {
        let mut steps = Vec::new();
        for (id, from, to) in [(0, 0, 1), (1, 1, 0), (2, 0, 2)] {
            let (from, to) = (NodeId(from), NodeId(to));
            let block = Condition::Block {
                from,
                to,
                in_flight: InFlight::Lost,
            };
            steps.push(at(
                100 + u64::from(id) * 7,
                Action::Impose(ConditionId(id), block),
            ));
        }
        steps.push(at(11_000, Action::Lift(ConditionId(0))));
        compare("cut off", &world(seed, 3), &steps, ms(12_000), &busy(3));
    }
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
            rngs: names
                .iter()
                .map(|name| Rng::new(seed, Domain::Client, name))
                .collect(),
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
        let call = Call::Get {
            key,
            read: ReadLevel::Stale,
        };
        Wake {
            invoke: Some((op, call)),
            next,
        }
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

#[test]
fn clients_with_a_load_are_equal_over_crashes() {
    let refuses = |node: NodeId, boot, _: &mut Fx<'_>| -> Result<Box<dyn Node>, Refused> {
        if node == NodeId(3) && boot == 1 {
            return Err(Refused("its disk is too old".into()));
        }
        Ok(Box::new(Desk { asked: None }))
    };
    let kinds: &[fn(NodeId, NodeId) -> Condition] = &[
        |node, _| Condition::Down {
            node,
            disk: DiskFate::Kept,
        },
        |_, _| Condition::Down {
            node: NodeId(3),
            disk: DiskFate::Kept,
        },
        |from, to| Condition::Block {
            from,
            to,
            in_flight: InFlight::Lost,
        },
    ];
    let harvest = |loads: &[&dyn Workload]| -> Harvest {
        let of = |load: &&dyn Workload| {
            let load = load
                .as_any()
                .downcast_ref::<Asking>()
                .expect("it was given");
            (load.done, load.lost)
        };
        Box::new(loads.iter().map(of).collect::<Vec<(u64, u64)>>())
    };
    for seed in 0..20 {
        let script = script(seed, 1_900, kinds);
        let config = world(seed, 4);
        let parts = || Parts {
            boot: Rc::new(boot_with(refuses)),
            workload: Box::new(Asking::new(seed)),
        };
        compare("clients", &config, &script, ms(3_000), &parts);
        let run = HostRun {
            config: &config,
            parts: &parts,
            script: &script,
            until: ms(3_000),
            harvest: &harvest,
            traced: false,
        };
        let here = run_here(&run).expect("the run can be exact").harvest;
        let there = courier(&run, seed + 100).harvest;
        let (here, there) = (done(&here), done(&there));
        assert_eq!(here, there);
        assert!(here[0].0 > 10, "{here:?}");
    }
}

fn done(harvest: &Harvest) -> &[(u64, u64)] {
    harvest
        .downcast_ref::<Vec<(u64, u64)>>()
        .expect("it was harvested")
}

#[test]
fn what_cannot_be_exact_is_refused() {
    let check = |change: fn(&mut Config), expect: &[&str]| {
        let mut config = world(1, 2);
        change(&mut config);
        assert_eq!(exact_problems(&config), expect);
    };
    check(|_| {}, &[]);
    check(
        |config| {
            config.link.latency = Dist::Uniform {
                min: 4 * MS,
                max: 9 * MS,
            }
        },
        &["the network has a latency from 4ms, and an exact run needs at least 5ms"],
    );
    check(
        |config| {
            config
                .links
                .push((NodeId(0), NodeId(1), engine::LinkSpec::default()))
        },
        &["the link h/1 > h/2 has a latency from 1ms, and an exact run needs at least 5ms"],
    );
    check(
        |config| config.nodes[1].memory_limit = Some(1),
        &["h/2 has a memory limit, whose crash no other machine could foresee"],
    );
    check(
        |config| config.ties = engine::Ties::Explore,
        &["ties are explored, not canonical"],
    );
}

#[test]
fn a_parcel_that_comes_too_late_is_counted() {
    let config = world(1, 2);
    let run = HostRun {
        config: &config,
        parts: &busy(2),
        script: &[],
        until: ms(200),
        harvest: &|_| Box::new(()),
        traced: false,
    };
    let parts = busy(2)();
    let machine = |id| Adapter::new(&run, NodeId(id), Rc::clone(&parts.boot), Box::new(Idle));
    let (mut one, mut two) = (machine(0), machine(1));
    one.start();
    two.start();
    one.run(ms(100));
    two.run(ms(100));
    let sent = one.take_parcels();
    sent.iter().for_each(|parcel| two.arrive(&parcel.bytes));
    assert!(two.late() > 0 && two.late() <= sent.len() as u64);
}
