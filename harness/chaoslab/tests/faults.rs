//! Every kind of fault, with each of its fields, changes a run of a real system and counts what it
//! changed: between nodes that send datagrams, between clients and nodes that talk over streams,
//! at nodes, at clocks and at disks.

use chaoslab::{LAB, three_caches};
use harness::cli::names;
use harness::kinds::Kinds;
use harness::run::{self, Finished};
use scenario::Scenario;

/// Three cache nodes that exchange datagrams, with clients that use streams. Work, reads, writes
/// and syncs take time, so that there is something to slow down.
const BASE: &str = three_caches!(
    "faults",
    11,
    "9s",
    "50_000_000",
    r#"
[tuning.h]
service_get = "100us"
service_put = "200us"

[disk.h]
read  = "50us"
write = "100us"
sync  = { dist = "uniform", min = "500us", max = "2ms" }

[net]
latency = { dist = "uniform", min = "1ms", max = "4ms" }

[clients.kv]
count  = 4
target = "h/any"
rate   = "120/s"
ops    = { get = 50, put = 50 }
keys   = { count = 32 }

[[check]]
id   = "one-leader"
kind = "invariant"
name = "raft.one_leader_per_term"
"#
);

/// A crash of `h/1` with which a case is combined: nodes read their disks when they boot.
const REBOOT: &str = "[[fault]]\nid = \"reboot\"\nkind = \"crash\"\nat = \"4500ms\"\nfor = \"500ms\"\nnode = \"h/1\"\n";

/// Datagrams among the nodes.
const DATAGRAMS: &str = r#"link = { from = "h/*", to = "h/*" }"#;
/// Streams of the clients, on their way there and back.
const STREAMS: &str = r#"link = { from = "kv/*", to = "h/*" }"#;
const ANSWERS: &str = r#"link = { from = "h/*", to = "kv/*" }"#;

