//! What is due next: 16-byte keys in a short sorted list and a timing wheel, records in a slab.
//!
//! Everything that is due before the horizon stands in the list, which most of the time holds a
//! handful of keys; everything else is in the wheel, which hands over its first slot when the list
//! is empty. So an event costs the same whether ten or a hundred thousand are pending.
//!
//! A key holds time, class, receiver and slot. Records that are equal in all but the slot are
//! drained together and sorted by sender and number, so no tie is broken by a slot, that is by
//! the history of scheduling. What is scheduled for the current instant waits for its next round.

use crate::record::{Class, Record, What};
use crate::wheel::{TAKEN_MAX, Wheel};
use alloc::vec::Vec;
use contract::hash::mix;
use contract::{NodeId, SimTime};
use core::cmp::Reverse;

/// More rounds at one instant than this: time does not advance.
pub const ROUNDS_MAX: u32 = 1_000;

/// A key has 28 bits for the receiver.
pub const NODES_MAX: usize = 1 << 28;

/// A longer list hands its later half to the wheel, unless it came from there in one slot.
const NEAR_MAX: usize = TAKEN_MAX;

/// With fewer records the caches hold them all.
const AHEAD_MIN: usize = 4_096;

const SLOT_BITS: u32 = 32;
const DST_BITS: u32 = 28;

const _: () = assert!(NODES_MAX == 1 << DST_BITS, "a key holds any receiver");
const _: () = assert!((Class::Invoke as u64) < 1 << (64 - DST_BITS - SLOT_BITS), "and any class");
const _: () = assert!(NEAR_MAX < AHEAD_MIN, "the list alone is never long");

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
    /// Due before the horizon, the last one first.
    near: Vec<u128>,
    /// Due at the horizon or later.
    far: Wheel,
    horizon: SimTime,
    /// Keys for the next round of this instant.
    later: Vec<u128>,
    /// Slots of the tie that is being handled, last one first.
    tied: Vec<u32>,
    slab: Vec<Record>,
    free: Vec<u32>,
    /// The list was filled since [`Queue::take_refilled`] was last asked.
    refilled: bool,
    now: SimTime,
    round: u32,
    explorer: Option<Explorer>,
}

impl Queue {
    pub fn new() -> Self {
        Self {
            near: Vec::with_capacity(2 * NEAR_MAX),
            far: Wheel::new(),
            horizon: SimTime::MAX,
            // Ties are rare, so the first may come late: it should not be what allocates.
            later: Vec::with_capacity(16),
            tied: Vec::with_capacity(16),
            slab: Vec::new(),
            free: Vec::new(),
            refilled: false,
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
        assert!(names.len() < NODES_MAX, "a world has a limit");
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
        self.slab[slot as usize] = make();
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
            if self.near.is_empty() && !self.far.is_empty() {
                // What begins at this instant may not find the wheel ahead of it.
                let until = if self.later.is_empty() { until } else { SimTime(self.now.0 + 1) };
                self.refill(until);
            }
            let top = self.near.last().copied();
            if let Some(key) = top.filter(|key| time(*key) == self.now) {
                return Next::Record(self.pop(key));
            }
            if !self.later.is_empty() {
                if self.round == ROUNDS_MAX {
                    return Next::Stuck;
                }
                self.round += 1;
                self.enter_later();
                continue;
            }
            let Some(key) = top.filter(|key| time(*key) < until) else {
                return self.nothing_before(until);
            };
            assert!(time(key) > self.now, "time runs forwards");
            (self.now, self.round) = (time(key), 0);
        }
    }

    /// Takes the next record of this instant, which does not end.
    pub fn next_at_once(&mut self) -> Next {
        if let Some(slot) = self.tied.pop() {
            return Next::Record(self.take(slot));
        }
        loop {
            if self.near.is_empty() && !self.far.is_empty() {
                self.refill(SimTime(self.now.0 + 1));
            }
            if let Some(key) = self.near.last().copied().filter(|key| time(*key) == self.now) {
                return Next::Record(self.pop(key));
            }
            if self.later.is_empty() {
                self.round = 0;
                return Next::Idle;
            }
            if self.round == ROUNDS_MAX {
                return Next::Stuck;
            }
            self.round += 1;
            self.enter_later();
        }
    }

    /// Whether the list was filled since this was last asked.
    #[inline]
    pub fn take_refilled(&mut self) -> bool {
        core::mem::take(&mut self.refilled)
    }

    /// Whether so much is pending that most records are out of the processor's caches.
    pub fn is_long(&self) -> bool {
        self.slab.len() >= AHEAD_MIN
    }

    /// What is due next.
    pub fn ahead(&self) -> impl Iterator<Item = &Record> {
        self.near.iter().map(|key| &self.slab[*key as u32 as usize])
    }

    /// How many records are in line.
    pub fn len(&self) -> usize {
        assert!(self.free.len() <= self.slab.len(), "a slot is given back once");
        self.slab.len() - self.free.len()
    }

    #[cold]
    fn grow(&mut self) -> u32 {
        assert!(self.slab.len() < u32::MAX as usize, "a key holds any slot");
        let nobody = NodeId(0);
        self.slab.push(Record { n: 0, src: nobody, dst: nobody, what: What::Wake });
        self.far.reserve(self.slab.capacity());
        (self.slab.len() - 1) as u32
    }

    #[inline]
    fn push(&mut self, key: u128, at: SimTime) {
        if at == self.now {
            self.later.push(key);
        } else {
            self.enter(key);
        }
    }

