//! What is added to a scenario changes nothing that it does not touch: every draw is keyed by name.

use chaoslab::{LAB, three_caches};
use harness::cli::names;
use harness::run::{self, Finished};
use scenario::Scenario;
use std::collections::BTreeMap;

/// Faults, load and a rough network.
const BASE: &str = three_caches!(
    "independence",
    21,
    "10s",
    "50_000_000",
    r#"
[disk.h]
sync = { dist = "uniform", min = "500us", max = "4ms" }

[clock.h]
skew = { dist = "uniform", min = "-5ms", max = "5ms" }

[net]
latency   = { dist = "lognormal", median = "3ms", sigma = 0.5, max = "50ms" }
loss      = "1%"
duplicate = "1%"

[clients.kv]
count  = 4
target = "h/any"
rate   = "100/s"
ops    = { get = 50, put = 30, cas = 20 }
keys   = { count = 32, dist = "zipf", s = 1.1 }
value  = { dist = "uniform", min = "16B", max = "64B" }

[[fault]]
id     = "power"
kind   = "crash"
at     = "4s"
for    = { dist = "uniform", min = "500ms", max = "1s" }
repeat = { every = "2s", jitter = "300ms", max = 2 }
node   = "h/random(1)"
disk   = "torn"

[[check]]
id   = "one-leader"
kind = "invariant"
name = "raft.one_leader_per_term"
"#
);

/// A cluster of its own before and after the others in the order of names, with a client at work
/// and one that never asks for anything, under faults, and with a cover that reads marks.
const MORE: &str = r#"
[nodes.a]
role  = "cache"
count = 3

[nodes.z]
role  = "cache"
count = 1

[clients.b]
target = "a/any"
rate   = "80/s"
ops    = { put = 1, cas = 1 }
keys   = { count = 8 }

[clients.idle]
target = "z/any"
rate   = "1/s"
start  = "9999ms"
ops    = { get = 1 }
keys   = { count = 8 }

[[fault]]
id   = "a-first"
kind = "swizzle-clog"
at   = "1s"
for  = "6s"
node = "a/*"

[[fault]]
id   = "z-last"
kind = "pause"
at   = { dist = "uniform", min = "2s", max = "5s" }
for  = "2s"
node = "z/any"

[[cover]]
id    = "marked"
event = "raft.leader_elected"
"#;

fn run(text: &str) -> Finished {
    let names = names(&LAB);
    let (scenario, said) = Scenario::compile("independence.toml", text.as_bytes(), &names);
    let shown = scenario::diagnostics::render(&said, text, "independence.toml", false);
    let scenario = scenario.unwrap_or_else(|| panic!("{shown}"));
    let plan = scenario.plan(&names, None, 21, 0, &[]).unwrap_or_else(|said| panic!("{said:?}"));
    run::run(plan, false)
}

/// The digests of the nodes that both runs have, by name.
fn digests(run: &Finished) -> BTreeMap<String, u64> {
    let named = run.roster.names().iter().zip(&run.node_digests);
    let ours = named.filter(|(name, _)| name.starts_with("h/") || name.starts_with("kv/"));
    ours.map(|(name, digest)| (name.clone(), *digest)).collect()
}

/// What the clients `kv` did: calls and outcomes with their times, without the ids that are
/// numbered over all clients.
fn history(run: &Finished) -> Vec<String> {
    let mine = run.ops.iter().filter(|op| run.roster.name(op.client).starts_with("kv/"));
    let line = |op: &contract::Op| {
        let name = run.roster.name(op.client);
        format!("{name} {:?} {:?} {:?} {:?}", op.call_at, op.call, op.ret_at, op.outcome)
    };
    mine.map(line).collect()
}

#[test]
fn what_is_added_changes_nothing_that_it_does_not_touch() {
    let base = run(BASE);
    let more = run(&format!("{BASE}{MORE}"));
    let (alone, together) = (base.ops.len(), more.ops.len());
    assert!(alone > 300 && together > alone + 20, "{alone} and {together} operations");
    assert!(more.occurrences.iter().all(|occurrence| occurrence.effects > 0));
    let ours = digests(&base);
    assert_eq!(ours.len(), 3 + 4);
    assert_eq!(digests(&more), ours);
    assert_eq!(history(&more), history(&base));
}

/// Gauges after every event, from time to time and at one moment, and marks that are kept.
const LOOKS: &str = r#"
[phases]
late = "5s..10s"

[[check]]
id   = "size"
kind = "bound"
what = "cache.memory_bytes"
max  = "1GiB"

[[check]]
id   = "growth"
kind = "slope"
what = "cache.memory_bytes"
per  = "second"
in   = "late"
max  = "1GiB"

[[check]]
id    = "leaders"
kind  = "count"
what  = "raft.leader_elected"
max   = 100

[[check]]
id   = "end"
kind = "final"
what = "cache.memory_bytes"
at   = "late.end"
max  = "1GiB"

[[check]]
id     = "cost"
kind   = "op-cost"
result = "hit"
deep_clones = 100
"#;

#[test]
fn looking_at_gauges_and_marks_changes_no_digest() {
    let (base, looked) = (run(BASE), run(&format!("{BASE}{LOOKS}")));
    assert_eq!((looked.digest, looked.events), (base.digest, base.events));
    assert_eq!((looked.verdicts.len(), base.verdicts.len()), (6, 1));
    let held = |judged: &&harness::run::Judged| judged.verdict == catalog::Verdict::Ok;
    assert_eq!(looked.verdicts.iter().filter(held).count(), 6, "each of them saw something");
}
