//! Dense numbers for sparse keys, with the same numbers on every platform.
//!
//! The standard maps hash with a random state. This is open addressing over a fixed hash: the
//! numbers follow the order of first sight, so neighbours in a history are neighbours in memory.

use contract::Value;
use contract::hash::mix;

/// Something that can be interned.
pub trait InternKey: Copy + Eq {
    /// A hash with good low bits, fixed for ever.
    fn hash(self) -> u64;
}

impl InternKey for u64 {
    fn hash(self) -> u64 {
        near(self, 0x6b65_7973)
    }
}

impl InternKey for Value {
    fn hash(self) -> u64 {
        near(self.id, u64::from(self.size_bytes))
    }
}

/// Keeps sixteen neighbouring ids, which are often used together, in two lines of memory.
fn near(id: u64, salt: u64) -> u64 {
    mix(id >> 4, salt) << 4 | (id & 15)
}

/// Numbers keys densely from 0 in the order of first sight.
#[derive(Clone, Debug)]
pub struct Interner<K> {
    /// In each slot the upper half of a key's hash, so that other keys are rarely looked at, and
    /// below it the key's number + 1; 0 is an empty slot. The length is a power of two.
    slots: Vec<u64>,
    keys: Vec<K>,
}

impl<K: InternKey> Interner<K> {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(0)
    }

    /// An empty table with room for `keys`.
    #[must_use]
    pub fn with_capacity(keys: usize) -> Self {
        Self {
            slots: vec![0; (keys * 2).next_power_of_two().max(16)],
            keys: Vec::with_capacity(keys),
        }
    }

    /// The keys, by number.
    #[must_use]
    pub fn keys(&self) -> &[K] {
        &self.keys
    }

    /// The keys, by number, for good.
    #[must_use]
    pub fn into_keys(self) -> Vec<K> {
        self.keys
    }

    /// The number of `key`, a new one if it was never seen.
    pub fn intern(&mut self, key: K) -> u32 {
        match self.find(key) {
            Ok(number) => number,
            Err(slot) => self.insert(slot, key),
        }
    }

    /// The number of `key`, if it was seen.
    #[must_use]
    pub fn get(&self, key: K) -> Option<u32> {
        self.find(key).ok()
    }

    /// Its number, or the slot where it would go.
    fn find(&self, key: K) -> Result<u32, usize> {
        let hash = key.hash();
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            let found = self.slots[slot];
            if found == 0 {
                return Err(slot);
            }
            let number = found as u32 - 1;
            if found >> 32 == hash >> 32 && self.keys[number as usize] == key {
                return Ok(number);
            }
            slot = (slot + 1) & mask;
        }
    }

    fn insert(&mut self, slot: usize, key: K) -> u32 {
        assert!(self.slots[slot] == 0, "a slot holds one key");
        let number = u32::try_from(self.keys.len()).expect("a history has under 2^32 keys");
        self.keys.push(key);
        self.slots[slot] = entry(key, number);
        if self.keys.len() * 2 > self.slots.len() {
            self.grow();
        }
        number
    }

    fn grow(&mut self) {
        let len = self.slots.len() * 2;
        self.slots.clear();
        self.slots.resize(len, 0);
        for (number, key) in (0..).zip(&self.keys) {
            let mut slot = key.hash() as usize & (len - 1);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (len - 1);
            }
            self.slots[slot] = entry(*key, number);
        }
    }
}

/// What a slot holds.
fn entry<K: InternKey>(key: K, number: u32) -> u64 {
    key.hash() & 0xffff_ffff_0000_0000 | (u64::from(number) + 1)
}

impl<K: InternKey> Default for Interner<K> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_first_sight_and_survive_growth() {
        let mut interner = Interner::new();
        for round in 0..2 {
            for key in 0..1_000_u64 {
                assert_eq!(interner.intern(key * 7919), key as u32, "round {round}");
            }
        }
        assert_eq!(interner.get(7919 * 500), Some(500));
        assert_eq!(interner.get(1), None);
        assert_eq!(interner.keys().len(), 1_000);
    }
}
