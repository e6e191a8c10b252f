//! Connections: order, loss, refusal, crashes, cuts.

mod common;

use common::{MS, SECOND, boot_with, config, ms, node, world};
use contract::{
    CloseReason, Condition, ConnId, DiskFate, Dist, Duration, Fx, InFlight, Input, Node, NodeId,
    Now, Ratio, Shock, SimTime, TimerKey,
};
use engine::hosting::{Action, Timed, script_problems};
use engine::{Engine, Fate, Pin, Unwatched};
use proptest::prelude::*;

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);
const LINES: u64 = 50;

/// Node 0 opens a connection to node 1 after 1 ms and writes numbered lines of growing length, one
/// a millisecond, then closes. Node 1 collects bytes and sends them back.
#[derive(Clone, Debug, Default)]
struct Talk {
    conn: Option<ConnId>,
    lines: u64,
    got: Vec<u8>,
    reads: u64,
    opened: u64,
    closed: Vec<CloseReason>,
}

impl Talk {
    fn world(seed: u64, change: impl FnOnce(&mut engine::Config)) -> Engine<Unwatched> {
        let mut config = config(seed, 2);
        change(&mut config);
        world(
            config,
            boot_with(|node, boot, fx: &mut Fx<'_>| {
                if node == A && boot == 0 {
                    fx.set_timer(TimerKey(0), Duration::from_millis(1));
                }
                Ok(Box::new(Self::default()))
            }),
        )
    }

    fn text() -> Vec<u8> {
        (0..LINES).flat_map(Self::line).collect()
    }

    fn line(number: u64) -> Vec<u8> {
        vec![number as u8; number as usize * 7 + 1]
    }

    fn tick(&mut self, key: TimerKey, fx: &mut Fx<'_>) {
        let Some(conn) = self.conn else {
            self.conn = Some(fx.open(B));
            return fx.set_timer(key, Duration::from_millis(1));
        };
        if self.lines == LINES {
            return;
        }
        fx.write(conn, |out| out.extend(Self::line(self.lines)));
        self.lines += 1;
        fx.set_timer(key, Duration::from_millis(1));
    }
}

impl Node for Talk {
    fn on_input(&mut self, _now: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        match input {
            Input::Timer(key) => self.tick(key, fx),
            Input::Opened { conn, peer } => {
                assert_ne!(peer, fx.me());
                assert_eq!(conn.opener, A);
                self.opened += 1;
            }
            Input::Data { conn, bytes } => {
                assert!(!bytes.is_empty());
                assert_eq!(self.opened, 1, "data comes after the opening");
                self.reads += 1;
                self.got.extend_from_slice(bytes);
                if fx.me() == B {
                    fx.write(conn, |out| out.extend_from_slice(bytes));
                } else if self.got == Self::text() {
                    fx.close(conn);
                }
            }
            Input::Closed { reason, .. } => self.closed.push(reason),
            _ => {}
        }
    }
    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the links do, bytes arrive in order, once, or the connection says that it broke.
    #[test]
    fn bytes_arrive_in_order_or_the_connection_breaks(
        seed in 0_u64..1_000, loss in 0_u32..60, corrupt in 0_u32..30, duplicate in 0_u32..50,
        reorder in 0_u32..80, bandwidth in prop::option::of(20_000_u64..1_000_000),
        cut in prop::option::of((0_u64..200, 1_u64..15_000)), in_flight in any::<bool>(),
    ) {
        let mut engine = Talk::world(seed, |config| {
            config.link.loss = Ratio::new(loss, 100);
            config.link.corrupt = Ratio::new(corrupt, 100);
            config.link.duplicate = Ratio::new(duplicate, 100);
            config.link.reorder = Ratio::new(reorder, 100);
            config.link.reorder_extra = Duration::from_millis(40);
            config.link.bandwidth = bandwidth;
        });
        if let Some((at, length)) = cut {
            let in_flight = if in_flight { InFlight::Lost } else { InFlight::Kept };
            engine.run_until(ms(at));
            let id = engine.impose(Condition::Block { from: A, to: B, in_flight }).expect("has it");
            engine.run_until(ms(at + length));
            engine.lift(id);
        }
        engine.run_until(ms(2_000_000));
        let (a, b): (&Talk, &Talk) = (node(&engine, 0), node(&engine, 1));
        let text = Talk::text();
        prop_assert!(text.starts_with(&b.got));
        prop_assert!(b.got.starts_with(&a.got));
        if a.closed.is_empty() {
            prop_assert_eq!(&a.got, &text);
            // The last word may be lost as well, which keep-alives find out.
            let expect = if b.closed == [CloseReason::Done] { CloseReason::Done } else { CloseReason::TimedOut };
            prop_assert_eq!(&b.closed, &[expect]);
            let is_clean = loss == 0 && corrupt == 0 && cut.is_none();
            prop_assert!(!is_clean || expect == CloseReason::Done);
        } else {
            prop_assert_eq!(a.closed.len(), 1);
            prop_assert_ne!(a.closed[0], CloseReason::Done);
            prop_assert!(b.closed.iter().all(|reason| *reason != CloseReason::Done));
            prop_assert!(b.closed.len() == b.opened as usize);
        }
    }
}

