//! Each disk fault against the recovery of a small write-ahead log: which are found, which are
//! survived, and which no node can find alone.

mod common;

use common::{MS, boot_with, config, ms};
use contract::{
    Condition, DiskError, DiskFate, Dist, Duration, FileId, Fx, Input, Mark, Node, NodeId, Nodes,
    Now, Ratio, Shock, SimTime, SyncId, TimerKey,
};
use engine::{Control, DiskSpec, Engine, Idle, Observer};
use proptest::prelude::*;
use std::rc::Rc;

const A: NodeId = NodeId(0);
const LOG: FileId = FileId(1);
const RECORD: u64 = 700;
/// Where the checksum of a record stands.
const SUM: usize = RECORD as usize - 8;

/// The node acknowledged all records up to the value.
const ACKED: u16 = 1;
/// Recovery found (good records, bad ones followed by a good one, bad bytes at the end).
const RECOVERED: u16 = 2;
/// The disk said no.
const FAILED: u16 = 3;

/// Appends a record of 700 bytes every millisecond and syncs; acknowledges what is durable.
#[derive(Clone, Debug)]
struct Wal {
    next: u64,
    /// What was written when each sync in flight was asked for.
    syncing: Vec<(SyncId, u64)>,
    acked: u64,
    broken: bool,
    /// The flaw of many databases before 2018: a failed sync is tried again.
    retries_sync: bool,
}

fn record(number: u64) -> [u8; RECORD as usize] {
    let mut bytes = [number as u8; RECORD as usize];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    let sum = contract::hash::hash_bytes(&bytes[..SUM]);
    bytes[SUM..].copy_from_slice(&sum.to_be_bytes());
    bytes
}

impl Wal {
    fn recover(fx: &mut Fx<'_>) -> u64 {
        let len = fx.disk.len_bytes(LOG);
        let (mut good, mut holes, mut bad) = (0, 0, 0);
        for number in 0..len.div_ceil(RECORD) {
            let mut bytes = [0; RECORD as usize];
            let offset = number * RECORD;
            let is_whole = offset + RECORD <= len;
            let is_read = is_whole && fx.disk.read_at(LOG, offset, &mut bytes).is_ok();
            if is_read && bytes == record(number) {
                holes += bad;
                bad = 0;
                good += 1;
            } else {
                bad += 1;
            }
        }
        fx.mark(RECOVERED, [good, holes, bad], 0);
        good
    }

    fn append(&mut self, fx: &mut Fx<'_>) {
        match fx.disk.write_at(LOG, self.next * RECORD, &record(self.next)) {
            Ok(()) => self.next += 1,
            Err(error) => self.fail(error, fx),
        }
        let sync = SyncId(self.next);
        fx.sync(sync, &[LOG]);
        self.syncing.push((sync, self.next));
    }

    fn fail(&mut self, error: DiskError, fx: &mut Fx<'_>) {
        fx.mark(FAILED, [error as u64, 0, 0], 0);
        self.broken |= error == DiskError::SyncFailed && !self.retries_sync;
    }
}

impl Node for Wal {
    fn on_input(&mut self, _now: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        match input {
            Input::Timer(key) if !self.broken => {
                self.append(fx);
                fx.set_timer(key, Duration::from_millis(1));
            }
            Input::Synced { sync, result } => {
                let at = self.syncing.iter().position(|(asked, _)| *asked == sync);
                let (_, upto) = self.syncing.remove(at.expect("it was asked for"));
                match result {
                    Ok(()) if !self.broken && upto > self.acked => {
                        self.acked = upto;
                        fx.mark(ACKED, [0; 3], upto);
                    }
                    Ok(()) => {}
                    Err(error) => self.fail(error, fx),
                }
            }
            _ => {}
        }
    }
    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }
}

/// What the marks said.
#[derive(Clone, Debug, Default)]
struct Seen {
    acked: u64,
    recovered: Vec<[u64; 3]>,
    failed: Vec<u64>,
}

impl Observer for Seen {
    fn on_mark(&mut self, _at: SimTime, _node: NodeId, mark: Mark, _nodes: &dyn Nodes) -> Control {
        match mark.event {
            ACKED => self.acked = self.acked.max(mark.value),
            RECOVERED => self.recovered.push(mark.labels),
            _ => self.failed.push(mark.labels[0]),
        }
        Control::Continue
    }
}

