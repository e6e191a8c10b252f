//! Equal inputs give equal runs; copies continue as their originals; strangers change nothing.

mod common;

use common::{Busy, MS, Ping, config, ms, world};
use contract::{Condition, Dist, Duration, InFlight, NodeId, Ratio, SimTime};
use engine::{Config, Engine, FaultClass, NodeSpec, Stopped, Ties, Unwatched};
use proptest::prelude::*;

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);
const C: NodeId = NodeId(2);

/// A world with faults in its links and disks, and a bit of everything going on.
fn rough(seed: u64) -> Config {
    let mut config = config(seed, 3);
    config.link.loss = Ratio::new(1, 50);
    config.link.duplicate = Ratio::new(1, 100);
    config.link.corrupt = Ratio::new(1, 200);
    config.link.reorder = Ratio::new(1, 20);
    config.link.reorder_extra = Duration::from_millis(15);
    config.link.bandwidth = Some(200_000);
    config.nodes[0].disk.read_corrupt = Ratio::new(1, 100);
    config.nodes[1].clock.drift_ppm = 200;
    config.nodes[2].clock.skew_ns = -3_000_000;
    config
}

/// Imposes and lifts a few conditions at fixed times.
fn disturb(engine: &mut Engine<Unwatched>, until: SimTime) {
    let (from, to, in_flight) = (A, B, InFlight::Lost);
    let plan = [
        (80, 300, Condition::Block { from, to, in_flight }),
        (120, 200, Condition::Pause { node: C }),
        (150, 420, Condition::Drift { node: C, ppm: 30_000 }),
        (200, 260, Condition::down(B, contract::DiskFate::Torn)),
        (310, 500, Condition::SlowCpu { node: A, times: 40 }),
    ];
    let mut ids = [None; 5];
    for (token, (start, end, _)) in plan.iter().enumerate() {
        engine.wake_at(ms(*start), FaultClass::Start, token as u32);
        engine.wake_at(ms(*end), FaultClass::End, token as u32);
    }
    while let Stopped::Due { token } = engine.run_until(until) {
        let slot = &mut ids[token as usize];
        match slot.take() {
            None => *slot = engine.impose(plan[token as usize].2.clone()).ok(),
            Some(id) => engine.lift(id),
        }
    }
}

#[test]
fn golden_digests() {
    let run = |config: Config| {
        let mut engine = world(config, Busy::boots(3));
        disturb(&mut engine, ms(1_000));
        (engine.digest(), engine.events())
    };
    assert_eq!(run(rough(1)), GOLDEN_ROUGH);
    let mut explore = rough(1);
    explore.ties = Ties::Explore;
    assert_eq!(run(explore), GOLDEN_EXPLORED);
    let mut ping = world(config(2, 5), Ping::boots(5, 4));
    ping.run_until(ms(1_000));
    assert_eq!((ping.digest(), ping.events()), GOLDEN_PING);
}

/// These change when the order of events, a draw, or what a digest covers changes: then every
/// recorded run changes.
const GOLDEN_ROUGH: (u64, u64) = (5995339330013614777, 1285);
const GOLDEN_EXPLORED: (u64, u64) = (5995339330013614777, 1285);
const GOLDEN_PING: (u64, u64) = (7220849344319079092, 3629);

#[test]
fn equal_seeds_are_equal_and_others_differ() {
    let run = |seed| {
        let mut engine = world(rough(seed), Busy::boots(3));
        engine.run_until(ms(500));
        engine.digest()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn stopping_on_the_way_changes_nothing() {
    let mut whole = world(rough(3), Busy::boots(3));
    whole.run_until(ms(400));
    let mut pieces = world(rough(3), Busy::boots(3));
    for until in 0..400 {
        pieces.run_until(SimTime(until * MS + until * 977));
    }
    pieces.run_until(ms(400));
    assert_eq!(pieces.digest(), whole.digest());
    assert_eq!(pieces.events(), whole.events());
}

/// Names and draws are by name, so nodes that only share the world change no digest, although the
/// ids of all others shift.
#[test]
fn an_idle_group_changes_no_other_nodes_digest() {
    for ties in [Ties::Canonical, Ties::Explore] {
        // Whole milliseconds, so that there are ties.
        let mut small = config(4, 3);
        small.ties = ties;
        small.link.latency = Dist::Choice(vec![2 * MS, 3 * MS]);
        let mut large = small.clone();
        large.nodes.insert(0, NodeSpec { name: "a/1".into(), ..NodeSpec::default() });
        let shifted = |from: u32| {
            common::boot_with(move |node: NodeId, _, fx: &mut contract::Fx<'_>| {
                Relay::boot(node.0.checked_sub(from), from, fx)
            })
        };
        let mut small = world(small, shifted(0));
        let mut large = world(large, shifted(1));
        small.run_until(ms(500));
        large.run_until(ms(500));
        assert!(small.events() > 1_000);
        for node in 0..3 {
            assert_eq!(small.node_digest(NodeId(node)), large.node_digest(NodeId(node + 1)));
        }
    }
}

/// A client that is never woken, a node that only ticks and writes, one that chats with it under
/// faults, marks that nobody reads and streams that draw more: nothing of it reaches the others.
#[test]
fn strangers_change_nothing() {
    let small = rough(6);
    let mut large = small.clone();
    for name in ["a/1", "a/2"] {
        let stranger = NodeSpec { name: name.into(), ..NodeSpec::default() };
        large.nodes.insert(0, stranger);
    }
    let boot = |strangers: u32| {
        common::boot_with(move |node: NodeId, _, fx: &mut contract::Fx<'_>| {
            match node.0.checked_sub(strangers) {
                Some(rank) => Relay::boot(Some(rank), strangers, fx),
                None => {
                    fx.set_timer(contract::TimerKey(0), Duration::from_millis(3));
                    Ok(Box::new(Stranger))
                }
            }
        })
    };
    let mut small = world(small, boot(0));
    let mut large = world(large, boot(2));
    large.run_until(ms(50));
    let ratio = Ratio::new(1, 2);
    let conditions = [
        Condition::Loss { from: A, to: B, ratio },
        Condition::SlowCpu { node: A, times: 3 },
        Condition::WriteFails { node: B, ratio },
    ];
    for condition in conditions {
        large.impose(condition).expect("the engine has it");
    }
    small.run_until(ms(600));
    large.run_until(ms(600));
    assert!(small.events() > 200 && large.counters().marks > 500);
    for node in 0..3 {
        assert_eq!(small.node_digest(NodeId(node)), large.node_digest(NodeId(node + 2)));
    }
}