#[test]
fn writes_are_split_and_merged() {
    let mut engine = Talk::world(3, |config| {
        config.link.latency = Dist::Uniform { min: MS, max: 30 * MS };
    });
    engine.run_until(ms(1_000));
    let b: &Talk = node(&engine, 1);
    assert_eq!(b.got, Talk::text());
    assert!(b.reads < LINES, "some writes arrive together");
    let mut engine = Talk::world(3, |config| config.link.latency = Dist::Constant(MS / 4));
    engine.run_until(ms(1_000));
    let b: &Talk = node(&engine, 1);
    assert_eq!(b.got, Talk::text());
    assert_eq!(b.closed, [CloseReason::Done]);
}

#[test]
fn a_peer_that_is_down_refuses() {
    let mut engine = Talk::world(1, |_| {});
    engine.impose(Condition::down(B, DiskFate::Kept)).expect("has it");
    engine.run_until(ms(100));
    let a: &Talk = node(&engine, 0);
    assert_eq!(a.closed, [CloseReason::Refused]);
    assert_eq!(a.opened, 0);
    assert_eq!(engine.counters().streams_refused, 1);
}

#[test]
fn a_request_to_open_that_is_cut_off_times_out_after_ten_seconds() {
    let mut engine = Talk::world(1, |_| {});
    let block = Condition::Block { from: A, to: B, in_flight: InFlight::Lost };
    engine.impose(block).expect("has it");
    engine.run_until(ms(10_000));
    assert_eq!(node::<Talk, _>(&engine, 0).closed, []);
    engine.run_until(ms(10_100));
    assert_eq!(node::<Talk, _>(&engine, 0).closed, [CloseReason::TimedOut]);
    assert_eq!(node::<Talk, _>(&engine, 1).opened, 0);
}

#[test]
fn a_process_that_dies_resets_the_other_end() {
    let mut engine = Talk::world(1, |_| {});
    engine.run_until(ms(30));
    let id = engine.impose(Condition::down(B, DiskFate::Kept)).expect("has it");
    engine.run_until(ms(31));
    assert_eq!(node::<Talk, _>(&engine, 0).closed, [], "the news takes its time");
    engine.lift(id);
    engine.run_until(ms(100));
    assert_eq!(node::<Talk, _>(&engine, 0).closed, [CloseReason::Reset]);
    let b: &Talk = node(&engine, 1);
    assert_eq!((b.opened, b.got.len()), (0, 0), "the next life knows nothing of it");
}

