//! Up, busy, paused, down: what a node's state does to its inputs. And its clocks.

mod common;

use common::{Busy, MS, SECOND, boot_with, config, ms, node, world};
use contract::{
    Condition, DiskFate, Dist, Duration, Fx, Input, Node, NodeId, Now, Refused, Shock, TimerKey,
};
use engine::clocks::WALL_EPOCH;
use engine::{Engine, IncidentKind, Stopped, Unwatched};

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);

/// Node 0 sends a numbered datagram each millisecond; node 1 works 3 ms on each.
#[derive(Clone, Debug, Default)]
struct Work {
    sent: u8,
    got: Vec<u8>,
    at: Vec<u64>,
    spend: Duration,
}

impl Work {
    fn world(spend: Duration, count: u8) -> Engine<Unwatched> {
        let mut config = config(1, 2);
        config.link.latency = Dist::Constant(MS);
        world(
            config,
            boot_with(move |node, _, fx: &mut Fx<'_>| {
                if node == A {
                    fx.set_timer(TimerKey(u64::from(count)), Duration::from_millis(1));
                }
                Ok(Box::new(Self { spend, ..Self::default() }))
            }),
        )
    }
}

impl Node for Work {
    fn on_input(&mut self, now: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        match input {
            Input::Timer(key) => {
                let number = self.sent;
                fx.datagram(B, |out| out.push(number));
                self.sent += 1;
                if u64::from(self.sent) < key.0 {
                    fx.set_timer(key, Duration::from_millis(1));
                }
            }
            Input::Datagram { bytes, .. } => {
                self.got.extend_from_slice(bytes);
                self.at.push(now.mono.0);
                fx.spend(self.spend);
            }
            _ => {}
        }
    }
    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }
}

#[test]
fn a_busy_node_works_off_its_inbox_in_order() {
    let mut engine = Work::world(Duration::from_millis(3), 5);
    engine.run_until(ms(100));
    let work: &Work = node(&engine, 1);
    assert_eq!(work.got, [0, 1, 2, 3, 4]);
    assert_eq!(work.at, [2, 5, 8, 11, 14].map(|at| at * MS));
    assert_eq!(engine.counters().inputs_parked, 4);
}

#[test]
fn a_slow_processor_takes_longer() {
    let mut engine = Work::world(Duration::from_millis(3), 3);
    let slow = Condition::SlowCpu { node: B, times: 2 };
    let ids = [slow.clone(), slow].map(|slow| engine.impose(slow).expect("has it"));
    engine.run_until(ms(100));
    let work: &Work = node(&engine, 1);
    assert_eq!(work.at, [2, 14, 26].map(|at| at * MS), "factors multiply");
    assert!(ids.iter().all(|id| engine.effect_count(*id) == 3));
}

#[test]
fn a_paused_node_catches_up() {
    let mut engine = Work::world(Duration::ZERO, 200);
    engine.run_until(ms(10));
    let id = engine.impose(Condition::Pause { node: B }).expect("has it");
    engine.run_until(ms(150));
    assert_eq!(node::<Work, _>(&engine, 1).got.len(), 8);
    engine.lift(id);
    assert_eq!(engine.run_until(ms(151)), Stopped::Reached);
    let work: &Work = node(&engine, 1);
    assert_eq!(work.got, (0..149).collect::<Vec<u8>>());
    assert!(work.at[8..148].iter().all(|at| *at == 150 * MS));
}

#[test]
fn thousands_of_parked_inputs_are_not_a_standstill() {
    let mut config = config(1, 2);
    config.link.latency = Dist::Constant(MS);
    let mut engine = world(
        config,
        boot_with(|node, _, fx: &mut Fx<'_>| {
            if node == A {
                (0..5_000).for_each(|_| {
                    fx.datagram(B, |out| out.push(1));
                });
            }
            Ok(Box::new(Work::default()))
        }),
    );
    let id = engine.impose(Condition::Pause { node: B }).expect("has it");
    engine.run_until(ms(10));
    engine.lift(id);
    assert_eq!(engine.run_until(ms(11)), Stopped::Idle);
    assert_eq!(node::<Work, _>(&engine, 1).got.len(), 5_000);
}