impl Seen {
    fn last(&self) -> [u64; 3] {
        *self.recovered.last().expect("it booted")
    }
    fn has_failed(&self, error: DiskError) -> bool {
        self.failed.contains(&(error as u64))
    }
}

fn wal(seed: u64, retries_sync: bool, change: impl FnOnce(&mut DiskSpec)) -> Engine<Seen> {
    let mut config = config(seed, 1);
    config.nodes[0].disk.sync = Dist::Uniform { min: MS, max: 9 * MS };
    change(&mut config.nodes[0].disk);
    let boot = boot_with(move |_, _, fx: &mut Fx<'_>| {
        let next = Wal::recover(fx);
        fx.set_timer(TimerKey(0), Duration::from_millis(1));
        let (syncing, broken) = (Vec::new(), false);
        Ok(Box::new(Wal { next, syncing, acked: 0, broken, retries_sync }))
    });
    Engine::new(config, Rc::new(boot), Box::new(Idle), Seen::default())
}

fn crash(engine: &mut Engine<Seen>, disk: DiskFate) {
    let id = engine.impose(Condition::down(A, disk)).expect("has it");
    engine.lift(id);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// A faultless disk keeps what it said it would keep, whenever the power goes, although syncs
    /// in flight end in any order.
    #[test]
    fn what_was_acknowledged_survives(
        seed in 0_u64..100, at_us in 3_000_u64..80_000, fate in 0_usize..3,
    ) {
        let fate = [DiskFate::Kept, DiskFate::UnsyncedLost, DiskFate::Torn][fate];
        let mut engine = wal(seed, false, |_| {});
        engine.run_until(SimTime(at_us * 1_000));
        let written = engine.nodes().get::<Wal>(A).expect("it is up").next;
        crash(&mut engine, fate);
        let seen = engine.observer();
        let [good, holes, bad] = seen.last();
        prop_assert!(good >= seen.acked);
        prop_assert!(good <= written);
        prop_assert_eq!(holes, 0);
        prop_assert!(bad <= u64::from(fate == DiskFate::Torn), "only a torn write leaves half a record");
        if fate == DiskFate::Kept {
            prop_assert_eq!(good, written);
        }
    }
}

#[test]
fn power_loss_loses_what_was_not_synced_and_tearing_leaves_half_a_record() {
    let (mut lost, mut torn, mut kept_more) = (0, 0, 0);
    for seed in 0..40 {
        for fate in [DiskFate::UnsyncedLost, DiskFate::Torn] {
            let mut engine = wal(seed, false, |_| {});
            engine.run_until(ms(30));
            let written = engine.nodes().get::<Wal>(A).expect("it is up").next;
            crash(&mut engine, fate);
            let [good, _, bad] = engine.observer().last();
            lost += u64::from(good < written);
            torn += bad;
            kept_more += u64::from(fate == DiskFate::Torn && good > engine.observer().acked);
        }
    }
    assert!(lost > 40);
    assert!(torn > 2);
    assert!(kept_more > 10);
}

#[test]
fn a_disk_may_tear_by_chance() {
    let mut torn = 0;
    for seed in 0..30 {
        let mut engine = wal(seed, false, |disk| disk.torn = Ratio::ONE);
        engine.run_until(ms(30));
        crash(&mut engine, DiskFate::UnsyncedLost);
        torn += engine.observer().last()[2];
    }
    assert!(torn > 2);
}

/// A node cannot tell an empty disk from a first boot: its peers must.
#[test]
fn a_replaced_disk_is_empty() {
    let mut engine = wal(1, false, |_| {});
    engine.run_until(ms(50));
    assert!(engine.observer().acked > 30);
    crash(&mut engine, DiskFate::Wiped);
    assert_eq!(engine.observer().last(), [0, 0, 0]);
}

