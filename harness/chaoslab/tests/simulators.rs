//! The smoke scenarios with the tag `exact` on three simulators: every node sees the same.

use engine::exact::{HostError, HostResult, HostRun, Simulator};
use harness::cli::{Lab, names};
use harness::run::{self, Finished};
use harness::scenario::Scenario;
use harness::simulator::{Unequal, compare};
use host_madsim::Madsim;
use host_turmoil::Turmoil;
use std::path::Path;

const LAB: Lab = Lab { systems: sim::SYSTEMS, simulators: &[&Turmoil, &Madsim] };

fn run(name: &str) -> Finished {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().nth(2).expect("the binary lies two folders below the root");
    let path = root.join("scenarios").join(name);
    let source = std::fs::read(&path).expect("a readable file");
    let (scenario, _) = Scenario::compile(name, &source, &names(&LAB));
    let scenario = scenario.expect("a committed scenario compiles");
    assert!(scenario.tags().iter().any(|tag| tag == "exact"), "{name} lost its tag");
    let seed = scenario.seed().expect("a committed scenario has a seed");
    let plan = scenario.plan(&names(&LAB), None, seed, 0, &[]);
    run::run(plan.unwrap_or_else(|said| panic!("{said:?}")), false)
}

/// Holds a scenario on every simulator that is part of this build.
fn check(name: &str) {
    let here = run(name);
    for simulator in LAB.simulators {
        match compare(&here, *simulator) {
            Ok(equal) => {
                assert_eq!((equal.ops, equal.events), (here.ops.len(), here.events));
                assert!(equal.ops > 100, "{name}: {equal:?} is no test");
            }
            Err(Unequal::NotRun(HostError::Unavailable(why))) => {
                if cfg!(madsim) {
                    panic!("{}: {why}", simulator.name());
                }
                eprintln!("SKIP {}: {why}", simulator.name());
            }
            Err(unequal) => panic!("{name} on {}: {unequal:?}", simulator.name()),
        }
    }
}

#[test]
fn loss_is_equal() {
    check("smoke/loss.toml");
}

#[test]
fn crashes_and_restarts_are_equal() {
    check("smoke/crash-restart.toml");
}

#[test]
fn partitions_are_equal() {
    check("smoke/partition.toml");
}

/// A simulator that does not do as it is told.
struct Crooked(fn(&HostRun<'_>) -> Result<HostResult, HostError>);

impl Simulator for Crooked {
    fn name(&self) -> &'static str {
        "crooked"
    }
    fn run_exact(&self, run: &HostRun<'_>) -> Result<HostResult, HostError> {
        (self.0)(run)
    }
}

#[test]
fn a_simulator_that_leaves_out_a_fault_is_found_out() {
    let here = run("smoke/crash-restart.toml");
    let leaves_out = Crooked(|run| {
        let script = &run.script[..run.script.len() - 2];
        Turmoil.run_exact(&HostRun { script, ..*run })
    });
    let Err(Unequal::Differs(where_)) = compare(&here, &leaves_out) else {
        panic!("a missing crash goes unnoticed");
    };
    assert!(where_.starts_with("at h/") && where_.contains("Crash"), "{where_}");

    let too_late = Crooked(|run| {
        let result = Turmoil.run_exact(run);
        result.map(|result| HostResult { late: 1, ..result })
    });
    let void = Unequal::Void("1 parcels came too late".to_owned());
    assert_eq!(compare(&here, &too_late), Err(void));
}
