//! Loads made of the rows of a system: its own operations, verbs, sessions, several groups.

use crate::Scenario;
use crate::diagnostics::render;
use crate::edit::draft::Draft;
use crate::plan::{Ask, Does, KeysPlan, LoadPlan, OpPlan, Plan, Session};
use crate::test_lab::{DEMO, LAB};
use contract::{Call, Dist, OwnCall};
use std::collections::BTreeMap;

/// A scenario with `clients` as its `[clients.kv]`, and what comes after.
fn file(clients: &str) -> String {
    format!(
        "format = 1\nname = \"x\"\nsystem = \"demo\"\n[budget]\nsim_time = \"20s\"\n\
         [nodes.h]\nrole = \"cache\"\ncount = 3\n[[check]]\nid = \"safe\"\nkind = \"invariant\"\n\
         name = \"raft.one_leader_per_term\"\n[clients.kv]\ncount = 2\n{clients}"
    )
}

fn plan(clients: &str) -> Plan {
    let text = file(clients);
    let (scenario, diagnostics) = Scenario::compile("x.toml", text.as_bytes(), &LAB);
    let shown = render(&diagnostics, &text, "x.toml", false);
    scenario.expect(&shown).plan(&LAB, None, 1, 0, &[]).expect("it has no draws that can fail")
}

fn load(clients: &str) -> LoadPlan {
    let groups = plan(clients).groups;
    groups.into_iter().find_map(|group| group.load).expect("there are clients")
}

/// The first thing that is wrong, and its advice.
fn refused(clients: &str) -> (String, String) {
    let (scenario, said) = Scenario::compile("x.toml", file(clients).as_bytes(), &LAB);
    assert!(scenario.is_none(), "{clients}");
    assert!(!said[0].labels.is_empty(), "it has a place");
    (said[0].message.clone(), said[0].help.clone().unwrap_or_default())
}

const RATE: &str = "rate = \"10/s\"\nkeys = { count = 8 }\n";

#[test]
fn operations_come_from_the_rows_of_the_system() {
    let found = load(&format!(
        "{RATE}ops = {{ get = 3, lock = 1, step-down = 2 }}\nargs = {{ lock = {{ ttl_ms = {{ min = 1, max = 9 }} }} }}\n"
    ));
    let names: Vec<(&str, u32, bool)> =
        found.ops.iter().map(|(ask, weight)| (ask.name, *weight, ask.blind)).collect();
    assert_eq!(names, [("get", 3, false), ("lock", 1, false), ("step-down", 2, true)]);
    let Does::Operation { args, .. } = &found.ops[1].0.does else { panic!("an operation") };
    assert_eq!(*args, [Dist::Uniform { min: 1, max: 9 }]);
    assert_eq!(found.ops[2].0.does, Does::Verb { arg: 0 });
}

#[test]
fn the_general_load_asks_for_everything_that_takes_nothing_away() {
    let found = load("rate = \"10/s\"\nworkload = \"general\"\n");
    let names: Vec<&str> = found.ops.iter().map(|(ask, _)| ask.name).collect();
    assert_eq!(names, Ask::names(LAB.systems[0]), "the only verb is not lossy");
    assert!(found.ops.iter().all(|(_, weight)| *weight > 0));
    assert!(matches!(found.session, Session::Single), "an arrival is one call");
    assert!(matches!(found.keys, KeysPlan::Uniform(8)), "few keys, so that operations meet");
    let found = load(&format!("{RATE}workload = \"general\"\n").replace("8", "3"));
    assert!(matches!(found.keys, KeysPlan::Uniform(3)), "unless the file says otherwise");
}

#[test]
fn what_the_system_cannot_be_asked_for_is_refused_where_it_stands() {
    let check = |ops: &str, message: &str, help: &str| {
        assert_eq!(refused(&format!("{RATE}{ops}")), (message.to_owned(), help.to_owned()));
    };
    check("ops = { gte = 1 }", "the system \"demo\" has no operation `gte`", "did you mean `get`?");
    check(
        "script = [\"lok\"]",
        "the system \"demo\" has no operation `lok`",
        "did you mean `lock`?",
    );
    check("workload = \"visit\"", "unknown workload `visit`", "did you mean `visits`?");
    check(
        "ops = { lock = 1 }\nargs = { lock = { ttl_ms = 70_000 } }",
        "`ttl_ms` is from 1 to 60000",
        "for how long",
    );
    check(
        "ops = { lock = 1 }\nargs = { get = { ttl_ms = 7 } }",
        "unknown operation of these clients `get`",
        "known: `lock`",
    );
}

