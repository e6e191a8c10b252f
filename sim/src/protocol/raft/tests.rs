//! Random runs of whole groups: silent without a flaw, loud with one.

use super::Flaws;
extern crate std;

use super::testkit::{Played, Profile, play, run};
use alloc::vec::Vec;

#[test]
fn clean_runs_break_nothing() {
    let mut totals = [0; 4];
    for (profile, seeds) in [
        (Profile::mixed(), 60),
        (Profile::triggers(), 30),
        (Profile::storm(), 10),
    ] {
        for seed in 0..seeds {
            let outcome = run(seed, &profile, Flaws::default());
            assert_eq!(
                outcome.broken,
                Vec::<&str>::new(),
                "seed {seed}: {:?}",
                outcome.details
            );
            assert!(
                outcome.has_converged,
                "seed {seed} has no single leader after ten calm seconds"
            );
            let seen = [
                outcome.committed,
                outcome.reads,
                outcome.lease_reads,
                outcome.elections,
            ];
            totals
                .iter_mut()
                .zip(seen)
                .for_each(|(total, seen)| *total += seen);
        }
    }
    std::eprintln!("{totals:?}");
    assert!(
        totals.iter().all(|&total| total > 100),
        "the runs did nothing: {totals:?}"
    );
}

#[test]
fn sensitivity_tmp() {
    let seeds: u64 = std::env::var("SEEDS")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(0);
    for defect in super::DEFECTS {
        if let Ok(only) = std::env::var("ONLY")
            && only != defect.name
        {
            continue;
        }
        for (name, profile) in [
            ("mixed", Profile::mixed()),
            ("trig", Profile::triggers()),
            ("storm", Profile::storm()),
        ] {
            let mut broken = std::collections::BTreeMap::<&str, u64>::new();
            let mut stuck = 0;
            let mut elections = 0;
            let mut late = 0;
            let mut hits = 0;
            let mut first = None;
            for seed in 0..seeds {
                let outcome = run(seed, &profile, Flaws::from_names(&[defect.name]));
                for rule in &outcome.broken {
                    *broken.entry(rule).or_default() += 1;
                }
                if !outcome.broken.is_empty() {
                    hits += 1;
                    if first.is_none() {
                        first = Some(seed);
                    }
                }
                stuck += u64::from(!outcome.has_converged);
                elections += outcome.elections;
                late += outcome.late_elections;
            }
            std::eprintln!(
                "{:38} {name:6} hits {hits}/{seeds} first {first:?} {broken:?} stuck {stuck} elections {elections} late {late}",
                defect.name
            );
        }
    }
}

/// Plays a transcript and compares it with its file, or rewrites the file.
fn transcript(path: &str, text: &str) -> Played {
    let played = play(text, true);
    if played.text != text && std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &played.text).unwrap();
    } else {
        let text_played = &played.text;
        assert!(
            text_played == text,
            "{path} differs; review it after UPDATE=1:\n{text_played}"
        );
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

#[test]
fn every_flaw_breaks_what_it_says_and_only_when_planted() {
    let scripts = scripts("testdata/flaws");
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
            wrong.push(std::format!("{path}: {:?} without the flaw", clean.broken));
        }
        let is_safety = defect.caught_by == "linearizable" || defect.caught_by.starts_with("raft.");
        // A flaw of liveness: the group has no leader, or elects one again and again.
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
