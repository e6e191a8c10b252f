//! One entry of the cache: a binary key, a binary value, and when it expires.

use super::value_codec::{Bytes, TAG_BYTES};
use alloc::sync::Arc;
use contract::Duration;
use core::cmp::Ordering;
use core::fmt;

/// What an entry counts for beside its key and its value, in bytes.
pub const ENTRY_OVERHEAD_BYTES: u64 = 32;

/// A key of up to [`super::store::KEY_BYTES_MAX`] bytes, ordered as its bytes are. Up to eight bytes,
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

/// What is known of the bytes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags {
    /// They are an LZ4 block.
    pub compressed: bool,
    /// Their writer encrypted them. Carried for readers; the cache does not look inside.
    pub encrypted: bool,
    /// HMAC-SHA-256, see [`super::value_codec`].
    pub tag: [u8; TAG_BYTES],
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: Key,
    /// The bytes of its value as they are kept. Whoever keeps them longer than the entry holds a
    /// handle.
    pub value: Arc<Bytes>,
    /// The index of the log entry that wrote it: unique and rising per key. 0 where it was there
    /// before the log began.
    pub version: u64,
    /// How long it lives after `created_at`; for ever where it is absent.
    pub ttl: Option<Duration>,
    /// The cluster time of the log entry that wrote it, in nanoseconds.
    pub created_at: u64,
    /// What is known of the bytes of its value.
    pub flags: Flags,
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
        size_bytes(self.key.as_bytes(), &self.value)
    }
}

/// What an entry with this key and these kept bytes counts for.
#[must_use]
pub const fn size_bytes(key: &[u8], kept: &[u8]) -> u64 {
    key.len() as u64 + kept.len() as u64 + ENTRY_OVERHEAD_BYTES
}

/// The last moment of an entry that was created at `created_at` and lives for `ttl`.
#[must_use]
pub fn ends_at(created_at: u64, ttl: Option<Duration>) -> Option<u64> {
    Some(created_at.saturating_add(ttl?.as_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;
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
        Entry {
            key: Key::new(b"0123456789"),
            value: Arc::new(Bytes::new(&[7; 20])),
            version: 3,
            ttl,
            created_at: 1_000,
            flags: Flags { compressed: false, encrypted: false, tag: [0; TAG_BYTES] },
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
}
