//! What is due next: 16-byte keys in a binary heap, records in a slab.
//!
//! A key holds time, class, receiver and slot. Records that are equal in all but the slot are
//! drained together and sorted by sender and number, so no tie is broken by a slot, that is by
//! the history of scheduling. What is scheduled for the current instant waits for its next round.

use crate::record::{Class, Record, What};
use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use contract::hash::mix;
use contract::{NodeId, SimTime};
use core::cmp::Reverse;

/// More rounds at one instant than this: time does not advance.
pub const ROUNDS_MAX: u32 = 1_000;

/// A key has 28 bits for the receiver.
pub const NODES_MAX: usize = 1 << 28;

const SLOT_BITS: u32 = 32;
const DST_BITS: u32 = 28;

/// What [`Queue::next`] found.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Next {
    /// A record, taken out of the queue.
    Record(Record),
    /// Nothing before the time asked for.
    Reached,
    /// Nothing at all.
    Idle,
    /// Too many rounds at this instant.
    Stuck,
}

/// Chooses among the orders of one instant.
#[derive(Clone, Debug)]
struct Explorer {
    salt: u64,
    /// A hash of each node's name, so that the choice does not depend on node ids.
    names: Vec<u64>,
}

/// Everything that is due.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    heap: BinaryHeap<Reverse<u128>>,
    /// Keys for the next round of this instant.
    later: Vec<u128>,
    /// Slots of the tie that is being handled, last one first.
    tied: Vec<u32>,
    records: Vec<Record>,
    free: Vec<u32>,
    now: SimTime,
    round: u32,
    explorer: Option<Explorer>,
}

impl Queue {
    pub fn new() -> Self {
        Self {
            heap: BinaryHeap::new(),
            // Ties are rare, so the first may come late: it should not be what allocates.
            later: Vec::with_capacity(16),
            tied: Vec::with_capacity(16),
            records: Vec::new(),
            free: Vec::new(),
            now: SimTime::ZERO,
            round: 0,
            explorer: None,
        }
    }

    /// The round of the present instant.
    pub fn round(&self) -> u32 {
        self.round
    }

    /// From now on the order within an instant is drawn with `salt`, by the names of the nodes.
    pub fn explore(&mut self, salt: u64, names: Vec<u64>) {
        self.explorer = Some(Explorer { salt, names });
    }

    /// Where the order within an instant is drawn, it is drawn with `salt` from now on.
    pub fn reseed(&mut self, salt: u64) {
        if let Some(explorer) = &mut self.explorer {
            explorer.salt = salt;
        }
    }

    #[inline]
    pub fn now(&self) -> SimTime {
        self.now
    }

    /// Puts `record` in line for `at`.
    pub fn schedule(&mut self, at: SimTime, class: Class, record: Record) {
        self.schedule_made(at, class, record.dst, || record);
    }

    /// Puts the record that `make` makes for `dst` in line for `at`. Made where it stays: made
    /// elsewhere and copied here, it stalls the processor on reading what it has just written.
    #[inline(always)]
    pub fn schedule_made(
        &mut self,
        at: SimTime,
        class: Class,
        dst: NodeId,
        make: impl FnOnce() -> Record,
    ) {
        assert!(at >= self.now, "nothing is scheduled in the past");
        let slot = self.free.pop().unwrap_or_else(|| self.grow());
        self.records[slot as usize] = make();
        self.push(key(at, class, dst, slot), at);
    }

    /// Takes the next record that is due before `until`.
    #[inline]
    pub fn next(&mut self, until: SimTime) -> Next {
        if self.now >= until {
            return Next::Reached;
        }
        if let Some(slot) = self.tied.pop() {
            return Next::Record(self.take(slot));
        }
        loop {
            let top = self.heap.peek().map(|Reverse(key)| *key);
            if let Some(key) = top.filter(|key| time(*key) == self.now) {
                return Next::Record(self.pop(key));
            }
            if !self.later.is_empty() {
                if self.round == ROUNDS_MAX {
                    return Next::Stuck;
                }
                self.round += 1;
                self.heap.extend(self.later.drain(..).map(Reverse));
                continue;
            }
            let Some(key) = top else {
                return self.idle(until);
            };
            if time(key) >= until {
                (self.now, self.round) = (until, 0);
                return Next::Reached;
            }
            assert!(time(key) > self.now, "time runs forwards");
            (self.now, self.round) = (time(key), 0);
        }
    }

    /// How many records are in line.
    pub fn len(&self) -> usize {
        self.records.len() - self.free.len()
    }

    #[cold]
    fn grow(&mut self) -> u32 {
        let nobody = NodeId(0);
        self.records.push(Record { n: 0, src: nobody, dst: nobody, what: What::Wake });
        (self.records.len() - 1) as u32
    }

    #[inline]
    fn push(&mut self, key: u128, at: SimTime) {
        if at == self.now {
            self.later.push(key);
        } else {
            self.heap.push(Reverse(key));
        }
    }

    fn idle(&mut self, until: SimTime) -> Next {
        if until < SimTime::MAX {
            (self.now, self.round) = (until, 0);
        }
        Next::Idle
    }

    /// Pops `key`, which is on top, and whatever ties with it.
    #[inline]
    fn pop(&mut self, key: u128) -> Record {
        self.heap.pop();
        let explores = self.explorer.is_some() && class(key) > Class::FaultStart as u8;
        let tie_bits = if explores { 64 } else { SLOT_BITS };
        let ties = |other: u128| other >> tie_bits == key >> tie_bits;
        if self.heap.peek().is_some_and(|Reverse(next)| ties(*next)) {
            self.pop_tied(key, tie_bits);
            let slot = self.tied.pop().expect("a tie has members");
            return self.take(slot);
        }
        self.take(key as u32)
    }

