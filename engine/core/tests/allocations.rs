//! The engine allocates nothing per event once it is warm, also with faults in force, and what it
//! holds does not grow.

mod common;

use common::{Busy, MS, Ping, config, ms, world};
use contract::{Condition, Dist, Duration, NodeId, Ratio, SimTime};
use engine::{Engine, Unwatched};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static LIVE_BYTES: Cell<i64> = const { Cell::new(0) };
}

/// Counts what its thread allocates, and what of it is still there.
struct Counting;

#[expect(unsafe_code, reason = "an allocator is an unsafe trait; this one only counts")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        LIVE_BYTES.with(|bytes| bytes.set(bytes.get() + layout.size() as i64));
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE_BYTES.with(|bytes| bytes.set(bytes.get() - layout.size() as i64));
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations() -> u64 {
    ALLOCATIONS.with(Cell::get)
}

#[test]
fn the_counter_counts() {
    let before = allocations();
    let boxed = Box::new(17);
    assert_eq!(*boxed, 17);
    assert!(allocations() > before);
}

#[test]
fn datagrams_allocate_nothing() {
    let mut engine = world(config(1, 5), Ping::boots(5, 64));
    engine.run_until(ms(1_000));
    let (before, events) = (allocations(), engine.events());
    engine.run_until(ms(3_000));
    assert!(engine.events() - events > 100_000);
    assert_eq!(allocations() - before, 0);
}

/// Timers, datagrams, streams, syncs, processor time and a full log that is written over.
#[test]
fn everything_else_allocates_nothing() {
    let boots = Busy::boots_spending(3, Duration::from_micros(50));
    let mut engine = world(config(1, 3), boots);
    // By then the log has wrapped around and its pages are there.
    engine.run_until(ms(90_000));
    let (before, events) = (allocations(), engine.events());
    engine.run_until(ms(150_000));
    assert!(engine.events() - events > 50_000);
    assert_eq!(allocations() - before, 0);
}

/// Everything that can hold on links, nodes and disks while the world goes on.
fn impose_all(engine: &mut Engine<Unwatched>) {
    // More often, and streams that wait for what is sent again would carry less than is written.
    let ratio = Ratio::new(1, 100);
    let few = Duration::from_millis(3);
    for (a, b) in [(0, 1), (1, 0), (1, 2), (2, 0)] {
        let (from, to) = (NodeId(a), NodeId(b));
        let extra = Dist::LogNormal { median: MS, min: 0, sigma_ppm: 500_000, max: 20 * MS };
        let on_links = [
            Condition::Loss { from, to, ratio },
            Condition::Duplicate { from, to, ratio },
            Condition::Reorder { from, to, ratio, extra: few },
            Condition::Corrupt { from, to, ratio },
            Condition::Delay { from, to, extra },
            Condition::Bandwidth { from, to, bytes_per_s: 100_000 },
        ];
        on_links.into_iter().for_each(|condition| {
            engine.impose(condition).expect("the engine has it");
        });
    }
    for node in (0..3).map(NodeId) {
        let on_nodes = [
            Condition::SlowCpu { node, times: 3 },
            Condition::ServiceTime { node, permille: 1_500 },
            Condition::Drift { node, ppm: 200 },
            Condition::MemoryLimit { node, bytes: 1 << 40 },
            Condition::DiskSlow { node, read: Duration(500), write: Duration(500), sync: few },
            Condition::SyncLies { node, ratio },
            Condition::SyncFails { node, ratio },
            Condition::WriteFails { node, ratio },
            Condition::ReadCorrupt { node, ratio },
            Condition::WriteCorrupt { node, ratio },
            Condition::Misdirect { node, ratio },
        ];
        on_nodes.into_iter().for_each(|condition| {
            engine.impose(condition).expect("the engine has it");
        });
    }
}

#[test]
fn faults_in_force_allocate_nothing() {
    let mut engine = world(config(1, 3), Busy::boots_spending(3, Duration::from_micros(50)));
    engine.run_until(ms(1_000));
    impose_all(&mut engine);
    // By then the logs have wrapped around, although many writes failed.
    engine.run_until(ms(240_000));
    let (before, events) = (allocations(), engine.events());
    let counted = engine.counters().clone();
    engine.run_until(ms(300_000));
    let now = engine.counters();
    assert!(now.dropped_lost > counted.dropped_lost && now.corrupted > counted.corrupted);
    assert!(now.duplicated > counted.duplicated && now.syncs_failed > counted.syncs_failed);
    assert!(now.stream_retransmits > counted.stream_retransmits);
    assert!(engine.events() - events > 50_000);
    assert_eq!(allocations() - before, 0);
}

/// Twice as many events later the engine holds what it held. `CHAOSLAB_EVENTS` asks for more of
/// them than a check of every commit can wait for.
#[test]
fn memory_is_flat() {
    let events: u64 = std::env::var("CHAOSLAB_EVENTS")
        .map_or(400_000, |text| text.replace('_', "").parse().expect("a count of events"));
    let mut engine = world(config(1, 5), Ping::boots(5, 64));
    let go_on_to = |engine: &mut Engine<Unwatched>, events: u64| {
        while engine.events() < events {
            engine.run_until(SimTime(engine.now().0 + 100 * MS));
        }
    };
    go_on_to(&mut engine, events / 2);
    let before = LIVE_BYTES.with(Cell::get);
    go_on_to(&mut engine, events);
    let grown = LIVE_BYTES.with(Cell::get) - before;
    println!("{} events, {before} B live, {grown} B more than halfway", engine.events());
    assert!(before > 0);
    assert_eq!(grown, 0);
}
