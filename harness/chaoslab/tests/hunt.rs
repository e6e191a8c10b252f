//! `hunt`: a correct system is silent, planted defects are found, and what is found depends on the
//! seed alone.

mod support;

use chaoslab::LAB;
use harness::cli::names;
use harness::hunt::{self, Hunted, Limits, Source};
use std::fs;
use support::{chaoslab, folder, stderr, stdout};

fn hunted(defects: &[&str], seed: u64, runs: u64, jobs: usize) -> Hunted {
    let names = names(&LAB);
    let system = names.system("hyperion").expect("it is one of ours");
    let defects: Vec<String> = defects.iter().map(|name| (*name).to_owned()).collect();
    let hunt = system.hunt().expect("it says what may be made of it");
    let source = Source { lab: &names, system, hunt, defects: &defects, name: "hunt/test" };
    let limits = Limits { seed, runs: Some(runs), seconds: None, jobs };
    hunt::hunt(&source, limits, &mut |_| {}).unwrap_or_else(|said| panic!("{said}"))
}

#[test]
fn a_correct_system_is_silent() {
    let hunted = hunted(&[], 1, 48, 2);
    let finds: Vec<_> = hunted.finds.values().map(|find| (find.number, &find.cause)).collect();
    assert!(finds.is_empty(), "{finds:#?}");
    assert_eq!(hunted.runs, 48);
    assert!(hunted.marks() > 20, "worlds in which something happens: {}", hunted.marks());
    assert!(hunted.states() > 50, "{}", hunted.states());
}

#[test]
fn planted_defects_are_found() {
    for defect in [
        "vote-not-persisted",
        "ack-before-quorum",
        "local-leader-read",
        "retry-non-idempotent",
        "weight-accounting-drift",
        "call-outlives-its-connection",
    ] {
        let hunted = hunted(&[defect], 3, 48, 2);
        assert!(!hunted.finds.is_empty(), "{defect} was not found in {} worlds", hunted.runs);
    }
}

#[test]
fn what_is_found_depends_on_no_thread() {
    let found = |jobs| {
        let hunted = hunted(&["vote-not-persisted"], 5, 20, jobs);
        let finds = hunted.finds.values().map(|find| (find.cause.clone(), find.number, find.times));
        (finds.collect::<Vec<_>>(), hunted.events, hunted.states(), hunted.novel)
    };
    assert_eq!(found(1), found(3));
}

#[test]
fn a_find_is_kept_as_a_scenario_that_runs_by_itself() {
    let folder = folder("hunt", "kept");
    let args = ["hunt", "hyperion", "--runs", "16", "--seed", "3", "--no-shrink"];
    let output = chaoslab(&folder, &[&args[..], &["--defect", "weight-accounting-drift"]].concat());
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(stdout(&output).contains("hyperion.size_accounting"), "{}", stdout(&output));
    let kept = fs::read_dir(folder.join("out/hunt/hyperion")).expect("finds are kept there");
    let kept: Vec<_> = kept.map(|entry| entry.expect("a folder").path()).collect();
    let accounting = kept.iter().find(|path| path.to_string_lossy().contains("size-accounting"));
    let world = accounting.expect("a folder for the find").join("world.toml");
    let again = chaoslab(&folder, &["run", &world.to_string_lossy()]);
    assert_eq!(again.status.code(), Some(1), "{again:?}");
    assert!(stdout(&again).contains("hyperion.size_accounting"), "{}", stdout(&again));
}

#[test]
fn what_is_not_there_is_said() {
    let folder = folder("hunt", "wrong");
    for (args, said) in [
        (vec!["hunt", "hyperio"], "there is no system `hyperio`"),
        (vec!["hunt", "hyperion", "--defect", "none"], "has no defect `none`"),
    ] {
        let output = chaoslab(&folder, &args);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(stderr(&output).contains(said), "{output:?}");
    }
}
