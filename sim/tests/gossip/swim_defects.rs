//! Each planted defect, the trouble in which it shows, and the property that it must break; the same
//! trouble without the defect breaks nothing.

use crate::toy::{Cluster, Spec};
use contract::{Condition, Duration, NodeId, Ratio};
use sim::protocol::swim::{DEFECTS, Defects, SwimSettings};

type Play = fn(Spec) -> Cluster;

/// The defects of the table, each with its play and how many seeds it may need.
const PLAYS: &[(&str, Play, u64)] = &[
    ("refute-incarnation-too-low", old_incarnation_dead, 2),
    ("no-refute-on-conflicting-alive", new_meta, 2),
    ("same-incarnation-new-meta", new_meta, 2),
    ("dead-node-deleted-then-resurrected", back_from_the_dead, 3),
    ("old-alive-clears-suspicion", late_alive, 10),
    ("self-confirmation-counted", crash, 3),
    ("left-nodes-never-reaped", leave, 2),
    ("small-cluster-helper-miss", lossy_three, 5),
    ("biased-probe-shuffle", nothing, 2),
    ("packet-overflow-overhead", long_metas, 2),
    ("refute-does-not-invalidate-suspect", new_meta, 2),
    ("left-overwritten-by-dead", leave_unheard, 5),
    ("suspect-never-refutes", still_for_long, 3),
];

const fn long_memory() -> SwimSettings {
    SwimSettings { gossip_to_the_dead: Duration::from_secs(3_600), ..SwimSettings::lan() }
}

fn lan(spec: Spec, members: u32) -> Spec {
    Spec { members, timing: SwimSettings::lan(), ..spec }
}

/// A member dies in a high incarnation, and boots again in the first.
fn old_incarnation_dead(spec: Spec) -> Cluster {
    let mut cluster = Cluster::new(Spec { timing: long_memory(), ..lan(spec, 4) });
    cluster.run_to(5);
    cluster.command(2, b"meta");
    cluster.run_to(20);
    let down = cluster.down(2);
    cluster.run_to(60);
    cluster.lift([down]);
    cluster.run_to(420);
    cluster
}

/// A member restarts before anybody notices, and says something else of itself.
fn new_meta(spec: Spec) -> Cluster {
    let mut cluster = Cluster::new(Spec { meta_changes: true, ..lan(spec, 4) });
    cluster.run_to(15);
    cluster.restart(2);
    cluster.run_to(400);
    cluster
}

/// A member boots again just after it was declared dead.
fn back_from_the_dead(spec: Spec) -> Cluster {
    let mut cluster = Cluster::new(lan(spec, 5));
    cluster.run_to(15);
    let down = cluster.down(2);
    while cluster.marks("swim.died") < 4 && cluster.seconds() < 80 {
        let next = cluster.seconds() + 1;
        cluster.run_to(next);
    }
    cluster.lift([down]);
    cluster.run_to(150);
    cluster
}

/// A member says that it lives, dies, and some of what it said arrives late.
fn late_alive(spec: Spec) -> Cluster {
    let mut cluster = Cluster::new(lan(spec, 6));
    cluster.run_to(10);
    let late = cluster.on_all_links(|from, to| Condition::Reorder {
        from,
        to,
        ratio: Ratio::new(6, 10),
        extra: Duration::from_secs(30),
    });
    cluster.command(2, b"meta once");
    cluster.run_to_ms(12_500);
    cluster.down(2);
    cluster.lift(late);
    cluster.run_to(150);
    cluster
}

fn crash(spec: Spec) -> Cluster {
    let mut cluster = Cluster::new(lan(spec, 8));
    cluster.run_to(10);
    cluster.down(2);
    cluster.run_to(80);
    cluster
}

fn leave(spec: Spec) -> Cluster {
    let mut cluster = Cluster::new(lan(spec, 5));
    cluster.run_to(10);
    cluster.command(2, b"leave");
    cluster.run_to(100);
    cluster
}

fn lossy_three(spec: Spec) -> Cluster {
    let mut cluster = Cluster::new(lan(spec, 3));
    cluster.lossy(40);
    cluster.run_to(300);
    cluster
}

fn nothing(spec: Spec) -> Cluster {
    let mut cluster = Cluster::new(lan(spec, 8));
    cluster.run_to(300);
    cluster
}

/// Five messages of 280 bytes fill a packet, were it not for its headers.
fn long_metas(spec: Spec) -> Cluster {
    let mut cluster = Cluster::new(Spec { is_founded: false, meta_bytes: 246, ..lan(spec, 20) });
    cluster.run_to(60);
    cluster
}

/// A member that hears nobody takes for dead who left just then.
fn leave_unheard(spec: Spec) -> Cluster {
    let told = Duration::from_secs(120);
    let timing = SwimSettings { gossip_to_the_dead: told, ..SwimSettings::lan() };
    let mut cluster = Cluster::new(Spec { timing, ..lan(spec, 5) });
    cluster.run_to(10);
    let deaf: Vec<_> = [0, 1, 2, 3].into_iter().map(|from| cluster.block(from, 4)).collect();
    cluster.command(2, b"leave");
    cluster.run_to(90);
    cluster.lift(deaf);
    cluster.run_to(300);
    cluster
}

/// A member stands still until it is declared dead.
fn still_for_long(spec: Spec) -> Cluster {
    let mut cluster = Cluster::new(Spec { timing: long_memory(), ..lan(spec, 5) });
    cluster.run_to(10);
    let pause = cluster.impose(Condition::Pause { node: NodeId(0) });
    cluster.run_to(70);
    cluster.lift([pause]);
    cluster.run_to(420);
    cluster
}

#[test]
fn each_defect_breaks_its_property_and_only_when_planted() {
    let mut wrong = Vec::new();
    for defect in DEFECTS {
        let found = PLAYS.iter().find(|(name, ..)| *name == defect.name);
        let &(name, play, seeds) = found.unwrap_or_else(|| panic!("{} has no play", defect.name));
        let spec = |seed| Spec::new(seed, 0, SwimSettings::lan());
        let planted = |seed| Spec { defects: Defects::from_names(&[name]), ..spec(seed) };
        let caught = (0..seeds).find(|&seed| play(planted(seed)).breaks(defect.caught_by));
        if caught.is_none() {
            wrong.push(format!("{name}: {} is not broken in {seeds} seeds", defect.caught_by));
        }
        for seed in 0..seeds {
            let clean = play(spec(seed)).violations();
            if !clean.is_empty() {
                wrong.push(format!("{name}: without it, seed {seed} breaks {clean:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