#[test]
fn a_short_cut_delays_and_over_a_long_one_each_end_gives_up_by_itself() {
    let cut_for = |length_ms: u64| {
        let mut engine = Talk::world(1, |_| {});
        engine.run_until(ms(20));
        let block = Condition::Block { from: A, to: B, in_flight: InFlight::Lost };
        let id = engine.impose(block).expect("has it");
        engine.run_until(ms(20 + length_ms));
        let got_in_time = node::<Talk, _>(&engine, 1).got.len();
        engine.lift(id);
        engine.run_until(ms(60_000));
        assert!(engine.effect_count(id) > 0);
        (got_in_time, engine)
    };
    let (got_in_time, short) = cut_for(5_000);
    assert!(got_in_time < Talk::text().len());
    assert_eq!(node::<Talk, _>(&short, 1).got, Talk::text());
    assert_eq!(node::<Talk, _>(&short, 0).closed, []);
    let (_, long) = cut_for(15_000);
    assert_eq!(node::<Talk, _>(&long, 0).closed, [CloseReason::TimedOut]);
    assert_eq!(node::<Talk, _>(&long, 1).closed, [CloseReason::TimedOut], "by keep-alives");
}

#[test]
fn a_pinned_segment_is_lost_once_or_comes_when_it_is_told() {
    let got_at = |pin: Option<Pin>| {
        let mut engine = Talk::world(1, |config| config.link.latency = Dist::Constant(10 * MS));
        if let Some(pin) = pin {
            engine.pin(A, B, 1, pin);
        }
        let mut at_ms = 0;
        while node::<Talk, _>(&engine, 1).got.is_empty() {
            at_ms += 1;
            engine.run_until(ms(at_ms));
        }
        assert_eq!(engine.pins_unmet().count(), 0);
        at_ms
    };
    let plain = got_at(None);
    assert_eq!(got_at(Some(Pin { latency: None, fate: Some(Fate::Lost) })), plain + 200);
    let latency = Some(Duration::from_millis(55));
    assert_eq!(got_at(Some(Pin { latency, fate: None })), plain + 45);
}

#[test]
fn what_is_held_waits_however_long() {
    let mut engine = Talk::world(1, |_| {});
    engine.run_until(ms(20));
    let id = engine.impose(Condition::Hold { from: A, to: B }).expect("has it");
    engine.run_until(ms(60_000));
    assert!(node::<Talk, _>(&engine, 1).got.len() < Talk::text().len());
    engine.lift(id);
    engine.run_until(ms(60_100));
    assert_eq!(node::<Talk, _>(&engine, 1).got, Talk::text());
    assert!(engine.effect_count(id) > 0);
}

#[test]
fn after_six_losses_in_a_row_each_end_gives_up_by_itself() {
    let mut engine = Talk::world(1, |_| {});
    engine.run_until(ms(20));
    let ratio = Ratio::ONE;
    engine.impose(Condition::Loss { from: A, to: B, ratio }).expect("has it");
    engine.run_until(ms(30 * 1_000));
    assert_eq!(node::<Talk, _>(&engine, 0).closed, [CloseReason::TimedOut]);
    assert_eq!(node::<Talk, _>(&engine, 1).closed, [], "it waits for nothing");
    engine.run_until(ms(60 * 1_000));
    assert_eq!(node::<Talk, _>(&engine, 1).closed, [CloseReason::TimedOut]);
    assert_eq!(engine.now().0, 60 * SECOND);
}

/// A world in which node 0 has written for 30 ms over links of exactly 10 ms.
fn talking() -> Engine<Unwatched> {
    let mut engine = Talk::world(1, |config| config.link.latency = Dist::Constant(10 * MS));
    engine.run_until(ms(40));
    assert!(!node::<Talk, _>(&engine, 1).got.is_empty(), "they talk");
    engine
}

#[test]
fn a_reset_breaks_the_connections_of_a_node_that_lives_on() {
    for struck in [A, B] {
        let peer = NodeId(1 - struck.0);
        let mut engine = talking();
        engine.strike(Shock::Reset { node: struck }).expect("the engine has resets");
        engine.run_until(SimTime(40 * MS + 1));
        assert_eq!(node::<Talk, _>(&engine, struck.0).closed, [CloseReason::Reset], "at once");
        assert!(node::<Talk, _>(&engine, peer.0).closed.is_empty(), "a reset takes its time");
        engine.run_until(ms(51));
        assert_eq!(node::<Talk, _>(&engine, peer.0).closed, [CloseReason::Reset]);
        engine.run_until(ms(60_000));
        for node_id in [A, B] {
            let talk = node::<Talk, _>(&engine, node_id.0);
            assert_eq!(talk.closed.len(), 1, "each end learns it once");
            assert_eq!(engine.nodes().boot(node_id), 0, "and lives on");
        }
        assert_eq!(engine.counters().streams_reset, 1);
    }
}

