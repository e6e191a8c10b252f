//! What was found once, each as it should be.

use crate::limits::{End, Ended, limited, on_full_disk, run};
use crate::{GOOD, case, folder, names, prepared};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

const SOON: End = End::Itself(60);

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}

#[test]
fn a_huge_range_of_seeds_takes_no_memory() {
    let folder = prepared("lazy");
    let seeds = ["sweep", "good.toml", "--variant", "all", "--jobs", "1", "--time-limit", "1ns"];
    let ended = run(&folder, &[&seeds[..], &["--seeds", "0..400000000000"]].concat(), SOON);
    assert_eq!(ended.status, 0, "{}", ended.shown());
    assert!(ended.out.contains("of 800,000,000,000 runs were not run"), "{}", ended.out);
    let ended = run(&folder, &[&seeds[..], &["--seeds", "0..18446744073709551615"]].concat(), SOON);
    assert_eq!(ended.status, 2, "{}", ended.shown());
    let huge = case("merge-huge.jsonl");
    let ended = run(&folder, &["merge", text(&huge)], SOON);
    assert_eq!(ended.status, 2, "{}", ended.shown());
}

#[test]
fn processes_that_run_one_plan_agree() {
    let folder = prepared("race");
    for _ in 0..3 {
        let start = |_| {
            let mut command = limited(&folder, &["run", "good.toml"], SOON);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a shell")
        };
        let children: Vec<_> = (0..4).map(start).collect();
        for mut child in children {
            assert_eq!(child.wait().expect("it ends").code(), Some(0));
        }
        assert_eq!(names(&folder.join("out/good/4")).len(), 6);
        assert_eq!(names(&folder.join("out/good")), ["4"]);
    }
    assert_eq!(run(&folder, &["replay", "out/good/4"], SOON).status, 0);
}

/// Whoever finds, when its run is over, that another process has written something else for the same
/// plan has found nondeterminism. The test is the other process: it holds the right to write until
/// its own record lies there.
#[test]
fn two_runs_of_one_plan_that_differ_are_nondeterminism() {
    let folder = prepared("differ");
    assert_eq!(run(&folder, &["run", "good.toml", "--out", "other"], SOON).status, 0);
    let record = folder.join("other/good/4/run.json");
    let text = fs::read_to_string(&record).expect("a record");
    fs::write(&record, text.replace("a small world", "a world")).expect("a writable folder");
    let dir = folder.join("out/good/4");
    // How long the command takes to look at its place, nobody knows: ever longer, until it has.
    let ended = [0.5, 2.0, 8.0, 30.0].into_iter().find_map(|seconds| {
        drop(fs::remove_dir_all(folder.join("out")));
        fs::create_dir_all(folder.join("out/good")).expect("a writable folder");
        let lock = fs::File::create(folder.join("out/.lock")).expect("a writable folder");
        lock.lock().expect("nobody else has it");
        let mut command = limited(&folder, &["run", "good.toml"], SOON);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a shell");
        let waited = Command::new("sleep").arg(f64::to_string(&seconds)).status();
        assert!(waited.expect("`sleep` is there").success());
        copy(&folder.join("other/good/4"), &dir);
        drop(lock);
        let ended = Ended::from(child.wait_with_output().expect("it ends"));
        (ended.status != 0).then_some(ended)
    });
    let ended = ended.expect("the command looked at its place in time");
    assert_eq!(ended.status, 4, "{}", ended.shown());
    assert!(ended.err.contains("out/good/4 was written by another run"), "{}", ended.err);
    let kept = fs::read_to_string(dir.join("run.json")).expect("a record");
    assert!(kept.contains("a world"), "what lay there first stays");
    assert_eq!(names(&folder.join("out/good")), ["4"]);
}

/// Copies the files of a folder.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a writable folder");
    for name in names(from) {
        fs::copy(from.join(&name), to.join(&name)).expect("a writable folder");
    }
}

#[test]
fn a_full_disk_spoils_nothing() {
    let folder = prepared("full-disk");
    let untidy = fs::read_to_string(case("fmt-full-disk.toml")).expect("a case");
    fs::write(folder.join("untidy.toml"), &untidy).expect("a writable folder");
    let before = names(&folder);
    for args in [&["fmt", "untidy.toml"][..], &["new", "new.toml"]] {
        let ended = on_full_disk(&folder, args, 1);
        assert_eq!(ended.status, 2, "{args:?}: {}", ended.shown());
        assert!(ended.err.contains("could not write"), "{args:?}: {}", ended.err);
        assert_eq!(fs::read_to_string(folder.join("untidy.toml")).expect("a file"), untidy);
        assert_eq!(names(&folder), before, "{args:?}");
    }
    let ended = on_full_disk(&folder, &["run", "good.toml"], 4);
    assert_eq!(ended.status, 2, "{}", ended.shown());
    assert!(names(&folder.join("out/good")).is_empty(), "{:?}", names(&folder.join("out/good")));
}