#[test]
fn what_is_under_way_to_a_node_that_crashes_is_lost() {
    let mut engine = Work::world(Duration::ZERO, 20);
    // Sent at 5 ms, due at 6 ms; the node is down in between, and up again by then.
    engine.run_until(ms(5) + Duration(MS / 2));
    let id = engine.impose(Condition::down(B, DiskFate::Kept)).expect("has it");
    engine.lift(id);
    engine.run_until(ms(100));
    let work: &Work = node(&engine, 1);
    assert_eq!(work.got[0], 5, "0 to 3 died with the node, 4 was under way");
    assert_eq!(engine.counters().dropped_node_down, 1);
    assert_eq!(engine.effect_count(id), 1, "lifted before the loss, it counts the crash alone");
    assert_eq!((engine.counters().crashes, engine.counters().boots), (1, 3));
}

#[test]
fn a_node_is_down_until_the_last_cause_is_lifted() {
    let mut engine = world(config(3, 3), Busy::boots(3));
    engine.run_until(ms(50));
    let down = |disk| Condition::down(A, disk);
    let one = engine.impose(down(DiskFate::Kept)).expect("has it");
    let two = engine.impose(down(DiskFate::Wiped)).expect("has it");
    assert_eq!(engine.counters().crashes, 1);
    engine.run_until(ms(60));
    engine.lift(two);
    assert!(engine.nodes().node(A).is_none());
    assert!(!engine.restart(A));
    engine.lift(one);
    assert_eq!(engine.nodes().boot(A), 1);
    assert!(engine.durable(A).files().next().is_none(), "the worst fate of the disk holds");
}

#[test]
fn a_node_that_needs_too_much_memory_is_killed_and_can_be_restarted() {
    let mut config = config(3, 3);
    config.nodes[0].memory_limit = Some(1_055);
    let mut engine = world(config, Busy::boots(3));
    engine.run_until(ms(200));
    assert!(engine.nodes().node(A).is_none());
    assert_eq!(engine.counters().out_of_memory_kills, 1);
    let incidents = engine.take_incidents();
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0].node, A);
    let expect = IncidentKind::OutOfMemory { used_bytes: 1_060, limit_bytes: 1_055 };
    assert_eq!(incidents[0].kind, expect);
    let log = engine.durable(A).read(contract::FileId(1)).expect("its log is durable");
    assert!(!log.is_empty());
    assert!(engine.restart(A));
    assert!(!engine.restart(A));
    assert_eq!(engine.nodes().boot(A), 1);
}

#[test]
fn a_node_may_refuse_to_boot() {
    let boot = boot_with(|node, boot, fx: &mut Fx<'_>| {
        fx.set_timer(TimerKey(1), Duration::from_millis(1));
        if node == B && boot == 1 {
            return Err(Refused("the log has a hole".into()));
        }
        Ok(Box::new(Work::default()))
    });
    let mut engine = world(config(1, 2), boot);
    let down = Condition::down(B, DiskFate::Torn);
    let id = engine.impose(down).expect("has it");
    engine.lift(id);
    assert!(engine.nodes().node(B).is_none());
    let kinds: Vec<_> = engine.take_incidents().into_iter().map(|incident| incident.kind).collect();
    assert_eq!(kinds, [IncidentKind::Refused("the log has a hole".into())]);
    engine.run_until(ms(10));
    assert!(engine.restart(B), "it may be tried again");
    assert_eq!(engine.nodes().boot(B), 2);
}

/// Asks for the time at every timer.
#[derive(Clone, Debug, Default)]
struct Watch(Vec<Now>);

impl Node for Watch {
    fn on_input(&mut self, now: Now, _input: Input<'_>, fx: &mut Fx<'_>) {
        self.0.push(now);
        fx.set_timer(TimerKey(1), Duration(SECOND));
    }
    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }
}

fn watches() -> Engine<Unwatched> {
    world(
        config(1, 2),
        boot_with(|_, _, fx: &mut Fx<'_>| {
            fx.set_timer(TimerKey(1), Duration(SECOND));
            Ok(Box::new(Watch::default()))
        }),
    )
}