#[test]
fn a_reset_loses_what_is_under_way() {
    let mut engine = talking();
    let got = |engine: &Engine<Unwatched>, id| node::<Talk, _>(engine, id).got.len();
    let before = [got(&engine, 0), got(&engine, 1)];
    engine.strike(Shock::Reset { node: A }).expect("the engine has resets");
    engine.run_until(ms(60_000));
    assert_eq!([got(&engine, 0), got(&engine, 1)], before);
}

#[test]
fn a_reset_does_not_cross_a_cut() {
    let mut engine = talking();
    let in_flight = InFlight::Lost;
    engine.impose(Condition::Block { from: A, to: B, in_flight }).expect("has it");
    engine.strike(Shock::Reset { node: A }).expect("the engine has resets");
    engine.run_until(ms(10_039));
    assert_eq!(node::<Talk, _>(&engine, 0).closed, [CloseReason::Reset]);
    assert!(node::<Talk, _>(&engine, 1).closed.is_empty(), "nothing reaches it");
    engine.run_until(ms(40_039));
    assert!(node::<Talk, _>(&engine, 1).closed.is_empty(), "also not that the other gave up");
    engine.run_until(ms(40_041));
    assert_eq!(node::<Talk, _>(&engine, 1).closed, [CloseReason::TimedOut], "keep-alives do");
}

/// As [`talking`], and then the power of node 1 goes.
fn powerless() -> (Engine<Unwatched>, contract::ConditionId) {
    let mut engine = talking();
    let id = engine.impose(Condition::down(B, DiskFate::UnsyncedLost)).expect("has it");
    (engine, id)
}

#[test]
fn a_machine_without_power_says_nothing() {
    let (mut engine, _) = powerless();
    engine.run_until(ms(10_039));
    let a: &Talk = node(&engine, 0);
    assert!(a.closed.is_empty(), "nobody tells");
    assert!(!a.got.is_empty() && a.got.len() < Talk::text().len(), "what was on the wire comes");
    engine.run_until(ms(10_061));
    assert_eq!(node::<Talk, _>(&engine, 0).closed, [CloseReason::TimedOut], "its own time-out");
    assert_eq!(engine.counters().streams_timed_out, 1);
}

#[test]
fn a_machine_that_is_back_knows_no_connections() {
    let (mut engine, id) = powerless();
    engine.run_until(ms(3_000));
    assert!(node::<Talk, _>(&engine, 0).closed.is_empty(), "nobody tells");
    engine.lift(id);
    // Sent again 200 ms after it was not acknowledged, and then after twice as long each time.
    engine.run_until(ms(3_200));
    assert_eq!(node::<Talk, _>(&engine, 0).closed, [CloseReason::Reset]);
    assert_eq!(node::<Talk, _>(&engine, 1).opened, 0, "the next life hears nothing of it");
    engine.run_until(ms(60_000));
    assert_eq!(node::<Talk, _>(&engine, 0).closed.len(), 1, "each end learns it once");
}

#[test]
fn without_power_no_request_to_open_is_answered() {
    let opened = |back_ms: Option<u64>| {
        let mut engine = Talk::world(1, |config| config.link.latency = Dist::Constant(10 * MS));
        let id = engine.impose(Condition::down(B, DiskFate::Wiped)).expect("has it");
        if let Some(back_ms) = back_ms {
            engine.run_until(ms(back_ms));
            engine.lift(id);
        }
        engine.run_until(ms(60_000));
        (node::<Talk, _>(&engine, 0).opened, node::<Talk, _>(&engine, 0).closed.clone())
    };
    assert_eq!(opened(None), (0, vec![CloseReason::TimedOut]));
    assert_eq!(opened(Some(3_000)), (1, vec![]), "it asks again until somebody is there");
}

