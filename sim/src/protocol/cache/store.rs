//! The entries that a node holds, bounded by bytes.
//!
//! Start with [`Store`]. Values are sealed on the way in ([`super::value_codec`]) and verified on the way
//! out; the order of eviction is kept by [`super::eviction_order`].

use super::entry::{Entry, Key, ends_at, size_bytes};
use super::error::StoreError;
use super::eviction_order::{EvictionOrder, Policy, Uses};
use super::value_codec::{Bytes, Decoded, ValueCodec};
use crate::protocol::cow;
use alloc::sync::Arc;
use alloc::vec::Vec;
use contract::{Duration, Value};

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
    /// One value as it is written; at most [`VALUE_BYTES_MAX`].
    pub value_bytes_max: u64,
}

/// How a store keeps its entries.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// How much it may hold.
    pub limits: Limits,
    /// Tags and compresses values.
    pub codec: ValueCodec,
    /// What goes first when it is full.
    pub policy: Policy,
}

/// The defects that can be planted in a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreDefects {
    /// `weight-accounting-drift`: an overwrite adds the new size without subtracting the old.
    pub size_drifts: bool,
    /// `lru-order-not-updated-on-hit`: a use is not noted.
    pub uses_forgotten: bool,
    /// `expiry-queue-leak`: what leaves stays in the list of endings.
    pub endings_leak: bool,
}

/// An ordered store of entries. A copy costs three reference counts and a keyed hash.
#[derive(Clone, Debug)]
pub struct Store {
    entries: cow::Map<Key, Slot>,
    /// The versions of the entries that end, by the cluster time at which they do.
    endings: cow::Map<(u64, Key), u64>,
    order: EvictionOrder,
    size_bytes: u64,
    config: Arc<StoreConfig>,
    defects: StoreDefects,
}

/// An entry in its place.
#[derive(Clone, Debug)]
struct Slot {
    /// An `Arc` of its own per entry, so that copying a chunk takes no handle on a value.
    entry: Arc<Entry>,
    uses: Uses,
}