#[test]
fn a_session_is_a_script_or_code() {
    let script = load(&format!("{RATE}script = [\"acquire\", \"put\", \"put\", \"release\"]\n"));
    assert!(matches!(script.session, Session::Script));
    let steps: Vec<&str> = script.ops.iter().map(|(ask, _)| ask.name).collect();
    assert_eq!(steps, ["acquire", "put", "put", "release"]);
    let own = load(&format!("{RATE}workload = \"visits\"\n"));
    assert!(matches!(own.session, Session::Own(kind) if kind.name() == "visits"));
    let (message, _) = refused(&format!("{RATE}script = [\"get\"]\nops = {{ get = 1 }}\n"));
    assert_eq!(message, "`ops`, `script` exclude each other");
}

#[test]
fn clients_use_several_groups() {
    let groups = plan(&format!("{RATE}ops = {{ get = 1 }}\ntarget = \"h/any\"\n")).groups;
    let clients = groups.iter().find(|group| group.load.is_some()).expect("there are clients");
    assert_eq!(clients.uses, [("target".to_owned(), "h/any".to_owned())]);
    let (message, _) = refused(&format!(
        "{RATE}ops = {{ get = 1 }}\ntarget = \"h/any\"\nuses = {{ queue = \"h\" }}\n"
    ));
    assert_eq!(message, "unknown use `queue`");
}

/// What `shrink` writes is read back as what it was.
#[test]
fn own_operations_are_listed_and_read_back() {
    let text = file(&format!("{RATE}ops = {{ get = 1, lock = 1 }}\n"));
    let (scenario, _) = Scenario::compile("x.toml", text.as_bytes(), &LAB);
    let mut draft = Draft::of(&scenario.expect("it is right"), 1);
    let own = |name, row, key, first| {
        let call = OwnCall { row, name, key, args: [first, 0, 0, 0] };
        Ask::of(&DEMO, &Call::Own(Box::new(call))).expect("a row of the system")
    };
    let verb = Ask::of(&DEMO, &Call::Admin { verb: "step-down", arg: 0 }).expect("a verb of it");
    let asks = [(own("lock", 8, Some(4), 77), Some(4)), (own("count-all", 9, None, 0), None)];
    let asks = asks.into_iter().chain([(verb, None)]).enumerate();
    let op = |(n, (ask, key)): (usize, (Ask, Option<u64>))| OpPlan {
        at: contract::SimTime(1_000 * n as u64),
        client: 2,
        ask,
        key,
        value: None,
        expect: crate::plan::Expected::LastSeen,
        ttl: None,
    };
    let ops: Vec<OpPlan> = asks.map(op).collect();
    draft.set_ops(&BTreeMap::from([("kv".to_owned(), ops.clone())]));
    assert_eq!(draft.op_keys(), [Some(4), None, None]);
    let plan = draft.plan(&LAB).expect("what is written is right");
    let load = plan.groups.into_iter().find_map(|group| group.load).expect("there are clients");
    assert_eq!(load.listed, Some(ops));
}

/// A tail has no end, what clients can write and nodes can hold has: the draw is cut to it.
#[test]
fn sizes_with_an_endless_tail_are_cut_to_what_the_system_can_do() {
    let sizes = "{ dist = \"exponential\", min = \"8B\", mean = \"900KiB\" }";
    let plan = plan(&format!(
        "{RATE}ops = {{ put = 1 }}\nvalue = {sizes}\n\
         [[preload]]\ninto = \"h/*\"\nentries = 100\nvalue = {sizes}\n"
    ));
    let load = plan.groups.iter().find_map(|group| group.load.as_ref()).expect("clients");
    let mut rng = contract::Rng::new(1, contract::Domain::Client, "sizes");
    let written: Vec<u32> = (0..100).map(|_| load.size(&mut rng)).collect();
    let preloaded = plan.groups.iter().flat_map(|group| &group.preload);
    let held: Vec<u32> =
        preloaded.flat_map(|(_, entries)| entries).map(|entry| entry.value.size_bytes).collect();
    assert_eq!(held.len(), 100);
    for sizes in [written, held] {
        assert_eq!(sizes.iter().max(), Some(&(1 << 20)), "some draw lies beyond, and is cut");
        assert!(sizes.iter().min() < Some(&(1 << 19)), "others are what was drawn");
    }
    // Where even the least is too much, the file is wrong.
    let (message, _) = refused(&format!(
        "{RATE}ops = {{ put = 1 }}\nvalue = {{ dist = \"exponential\", min = \"2MiB\", mean = \"3MiB\" }}\n"
    ));
    assert_eq!(message, "a client of this system writes values of at most 1MiB");
}
