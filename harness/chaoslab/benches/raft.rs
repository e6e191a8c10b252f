//! Whole worlds: three idle Raft nodes, and five under load with all invariants on. Prints events
//! per second; the simulated time is in the name.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use harness::cli::{Lab, names};
use harness::run::Runner;
use harness::scenario::Scenario;
use harness::select::Roster;
use std::hint::black_box;
use std::rc::Rc;

const LAB: Lab = Lab { systems: sim::SYSTEMS, simulators: &[], suites: &[] };

/// A scenario with `nodes` cache nodes for `sim_time`, and `rate` operations per second until `stop`.
fn scenario(nodes: u32, sim_time: &str, rate: &str, stop: &str) -> String {
    format!(
        r#"
format = 1
name   = "bench"
about  = "a world to measure"
system = "hyperion"
seed   = 1
expect = "pass"

[budget]
sim_time = "{sim_time}"
events   = 100_000_000

[nodes.h]
role  = "cache"
count = {nodes}

[clients.kv]
count  = 20
target = "h/any"
rate   = "{rate}"
stop   = "{stop}"
ops    = {{ get = 50, put = 50 }}
keys   = {{ count = 1_000 }}

[[check]]
id    = "lin"
kind  = "linearizable"
model = "register-cas"
over  = "clients.kv"
"#
    )
}

fn roster(text: &str) -> Rc<Roster> {
    let names = names(&LAB);
    let (scenario, said) = Scenario::compile("bench.toml", text.as_bytes(), &names);
    let scenario = scenario.unwrap_or_else(|| panic!("{said:?}"));
    let plan = scenario.plan(&names, None, 1, 0, &[]).expect("a valid plan");
    Rc::new(Roster::new(Rc::new(plan)))
}

fn run(roster: &Rc<Roster>) -> u64 {
    let mut runner = Runner::new(roster).expect("the world boots");
    runner.go_on(false);
    runner.events()
}

fn worlds(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("raft");
    group.sample_size(10);
    let cases = [
        ("3 idle nodes, 600 simulated seconds", scenario(3, "600s", "1/s", "5s")),
        (
            "5 nodes, 1000 operations per second, 10 simulated seconds",
            scenario(5, "10s", "1_000/s", "10s"),
        ),
    ];
    for (name, text) in cases {
        let roster = roster(&text);
        group.throughput(Throughput::Elements(run(&roster)));
        group.bench_function(name, |bencher| bencher.iter(|| black_box(run(&roster))));
    }
    group.finish();
}

criterion_group!(benches, worlds);
criterion_main!(benches);