#[test]
fn what_a_user_put_into_a_run_directory_stays() {
    let folder = prepared("notes");
    assert_eq!(run(&folder, &["run", "good.toml"], SOON).status, 0);
    let dir = folder.join("out/good/4");
    let fresh = fs::read(dir.join("run.json")).expect("a record");
    for name in ["note.txt", "minimal.toml", "cause.json"] {
        fs::write(dir.join(name), "mine").expect("a writable folder");
    }
    fs::create_dir(dir.join("more")).expect("a writable folder");
    fs::write(dir.join("report.md"), "spoilt").expect("a writable folder");
    assert_eq!(run(&folder, &["run", "good.toml"], SOON).status, 0);
    for name in ["note.txt", "minimal.toml", "cause.json"] {
        assert_eq!(fs::read_to_string(dir.join(name)).expect("it stayed"), "mine");
    }
    assert!(dir.join("more").is_dir());
    assert_ne!(fs::read_to_string(dir.join("report.md")).expect("a report"), "spoilt");
    assert_eq!(fs::read(dir.join("run.json")).expect("a record"), fresh);
    assert_eq!(names(&folder.join("out/good")), ["4"]);
}

#[test]
fn a_file_in_the_way_stays_and_nothing_lies_beside_it() {
    let folder = prepared("in-the-way");
    fs::create_dir_all(folder.join("out/good")).expect("a writable folder");
    fs::write(folder.join("out/good/4"), "mine").expect("a writable folder");
    let ended = run(&folder, &["run", "good.toml"], SOON);
    assert_eq!(ended.status, 2, "{}", ended.shown());
    assert_eq!(fs::read_to_string(folder.join("out/good/4")).expect("a file"), "mine");
    assert_eq!(names(&folder.join("out/good")), ["4"]);
}

#[test]
fn a_plan_that_was_edited_is_not_the_one_that_was_recorded() {
    let folder = prepared("edited");
    assert_eq!(run(&folder, &["run", "good.toml"], SOON).status, 0);
    let path = folder.join("out/good/4/plan.toml");
    let plan = fs::read_to_string(&path).expect("a plan");
    fs::write(&path, plan.replace("a small world", "a big world")).expect("a writable folder");
    let ended = run(&folder, &["replay", "out/good/4"], SOON);
    assert_eq!(ended.status, 4, "{}", ended.shown());
    assert!(ended.err.contains("plan.toml is not the plan that was recorded"), "{}", ended.err);
    assert!(!ended.out.contains("as recorded"), "{}", ended.out);
}

#[test]
fn nothing_that_was_run_shows_nothing() {
    let folder = prepared("nothing");
    fs::write(folder.join("empty.jsonl"), "").expect("a writable folder");
    assert_eq!(run(&folder, &["merge", "empty.jsonl"], SOON).status, 3);
    let ended = run(&folder, &["sweep", "good.toml", "--seeds", "0..2", "--shard", "4/4"], SOON);
    assert_eq!(ended.status, 3, "{}", ended.shown());
}

#[test]
fn paths_that_cannot_be_followed_are_refused() {
    let folder = prepared("paths");
    let cases: [&[&str]; 6] = [
        &["--strategy", "exhaustive", "--after", "nonsense"],
        &["--strategy", "exhaustive", "--replay", "nonsense"],
        &["--strategy", "exhaustive", "--from", "1000s"],
        &["--strategy", "novelty", "--after", "nonsense"],
        &["--replay", "nonsense"],
        &["--strategy", "random", "--from", "1s"],
    ];
    for more in cases {
        let ended = run(&folder, &[&["explore", "good.toml"], more].concat(), SOON);
        assert_eq!(ended.status, 2, "{more:?}: {}", ended.shown());
    }
    let last = ["explore", "good.toml", "--salt", "18446744073709551615", "--events", "20000"];
    let ended = run(&folder, &last, SOON);
    assert!(!ended.is_crash(), "{}", ended.shown());
}

#[test]
fn the_last_seed_is_a_seed() {
    let folder = prepared("last-seed");
    // The fault may hit nothing in that seed, which is not what is asked here.
    let seed = ["run", "good.toml", "--seed", "18446744073709551615"];
    for args in [&["run", text(&case("seedmax.toml"))][..], &seed] {
        let ended = run(&folder, args, SOON);
        assert!(matches!(ended.status, 0 | 3), "{}", ended.shown());
    }
}

