//! Sweeps as a user meets them: what is printed depends on the results alone, whatever order, number
//! of threads, number of machines or kill they went through.

mod support;

use chaoslab::three_caches;
use devkit::tree;
use std::fs;
use std::path::{Path, PathBuf};
use support::{chaoslab, command, stderr, stdout};

fn folder(name: &str) -> PathBuf {
    support::folder("sweep", name)
}

/// Standard output of a command that must end with `status`.
fn said(folder: &Path, args: &[&str], status: i32) -> String {
    let output = chaoslab(folder, args);
    assert_eq!(output.status.code(), Some(status), "{args:?}: {}", stderr(&output));
    stdout(&output)
}

/// Contested elections; the variant elects two leaders in one term in most seeds.
const SCENARIO: &str = three_caches!(
    "contested",
    1,
    "4s",
    "1_000_000",
    r#"
[tuning.h]
pre_vote = false
tick     = "0ms"

[net]
latency = { dist = "uniform", min = "1ms", max = "9ms" }

[clients.kv]
count  = 2
target = "h/any"
rate   = "20/s"
ops    = { get = 50, put = 50 }
keys   = { count = 4 }

[[fault]]
id   = "cut"
kind = "partition"
at   = "2s"
for  = "500ms"
sides = [["h/1"], ["h/2", "h/3"]]

[[check]]
id   = "election-safety"
kind = "invariant"
name = "raft.one_leader_per_term"

[[cover]]
id    = "elected"
event = "raft.leader_elected"

[sweep]
vary = { "fault.cut.for" = ["500ms", "900ms"] }

[[variant]]
name    = "double"
set     = { "tuning.h.election_fixed" = ["1500ms", "1500ms", "1500ms"] }
defects = ["double-vote-same-term"]
"#
);

fn prepared(name: &str) -> PathBuf {
    tree::with(folder(name), "contested.toml", SCENARIO)
}

const SWEEP: &[&str] = &["sweep", "contested.toml", "--variant", "all", "--seeds", "0..4"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [SWEEP, more].concat()
}

/// The log of the only sweep of a folder.
fn log(folder: &Path) -> PathBuf {
    let entries = fs::read_dir(folder.join("out/sweeps")).expect("a sweep was run");
    let paths = entries.map(|entry| entry.expect("readable").path());
    let mut logs = paths.filter(|path| path.extension().is_some_and(|end| end == "jsonl"));
    let log = logs.next().expect("a log");
    assert_eq!(logs.next(), None);
    log
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let folder = prepared("jobs");
    let one = said(&folder, &with(&["--jobs", "1"]), 1);
    let two = said(&folder, &with(&["--jobs", "2"]), 1);
    assert_eq!(one, two);
    assert!(one.contains("election-safety") && one.contains("two leaders"), "{one}");
    assert!(one.contains("4 seeds broke nothing"), "{one}");
    assert!(one.contains("replay: chaoslab replay out/contested/"), "{one}");
    let replay = one.lines().last().and_then(|line| line.rsplit(' ').next()).expect("a directory");
    assert!(said(&folder, &["replay", replay], 0).contains("as recorded"));
}

#[test]
fn shards_that_are_joined_are_the_whole() {
    let folder = prepared("shards");
    let json = ["--format", "json"];
    let whole = said(&folder, &with(&json), 1);
    for shard in ["1/3", "2/3", "3/3"] {
        let log = format!("{}.jsonl", &shard[..1]);
        let output = chaoslab(&folder, &with(&["--shard", shard, "--log", &log]));
        assert!(output.status.code().is_some_and(|status| status < 2), "{shard}");
    }
    let joined = said(&folder, &["merge", "3.jsonl", "1.jsonl", "2.jsonl", "--format", "json"], 1);
    assert_eq!(whole, joined);
    let part = said(&folder, &["merge", "1.jsonl", "3.jsonl", "--format", "text"], 1);
    assert!(part.contains("were not run"), "{part}");
}

/// A log is cut at twenty places, as a kill might; what goes on from there ends the same.
#[test]
fn a_sweep_that_was_killed_goes_on_to_the_same_end() {
    let folder = prepared("kill");
    let whole = said(&folder, SWEEP, 1);
    let log = log(&folder);
    let bytes = fs::read(&log).expect("a log");
    for nth in 0..20_usize {
        // A golden-ratio sequence: spread over the file, never the same place twice.
        let cut = (nth * 618_034 % 1_000_000) * bytes.len() / 1_000_000;
        fs::write(&log, &bytes[..cut]).expect("a writable folder");
        assert_eq!(said(&folder, &with(&["--resume"]), 1), whole, "cut at {cut}");
    }
    let resumed = chaoslab(&folder, &with(&["--resume"]));
    assert!(stderr(&resumed).contains("16 of them done before"));
}

/// A process that is killed in earnest, at twenty moments spread over the sweep, goes on from its log
/// to the same end. The moment is a number of runs in the log, so the test is as fast as the machine.
#[test]
fn a_process_that_is_killed_goes_on_to_the_same_end() {
    let folder = prepared("sigkill");
    let seeds = ["sweep", "contested.toml", "--seeds", "0..6", "--jobs", "2"];
    let whole = said(&folder, &seeds, 0);
    let resume = [&seeds[..], &["--resume", "--log", "killed.jsonl"]].concat();
    let log = folder.join("killed.jsonl");
    let runs = |log: &Path| fs::read_to_string(log).map_or(0, |text| text.lines().count());
    let mut killed = 0;
    for moment in 0..20 {
        let _absent = fs::remove_file(&log);
        let mut child = command(&folder, &resume)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("the binary runs");
        while runs(&log) < 1 + moment % 12 && child.try_wait().expect("a child").is_none() {
            std::thread::yield_now();
        }
        child.kill().expect("it is ours to kill");
        killed += u32::from(!child.wait().expect("it ends").success());
        assert_eq!(said(&folder, &resume, 0), whole, "killed at moment {moment}");
    }
    assert!(killed > 5, "only {killed} of 20 were killed before their end");
}

