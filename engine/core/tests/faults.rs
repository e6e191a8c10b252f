//! Every condition and every shock changes a run, says so, and combines with others of its kind.

mod common;

use common::{Busy, MS, SECOND, config, ms, world};
use contract::{
    Condition, DiskFate, Dist, Duration, FileId, InFlight, NodeId, Ratio, Shock, SimTime,
};
use engine::{Engine, Stopped, Unwatched};
use proptest::prelude::*;

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);

fn busy(seed: u64) -> Engine<Unwatched> {
    world(config(seed, 3), Busy::boots(3))
}

fn half() -> Ratio {
    Ratio::new(1, 2)
}

/// One of each kind.
fn conditions() -> Vec<Condition> {
    let (from, to, node) = (A, B, A);
    let ratio = half();
    let in_flight = InFlight::Lost;
    let extra = Duration::from_millis(30);
    let slow = Duration::from_millis(3);
    vec![
        Condition::Block { from, to, in_flight },
        Condition::Block { from, to, in_flight: InFlight::Kept },
        Condition::Hold { from, to },
        Condition::Loss { from, to, ratio },
        Condition::Duplicate { from, to, ratio },
        Condition::Reorder { from, to, ratio, extra },
        Condition::Corrupt { from, to, ratio },
        Condition::Delay { from, to, extra: Dist::Uniform { min: MS, max: 20 * MS } },
        Condition::Bandwidth { from, to, bytes_per_s: 5_000 },
        Condition::down(node, DiskFate::Kept),
        Condition::down(node, DiskFate::UnsyncedLost),
        Condition::down(node, DiskFate::Torn),
        Condition::down(node, DiskFate::Wiped),
        Condition::Pause { node },
        Condition::SlowCpu { node, times: 50 },
        Condition::ServiceTime { node, permille: 50_000 },
        Condition::MemoryLimit { node, bytes: 1_100 },
        Condition::Drift { node, ppm: 50_000 },
        Condition::DiskSlow { node, read: slow, write: slow, sync: slow },
        Condition::SyncLies { node, ratio },
        Condition::SyncFails { node, ratio },
        Condition::WriteFails { node, ratio },
        Condition::ReadCorrupt { node, ratio },
        Condition::WriteCorrupt { node, ratio },
        Condition::Misdirect { node, ratio },
        Condition::Capacity { node, bytes: 100 },
    ]
}

/// Another of the same kind on the same target, which combines with the first.
fn another(condition: &Condition) -> Condition {
    match condition.clone() {
        Condition::Block { from, to, .. } => {
            Condition::Block { from, to, in_flight: InFlight::Kept }
        }
        Condition::Delay { from, to, .. } => {
            Condition::Delay { from, to, extra: Dist::Constant(7 * MS) }
        }
        Condition::Bandwidth { from, to, .. } => {
            Condition::Bandwidth { from, to, bytes_per_s: 20_000 }
        }
        Condition::Down { node, .. } => Condition::down(node, DiskFate::UnsyncedLost),
        Condition::SlowCpu { node, .. } => Condition::SlowCpu { node, times: 3 },
        Condition::ServiceTime { node, .. } => Condition::ServiceTime { node, permille: 2_500 },
        Condition::Drift { node, .. } => Condition::Drift { node, ppm: -20_000 },
        Condition::Capacity { node, .. } => Condition::Capacity { node, bytes: 300 },
        Condition::MemoryLimit { node, .. } => Condition::MemoryLimit { node, bytes: 1_500 },
        same => same,
    }
}

#[test]
fn every_condition_changes_a_run_and_counts_its_effect() {
    for condition in conditions() {
        let mut plain = busy(5);
        let mut bent = busy(5);
        bent.run_until(ms(100));
        let id = bent.impose(condition.clone()).expect("the engine has it");
        bent.run_until(ms(600));
        bent.lift(id);
        bent.run_until(ms(1_500));
        plain.run_until(ms(1_500));
        assert_ne!(bent.digest(), plain.digest(), "{condition:?} changed nothing");
        assert!(bent.effect_count(id) > 0, "{condition:?} counted nothing");
        let effects = bent.effect_count(id);
        bent.run_until(ms(2_000));
        assert_eq!(bent.effect_count(id), effects, "{condition:?} counted on after it was lifted");
    }
}

#[test]
fn every_shock_changes_a_run() {
    let shocks = [
        Shock::WallJump { node: A, by_ns: -5 * SECOND as i64 },
        Shock::FlipBit { node: A, file: FileId(1), bit: 77 },
        Shock::InjectFrame { from: B, to: A, bytes: vec![1, 2, 3] },
    ];
    for shock in shocks {
        let mut plain = busy(5);
        let mut struck = busy(5);
        struck.run_until(ms(100));
        struck.strike(shock.clone()).expect("the engine has it");
        struck.run_until(ms(500));
        plain.run_until(ms(500));
        assert_ne!(struck.digest(), plain.digest(), "{shock:?} changed nothing");
    }
}

#[test]
fn what_the_engine_does_not_have_it_refuses() {
    let mut engine = busy(1);
    let nobody = NodeId(99);
    assert!(engine.impose(Condition::Pause { node: nobody }).is_err());
    assert!(engine.impose(Condition::Hold { from: A, to: nobody }).is_err());
    assert!(engine.strike(Shock::WallJump { node: nobody, by_ns: 1 }).is_err());
}

