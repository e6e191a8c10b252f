//! Machines and what they start, through the whole lab: scenario file, run, fork, replay, shrink,
//! explore, exact hosts.

#[path = "machines/fleet.rs"]
mod fleet;

use contract::{Duration, NodeId, Rng, SimTime};
use fleet::{Fleet, Machine, Workload};
use harness::cli::{Lab, names};
use harness::explore::exhaustive::{self, Bounds};
use harness::explore::{Limits, Strategy, explore};
use harness::outcome::outcome;
use harness::record::record;
use harness::run::{self, Runner};
use harness::select::{Lots, Roster};
use harness::shrink::{Budget, Subject, Trials, shrink, target};
use harness::testkit::{ChaosNetwork, TestCluster, TimeController};
use reports::record::RunOutcome;
use scenario::Scenario;
use scenario::edit::draft::Draft;
use scenario::plan::Plan;
use std::rc::Rc;

const LAB: Lab = Lab::of(&[&Fleet]);
const FILE: &str = include_str!("machines/fleet.toml");
const CHECK: &str =
    "[[check]]\nid=\"lin\"\nkind=\"linearizable\"\nmodel=\"register-cas\"\nover=\"clients.kv\"\n";

fn scenario(text: &str) -> Scenario {
    let (scenario, said) = Scenario::compile("fleet.toml", text.as_bytes(), &names(&LAB));
    scenario.unwrap_or_else(|| panic!("{said:?}"))
}

fn plan(variant: Option<&str>, seed: u64) -> Plan {
    let plan = scenario(FILE).plan(&names(&LAB), variant, seed, 0, &[]);
    plan.unwrap_or_else(|said| panic!("{said:?}"))
}

fn roster(plan: Plan) -> Rc<Roster> {
    Rc::new(Roster::new(Rc::new(plan)))
}

fn id(roster: &Roster, name: &str) -> NodeId {
    let at = roster.names().iter().position(|other| other == name);
    NodeId(at.expect("a node of the file") as u32)
}

#[test]
fn what_is_durable_survives_whatever_befalls_machines_and_workloads() {
    for variant in [None, Some("stopping")] {
        for seed in 0..12 {
            let finished = run::run(plan(variant, seed), false);
            let failed: Vec<_> =
                record(&finished).violated().map(|check| check.id.clone()).collect();
            assert_eq!(outcome(&finished), RunOutcome::Passed, "{variant:?} {seed}: {failed:?}");
            for span in &finished.occurrences {
                let fault = &finished.plan.faults[span.fault].id;
                assert!(span.effects > 0, "{variant:?} {seed}: {fault} did nothing");
            }
            let again = run::run(plan(variant, seed), false);
            assert_eq!((again.digest, again.events), (finished.digest, finished.events));
        }
    }
}

#[test]
fn a_run_from_its_own_document_is_the_run() {
    let finished = run::run(plan(Some("stopping"), 3), false);
    let document = scenario(&finished.plan.document);
    let replayed = document.plan(&names(&LAB), None, 3, 0, &[]).expect("a plan");
    assert_eq!(run::run(replayed, false).digest, finished.digest);
}

#[test]
fn a_fork_at_any_time_is_the_straight_run() {
    let whole = run::run(plan(Some("stopping"), 2), false);
    let mut runner = Runner::new(&roster(plan(Some("stopping"), 2))).expect("it boots");
    for at in (0..9_000).step_by(450) {
        runner.go_until(SimTime::ZERO + Duration::from_millis(at));
        let mut fork = runner.fork().expect("all of it can be copied");
        fork.go_on(false);
        let fork = fork.finish();
        assert_eq!((fork.digest, fork.events), (whole.digest, whole.events), "from {at} ms");
        assert_eq!(fork.ops, whole.ops);
    }
}

