//! Random runs of whole groups: silent without a defect, loud with one.

use super::Defects;
extern crate std;

use super::testkit::{Played, Profile, play, run};
use alloc::vec::Vec;

/// The profiles of random runs, by name.
fn profile(name: &str) -> Profile {
    match name {
        "mixed" => Profile::mixed(),
        "triggers" => Profile::triggers(),
        "storm" => Profile::storm(),
        "calm" => Profile::calm(),
        "snapshots" => Profile::snapshots(),
        "changes" => Profile::changes(),
        _ => panic!("no such profile: {name}"),
    }
}

#[test]
fn clean_runs_break_nothing() {
    let mut totals = [0; 6];
    let profiles =
        [("mixed", 60), ("triggers", 60), ("storm", 20), ("snapshots", 80), ("changes", 150)];
    for (name, seeds) in profiles {
        let profile = profile(name);
        for seed in 0..seeds {
            let outcome = run(seed, &profile, Defects::default());
            let details = &outcome.details;
            assert!(outcome.broken.is_empty(), "{name} seed {seed}: {details:?}");
            assert_eq!(outcome.pending, None, "{name} seed {seed}: {}", outcome.end);
            assert_eq!(outcome.late_elections, 0, "{name} seed {seed}: no peace");
            let seen = [
                outcome.committed,
                outcome.reads,
                outcome.lease_reads,
                outcome.elections,
                outcome.snapshots * 5,
                outcome.changes,
            ];
            totals.iter_mut().zip(seen).for_each(|(total, seen)| *total += seen);
        }
    }
    let is_busy = totals.iter().all(|&total| total > 500);
    assert!(is_busy, "the runs did nothing: {totals:?}");
}

#[test]
fn equal_seeds_are_equal_runs() {
    for seed in 0..4 {
        let digest = || run(seed, &Profile::mixed(), Defects::default()).digest;
        assert_eq!(digest(), digest());
        let other = run(seed + 100, &Profile::mixed(), Defects::default()).digest;
        assert_ne!(digest(), other);
    }
}

/// What chance finds within so many seeds. The others have their scripts: a third of the classic
/// defects are out of reach of uniform random faults.
#[test]
fn random_runs_find_defects() {
    let table = [
        ("vote-not-persisted", "mixed", 5, "raft.monotonic"),
        ("term-not-persisted", "mixed", 5, "raft.monotonic"),
        ("double-vote-same-term", "storm", 80, "raft.one_leader_per_term"),
        ("uptodate-index-only", "mixed", 120, "raft.leader_completeness"),
        ("truncate-on-matching-append", "mixed", 40, "raft.leader_completeness"),
        ("missing-prev-term-check", "storm", 10, "raft.log_matching"),
        ("commit-past-verified-prefix", "mixed", 10, "raft.state_machine_safety"),
        ("quorum-off-by-one", "mixed", 40, "raft.leader_completeness"),
        ("ack-before-quorum", "mixed", 10, "raft.state_machine_safety"),
        ("leader-rewrites-log", "mixed", 5, "raft.leader_append_only"),
        ("readindex-before-own-term-commit", "triggers", 20, "stale read"),
        ("lease-survives-leader-transfer", "triggers", 40, "stale lease read"),
    ];
    for (name, conditions, seeds, rule) in table {
        let profile = profile(conditions);
        let defects = Defects::from_names(&[name]);
        let found = (0..seeds).find(|&seed| run(seed, &profile, defects).broken.contains(&rule));
        assert!(found.is_some(), "{name} is not found within {seeds} {conditions} seeds");
    }
}

/// A defect that has no occasion to show leaves no trace, so a run with it can be compared with the
/// run without.
#[test]
fn defects_without_an_occasion_change_nothing() {
    // These need no fault to show: a read that arrives while a heartbeat is on its way is enough.
    let have_occasion = [
        "disruptive-rejoin",
        "equal-fixed-timeouts",
        "commit-past-verified-prefix",
        "quorum-off-by-one",
        "ack-before-fsync",
        "readindex-ack-not-bound-to-round",
        "sync-covers-later-writes",
        "own-match-before-sync",
        "heartbeat-answer-counts-as-match",
    ];
    for defect in super::DEFECTS {
        let defects = Defects::from_names(&[defect.name]);
        let is_same = |seed| {
            let digest = |defects| run(seed, &Profile::calm(), defects).digest;
            digest(defects) == digest(Defects::default())
        };
        let is_silent = (0..4).all(is_same);
        let is_expected = !have_occasion.contains(&defect.name);
        assert_eq!(is_silent, is_expected, "{}", defect.name);
    }
}

/// Plays a transcript and compares it with its file, or rewrites the file.
fn transcript(path: &str, text: &str) -> Played {
    let played = play(text, true);
    if played.text != text && std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &played.text).unwrap();
    } else {
        let text_played = &played.text;
        assert!(text_played == text, "{path} differs; review it after UPDATE=1:\n{text_played}");
    }
    played
}

fn scripts(folder: &str) -> Vec<(std::string::String, std::string::String)> {
    let folder = std::format!("{}/src/protocol/raft/{folder}", env!("CARGO_MANIFEST_DIR"));
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    paths.sort();
    let read = |path: std::path::PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        (path.into_os_string().into_string().unwrap(), text)
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn transcripts_explain_the_protocol() {
    for (path, text) in scripts("testdata") {
        let broken = transcript(&path, &text).broken;
        assert!(broken.is_empty(), "{path} breaks {broken:?}");
    }
}

/// More disks lost than a group survives: the breaches are named, and nothing panics.
#[test]
fn what_is_beyond_the_budget_is_named() {
    for (path, text) in scripts("testdata/beyond") {
        let broken = transcript(&path, &text).broken;
        assert!(!broken.is_empty(), "{path} breaks nothing");
    }
}

#[test]
fn every_defect_breaks_what_it_says_and_only_when_planted() {
    let scripts = scripts("testdata/defects");
    let mut wrong = Vec::new();
    for defect in super::DEFECTS {
        let file = std::format!("/{}.txt", defect.name);
        let (path, text) = scripts
            .iter()
            .find(|(path, _)| path.ends_with(&file))
            .unwrap_or_else(|| panic!("{} has no script", defect.name));
        let planted = transcript(path, text);
        let clean = play(text, false);
        if !clean.broken.is_empty() {
            wrong.push(std::format!("{path}: {:?} without the defect", clean.broken));
        }
        let is_safety = defect.caught_by == "linearizable" || defect.caught_by.starts_with("raft.");
        // A defect of liveness: the group has no leader, or elects one again and again.
        let is_seen = if is_safety {
            planted.broken.contains(defect.caught_by)
        } else {
            planted.elections > clean.elections
                || clean.has_single_leader && !planted.has_single_leader
        };
        if !is_seen {
            wrong.push(std::format!("{path}: breaks only {:?}", planted.broken));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
