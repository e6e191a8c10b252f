//! Everything that is held to a figure, in one command, written to `docs/benchmarks.md`:
//!
//! ```sh
//! cargo bench -p chaoslab --features simulators --bench simulators
//! ```
//!
//! The same nodes on our engine, on turmoil and on madsim, each with its own network, beside the
//! bare loop that is the limit; growth with nodes and with pending events; copies of a world; the
//! digest; whole Hyperion worlds; the smoke scenarios and a sweep of one. Only ratios within one run mean something. With a filter (`--
//! fork`) it prints and writes nothing.

#[path = "../../../../engine/core/benches/engine/bare.rs"]
mod bare;
mod native;
#[cfg(madsim)]
mod on_madsim;
mod on_turmoil;
mod table;
#[path = "../../../../engine/core/benches/engine/work.rs"]
mod work;
mod worlds;

use bare::Bare;
use contract::SimTime;
use contract::hash::{hash_bytes, mix};
use devkit::measure::{self, Bench};
use engine::{Engine, Unwatched};
use std::hint::black_box;
use work::Work;

/// Messages delivered, or inputs handled, per iteration of a world that runs on and on.
const BATCH: u64 = 100_000;

/// Our engine. Returns the messages delivered.
fn on_engine(work: Work, sim_ms: u64) -> u64 {
    let mut engine = work.world();
    engine.run_until(SimTime(sim_ms * 1_000_000));
    engine.counters().datagrams_delivered
}

fn on_bare(work: Work, sim_ms: u64) -> u64 {
    Bare::new(work).run_until(sim_ms * 1_000_000)
}

/// A simulator: its name, how it runs, and how many simulated milliseconds of each workload take
/// some 50 ms of a processor: A with W = 1 and 64, B with 3 and 100 nodes.
type Host = (&'static str, fn(Work, u64) -> u64, [u64; 4]);

const HOSTS: &[Host] = &[
    ("bare", on_bare, [800_000, 12_500, 20_000_000, 500_000]),
    ("engine", on_engine, [400_000, 6_250, 10_000_000, 250_000]),
    ("turmoil", on_turmoil::run, [20_000, 1_000, 20_000, 200]),
    #[cfg(madsim)]
    ("madsim", on_madsim::run, [20_000, 400, 600_000, 16_000]),
];

fn beside_others(bench: &mut Bench<'_>) {
    for (name, run, sim_ms) in HOSTS {
        for (at, window) in [1, 64].into_iter().enumerate() {
            let (work, sim_ms) = (Work::Ping { nodes: 5, window }, sim_ms[at]);
            let make = || ((), run(work, sim_ms));
            bench.measure(("A", name, window), make, |()| run(work, sim_ms));
        }
        for (at, nodes) in [3, 100].into_iter().enumerate() {
            let (work, sim_ms) = (Work::Heartbeat { nodes }, sim_ms[2 + at]);
            bench.measure(("B", name, nodes), || ((), sim_ms), |()| run(work, sim_ms));
        }
    }
}

/// Cost per event against the number of nodes, and against the number of pending events.
fn growth(bench: &mut Bench<'_>) {
    let mut grow = |group, parameter, work| {
        let make = || (OnAndOn::new(work), BATCH);
        bench.measure((group, "engine", parameter), make, OnAndOn::run);
    };
    for nodes in [5, 30, 100, 300, 1_000] {
        grow("growth-nodes", nodes, Work::Heartbeat { nodes });
        grow("growth-peers", nodes, Work::Ping { nodes, window: 1 });
    }
    let pending = [10, 100, 1_000, 10_000, 100_000];
    for pending in pending {
        grow("growth-pending", pending, Work::Ping { nodes: 5, window: pending / 5 });
    }
    for pending in pending {
        let make = || (BareOnAndOn::new(Work::Ping { nodes: 5, window: pending / 5 }), BATCH);
        bench.measure(("growth-pending", "bare", pending), make, BareOnAndOn::run);
    }
}

/// A world that goes on from iteration to iteration.
struct OnAndOn {
    engine: Engine<Unwatched>,
    step_ns: u64,
}

/// A hundredth of the simulated nanoseconds in which about a batch of events happens.
fn step_ns(work: Work) -> u64 {
    let per_second = match work {
        // A message is under way for 5.5 ms in the mean.
        Work::Ping { nodes, window } => u64::from(nodes * window) * 10_000 / 55,
        // 20 ticks, 6.7 heartbeats sent to two.
        Work::Heartbeat { nodes } => 40 * u64::from(nodes),
    };
    BATCH * 10_000_000 / per_second.max(1)
}

impl OnAndOn {
    fn new(work: Work) -> Self {
        let mut world = Self { engine: work.world(), step_ns: step_ns(work) };
        // Every link has been used, and every pool is warm.
        (0..5).for_each(|_| world.run());
        world
    }

    fn run(&mut self) {
        let end = self.engine.events() + BATCH;
        while self.engine.events() < end {
            black_box(self.engine.run_until(SimTime(self.engine.now().0 + self.step_ns)));
        }
    }
}

/// The bare loop that goes on from iteration to iteration.
struct BareOnAndOn {
    bare: Bare,
    step_ns: u64,
    until_ns: u64,
}

impl BareOnAndOn {
    fn new(work: Work) -> Self {
        let mut world = Self { bare: Bare::new(work), step_ns: step_ns(work), until_ns: 0 };
        (0..5).for_each(|_| world.run());
        world
    }

    fn run(&mut self) {
        let mut delivered = 0;
        while delivered < BATCH {
            self.until_ns += self.step_ns;
            delivered += black_box(self.bare.run_until(self.until_ns));
        }
    }
}

/// What the digest of an event with a frame of 64 bytes costs, alone.
fn digest(bench: &mut Bench<'_>) {
    let make = || (([7_u8; 64], 0), BATCH);
    bench.measure(("digest", "engine", 64), make, |(frame, digest)| {
        for event in 0..BATCH {
            frame[..8].copy_from_slice(&event.to_le_bytes());
            *digest = mix(mix(*digest, event), hash_bytes(black_box(&*frame)));
        }
        *digest
    });
}

fn main() {
    let folder = devkit::folder!();
    let mut criterion = measure::criterion(&folder);
    let mut bench = Bench::new(&mut criterion, folder);
    beside_others(&mut bench);
    digest(&mut bench);
    growth(&mut bench);
    worlds::forks(&mut bench);
    worlds::hyperion(&mut bench);
    worlds::clients(&mut bench);
    worlds::smoke(&mut bench);
    let figures = bench.figures();
    criterion.final_summary();
    if let Some(figures) = figures {
        table::write(&figures, worlds::sweep());
    }
}
