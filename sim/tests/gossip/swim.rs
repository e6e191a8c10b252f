//! SWIM in the engine: deaths are found and told, cuts heal, suspicions are refuted, and views become
//! equal.

use crate::toy::{Cluster, Spec};
use contract::{Condition, Duration, NodeId, Ratio};
use sim::protocol::swim::timeouts::suspicion_min;
use sim::protocol::swim::{Name, State, SwimSettings};

fn lan(seed: u64, members: u32) -> Cluster {
    Cluster::new(Spec::new(seed, members, SwimSettings::lan()))
}

#[test]
fn members_that_join_know_each_other() {
    for (seed, timing) in [(1, SwimSettings::lan()), (2, SwimSettings::hypercore())] {
        let spec = Spec { is_founded: false, ..Spec::new(seed, 8, timing) };
        let mut cluster = Cluster::new(spec);
        cluster.run_to(60);
        assert_eq!(cluster.pending(), None);
        assert_eq!(cluster.member(3).expect("it is up").count(State::Alive), 8);
        assert_eq!(cluster.marks("swim.died"), 0);
        assert_eq!(cluster.violations(), [""; 0]);
    }
}

/// The bounds of `decisions` 19, for small clusters: known everywhere by the first suspicion, the
/// longest suspicion, the spread of gossip, and ten seconds.
#[test]
fn a_death_is_known_everywhere_in_time() {
    let timing = SwimSettings::hypercore();
    for members in [3_u32, 10] {
        for seed in 0..20 {
            let mut cluster = Cluster::new(Spec::new(seed, members, timing.clone()));
            cluster.engine.observer_mut().subject = Some(Name(1));
            cluster.run_to_ms(20_000 + 137 * seed);
            cluster.down(1);
            cluster.run_to(400);
            let seen = cluster.engine.observer();
            let first = seen.suspected.first().expect("somebody suspects it").0;
            let min =
                suspicion_min(timing.suspicion_mult, u64::from(members), timing.probe_interval);
            let max = min.saturating_mul(u64::from(timing.suspicion_max_mult));
            let spread = timing.gossip_interval.saturating_mul(u64::from(members.ilog(3)) + 1);
            let bound = first + max + spread + Duration::from_secs(10);
            assert_eq!(seen.died.len() as u32, members - 1, "{members} members, seed {seed}");
            let last = seen.died.values().max().expect("they know");
            assert!(*last <= bound, "{members} members, seed {seed}: {last} after {bound}");
            assert_eq!(cluster.pending(), None);
            assert_eq!(cluster.violations(), [""; 0]);
        }
    }
}

#[test]
fn a_cut_heals() {
    for seed in 0..6 {
        let mut cluster = lan(seed, 6);
        cluster.run_to(10);
        let cut = cluster.cut(2);
        cluster.run_to(70);
        assert!(!cluster.member(0).expect("it is up").takes_for_living(Name(5)), "seed {seed}");
        assert!(!cluster.member(5).expect("it is up").takes_for_living(Name(0)), "seed {seed}");
        cluster.lift(cut);
        cluster.run_to(300);
        assert_eq!(cluster.pending(), None, "seed {seed}");
        assert_eq!(cluster.violations(), [""; 0], "seed {seed}");
    }
}

#[test]
fn a_suspect_that_lives_refutes() {
    let (mut suspected, mut refuted) = (0, 0);
    for seed in 0..6 {
        let spec = Spec::new(seed, 6, SwimSettings { stream_ping: false, ..SwimSettings::lan() });
        let mut cluster = Cluster::new(spec);
        cluster.run_to(10);
        let pause = cluster.impose(Condition::Pause { node: NodeId(2) });
        cluster.run_to(14);
        cluster.lift([pause]);
        cluster.run_to(120);
        suspected += cluster.marks("swim.suspected");
        refuted += cluster.marks("swim.refuted");
        assert_eq!(cluster.pending(), None, "seed {seed}");
        assert_eq!(cluster.violations(), [""; 0], "seed {seed}");
    }
    assert!(suspected > 0, "nobody was suspected");
    assert!(refuted > 0, "nobody refuted");
}