/// What is to be stored under a key.
#[derive(Clone, Copy, Debug)]
pub struct NewEntry<'a> {
    /// Its key.
    pub key: &'a [u8],
    /// The bytes of its value, as they are written.
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
    pub fn new(config: Arc<StoreConfig>, defects: StoreDefects) -> Self {
        let value_bytes_max = config.limits.value_bytes_max;
        assert!(value_bytes_max <= VALUE_BYTES_MAX, "no value passes the hard limit");
        Self {
            entries: cow::Map::default(),
            endings: cow::Map::default(),
            order: EvictionOrder::new(config.policy),
            size_bytes: 0,
            config,
            defects,
        }
    }

    /// The same entries without a planted defect.
    #[must_use]
    pub fn without_defects(&self) -> Self {
        Self { defects: StoreDefects::default(), ..self.clone() }
    }

    /// The entry of `key`, borrowed; expired or not. Does not count as a use: see [`Store::touch`].
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Entry> {
        self.entries.get(key).map(|slot| &*slot.entry)
    }

    /// The value of an entry of this store, as it was written.
    ///
    /// # Errors
    /// When the bytes are not those that were stored.
    pub fn open<'a>(&self, entry: &'a Entry) -> Result<Decoded<'a>, StoreError> {
        self.config.codec.open(entry)
    }

    /// The value of an entry by identity, once every byte of it was verified; `None` where one is
    /// wrong.
    #[must_use]
    pub fn identify(&self, entry: &Entry) -> Option<Value> {
        Value::from_bytes(&self.open(entry).ok()?)
    }

    /// Notes that `key` is used: it is evicted later.
    pub fn touch(&mut self, key: &Key) {
        if self.defects.uses_forgotten {
            return;
        }
        if let Some(slot) = self.entries.get_mut(key) {
            self.order.touch(key, &mut slot.uses);
            self.tidy();
        }
    }

    /// Stores `new`, over what is there. Counts as a use.
    ///
    /// # Errors
    /// When a limit is passed; then nothing changed.
    pub fn set(&mut self, new: NewEntry<'_>) -> Result<(), StoreError> {
        self.check(new.key, new.value)?;
        let key = Key::new(new.key);
        let config = Arc::clone(&self.config);
        let (flags, kept) = config.codec.encode(new.key, new.value);
        // Looked up once: this is what every write of every replica does.
        let slot = self.entries.get_mut(&key);
        let held_bytes = slot.as_ref().map_or(0, |slot| slot.entry.size_bytes());
        let new_bytes = size_bytes(new.key, &kept);
        let current = self.size_bytes - held_bytes + new_bytes;
        if current > config.limits.store_bytes_max {
            let max = config.limits.store_bytes_max;
            return Err(StoreError::StoreFull { current, max });
        }
        let entry = |value| Entry {
            key: key.clone(),
            value,
            version: new.version,
            ttl: new.ttl,
            created_at: new.created_at,
            flags,
        };
        match slot {
            Some(slot) => {
                let ended_at = slot.entry.ends_at();
                overwrite(&mut slot.entry, &kept, entry);
                if !self.defects.uses_forgotten {
                    self.order.touch(&key, &mut slot.uses);
                }
                self.forget_ending(ended_at, &key);
            }
            None => {
                let entry = Arc::new(entry(Arc::new(Bytes::new(&kept))));
                let uses = self.order.admit(&key);
                self.entries.insert(key.clone(), Slot { entry, uses });
            }
        }
        self.tidy();
        if let Some(ends_at) = ends_at(new.created_at, new.ttl) {
            self.endings.insert((ends_at, key), new.version);
        }
        self.size_bytes = match self.defects.size_drifts {
            false => current,
            true => self.size_bytes + new_bytes,
        };
        assert!(self.size_bytes >= new_bytes, "every entry is counted");
        Ok(())
    }

    /// Removes `key`; whether it was there.
    pub fn delete(&mut self, key: &Key) -> bool {
        let Some(Slot { entry, .. }) = self.entries.remove(key) else {
            return false;
        };
        let removed_bytes = entry.size_bytes();
        assert!(removed_bytes <= self.size_bytes, "what leaves was counted");
        self.size_bytes -= removed_bytes;
        self.order.forget();
        self.forget_ending(entry.ends_at(), key);
        true
    }

    /// Removes up to `count` entries in the order of eviction; how many there were.
    pub fn evict(&mut self, count: u64) -> u64 {
        let keys: Vec<Key> = self.victims().take(count as usize).map(|e| e.key.clone()).collect();
        keys.iter().for_each(|key| {
            assert!(self.delete(key), "a victim is held");
        });
        keys.len() as u64
    }

    /// The entries in the order in which they would be evicted.
    pub fn victims(&self) -> impl Iterator<Item = &Entry> {
        let uses = |key: &Key| Some(self.entries.get(key)?.uses);
        let entry = |key| self.get(key).expect("what is ordered is held");
        self.order.victims(uses).map(entry)
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

    /// How many entries have a place in the order of eviction.
    #[must_use]
    pub const fn ordered(&self) -> u64 {
        self.order.len()
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
        let max = self.config.limits.value_bytes_max;
        if size > max {
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

    /// How it keeps its entries.
    #[must_use]
    pub fn config(&self) -> &StoreConfig {
        &self.config
    }

    /// All entries in the order of their keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter().map(|(_, slot)| &*slot.entry)
    }
}

impl Store {
    fn tidy(&mut self) {
        if self.order.is_cluttered() {
            self.order.tidy(self.entries.iter().map(|(key, slot)| (key, slot.uses)));
        }
    }

    fn forget_ending(&mut self, ended_at: Option<u64>, key: &Key) {
        if self.defects.endings_leak {
            return;
        }
        if let Some(ended_at) = ended_at {
            self.endings.remove(&(ended_at, key.clone()));
        }
    }
}

/// Replaces what `held` holds. Where nobody else holds the entry or its value, in place: a steady
/// load of overwrites allocates nothing.
fn overwrite(held: &mut Arc<Entry>, kept: &[u8], entry: impl FnOnce(Arc<Bytes>) -> Entry) {
    let held = Arc::make_mut(held);
    match Arc::get_mut(&mut held.value) {
        Some(bytes) => bytes.replace(kept),
        None => held.value = Arc::new(Bytes::new(kept)),
    }
    *held = entry(Arc::clone(&held.value));
}

#[cfg(test)]
pub(super) mod tests;
