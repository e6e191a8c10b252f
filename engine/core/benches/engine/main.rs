//! Events per second of the engine alone, beside the bare loop that is the limit: quick to build,
//! for whoever works on the engine. The same workloads beside other simulators, and everything
//! that is held to a figure, are in `harness/chaoslab/benches/simulators`.

mod bare;
mod work;

use bare::Bare;
use contract::SimTime;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use engine::{Engine, Unwatched};
use std::hint::black_box;
use work::Work;

const BATCH: u64 = 100_000;

fn run_events(engine: &mut Engine<Unwatched>, step_ns: u64) {
    let end = engine.events() + BATCH;
    while engine.events() < end {
        black_box(engine.run_until(SimTime(engine.now().0 + step_ns)));
    }
}

/// How much simulated time a hundredth of a batch takes.
fn step_ns(work: Work) -> u64 {
    let per_second = match work {
        Work::Ping { nodes, window } => u64::from(nodes) * u64::from(window) * 1_000_000 / 5_500,
        Work::Heartbeat { nodes } => 40 * u64::from(nodes),
    };
    BATCH * 1_000_000_000 / per_second / 100
}

fn beside_the_limit(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine");
    group.sample_size(20);
    group.throughput(Throughput::Elements(BATCH));
    let works = [
        ("ping 5x1", Work::Ping { nodes: 5, window: 1 }),
        ("ping 5x64", Work::Ping { nodes: 5, window: 64 }),
        ("ping 5x2000", Work::Ping { nodes: 5, window: 2_000 }),
        ("ping 5x20000", Work::Ping { nodes: 5, window: 20_000 }),
        ("ping 1000x1", Work::Ping { nodes: 1_000, window: 1 }),
        ("heartbeat 3", Work::Heartbeat { nodes: 3 }),
        ("heartbeat 100", Work::Heartbeat { nodes: 100 }),
        ("heartbeat 1000", Work::Heartbeat { nodes: 1_000 }),
    ];
    for (name, work) in works {
        let step_ns = step_ns(work);
        let (mut bare, mut until_ns) = (Bare::new(work), 0);
        group.bench_function(BenchmarkId::new("bare", name), |bencher| {
            bencher.iter(|| {
                until_ns += 100 * step_ns;
                black_box(bare.run_until(until_ns))
            });
        });
        let mut engine = work.world();
        group.bench_function(BenchmarkId::new("engine", name), |bencher| {
            bencher.iter(|| run_events(&mut engine, step_ns));
        });
    }
    group.finish();
}

criterion_group!(benches, beside_the_limit);
criterion_main!(benches);
