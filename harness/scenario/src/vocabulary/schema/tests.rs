//! The schema against the compiler, both with the tables of the test lab.

use super::schema;
use crate::Scenario;
use crate::test_lab::LAB;
use devkit::json_schema::{Schema, of_toml};

const GOOD: &str = include_str!("../../testdata/good.toml");

/// The good file with `from` replaced, or with `to` at its end where `from` is empty.
fn with(from: &str, to: &str) -> String {
    if from.is_empty() {
        return format!("{GOOD}\n{to}\n");
    }
    assert!(GOOD.contains(from), "{from}");
    GOOD.replacen(from, to, 1)
}

#[test]
fn the_schema_accepts_what_the_compiler_accepts() {
    let root = schema(&LAB);
    let value = of_toml(GOOD).expect("the good file is TOML");
    assert_eq!(Schema::new(&root).check(&value), Ok(()));
}

/// Whatever breaks the shape is refused by both; what is replaced, and by what.
fn both_refuse(mutants: &[(&str, &str)]) {
    let root = schema(&LAB);
    let schema = Schema::new(&root);
    for (from, to) in mutants {
        let text = with(from, to);
        let value = of_toml(&text).unwrap_or_else(|| panic!("{to}: no TOML"));
        assert!(schema.check(&value).is_err(), "{to}: the schema takes it");
        let (scenario, _) = Scenario::compile("x.toml", text.as_bytes(), &LAB);
        assert!(scenario.is_none(), "{to}: the compiler takes it");
    }
}

#[test]
fn wrong_units() {
    both_refuse(&[
        ("sim_time     = \"20s\"", "sim_time = \"20 secs\""),
        ("sim_time     = \"20s\"", "sim_time = 20"),
        ("sim_time     = \"20s\"", "sim_time = { dist = \"constant\", value = \"20s\" }"),
        ("steady = \"5s..15s\"", "steady = \"5..15s\""),
        ("loss          = \"0.5%\"", "loss = 0.005"),
        ("loss          = \"0.5%\"", "loss = \"5ms\""),
        ("rate    = \"5_000/s\"", "rate = \"5_000\""),
        ("capacity = \"1GiB\"", "capacity = \"1Gib\""),
        ("\"200Mbit\"", "\"200Mb\""),
        ("count   = 40", "count = \"40\""),
        ("events       = 20_000_000", "events = 2.5"),
        ("min = \"-5ms\"", "min = \"-5\""),
        ("page      = \"64KiB\"", "page = \"64\""),
        ("max  = 10_000", "max = \"10_000 thingies\""),
        ("nth = 30", "nth = \"30\""),
    ]);
}

#[test]
fn wrong_names() {
    both_refuse(&[
        ("id    = \"split\"", "id = \"1split\""),
        ("id    = \"lin\"", "id = \"lin ear\""),
        ("id    = \"settled\"", "id = \"\""),
        ("name   = \"good\"", "name = \"good/\""),
        ("[nodes.g]", "[nodes.\"g g\"]"),
        ("[clients.slow]", "[clients.\"2\"]"),
        ("warm   =", "\"1\" ="),
        ("zones = [\"eu\", \"us\"]", "zones = [\"eu\", \"u s\"]"),
        ("name      = \"flawed\"", "name = \"fla.wed\""),
        ("seed   = \"0x5EED_0001\"", "seed = \"0x\""),
        ("target  = \"h/any\"", "target = \"h any\""),
        ("over  = \"clients.kv\"", "over = \"kv\""),
        ("in   = \"steady\"", "in = \"5s\""),
        ("after  = \"fault.split.end\"", "after = \"fault.split.middle\""),
        ("during   = \"fault.later\"", "during = \"check.lin\""),
    ]);
}

#[test]
fn wrong_tables_inside_of_tables() {
    both_refuse(&[
        ("repeat = { every = \"2s\", jitter = \"100ms\", max = 3 }", "repeat = { every = \"2s\" }"),
        ("jitter = \"100ms\"", "jiter = \"100ms\""),
        ("keys    = { count = 2_000, dist = \"zipf\", s = 1.1 }", "keys = { dist = \"zipf\" }"),
        ("s = 1.1 }", "s = \"1.1\" }"),
        ("keys   = { count = 10 }", "keys = 10"),
        ("link  = { from = \"h/1\", to = \"zone:us\" }", "link = { from = \"h/1\" }"),
        ("link  = { from = \"h/1\", to = \"zone:us\" }", "link = [\"h/1\", \"zone:us\"]"),
        ("event = \"raft.heartbeat_sent\", node", "evnt = \"raft.heartbeat_sent\", node"),
        ("{ any = [{ event", "{ any = [{ nth = 1 }, { event"),
        ("any = [", "all = [], any = ["),
        ("probability = \"50%\"", "probability = 50"),
        ("faults = [\"crashes\", \"later\"], ", ""),
        ("[[net.link]]\nfrom    = \"h/1\"", "[[net.link]]\nform = \"h/1\""),
        ("\"g->h\" = ", "\"g=>h\" = "),
        ("step = \"1_000/s\"", "stap = \"1_000/s\""),
        ("election  = { min = \"1500ms\", max", "election = { low = \"1500ms\", max"),
        ("fast = { min = \"1ms\", max = \"2ms\" }", "fast = \"1ms\""),
        ("uses = { backend", "uses = { backendd"),
        ("[[preload]]", "[preload]"),
        ("[budget]", "[[budget]]"),
    ]);
}