#[test]
fn a_machine_means_itself_and_what_runs_on_it() {
    let roster = roster(plan(None, 1));
    let mut runner = Runner::new(&roster).expect("it boots");
    let select = |runner: &Runner, selector: &str| -> Vec<String> {
        let mut rng = Rng::new(1, contract::Domain::Fault, "test");
        let nodes = roster.select(selector, runner.nodes(), &mut Lots::new(), &mut rng);
        nodes.into_iter().map(|node| roster.name(node).to_owned()).collect()
    };
    assert_eq!(select(&runner, "machine:m/1"), ["m/1"]);
    runner.go_until(SimTime::ZERO + Duration::from_millis(500));
    assert_eq!(select(&runner, "machine:m/1"), ["m/1", "w/1"]);
    assert_eq!(select(&runner, "machine:m/*"), ["m/1", "m/2", "w/1", "w/2"]);
    assert!(runner.nodes().node(id(&roster, "w/3")).is_none(), "nobody started it");
    let on = runner.nodes().get::<Workload>(id(&roster, "w/2")).expect("it runs").machine;
    assert_eq!(on, id(&roster, "m/2"));
}

#[test]
fn a_wrong_setting_is_the_node_s_mistake_and_not_a_crash_of_the_lab() {
    let finished = run::run(plan(Some("mistaken"), 1), false);
    assert_eq!(outcome(&finished), RunOutcome::UnexpectedViolation);
    let record = record(&finished);
    let check = record.violated().find(|check| check.id == "no-mistake").expect("it is said");
    let said = &check.evidence[0].detail;
    let expect = "it starts a node of the role `keeper`, and `shrad` is no setting of the role";
    assert!(said.contains("m/1") && said.contains(expect), "{said}");
}

/// Only what they need for a test that bends them by hand.
fn calm() -> TestCluster {
    let end = FILE.find("[[fault]]").expect("there are faults");
    let text = format!("{}{CHECK}", &FILE[..end]);
    TestCluster::from_scenario(&[&Fleet], &text).unwrap_or_else(|said| panic!("{said}"))
}

#[test]
fn a_workload_reads_the_clock_of_its_machine() {
    let mut cluster = calm();
    let second = Duration::from_secs(1);
    cluster.run_for(second);
    let wall = |cluster: &TestCluster, seat| cluster.gauge(seat, "fleet.wall_ms").expect("it runs");
    let (one, two) = (wall(&cluster, "w/1"), wall(&cluster, "w/2"));
    assert!((35..=50).contains(&(two - one)), "m/2 is 40 ms ahead: {one} and {two}");
    TimeController::of(&mut cluster).jump("m/1", 3_000_000_000).expect("it can");
    cluster.run_for(second);
    assert!((3_985..=4_015).contains(&(wall(&cluster, "w/1") - one)));
    assert!((985..=1_015).contains(&(wall(&cluster, "w/2") - two)));
}

#[test]
fn who_isolates_a_machine_isolates_its_workload() {
    let mut cluster = calm();
    cluster.run_for(Duration::from_secs(1));
    ChaosNetwork::of(&mut cluster).isolate("m/1").expect("it can");
    cluster.run_for(Duration::from_secs(3));
    ChaosNetwork::of(&mut cluster).heal();
    cluster.run_for(Duration::from_secs(3));
    let finished = cluster.finish();
    let (mut cut, mut other) = (0, 0);
    for op in &finished.ops {
        let during = (1_200_000_000..3_800_000_000).contains(&op.call_at.0);
        if during && op.outcome != contract::Outcome::Unknown {
            let shard = op.call.key().expect("reads and writes have one") % 2;
            *if shard == 0 { &mut cut } else { &mut other } += 1;
        }
    }
    assert_eq!(cut, 0, "the keys of the first machine cannot be reached");
    assert!(other > 20, "those of the second can: {other}");
}