/// A node cannot find a lie alone either: recovery sees a log that is whole, but too short.
#[test]
fn a_sync_that_lies_loses_what_was_acknowledged() {
    let ratio = Ratio::ONE;
    let mut engine = wal(1, false, |_| {});
    let id = engine.impose(Condition::SyncLies { node: A, ratio }).expect("has it");
    engine.run_until(ms(50));
    let acked = engine.observer().acked;
    crash(&mut engine, DiskFate::UnsyncedLost);
    let [good, holes, bad] = engine.observer().last();
    assert!(acked > 30);
    assert_eq!((good, holes, bad), (0, 0, 0));
    assert!(engine.effect_count(id) > 30);
}

#[test]
fn a_failed_sync_is_reported_and_must_not_be_tried_again() {
    let run = |retries_sync| {
        let mut engine = wal(1, retries_sync, |_| {});
        engine.run_until(ms(20));
        let ratio = Ratio::ONE;
        let id = engine.impose(Condition::SyncFails { node: A, ratio }).expect("has it");
        engine.run_until(ms(30));
        engine.lift(id);
        engine.run_until(ms(60));
        assert!(engine.observer().has_failed(DiskError::SyncFailed));
        assert!(engine.counters().syncs_failed > 0);
        crash(&mut engine, DiskFate::UnsyncedLost);
        let [good, holes, bad] = engine.observer().last();
        (good + holes + bad, good, engine.observer().acked)
    };
    let (_, good, acked) = run(false);
    assert!(good >= acked, "a log that stops keeps its word");
    let (records, good, acked) = run(true);
    assert!(acked > 30);
    assert!(records > good, "the second sync was answered, the records are not there");
}

#[test]
fn errors_are_reported() {
    let ratio = Ratio::new(1, 2);
    let cases = [
        (Condition::WriteFails { node: A, ratio }, DiskError::WriteFailed),
        (Condition::Capacity { node: A, bytes: 1_000 }, DiskError::Full),
    ];
    for (condition, error) in cases {
        let mut engine = wal(1, false, |_| {});
        let id = engine.impose(condition).expect("has it");
        engine.run_until(ms(50));
        assert!(engine.observer().has_failed(error), "{error}");
        engine.lift(id);
        crash(&mut engine, DiskFate::UnsyncedLost);
        let [good, holes, bad] = engine.observer().last();
        assert!(good > 0 && good >= engine.observer().acked);
        assert_eq!((holes, bad), (0, 0));
    }
}

#[test]
fn corruption_is_found_by_checksums() {
    let ratio = Ratio::new(1, 4);
    for stored in [true, false] {
        let condition = if stored {
            Condition::WriteCorrupt { node: A, ratio }
        } else {
            Condition::ReadCorrupt { node: A, ratio }
        };
        let mut engine = wal(2, false, |_| {});
        let id = engine.impose(condition).expect("has it");
        engine.run_until(ms(60));
        crash(&mut engine, DiskFate::Kept);
        assert!(engine.observer().last()[1] > 3, "records in the middle are bad");
        engine.lift(id);
        crash(&mut engine, DiskFate::Kept);
        let [_, holes, _] = engine.observer().last();
        assert_eq!(holes > 0, stored, "what a read spoiled is whole on the disk");
    }
}

#[test]
fn a_misdirected_write_spoils_two_places() {
    let ratio = Ratio::new(1, 10);
    let mut engine = wal(3, false, |_| {});
    let id = engine.impose(Condition::Misdirect { node: A, ratio }).expect("has it");
    engine.run_until(ms(100));
    crash(&mut engine, DiskFate::Kept);
    let [_, holes, _] = engine.observer().last();
    assert!(holes >= engine.effect_count(id), "a hole where it belongs, damage where it landed");
    assert!(engine.effect_count(id) > 3);
}

#[test]
fn a_bit_that_rots_is_found() {
    let mut engine = wal(1, false, |_| {});
    engine.run_until(ms(50));
    engine.strike(Shock::FlipBit { node: A, file: LOG, bit: 8 * 500 + 3 }).expect("has it");
    crash(&mut engine, DiskFate::UnsyncedLost);
    let [good, holes, _] = engine.observer().last();
    assert_eq!(holes, 1);
    assert_eq!(good + 1, engine.observer().acked.max(good + 1));
}