#[test]
fn what_is_wrong_with_any_file_is_found_before_the_first_run() {
    let folder = prepared("before");
    let other = GOOD.replace("\"good\"", "\"other\"").replace("\"deaf\"", "\"mute\"");
    fs::write(folder.join("other.toml"), other).expect("a writable folder");
    let ended = run(&folder, &["run", "good.toml", "other.toml", "--variant", "deaf"], SOON);
    assert_eq!(ended.status, 2, "{}", ended.shown());
    assert!(ended.err.contains("has no variant `deaf`"), "{}", ended.err);
    assert!(names(&folder.join("out")).is_empty(), "nothing was run");
    fs::write(folder.join("twin.toml"), GOOD.replace("20/s", "21/s")).expect("a writable folder");
    let ended = run(&folder, &["run", "good.toml", "twin.toml"], SOON);
    assert_eq!(ended.status, 2, "{}", ended.shown());
    assert!(ended.err.contains("are both called good"), "{}", ended.err);
}

#[test]
fn small_things_are_as_people_expect() {
    let folder = prepared("small");
    fs::write(folder.join("bytes.toml"), b"format = 1\nname = \"\xff\"\n").expect("writable");
    let ended = run(&folder, &["check", "bytes.toml"], SOON);
    assert!(ended.err.contains("bytes.toml:2:9"), "{}", ended.err);
    let ended = run(&folder, &["new", "q\"uo.toml"], SOON);
    assert_eq!(ended.status, 2);
    assert!(ended.err.contains("is no name for a scenario"), "{}", ended.err);
    fs::create_dir(folder.join("mine")).expect("a writable folder");
    fs::write(folder.join("mine/good.toml"), GOOD).expect("a writable folder");
    assert_eq!(run(&folder, &["mine"], SOON).status, 0, "a folder without a slash is run");
    let ended = run(&folder, &["run", "good.toml", "--out", "my runs"], SOON);
    assert_eq!(ended.status, 0);
    let ended = run(&folder, &["new", "a b/new.toml"], SOON);
    assert!(ended.out.contains("chaoslab run 'a b/new.toml'"), "{}", ended.out);
}

#[test]
fn what_a_run_or_a_system_cannot_hold_is_wrong_in_the_file() {
    let folder = folder("capacity");
    for (name, place) in [
        ("n33", "n33.toml:13:"),
        ("v16MiB", "v16MiB.toml:18:"),
        ("pl513", "pl513.toml:24:"),
        ("preload1e6", "preload1e6.toml:23:"),
        ("rate_1000000000_s", "rate_1000000000_s.toml:17:"),
    ] {
        let path = case(&format!("{name}.toml"));
        let ended = run(&folder, &["check", text(&path)], SOON);
        assert_eq!(ended.status, 2, "{name}: {}", ended.shown());
        assert!(ended.err.contains(place), "{name}: {}", ended.err);
        assert!(ended.err.contains("error[E05"), "{name}: {}", ended.err);
    }
}

/// A history whose search remembers whole strings: the budget of memory ends it, not the machine.
#[test]
fn a_search_has_a_budget_of_memory() {
    let folder = folder("memory");
    let steps = ["--search-steps", "400000"];
    let path = case("kv200.edn");
    let ended = run(&folder, &[&["history", text(&path)], &steps[..]].concat(), SOON);
    assert_eq!(ended.status, 3, "{}", ended.shown());
    assert!(ended.out.contains("undecided"), "{}", ended.out);
}

#[test]
fn a_bound_near_to_what_seeds_measure_is_warned_of() {
    let folder = prepared("margins");
    let near = GOOD.replace(
        "[[variant]]",
        "[[check]]\nid = \"slow\"\nkind = \"quantile\"\nwhat = \"clients.kv.latency\"\np50 = \"2ms\"\n\n[[variant]]",
    );
    fs::write(folder.join("near.toml"), near.replace("\"good\"", "\"near\"")).expect("writable");
    let args = ["margins", "near.toml", "--seeds", "0..3", "--write", "docs"];
    let ended = run(&folder, &args, SOON);
    assert_eq!(ended.status, 0, "{}", ended.shown());
    assert_eq!(names(&folder.join("docs")), ["margins.json", "margins.md"]);
    let kept = fs::read_to_string(folder.join("docs/margins.json")).expect("margins");
    assert!(kept.contains("\"bound\":\"p50\"") || kept.contains("\"bound\": \"p50\""), "{kept}");
    let ended = run(&folder, &["check", "near.toml"], SOON);
    assert_eq!(ended.status, 0, "{}", ended.shown());
    assert!(ended.err.contains("E0509") && ended.err.contains("near.toml:"), "{}", ended.err);
    assert_eq!(run(&folder, &["check", "good.toml", "--deny-warnings"], SOON).status, 0);
}
