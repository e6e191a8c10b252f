//! Whole Hyperion worlds, with the history and all invariants on: copies against the size of their
//! state, simulated time per wall time idle and under load, growth with the number of clients, and
//! the smoke scenarios.

use devkit::measure::Bench;
use harness::cli::{Lab, names};
use harness::run::Runner;
use harness::select::Roster;
use harness::stopwatch::Stopwatch;
use scenario::Scenario;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;

const LAB: Lab = Lab::of(sim::SYSTEMS);

/// The simulated milliseconds of the idle world.
const IDLE_MS: u64 = 3_000_000;

/// A cluster with its load.
#[derive(Clone, Copy)]
struct Shape {
    nodes: u32,
    sim_ms: u64,
    clients: u32,
    /// Operations per second of all clients, until `stop_ms`.
    rate: u32,
    stop_ms: u64,
    /// Keys in every node from the start.
    entries: u32,
}

/// Five nodes at 1 000 operations per simulated second.
const BUSY: Shape =
    Shape { nodes: 5, sim_ms: 10_000, clients: 20, rate: 1_000, stop_ms: 10_000, entries: 0 };

fn scenario(shape: Shape) -> String {
    let Shape { nodes, sim_ms, clients, rate, stop_ms, entries } = shape;
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
rate   = "{rate}/s"
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
            // Few clients beside the nodes that are copied.
            let load = Shape { clients: 5, rate: 200, ..BUSY };
            let shape = Shape { sim_ms: 20_000, stop_ms: 20_000, entries: keys, ..load };
            let mut runner = runner(&scenario(shape));
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
    let idle = Shape { nodes: 3, sim_ms: IDLE_MS, rate: 1, stop_ms: 1_000, ..BUSY };
    let idle = scenario(idle);
    bench.measure(("hyperion-idle", "engine", 3), || ((), IDLE_MS), |()| run(&idle));
    let busy = scenario(BUSY);
    bench.measure(("hyperion-busy", "engine", 5), || ((), BUSY.sim_ms), |()| run(&busy));
}

/// The same operations per second from more and more clients. Elements are events.
pub fn clients(bench: &mut Bench<'_>) {
    for clients in [10, 100, 1_000] {
        let world = scenario(Shape { clients, ..BUSY });
        let make = || ((), run(&world));
        bench.measure(("growth-clients", "engine", clients), make, |()| run(&world));
    }
}

/// The smoke scenarios by name: compiled once, each run from its plan to its verdicts.
pub const SMOKE: [&str; 5] = ["crash-restart", "loss", "partition", "recovery", "steady"];

/// Elements are seeds.
pub fn smoke(bench: &mut Bench<'_>) {
    let names = names(&LAB);
    for name in SMOKE {
        let path = root().join("scenarios/smoke").join(name).with_extension("toml");
        let text = std::fs::read(&path).expect("a committed scenario");
        let (scenario, said) = Scenario::compile(name, &text, &names);
        let scenario = scenario.unwrap_or_else(|| panic!("{said:?}"));
        bench.measure(
            ("smoke", name, 1),
            || (0, 1),
            |seed| {
                *seed += 1;
                let plan = scenario.plan(&names, None, *seed, 0, &[]).expect("a valid plan");
                harness::run::run(plan, false).events
            },
        );
    }
}

/// The root of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("the binary lies two folders below the root").to_owned()
}

/// Seeds of a sweep with one job and with two, in wall time: what is asked is how well two
/// processors share the work. The best of three; `None` when the machine has but one.
pub fn sweep() -> Option<f64> {
    if std::thread::available_parallelism().map_or(1, usize::from) < 2 {
        return None;
    }
    let best = |jobs: &str| (0..3).map(|_| swept(jobs)).fold(f64::INFINITY, f64::min);
    let (one, two) = (best("1"), best("2"));
    Some(one / (2.0 * two) * 100.0)
}

fn swept(jobs: &str) -> f64 {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("swept");
    let watch = Stopwatch::start();
    let status = Command::new(env!("CARGO_BIN_EXE_chaoslab"))
        .args(["sweep", "scenarios/smoke/steady.toml", "--seeds", "0..200", "--jobs", jobs])
        .arg("--out")
        .arg(out)
        .current_dir(root())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(status.expect("the binary runs").success(), "no seed of the scenario fails");
    watch.seconds()
}
