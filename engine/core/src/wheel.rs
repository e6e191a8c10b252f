//! A hierarchical timing wheel over keys whose upper half is a time: what is due later than the
//! queue's short sorted list.
//!
//! Eleven levels of 64 slots. A key stands on the level of the highest group of six bits in which
//! its time differs from the wheel's base, in the slot of that group (Varghese and Lauck, *Hashed
//! and Hierarchical Timing Wheels*, SOSP 1987, section 6.2). Entering a key is a few
//! instructions, however many there are. A slot is taken out whole once it is the first: a short
//! one at once, a long one spread over the level below, so few keys move more than twice.
//! The wheel keeps no order within a slot; whoever takes it sorts. Keys stand in chunks of seven,
//! side by side, so that moving them reads memory in order.

use alloc::vec::Vec;

const LEVELS: usize = 11;
const SLOTS: usize = 64;
const DIGIT_BITS: usize = 6;
const NOBODY: u32 = u32::MAX;

/// A slot with more keys is spread over the level below before it is taken.
pub(crate) const TAKEN_MAX: usize = 32;

/// The keys that are due later, by slots.
#[derive(Clone, Debug)]
pub(crate) struct Wheel {
    /// Not later than any key, in nanoseconds.
    base_ns: u64,
    /// One bit per level that has keys.
    levels: u32,
    /// One bit per slot that has keys, by level.
    used: [u64; LEVELS],
    /// The first chunk of each slot; only that one may have room.
    heads: [[u32; SLOTS]; LEVELS],
    chunks: Vec<Chunk>,
    free: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Chunk {
    keys: [u128; CHUNK_KEYS],
    len: u32,
    /// The next chunk of the slot.
    next: u32,
}

const CHUNK_KEYS: usize = 7;
const _: () = assert!(SLOTS == 1 << DIGIT_BITS);
const _: () = assert!(LEVELS * DIGIT_BITS >= u64::BITS as usize, "every time has a level");
const _: () = assert!(size_of::<Chunk>() == 128);

impl Wheel {
    pub fn new() -> Self {
        Self {
            base_ns: 0,
            levels: 0,
            used: [0; LEVELS],
            heads: [[NOBODY; SLOTS]; LEVELS],
            chunks: Vec::new(),
            free: Vec::new(),
        }
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.levels == 0
    }

    /// Starts an empty wheel at a time that nothing will be before.
    pub fn rebase(&mut self, base_ns: u64) {
        assert!(self.is_empty(), "only an empty wheel starts anew");
        self.base_ns = base_ns;
    }

    /// Makes room for so many keys, however they fall into slots: entering them allocates nothing.
    pub fn reserve(&mut self, keys: usize) {
        let missing = keys.saturating_sub(self.chunks.capacity());
        if missing > 0 {
            self.chunks.reserve(keys - self.chunks.len());
            self.free.reserve(keys - self.free.len());
            assert!(self.chunks.capacity() >= keys, "there is room");
        }
    }

    /// Enters a key.
    #[inline]
    pub fn push(&mut self, key: u128) {
        let at_ns = (key >> 64) as u64;
        assert!(at_ns >= self.base_ns, "nothing is entered before the base");
        let differing = at_ns ^ self.base_ns;
        let level = (63 - (differing | 1).leading_zeros() as usize) / DIGIT_BITS;
        let slot = (at_ns >> (level * DIGIT_BITS)) as usize % SLOTS;
        let head = self.heads[level][slot];
        if let Some(chunk) = self.chunks.get_mut(head as usize)
            && (chunk.len as usize) < CHUNK_KEYS
        {
            chunk.keys[chunk.len as usize] = key;
            chunk.len += 1;
            return;
        }
        let mut fresh = Chunk { keys: [0; CHUNK_KEYS], len: 1, next: head };
        fresh.keys[0] = key;
        self.heads[level][slot] = self.keep(fresh);
        self.used[level] |= 1 << slot;
        self.levels |= 1 << level;
    }

    fn keep(&mut self, chunk: Chunk) -> u32 {
        if let Some(free) = self.free.pop() {
            self.chunks[free as usize] = chunk;
            return free;
        }
        self.chunks.push(chunk);
        (self.chunks.len() - 1) as u32
    }

