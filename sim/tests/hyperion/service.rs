//! What the service answers, call by call.

use crate::world::{Plan, World};
use catalog::{Preload, SettingValue};
use contract::{Call, Condition, DiskFate, Duration, Outcome, ReadLevel, Ret, Value};

const READ: ReadLevel = ReadLevel::Linearizable;

const fn value(id: u64) -> Value {
    Value { id, size_bytes: 32 }
}

const fn put(key: u64, id: u64) -> Call {
    let (value, ttl) = (value(id), None);
    Call::Put { key, value, ttl }
}

const fn get(key: u64) -> Call {
    Call::Get { key, read: READ }
}

/// A world whose one client asks `calls`, each at its millisecond.
fn script(calls: &[(u64, Call)]) -> Plan {
    let mut plan = Plan::new(3);
    plan.clients = 1;
    plan.script = calls.to_vec();
    plan
}

/// Runs a script to its end and a while on.
fn run(plan: Plan) -> World {
    let end_ms = plan.script.last().map_or(0, |(at_ms, _)| *at_ms);
    let mut world = plan.build();
    world.run_to(end_ms + 3_000);
    world.assert_violation_free();
    world
}

fn outcomes(world: &World) -> Vec<Outcome> {
    let outcome = |done: &crate::history::Done| done.outcome.clone().expect("it ended");
    world.history().0.iter().map(outcome).collect()
}

fn found(id: u64) -> Option<u64> {
    Some(id)
}

/// The id that a read saw.
fn seen(outcome: &Outcome) -> Option<u64> {
    match outcome {
        Outcome::Ok(Ret::Found { value, .. }) => Some(value.id),
        Outcome::Ok(Ret::Missing) => None,
        other => panic!("{other:?} is no answer to a get"),
    }
}

#[test]
fn a_key_is_written_read_compared_and_deleted() {
    let cas =
        |expect: Option<u64>, id| Call::Cas { key: 1, expect: expect.map(value), value: value(id) };
    let world = run(script(&[
        (5_000, get(1)),
        (5_100, put(1, 10)),
        (5_200, get(1)),
        (5_300, cas(Some(99), 11)),
        (5_400, cas(Some(10), 12)),
        (5_500, cas(None, 13)),
        (5_600, Call::Delete { key: 1 }),
        (5_700, Call::Delete { key: 1 }),
        (5_800, cas(None, 14)),
        (5_900, get(1)),
    ]));
    let outcomes = outcomes(&world);
    assert_eq!(seen(&outcomes[0]), None);
    assert!(matches!(outcomes[1], Outcome::Ok(Ret::Done { .. })));
    assert_eq!(seen(&outcomes[2]), found(10));
    let conflict = |id| Outcome::Ok(Ret::Conflict { seen: Some(value(id)) });
    assert_eq!(outcomes[3], conflict(10));
    assert!(matches!(outcomes[4], Outcome::Ok(Ret::Done { .. })));
    assert_eq!(outcomes[5], conflict(12));
    let deleted = |previous| Outcome::Ok(Ret::Deleted { previous });
    assert_eq!(outcomes[6], deleted(Some(value(12))));
    assert_eq!(outcomes[7], deleted(None));
    assert!(matches!(outcomes[8], Outcome::Ok(Ret::Done { .. })));
    assert_eq!(seen(&outcomes[9]), found(14));
    // Conflicts acknowledge no write; deletes do.
    assert_eq!(world.marks("cache.write_acked"), 5);
}

#[test]
fn a_batch_is_answered_in_the_order_of_its_keys_up_to_its_limit() {
    let batch = |keys: Vec<u64>| Call::BatchGet { keys, read: READ };
    let world = run(script(&[
        (5_000, put(1, 10)),
        (5_100, put(3, 30)),
        (5_200, batch(vec![3, 2, 1])),
        (5_300, batch((0..100).collect())),
        (5_400, batch((0..101).collect())),
    ]));
    let outcomes = outcomes(&world);
    let values = vec![Some(value(30)), None, Some(value(10))];
    assert_eq!(outcomes[2], Outcome::Ok(Ret::Batch { values }));
    assert!(matches!(&outcomes[3], Outcome::Ok(Ret::Batch { values }) if values.len() == 100));
    assert_eq!(outcomes[4], Outcome::Fail);
}