#[test]
fn a_condition_without_effect_counts_none() {
    let mut engine = busy(5);
    let (from, to, ratio) = (A, B, Ratio::ZERO);
    let id = engine.impose(Condition::Loss { from, to, ratio }).expect("the engine has it");
    engine.run_until(ms(500));
    assert_eq!(engine.effect_count(id), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Two overlapping conditions of one kind, ending in either order: while one is left it holds
    /// as if it were alone, and once both are lifted nothing holds any more.
    #[test]
    fn overlapping_conditions_do_not_undo_each_other(
        kind in 0..conditions().len(), first_ends_first in any::<bool>(), seed in 0_u64..4,
    ) {
        let one = conditions()[kind].clone();
        let two = another(&one);
        let mut engine = busy(seed);
        engine.run_until(ms(100));
        let ids = [&one, &two].map(|condition| {
            engine.impose(condition.clone()).expect("the engine has it")
        });
        engine.run_until(ms(200));
        let (ended, left) = if first_ends_first { (ids[0], ids[1]) } else { (ids[1], ids[0]) };
        engine.lift(ended);
        engine.lift(ended);
        let before = engine.effect_count(left);
        engine.run_until(ms(500));
        let holds_on = engine.effect_count(left) > before;
        // A crash, and a kill for lack of memory, happen once.
        let is_once = matches!(one, Condition::MemoryLimit { .. });
        // What fits under the larger capacity ended with the smaller one.
        let is_wide = first_ends_first && matches!(one, Condition::Capacity { .. });
        prop_assert!(holds_on || is_once || is_wide, "{one:?} ended with the other");
        if matches!(one, Condition::Down { .. }) {
            prop_assert!(engine.nodes().node(A).is_none());
        }
        engine.lift(left);
        engine.restart(A);
        let effects = engine.effect_count(left);
        prop_assert_eq!(engine.run_until(ms(3_000)), Stopped::Reached);
        prop_assert_eq!(engine.effect_count(left), effects);
        prop_assert!(engine.nodes().node(A).is_some());
    }

    /// Lifting is exact: with one of two left, messages draw and meet what they would have met
    /// had the other never been imposed on the link at all.
    #[test]
    fn lifting_restores_exactly(kind in 3_usize..9, seed in 0_u64..4) {
        let one = conditions()[kind].clone();
        let two = another(&one);
        let run = |with_two: bool| {
            let mut engine = busy(seed);
            let id = engine.impose(one.clone()).expect("the engine has it");
            if with_two {
                let other = engine.impose(two.clone()).expect("the engine has it");
                engine.lift(other);
            }
            engine.run_until(ms(800));
            (engine.digest(), engine.effect_count(id))
        };
        prop_assert_eq!(run(true), run(false));
    }
}

/// A fault on one link shifts no draw of that link: what is sent after it was lifted takes
/// exactly as long as it would have without.
#[test]
fn a_fault_shifts_no_later_draw() {
    let arrivals = |faulty: bool| {
        let mut config = config(9, 2);
        config.link.latency = Dist::Uniform { min: MS, max: 2 * MS };
        let mut engine = world(config, OneWay::boots());
        if faulty {
            engine.run_until(ms(50));
            let (from, to, ratio, in_flight) = (A, B, half(), InFlight::Lost);
            let extra = Dist::Uniform { min: 0, max: MS };
            let all = [
                Condition::Loss { from, to, ratio },
                Condition::Duplicate { from, to, ratio },
                Condition::Corrupt { from, to, ratio },
                Condition::Delay { from, to, extra },
                Condition::Reorder { from, to, ratio, extra: Duration(MS) },
                Condition::Block { from, to, in_flight },
            ];
            let ids = all.map(|condition| engine.impose(condition).expect("it has it"));
            engine.run_until(ms(100));
            ids.into_iter().for_each(|id| engine.lift(id));
        }
        engine.run_until(ms(300));
        let sink: &OneWay = common::node(&engine, 1);
        sink.arrivals.iter().copied().filter(|at| *at > ms(105)).collect::<Vec<SimTime>>()
    };
    let plain = arrivals(false);
    assert!(plain.len() > 100);
    assert_eq!(arrivals(true), plain);
}

/// Node 0 sends a datagram every millisecond; node 1 writes down when they arrive.
#[derive(Clone, Debug, Default)]
struct OneWay {
    arrivals: Vec<SimTime>,
}

impl OneWay {
    fn boots() -> impl engine::Boot {
        common::boot_with(|node: NodeId, _, fx: &mut contract::Fx<'_>| {
            if node == A {
                fx.set_timer(contract::TimerKey(0), Duration::from_millis(1));
            }
            Ok(Box::new(Self::default()))
        })
    }
}

impl contract::Node for OneWay {
    fn on_input(
        &mut self,
        now: contract::Now,
        input: contract::Input<'_>,
        fx: &mut contract::Fx<'_>,
    ) {
        match input {
            contract::Input::Timer(key) => {
                fx.set_timer(key, Duration::from_millis(1));
                fx.datagram(B, |out| out.push(1));
            }
            contract::Input::Datagram { .. } => self.arrivals.push(SimTime(now.mono.0)),
            _ => {}
        }
    }
    fn fork(&self) -> Option<Box<dyn contract::Node>> {
        Some(Box::new(self.clone()))
    }
}