    /// Moves the keys that are due first into `out`, in no order, if their slot begins before
    /// `until_ns`; returns the time before which no key is left. The base stays before `until_ns`.
    pub fn take_first(&mut self, until_ns: u64, out: &mut Vec<u128>) -> Option<u64> {
        while !self.is_empty() {
            let level = self.levels.trailing_zeros() as usize;
            let slot = self.used[level].trailing_zeros() as usize;
            let start_ns = self.start(level, slot);
            if start_ns >= until_ns {
                return None;
            }
            let first = self.heads[level][slot];
            self.heads[level][slot] = NOBODY;
            self.used[level] &= !(1 << slot);
            self.levels &= !(u32::from(self.used[level] == 0) << level);
            assert!(self.base_ns <= start_ns, "the base moves forwards");
            self.base_ns = start_ns;
            if level > 0 && self.is_long(first) {
                self.spread(first);
                continue;
            }
            self.collect(first, out);
            let width_ns = 1_u64 << (level * DIGIT_BITS);
            let is_last = self.is_empty();
            return Some(if is_last { u64::MAX } else { start_ns.saturating_add(width_ns) });
        }
        None
    }

    /// When a slot begins.
    fn start(&self, level: usize, slot: usize) -> u64 {
        assert!(slot < SLOTS, "a level has a limit");
        let shift = level * DIGIT_BITS;
        // The top level has only the four bits that are left.
        let above = self.base_ns.checked_shr((shift + DIGIT_BITS) as u32).unwrap_or(0);
        let above = above.checked_shl((shift + DIGIT_BITS) as u32).unwrap_or(0);
        above | (slot as u64) << shift
    }

    fn is_long(&self, first: u32) -> bool {
        let (mut keys, mut next) = (0, first);
        while next != NOBODY && keys <= TAKEN_MAX {
            let chunk = &self.chunks[next as usize];
            keys += chunk.len as usize;
            next = chunk.next;
        }
        keys > TAKEN_MAX
    }

    fn spread(&mut self, first: u32) {
        assert_ne!(first, NOBODY, "a slot that is taken has keys");
        let mut next = first;
        while next != NOBODY {
            let chunk = self.chunks[next as usize];
            self.free.push(next);
            chunk.keys[..chunk.len as usize].iter().for_each(|key| self.push(*key));
            next = chunk.next;
        }
    }

    fn collect(&mut self, first: u32, out: &mut Vec<u128>) {
        assert_ne!(first, NOBODY, "a slot that is taken has keys");
        let mut next = first;
        while next != NOBODY {
            let chunk = &self.chunks[next as usize];
            out.extend_from_slice(&chunk.keys[..chunk.len as usize]);
            self.free.push(next);
            next = chunk.next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(at_ns: u64, index: u32) -> u128 {
        u128::from(at_ns) << 64 | u128::from(index)
    }

    proptest! {
        /// Whatever is entered, also later than what was taken, comes out slot by slot in order.
        #[test]
        fn slots_come_out_in_order(
            times in prop::collection::vec(prop_oneof![0_u64..100, 0_u64..1 << 24, any::<u64>()], 1..300),
            later in prop::collection::vec(0_u64..1 << 30, 0..100),
        ) {
            let mut wheel = Wheel::new();
            let mut expect = times.clone();
            times.iter().enumerate().for_each(|(i, at)| wheel.push(key(*at, i as u32)));
            let (mut out, mut index, mut later) = (Vec::new(), times.len() as u32, later.into_iter());
            let (mut before, mut bound) = (0, 1_u64);
            while !wheel.is_empty() {
                let mut taken = Vec::new();
                let Some(until) = wheel.take_first(bound, &mut taken) else {
                    bound = bound.saturating_mul(3).saturating_add(7);
                    continue;
                };
                taken.sort_unstable();
                for key in taken {
                    let at_ns = (key >> 64) as u64;
                    prop_assert!(at_ns >= before && (at_ns < until || until == u64::MAX));
                    prop_assert!(wheel.base_ns < bound);
                    out.push(at_ns);
                }
                before = until;
                if let (Some(after), true) = (later.next(), until < u64::MAX) {
                    let at_ns = until.saturating_add(after);
                    wheel.push(key(at_ns, index));
                    expect.push(at_ns);
                    index += 1;
                }
            }
            expect.sort_unstable();
            prop_assert_eq!(out, expect);
            prop_assert_eq!(wheel.free.len(), wheel.chunks.len());
        }
    }
}
