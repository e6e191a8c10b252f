//! An ordered map whose copy costs one reference count.

use super::CHUNK_ENTRIES_MAX;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// At most [`CHUNK_ENTRIES_MAX`] entries, sorted by key. It splits in halves when it is full.
type Chunk<K, V> = Vec<(K, V)>;

/// A chunk and a key that bounds it from below: no key of it is less, and every key of the chunks
/// before it is. The bounds stand side by side, so that finding a chunk touches no other.
type Bounded<K, V> = (K, Arc<Chunk<K, V>>);

/// An ordered map with copies that share their entries until one of them is written.
#[derive(Clone, Debug)]
pub struct Map<K, V> {
    /// Sorted by their entries; none of them is empty.
    chunks: Arc<Vec<Bounded<K, V>>>,
    len: u64,
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self { chunks: Arc::default(), len: 0 }
    }
}

impl<K: Ord + Clone, V: Clone> Map<K, V> {
    /// The number of entries.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// True where nothing is held.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The value of `key`, borrowed.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        let (_, chunk) = self.chunks.get(self.chunk_of(key)?)?;
        let slot = find(chunk, key).ok()?;
        Some(&chunk[slot].1)
    }

    /// The value of `key` to be changed in place; copies what is shared with other maps.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let chunk = self.chunk_of(key)?;
        let slot = find(&self.chunks[chunk].1, key).ok()?;
        Some(&mut self.chunk_mut(chunk)[slot].1)
    }

    /// Puts `value` under `key`, and returns what was there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let Some(chunk) = self.chunk_of(&key) else {
            return self.insert_first(key, value);
        };
        match find(&self.chunks[chunk].1, &key) {
            Ok(slot) => {
                let held = &mut self.chunk_mut(chunk)[slot].1;
                Some(core::mem::replace(held, value))
            }
            Err(slot) => {
                self.insert_at(chunk, slot, (key, value));
                None
            }
        }
    }

    /// Takes `key` out, and returns its value.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let chunk = self.chunk_of(key)?;
        let slot = find(&self.chunks[chunk].1, key).ok()?;
        let (_, value) = self.chunk_mut(chunk).remove(slot);
        if self.chunks[chunk].1.is_empty() {
            Arc::make_mut(&mut self.chunks).remove(chunk);
        }
        self.len -= 1;
        Some(value)
    }

    /// All entries in the order of their keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        let entries = self.chunks.iter().flat_map(|(_, chunk)| chunk.iter());
        entries.map(|(key, value)| (key, value))
    }

    /// The entry with the greatest key below `key`.
    #[must_use]
    pub fn below(&self, key: &K) -> Option<&(K, V)> {
        let chunk = self.chunk_of(key)?;
        let slot = self.chunks[chunk].1.partition_point(|(held, _)| held < key);
        match slot.checked_sub(1) {
            Some(before) => Some(&self.chunks[chunk].1[before]),
            None => self.chunks[chunk.checked_sub(1)?].1.last(),
        }
    }

    /// The entry with the least key above `key`.
    #[must_use]
    pub fn above(&self, key: &K) -> Option<&(K, V)> {
        let chunk = self.chunk_of(key)?;
        let slot = self.chunks[chunk].1.partition_point(|(held, _)| held <= key);
        let here = self.chunks[chunk].1.get(slot);
        here.or_else(|| self.chunks.get(chunk + 1)?.1.first())
    }

    /// The entry with the least key.
    #[must_use]
    pub fn first(&self) -> Option<&(K, V)> {
        self.chunks.first()?.1.first()
    }

    /// The chunk that holds `key` or would; `None` where there is none at all.
    fn chunk_of(&self, key: &K) -> Option<usize> {
        let starts_at_or_before = |(bound, _): &Bounded<K, V>| bound <= key;
        // Counters and times rise, so the end is looked at first.
        let last = self.chunks.last()?;
        if starts_at_or_before(last) {
            return Some(self.chunks.len() - 1);
        }
        let after = self.chunks.partition_point(starts_at_or_before);
        Some(after.saturating_sub(1))
    }

    fn chunk_mut(&mut self, chunk: usize) -> &mut Chunk<K, V> {
        Arc::make_mut(&mut Arc::make_mut(&mut self.chunks)[chunk].1)
    }

    fn insert_first(&mut self, key: K, value: V) -> Option<V> {
        assert!(self.chunks.is_empty(), "a map with chunks has one for any key");
        let mut chunk = Vec::with_capacity(CHUNK_ENTRIES_MAX);
        let bound = key.clone();
        chunk.push((key, value));
        Arc::make_mut(&mut self.chunks).push((bound, Arc::new(chunk)));
        self.len = 1;
        None
    }

    fn insert_at(&mut self, chunk: usize, slot: usize, entry: (K, V)) {
        self.len += 1;
        if entry.0 < self.chunks[chunk].0 {
            assert!(chunk == 0, "what is below the bound of a chunk belongs before it");
            Arc::make_mut(&mut self.chunks)[chunk].0 = entry.0.clone();
        }
        if self.chunks[chunk].1.len() < CHUNK_ENTRIES_MAX {
            self.chunk_mut(chunk).insert(slot, entry);
            return;
        }
        // What is appended at the end leaves full chunks behind.
        let at_the_end = slot == CHUNK_ENTRIES_MAX && chunk + 1 == self.chunks.len();
        let half = if at_the_end { CHUNK_ENTRIES_MAX } else { CHUNK_ENTRIES_MAX / 2 };
        let lower = self.chunk_mut(chunk);
        let mut upper = Vec::with_capacity(CHUNK_ENTRIES_MAX);
        upper.extend(lower.drain(half..));
        if slot <= half && !at_the_end {
            lower.insert(slot, entry);
        } else {
            upper.insert(slot - half, entry);
        }
        let bound = upper[0].0.clone();
        Arc::make_mut(&mut self.chunks).insert(chunk + 1, (bound, Arc::new(upper)));
    }
}