#[test]
fn unknown_fields_and_words() {
    both_refuse(&[
        ("heartbeat =", "heart_beat ="),
        ("kind  = \"partition\"", "kind  = \"partitoin\""),
        ("kind = \"bound\"", "kind = \"bounds\""),
        ("role  = \"cache\"", "roll  = \"cache\""),
        ("role  = \"cache\"", "role  = \"cash\""),
        ("mode  = \"hold\"", "mode  = \"held\""),
        ("mode  = \"hold\"", "node  = \"h/1\""),
        ("read   = \"stale\"", "read = \"fresh\""),
        ("ops    = { get = 1 }", "ops = { gte = 1 }"),
        ("expect = \"pass\"", "expect = \"passes\""),
        ("system = \"demo\"", "system = \"dmeo\""),
        ("event = \"cache.hit\"", "event = \"cache.hti\""),
        ("state = \"raft.single_leader\"", "state = \"raft.single\""),
        ("what = \"raft.log_entries\"", "what = \"raft.log\""),
        ("to     = [\"raft.single_leader\"", "to = [\"raft.single\""),
        ("model = \"register-cas\"", "model = \"registers\""),
        ("defects   = [\"ack-before-quorum\"]", "defects = [\"ack\"]"),
        ("ties  = \"explore\"", "ties = \"random\""),
        ("detail = \"brief\"", "detial = \"brief\""),
        ("[report]", "[reports]"),
    ]);
}

#[test]
fn wrong_types_and_lists() {
    both_refuse(&[
        ("about  = \"A file with something of everything; tests mutate it.\"", "about = 1"),
        ("tags   = [\"smoke\"]", "tags = \"smoke\""),
        ("sides = [[\"h/leader\"], [\"h/followers\"]]", "sides = [\"h/leader\"]"),
        ("sides = [[\"h/leader\"], [\"h/followers\"]]", "sides = [[\"h/leader\"]]"),
        ("drift_ppm = [10, -10, 0]", "drift_ppm = [\"10\", \"-10\", \"0\"]"),
        ("to     = [\"raft.single_leader\", \"raft.applied_equal\"]", "to = []"),
        ("caught_by = [\"lin\"]", "caught_by = [1]"),
        ("set       = {", "set = [1]\nsett = {"),
        ("reads     = \"leader-lease\"", "reads = true"),
        ("scale = 1_024", "scale = \"1KiB\""),
        ("seeds = 64", "seeds = -64"),
        ("entries = 20", "entries = [20]"),
        ("at    = { dist = \"uniform\", min = \"10s\", max = \"12s\" }", "at = 10"),
    ]);
}

#[test]
fn what_is_missing_and_what_excludes_something() {
    both_refuse(&[
        ("format = 1\n", ""),
        ("name   = \"good\"\n", ""),
        ("sim_time     = \"20s\"\n", ""),
        ("id    = \"split\"\n", ""),
        ("kind = \"invariant\"\n", ""),
        ("node   = \"h/any\"\n", ""),
        ("into    = \"h/*\"\n", ""),
        ("at     = \"6s\"\n", ""),
        ("at     = \"6s\"", "at = \"6s\"\nwhen = { event = \"cache.hit\" }"),
        ("for   = \"1500ms\"", "for = \"1500ms\"\nuntil = \"9s\""),
        (
            "event    = \"raft.leader_elected\"",
            "event = \"cache.hit\"\nstate = \"raft.single_leader\"",
        ),
        ("during   = \"fault.later\"", "during = \"drain\"\nin = \"drain\""),
        ("ops    = { get = 1 }", "ops = { get = 1 }\nscript = [\"get\"]"),
        ("state = \"raft.single_leader\"\n", ""),
    ]);
}

#[test]
fn wrong_distributions() {
    both_refuse(&[
        ("dist = \"lognormal\", median = \"20ms\"", "dist = \"normal\", median = \"20ms\""),
        ("median = \"20ms\", sigma = 0.6", "median = \"20ms\""),
        ("median = \"20ms\", sigma = 0.6", "median = \"20ms\", sigma = \"0.6\""),
        ("dist = \"exponential\", mean = \"10ms\"", "dist = \"exponential\", man = \"10ms\""),
        ("dist = \"exponential\", mean = \"10ms\"", "dist = \"exponential\", mean = \"10KiB\""),
        ("values = [\"4KiB\", \"64KiB\"]", "values = []"),
        ("dist = \"choice\", values = [true, false]", "dist = \"choice\""),
        ("slow_share = \"1%\"", "slow_share = 0.01"),
        ("max = \"256KiB\"", "maximum = \"256KiB\""),
    ]);
}

#[test]
fn what_is_not_yet_supported() {
    both_refuse(&[
        ("role  = \"cache\"", "role = \"cache\"\nversion = \"1\""),
        ("detail = \"brief\"", "detail = \"full\""),
        ("detail = \"brief\"", "detail = \"brief\"\ntraces = [\"h/1\"]"),
        ("drift_max = \"1%\"", "drift_max = \"1%\"\njump = \"1s\""),
    ]);
}

#[test]
fn listed_operations_and_pins() {
    const OP: &str = "[[op]]\nat = \"1s\"\nclient = \"kv/1\"\ncall = \"get\"\nkey = 1\n";
    const PIN: &str = "[[pin]]\nstream = \"link h/1>h/2\"\nn = 0\nfate = \"lost\"\n";
    for (text, mutants) in [
        (OP, [("\"1s\"", "1"), ("kv/1", "kv"), ("\"get\"", "\"gte\""), ("key = 1", "key = \"1\"")]),
        (
            PIN,
            [
                ("link h", "h"),
                ("n = 0", "n = -1"),
                ("\"lost\"", "\"late\""),
                ("fate = \"lost\"", ""),
            ],
        ),
    ] {
        for (from, to) in mutants {
            both_refuse(&[("", &text.replacen(from, to, 1))]);
        }
    }
}

#[test]
fn the_schema_is_the_same_each_time() {
    assert_eq!(schema(&LAB).to_string(), schema(&LAB).to_string());
}
