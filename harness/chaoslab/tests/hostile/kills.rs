//! Kills of every command that writes, at any moment: what is there is whole, old or new, and what
//! the user put beside it stays.

use crate::limits::{End, run};
use crate::{GOOD, folder, names, rng, times};
use contract::Rng;
use std::fs;
use std::path::Path;

mod searches;

/// Kills that are tried where nobody asks for more.
const KILLS: u64 = 12;

/// What a run leaves.
const OF_A_RUN: [&str; 6] =
    ["history.jsonl", "metrics.prom", "plan.toml", "report.html", "report.md", "run.json"];

/// A scenario file out of the house style.
fn untidy() -> String {
    GOOD.replace(" = ", "  =  ")
}

fn prepare(folder: &Path) {
    fs::write(folder.join("good.toml"), GOOD).expect("a writable folder");
    fs::write(folder.join("untidy.toml"), untidy()).expect("a writable folder");
}

/// The commands that write, with the file or folder that each writes.
fn commands() -> [(&'static [&'static str], &'static str); 5] {
    [
        (&["run", "good.toml"], "out/good/4"),
        (&["fmt", "untidy.toml"], "untidy.toml"),
        (&["sweep", "good.toml", "--seeds", "0..3", "--resume", "--report", "md=s.md"], "s.md"),
        (&["new", "fresh.toml"], "fresh.toml"),
        (&["history", "out/good/4/history.jsonl", "--svg", "h.svg"], "h.svg"),
    ]
}

/// What is left of what was on its way.
fn left(folder: &Path) -> Vec<String> {
    on_its_way(folder, &[".", "out", "out/good", "out/good/4"])
}

/// Names of parts, and of directories that are being exchanged, in some folders.
fn on_its_way(folder: &Path, folders: &[&str]) -> Vec<String> {
    let on_its_way = |name: &String| name.ends_with(".partial") || name.ends_with(".old");
    let all = folders.iter().flat_map(|one| names(&folder.join(one)));
    all.filter(on_its_way).collect()
}

fn check_whole(folder: &Path, note: bool) {
    let dir = names(&folder.join("out/good/4"));
    if dir.is_empty() && left(folder).iter().any(|name| name.ends_with(".old")) {
        // Killed while it was exchanged: the next run takes up what is beside it.
        return;
    }
    if !dir.is_empty() {
        let missing: Vec<_> =
            OF_A_RUN.iter().filter(|name| !dir.contains(&(**name).to_owned())).collect();
        assert!(missing.is_empty(), "{missing:?} is missing");
        let ended = run(folder, &["report", "out/good/4"], End::Itself(20));
        assert_eq!(ended.status, 0, "{}", ended.shown());
    }
    assert!(!note || dir.contains(&"note.txt".to_owned()), "the user's note is gone");
    let text = fs::read_to_string(folder.join("untidy.toml")).expect("the user's file");
    let is_tidy = text.starts_with("format = 1\n") && text.ends_with("= \"pass\"\n");
    assert!(text == untidy() || is_tidy, "{text}");
}

fn signal(rng: &mut Rng) -> &'static str {
    ["KILL", "TERM", "INT"][rng.below(3) as usize]
}

#[test]
fn whatever_is_killed_leaves_whole_files() {
    let folder = folder("kills");
    let mut rng = rng("kills");
    prepare(&folder);
    let mut note = false;
    for _ in 0..times(500).max(KILLS) {
        let (args, _) = commands()[rng.below(5) as usize];
        let (signal, ms) = (signal(&mut rng), rng.range(1, 700));
        let before = left(&folder);
        run(&folder, args, End::Signal(signal, ms));
        if signal != "KILL" {
            let mut new = left(&folder);
            new.retain(|name| !before.contains(name));
            assert!(new.is_empty(), "{args:?} after {ms} ms: {new:?}");
        }
        check_whole(&folder, note);
        if !note && folder.join("out/good/4").is_dir() {
            fs::write(folder.join("out/good/4/note.txt"), "mine").expect("a writable folder");
            note = true;
        }
        if rng.below(4) == 0 {
            prepare(&folder);
            // Another record, as another lab would have written it, so that it is exchanged.
            let record = folder.join("out/good/4/run.json");
            if let Ok(text) = fs::read_to_string(&record) {
                fs::write(&record, text.replace("a small world", "a world")).expect("writable");
            }
        }
    }
    drop(fs::remove_file(folder.join("fresh.toml")));
    for (args, written) in commands() {
        let ended = run(&folder, args, End::Itself(60));
        assert!(!ended.is_crash(), "{args:?}: {}", ended.shown());
        let is_there = folder.join(written).exists();
        assert!(is_there || written == "h.svg", "{args:?} writes {written}: {}", ended.shown());
    }
    check_whole(&folder, note);
    assert_eq!(left(&folder), Vec::<String>::new());
}