fn find<K: Ord, V>(chunk: &[(K, V)], key: &K) -> Result<usize, usize> {
    chunk.binary_search_by(|(held, _)| held.cmp(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u16, u32),
        Remove(u16),
        Change(u16, u32),
        Fork,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let key = 0_u16..300;
        prop::collection::vec(
            prop_oneof![
                6 => (key.clone(), any::<u32>()).prop_map(|(key, value)| Step::Insert(key, value)),
                3 => key.clone().prop_map(Step::Remove),
                1 => (key, any::<u32>()).prop_map(|(key, value)| Step::Change(key, value)),
                1 => Just(Step::Fork),
            ],
            0..600,
        )
    }

    fn assert_same(map: &Map<u16, u32>, reference: &BTreeMap<u16, u32>) {
        assert_eq!(map.len(), reference.len() as u64);
        assert!(map.iter().eq(reference.iter()));
        assert!(map.chunks.iter().all(|(_, chunk)| !chunk.is_empty()));
        assert!(map.chunks.iter().all(|(_, chunk)| chunk.len() <= CHUNK_ENTRIES_MAX));
        for pair in map.chunks.windows(2) {
            assert!(pair[0].1.iter().all(|(key, _)| *key < pair[1].0));
            assert!(pair[1].1.iter().all(|(key, _)| *key >= pair[1].0));
        }
        for key in [0, 1, 77, 150, 299] {
            assert_eq!(map.get(&key), reference.get(&key));
            let below = reference.range(..key).next_back();
            assert_eq!(map.below(&key).map(|(key, value)| (key, value)), below);
            let above = reference.range(key + 1..).next();
            assert_eq!(map.above(&key).map(|(key, value)| (key, value)), above);
        }
    }

    proptest! {
        #[test]
        fn agrees_with_a_tree_and_copies_stay_as_they_were(steps in steps()) {
            let mut map = Map::default();
            let mut reference = BTreeMap::new();
            let mut forks = Vec::new();
            for step in steps {
                match step {
                    Step::Insert(key, value) => {
                        prop_assert_eq!(map.insert(key, value), reference.insert(key, value));
                    }
                    Step::Remove(key) => {
                        prop_assert_eq!(map.remove(&key), reference.remove(&key));
                    }
                    Step::Change(key, value) => {
                        let held = map.get_mut(&key).map(|held| core::mem::replace(held, value));
                        let expect = reference.get_mut(&key);
                        let expect = expect.map(|held| core::mem::replace(held, value));
                        prop_assert_eq!(held, expect);
                    }
                    Step::Fork => forks.push((map.clone(), reference.clone())),
                }
            }
            assert_same(&map, &reference);
            for (map, reference) in &forks {
                assert_same(map, reference);
            }
        }
    }

    #[test]
    fn a_copy_shares_all_but_the_chunk_that_is_written() {
        let mut map = Map::default();
        for key in 0..1_000_u64 {
            map.insert(key, key);
        }
        let copy = map.clone();
        map.insert(500, 0);
        let shared = map.chunks.iter().zip(copy.chunks.iter());
        let differing = shared.filter(|((_, a), (_, b))| !Arc::ptr_eq(a, b)).count();
        assert_eq!(differing, 1);
        assert_eq!(copy.get(&500), Some(&500));
    }
}
