//! The tables of the schema: what was durable is found again, row by row.

use crate::world::{Plan, World};
use catalog::SettingValue;
use contract::{Call, Duration, Value};
use sim::hyperion::Server;
use sim::hyperion::command::{Command, Write};
use sim::hyperion::schema::{CommandType, Tables, Uuid};

const fn value(id: u64) -> Value {
    Value { id, size_bytes: 32 }
}

/// Five writes of four kinds, the first of them with an end.
fn world(snapshot_after: i64) -> World {
    let put = |id, ttl| Call::Put { key: id, value: value(id), ttl };
    let brief = Some(Duration::from_millis(400));
    let cas = Call::Cas { key: 2, expect: Some(value(2)), value: value(9) };
    let mut plan = Plan::new(3)
        .cache("snapshot_after", SettingValue::Int(snapshot_after))
        .cache("snapshot_tail", SettingValue::Int(2));
    plan.clients = 1;
    plan.script = vec![
        (5_000, put(1, brief)),
        (5_100, put(2, None)),
        (5_200, cas),
        (5_300, Call::Delete { key: 2 }),
        (5_900, put(3, None)),
    ];
    plan.build()
}

fn tables(world: &World) -> Vec<Tables> {
    let of = |id| {
        let server = world.engine.nodes().get::<Server>(id).expect("the node is up");
        Tables::of(&format!("h/{}", id.0 + 1), server.raft())
    };
    world.caches().into_iter().map(of).collect()
}

/// Cuts the power of all nodes for half a second, and returns the tables before and after.
fn power_cut(world: &mut World) -> [Vec<Tables>; 2] {
    world.run_to(9_000);
    let before = tables(world);
    let down = world.crash(&world.caches());
    world.run_to(9_500);
    world.lift(down);
    // Nobody stands for election yet.
    world.run_to(9_501);
    [before, tables(world)]
}

#[test]
fn every_row_is_found_again_after_the_power_fails() {
    let mut world = world(0);
    let [before, after] = power_cut(&mut world);
    assert_eq!(before, after);
    world.assert_violation_free();
    let log = &after[0].raft_log;
    let types: Vec<CommandType> = log.iter().map(|row| row.command_type).collect();
    use CommandType::{Cas, Delete, Drop, Noop, Set};
    assert_eq!(types, [Noop, Set, Set, Cas, Delete, Drop, Set]);
    assert!(log.iter().zip(1..).all(|(row, index)| row.log_index == index));
    assert!(log.is_sorted_by_key(|row| (row.term, row.created_at)), "neither goes back");
    assert!(log.iter().all(|row| row.node_id == Uuid::of("h/1")));
    assert_eq!(log[0].command_data, None);
    let set = log[1].command_data.as_deref().expect("a set has a command");
    let set = Command::decode(set).expect("it is the command that was proposed");
    let Write::Put { value: bytes, .. } = set.write else { panic!("{set:?} is no put") };
    assert_eq!(Value::from_bytes(bytes), Some(value(1)));
    let metadata = after[0].cache_metadata;
    assert_eq!((metadata.last_snapshot_index, metadata.last_snapshot_term), (0, 0));
    assert_eq!(metadata.cluster_id, Uuid::of("h"));
    let membership = &after[0].cluster_membership;
    assert_eq!(membership, &after[2].cluster_membership, "one group has one row");
    assert_eq!((membership.version, membership.nodes.len()), (1, 3));
    assert!(membership.nodes.iter().all(|node| node.votes));
}

#[test]
fn a_snapshot_takes_the_place_of_the_rows_before_it() {
    let mut world = world(4);
    let [before, after] = power_cut(&mut world);
    assert_eq!(before, after);
    world.assert_violation_free();
    for tables in &after {
        let metadata = tables.cache_metadata;
        assert_eq!(metadata.last_snapshot_index, 4);
        assert!(metadata.last_snapshot_term > 0 && metadata.updated_at > metadata.created_at);
        assert_eq!(tables.raft_log[0].log_index, 3, "a tail of two before the snapshot stays");
        assert_eq!(tables.raft_log.last().map(|row| row.log_index), Some(7));
    }
    assert_eq!(world.gauge("schema.raft_log_rows", world.caches()[0]), 5);
    assert_eq!(world.gauge("schema.last_snapshot_index", world.caches()[0]), 4);
    assert_eq!(world.gauge("schema.members", world.caches()[0]), 3);
}
