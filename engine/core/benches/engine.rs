//! Events per second of the engine, beside the bare loop that is the limit.
//!
//! Workload A: five nodes, each keeps W requests of 64 bytes outstanding to random peers; 1 to
//! 10 ms of latency. The bare loop has the same queue of 16-byte keys, a slab, a virtual call and
//! one draw per message, and nothing else: no network, digest, frames, clocks or checks.
//! Workload B: a tick every 50 ms and a heartbeat to two peers every 150 ms, nothing else.

use contract::rng::Domain;
use contract::{Dist, Duration, Fx, Input, Node, NodeId, Now, Refused, Rng, SimTime, TimerKey};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use engine::{Boot, Config, Engine, Idle, LinkSpec, NodeSpec, Ties, Unwatched};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;
use std::rc::Rc;

const NODES: u32 = 5;
const LATENCY: (u64, u64) = (1_000_000, 10_000_000);
const BATCH: u64 = 100_000;

#[derive(Clone)]
struct Ping {
    window: u32,
}

impl Ping {
    fn ask(fx: &mut Fx<'_>) {
        let other = fx.rng.below(u64::from(NODES) - 1) as u32;
        let to = if other >= fx.me().0 { other + 1 } else { other };
        fx.datagram(NodeId(to), |out| out.extend_from_slice(&[0; 64]));
    }
}

impl Node for Ping {
    fn on_input(&mut self, _now: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        let Input::Datagram { from, bytes } = input else {
            return;
        };
        if bytes[0] == 0 {
            fx.datagram(from, |out| out.extend_from_slice(&[1; 64]));
        } else {
            Self::ask(fx);
        }
    }
    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }
}

impl Boot for Ping {
    fn boot(
        &self,
        _node: NodeId,
        _boot: u32,
        _now: Now,
        fx: &mut Fx<'_>,
    ) -> Result<Box<dyn Node>, Refused> {
        (0..self.window).for_each(|_| Self::ask(fx));
        Ok(Box::new(self.clone()))
    }
}

#[derive(Clone)]
struct Heartbeat {
    nodes: u32,
}

impl Node for Heartbeat {
    fn on_input(&mut self, _now: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        match input {
            Input::Timer(TimerKey(0)) => fx.set_timer(TimerKey(0), Duration::from_millis(50)),
            Input::Timer(key) => {
                fx.set_timer(key, Duration::from_millis(150));
                let me = fx.me().0;
                let span = fx
                    .datagram(NodeId((me + 1) % self.nodes), |out| out.extend_from_slice(&[2; 64]));
                fx.datagram_again(NodeId((me + 2) % self.nodes), span);
            }
            _ => {}
        }
    }
    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }
}

impl Boot for Heartbeat {
    fn boot(
        &self,
        _node: NodeId,
        _boot: u32,
        _now: Now,
        fx: &mut Fx<'_>,
    ) -> Result<Box<dyn Node>, Refused> {
        for (key, period_ms) in [(0, 50), (1, 150)] {
            let phase = fx.rng.below(period_ms * 1_000_000);
            fx.set_timer(TimerKey(key), Duration(phase));
        }
        Ok(Box::new(self.clone()))
    }
}

fn world(nodes: u32, boot: impl Boot + 'static) -> Engine<Unwatched> {
    let names = (1..=nodes).map(|index| format!("h/{index}"));
    let config = Config {
        seed: 1,
        nodes: names.map(|name| NodeSpec { name, ..NodeSpec::default() }).collect(),
        link: LinkSpec {
            latency: Dist::Uniform { min: LATENCY.0, max: LATENCY.1 },
            ..LinkSpec::default()
        },
        links: Vec::new(),
        ties: Ties::Canonical,
        events_max: u64::MAX,
    };
    Engine::new(config, Rc::new(boot), Box::new(Idle), Unwatched)
}

/// The limit: a queue, a slab, a virtual call.
struct Bare {
    heap: BinaryHeap<Reverse<u128>>,
    slab: Vec<(u32, u32, [u8; 64])>,
    free: Vec<u32>,
    nodes: Vec<Box<dyn BareNode>>,
    rng: Rng,
    now: u64,
    sent: u128,
}

