//! The same nodes on our engine, on turmoil and on madsim, each with its own network, in one run.
//!
//! Workload A: five nodes, each keeps W requests of 64 bytes outstanding to random peers; 1 to
//! 10 ms of latency. Elements are messages delivered. Workload B: a tick every 50 ms and a
//! heartbeat to two peers every 150 ms, nothing else. Elements are simulated milliseconds.
//!
//! Only ratios within one run mean something.

mod native;
#[cfg(madsim)]
mod on_madsim;
mod on_turmoil;
mod work;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use engine::{Config, Engine, Idle, LinkSpec, NodeSpec, Unwatched};
use std::hint::black_box;
use std::rc::Rc;
use work::Work;

/// Our engine, with everything on that is on in any run. Returns the messages delivered.
fn on_engine(work: Work, sim_ms: u64) -> u64 {
    let names = (1..=work.nodes()).map(|index| format!("h/{index}"));
    let nodes = names.map(|name| NodeSpec { name, ..NodeSpec::default() });
    let config = Config {
        seed: 1,
        nodes: nodes.collect(),
        link: LinkSpec { latency: work::latency(), ..LinkSpec::default() },
        links: Vec::new(),
        ties: engine::Ties::Canonical,
        events_max: u64::MAX,
    };
    let mut engine = Engine::new(config, Rc::new(work), Box::new(Idle), Unwatched);
    engine.run_until(contract::SimTime(sim_ms * 1_000_000));
    engine.counters().datagrams_delivered
}

/// A simulator: its name, how it runs, and how much slower it is guessed to be than the engine, so
/// that an iteration takes about as long on each.
type Host = (&'static str, fn(Work, u64) -> u64, u64);

const HOSTS: &[Host] = &[
    ("engine", on_engine, 1),
    ("turmoil", on_turmoil::run, 100),
    #[cfg(madsim)]
    ("madsim", on_madsim::run, 20),
];

fn messages(c: &mut Criterion) {
    let mut group = c.benchmark_group("messages");
    group.sample_size(10);
    for window in [1, 64] {
        let work = Work::Ping { nodes: 5, window };
        for (name, run, slower) in HOSTS {
            let sim_ms = 400_000 / (u64::from(window) * slower).max(1);
            group.throughput(Throughput::Elements(run(work, sim_ms)));
            group.bench_function(BenchmarkId::new(*name, window), |b| {
                b.iter(|| black_box(run(work, sim_ms)));
            });
        }
    }
    group.finish();
}

fn idle(c: &mut Criterion) {
    let mut group = c.benchmark_group("simulated milliseconds, idle");
    group.sample_size(10);
    for nodes in [3, 100] {
        let work = Work::Heartbeat { nodes };
        for (name, run, slower) in HOSTS {
            let sim_ms = 20_000_000 / (u64::from(nodes) * slower) / 10;
            let sim_ms = if *name == "turmoil" && nodes == 100 { 200 } else { sim_ms };
            group.throughput(Throughput::Elements(sim_ms));
            group.bench_function(BenchmarkId::new(*name, nodes), |b| {
                b.iter(|| black_box(run(work, sim_ms)));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, messages, idle);
criterion_main!(benches);