#[test]
fn who_leaves_has_left() {
    for seed in 0..4 {
        let mut cluster = lan(seed, 5);
        cluster.run_to(10);
        cluster.command(4, b"leave");
        cluster.run_to(25);
        for node in 0..4 {
            let member = cluster.member(node).expect("it is up").member(Name(4));
            assert_eq!(member.expect("it is remembered").state, State::Left, "seed {seed}");
        }
        cluster.run_to(120);
        assert!(cluster.member(0).expect("it is up").member(Name(4)).is_none(), "seed {seed}");
        assert_eq!(cluster.marks("swim.died"), 0, "seed {seed}");
        assert_eq!(cluster.violations(), [""; 0], "seed {seed}");
    }
}

#[test]
fn equal_seeds_are_equal_runs() {
    let digest = |seed| {
        let mut cluster = lan(seed, 7);
        cluster.lossy(10);
        cluster.run_to(30);
        cluster.down(3);
        cluster.run_to(90);
        cluster.engine.digest()
    };
    assert_eq!(digest(5), digest(5));
    assert_ne!(digest(5), digest(6));
}

/// Loss, a crash, a return and a leaving member at once.
#[test]
fn lossy_clusters_stay_clean() {
    let mut looked = vec![0; 10];
    for seed in 0..8 {
        let spec = Spec { is_founded: seed % 2 == 0, ..Spec::new(seed, 7, SwimSettings::lan()) };
        let mut cluster = Cluster::new(spec);
        let loss = cluster.lossy(5 + 5 * seed as u32);
        cluster.run_to(40);
        let down = cluster.down(seed as u32 % 7);
        cluster.run_to(100);
        cluster.lift([down]);
        cluster.run_to(120);
        cluster.command((seed as u32 + 1) % 7, b"leave");
        cluster.run_to(160);
        cluster.lift(loss);
        cluster.run_to(420);
        assert_eq!(cluster.pending(), None, "seed {seed}");
        assert_eq!(cluster.violations(), [""; 0], "seed {seed}");
        let invariants = &cluster.engine.observer().invariants;
        looked.iter_mut().zip(invariants).for_each(|(sum, one)| *sum += one.looked());
    }
    assert!(looked.iter().all(|&count| count > 0), "a property looked at nothing: {looked:?}");
}

/// Lifeguard: a member that is slow and knows it accuses fewer of the healthy.
#[test]
fn a_slow_member_that_knows_it_accuses_fewer() {
    let false_deaths = |awareness_max: u32, suspicion_max_mult: u32| -> u64 {
        let count = |seed| {
            let timing = SwimSettings { awareness_max, suspicion_max_mult, ..SwimSettings::lan() };
            let mut cluster = Cluster::new(Spec::new(seed, 8, timing));
            for turn in 0..12 {
                cluster.run_to(10 + 10 * turn);
                let pause = cluster.impose(Condition::Pause { node: NodeId(3) });
                cluster.run_to(16 + 10 * turn);
                cluster.lift([pause]);
            }
            cluster.run_to(200);
            cluster.engine.observer().false_deaths
        };
        (0..6).map(count).sum()
    };
    let (with, without) = (false_deaths(8, 6), false_deaths(1, 1));
    assert!(with < without, "{with} with Lifeguard, {without} without");
}

#[test]
fn doubled_packets_kill_nobody() {
    let mut cluster = lan(3, 5);
    cluster.on_all_links(|from, to| Condition::Duplicate { from, to, ratio: Ratio::new(1, 2) });
    cluster.run_to(120);
    assert_eq!(cluster.marks("swim.died"), 0);
    assert_eq!(cluster.violations(), [""; 0]);
}
