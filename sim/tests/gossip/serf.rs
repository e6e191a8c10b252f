//! Serf in the engine, against a small reference model: what was told reaches everybody once.

use crate::toy::{Cluster, Spec};
use contract::{Condition, Duration, Ratio};
use sim::protocol::serf::{Change, DEFECTS, Defects, NotSent, SerfSettings, Status};
use sim::protocol::swim::{Name, SwimSettings};

fn spec(seed: u64, members: u32) -> Spec {
    Spec { serf: Some(SerfSettings::hypercore()), ..Spec::new(seed, members, SwimSettings::lan()) }
}

/// The model: a set of what was told, and of each node how often it heard each.
#[test]
fn what_was_told_reaches_everybody_once() {
    for (seed, timing) in [(1, SwimSettings::lan()), (2, SwimSettings::hypercore())] {
        let mut cluster = Cluster::new(Spec { timing, ..spec(seed, 8) });
        let doubled = cluster.on_all_links(|from, to| Condition::Duplicate {
            from,
            to,
            ratio: Ratio::new(1, 5),
        });
        let loss = cluster.lossy(10);
        let mut told = Vec::new();
        for turn in 0..40_u32 {
            cluster.run_to(5 + u64::from(turn));
            let payload = format!("deploy {turn}");
            cluster.command(turn * 3 % 8, format!("event {payload}").as_bytes());
            told.push(payload.into_bytes());
        }
        cluster.lift(loss.into_iter().chain(doubled));
        cluster.run_to(400);
        for node in 0..8 {
            let heard = &cluster.serf(node).seen.events;
            let once = told.iter().all(|payload| heard.get(payload) == Some(&1));
            assert!(once && heard.len() == told.len(), "seed {seed}: m/{node} heard {heard:?}");
        }
        assert_eq!(cluster.violations(), [""; 0]);
    }
}

#[test]
fn events_have_a_size() {
    let mut cluster = Cluster::new(spec(3, 4));
    cluster.run_to(5);
    cluster.command(1, b"long 2043");
    cluster.command(1, b"long 2044");
    cluster.run_to(120);
    let refused = NotSent::TooLong { bytes: 2049, bytes_max: 2048 };
    assert_eq!(cluster.serf(1).seen.refused, [refused]);
    for node in 0..4 {
        let heard: Vec<u32> = cluster.serf(node).seen.events.values().copied().collect();
        assert_eq!(heard, [1], "an event that fills packets of its own reaches m/{node}");
    }
    assert_eq!(cluster.violations(), [""; 0]);
}

#[test]
fn past_the_depth_broadcasts_are_skipped_and_counted() {
    let settings = SerfSettings { queue_depth: 10, ..SerfSettings::hypercore() };
    let mut cluster = Cluster::new(Spec { serf: Some(settings), ..spec(4, 4) });
    cluster.run_to(5);
    cluster.command(2, b"burst 50");
    cluster.run_to_ms(5_001);
    let node = cluster.serf(2);
    assert_eq!((node.seen.sent, node.serf.skipped()), (10, 40));
    assert!(node.seen.refused.iter().all(|refused| *refused == NotSent::QueueFull));
    assert!(node.serf.queued()[2] <= 10);
    cluster.run_to(60);
    assert_eq!(cluster.serf(0).seen.events.len(), 10);
}

#[test]
fn each_member_answers_a_query_once() {
    for seed in 0..4 {
        let mut cluster = Cluster::new(spec(seed, 6));
        cluster.run_to(5);
        cluster.command(3, b"query 2");
        cluster.command(3, b"queries");
        cluster.run_to(40);
        let seen = &cluster.serf(3).seen;
        assert_eq!(seen.done, 3);
        assert!(seen.answers.values().all(|counted| *counted == (6, 6)), "{:?}", seen.answers);
        assert_eq!(cluster.violations(), [""; 0]);
    }
}

#[test]
fn who_leaves_is_not_failed_and_who_dies_is() {
    let mut cluster = Cluster::new(spec(5, 6));
    cluster.run_to(10);
    cluster.command(4, b"leave");
    cluster.run_to(40);
    cluster.down(5);
    cluster.run_to(120);
    for node in 0..4 {
        let seen = &cluster.serf(node).seen.changes;
        let count = |of: u32, change| seen.get(&(Name(of), change)).copied().unwrap_or(0);
        assert_eq!((count(4, Change::Left), count(4, Change::Failed)), (1, 0), "m/{node}");
        assert_eq!((count(5, Change::Left), count(5, Change::Failed)), (0, 1), "m/{node}");
    }
    cluster.command(0, b"force-leave 5");
    cluster.run_to(140);
    for node in 0..4 {
        let status = cluster.serf(node).serf.member(Name(5)).expect("it is remembered").status;
        assert_eq!(status, Status::Left, "m/{node}");
    }
    assert_eq!(cluster.violations(), [""; 0]);
}