trait BareNode {
    fn handle(&mut self, from: u32, bytes: &[u8; 64]) -> (u32, [u8; 64]);
}

struct BarePing {
    me: u32,
    rng: Rng,
}

impl BareNode for BarePing {
    fn handle(&mut self, from: u32, bytes: &[u8; 64]) -> (u32, [u8; 64]) {
        if bytes[0] == 0 {
            return (from, [1; 64]);
        }
        let other = self.rng.below(u64::from(NODES) - 1) as u32;
        (if other >= self.me { other + 1 } else { other }, [0; 64])
    }
}

impl Bare {
    fn new(window: u32) -> Self {
        let node = |me: u32| -> Box<dyn BareNode> {
            Box::new(BarePing { me, rng: Rng::new(1, Domain::Node, &format!("h/{me}")) })
        };
        let mut bare = Self {
            heap: BinaryHeap::new(),
            slab: Vec::new(),
            free: Vec::new(),
            nodes: (0..NODES).map(node).collect(),
            rng: Rng::new(1, Domain::Link, "all"),
            now: 0,
            sent: 0,
        };
        for me in 0..NODES {
            (0..window).for_each(|_| bare.send(me, (me + 1) % NODES, [0; 64]));
        }
        bare
    }

    fn send(&mut self, from: u32, to: u32, bytes: [u8; 64]) {
        let due = self.now + self.rng.range(LATENCY.0, LATENCY.1);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slab.push((0, 0, [0; 64]));
            (self.slab.len() - 1) as u32
        });
        self.slab[slot as usize] = (from, to, bytes);
        self.sent += 1;
        self.heap.push(Reverse(
            u128::from(due) << 64 | (self.sent & 0xff_ffff_ffff) << 24 | u128::from(slot),
        ));
    }

    fn run(&mut self, events: u64) {
        for _ in 0..events {
            let Reverse(key) = self.heap.pop().expect("requests are outstanding");
            self.now = (key >> 64) as u64;
            let slot = (key & 0xff_ffff) as u32;
            let (from, to, bytes) = self.slab[slot as usize];
            self.free.push(slot);
            let (next, answer) = self.nodes[to as usize].handle(from, &bytes);
            self.send(to, next, answer);
        }
    }
}

fn run_events(engine: &mut Engine<Unwatched>, events: u64, step: u64) {
    let end = engine.events() + events;
    while engine.events() < end {
        let until = SimTime(engine.now().0 + step);
        black_box(engine.run_until(until));
    }
}

fn workload_a(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ping");
    group.throughput(Throughput::Elements(BATCH));
    for window in [1, 64] {
        let mut bare = Bare::new(window);
        group.bench_function(BenchmarkId::new("bare", window), |bencher| {
            bencher.iter(|| bare.run(BATCH));
        });
        let mut engine = world(NODES, Ping { window });
        // As many simulated nanoseconds as `BATCH` events take, within a few events.
        let step = BATCH * 5_500_000 / u64::from(NODES * window);
        group.bench_function(BenchmarkId::new("engine", window), |bencher| {
            bencher.iter(|| run_events(&mut engine, BATCH, step / 100));
        });
    }
    group.finish();
}

fn workload_b(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("heartbeat");
    for nodes in [3, 100, 1_000] {
        let mut engine = world(nodes, Heartbeat { nodes });
        group.throughput(Throughput::Elements(BATCH));
        group.bench_function(BenchmarkId::new("engine", nodes), |bencher| {
            // 33 events per simulated second and node.
            let step = BATCH * 1_000_000_000 / 33 / u64::from(nodes);
            bencher.iter(|| run_events(&mut engine, BATCH, step / 100));
        });
    }
    group.finish();
}

fn fork(criterion: &mut Criterion) {
    let mut engine = world(NODES, Ping { window: 64 });
    engine.run_until(SimTime(1_000_000_000));
    criterion.bench_function("fork/ping 64", |bencher| {
        bencher.iter(|| black_box(engine.fork()));
    });
}

criterion_group!(benches, workload_a, workload_b, fork);
criterion_main!(benches);
