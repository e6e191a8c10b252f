//! Random faults: a mix is what its budget says, a survivable one breaks nothing, and one that goes
//! beyond says where.

use chaoslab::{LAB, three_caches};
use harness::budget::{self, LINES};
use harness::cli::names;
use harness::record;
use harness::run::{self, Ended};
use scenario::Scenario;
use scenario::plan::Plan;
use std::collections::BTreeSet;

fn compile(name: &str, source: &[u8]) -> Scenario {
    let (scenario, said) = Scenario::compile(name, source, &names(&LAB));
    scenario.unwrap_or_else(|| panic!("{said:?}"))
}

/// The committed scenario.
fn committed() -> Scenario {
    let path = devkit::tree::root().join("scenarios/hyperion/random-faults.toml");
    compile("random-faults.toml", &std::fs::read(path).expect("a readable file"))
}

fn plan(scenario: &Scenario, variant: Option<&str>, seed: u64) -> Plan {
    let plan = scenario.plan(&names(&LAB), variant, seed, 0, &[]);
    plan.unwrap_or_else(|said| panic!("{said:?}"))
}

/// The lines that a cluster of five with these tables exceeds.
fn exceeded(tables: &str) -> Vec<&'static str> {
    const HEAD: &str = three_caches!("x", 1, "20s", "50_000_000", "");
    let five = HEAD.replace("count = 3", "count = 5");
    let text = format!(
        "{five}{tables}\n\
         [clients.kv]\ntarget = \"h/any\"\nops = {{ get = 1, put = 1 }}\nkeys = {{ count = 9 }}\n\
         [[check]]\nid = \"lin\"\nkind = \"linearizable\"\nmodel = \"register-cas\"\nover = \"clients.kv\"\n"
    );
    let plan = plan(&compile("x.toml", text.as_bytes()), None, 1);
    budget::exceeded(&plan).iter().map(|exceeded| exceeded.line).collect()
}

fn fault(id: &str, rest: &str) -> String {
    format!("[[fault]]\nid = \"{id}\"\nat = \"5s\"\nfor = \"1s\"\n{rest}\n")
}

#[test]
fn each_line_of_the_budget_has_a_plan_inside_and_one_beyond() {
    let disk = |node: &str, field: &str| format!("kind = \"disk\"\nnode = \"h/{node}\"\n{field}");
    let crash = |node: &str, disk: &str| {
        format!("kind = \"crash\"\nnode = \"h/{node}\"\ndisk = \"{disk}\"")
    };
    let two = |a: &str, b: &str| fault("a", a) + &fault("b", b);
    let drift = |ppm: i32| format!("kind = \"clock\"\nnode = \"h/2\"\ndrift_ppm = {ppm}");
    let bounded = "[clock.h]\ndrift_max = \"1%\"\ndrift_ppm = 4_000\n";
    let rot = "read_corrupt = \"1%\"";
    let lie = disk("1", "sync_lie = \"10%\"");
    let cases = [
        ("wiped-disk", fault("a", &crash("1", "torn")), fault("a", &crash("1", "wipe"))),
        ("lying-sync", two(&lie, &crash("2", "torn")), two(&lie, &crash("1", "torn"))),
        ("lying-sync", two(&lie, &crash("1", "keep")), two(&lie, &crash("leader", "torn"))),
        ("damaged-disks", two(&disk("1", rot), &disk("2", rot)), fault("a", &disk("any", rot))),
        (
            "clock-drift",
            bounded.to_owned() + &fault("a", &drift(6_000)),
            bounded.to_owned() + &fault("a", &drift(-6_001)),
        ),
    ];
    for (line, inside, beyond) in &cases {
        assert_eq!(exceeded(inside), [""; 0], "{inside}");
        assert_eq!(exceeded(beyond), [*line], "{beyond}");
    }
    let crossed: BTreeSet<&str> = cases.iter().map(|(line, ..)| *line).collect();
    assert_eq!(crossed, LINES.iter().map(|(line, _)| *line).collect());
}

#[test]
fn mixes_are_what_their_budget_says() {
    let scenario = committed();
    let mut kinds = BTreeSet::new();
    for seed in 0..300 {
        let survivable = plan(&scenario, None, seed);
        assert_eq!(budget::exceeded(&survivable), [], "seed {seed}");
        assert_eq!(survivable.faults.len(), 10);
        kinds.extend(survivable.faults.iter().map(|fault| fault.kind));
        assert_ne!(budget::exceeded(&plan(&scenario, Some("beyond"), seed)), [], "seed {seed}");
    }
    let known = ["clock", "clog", "crash", "disk", "link", "memory-pressure", "partition"];
    let known = known.into_iter().chain(["pause", "slow-cpu", "swizzle-clog"]);
    assert_eq!(kinds, known.collect());
}

#[test]
fn a_survivable_mix_breaks_nothing() {
    let scenario = committed();
    for seed in 0..8 {
        let run = run::run(plan(&scenario, None, seed), false);
        let outcome = harness::outcome::outcome(&run);
        assert!(outcome.as_expected(), "seed {seed}: {outcome:?}");
    }
}

#[test]
fn a_mix_beyond_the_budget_ends_and_says_which_line_was_exceeded() {
    let scenario = committed();
    for seed in 0..8 {
        let run = run::run(plan(&scenario, Some("beyond"), seed), false);
        assert!(matches!(run.ended, Ended::InTime | Ended::Panicked), "{:?}", run.ended);
        let notes = record::record(&run).notes;
        assert!(notes.iter().any(|note| note.contains("Beyond the fault budget")), "{notes:?}");
    }
}