/// A cut longer than membership remembers: the failed are tried again.
#[test]
fn a_long_cut_heals_by_reconnecting() {
    for seed in 0..3 {
        let mut cluster = Cluster::new(spec(seed, 6));
        cluster.run_to(10);
        let cut = cluster.cut(2);
        cluster.run_to(150);
        cluster.command(0, b"event before");
        cluster.run_to(200);
        assert!(cluster.serf(5).seen.events.is_empty());
        cluster.lift(cut);
        cluster.run_to(700);
        assert_eq!(cluster.pending(), None, "seed {seed}");
        let failed = |node| cluster.serf(node).serf.count(Status::Failed);
        assert_eq!((0..6).map(failed).sum::<u64>(), 0, "seed {seed}");
        let heard = |node| cluster.serf(node).seen.events.values().sum::<u32>();
        assert!((0..6).all(|node| heard(node) == 1), "seed {seed}: the exchange carries events");
        assert_eq!(cluster.violations(), [""; 0], "seed {seed}");
    }
}

#[test]
fn a_node_that_restarts_tells_later_events() {
    let mut cluster = Cluster::new(spec(7, 5));
    cluster.run_to(5);
    for turn in 0..20 {
        cluster.run_to(5 + turn);
        cluster.command(1, format!("event {turn}").as_bytes());
    }
    cluster.run_to(60);
    cluster.restart(1);
    cluster.run_to(100);
    cluster.command(1, b"event after");
    cluster.run_to(160);
    for node in [0, 2, 3, 4] {
        assert_eq!(cluster.serf(node).seen.events.get(&b"after"[..]), Some(&1), "m/{node}");
    }
    assert_eq!(cluster.violations(), [""; 0]);
}

#[test]
fn equal_seeds_are_equal_runs() {
    let digest = |seed| {
        let mut cluster = Cluster::new(spec(seed, 5));
        cluster.lossy(10);
        cluster.run_to(10);
        cluster.command(1, b"burst 5");
        cluster.command(2, b"query 1");
        cluster.run_to(60);
        cluster.engine.digest()
    };
    assert_eq!(digest(5), digest(5));
    assert_ne!(digest(5), digest(6));
}

/// Everything that a planted defect needs to show.
fn busy(seed: u64, defects: Defects) -> Cluster {
    let settings = SerfSettings { queue_depth: 10, ..SerfSettings::hypercore() };
    let timing = SwimSettings { gossip_interval: Duration::from_secs(2), ..SwimSettings::lan() };
    let spec = Spec { serf: Some(settings), serf_defects: defects, timing, ..spec(seed, 6) };
    let mut cluster = Cluster::new(spec);
    cluster.run_to(5);
    cluster.command(1, b"event one");
    cluster.command(2, b"event two");
    cluster.command(0, b"queries");
    cluster.command(3, b"query 2");
    cluster.run_to(29);
    (0..5).for_each(|node| cluster.command(node, b"burst 10"));
    cluster.run_to(70);
    cluster.command(5, b"leave");
    cluster.run_to(110);
    cluster.command(0, b"force-leave 5");
    cluster.command(1, b"force-leave 5");
    cluster.run_to(112);
    cluster.command(2, b"force-leave 5");
    cluster.run_to(170);
    cluster
}

#[test]
fn each_defect_breaks_its_property_and_only_when_planted() {
    let mut wrong = Vec::new();
    for seed in 0..3 {
        let clean = busy(seed, Defects::default()).violations();
        if !clean.is_empty() {
            wrong.push(format!("without a defect, seed {seed} breaks {clean:?}"));
        }
    }
    for defect in DEFECTS {
        let planted = |seed| busy(seed, Defects::from_names(&[defect.name]));
        if !(0..3).any(|seed| planted(seed).breaks(defect.caught_by)) {
            wrong.push(format!("{}: {} is not broken", defect.name, defect.caught_by));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
