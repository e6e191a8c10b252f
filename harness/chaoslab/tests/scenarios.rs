//! Every committed scenario ends as it says, with the same digest however often and in whatever
//! company it runs.

use chaoslab::LAB;
use devkit::tree::{files, root};
use harness::cli::names;
use harness::outcome::outcome;
use harness::run;
use scenario::Scenario;
use scenario::plan::Plan;
use std::fs;
use std::path::{Path, PathBuf};

fn load(path: &Path) -> Scenario {
    let source = fs::read_to_string(path).expect("a readable file");
    let shown = path.display().to_string();
    let (scenario, said) = Scenario::compile(&shown, source.as_bytes(), &names(&LAB));
    scenario.unwrap_or_else(|| {
        panic!("{}", scenario::diagnostics::render(&said, &source, &shown, false))
    })
}

fn plan(scenario: &Scenario, variant: Option<&str>) -> Plan {
    let seed = scenario.seed().expect("a committed scenario has a seed");
    let point = seed % scenario.points(variant);
    let plan = scenario.plan(&names(&LAB), variant, seed, point, &[]);
    plan.unwrap_or_else(|said| panic!("{said:?}"))
}

/// Base and variants of every scenario, on their own seeds.
#[test]
fn every_scenario_ends_as_it_says() {
    let files = files(&root().join("scenarios"), "toml");
    assert!(files.len() >= 5, "the scenarios were not found");
    for path in files {
        let scenario = load(&path);
        let variants = scenario.variants().into_iter().map(Some);
        for variant in std::iter::once(None).chain(variants) {
            let finished = run::run(plan(&scenario, variant), false);
            let outcome = outcome(&finished);
            let fired: Vec<_> =
                finished.verdicts.iter().map(|judged| (&judged.id, &judged.verdict)).collect();
            assert!(
                outcome.as_expected(),
                "{} {variant:?}: {outcome:?} {fired:#?} {:#?}",
                path.display(),
                finished.unnamed
            );
        }
    }
}

/// The digest does not depend on what ran before in the same process.
#[test]
fn the_order_of_scenarios_does_not_matter() {
    let smoke = files(&root().join("scenarios/smoke"), "toml");
    let digest = |path: &PathBuf| run::run(plan(&load(path), None), false).digest;
    let forward: Vec<u64> = smoke.iter().map(digest).collect();
    let mut backward: Vec<u64> = smoke.iter().rev().map(digest).collect();
    backward.reverse();
    assert!(!forward.is_empty() && !forward.contains(&0));
    assert_eq!(forward, backward);
}

#[test]
fn another_seed_is_another_run() {
    let scenario = load(&root().join("scenarios/smoke/steady.toml"));
    let names = names(&LAB);
    let digest = |seed| {
        let plan =
            scenario.plan(&names, None, seed, 0, &[]).unwrap_or_else(|said| panic!("{said:?}"));
        run::run(plan, false).digest
    };
    assert_ne!(digest(1), digest(2));
}
