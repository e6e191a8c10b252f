//! Scenarios on three simulators: with the tag `exact` every node sees the same, and on turmoil's
//! own network the checks say the same.

use catalog::Verdict;
use chaoslab::LAB;
use engine::hosting::{HostError, HostResult, HostRun, Simulator};
use harness::cli::names;
use harness::loose::{self, Loose};
use harness::run::{self, Finished};
use harness::simulator::{Unequal, compare};
use host_madsim::Madsim;
use host_turmoil::Turmoil;
use scenario::Scenario;
use scenario::plan::Plan;
use std::path::Path;

/// The plan of a committed scenario with its own seed, and its tags.
fn plan(name: &str, variant: Option<&str>) -> (Plan, Vec<String>) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().nth(2).expect("the binary lies two folders below the root");
    let path = root.join("scenarios").join(name);
    let source = std::fs::read(&path).expect("a readable file");
    let (scenario, _) = Scenario::compile(name, &source, &names(&LAB));
    let scenario = scenario.expect("a committed scenario compiles");
    let seed = scenario.seed().expect("a committed scenario has a seed");
    let plan = scenario.plan(&names(&LAB), variant, seed, 0, &[]);
    (plan.unwrap_or_else(|said| panic!("{said:?}")), scenario.tags().to_vec())
}

fn run(name: &str) -> Finished {
    let (plan, tags) = plan(name, None);
    assert!(plan.exact && tags.iter().any(|tag| tag == "exact"), "{name} lost its tag");
    run::run(plan, false)
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

fn loosely(name: &str, variant: Option<&str>) -> Loose {
    let (plan, _) = plan(name, variant);
    let here = run::run(plan, false);
    loose::run(&here, &Turmoil).expect("turmoil has a loose mode")
}

fn verdict(loose: &Loose, id: &str) -> Verdict {
    let found = loose.verdicts.iter().find(|(check, _)| check == id);
    found.unwrap_or_else(|| panic!("{id} was not judged: {loose:?}")).1.clone()
}

#[test]
fn turmoils_own_network_serves_clients_and_no_check_fires() {
    let loose = loosely("smoke/steady.toml", None);
    assert_eq!((&loose.skipped[..], &loose.problems[..]), (&[][..], &[][..]));
    assert_eq!(verdict(&loose, "lin"), Verdict::Ok);
    assert_eq!(verdict(&loose, "one-leader-per-term"), Verdict::Ok);
    assert!(loose.answered > 2_000, "{loose:?}");
    assert_eq!(loose.unjudged, ["settles"]);
}

#[test]
fn a_planted_flaw_shows_on_turmoil_too() {
    let sound = loosely("defects/double-vote.toml", None);
    assert_eq!(verdict(&sound, "election-safety"), Verdict::Ok);
    let flawed = loosely("defects/double-vote.toml", Some("double-vote-same-term"));
    assert!(matches!(verdict(&flawed, "election-safety"), Verdict::Violated(_)));
}

#[test]
fn a_fault_that_turmoil_does_not_offer_is_named() {
    let loose = loosely("smoke/loss.toml", None);
    let lacks = ["loss of single", "duplicated", "reordered", "corrupted"];
    assert_eq!(loose.skipped, lacks.map(|law| format!("{law} messages")));
}

#[test]
fn madsim_says_that_it_has_no_loose_mode() {
    let (plan, _) = plan("smoke/steady.toml", None);
    let here = run::run(plan, false);
    let said = loose::run(&here, &Madsim).expect_err("only turmoil has a loose mode");
    assert_eq!(said, HostError::Unavailable("it has no loose mode"));
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