#[test]
fn recovery_brings_machines_back_and_not_seats() {
    let text = FILE.replace(
        "[[check]]\nid    = \"lin\"",
        "[recovery]\nat = \"7s\"\nrestart = \"all\"\n\n[[check]]\nid    = \"lin\"",
    );
    let plan = scenario(&text).plan(&names(&LAB), None, 4, 0, &[]).expect("a plan");
    let roster = roster(plan);
    let mut runner = Runner::new(&roster).expect("it boots");
    runner.go_on(false);
    assert!(runner.nodes().node(id(&roster, "w/3")).is_none(), "a seat is not dead");
    for name in ["m/1", "m/2"] {
        let machine = runner.nodes().get::<Machine>(id(&roster, name)).expect("it is up");
        assert!(machine.running.is_some(), "{name} started its workload again");
    }
    assert_eq!(outcome(&runner.finish()), RunOutcome::Passed);
}

#[test]
fn a_failure_is_shrunk_to_the_crash_that_causes_it() {
    let finished = run::run(plan(Some("volatile"), 1), false);
    assert_eq!(outcome(&finished), RunOutcome::FailedAsExpected);
    let record = record(&finished);
    let cause = target(&record, Some("lin")).expect("it failed");
    let file = scenario(&finished.plan.document);
    let subject = Subject::new(&file, &record, cause.clone());
    let lab = names(&LAB);
    let budget = Budget { trials: 400, events: u64::MAX };
    let mut trials = Trials::new(&lab, cause.clone(), budget);
    let shrunk = shrink(&subject, &mut trials, &mut |_: &Draft, _| {}).expect("it fails again");
    let text = shrunk.document;
    assert!(text.contains("dormant"), "{text}");
    assert!(shrunk.draft.ids("fault").len() <= 1, "{text}");
    let again = scenario(&text).plan(&lab, None, 1, 0, &[]).expect("a plan");
    let again = harness::record::record(&run::run(again, false));
    assert_eq!(target(&again, Some("lin")).expect("it fails still"), cause);
}

#[test]
fn searches_from_copies_find_what_a_workload_loses() {
    let limits = Limits { step: Duration::from_millis(200), events: 400_000, salt: 1 };
    for strategy in [Strategy::Random, Strategy::Novelty] {
        let explored = explore(plan(Some("volatile"), 1), strategy, limits, &mut |_| {});
        let explored = explored.expect("it can be copied");
        let (path, causes) = explored.found.expect("it is easy to find");
        assert!(explored.states > 1, "who runs where makes a state");
        assert!(causes.iter().any(|cause| cause.check == "lin"), "{causes:?}");
        let replayed = path.replay(plan(Some("volatile"), 1), strategy).expect("it boots");
        assert!(replayed.fired());
    }
}

#[test]
fn every_order_of_a_small_fleet_is_searched() {
    let small =
        FILE.replace("count = 2\n", "count = 1\n").replace("[\"0ms\", \"40ms\"]", "\"0ms\"");
    let end = small.find("[[fault]]").expect("there are faults");
    let text = format!(
        "{}[[fault]]\nid=\"f\"\nkind=\"crash\"\nat=\"1s\"\nfor=\"1s\"\nnode=\"m/1\"\n\n{CHECK}",
        &small[..end],
    );
    let bounds = Bounds {
        from: SimTime::ZERO + Duration::from_millis(900),
        waiting: 1,
        after: Vec::new(),
        timers: 2,
        depth: 8,
        states: 5_000,
    };
    let plan = |text: &str| scenario(text).plan(&names(&LAB), None, 1, 0, &[]).expect("a plan");
    let searched = exhaustive::search(plan(&text), bounds.clone(), &mut |_| {}).expect("it can");
    assert!(searched.found.is_none());
    assert!(searched.levels.iter().any(|level| level.states > 10), "{:?}", searched.levels);
    let path = ["+f".to_owned(), "-f".to_owned()];
    let roster = roster(plan(&text));
    let runner = exhaustive::replay(plan(&text), &bounds, &path).expect("it boots");
    let seat = id(&roster, "w/1");
    assert_eq!(runner.nodes().boot(seat), 1, "it was started again, at once");
    assert_eq!(runner.nodes().machine(seat), Some(id(&roster, "m/1")));
}
