//! Whole Hyperion worlds: copies against the size of their state, and simulated time per wall time
//! idle and under load, with the history and all invariants on.

use crate::measure::Bench;
use harness::cli::{Lab, names};
use harness::run::Runner;
use harness::scenario::Scenario;
use harness::select::Roster;
use std::rc::Rc;

const LAB: Lab = Lab::of(sim::SYSTEMS);

/// The simulated milliseconds of the idle world.
const IDLE_MS: u64 = 3_000_000;
/// The simulated milliseconds of the busy world.
const BUSY_MS: u64 = 10_000;

/// A scenario of `nodes` cache nodes for `sim_ms`, with `rate` operations per second until
/// `stop_ms`, and `entries` keys in every node from the start.
fn scenario(nodes: u32, sim_ms: u64, rate: &str, stop_ms: u64, entries: u32) -> String {
    // Few beside the nodes that are copied, enough for the rate.
    let clients = if entries > 0 { 5 } else { 20 };
    let preload = match entries {
        0 => String::new(),
        _ => format!("[[preload]]\ninto = \"h/*\"\nentries = {entries}\n"),
    };
    format!(
        r#"
format = 1
name   = "bench"
about  = "a world to measure"
system = "hyperion"
seed   = 1
expect = "pass"

[budget]
sim_time = "{sim_ms}ms"
events   = 100_000_000

[nodes.h]
role  = "cache"
count = {nodes}

{preload}

[clients.kv]
count  = {clients}
target = "h/any"
rate   = "{rate}"
stop   = "{stop_ms}ms"
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

fn runner(text: &str) -> Runner {
    let names = names(&LAB);
    let (scenario, said) = Scenario::compile("bench.toml", text.as_bytes(), &names);
    let scenario = scenario.unwrap_or_else(|| panic!("{said:?}"));
    let plan = scenario.plan(&names, None, 1, 0, &[]).expect("a valid plan");
    let roster = Rc::new(Roster::new(Rc::new(plan)));
    Runner::new(&roster).expect("the world boots")
}

fn run(text: &str) -> u64 {
    let mut runner = runner(text);
    runner.go_on(false);
    runner.events()
}

/// Copies of a world of five nodes after five seconds of load, observer, faults and load included.
pub fn forks(bench: &mut Bench<'_>) {
    for keys in [1_000, 50_000] {
        let make = || {
            let mut runner = runner(&scenario(5, 20_000, "200/s", 20_000, keys));
            runner.go_until(contract::SimTime(5_000_000_000));
            (runner, 1)
        };
        bench.measure(("fork", "engine", keys), make, |runner| {
            runner.fork().expect("its nodes can be copied")
        });
    }
}

/// Elements are simulated milliseconds.
pub fn hyperion(bench: &mut Bench<'_>) {
    let idle = scenario(3, IDLE_MS, "1/s", 1_000, 0);
    bench.measure(("hyperion-idle", "engine", 3), || ((), IDLE_MS), |()| run(&idle));
    let busy = scenario(5, BUSY_MS, "1_000/s", BUSY_MS, 0);
    bench.measure(("hyperion-busy", "engine", 5), || ((), BUSY_MS), |()| run(&busy));
}