#[test]
fn a_slow_disk_answers_later() {
    let acked = |slow: bool| {
        let mut engine = wal(1, false, |_| {});
        if slow {
            let slow = Duration::from_millis(20);
            let slow = Condition::DiskSlow { node: A, read: slow, write: slow, sync: slow };
            engine.impose(slow).expect("has it");
        }
        engine.run_until(ms(100));
        engine.observer().acked
    };
    assert!(acked(false) > 80);
    assert!((1..6).contains(&acked(true)), "a write keeps the node busy for 20 ms");
}

const OLD: FileId = FileId(5);
const NEW: FileId = FileId(6);

/// Replaces a file in the three steps of every checkpoint, one a timer.
#[derive(Clone, Debug)]
struct Checkpoint;

impl Node for Checkpoint {
    fn on_input(&mut self, _now: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        match input {
            Input::Timer(TimerKey(0)) => {
                fx.disk.write_at(NEW, 0, b"new").expect("the disk is good");
                fx.sync(SyncId(1), &[NEW]);
            }
            Input::Timer(TimerKey(1)) => {
                fx.disk.rename(NEW, OLD).expect("it exists");
                assert_eq!(fx.disk.len_bytes(OLD), 3);
                assert!(!fx.disk.exists(NEW));
            }
            Input::Timer(TimerKey(2)) => fx.sync(SyncId(2), &[FileId::DIRECTORY]),
            Input::Timer(TimerKey(3)) => fx.disk.remove(OLD).expect("it exists"),
            _ => {}
        }
    }
    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }
}

#[test]
fn a_rename_is_durable_once_the_directory_is_synced() {
    let boot = boot_with(|_, boot, fx: &mut Fx<'_>| {
        if boot == 0 {
            fx.disk.write_at(OLD, 0, b"older").expect("the disk is good");
            fx.disk.sync_now(&[OLD]).expect("the disk is good");
            (0..4)
                .for_each(|key| fx.set_timer(TimerKey(key), Duration::from_millis(10 * (key + 1))));
        }
        Ok(Box::new(Checkpoint))
    });
    let mut engine = common::world(config(1, 1), boot);
    let check = |engine: &mut Engine<_>, until, old: Option<&[u8]>, new: Option<&[u8]>| {
        engine.run_until(ms(until));
        assert_eq!(engine.durable(A).read(OLD).as_deref(), old, "before {until} ms");
        assert_eq!(engine.durable(A).read(NEW).as_deref(), new, "before {until} ms");
    };
    check(&mut engine, 5, Some(b"older"), None);
    check(&mut engine, 11, Some(b"older"), None);
    check(&mut engine, 19, Some(b"older"), Some(b"new"));
    check(&mut engine, 29, Some(b"older"), Some(b"new"));
    let mut lost = engine.fork().expect("it can be copied");
    let id = lost.impose(Condition::down(A, DiskFate::UnsyncedLost)).expect("has it");
    lost.lift(id);
    check(&mut lost, 30, Some(b"older"), Some(b"new"));
    check(&mut engine, 39, Some(b"new"), None);
    check(&mut engine, 49, Some(b"new"), None);
}

/// Several syncs are in flight, and end in another order than they were asked for.
#[test]
fn syncs_overtake_each_other() {
    #[derive(Clone, Debug, Default)]
    struct Syncs(Vec<u64>);
    impl Node for Syncs {
        fn on_input(&mut self, _now: Now, input: Input<'_>, _fx: &mut Fx<'_>) {
            if let Input::Synced { sync, .. } = input {
                self.0.push(sync.0);
            }
        }
        fn fork(&self) -> Option<Box<dyn Node>> {
            Some(Box::new(self.clone()))
        }
    }
    let boot = boot_with(|_, _, fx: &mut Fx<'_>| {
        (0..10).for_each(|number| fx.sync(SyncId(number), &[LOG]));
        Ok(Box::new(Syncs::default()))
    });
    let mut engine = common::world(config(1, 1), boot);
    engine.run_until(ms(100));
    let mut order = engine.nodes().get::<Syncs>(A).expect("it is up").0.clone();
    assert_eq!(order.len(), 10);
    assert!(!order.is_sorted());
    order.sort_unstable();
    assert_eq!(order, (0..10).collect::<Vec<u64>>());
}