#[test]
fn a_power_loss_of_a_dead_process_takes_its_last_word() {
    let mut engine = talking();
    let block = Condition::Block { from: B, to: A, in_flight: InFlight::Kept };
    let block = engine.impose(block).expect("has it");
    engine.impose(Condition::down(B, DiskFate::Kept)).expect("has it");
    engine.run_until(ms(100));
    engine.impose(Condition::down(B, DiskFate::Torn)).expect("has it");
    engine.lift(block);
    engine.run_until(ms(5_000));
    assert!(node::<Talk, _>(&engine, 0).closed.is_empty(), "its machine was to say it again");
    engine.run_until(ms(60_000));
    assert_eq!(node::<Talk, _>(&engine, 0).closed, [CloseReason::TimedOut]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever goes, and whenever: an end that lives on closes once, and nothing stays behind.
    #[test]
    fn every_end_that_lives_on_closes_once(
        seed in 0_u64..1_000, loss in 0_u32..40, victim in 0_u32..2,
        down in (0_u64..120, 1_u64..15_000), kept in any::<bool>(),
        cut in prop::option::of((0_u64..200, 1_u64..15_000)), backwards in any::<bool>(),
    ) {
        let mut engine = Talk::world(seed, |config| config.link.loss = Ratio::new(loss, 100));
        let disk = if kept { DiskFate::Kept } else { DiskFate::UnsyncedLost };
        let (from, to) = if backwards { (B, A) } else { (A, B) };
        let block = Condition::Block { from, to, in_flight: InFlight::Lost };
        let outage = Condition::down(NodeId(victim), disk);
        let mut steps = vec![(down.0, Some(outage), 0), (down.0 + down.1, None, 0)];
        if let Some((at, length)) = cut {
            steps.extend([(at, Some(block), 1), (at + length, None, 1)]);
        }
        steps.sort_by_key(|step| step.0);
        let mut ids = [None; 2];
        for (at, condition, which) in steps {
            engine.run_until(ms(at));
            match condition {
                Some(condition) => ids[which] = engine.impose(condition).ok(),
                None => engine.lift(ids[which].expect("it was imposed")),
            }
        }
        engine.run_until(ms(200_000));
        let peer: &Talk = node(&engine, 1 - victim);
        let asked = peer.conn.is_some();
        prop_assert!(Talk::text().starts_with(&peer.got));
        if victim == 0 {
            prop_assert_eq!(peer.closed.len(), peer.opened as usize);
        } else if asked && peer.got == Talk::text() {
            prop_assert!(peer.closed.is_empty(), "it closed by itself");
        } else if asked && engine.nodes().boot(B) == 1 && peer.opened == 1 && peer.closed.is_empty() {
            prop_assert!(false, "it waits for ever");
        } else {
            prop_assert!(peer.closed.len() <= 1);
        }
        prop_assert_eq!(engine.pending(), 0, "nothing is left to happen");
    }
}

#[test]
fn a_reset_of_a_request_to_open_is_never_accepted() {
    let mut engine = Talk::world(1, |config| config.link.latency = Dist::Constant(10 * MS));
    engine.run_until(ms(3));
    engine.strike(Shock::Reset { node: A }).expect("the engine has resets");
    engine.run_until(ms(60_000));
    let (opener, asked) = (node::<Talk, _>(&engine, 0), node::<Talk, _>(&engine, 1));
    assert_eq!((opener.opened, &opener.closed[..]), (0, &[CloseReason::Reset][..]));
    assert_eq!((asked.opened, asked.closed.len()), (0, 0));
}

#[test]
fn a_node_without_connections_has_nothing_to_reset() {
    let mut engine = Talk::world(1, |_| {});
    engine.strike(Shock::Reset { node: B }).expect("the engine has resets");
    assert_eq!(engine.counters().streams_reset, 0);
    assert!(engine.strike(Shock::Reset { node: NodeId(9) }).is_err(), "there is no such node");
    engine.run_until(ms(60_000));
    assert_eq!(node::<Talk, _>(&engine, 1).closed, [CloseReason::Done]);
}

#[test]
fn an_exact_run_refuses_a_reset() {
    let action = Action::Strike(Shock::Reset { node: A });
    let problems = script_problems(&[Timed { at: ms(1), round: 0, action }]);
    assert_eq!(problems, ["a reset of connections is imposed at 0.001000000s"]);
}