    #[cold]
    fn pop_tied(&mut self, first: u128, tie_bits: u32) {
        assert!(self.tied.is_empty(), "one tie at a time");
        self.tied.push(first as u32);
        while let Some(Reverse(next)) = self.heap.peek() {
            if next >> tie_bits != first >> tie_bits {
                break;
            }
            self.tied.push(*next as u32);
            self.heap.pop();
        }
        let records = &self.records;
        let canonical = |slot: &u32| {
            let record = &records[*slot as usize];
            (record.src, record.n, record.what.code())
        };
        if tie_bits == SLOT_BITS {
            self.tied.sort_unstable_by_key(|slot| Reverse(canonical(slot)));
        } else {
            let explorer = self.explorer.as_ref().expect("only then are ties this wide");
            let salt = mix(mix(explorer.salt, self.now.0), u64::from(self.round));
            let drawn = |slot: &u32| {
                let record = &records[*slot as usize];
                let src = explorer.names[record.src.index()];
                let dst = explorer.names[record.dst.index()];
                mix(mix(mix(salt, src), dst), mix(record.n, record.what.code()))
            };
            self.tied.sort_unstable_by_key(|slot| Reverse((drawn(slot), canonical(slot))));
        }
    }

    #[inline]
    fn take(&mut self, slot: u32) -> Record {
        self.free.push(slot);
        self.records[slot as usize]
    }
}

#[inline]
fn key(at: SimTime, class: Class, dst: NodeId, slot: u32) -> u128 {
    let low = (class as u64) << (DST_BITS + SLOT_BITS) | u64::from(dst.0) << SLOT_BITS;
    u128::from(at.0) << 64 | u128::from(low | u64::from(slot))
}

#[inline]
fn time(key: u128) -> SimTime {
    SimTime((key >> 64) as u64)
}

#[inline]
fn class(key: u128) -> u8 {
    ((key as u64) >> (DST_BITS + SLOT_BITS)) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record(dst: u32, src: u32, n: u64) -> Record {
        Record { n, src: NodeId(src), dst: NodeId(dst), what: What::Wake }
    }

    fn drain(queue: &mut Queue) -> Vec<(u64, u32, u32, u64)> {
        core::iter::from_fn(|| match queue.next(SimTime::MAX) {
            Next::Record(got) => Some((queue.now().0, got.dst.0, got.src.0, got.n)),
            _ => None,
        })
        .collect()
    }

    proptest! {
        /// Whatever the order of scheduling, the order of events is canonical.
        #[test]
        fn order_is_canonical(mut items in prop::collection::btree_set(
            (1_u64..4, 0_usize..3, 0_u32..3, 0_u32..3, 0_u64..4), 1..60,
        ).prop_map(|set| set.into_iter().collect::<Vec<_>>()).prop_shuffle()) {
            let classes = [Class::Closed, Class::Data, Class::Timer];
            let mut queue = Queue::new();
            for (at, class, dst, src, n) in &items {
                queue.schedule(SimTime(*at), classes[*class], record(*dst, *src, *n));
            }
            items.sort_unstable();
            let expect: Vec<_> = items.iter().map(|(at, _, dst, src, n)| (*at, *dst, *src, *n)).collect();
            prop_assert_eq!(drain(&mut queue), expect);
            prop_assert_eq!(queue.len(), 0);
        }
    }

    #[test]
    fn what_is_scheduled_now_waits_for_the_next_round() {
        let mut queue = Queue::new();
        queue.schedule(SimTime(5), Class::Timer, record(0, 0, 1));
        queue.schedule(SimTime(5), Class::Invoke, record(0, 0, 2));
        let Next::Record(first) = queue.next(SimTime::MAX) else { panic!("two are due") };
        assert_eq!(first.n, 1);
        queue.schedule(SimTime(5), Class::Closed, record(0, 0, 3));
        assert_eq!(drain(&mut queue).iter().map(|got| got.3).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn a_thousand_rounds_are_too_many() {
        let mut queue = Queue::new();
        queue.schedule(SimTime(5), Class::Timer, record(0, 0, 0));
        for _ in 0..=ROUNDS_MAX {
            let Next::Record(_) = queue.next(SimTime::MAX) else { panic!("not yet stuck") };
            queue.schedule(SimTime(5), Class::Timer, record(0, 0, 0));
        }
        assert!(matches!(queue.next(SimTime::MAX), Next::Stuck));
    }

    #[test]
    fn until_is_exclusive() {
        let mut queue = Queue::new();
        queue.schedule(SimTime(5), Class::Timer, record(0, 0, 0));
        assert!(matches!(queue.next(SimTime(5)), Next::Reached));
        assert_eq!(queue.now(), SimTime(5));
        assert!(matches!(queue.next(SimTime(6)), Next::Record(_)));
    }

    #[test]
    fn exploring_permutes_but_repeats() {
        let run = |salt| {
            let mut queue = Queue::new();
            queue.explore(salt, Vec::from([11, 22, 33]));
            for n in 0..6 {
                queue.schedule(SimTime(5), Class::Data, record(n as u32 % 3, 0, n));
            }
            drain(&mut queue)
        };
        assert_eq!(run(1), run(1));
        assert!((2..10).any(|salt| run(salt) != run(1)));
    }
}
