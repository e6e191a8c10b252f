//! Faults that the cluster must survive: nothing may be violated.

use crate::world::{Plan, World};
use catalog::SettingValue;
use contract::{Condition, ConditionId, Domain, Duration, NodeId, Ratio, Rng, SimTime};

const LEASE: SettingValue = SettingValue::Choice("leader-lease");

#[test]
fn without_faults_everything_is_answered_and_settles() {
    for reads in ["read-index", "leader-lease"] {
        let mut world = Plan::new(1).cache("reads", SettingValue::Choice(reads)).build();
        world.run_to(20_000);
        world.assert_clean();
        let history = world.history();
        assert!(history.ok() > 3_000, "{} of {}", history.ok(), history.0.len());
        assert_eq!(world.pending(), None);
        assert!(world.marks("cache.hit") > 500);
        assert!(world.marks("client.redirect") > 100, "pinned clients are redirected");
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
        assert!(world.history().ok() > 1_500, "seed {seed}: {}", world.history().ok());
        assert!(world.marks("raft.leader_elected") > 2, "the faults had an effect");
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

/// Draws one survivable fault after another, several at a time, on a lossy network.
fn random_faults(world: &mut World, seed: u64) {
    let mut rng = Rng::new(seed, Domain::Fault, "random");
    let caches = world.caches();
    let mut active: Vec<(u64, Vec<ConditionId>)> = Vec::new();
    let mut down: Option<u64> = None;
    for now in (2_000..18_000).step_by(100) {
        world.run_to(now);
        let (over, still): (Vec<_>, Vec<_>) = active.into_iter().partition(|(end, _)| *end <= now);
        active = still;
        over.into_iter().for_each(|(_, imposed)| world.lift(imposed));
        if !rng.chance(Ratio::new(1, 12)) {
            continue;
        }
        let leader = world.select("leader").first().copied();
        let random = caches[rng.below(caches.len() as u64) as usize];
        let node = if rng.chance(Ratio::new(1, 2)) { leader.unwrap_or(random) } else { random };
        let others: Vec<NodeId> = caches.iter().copied().filter(|&id| id != node).collect();
        let end = now + rng.range(50, 3_000);
        let imposed = match rng.below(6) {
            0 => world.cut(&[node], &others),
            1 => world.block(&[node], &others),
            2 => world.block(&others, &[node]),
            3 => vec![world.impose(Condition::Pause { node })],
            4 => vec![world.impose(Condition::Drift { node, ppm: 9_000 })],
            // One crash at a time: the others keep what the group promised.
            _ if down.is_none_or(|end| end <= now) => {
                down = Some(end);
                world.crash(&[node])
            }
            _ => continue,
        };
        active.push((end, imposed));
    }
    active.into_iter().for_each(|(_, imposed)| world.lift(imposed));
    world.run_to(26_000);
}

/// A world for [`random_faults`]: everything that may vary is drawn from the seed.
fn random_world(seed: u64) -> World {
    let mut rng = Rng::new(seed, Domain::Swarm, "plan");
    let mut pick = |choices: &[u64]| choices[rng.below(choices.len() as u64) as usize];
    let reads = ["read-index", "leader-lease"][pick(&[0, 1]) as usize];
    let mut plan = Plan::new(seed).cache("reads", SettingValue::Choice(reads));
    plan.nodes = pick(&[3, 3, 5]) as u32;
    plan.keys = pick(&[2, 8, 50]);
    let batch = pick(&[1, 2, 64]) as i64;
    plan = plan.cache("apply_batch_max", SettingValue::Int(batch));
    plan = plan.cache("entries_per_append_max", SettingValue::Int(batch));
    plan.link.loss = Ratio::new(pick(&[0, 0, 2, 10]) as u32, 100);
    plan.link.duplicate = Ratio::new(pick(&[0, 5]) as u32, 100);
    plan.link.reorder = Ratio::new(pick(&[0, 10]) as u32, 100);
    plan.link.reorder_extra = Duration::from_millis(30);
    plan.link.corrupt = Ratio::new(pick(&[0, 1]) as u32, 100);
    plan.stop_at = SimTime(19_000_000_000);
    plan.build()
}

#[test]
fn under_random_faults_nothing_is_violated() {
    for seed in 0..16 {
        let mut world = random_world(seed);
        random_faults(&mut world, seed);
        world.assert_clean();
        assert_eq!(world.pending(), None, "seed {seed}");
    }
}
