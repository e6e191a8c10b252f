//! Searches that copy worlds: whatever is copied goes on as it would have from the start.

use chaoslab::{LAB, three_caches};
use contract::{Duration, SimTime};
use harness::cause::{Branching, messages};
use harness::cli::names;
use harness::explore::exhaustive::{Bounds, replay, search};
use harness::explore::{Explored, Limits, Strategy, explore};
use harness::record::record;
use harness::run::{self, Runner};
use harness::select::Roster;
use harness::shrink::as_run::listed;
use harness::shrink::prefix_cache::Past;
use harness::shrink::target;
use scenario::Scenario;
use scenario::edit::draft::Draft;
use scenario::plan::Plan;
use std::fs;
use std::path::Path;
use std::rc::Rc;

fn scenario(text: &str) -> Scenario {
    let (scenario, said) = Scenario::compile("test.toml", text.as_bytes(), &names(&LAB));
    scenario.unwrap_or_else(|| panic!("{said:?}"))
}

fn plan(text: &str) -> Plan {
    let plan = scenario(text).plan(&names(&LAB), None, 1, 0, &[]);
    plan.unwrap_or_else(|said| panic!("{said:?}"))
}

const BUSY: &str = three_caches!(
    "test",
    1,
    "8s",
    "50_000_000",
    r#"
[net]
latency = { dist = "uniform", min = "1ms", max = "9ms" }
loss    = "2%"

[clients.kv]
count  = 3
target = "h/any"
rate   = "60/s"
ops    = { get = 40, put = 40, cas = 20 }
keys   = { count = 4 }

[[fault]]
id   = "early"
kind = "crash"
at   = "5s"
for  = "300ms"
node = "h/2"

[[fault]]
id    = "late"
kind  = "partition"
at    = "6s"
for   = "500ms"
sides = [["h/1"], ["h/2", "h/3"]]

[[check]]
id    = "lin"
kind  = "linearizable"
model = "register-cas"
over  = "clients.kv"
"#
);

/// A trial that begins in the middle is the trial from the start, event for event.
#[test]
fn a_candidate_that_shares_a_past_goes_on_as_from_its_start() {
    let lab = names(&LAB);
    let mut whole = Draft::of(&scenario(BUSY), 1);
    let drawn = run::run(whole.plan(&lab).expect("a plan"), false);
    whole.set_ops(&listed(&drawn));
    let ops = whole.ops();
    assert!(ops > 100, "{ops} operations are no test");
    let past = Past::record(&lab, &whole, u64::MAX).expect("its world can be copied");
    type Edit = fn(&mut Draft);
    let edits: [(&str, Edit); 4] = [
        ("the last operations", |draft| draft.keep_ops(|n| n < 120)),
        ("every third of the later operations", |draft| draft.keep_ops(|n| n < 60 || n % 3 > 0)),
        ("the later fault", |draft| draft.keep("fault", |id| id == "early")),
        ("both faults and some operations", |draft| {
            draft.keep("fault", |_| false);
            draft.keep_ops(|n| n < 100 || n % 2 == 0);
        }),
    ];
    for (what, edit) in edits {
        let mut candidate = whole.clone();
        edit(&mut candidate);
        let plan = candidate.plan(&lab).expect("a plan");
        let mut forked = past.fork(&candidate, &plan).expect("a past in common");
        assert!(forked.now() > SimTime::ZERO);
        forked.go_on(false);
        let (forked, fresh) = (forked.finish(), run::run(plan, false));
        assert_eq!((forked.digest, forked.events), (fresh.digest, fresh.events), "without {what}");
        assert_eq!(forked.ops, fresh.ops, "without {what}");
    }
    let mut other = whole.clone();
    other.set_text("net.loss", "3%");
    assert_eq!(other.less_than(&whole), None, "another network has no past in common");
}