#[test]
fn an_operator_evicts_and_moves_the_leadership() {
    let admin = |verb, arg| Call::Admin { verb, arg };
    let mut calls: Vec<(u64, Call)> =
        (0..6).map(|key| (5_000 + 50 * key, put(key, key + 1))).collect();
    calls.push((5_500, admin("health", 0)));
    calls.push((5_600, admin("evict", 2)));
    calls.push((5_700, get(0)));
    calls.push((5_800, get(5)));
    calls.push((6_000, admin("step-down", 0)));
    calls.push((9_000, admin("health", 0)));
    let plan = script(&calls);
    let mut world = plan.build();
    world.run_to(5_900);
    let before = world.leader();
    world.run_to(12_000);
    world.assert_violation_free();
    assert_ne!(world.leader(), before);
    let outcomes = outcomes(&world);
    let done = |version| Outcome::Ok(Ret::Done { version });
    assert_eq!(outcomes[6], done(6));
    assert_eq!(outcomes[7], done(2));
    assert_eq!((seen(&outcomes[8]), seen(&outcomes[9])), (None, found(6)));
    assert_eq!((&outcomes[10], &outcomes[11]), (&done(1), &done(4)));
    assert_eq!(world.marks("cache.evicted"), 2);
}

#[test]
fn a_client_that_asks_too_often_is_told_when_to_come_back() {
    let calls: Vec<(u64, Call)> = (0..8).map(|i| (5_000 + 20 * i, put(i, i + 1))).collect();
    let plan = script(&calls).cache("set_rate_max", SettingValue::Int(5));
    let mut world = plan.build();
    world.run_to(9_000);
    assert!(world.marks("cache.rate_limited") > 0);
    assert!(outcomes(&world).iter().any(|outcome| matches!(outcome, Outcome::Ok(_))));
}

#[test]
fn what_passes_a_limit_fails_and_changes_nothing() {
    let large = |size_bytes| Call::Put { key: 1, value: Value { id: 7, size_bytes }, ttl: None };
    let forever =
        Call::Put { key: 1, value: value(8), ttl: Some(Duration::from_millis(604_800_001)) };
    let world = run(script(&[
        (5_000, large(524_288)),
        (5_500, large(524_289)),
        (5_600, forever),
        (5_700, get(1)),
    ]));
    let outcomes = outcomes(&world);
    assert!(matches!(outcomes[0], Outcome::Ok(Ret::Done { .. })));
    assert_eq!(outcomes[1], Outcome::Fail);
    assert_eq!(outcomes[2], Outcome::Fail);
    assert_eq!(seen(&outcomes[3]), found(7));
}

#[test]
fn an_entry_ends_with_its_time_and_then_leaves_every_replica() {
    let brief = Call::Put { key: 1, value: value(10), ttl: Some(Duration::from_millis(1_000)) };
    let world = run(script(&[
        (5_000, brief),
        (5_100, put(2, 20)),
        (5_900, get(1)),
        (6_100, get(1)),
        (6_200, get(2)),
    ]));
    let outcomes = outcomes(&world);
    assert_eq!(seen(&outcomes[2]), found(10));
    assert_eq!(seen(&outcomes[3]), None);
    assert_eq!(seen(&outcomes[4]), found(20));
    assert_eq!(world.marks("cache.expired"), 1);
    for node in world.caches() {
        assert_eq!(world.gauge("cache.entries", node), 1);
    }
    let late_ns = world.marks_of("cache.expired").map(|mark| mark.value).max();
    assert!(late_ns < Some(50_000_000), "{late_ns:?}");
}

