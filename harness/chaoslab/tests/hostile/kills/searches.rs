//! Kills of the commands that search for long and write at the end: `shrink`, `cause`, `zoo`.

use super::{on_its_way, signal};
use crate::limits::{End, run};
use crate::{GOOD, folder, names, rng, times};
use std::fs;
use std::path::Path;

/// Kills that are tried where nobody asks for more.
const KILLS: u64 = 9;

/// Where the commands write.
const FOLDERS: [&str; 5] = [".", "out", "out/bad", "out/bad/4", "z"];

/// A command, the file that it writes, and what it ends with where nobody disturbs it.
type Search = (&'static [&'static str], &'static str, i32);

const SEARCHES: [Search; 3] = [
    (&["shrink", "out/bad/4", "--trials", "40"], "out/bad/4/minimal.toml", 0),
    (
        &[
            "cause",
            "out/bad/4",
            "--trials",
            "12",
            "--points",
            "2",
            "--futures",
            "2",
            "--messages",
            "2",
            "--jobs",
            "1",
        ],
        "out/bad/4/cause.json",
        0,
    ),
    (
        &["zoo", "good.toml", "--seeds", "1", "--clean", "1", "--jobs", "1", "--write", "z"],
        "z/zoo.json",
        0,
    ),
];

/// A run that fails, with what its user put beside it, and a small scenario for the zoo.
fn prepare(folder: &Path) {
    let few = "[[check]]\nid = \"few\"\nkind = \"count\"\nwhat = \"clients.kv.ok\"\nmax = 3\n\n[[variant]]";
    let bad = GOOD.replace("\"good\"", "\"bad\"").replacen("[[variant]]", few, 1);
    fs::write(folder.join("bad.toml"), bad).expect("a writable folder");
    let short = GOOD.replace("\"6s\"", "\"2s\"").replace("\"3s\"", "\"1s\"");
    fs::write(folder.join("good.toml"), short).expect("a writable folder");
    let ended = run(folder, &["run", "bad.toml"], End::Itself(60));
    assert_eq!(ended.status, 1, "{}", ended.shown());
    fs::write(folder.join("out/bad/4/note.txt"), "mine").expect("a writable folder");
    fs::create_dir_all(folder.join("z")).expect("a writable folder");
    fs::write(folder.join("z/mine.md"), "mine").expect("a writable folder");
}

fn is_json(path: &Path) -> bool {
    let Ok(text) = fs::read_to_string(path) else { return true };
    serde_json::from_str::<serde_json::Value>(&text).is_ok()
}

/// What is there is whole, and what the user put there is what it was.
fn check_whole(folder: &Path, args: &[&str]) {
    for path in ["out/bad/4/note.txt", "z/mine.md"] {
        assert_eq!(fs::read_to_string(folder.join(path)).expect("the user's file"), "mine");
    }
    for path in ["out/bad/4/run.json", "out/bad/4/cause.json", "z/zoo.json"] {
        assert!(is_json(&folder.join(path)), "{args:?}: {path} is half a file");
    }
    if folder.join("out/bad/4/minimal.toml").exists() {
        let ended = run(folder, &["check", "out/bad/4/minimal.toml"], End::Itself(20));
        assert_eq!(ended.status, 0, "{args:?}: {}", ended.shown());
    }
    let ended = run(folder, &["report", "out/bad/4"], End::Itself(20));
    assert_eq!(ended.status, 0, "{args:?}: {}", ended.shown());
    for path in ["out/bad/4/report.html", "out/bad/4/report.md", "z/zoo.md"] {
        let Ok(text) = fs::read_to_string(folder.join(path)) else { continue };
        assert!(text.ends_with('\n') && text.len() > 200, "{args:?}: {path} is half a file");
    }
}

#[test]
fn a_search_that_is_killed_leaves_whole_files_and_can_be_repeated() {
    let folder = folder("killed-searches");
    let mut rng = rng("killed-searches");
    prepare(&folder);
    let plan = fs::read(folder.join("out/bad/4/plan.toml")).expect("a plan");
    for nth in 0..times(500).max(KILLS) {
        let (args, ..) = SEARCHES[(nth % 3) as usize];
        let (signal, ms) = (signal(&mut rng), rng.range(1, 2_500));
        let before = on_its_way(&folder, &FOLDERS);
        run(&folder, args, End::Signal(signal, ms));
        if signal != "KILL" {
            let mut new = on_its_way(&folder, &FOLDERS);
            new.retain(|name| !before.contains(name));
            assert!(new.is_empty(), "{args:?} after {ms} ms: {new:?}");
        }
        check_whole(&folder, args);
        assert_eq!(fs::read(folder.join("out/bad/4/plan.toml")).expect("a plan"), plan);
    }
    for (args, written, status) in SEARCHES {
        let ended = run(&folder, args, End::Itself(120));
        assert_eq!(ended.status, status, "{args:?}: {}", ended.shown());
        assert!(folder.join(written).exists(), "{args:?} writes {written}: {}", ended.shown());
    }
    check_whole(&folder, &["all of them"]);
    assert_eq!(on_its_way(&folder, &FOLDERS), Vec::<String>::new());
    assert!(names(&folder.join("out/bad")).contains(&"4".to_owned()));
}
