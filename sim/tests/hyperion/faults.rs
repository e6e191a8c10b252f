//! Faults that the cluster must survive: nothing may be violated.

use crate::world::{Plan, World};
use contract::{Condition, NodeId, SettingValue, SimTime};

const LEASE: SettingValue = SettingValue::Choice("leader-lease");

#[test]
fn without_faults_everything_is_answered_and_settles() {
    for reads in ["read-index", "leader-lease"] {
        let mut world = Plan::new(1)
            .cache("reads", SettingValue::Choice(reads))
            .build();
        world.run_to(20_000);
        world.assert_clean();
        let history = world.history();
        assert!(
            history.ok() > 3_000,
            "{} of {}",
            history.ok(),
            history.0.len()
        );
        assert_eq!(world.pending(), None);
        assert!(world.marks("cache.hit") > 500);
        assert!(
            world.marks("client.redirect") > 100,
            "pinned clients are redirected"
        );
        assert_eq!(world.gauge("value.handles", NodeId(0)), 1);
    }
}

/// Partitions, crashes and pauses in turn, each struck at the leader and at others.
fn rough_ride(world: &mut World) {
    let caches = world.caches();
    for round in 0..4_u64 {
        let start = 3_000 + round * 4_000;
        world.run_to(start);
        let leader = world.select("leader").first().copied().unwrap_or(caches[0]);
        let others: Vec<NodeId> = caches.iter().copied().filter(|&id| id != leader).collect();
        match round % 4 {
            0 => {
                let cut = world.cut(&[leader], &others);
                world.run_to(start + 2_500);
                world.lift(cut);
            }
            1 => {
                let down = world.crash(&[leader]);
                world.run_to(start + 1_000);
                world.lift(down);
            }
            2 => {
                let node = leader;
                let pause = world.impose(Condition::Pause { node });
                world.run_to(start + 2_200);
                world.lift(vec![pause]);
            }
            _ => {
                let down = world.crash(&others[..1]);
                let cut = world.cut(&[leader], &others[1..]);
                world.run_to(start + 700);
                world.lift(cut);
                world.lift(down);
            }
        }
    }
    world.run_to(25_000);
}

#[test]
fn under_faults_invariants_hold_and_histories_are_linearizable() {
    for seed in 0..12 {
        let reads = ["read-index", "leader-lease"][seed as usize % 2];
        let mut plan = Plan::new(seed).cache("reads", SettingValue::Choice(reads));
        plan.stop_at = SimTime(20_000_000_000);
        let mut world = plan.build();
        rough_ride(&mut world);
        world.assert_clean();
        assert_eq!(world.pending(), None, "seed {seed}");
        assert!(
            world.history().ok() > 1_500,
            "seed {seed}: {}",
            world.history().ok()
        );
        assert!(
            world.marks("raft.leader_elected") > 2,
            "the faults had an effect"
        );
    }
}

#[test]
fn a_seed_is_a_run() {
    let run = |seed| {
        let mut world = Plan::new(seed).cache("reads", LEASE).build();
        rough_ride(&mut world);
        world.engine.digest()
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}
