//! The entries that a node holds, bounded by bytes.

use super::chunk_map::ChunkMap;
use super::entry::{ENTRY_OVERHEAD_BYTES, Entry, Key, ends_at};
use super::error::StoreError;
use alloc::sync::Arc;
use contract::Duration;

/// The longest key: 1 KiB, because the index is kept in memory.
pub const KEY_BYTES_MAX: u64 = 1024;
/// The longest value: 512 KiB, against floods of large values.
pub const VALUE_BYTES_MAX: u64 = 524_288;
/// The longest life of an entry: 7 days.
pub const TTL_MAX: Duration = Duration::from_millis(604_800_000);

/// How much a store may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// All entries together, as [`Entry::size_bytes`] counts them.
    pub store_bytes_max: u64,
    /// One value; at most [`VALUE_BYTES_MAX`].
    pub value_bytes_max: u64,
}

/// An ordered store of entries. A copy costs two reference counts.
#[derive(Clone, Debug)]
pub struct Store {
    /// An `Arc` of its own per entry, so that copying a chunk takes no handle on a value.
    entries: ChunkMap<Key, Arc<Entry>>,
    /// The versions of the entries that end, by the cluster time at which they do.
    endings: ChunkMap<(u64, Key), u64>,
    size_bytes: u64,
    limits: Limits,
    /// Planted flaw: an overwrite adds the new size without subtracting the old.
    drifts: bool,
}

/// What is to be stored under a key.
#[derive(Clone, Copy, Debug)]
pub struct NewEntry<'a> {
    /// Its key.
    pub key: &'a [u8],
    /// The bytes of its value.
    pub value: &'a [u8],
    /// As [`Entry::version`].
    pub version: u64,
    /// As [`Entry::ttl`].
    pub ttl: Option<Duration>,
    /// As [`Entry::created_at`].
    pub created_at: u64,
}

impl Store {
    /// An empty store.
    #[must_use]
    pub fn new(limits: Limits, drifts: bool) -> Self {
        assert!(limits.value_bytes_max <= VALUE_BYTES_MAX, "no value passes the hard limit");
        Self {
            entries: ChunkMap::default(),
            endings: ChunkMap::default(),
            size_bytes: 0,
            limits,
            drifts,
        }
    }

    /// The entry of `key`, borrowed; expired or not.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Entry> {
        self.entries.get(key).map(|entry| &**entry)
    }

    /// Stores `new`, over what is there.
    ///
    /// # Errors
    /// When a limit is passed; then nothing changed.
    pub fn set(&mut self, new: NewEntry<'_>) -> Result<(), StoreError> {
        self.check(new.key, new.value)?;
        let key = Key::new(new.key);
        let held_bytes = self.get(&key).map_or(0, Entry::size_bytes);
        let size_bytes = new.key.len() as u64 + new.value.len() as u64 + ENTRY_OVERHEAD_BYTES;
        let current = self.size_bytes - held_bytes + size_bytes;
        if current > self.limits.store_bytes_max {
            let max = self.limits.store_bytes_max;
            return Err(StoreError::StoreFull { current, max });
        }
        match self.entries.get_mut(&key) {
            Some(held) => {
                let ended_at = held.ends_at();
                overwrite(held, new);
                self.forget_ending(ended_at, &key);
            }
            None => {
                let entry = Entry {
                    key: key.clone(),
                    value: Arc::from(new.value),
                    version: new.version,
                    ttl: new.ttl,
                    created_at: new.created_at,
                };
                self.entries.insert(key.clone(), Arc::new(entry));
            }
        }
        if let Some(ends_at) = ends_at(new.created_at, new.ttl) {
            self.endings.insert((ends_at, key), new.version);
        }
        self.size_bytes = match self.drifts {
            false => current,
            true => self.size_bytes + size_bytes,
        };
        assert!(self.size_bytes >= self.len() * ENTRY_OVERHEAD_BYTES, "every entry is counted");
        Ok(())
    }

    /// Removes `key`; whether it was there.
    pub fn delete(&mut self, key: &Key) -> bool {
        let Some(removed) = self.entries.remove(key) else {
            return false;
        };
        let removed_bytes = removed.size_bytes();
        assert!(removed_bytes <= self.size_bytes, "what leaves was counted");
        self.size_bytes -= removed_bytes;
        self.forget_ending(removed.ends_at(), key);
        true
    }

    /// When the first entry ends that does, in cluster time.
    #[must_use]
    pub fn first_ending(&self) -> Option<u64> {
        let ((ends_at, _), _) = self.endings.first()?;
        Some(*ends_at)
    }

    /// The keys and versions of the entries that are over at `cluster_time`, the earliest first.
    pub fn expired(&self, cluster_time: u64) -> impl Iterator<Item = (&Key, u64)> {
        let endings = self.endings.iter();
        let over = endings.take_while(move |((ends_at, _), _)| cluster_time > *ends_at);
        over.map(|((_, key), version)| (key, *version))
    }

    /// How many entries end at some time.
    #[must_use]
    pub const fn endings(&self) -> u64 {
        self.endings.len()
    }

    /// Whether an entry with this key and value may be stored at all.
    ///
    /// # Errors
    /// When one of them is longer than its limit.
    pub fn check(&self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let size = key.len() as u64;
        if size > KEY_BYTES_MAX {
            let max = KEY_BYTES_MAX;
            return Err(StoreError::KeyTooLarge { size, max });
        }
        let size = value.len() as u64;
        if size > self.limits.value_bytes_max {
            let max = self.limits.value_bytes_max;
            return Err(StoreError::ValueTooLarge { size, max });
        }
        Ok(())
    }

    /// The number of entries.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.entries.len()
    }

    /// True where nothing is held.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What all entries count for, in bytes.
    #[must_use]
    pub const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// All entries in the order of their keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter().map(|(_, entry)| &**entry)
    }
}

