//! In which order entries are evicted: by LRU, or by LRU-2.
//!
//! LRU evicts what was used longest ago. LRU-K (O'Neil, O'Neil and Weikum, "The LRU-K Page
//! Replacement Algorithm for Database Disk Buffering", SIGMOD 1993, §2) goes by the K-th last use,
//! and evicts what was used fewer than K times first, so that a scan that touches everything once
//! does not push out what is used again and again. Here K is 2.
//!
//! Uses are numbered by a counter of the store's own: no clock is involved.

use super::chunk_map::ChunkMap;
use super::entry::Key;

/// The rule by which entries are evicted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// What was used longest ago goes first.
    #[default]
    Lru,
    /// What was used once goes first, and then what has the older second-last use
    /// (`new_eviction_algorithm`).
    Lru2,
}

/// The last two uses of one entry; 0 for a use that never was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    last: u64,
    before: u64,
}

/// Sorts entries in the order in which they go.
type Rank = (u64, u64);

/// The order of eviction of a store's entries. A copy costs one reference count.
#[derive(Clone, Debug, Default)]
pub struct Recency {
    policy: Policy,
    /// Each entry once, under its rank.
    order: ChunkMap<Rank, Key>,
    /// Uses so far.
    clock: u64,
}

impl Recency {
    /// An empty order.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { policy, order: ChunkMap::default(), clock: 0 }
    }

    /// Takes a new entry in, as used now, and returns its uses.
    pub fn admit(&mut self, key: &Key) -> Uses {
        self.clock += 1;
        let uses = Uses { last: self.clock, before: 0 };
        let clash = self.order.insert(self.rank(uses), key.clone());
        assert!(clash.is_none(), "each use has a number of its own");
        uses
    }

    /// Notes that an entry with these uses is used now.
    pub fn touch(&mut self, uses: &mut Uses) {
        let key = self.order.remove(&self.rank(*uses)).expect("every entry has its place");
        self.clock += 1;
        *uses = Uses { last: self.clock, before: uses.last };
        self.order.insert(self.rank(*uses), key);
    }

    /// Forgets an entry with these uses.
    pub fn forget(&mut self, uses: Uses) {
        let held = self.order.remove(&self.rank(uses));
        assert!(held.is_some(), "every entry has its place");
    }

    /// The entries in the order in which they go.
    pub fn victims(&self) -> impl Iterator<Item = &Key> {
        self.order.iter().map(|(_, key)| key)
    }

    /// How many entries it orders.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.order.len()
    }

    /// True where it orders nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    const fn rank(&self, uses: Uses) -> Rank {
        match self.policy {
            Policy::Lru => (uses.last, 0),
            Policy::Lru2 => (uses.before, uses.last),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// Uses the keys in this order, and returns the order in which they go.
    fn victims(policy: Policy, uses: &[u8]) -> Vec<u8> {
        let mut recency = Recency::new(policy);
        let mut held: Vec<(u8, Uses)> = Vec::new();
        for &key in uses {
            match held.iter_mut().find(|(held, _)| *held == key) {
                Some((_, uses)) => recency.touch(uses),
                None => held.push((key, recency.admit(&Key::new(&[key])))),
            }
        }
        recency.victims().map(|key| key.as_bytes()[0]).collect()
    }

    #[test]
    fn lru_evicts_what_was_used_longest_ago() {
        assert_eq!(victims(Policy::Lru, b"abcab"), b"cab");
    }

    #[test]
    fn lru_2_survives_a_scan() {
        // `a` and `b` are used twice, then `x`, `y`, `z` once each.
        assert_eq!(victims(Policy::Lru2, b"aabbxyz"), b"xyzab");
        // Among those used twice, the older second-last use goes first, not the older last one.
        assert_eq!(victims(Policy::Lru2, b"abbaa"), b"ba");
        assert_eq!(victims(Policy::Lru2, b"abab"), b"ab");
    }
}