/// (kind, what else stands in the table of the fault). Where `LINK` stands, the case is tried on
/// datagrams and on streams in both directions.
const CASES: &[(&str, &str)] = &[
    ("partition", r#"sides = [["h/1"], ["h/2", "h/3"]]"#),
    ("partition", r#"sides = [["h/leader"], ["h/followers"]]"#),
    ("partition", r#"sides = [["h/1"], ["h/2"], ["h/3"]]"#),
    // Partial: the third node reaches both.
    ("partition", r#"sides = [["h/leader"], ["h/1"]]"#),
    ("partition", r#"sides = [["h/leader"], ["h/followers"]], direction = "forward""#),
    ("partition", r#"sides = [["h/leader"], ["h/followers"]], direction = "backward""#),
    ("partition", r#"sides = [["h/leader"], ["h/followers"]], in_flight = "kept""#),
    ("partition", r#"sides = [["h/leader"], ["h/followers"]], mode = "hold""#),
    ("partition", r#"sides = [["h/leader"], ["h/followers"]], mode = "slow", extra = "80ms""#),
    ("partition", r#"sides = [["kv/*"], ["h/*"]]"#),
    ("partition", r#"sides = [["kv/*"], ["h/*"]], direction = "forward", in_flight = "kept""#),
    ("partition", r#"sides = [["kv/*"], ["h/*"]], direction = "backward""#),
    ("partition", r#"sides = [["kv/*"], ["h/*"]], mode = "hold""#),
    ("partition", r#"sides = [["kv/*"], ["h/*"]], mode = "slow", extra = "80ms""#),
    // Flapping: cut for 100 ms, whole for 100 ms.
    ("partition", r#"sides = [["h/1"], ["h/2", "h/3"]], repeat = { every = "200ms", max = 8 }"#),
    ("link", r#"LINK, loss = "20%""#),
    // Only datagrams: see `a_stream_hides_duplicates`.
    ("link", r#"link = { from = "h/*", to = "h/*" }, duplicate = "20%""#),
    ("link", r#"LINK, reorder = "20%", reorder_extra = "30ms""#),
    ("link", r#"LINK, corrupt = "20%""#),
    ("link", r#"LINK, delay = { dist = "uniform", min = "5ms", max = "50ms" }"#),
    ("link", r#"LINK, delay = { dist = "exponential", mean = "20ms" }"#),
    ("link", r#"LINK, delay = { dist = "lognormal", median = "10ms", sigma = 1.0 }"#),
    (
        "link",
        r#"LINK, delay = { dist = "bimodal", fast = { min = "0ms", max = "1ms" }, slow = { min = "50ms", max = "90ms" }, slow_share = "20%" }"#,
    ),
    ("link", r#"LINK, bandwidth = "4KiB""#),
    ("link", r#"node = "h/leader", loss = "50%""#),
    ("clog", "LINK"),
    ("clog", r#"node = "h/leader""#),
    ("swizzle-clog", r#"node = "h/*""#),
    ("crash", r#"node = "h/1", disk = "keep""#),
    ("crash", r#"node = "h/1", disk = "keep", sockets = "silent""#),
    ("crash", r#"node = "h/leader", disk = "lose-unsynced""#),
    ("crash", r#"node = "h/leader", disk = "torn""#),
    ("crash", r#"node = "h/1", disk = "wipe""#),
    // Started again when asked, by an event, not after a time.
    ("crash", r#"node = "h/leader", until = { event = "raft.leader_elected" }"#),
    ("crash", r#"node = "kv/1""#),
    ("pause", r#"node = "h/leader""#),
    ("pause", r#"node = "kv/*""#),
    ("slow-cpu", r#"node = "h/*", times = 20"#),
    ("service-time", r#"node = "h/*", scale = 20.0"#),
    ("service-time", r#"node = "h/*", scale = 0.5"#),
    ("clock", r#"node = "h/leader", drift_ppm = 200_000"#),
    ("clock", r#"node = "h/leader", drift_ppm = -200_000"#),
    ("clock", r#"node = "h/leader", jump = "1h""#),
    ("clock", r#"node = "h/leader", jump_back = "1h""#),
    ("disk", r#"node = "h/*", write = "5ms""#),
    ("disk", r#"node = "h/*", sync = "20ms""#),
    ("disk", r#"node = "h/*", sync_lie = "100%""#),
    ("disk", r#"node = "h/*", sync_fail = "1%""#),
    ("disk", r#"node = "h/*", write_fail = "1%""#),
    ("disk", r#"node = "h/*", write_corrupt = "10%""#),
    ("disk", r#"node = "h/*", misdirect = "10%""#),
    ("disk", r#"node = "h/*", capacity = "4KiB""#),
    ("disk", r#"REBOOT, node = "h/*", read = "5ms""#),
    ("disk", r#"REBOOT, node = "h/*", read_corrupt = "100%""#),
    ("memory-pressure", r#"node = "h/leader", limit = "1KiB""#),
    ("dependency-down", r#"node = "h/*""#),
    ("dependency-down", r#"node = "h/*", mode = "silent""#),
    ("inject-frame", r#"link = { from = "h/1", to = "h/*" }, length = 40"#),
    ("inject-frame", r#"node = "h/leader", length = 0"#),
    ("reset", r#"node = "h/leader""#),
    ("reset", r#"node = "kv/*""#),
    ("reset", r#"node = "kv/1", repeat = { every = "200ms", max = 5 }"#),
    ("membership", r#"node = "h/2", via = "h/*", change = "remove""#),
];

/// Runs the base with `faults`.
fn run(faults: &str) -> Finished {
    let text = format!("{BASE}\n{faults}");
    let names = names(&LAB);
    let (scenario, said) = Scenario::compile("faults.toml", text.as_bytes(), &names);
    let shown = scenario::diagnostics::render(&said, &text, "faults.toml", false);
    let scenario = scenario.unwrap_or_else(|| panic!("{shown}"));
    let plan = scenario.plan(&names, None, 11, 0, &[]).unwrap_or_else(|said| panic!("{said:?}"));
    run::run(plan, false)
}

/// The table of a fault from the short form of a case: one field a line, with its times.
fn table(kind: &str, fields: &str) -> String {
    let mut length = "for = \"1500ms\"";
    if fields.contains("until") || ["inject-frame", "reset", "membership"].contains(&kind) {
        length = "";
    } else if fields.contains("repeat") {
        length = "for = \"100ms\"";
    }
    let start = format!("[[fault]]\nid = \"it\"\nkind = \"{kind}\"\nat = \"4s\"\n{length}\n");
    // Fields are separated by commas outside of brackets.
    let mut depth = 0;
    let line = |c: char| {
        depth += i32::from("[{".contains(c)) - i32::from("]}".contains(c));
        if c == ',' && depth == 0 { '\n' } else { c }
    };
    start + &fields.chars().map(line).collect::<String>()
}

/// Holds one case against a run without it; says what is wrong with it.
fn check(kind: &str, fields: &str, plain: u64, rebooted: u64) -> Option<String> {
    let (fields, company, without) = match fields.strip_prefix("REBOOT, ") {
        Some(fields) => (fields, REBOOT, rebooted),
        None => (fields, "", plain),
    };
    let finished = run(&format!("{}\n{company}", table(kind, fields)));
    let mut mine =
        finished.occurrences.iter().filter(|o| finished.plan.faults[o.fault].id == "it").peekable();
    let wrong = if finished.digest == without {
        "changed nothing".to_owned()
    } else if mine.peek().is_none() {
        "never came".to_owned()
    } else {
        let void = mine.find(|occurrence| occurrence.void.is_some() || occurrence.effects == 0)?;
        format!("counted no effect: {:?}", void.void)
    };
    Some(format!("{kind} with {fields} {wrong}"))
}

#[test]
fn every_fault_changes_a_run_and_counts_its_effects() {
    let plain = run("");
    assert!(plain.ops.len() > 500 && plain.unnamed.is_empty());
    let (plain, rebooted) = (plain.digest, run(REBOOT).digest);
    let mut wrong = Vec::new();
    for (kind, fields) in CASES {
        if fields.starts_with("LINK") {
            for link in [DATAGRAMS, STREAMS, ANSWERS] {
                wrong.extend(check(kind, &fields.replace("LINK", link), plain, rebooted));
            }
        } else {
            wrong.extend(check(kind, fields, plain, rebooted));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// As with TCP, whose receiver drops what it has already got. The fault then counts no effect, so a
/// run reports it as vacuous.
#[test]
fn a_stream_hides_duplicates() {
    let plain = run("").digest;
    for link in [STREAMS, ANSWERS] {
        let finished = run(&table("link", &format!(r#"{link}, duplicate = "100%""#)));
        assert_eq!(finished.digest, plain);
        assert_eq!(finished.occurrences[0].effects, 0);
    }
}

/// Without either it would strike nothing, with both nobody could say what.
#[test]
fn a_fault_on_links_says_which() {
    for kind in ["link", "clog", "inject-frame"] {
        let both = format!("node = \"h/1\"\n{DATAGRAMS}");
        for (place, code) in [("", "E0103"), (both.as_str(), "E0107")] {
            let text = format!("{BASE}\n{}", table(kind, place));
            let (scenario, said) = Scenario::compile("faults.toml", text.as_bytes(), &names(&LAB));
            assert!(scenario.is_none(), "{kind} {place}");
            let shown = scenario::diagnostics::render(&said, &text, "faults.toml", false);
            assert!(shown.contains(code), "{shown}");
        }
    }
}

/// A kind, or a field of a kind, that no case names would go untested.
#[test]
fn the_cases_name_every_kind_and_every_field() {
    for row in Kinds::house().fault_rows().iter().map(|kind| &kind.row) {
        let mine: Vec<&str> =
            CASES.iter().filter(|(kind, _)| *kind == row.name).map(|(_, fields)| *fields).collect();
        assert!(!mine.is_empty(), "no case is a {}", row.name);
        for field in row.fields {
            let names = |fields: &&str| {
                let is_link = field.name == "link" && fields.starts_with("LINK");
                is_link || fields.contains(&format!("{} =", field.name))
            };
            assert!(mine.iter().any(names), "no case of {} has the field {}", row.name, field.name);
        }
    }
}

/// A node that is killed for memory boots again, from its disk, when the pressure is gone.
#[test]
fn a_node_killed_for_memory_boots_again_when_the_pressure_is_gone() {
    let finished = run(&table("memory-pressure", r#"node = "h/leader", limit = "1KiB""#));
    let count = |name| finished.counters.iter().find(|(counter, _)| *counter == name).map(|c| c.1);
    assert_eq!(count("out_of_memory_kills"), Some(1));
    // Three nodes, four clients, and the one that came back.
    assert_eq!(count("boots"), Some(3 + 4 + 1));
    assert!(finished.incidents.iter().any(|line| line.contains("may use 1024 B")));
}