    #[inline]
    fn enter(&mut self, key: u128) {
        if time(key) >= self.horizon {
            return self.far.push(key);
        }
        // What comes is mostly due later than what is there.
        let place = self.near.iter().position(|other| *other < key).unwrap_or(self.near.len());
        self.near.insert(place, key);
        if self.near.len() > NEAR_MAX {
            self.spill();
        }
    }

    /// The next round of this instant begins.
    fn enter_later(&mut self) {
        let mut later = core::mem::take(&mut self.later);
        later.drain(..).for_each(|key| self.enter(key));
        self.later = later;
    }

    /// Moves the later half of the list into the wheel.
    #[cold]
    fn spill(&mut self) {
        let middle = time(self.near[self.near.len() / 2]);
        if self.far.is_empty() {
            self.far.rebase(self.now.0);
        }
        let kept = self.near.iter().position(|key| time(*key) < middle).unwrap_or(self.near.len());
        self.near.drain(..kept).for_each(|key| self.far.push(key));
        self.horizon = middle;
        assert!(self.near.len() <= NEAR_MAX, "half of it went");
    }

    /// Fills the empty list with what is due first in the wheel, if that may be before `until`.
    fn refill(&mut self, until: SimTime) {
        assert!(self.near.is_empty(), "what is due first stands in the list");
        if let Some(horizon_ns) = self.far.take_first(until.0, &mut self.near) {
            self.near.sort_unstable_by_key(|key| Reverse(*key));
            self.refilled = true;
            self.horizon = SimTime(horizon_ns);
        }
    }

    fn nothing_before(&mut self, until: SimTime) -> Next {
        assert!(until >= self.now, "time runs forwards");
        let is_idle = self.near.is_empty() && self.far.is_empty();
        if !is_idle || until < SimTime::MAX {
            (self.now, self.round) = (until, 0);
        }
        if is_idle { Next::Idle } else { Next::Reached }
    }

    /// Pops `key`, which is on top, and whatever ties with it.
    #[inline]
    fn pop(&mut self, key: u128) -> Record {
        self.near.pop();
        let explores = self.explorer.is_some() && class(key) > Class::FaultStart as u8;
        let tie_bits = if explores { 64 } else { SLOT_BITS };
        let ties = |other: u128| other >> tie_bits == key >> tie_bits;
        if self.near.last().is_some_and(|next| ties(*next)) {
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
        while let Some(next) = self.near.last() {
            if next >> tie_bits != first >> tie_bits {
                break;
            }
            self.tied.push(*next as u32);
            self.near.pop();
        }
        assert!(self.tied.len() > 1, "one alone ties with nobody");
        let slab = &self.slab;
        let canonical = |slot: &u32| {
            let record = &slab[*slot as usize];
            (record.src, record.n, record.what.code())
        };
        if tie_bits == SLOT_BITS {
            self.tied.sort_unstable_by_key(|slot| Reverse(canonical(slot)));
        } else {
            let explorer = self.explorer.as_ref().expect("only then are ties this wide");
            let salt = mix(mix(explorer.salt, self.now.0), u64::from(self.round));
            let drawn = |slot: &u32| {
                let record = &slab[*slot as usize];
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
        self.slab[slot as usize]
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

    /// What one step of the test below does.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        Schedule { after: u64, class: usize, dst: u32, src: u32 },
        Next { within: u64 },
    }

    fn step() -> impl Strategy<Value = Step> {
        let after = prop_oneof![0_u64..3, 0_u64..200, 0_u64..1 << 22, 0_u64..1 << 50];
        let schedule = (after, 0_usize..3, 0_u32..3, 0_u32..3)
            .prop_map(|(after, class, dst, src)| Step::Schedule { after, class, dst, src });
        let within = prop_oneof![0_u64..3, 0_u64..1 << 22, Just(1 << 51)];
        prop_oneof![3 => schedule, 2 => within.prop_map(|within| Step::Next { within })]
    }

    proptest! {
        /// Beside a sorted set of everything that makes up the order, whatever is scheduled
        /// between what: few and many pending, near and far, at one instant and over years.
        #[test]
        fn it_is_a_sorted_set(steps in prop::collection::vec(step(), 1..600)) {
            let classes = [Class::Closed, Class::Data, Class::Timer];
            let mut queue = Queue::new();
            let mut model = alloc::collections::BTreeSet::new();
            let mut round = 0;
            for (n, step) in steps.into_iter().enumerate() {
                let now = queue.now().0;
                match step {
                    Step::Schedule { after, class, dst, src } => {
                        let n = n as u64;
                        queue.schedule(SimTime(now + after), classes[class], record(dst, src, n));
                        let round = if after == 0 { round + 1 } else { 0 };
                        model.insert((now + after, round, class, dst, src, n));
                    }
                    Step::Next { within } => {
                        let until = SimTime(now + within);
                        let due = model.first().copied().filter(|first| first.0 < until.0);
                        match queue.next(until) {
                            Next::Record(got) => {
                                let first = due.expect("nothing is due");
                                model.pop_first();
                                prop_assert_eq!(queue.now().0, first.0);
                                let (dst, src) = (got.dst.0, got.src.0);
                                prop_assert_eq!((dst, src, got.n), (first.3, first.4, first.5));
                                round = first.1;
                            }
                            other => {
                                prop_assert!(due.is_none(), "{other:?} instead of {due:?}");
                                prop_assert_eq!(queue.now(), until);
                                if within > 0 {
                                    round = 0;
                                }
                            }
                        }
                    }
                }
                prop_assert_eq!(queue.len(), model.len());
            }
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