impl Store {
    fn forget_ending(&mut self, ended_at: Option<u64>, key: &Key) {
        if let Some(ended_at) = ended_at {
            self.endings.remove(&(ended_at, key.clone()));
        }
    }
}

/// Replaces what `held` holds. Where nobody else holds the entry or its value, in place: a steady
/// load of overwrites allocates nothing.
fn overwrite(held: &mut Arc<Entry>, new: NewEntry<'_>) {
    let entry = Arc::make_mut(held);
    match Arc::get_mut(&mut entry.value) {
        Some(bytes) if bytes.len() == new.value.len() => bytes.copy_from_slice(new.value),
        _ => entry.value = Arc::from(new.value),
    }
    entry.version = new.version;
    entry.ttl = new.ttl;
    entry.created_at = new.created_at;
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use alloc::vec;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    const LIMITS: Limits = Limits { store_bytes_max: 4_000, value_bytes_max: 100 };

    fn new<'a>(key: &'a [u8], value: &'a [u8], version: u64) -> NewEntry<'a> {
        NewEntry { key, value, version, ttl: None, created_at: 0 }
    }

    #[test]
    fn limits_are_refused_with_their_figures() {
        let mut store = Store::new(LIMITS, false);
        assert_eq!(
            store.set(new(&[0; 1025], b"", 1)),
            Err(StoreError::KeyTooLarge { size: 1025, max: 1024 })
        );
        assert_eq!(
            store.set(new(b"k", &[0; 101], 1)),
            Err(StoreError::ValueTooLarge { size: 101, max: 100 })
        );
        assert!(store.is_empty());
        assert_eq!(store.size_bytes(), 0);
    }

    #[test]
    fn a_full_store_still_takes_a_smaller_value_for_a_key_it_holds() {
        let limits = Limits { store_bytes_max: 100, value_bytes_max: 100 };
        let mut store = Store::new(limits, false);
        assert_eq!(store.set(new(b"k", &[7; 67], 1)), Ok(()));
        assert_eq!(store.size_bytes(), 100);
        let full = Err(StoreError::StoreFull { current: 133, max: 100 });
        assert_eq!(store.set(new(b"l", b"", 2)), full);
        assert_eq!(store.set(new(b"k", &[7; 34], 2)), Ok(()));
        assert_eq!(store.set(new(b"l", b"", 3)), Ok(()));
        assert_eq!(store.size_bytes(), 100);
    }

    #[test]
    fn endings_follow_their_entries() {
        let mut store = Store::new(LIMITS, false);
        let lasting = |key, version, ttl, created_at| NewEntry {
            ttl: Some(Duration(ttl)),
            created_at,
            ..new(key, b"", version)
        };
        store.set(lasting(b"a", 1, 50, 0)).unwrap();
        store.set(lasting(b"b", 2, 20, 10)).unwrap();
        store.set(new(b"c", b"", 3)).unwrap();
        let expired = |store: &Store, time| -> Vec<u64> {
            store.expired(time).map(|(_, version)| version).collect()
        };
        assert_eq!(store.first_ending(), Some(30));
        assert_eq!(expired(&store, 30), Vec::<u64>::new());
        assert_eq!(expired(&store, 31), [2]);
        assert_eq!(expired(&store, 51), [2, 1]);
        store.set(lasting(b"b", 4, 100, 10)).unwrap();
        store.set(new(b"a", b"", 5)).unwrap();
        assert_eq!(store.first_ending(), Some(110));
        assert!(store.delete(&Key::new(b"b")));
        assert_eq!(store.endings(), 0);
    }

    #[test]
    fn the_flaw_counts_overwrites_twice() {
        let mut store = Store::new(LIMITS, true);
        store.set(new(b"k", &[0; 10], 1)).unwrap();
        store.set(new(b"k", &[0; 10], 2)).unwrap();
        assert_eq!(store.size_bytes(), 2 * 43);
    }

    #[test]
    fn a_handle_that_is_held_survives_an_overwrite() {
        let mut store = Store::new(LIMITS, false);
        store.set(new(b"k", b"first", 1)).unwrap();
        let handle = store.get(&Key::new(b"k")).unwrap().value.clone();
        let copy = store.clone();
        store.set(new(b"k", b"again", 2)).unwrap();
        assert_eq!(&*handle, b"first");
        assert_eq!(&*copy.get(&Key::new(b"k")).unwrap().value, b"first");
        assert_eq!(&*store.get(&Key::new(b"k")).unwrap().value, b"again");
    }

    #[derive(Clone, Debug)]
    enum Step {
        Set(Vec<u8>, Vec<u8>),
        Delete(Vec<u8>),
        Fork,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let key = || prop::collection::vec(0_u8..4, 0..10);
        let value = prop::collection::vec(any::<u8>(), 0..110);
        prop::collection::vec(
            prop_oneof![
                5 => (key(), value).prop_map(|(key, value)| Step::Set(key, value)),
                2 => key().prop_map(Step::Delete),
                1 => Just(Step::Fork),
            ],
            0..200,
        )
    }

    type Reference = BTreeMap<Vec<u8>, (Vec<u8>, u64)>;

    fn reference_size(reference: &Reference) -> u64 {
        let entry_size =
            |(key, (value, _)): (&Vec<u8>, &(Vec<u8>, u64))| key.len() + value.len() + 32;
        reference.iter().map(entry_size).sum::<usize>() as u64
    }

    fn assert_same(store: &Store, reference: &Reference) {
        assert_eq!(store.len(), reference.len() as u64);
        assert_eq!(store.size_bytes(), reference_size(reference));
        for (entry, (key, (value, version))) in store.iter().zip(reference) {
            assert_eq!(entry.key.as_bytes(), key);
            assert_eq!(&*entry.value, value);
            assert_eq!(entry.version, *version);
        }
    }

    proptest! {
        #[test]
        fn agrees_with_a_naive_store(steps in steps()) {
            let mut store = Store::new(LIMITS, false);
            let mut reference = Reference::new();
            let mut forks = vec![];
            for (step, version) in steps.into_iter().zip(1..) {
                match step {
                    Step::Set(key, value) => {
                        let mut after = reference.clone();
                        after.insert(key.clone(), (value.clone(), version));
                        let fits = value.len() <= 100 && reference_size(&after) <= 4_000;
                        prop_assert_eq!(store.set(new(&key, &value, version)).is_ok(), fits);
                        if fits {
                            reference = after;
                        }
                    }
                    Step::Delete(key) => {
                        let removed = reference.remove(&key).is_some();
                        prop_assert_eq!(store.delete(&Key::new(&key)), removed);
                    }
                    Step::Fork => forks.push((store.clone(), reference.clone())),
                }
            }
            assert_same(&store, &reference);
            for (store, reference) in &forks {
                assert_same(store, reference);
            }
        }
    }
}