#[test]
fn timers_run_on_the_clock_of_their_node() {
    let mut engine = watches();
    // 25 % fast: a timer of a second set at 0 and refitted at 0.5 s is due after 0.5 / 1.25 s more.
    engine.run_until(ms(500));
    let drifts = [200_000, 50_000].map(|ppm| Condition::Drift { node: A, ppm });
    let ids = drifts.map(|drift| engine.impose(drift).expect("has it"));
    engine.run_until(ms(900));
    assert!(node::<Watch, _>(&engine, 0).0.is_empty());
    engine.run_until(ms(901));
    let watch: &Watch = node(&engine, 0);
    assert_eq!(watch.0[0].mono.0, SECOND);
    assert!(node::<Watch, _>(&engine, 1).0.is_empty());
    // Back at the right rate at 1.2 s, when the clock shows 1.375 s: the next is due at 1.825 s.
    engine.run_until(ms(1_200));
    ids.into_iter().for_each(|id| engine.lift(id));
    engine.run_until(ms(1_825));
    assert_eq!(node::<Watch, _>(&engine, 0).0.len(), 1);
    engine.run_until(ms(1_826));
    assert_eq!(node::<Watch, _>(&engine, 0).0[1].mono.0, 2 * SECOND);
}

#[test]
fn the_wall_clock_jumps_and_the_monotonic_one_does_not() {
    let mut engine = watches();
    engine.run_until(ms(1_500));
    let by_ns = -10 * SECOND as i64;
    engine.strike(Shock::WallJump { node: A, by_ns }).expect("has it");
    engine.run_until(ms(2_500));
    let [before, after] = node::<Watch, _>(&engine, 0).0[..] else { panic!("two timers") };
    assert_eq!(after.mono.since(before.mono), Duration(SECOND));
    assert_eq!(before.wall.0, WALL_EPOCH.0 + SECOND);
    assert_eq!(before.wall.0 - after.wall.0, 9 * SECOND);
}

#[test]
fn the_monotonic_clock_starts_at_zero_with_every_boot() {
    let mut engine = watches();
    engine.run_until(ms(1_700));
    let id = engine.impose(Condition::down(A, DiskFate::Kept)).expect("has it");
    engine.run_until(ms(1_800));
    engine.lift(id);
    engine.run_until(ms(2_801));
    let watch: &Watch = node(&engine, 0);
    assert_eq!(watch.0.len(), 1);
    assert_eq!(watch.0[0].mono.0, SECOND);
    assert_eq!(watch.0[0].wall.0, WALL_EPOCH.0 + 2_800 * MS, "the wall clock goes on");
}

#[test]
fn time_that_does_not_advance_is_noticed() {
    let boot = boot_with(|_, _, fx: &mut Fx<'_>| {
        fx.set_timer(TimerKey(1), Duration(SECOND));
        Ok(Box::new(Spin))
    });
    let mut engine = world(config(1, 1), boot);
    assert_eq!(engine.run_until(ms(5_000)), Stopped::Stuck);
    assert_eq!(engine.now(), ms(1_000));
    assert_eq!(engine.run_until(ms(5_000)), Stopped::Stuck);
}

#[derive(Clone, Debug)]
struct Spin;

impl Node for Spin {
    fn on_input(&mut self, _now: Now, _input: Input<'_>, fx: &mut Fx<'_>) {
        fx.set_timer(TimerKey(1), Duration::ZERO);
    }
    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(Self))
    }
}

#[test]
fn a_budget_stops_and_an_idle_world_says_so() {
    let mut limited = config(1, 3);
    limited.events_max = 100;
    let mut engine = world(limited, Busy::boots(3));
    assert_eq!(engine.run_until(ms(10_000)), Stopped::Budget);
    assert_eq!(engine.events(), 100);
    let mut idle = world(config(1, 2), Busy::boots(0));
    assert_eq!(idle.run_until(ms(10_000)), Stopped::Idle);
    assert_eq!(idle.now(), ms(10_000));
}

#[test]
fn after_a_panic_it_is_known_whose_input_it_was() {
    #[derive(Clone)]
    struct Bad;
    impl Node for Bad {
        fn on_input(&mut self, _now: Now, _input: Input<'_>, _fx: &mut Fx<'_>) {
            panic!("a planted bug");
        }
        fn fork(&self) -> Option<Box<dyn Node>> {
            None
        }
    }
    let boot = boot_with(|node, _, fx: &mut Fx<'_>| {
        if node == B {
            fx.set_timer(TimerKey(1), Duration(SECOND));
        }
        Ok(Box::new(Bad))
    });
    let mut engine = world(config(1, 2), boot);
    assert!(engine.fork().is_none(), "this node cannot be copied");
    let run = std::panic::AssertUnwindSafe(|| engine.run_until(ms(5_000)));
    assert!(std::panic::catch_unwind(run).is_err());
    assert_eq!(engine.current(), Some((ms(1_000), B)));
    assert_eq!(engine.trace().events().last().map(|event| event.node), Some(B));
}