#[test]
fn an_entry_that_was_renewed_outlives_its_first_time() {
    let put_for =
        |id, ms| Call::Put { key: 1, value: value(id), ttl: Some(Duration::from_millis(ms)) };
    let world = run(script(&[
        (5_000, put_for(10, 1_000)),
        (5_900, put_for(11, 5_000)),
        (6_500, get(1)),
        (9_000, get(1)),
        (11_000, get(1)),
    ]));
    let outcomes = outcomes(&world);
    assert_eq!(seen(&outcomes[2]), found(11));
    assert_eq!(seen(&outcomes[3]), found(11));
    assert_eq!(seen(&outcomes[4]), None);
    assert_eq!(world.marks("cache.expired"), 1);
}

#[test]
fn what_is_preloaded_is_there_before_and_after_a_restart() {
    let mut plan =
        script(&[(5_000, get(7)), (5_100, put(7, 70)), (12_000, get(7)), (12_100, get(8))]);
    let preload = |key| Preload { key, value: value(key), ttl: None };
    plan.preload = vec![preload(7), preload(8)];
    let mut world = plan.build();
    world.run_to(6_000);
    let disk = DiskFate::UnsyncedLost;
    for node in world.caches() {
        let down = world.impose(Condition::down(node, disk));
        world.lift(vec![down]);
    }
    world.run_to(15_000);
    let outcomes = outcomes(&world);
    assert_eq!(seen(&outcomes[0]), found(7));
    assert_eq!(seen(&outcomes[2]), found(70));
    assert_eq!(seen(&outcomes[3]), found(8));
    world.assert_violation_free();
}

#[test]
fn local_reads_are_served_by_any_node_and_say_that_they_may_be_stale() {
    let plan = script(&[(5_000, put(1, 10)), (6_000, get(1))]);
    let mut plan = plan.cache("reads", SettingValue::Choice("local"));
    plan.client.push(("pinned", SettingValue::Ratio(contract::Ratio::ONE)));
    let world = run(plan);
    match &outcomes(&world)[1] {
        Outcome::Ok(Ret::Found { stale, .. }) => assert!(stale),
        other => panic!("{other:?} is no value"),
    }
    // The client is at home at the first node, which need not lead.
    let redirects = world.marks("client.redirect");
    assert!(redirects <= 1, "only the write may be redirected: {redirects}");
}

#[test]
fn a_cost_per_request_makes_requests_wait_for_each_other() {
    let mean_ns = |cost_ns: u64| {
        let cost = SettingValue::Dist(contract::Dist::Constant(cost_ns));
        let mut plan = Plan::new(3).cache("service_get", cost);
        plan.ops = [1, 0, 0];
        plan.clients = 20;
        let mut world = plan.build();
        world.run_to(8_000);
        let settled = world.history().0.into_iter();
        let latencies: Vec<u64> = settled
            .filter(|done| done.call_at.0 > 5_000_000_000 && done.outcome.is_some())
            .map(|done| done.ret_at.since(done.call_at).as_nanos())
            .collect();
        latencies.iter().sum::<u64>() / latencies.len() as u64
    };
    let (free, costly) = (mean_ns(0), mean_ns(900_000));
    // Twenty clients ask a thousand times a second, which is 90 % of what the leader can do: a
    // request waits for several others.
    assert!(costly > free + 2 * 900_000, "{free} ns without cost, {costly} ns with");
}

#[test]
fn a_fork_continues_as_the_original_does() {
    let mut world = Plan::new(5).build();
    world.run_to(7_000);
    let fork = world.engine.fork();
    let mut fork = fork.expect("every node of Hyperion can be copied");
    world.run_to(12_000);
    fork.run_until(contract::SimTime(12_000_000_000));
    assert_eq!(world.engine.digest(), fork.digest());
}