/// Draws, writes, marks, and sends to the other stranger.
#[derive(Clone, Debug)]
struct Stranger;

impl contract::Node for Stranger {
    fn on_input(
        &mut self,
        _now: contract::Now,
        input: contract::Input<'_>,
        fx: &mut contract::Fx<'_>,
    ) {
        (0..4).for_each(|event| fx.mark(event, [0; 3], 0));
        let drawn = fx.rng.next_u64();
        let _ = fx.disk.write_at(contract::FileId(1), drawn % 4_096, &[1; 100]);
        if let contract::Input::Timer(key) = input {
            fx.set_timer(key, Duration::from_millis(3));
            fx.datagram(NodeId(1 - fx.me().0), |out| out.push(1));
        }
    }
    fn fork(&self) -> Option<Box<dyn contract::Node>> {
        Some(Box::new(self.clone()))
    }
}

/// Passes datagrams around among three nodes; the first id is a parameter.
#[derive(Clone, Debug)]
struct Relay {
    first: u32,
    count: u64,
}

impl Relay {
    fn boot(
        rank: Option<u32>,
        first: u32,
        fx: &mut contract::Fx<'_>,
    ) -> Result<Box<dyn contract::Node>, contract::Refused> {
        if rank.is_some() {
            (0..3).for_each(|peer| {
                fx.datagram(NodeId(first + peer), |out| out.push(0));
            });
        }
        Ok(Box::new(Self { first, count: 0 }))
    }
}

impl contract::Node for Relay {
    fn on_input(
        &mut self,
        _now: contract::Now,
        _input: contract::Input<'_>,
        fx: &mut contract::Fx<'_>,
    ) {
        self.count += 1;
        let to = self.first + (fx.rng.below(3) as u32);
        let count = self.count;
        fx.datagram(NodeId(to), |out| out.extend_from_slice(&count.to_be_bytes()));
    }
    fn fork(&self) -> Option<Box<dyn contract::Node>> {
        Some(Box::new(self.clone()))
    }
}

#[test]
fn exploring_reaches_other_orders() {
    let run = |seed, ties| {
        let mut config = config(4, 3);
        config.ties = ties;
        config.seed = seed;
        config.link.latency = Dist::Constant(2 * MS);
        let boot = common::boot_with(|_, _, fx: &mut contract::Fx<'_>| Relay::boot(Some(0), 0, fx));
        let mut engine = world(config, boot);
        engine.run_until(ms(300));
        engine.digest()
    };
    assert_ne!(run(1, Ties::Canonical), run(1, Ties::Explore));
    assert_eq!(run(1, Ties::Explore), run(1, Ties::Explore));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// A copy made at any point, also with faults in force, continues as its original, and
    /// continuing one does not change the other.
    #[test]
    fn a_fork_continues_as_its_original(seed in 0_u64..8, at in 1_u64..700, explore in any::<bool>()) {
        let mut config = rough(seed);
        config.ties = if explore { Ties::Explore } else { Ties::Canonical };
        let mut engine = world(config, Busy::boots(3));
        disturb(&mut engine, SimTime(at * MS + 1));
        let mut fork = engine.fork().expect("these nodes can be copied");
        let before = engine.digest();
        run_through(&mut fork, ms(900));
        prop_assert_eq!(engine.digest(), before);
        run_through(&mut engine, ms(900));
        prop_assert_eq!(engine.digest(), fork.digest());
        prop_assert_eq!(engine.events(), fork.events());
        prop_assert_eq!(engine.counters(), fork.counters());
        prop_assert_ne!(engine.digest(), before);
    }
}

fn run_through(engine: &mut Engine<Unwatched>, until: SimTime) {
    while let Stopped::Due { .. } = engine.run_until(until) {}
}

#[test]
#[should_panic(expected = "share their random streams")]
fn equal_names_are_refused() {
    let mut config = config(1, 2);
    config.nodes[1].name = config.nodes[0].name.clone();
    world(config, Ping::boots(2, 1));
}

/// Another future of the same past: equal for equal salts, other for others, and the past with what
/// is on its way is that of the original.
#[test]
fn futures_branch_off_one_past() {
    let mut past = world(rough(5), Busy::boots(3));
    disturb(&mut past, ms(170));
    let future = |salt: Option<u64>| {
        let mut engine = past.fork().expect("these nodes can be copied");
        if let Some(salt) = salt {
            engine.reseed_from(salt);
        }
        assert_eq!((engine.digest(), engine.pending()), (past.digest(), past.pending()));
        engine.run_until(ms(600));
        engine.digest()
    };
    assert_eq!(future(Some(1)), future(Some(1)));
    assert_ne!(future(Some(1)), future(Some(2)));
    assert_ne!(future(Some(1)), future(None));
}
