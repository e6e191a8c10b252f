//! The parts for tests, at work on a cluster of Hyperion.

use contract::{Duration, SimTime};
use harness::testkit::{ChaosNetwork, MemoryTracker, TestCluster, TimeController};

fn cluster(seed: u64) -> TestCluster {
    let system = sim::SYSTEMS.iter().copied().find(|system| system.name() == "hyperion");
    TestCluster::of(system.expect("it is registered"), "cache", 3, seed).expect("a cluster")
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_leader_that_is_cut_off_is_replaced_and_comes_back() {
    let mut cluster = cluster(7);
    assert!(cluster.settles("raft.single_leader", seconds(10)));
    let leader = cluster.select("n/leader").pop().expect("a leader");
    ChaosNetwork::of(&mut cluster).isolate(&leader).expect("a node");
    cluster.run_for(seconds(10));
    let others: Vec<String> = cluster.select("n/leader");
    assert!(others.iter().any(|other| *other != leader), "{others:?}");
    ChaosNetwork::of(&mut cluster).heal();
    assert!(cluster.settles("raft.single_leader", seconds(10)));
    assert!(cluster.violations().is_empty());
}

#[test]
fn a_node_that_crashed_comes_back_and_catches_up() {
    let mut cluster = cluster(3);
    assert!(cluster.settles("raft.single_leader", seconds(10)));
    cluster.crash("n/2").expect("a node");
    assert_eq!(cluster.memory_bytes("n/2"), None);
    cluster.run_for(seconds(5));
    cluster.restart("n/2");
    assert!(cluster.settles("raft.applied_equal", seconds(10)));
    assert!(cluster.memory_bytes("n/2").is_some());
    assert!(cluster.crash("n/9").is_err());
}

#[test]
fn time_passes_when_the_test_says_so() {
    let mut cluster = cluster(5);
    let mut time = TimeController::of(&mut cluster);
    time.advance(seconds(4));
    assert_eq!(time.now(), SimTime::ZERO + seconds(4));
    time.drift("n/1", 1_000).expect("a node");
    time.jump("n/2", -5_000_000_000).expect("a node");
    time.pause("n/3").expect("a node");
    time.advance(seconds(6));
    time.resume("n/3");
    time.advance(seconds(6));
    assert!(cluster.violations().is_empty());
    assert!(cluster.settles("raft.single_leader", seconds(10)));
}

#[test]
fn memory_is_sampled_per_node() {
    let mut cluster = cluster(1);
    let mut memory = MemoryTracker::default();
    for _ in 0..5 {
        cluster.run_for(seconds(1));
        memory.sample(&cluster);
    }
    assert_eq!(memory.samples("n/1").len(), 5);
    assert!(memory.peak_bytes("n/1") > 0 && memory.peak_bytes("n/9") == 0);
    assert_eq!(memory.growth_bytes("n/9"), 0);
}

#[test]
fn futures_of_one_past_are_repeatable() {
    let mut cluster = cluster(2);
    cluster.run_for(seconds(1));
    let future = |salt: u64| {
        let mut fork = cluster.fork().expect("these nodes can be copied");
        fork.reseed_from(salt);
        fork.run_for(seconds(5));
        fork.digest()
    };
    assert_eq!(future(1), future(1));
    assert_ne!(future(1), future(2));
}
