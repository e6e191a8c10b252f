//! In which order entries are evicted: by LRU, or by LRU-2.
//!
//! LRU evicts what was used longest ago. LRU-K (O'Neil, O'Neil and Weikum, "The LRU-K Page
//! Replacement Algorithm for Database Disk Buffering", SIGMOD 1993, §2) goes by the K-th last use,
//! and evicts what was used fewer than K times first, so that a scan that touches everything once
//! does not push out what is used again and again. Here K is 2.
//!
//! Uses are numbered by a counter of the store's own: no clock is involved.

use super::entry::Key;
use crate::protocol::cow;
use alloc::vec::Vec;

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

/// So many records per entry, and a few more, are kept before those that are stale are thrown out.
const RECORDS_MAX: u64 = 4;
const RECORDS_SLACK: u64 = 64;

/// The order of eviction of a store's entries. A copy costs one reference count.
///
/// A use leaves the record of the one before it where it is, as *stale*: to take it out would cost
/// a search and a move in the middle of the order, and uses are what a cache does all day. The uses
/// that stand beside an entry say which of its records holds.
#[derive(Clone, Debug, Default)]
pub struct EvictionOrder {
    policy: Policy,
    /// Each entry under its rank, and stale records of it.
    order: cow::Map<Rank, Key>,
    /// Entries.
    len: u64,
    /// Uses so far.
    clock: u64,
}

impl EvictionOrder {
    /// An empty order.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { policy, ..Self::default() }
    }

    /// Takes a new entry in, as used now, and returns its uses.
    pub fn admit(&mut self, key: &Key) -> Uses {
        let mut uses = Uses::default();
        self.len += 1;
        self.touch(key, &mut uses);
        uses
    }

    /// Notes that the entry of `key` with these uses is used now.
    pub fn touch(&mut self, key: &Key, uses: &mut Uses) {
        self.clock += 1;
        *uses = Uses { last: self.clock, before: uses.last };
        let clash = self.order.insert(self.rank(*uses), key.clone());
        assert!(clash.is_none(), "each use has a number of its own");
    }

    /// Forgets an entry, which is not held any more.
    pub fn forget(&mut self) {
        assert!(self.len > 0, "what is forgotten was admitted");
        self.len -= 1;
    }

    /// The entries in the order in which they go; `uses` says those of an entry that is held.
    pub fn victims(&self, uses: impl Fn(&Key) -> Option<Uses>) -> impl Iterator<Item = &Key> {
        let holds = move |(rank, key): &(&Rank, &Key)| {
            uses(key).is_some_and(|uses| self.rank(uses) == **rank)
        };
        self.order.iter().filter(holds).map(|(_, key)| key)
    }

    /// Whether it is time to call [`EvictionOrder::tidy`].
    #[must_use]
    pub const fn is_cluttered(&self) -> bool {
        self.order.len() > RECORDS_MAX * self.len + RECORDS_SLACK
    }

    /// Throws out what is stale; `held` is every entry with its uses.
    pub fn tidy<'a>(&mut self, held: impl Iterator<Item = (&'a Key, Uses)>) {
        let mut records: Vec<(Rank, Key)> =
            held.map(|(key, uses)| (self.rank(uses), key.clone())).collect();
        assert!(records.len() as u64 == self.len, "every entry has its place");
        records.sort_unstable_by_key(|(rank, _)| *rank);
        self.order = cow::Map::default();
        for (rank, key) in records {
            self.order.insert(rank, key);
        }
    }

    /// How many entries it orders.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// True where it orders nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
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

    /// Uses the keys in this order, and returns the order in which they go.
    fn victims(policy: Policy, uses: &[u8]) -> Vec<u8> {
        let mut order = EvictionOrder::new(policy);
        let mut held: Vec<(Key, Uses)> = Vec::new();
        for key in uses.iter().map(|key| Key::new(&[*key])) {
            match held.iter_mut().find(|(held, _)| *held == key) {
                Some((_, uses)) => order.touch(&key, uses),
                None => held.push((key.clone(), order.admit(&key))),
            }
        }
        let went = |order: &EvictionOrder| -> Vec<u8> {
            let uses = |key: &Key| Some(held.iter().find(|(held, _)| held == key)?.1);
            order.victims(uses).map(|key| key.as_bytes()[0]).collect()
        };
        let before = went(&order);
        order.tidy(held.iter().map(|(key, uses)| (key, *uses)));
        assert_eq!(went(&order), before);
        assert_eq!(order.order.len(), order.len());
        before
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