/// A pin decides about its message and about nothing else: what is not lost anyway and is pinned to
/// be delivered changes nothing, and of two links only the one that is pinned has another fate.
#[test]
fn a_pin_decides_about_one_message() {
    let pinned = |pin: &str| {
        let calm =
            BUSY.replace("loss    = \"2%\"", "").replace("[[check]]", &format!("{pin}\n[[check]]"));
        run::run(plan(&calm), false)
    };
    let pin = |n: u64, rest: &str| format!("[[pin]]\nstream = \"link h/1>h/2\"\nn = {n}\n{rest}\n");
    let plain = pinned("");
    assert_eq!(pinned(&pin(3, "fate = \"delivered\"")).digest, plain.digest);
    let lost = pinned(&pin(3, "fate = \"lost\""));
    assert_ne!(lost.digest, plain.digest);
    let slow = pinned(&pin(3, "latency = \"2500ms\""));
    assert!(slow.digest != plain.digest && slow.digest != lost.digest);
    assert_eq!(pinned(&pin(1_000_000_000, "fate = \"lost\"")).digest, plain.digest);
}

/// Three nodes of which one asks for votes before it is too late; `more` is added.
fn one_candidate(more: &str) -> Scenario {
    const TEXT: &str = three_caches!(
        "test",
        1,
        "3s",
        "50_000_000",
        r#"
[tuning.h]
pre_vote       = false
tick           = "0ms"
election_fixed = ["1500ms", "9s", "9s"]

MORE

[[check]]
id     = "led"
kind   = "converge"
after  = "0s"
within = "1800ms"
to     = ["raft.single_leader"]
"#
    );
    scenario(&TEXT.replace("MORE", more))
}

/// The messages without whose loss somebody leads in time; `None` where somebody does.
fn mattered(draft: &Draft) -> Option<messages::Messages> {
    let lab = names(&LAB);
    let record = record(&run::run(draft.plan(&lab).expect("a plan"), false));
    let cause = target(&record, None).ok()?;
    let branching = Branching { points: 1, futures: 1, messages: 50, jobs: 2 };
    let at = Duration::from_millis(1_900);
    Some(messages::what_if(&lab, draft, at, &cause, branching, &mut |_| {}))
}

/// The only candidate loses both of its vote requests, so nobody leads in time; either of them would
/// have done.
#[test]
fn a_single_message_that_mattered_is_found() {
    let lost = |to: &str| format!("[[pin]]\nstream = \"link h/1>{to}\"\nn = 0\nfate = \"lost\"\n");
    let both = format!("{}{}", lost("h/2"), lost("h/3"));
    let found = mattered(&Draft::of(&one_candidate(&both), 1)).expect("nobody leads in time");
    let links: Vec<&str> = found.mattered.iter().map(|one| one.to.as_str()).collect();
    assert_eq!((found.tried, links), (2, vec!["h/2", "h/3"]), "{found:?}");
    assert!(found.mattered.iter().all(|one| one.without == "nothing fires"), "{found:?}");
}

/// The network loses half of all messages by chance, and in some seeds all that the candidate needed.
/// A message that is said to have mattered did: pinned to come through, it makes the difference in
/// a run from the start.
#[test]
fn a_message_that_was_lost_by_chance_and_mattered_is_found() {
    let loss = "[net]\nloss = \"50%\"\n";
    let found = (1..=20).find_map(|seed| {
        let found = mattered(&Draft::of(&one_candidate(loss), seed))?;
        let one = found.mattered.into_iter().find(|one| one.what == "lost by chance")?;
        Some((seed, one))
    });
    let (seed, one) = found.expect("in 20 seeds one loss decides");
    let through = |fate: &str| {
        let link = format!("stream = \"link {}>{}\"\nn = {}", one.from, one.to, one.n);
        let pinned = one_candidate(&format!("{loss}[[pin]]\n{link}\nfate = \"{fate}\"\n"));
        mattered(&Draft::of(&pinned, seed)).is_none()
    };
    assert!(through("delivered"), "{one:?}");
    assert!(!through("lost"), "{one:?}");
}

