//! The engine allocates nothing per event once it is warm.

mod common;

use common::{Busy, Ping, config, ms, world};
use contract::Duration;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// Counts what its thread allocates.
struct Counting;

#[expect(unsafe_code, reason = "an allocator is an unsafe trait; this one only counts")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
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
