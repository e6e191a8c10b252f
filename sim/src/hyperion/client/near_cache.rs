//! What a client keeps of what it read, for as long as it was told (`enable_client_caching`).
//!
//! An entry is over when its hint is, when the node that gave it names its key, and when the connection
//! over which it came is lost: nobody tells what happened meanwhile.

use alloc::collections::BTreeMap;
use contract::{Instant, Value};

/// The most entries; more are not kept.
const ENTRIES_MAX: usize = 1_000;

/// What one entry counts for in memory: its key, its value by identity, its version, its end and its
/// node.
const ENTRY_BYTES: u64 = 8 + 12 + 8 + 8 + 4;

/// The entries of one client.
#[derive(Clone, Debug, Default)]
pub struct NearCache(BTreeMap<u64, Kept>);

/// A value that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What the key held.
    pub value: Value,
    /// Its version.
    pub version: u64,
    /// From when on it is over.
    pub until: Instant,
    /// The node that said so, by index.
    pub from: u32,
}

impl NearCache {
    /// What is kept of `key`.
    pub fn get(&mut self, key: u64, now: Instant) -> Option<Kept> {
        let kept = *self.0.get(&key)?;
        if now >= kept.until {
            self.0.remove(&key);
            return None;
        }
        Some(kept)
    }

    /// Keeps what was read, where there is room.
    pub fn keep(&mut self, key: u64, kept: Kept) {
        if self.0.len() < ENTRIES_MAX || self.0.contains_key(&key) {
            self.0.insert(key, kept);
        }
        assert!(self.0.len() <= ENTRIES_MAX, "the entries are bounded");
    }

    /// Something newer took the place of `key`; of every key where it is absent. Whether there was
    /// anything to forget.
    pub fn invalidate(&mut self, key: Option<u64>, version: u64) -> bool {
        match key {
            Some(key) if self.0.get(&key).is_some_and(|kept| kept.version < version) => {
                self.0.remove(&key).is_some()
            }
            Some(_) => false,
            None => {
                let any = !self.0.is_empty();
                self.0.clear();
                any
            }
        }
    }

    /// The memory that it takes, in bytes.
    pub fn memory_bytes(&self) -> u64 {
        self.0.len() as u64 * ENTRY_BYTES
    }

    /// The connection to this node is lost.
    pub fn forget(&mut self, from: u32) {
        self.0.retain(|_, kept| kept.from != from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(version: u64, from: u32) -> Kept {
        let value = Value { id: version, size_bytes: 8 };
        Kept { value, version, until: Instant(100), from }
    }

    #[test]
    fn what_is_kept_ends_by_time_by_word_and_by_loss() {
        let mut cache = NearCache::default();
        for key in 0..4 {
            cache.keep(key, kept(5, (key % 2) as u32));
        }
        assert_eq!(cache.get(0, Instant(99)), Some(kept(5, 0)));
        assert_eq!(cache.get(0, Instant(100)), None);
        assert!(!cache.invalidate(Some(1), 5), "it is what was read");
        assert!(cache.invalidate(Some(1), 6));
        assert_eq!(cache.get(1, Instant(0)), None);
        cache.forget(0);
        assert_eq!(cache.get(2, Instant(0)), None);
        assert!(cache.get(3, Instant(0)).is_some());
        assert!(cache.invalidate(None, 0));
        assert_eq!(cache.get(3, Instant(0)), None);
    }

    #[test]
    fn a_full_cache_keeps_what_it_has() {
        let mut cache = NearCache::default();
        (0..=ENTRIES_MAX as u64).for_each(|key| cache.keep(key, kept(1, 0)));
        assert_eq!(cache.get(ENTRIES_MAX as u64, Instant(0)), None);
        cache.keep(0, kept(2, 0));
        assert_eq!(cache.get(0, Instant(0)), Some(kept(2, 0)));
    }
}