/// What is wrong with a pin is said.
#[test]
fn wrong_pins_are_refused() {
    let cases = [
        ("stream = \"link h/1>h/9\"\nn = 1\nfate = \"lost\"", "there is no link"),
        ("stream = \"node h/1\"\nn = 1\nfate = \"lost\"", "there is no link"),
        ("stream = \"link h/1>h/2\"\nn = 1", "the `latency` or the `fate`"),
        ("stream = \"link h/1>h/2\"\nn = 1\nfate = \"gone\"", "unknown fate"),
        ("stream = \"link h/1>h/2\"\nn = 1\nvalue = 3", "a pinned value"),
    ];
    for (pin, expected) in cases {
        let text = BUSY.replace("[[check]]", &format!("[[pin]]\n{pin}\n\n[[check]]"));
        let (_, said) = Scenario::compile("test.toml", text.as_bytes(), &names(&LAB));
        let all: Vec<&str> = said.iter().map(|said| said.message.as_str()).collect();
        assert!(all.iter().any(|said| said.contains(expected)), "{pin}: {all:?}");
    }
}

/// A small world; `flaw` is planted in it.
fn small(flaw: &str) -> Plan {
    plan(&format!(
        r#"
format  = 1
name    = "test"
system  = "hyperion"
defects = [{flaw}]

[budget]
sim_time = "5s"

[nodes.h]
role  = "cache"
count = 3

[tuning.h]
pre_vote = false
tick     = "0ms"

[[fault]]
id   = "power"
kind = "crash"
at   = "1s"
for  = "1s"
node = "h/1"

[[check]]
id   = "election-safety"
kind = "invariant"
name = "raft.one_leader_per_term"
"#
    ))
}

fn bounds(timers: u64) -> Bounds {
    Bounds {
        from: SimTime::ZERO,
        waiting: 2,
        after: Vec::new(),
        timers,
        depth: 200,
        states: 100_000,
    }
}

/// Two candidates in one term and a voter that votes twice: two timers, and no seed is needed.
#[test]
fn every_order_finds_what_two_timers_can_break() {
    let flaw = "\"double-vote-same-term\"";
    let found = search(small(flaw), bounds(4), &mut |_| {}).expect("a world that can be copied");
    let path = found.found.expect("two leaders in one term");
    let timers = path.iter().filter(|name| !name.contains('>')).count();
    assert_eq!(timers, 2, "{path:?}");
    assert!(found.levels[0].whole && found.levels.len() == 2, "{:?}", found.levels);
    let broken = replay(small(flaw), &bounds(4), &path).expect("a world");
    assert_eq!(broken.violations()[0].property, "raft.one_leader_per_term");
    let fewer = replay(small(flaw), &bounds(4), &path[1..]);
    let is_broken = fewer.is_ok_and(|run| !run.violations().is_empty());
    assert!(!is_broken, "nothing of the path can be left out");
}

#[test]
fn without_the_flaw_no_order_breaks_anything() {
    let mut world = small("");
    world.faults.clear();
    let bounds = Bounds { waiting: 1, ..bounds(2) };
    let clean = search(world, bounds, &mut |_| {}).expect("a world that can be copied");
    assert_eq!(clean.found, None);
    assert!(clean.levels.iter().all(|level| level.whole), "{:?}", clean.levels);
    assert!(clean.levels[1].states > 100, "{:?}", clean.levels);
}

/// Deliveries to two nodes commute: in either order they lead to one state.
#[test]
fn orders_that_no_node_can_tell_apart_are_one_state() {
    let roster = Rc::new(Roster::new(Rc::new(small(""))));
    let mut world = Runner::new(&roster).expect("a world");
    world.freeze(4);
    let state_after = |names: &[&str]| {
        let mut world = world.fork().expect("a copy");
        for name in names {
            let choice = world.choices().into_iter().find(|c| world.name_of(*c) == *name);
            world.choose(choice.unwrap_or_else(|| panic!("{name} is no choice")));
        }
        world.still_state()
    };
    let one = state_after(&["h/1", "h/1>h/2", "h/1>h/3"]);
    assert_eq!(one, state_after(&["h/1", "h/1>h/3", "h/1>h/2"]));
    assert_ne!(one, state_after(&["h/1", "h/1>h/3"]));
    assert_ne!(one, state_after(&["+power", "-power", "h/1", "h/1>h/2", "h/1>h/3"]));
}

