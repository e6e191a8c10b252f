//! The binary as a user meets it: exit statuses, messages, and what is written where.

mod support;

use chaoslab::three_caches;
use devkit::tree::{root, with};
use std::fs;
use std::path::PathBuf;
use support::{chaoslab, stderr, stdout};

fn folder(name: &str) -> PathBuf {
    support::folder("cli", name)
}

/// A small scenario that passes within a second.
const GOOD: &str = three_caches!(
    "good",
    4,
    "6s",
    "1_000_000",
    r#"
[clients.kv]
count  = 2
target = "h/any"
rate   = "50/s"
ops    = { get = 50, put = 50 }
keys   = { count = 4 }

[[check]]
id    = "lin"
kind  = "linearizable"
model = "register-cas"
over  = "clients.kv"
"#
);

/// Writes `text` as a file and runs it: (exit status, standard error).
fn run_text(name: &str, text: &[u8]) -> (i32, String) {
    let folder = folder(name);
    fs::write(folder.join("good.toml"), text).expect("a writable folder");
    let output = chaoslab(&folder, &["run", "good.toml"]);
    assert!(!folder.join("out").exists(), "a wrong file leaves nothing behind");
    (output.status.code().expect("an exit status"), stderr(&output))
}

#[test]
fn wrong_files_get_their_own_message_with_line_and_column() {
    let edit = |from: &str, to: &str| {
        assert!(GOOD.contains(from), "the edit does not apply: {from}");
        GOOD.replacen(from, to, 1).into_bytes()
    };
    let tuning = "[nodes.h]";
    let tuned = |settings: &str| edit(tuning, &format!("[tuning.h]\n{settings}\n[nodes.h]"));
    let cases: [(&str, Vec<u8>, &[&str]); 11] = [
        (
            "unknown-key",
            edit(tuning, "[tuning.h]\nheart_beat = \"1ms\"\n[nodes.h]"),
            &["E01", "heart_beat", "did you mean `heartbeat`", "good.toml:13:1"],
        ),
        ("no-unit", edit("\"6s\"", "6"), &["E0", "unit", "good.toml:9:12"]),
        ("selector", edit("h/any", "h/9"), &["E04", "h/9", "good.toml:"]),
        ("broken-toml", edit("[budget]", "[budget"), &["E01", "good.toml:8:"]),
        ("no-caught-by", edit("expect = \"pass\"", "expect = \"fail\""), &["E06", "caught_by"]),
        ("not-utf-8", [GOOD.as_bytes(), b"\xff\xfe"].concat(), &["E07", "UTF-8"]),
        ("no-check", GOOD[..GOOD.find("[[check]]").expect("a check")].into(), &["check"]),
        ("bad-lease", tuned("reads = \"leader-lease\"\nlease = \"1600ms\""), &["E0311"]),
        ("slow-heartbeat", tuned("heartbeat = \"2s\""), &["E0312"]),
        ("no-range", tuned("election = { min = \"1500ms\", max = \"1500ms\" }"), &["E0313"]),
        ("early", tuned("election_fixed = [\"900ms\"]"), &["E0314"]),
    ];
    for (name, text, expected) in cases {
        let (status, said) = run_text(name, &text);
        assert_eq!(status, 2, "{name}: {said}");
        for part in expected {
            assert!(said.contains(part), "{name}: `{part}` is not in\n{said}");
        }
    }
}

#[test]
fn overlapping_sides_are_refused() {
    let fault = "[[fault]]\nid = \"f\"\nkind = \"partition\"\nat = \"1s\"\nfor = \"1s\"\nsides = [[\"h/1\", \"h/2\"], [\"h/2\"]]\n\n[[check]]";
    let (status, said) = run_text("overlap", GOOD.replacen("[[check]]", fault, 1).as_bytes());
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("E04") && said.contains("h/2"), "{said}");
}