#[test]
fn a_log_of_another_sweep_is_refused() {
    let folder = prepared("other");
    said(&folder, &with(&["--log", "a.jsonl"]), 1);
    let changed = SCENARIO.replace("20/s", "21/s");
    fs::write(folder.join("contested.toml"), changed).expect("a writable folder");
    let output = chaoslab(&folder, &with(&["--log", "a.jsonl", "--resume"]));
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("another sweep"));
    fs::write(folder.join("b.jsonl"), "no log\n").expect("a writable folder");
    let output = chaoslab(&folder, &["merge", "b.jsonl"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn what_is_known_is_not_red() {
    let folder = prepared("known");
    let known = "[[known]]\nscenario = \"contested\"\nvariant = \"double\"\n\
                 check = \"election-safety\"\nwhy = \"issue 12\"\n";
    fs::write(folder.join("known.toml"), known).expect("a writable folder");
    let args = ["sweep", "contested.toml", "--variant", "double", "--seeds", "0..2"];
    let all = said(&folder, &[&args[..], &["--format", "json"]].concat(), 1);
    let others: Vec<&str> =
        ["no-panic", "raft.", "hyperion."].into_iter().filter(|name| all.contains(name)).collect();
    let shown = chaoslab(&folder, &[&args[..], &["--known", "known.toml"]].concat());
    let text = stdout(&shown);
    assert!(text.contains("issue 12"), "{text}");
    // The flaw breaks more than the one check that the file lists, and that stays red.
    assert_eq!(shown.status.code(), Some(i32::from(!others.is_empty())), "{others:?}\n{text}");
    fs::write(folder.join("known.toml"), "[[known]]\nscenari = 1\n").expect("a writable folder");
    said(&folder, &[&args[..], &["--known", "known.toml"]].concat(), 2);
}

#[test]
fn a_sweep_stops_at_the_first_failure_and_says_what_it_left() {
    let folder = prepared("fail-fast");
    let args =
        ["sweep", "contested.toml", "--variant", "double", "--seeds", "0..50", "--fail-fast"];
    let one = said(&folder, &[&args[..], &["--jobs", "1"]].concat(), 1);
    let two = said(&folder, &[&args[..], &["--jobs", "2"]].concat(), 1);
    assert_eq!(one, two);
    assert!(one.contains("were not run, because it was to stop at the first failure"), "{one}");
    let none =
        ["sweep", "contested.toml", "--seeds", "0..9999", "--time-limit", "1ns", "--jobs", "1"];
    let cut = said(&folder, &none, 0);
    assert!(cut.contains("because its time was over"), "{cut}");
}

#[test]
fn services_get_what_they_read() {
    let folder = prepared("forges");
    let args = ["sweep", "contested.toml", "--variant", "double", "--seeds", "1..2", "--report"];
    let github = said(&folder, &[&args[..], &["junit=a.xml", "--format", "github"]].concat(), 1);
    assert!(
        github.starts_with("::error file=contested.toml,title=contested (double)%3A"),
        "{github}"
    );
    let junit = fs::read_to_string(folder.join("a.xml")).expect("a report");
    assert!(junit.contains("<testsuite name=\"contested (double)\"") && junit.contains("<failure"));
    let gitlab = said(&folder, &[&args[..], &["md=a.md", "--format", "gitlab"]].concat(), 1);
    let parsed: serde_json::Value = serde_json::from_str(&gitlab).expect("JSON");
    assert_eq!(parsed[0]["location"]["path"], "contested.toml");
}

#[test]
fn regressions_run_first_and_once() {
    let folder = folder("regressions");
    for name in ["regressions/old", "new/one"] {
        let path = folder.join("scenarios").join(format!("{name}.toml"));
        fs::create_dir_all(path.parent().expect("a folder")).expect("a writable folder");
        let text = SCENARIO.replace("\"contested\"", &format!("\"{name}\""));
        fs::write(path, text).expect("a writable folder");
    }
    let args = ["sweep", "scenarios/new", "--seeds", "0..2", "--jobs", "1", "--format", "json"];
    let json: serde_json::Value = serde_json::from_str(&said(&folder, &args, 0)).expect("JSON");
    let names: Vec<(&str, u64)> = json["results"]
        .as_array()
        .expect("results")
        .iter()
        .map(|run| {
            (run["scenario"].as_str().expect("a name"), run["seed"].as_u64().expect("a seed"))
        })
        .collect();
    assert_eq!(names.iter().filter(|(name, _)| *name == "regressions/old").count(), 1);
    assert!(names.contains(&("regressions/old", 1)), "{names:?}");
    let log = fs::read_to_string(log(&folder)).expect("a log");
    let first = log.lines().find(|line| line.starts_with("{\"run\"")).expect("a run");
    assert!(first.contains("regressions/old"), "{first}");
}