/// `small/adrift` with a flaw of Raft that takes several accidents in one order.
fn adrift() -> Plan {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/small/adrift.toml");
    let text = fs::read_to_string(file).expect("the scenario is there");
    let sets = [("defects".to_owned(), "[\"commit-previous-term\"]".to_owned())];
    scenario(&text).plan(&names(&LAB), None, 1, 0, &sets).expect("the flaw is known")
}

fn explored(strategy: Strategy, salt: u64) -> Explored {
    let limits = Limits { step: Duration(100_000_000), events: 400_000, salt };
    explore(adrift(), strategy, limits, &mut |_| {}).expect("its nodes can be copied")
}

#[test]
fn novelty_goes_further_than_chance() {
    // Far apart, so that no two searches give a world the same salt.
    let salts = [0, 1 << 32, 3 << 32];
    let of_chance = salts.map(|salt| explored(Strategy::Random, salt).found.is_some());
    let of_novelty = salts.map(|salt| explored(Strategy::Novelty, salt).found);
    let times = of_novelty.iter().flatten().count();
    assert!(times > of_chance.iter().filter(|found| **found).count(), "found it {times} times");
    for (path, causes) in of_novelty.into_iter().flatten() {
        let finished = path.replay(adrift(), Strategy::Novelty).expect("it boots");
        assert!(finished.fired(), "{path} was said to break {causes:?}");
    }
}

/// h/1 leads, takes in h/5 as a learner and, with only h/4 between the sides, as a voter; h/2 is elected
/// and asked to let go of h/1 before anything of its term is committed.
const TWO_CHANGES: &str = "h/1 h/1>h/2 h/2>h/1 h/1>h/3 h/3>h/1 h/1>h/2 h/2>h/1 h/1>h/3 h/3>h/1 \
    +learn h/1>h/2 h/2>h/1 h/1>h/3 h/3>h/1 h/1>h/5 h/5>h/1 h/1>h/5 h/5>h/1 h/1>h/5 h/5>h/1 h/1 \
    h/1>h/2 +bridge +join h/2 h/2>h/3 h/3>h/2 h/2>h/4 h/4>h/2 +leave h/2>h/3 h/3>h/2 h/2>h/3 h/3>h/2 \
    h/1>h/4 h/4>h/1";

/// From where two changes of one voter each have been made, every order finds the election of a leader
/// that lacks what was committed; and without the flaw the second of them is not made, and none does.
#[test]
fn two_changes_that_cross_terms_are_found_from_a_prefix() {
    let text = include_str!("../../../scenarios/small/membership.toml");
    let world = |variant| {
        let plan = scenario(text).plan(&names(&LAB), variant, 1, 0, &[]);
        plan.unwrap_or_else(|said| panic!("{said:?}"))
    };
    let after = TWO_CHANGES.split_whitespace().map(str::to_owned).collect();
    let bounds = Bounds { waiting: 1, depth: 5, after, ..bounds(1) };
    let flawed = || world(Some("single-server-change-cross-term"));
    let found = search(flawed(), bounds.clone(), &mut |_| {}).expect("a world that can be copied");
    let path = found.found.expect("a leader that lacks a committed entry");
    let broken = replay(flawed(), &bounds, &path).expect("a world");
    assert_eq!(broken.violations()[0].property, "raft.leader_completeness");
    assert!(path.contains(&"+leave".to_owned()), "the second change is needed: {path:?}");
    // Without the flaw the second change is not made, so the path ends there.
    let refused = search(world(None), bounds.clone(), &mut |_| {}).expect_err("no such path");
    assert!(refused.contains("cannot happen there"), "{refused}");
    let before = bounds.after.iter().take_while(|name| *name != "+leave");
    let bounds = Bounds { after: before.cloned().collect(), ..bounds };
    let clean = search(world(None), bounds, &mut |_| {}).expect("a world");
    assert_eq!(clean.found, None);
    assert!(clean.levels[0].states > 100, "{:?}", clean.levels);
}