#[test]
fn missing_files_and_directories_get_their_own_message() {
    let folder = folder("missing");
    let output = chaoslab(&folder, &["run", "nowhere.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("could not read nowhere.toml"), "{}", stderr(&output));
    fs::create_dir(folder.join("empty")).expect("a writable folder");
    let output = chaoslab(&folder, &["run", "empty"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("without scenario files"), "{}", stderr(&output));
    assert!(!folder.join("out").exists());
}

/// The metrics of the codebase that Hyperion models.
const METRICS: [&str; 8] = [
    "hyperion_requests_total",
    "hyperion_request_duration_seconds",
    "hyperion_cache_size_bytes",
    "hyperion_cache_entries_total",
    "hyperion_evictions_total",
    "hyperion_raft_state",
    "hyperion_raft_elections_total",
    "hyperion_raft_replication_seconds",
];

#[test]
fn a_run_can_be_scraped_at_its_end_and_at_any_time() {
    let folder = with(folder("metrics"), "good.toml", GOOD);
    assert_eq!(chaoslab(&folder, &["run", "good.toml"]).status.code(), Some(0));
    let end = fs::read_to_string(folder.join("out/good/4/metrics.prom")).expect("it is left");
    for name in METRICS {
        assert!(end.contains(&format!("# TYPE {name} ")), "{name} is missing");
    }
    let scraped = |args: &[&str]| {
        let output = chaoslab(&folder, &[&["replay", "out/good/4", "--metrics"], args].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    assert_eq!(scraped(&[]), end);
    let sum = |text: &str, name: &str| -> u64 {
        let samples = text.lines().filter(|line| line.starts_with(name));
        samples
            .map(|line| line.rsplit(' ').next().expect("a value").parse::<u64>().expect("a count"))
            .sum()
    };
    let early = scraped(&["--until", "4s"]);
    let asked = |text: &str| sum(text, "hyperion_requests_total");
    assert!(0 < asked(&early) && asked(&early) < asked(&end));
    assert_eq!(sum(&end, "hyperion_raft_state"), 2, "one node leads");
}

#[test]
fn a_run_leaves_a_directory_that_replays() {
    let folder = with(folder("replays"), "good.toml", GOOD);
    let output = chaoslab(&folder, &["good.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let dir = folder.join("out/good/4");
    for file in ["plan.toml", "run.json", "report.md", "history.jsonl"] {
        assert!(dir.join(file).is_file(), "{file} is missing");
    }
    let output = chaoslab(&folder, &["replay", "out/good/4"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("as recorded"), "{}", stdout(&output));
    let output = chaoslab(&folder, &["replay", "good@4"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

/// Two machines give the same bytes: nothing of this one is in the files, but for the one that is
/// about the machine.
#[test]
fn run_directories_are_equal_byte_for_byte_and_name_no_machine() {
    let folder = with(folder("bytes"), "good.toml", GOOD);
    let read = |out: &str| {
        let output = chaoslab(&folder, &["run", "good.toml", "--out", out]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let mut files = Vec::new();
        for entry in fs::read_dir(folder.join(out).join("good/4")).expect("a run directory") {
            let path = entry.expect("readable").path();
            if path.ends_with("host.json") {
                continue;
            }
            files.push((
                path.file_name().map(|name| name.to_owned()),
                fs::read(&path).expect("readable"),
            ));
        }
        files.sort();
        files
    };
    let (one, two) = (read("one"), read("two"));
    assert!(one.len() >= 4);
    assert_eq!(one, two);
    let here = folder.display().to_string();
    for (name, bytes) in &one {
        assert!(!String::from_utf8_lossy(bytes).contains(&here), "{name:?} names a path");
    }
}

/// An answer is put together in a buffer of its own; a copied value takes two more. How many is said
/// beside the report, not in it.
#[test]
fn real_allocations_are_judged_and_stay_out_of_the_report() {
    let folder = folder("allocations");
    let scenario = root().join("scenarios/defects/clone-leak.toml");
    let bounds = ["deep_clones=1", "handle_clones_max=1", "allocations_max=2"];
    let bounds = bounds.map(|bound| format!("--set=check.copies.{bound}"));
    let run = |extra: &[&str]| {
        let mut args = vec!["run", scenario.to_str().expect("a path of text")];
        args.extend(bounds.iter().map(String::as_str));
        args.extend(extra);
        chaoslab(&folder, &args)
    };
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let output = run(&["--variant=copies"]);
    let said = "operations made more than 2 allocations in the mean; `host.json`";
    assert!(stdout(&output).contains(said), "{}", stdout(&output));
    let hosts = fs::read_dir(folder.join("out/defects/clone-leak")).expect("run directories");
    let hosts = hosts.map(|entry| entry.expect("readable").path().join("host.json"));
    let made = hosts.map(|path| {
        let text = fs::read_to_string(path).expect("beside the report");
        let host: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        host["op_cost"]["copies"]["allocations"].as_u64().expect("a count")
    });
    let mut made: Vec<u64> = made.collect();
    made.sort_unstable();
    assert!(made.len() == 2 && made[0] < made[1], "{made:?}");
}

#[test]
fn a_changed_record_is_noticed() {
    let folder = with(folder("changed"), "good.toml", GOOD);
    chaoslab(&folder, &["run", "good.toml"]);
    let path = folder.join("out/good/4/plan.toml");
    let plan = fs::read_to_string(&path).expect("a plan");
    let changed = plan.replacen("\"6s\"", "\"5s\"", 1);
    assert_ne!(plan, changed, "the plan holds the simulated time");
    fs::write(&path, changed).expect("a writable folder");
    let output = chaoslab(&folder, &["replay", "out/good/4"]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
}

#[test]
fn an_output_that_cannot_be_written_is_said() {
    let folder = with(folder("unwritable"), "good.toml", GOOD);
    fs::write(folder.join("out"), "a file stands in the way").expect("a writable folder");
    let output = chaoslab(&folder, &["run", "good.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("could not write out/good"), "{}", stderr(&output));
}

#[test]
fn every_committed_scenario_compiles_without_a_warning() {
    let output = chaoslab(&root(), &["check", "--deny-warnings", "scenarios"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).lines().count() >= 5, "{}", stdout(&output));
}

#[test]
fn everything_is_listed() {
    let output = chaoslab(&root(), &["list"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let listed = stdout(&output);
    for name in [
        "hyperion",
        "partition",
        "linearizable",
        "raft.leader_elected",
        "ack-before-quorum",
        "smoke/steady",
    ] {
        assert!(listed.contains(name), "`{name}` is not listed");
    }
}

#[test]
fn files_are_put_into_the_house_style_and_say_what_they_said() {
    let folder = folder("fmt");
    let untidy =
        GOOD.replace("count = 3", "count=3   # three\n\n\n").replace("sim_time =", "sim_time=");
    fs::write(folder.join("good.toml"), &untidy).expect("a writable folder");
    let output = chaoslab(&folder, &["fmt", "--check", "good.toml"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert_eq!(fs::read_to_string(folder.join("good.toml")).expect("a file"), untidy);
    let output = chaoslab(&folder, &["fmt", "good.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let tidy = fs::read_to_string(folder.join("good.toml")).expect("a file");
    assert!(tidy.contains("count = 3   # three") && tidy.contains("sim_time = \"6s\""), "{tidy}");
    let output = chaoslab(&folder, &["fmt", "--check", "good.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    fs::write(folder.join("bad.toml"), "a = \n").expect("a writable folder");
    let output = chaoslab(&folder, &["fmt", "bad.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("left alone"), "{}", stderr(&output));
}

#[test]
fn two_runs_are_compared_down_to_the_first_event() {
    let folder = with(folder("diff"), "good.toml", GOOD);
    for more in [&[][..], &["--set", "clients.kv.rate=51/s"]] {
        let output = chaoslab(&folder, &[&["run", "good.toml"], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    let runs = fs::read_dir(folder.join("out/good")).expect("run directories");
    let names = runs.map(|run| run.expect("readable").file_name().into_string().expect("text"));
    let other = names.into_iter().find(|name| name != "4").expect("the run with the override");
    let output = chaoslab(&folder, &["diff", "good@4", &format!("good@{other}")]);
    let said = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(said.contains("The two runs differ.") && said.contains("rate = \"51/s\""), "{said}");
    assert!(said.contains("The first event that differs") && said.contains("invoke"), "{said}");
    let output = chaoslab(&folder, &["diff", "good@4", "out/good/4"]);
    assert!(stdout(&output).contains("the same, event for event"), "{}", stdout(&output));
    let output = chaoslab(&folder, &["diff", "good@4", "nowhere@1"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).starts_with("error: could not read"), "{}", stderr(&output));
}

/// A part that this build lacks is named with the command that brings it.
#[cfg(not(feature = "simulators"))]
#[test]
fn a_missing_simulator_names_the_feature_that_brings_it() {
    let folder = folder("missing-part");
    let scenario = root().join("scenarios/smoke/loss.toml");
    let scenario = scenario.to_str().expect("a path of the tree is text");
    for simulator in ["turmoil", "all"] {
        let output = chaoslab(&folder, &["run", scenario, "--simulator", simulator]);
        assert_eq!(output.status.code(), Some(2));
        let said = stderr(&output);
        assert!(said.contains("E0707") && said.contains("--features simulators"), "{said}");
    }
}
