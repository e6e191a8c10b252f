//! One entry of the cache: a binary key, a binary value, and when it expires.

use alloc::sync::Arc;
use contract::{Duration, Value};
use core::cmp::Ordering;
use core::fmt;

/// What an entry counts for beside its key and its value, in bytes.
pub const ENTRY_OVERHEAD_BYTES: u64 = 32;

/// A key of up to [`super::KEY_BYTES_MAX`] bytes, ordered as its bytes are. Up to eight bytes,
/// which is what the lab's own keys have, live in place.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// The first eight bytes, zeros behind a shorter key.
    head: [u8; 8],
    len_bytes: u32,
    /// All bytes of a key that does not fit in place.
    long: Option<Arc<[u8]>>,
}

impl Key {
    /// The key with these bytes.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        let mut head = [0; 8];
        let in_head = bytes.len().min(head.len());
        head[..in_head].copy_from_slice(&bytes[..in_head]);
        Self {
            head,
            len_bytes: bytes.len() as u32,
            long: (bytes.len() > head.len()).then(|| Arc::from(bytes)),
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.long {
            Some(bytes) => bytes,
            None => &self.head[..self.len_bytes as usize],
        }
    }

    /// Its first eight bytes as a number: for the lab's own keys, the key.
    #[must_use]
    pub const fn label(&self) -> u64 {
        u64::from_be_bytes(self.head)
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        // Padded heads order as the bytes do wherever they differ.
        let heads = self.label().cmp(&other.label());
        heads.then_with(|| self.as_bytes().cmp(other.as_bytes()))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key(")?;
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        write!(f, ")")
    }
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: Key,
    /// The bytes of its value. Whoever keeps them longer than the entry holds a handle.
    pub value: Arc<[u8]>,
    /// The index of the log entry that wrote it: unique and rising per key. 0 where it was there
    /// before the log began.
    pub version: u64,
    /// How long it lives after `created_at`; for ever where it is absent.
    pub ttl: Option<Duration>,
    /// The cluster time of the log entry that wrote it, in nanoseconds.
    pub created_at: u64,
}

impl Entry {
    /// Whether it is over at `cluster_time`. Strict: in its last nanosecond an entry still lives.
    #[must_use]
    pub fn is_expired(&self, cluster_time: u64) -> bool {
        self.ends_at().is_some_and(|ends_at| cluster_time > ends_at)
    }

    /// The cluster time of its last moment; `None` where it lives for ever.
    #[must_use]
    pub fn ends_at(&self) -> Option<u64> {
        ends_at(self.created_at, self.ttl)
    }

    /// What it counts for, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.key.as_bytes().len() as u64 + self.value.len() as u64 + ENTRY_OVERHEAD_BYTES
    }

    /// The value by identity, once every byte of it was verified; `None` where one is wrong.
    #[must_use]
    pub fn verified(&self) -> Option<Value> {
        Value::from_bytes(&self.value)
    }
}

/// The last moment of an entry that was created at `created_at` and lives for `ttl`.
#[must_use]
pub fn ends_at(created_at: u64, ttl: Option<Duration>) -> Option<u64> {
    Some(created_at.saturating_add(ttl?.as_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_order_as_their_bytes(
            a in prop::collection::vec(0_u8..3, 0..12),
            b in prop::collection::vec(0_u8..3, 0..12),
        ) {
            let (left, right) = (Key::new(&a), Key::new(&b));
            prop_assert_eq!(left.cmp(&right), a.cmp(&b));
            prop_assert_eq!(left == right, a == b);
            prop_assert_eq!(left.as_bytes(), &a[..]);
        }
    }

    fn entry(ttl: Option<Duration>) -> Entry {
        let value = Value { id: 9, size_bytes: 20 };
        let mut bytes = Vec::new();
        value.write_bytes(&mut bytes);
        Entry {
            key: Key::new(b"0123456789"),
            value: Arc::from(bytes),
            version: 3,
            ttl,
            created_at: 1_000,
        }
    }

    #[test]
    fn expiry_is_strict() {
        let dying = entry(Some(Duration(500)));
        assert!(!dying.is_expired(1_500));
        assert!(dying.is_expired(1_501));
        assert!(!entry(None).is_expired(u64::MAX));
        assert!(!entry(Some(Duration(u64::MAX))).is_expired(u64::MAX));
    }

    #[test]
    fn size_is_key_value_and_32() {
        assert_eq!(entry(None).size_bytes(), 10 + 20 + 32);
    }

    #[test]
    fn one_wrong_byte_is_noticed() {
        let mut damaged = entry(None);
        assert_eq!(damaged.verified().map(|value| value.id), Some(9));
        let mut bytes = damaged.value.to_vec();
        bytes[19] ^= 0x40;
        damaged.value = Arc::from(bytes);
        assert_eq!(damaged.verified(), None);
    }
}
