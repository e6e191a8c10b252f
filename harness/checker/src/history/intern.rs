//! Dense numbers for sparse keys, with the same numbers on every platform.
//!
//! The standard maps hash with a random state. This is open addressing over a fixed hash: the
//! numbers follow the order of first sight, so neighbours in a history are neighbours in memory.
//! Ids that are nearly dense already, as those of the lab are, are looked up in a plain table.

use contract::Value;
use contract::hash::mix;

/// Something that can be interned.
pub trait InternKey: Copy + Eq {
    /// A number that tells most keys apart, often counted up from 0.
    fn id(self) -> u64;
    /// What else makes up the key.
    fn rest(self) -> u64;

    /// A hash with good low bits, fixed for ever. It keeps sixteen neighbouring ids, which are
    /// often used together, in two lines of memory.
    fn hash(self) -> u64 {
        mix(self.id() >> 4, self.rest()) << 4 | (self.id() & 15)
    }
}

impl InternKey for u64 {
    fn id(self) -> u64 {
        self
    }

    fn rest(self) -> u64 {
        0x6b65_7973
    }
}

impl InternKey for Value {
    fn id(self) -> u64 {
        self.id
    }

    fn rest(self) -> u64 {
        u64::from(self.size_bytes)
    }
}

/// The plain table has at most so many entries per key, so that sparse ids do not blow it up.
const ENTRIES_PER_KEY_MAX: usize = 4;
/// But it may always have so many.
const ENTRIES_MIN: usize = 256;

/// Numbers keys densely from 0 in the order of first sight.
#[derive(Clone, Debug)]
pub struct Interner<K> {
    keys: Vec<K>,
    /// By id, one more than the number of the key of that id that was seen first, or 0.
    plain: Vec<u32>,
    /// All other keys. In each slot the upper half of a key's hash, so that other keys are rarely
    /// looked at, and below it the key's number + 1; 0 is an empty slot. The length is a power of
    /// two.
    slots: Vec<u64>,
    /// How many slots are taken.
    hashed: usize,
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
            keys: Vec::with_capacity(keys),
            plain: vec![0; keys.max(ENTRIES_MIN)],
            slots: vec![0; 16],
            hashed: 0,
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
        match self.get(key) {
            Some(number) => number,
            None => self.insert(key),
        }
    }

    /// The number of `key`, if it was seen.
    #[must_use]
    pub fn get(&self, key: K) -> Option<u32> {
        if let Some(&entry @ 1..) = self.plain_entry(key)
            && self.keys[entry as usize - 1] == key
        {
            return Some(entry - 1);
        }
        if self.hashed == 0 {
            return None;
        }
        self.find(key).ok()
    }

    fn plain_entry(&self, key: K) -> Option<&u32> {
        self.plain.get(usize::try_from(key.id()).ok()?)
    }

    /// Its number among those that are hashed, or the slot where it would go.
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

    fn insert(&mut self, key: K) -> u32 {
        let number = u32::try_from(self.keys.len()).expect("a history has under 2^32 keys");
        assert!(number < u32::MAX, "a history has under 2^32 keys");
        self.keys.push(key);
        self.widen(key.id());
        let entry = usize::try_from(key.id()).ok().and_then(|id| self.plain.get_mut(id));
        match entry {
            Some(entry @ 0) => *entry = number + 1,
            _ => self.insert_hashed(key, number),
        }
        number
    }

    /// Lets the plain table reach `id` if that keeps it in proportion to the keys.
    fn widen(&mut self, id: u64) {
        let most = (self.keys.len() * ENTRIES_PER_KEY_MAX).max(ENTRIES_MIN);
        let len = self.plain.len();
        if id >= len as u64 && id < most as u64 {
            self.plain.resize(most.min(len * 2).max(id as usize + 1), 0);
        }
    }

    fn insert_hashed(&mut self, key: K, number: u32) {
        let slot = self.find(key).expect_err("a key is inserted once");
        assert!(self.slots[slot] == 0, "a slot holds one key");
        self.slots[slot] = entry(key, number);
        self.hashed += 1;
        if self.hashed * 2 > self.slots.len() {
            self.grow();
        }
    }

    fn grow(&mut self) {
        let len = self.slots.len() * 2;
        let old = std::mem::replace(&mut self.slots, vec![0; len]);
        for found in old.into_iter().filter(|found| *found != 0) {
            let number = found as u32 - 1;
            let key = self.keys[number as usize];
            let mut slot = key.hash() as usize & (len - 1);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (len - 1);
            }
            self.slots[slot] = entry(key, number);
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
    use contract::{Domain, Rng};

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

    /// Dense ids, sparse ones, one id with several sizes, and the largest there are.
    #[test]
    fn every_kind_of_key_gets_its_number() {
        let mut rng = Rng::new(5, Domain::Client, "keys");
        let mut interner = Interner::with_capacity(100);
        let mut naive = std::collections::BTreeMap::new();
        for round in 0..50_000_u64 {
            let id = match rng.below(4) {
                0 => round / 3,
                1 => rng.below(1 << 40),
                2 => u64::MAX - rng.below(9),
                _ => rng.below(2_000),
            };
            let value = Value { id, size_bytes: rng.below(3) as u32 };
            let fresh = naive.len() as u32;
            let expect = *naive.entry((id, value.size_bytes)).or_insert(fresh);
            assert_eq!(interner.get(value), (expect < fresh).then_some(expect));
            assert_eq!(interner.intern(value), expect);
        }
        assert!(interner.plain.len() <= interner.keys.len() * ENTRIES_PER_KEY_MAX);
    }
}
