//! The commands of the replicated log, and what the state machine answers to them.
//!
//! This is what the log holds. What clients send is in [`super::wire`].
//!
//! | field | bytes |
//! |---|---|
//! | kind (1 put, 2 delete, 3 compare-and-set, 4 drop, 5 fill) | 1 |
//! | session: client, epoch; sequence number | 8, 8, 8 |
//! | key length, key | 2, n |
//! | put: ttl in ns (0: none), value | 8, rest |
//! | compare-and-set: version, expected id with its presence, value | 8, 1 + 8, rest |
//! | fill: ttl in ns (0: none), whether it overwrites, value | 8, 1, rest |
//! | drop: reason (1 ttl, 2 lru, 3 manual), then per entry: key length, key, version | 1, 2, n, 8 |

use crate::protocol::frame::{Cursor, Malformed};
use alloc::vec::Vec;
use contract::{Duration, Value};

/// The most bytes of a command beside its key and its value.
pub const HEAD_BYTES_MAX: usize = 64;

/// One logical process of a client (raft-thesis §6.3). A later epoch of a client ends the earlier
/// ones: what they left behind has no effect any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Session {
    /// A hash of the client's name.
    pub client: u64,
    /// Rises with every boot of the client and after every operation whose outcome it does not
    /// know.
    pub epoch: u64,
}

/// A write, with what makes a repetition of it recognisable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command<'a> {
    /// Who asks.
    pub session: Session,
    /// Which of its writes this is, rising from 1; the same for every try of one operation.
    pub seq: u64,
    /// The key that is written.
    pub key: &'a [u8],
    /// What is done to it.
    pub write: Write<'a>,
}

/// What a command does to its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write<'a> {
    /// Stores a value.
    Put {
        /// The bytes of the value.
        value: &'a [u8],
        /// How long it lives.
        ttl: Option<Duration>,
    },
    /// Removes the key.
    Delete,
    /// Stores a value if the key holds the expected one.
    Cas {
        /// The version that is expected, where the client knows it; else 0.
        version: u64,
        /// The id of the value that is expected; `None` expects that the key is absent.
        expect: Option<u64>,
        /// The bytes of the new value.
        value: &'a [u8],
    },
    /// Stores what was loaded from the database, where the key is absent. Proposed by leaders; it
    /// belongs to no session.
    Fill {
        /// The bytes of the value.
        value: &'a [u8],
        /// How long it lives.
        ttl: Option<Duration>,
        /// Planted flaw `stale-set-lookaside`: whatever was written meanwhile is lost.
        overwrites: bool,
    },
    /// Removes entries, each if it still has its version. Proposed by leaders; it belongs to no
    /// session, and its key is empty.
    Drop {
        /// Why. What leaves because of its time stays where it is not expired at the time of the
        /// command.
        reason: DropReason,
        /// Which.
        entries: Versions<'a>,
    },
}

/// Why an entry leaves without having been deleted: the reasons of `hyperion_evictions_total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DropReason {
    /// Its time is over.
    Ttl,
    /// The store is full.
    Lru,
    /// An operator asked for it.
    Manual,
}

impl DropReason {
    /// The value of the label `reason`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ttl => "ttl",
            Self::Lru => "lru",
            Self::Manual => "manual",
        }
    }

    /// All of them, in the order of their codes, which start at 1.
    pub const ALL: [Self; 3] = [Self::Ttl, Self::Lru, Self::Manual];
}

/// Keys with the versions of their entries, in the bytes of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions<'a>(&'a [u8]);

impl<'a> Versions<'a> {
    /// Those that `bytes` hold, which [`push_version`] wrote.
    ///
    /// # Errors
    /// When they hold something else.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = next_version(rest)?.2;
        }
        Ok(Self(bytes))
    }

    /// Key and version, one after another.
    pub fn iter(self) -> impl Iterator<Item = (&'a [u8], u64)> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let (key, version, after) = next_version(rest).expect("it was read through at first");
            rest = after;
            Some((key, version))
        })
    }
}

/// Appends one key and the version of its entry.
pub fn push_version(key: &[u8], version: u64, out: &mut Vec<u8>) {
    let key_len = u16::try_from(key.len()).expect("a stored key is short");
    out.extend_from_slice(&key_len.to_be_bytes());
    out.extend_from_slice(key);
    out.extend_from_slice(&version.to_be_bytes());
}

fn next_version(bytes: &[u8]) -> Result<(&[u8], u64, &[u8]), Malformed> {
    let mut cursor = Cursor::new(bytes);
    let key_len = cursor.u16()?;
    let key = cursor.bytes(u32::from(key_len))?;
    let version = cursor.u64()?;
    Ok((key, version, cursor.rest()))
}

/// What a command did. Kept per session, so that a repetition is answered alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The key now holds the value, at this version.
    Done {
        /// The index of the log entry.
        version: u64,
    },
    /// The key is gone.
    Deleted {
        /// What it held.
        previous: Option<Value>,
    },
    /// The key did not hold what was expected; nothing changed.
    Conflict {
        /// What it held instead.
        seen: Option<Value>,
    },
    /// A limit was passed; nothing changed.
    Refused(Refusal),
}

/// Why a request certainly had no effect and never will.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// [`super::StoreError::KeyTooLarge`].
    KeyTooLarge {
        /// The length in bytes.
        size: u64,
        /// The limit.
        max: u64,
    },
    /// [`super::StoreError::ValueTooLarge`].
    ValueTooLarge {
        /// The length in bytes.
        size: u64,
        /// The limit.
        max: u64,
    },
    /// [`super::StoreError::StoreFull`].
    StoreFull {
        /// What would be held, in bytes.
        current: u64,
        /// The limit.
        max: u64,
    },
    /// [`super::StoreError::HmacVerificationFailed`]: the stored value is damaged.
    Damaged,
    /// [`super::StoreError::SerializationError`]: the bytes are not a request.
    Malformed,
    /// More than [`super::BATCH_KEYS_MAX`] keys in one request.
    BatchTooLarge {
        /// How many.
        size: u64,
        /// The limit.
        max: u64,
    },
    /// A longer life than [`super::TTL_MAX`].
    TtlTooLong {
        /// What was asked for, in milliseconds.
        size: u64,
        /// The limit.
        max: u64,
    },
    /// The session was ended by a later one of the same client.
    SessionOver,
    /// The table of sessions is full.
    SessionsFull {
        /// How many are held.
        size: u64,
        /// The limit.
        max: u64,
    },
    /// The client showed no token, or a wrong one.
    Unauthenticated,
    /// `RESOURCE_EXHAUSTED`: the client asks more often than it may.
    RateLimited {
        /// When it may ask again, in milliseconds.
        retry_after_ms: u64,
        /// How often it may ask per second.
        max: u64,
    },
    /// Planted flaw: leadership was lost, reported as if the write could not happen any more.
    Aborted,
}

impl<'a> Command<'a> {
    /// Appends the command.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(match self.write {
            Write::Put { .. } => 1,
            Write::Delete => 2,
            Write::Cas { .. } => 3,
            Write::Drop { .. } => 4,
            Write::Fill { .. } => 5,
        });
        out.extend_from_slice(&self.session.client.to_be_bytes());
        out.extend_from_slice(&self.session.epoch.to_be_bytes());
        out.extend_from_slice(&self.seq.to_be_bytes());
        let key_len = u16::try_from(self.key.len()).expect("a sender keeps to the longest key");
        out.extend_from_slice(&key_len.to_be_bytes());
        out.extend_from_slice(self.key);
        match self.write {
            Write::Put { value, ttl } => {
                encode_ttl(ttl, out);
                out.extend_from_slice(value);
            }
            Write::Delete => {}
            Write::Cas { version, expect, value } => {
                out.extend_from_slice(&version.to_be_bytes());
                out.push(u8::from(expect.is_some()));
                out.extend_from_slice(&expect.unwrap_or(0).to_be_bytes());
                out.extend_from_slice(value);
            }
            Write::Fill { value, ttl, overwrites } => {
                encode_ttl(ttl, out);
                out.push(u8::from(overwrites));
                out.extend_from_slice(value);
            }
            Write::Drop { reason, entries } => {
                out.push(1 + reason as u8);
                out.extend_from_slice(entries.0);
            }
        }
    }

    /// Reads a command.
    ///
    /// # Errors
    /// When the bytes are not one.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut cursor = Cursor::new(bytes);
        let kind = cursor.u8()?;
        let session = Session { client: cursor.u64()?, epoch: cursor.u64()? };
        let seq = cursor.u64()?;
        let key_len = cursor.u16()?;
        let key = cursor.bytes(u32::from(key_len))?;
        let write = match kind {
            1 => {
                let ttl = decode_ttl(&mut cursor)?;
                Write::Put { ttl, value: cursor.rest() }
            }
            2 => {
                cursor.end()?;
                Write::Delete
            }
            3 => {
                let version = cursor.u64()?;
                let present = cursor.u8()?;
                let expect = cursor.u64()?;
                Write::Cas { version, expect: optional(present, expect)?, value: cursor.rest() }
            }
            4 => {
                let code = usize::from(cursor.u8()?).checked_sub(1);
                let reason = code.and_then(|code| DropReason::ALL.get(code));
                let reason = *reason.ok_or(Malformed("there is no such reason"))?;
                Write::Drop { reason, entries: Versions::decode(cursor.rest())? }
            }
            5 => {
                let ttl = decode_ttl(&mut cursor)?;
                let overwrites = match cursor.u8()? {
                    0 => false,
                    1 => true,
                    _ => return Err(Malformed("a flag is 0 or 1")),
                };
                Write::Fill { value: cursor.rest(), ttl, overwrites }
            }
            _ => return Err(Malformed("there is no such command")),
        };
        Ok(Self { session, seq, key, write })
    }
}

fn encode_ttl(ttl: Option<Duration>, out: &mut Vec<u8>) {
    let ttl_ns = ttl.map_or(0, |ttl| ttl.as_nanos().max(1));
    out.extend_from_slice(&ttl_ns.to_be_bytes());
}

fn decode_ttl(cursor: &mut Cursor<'_>) -> Result<Option<Duration>, Malformed> {
    let ttl_ns = cursor.u64()?;
    Ok((ttl_ns > 0).then_some(Duration(ttl_ns)))
}

fn optional(present: u8, value: u64) -> Result<Option<u64>, Malformed> {
    match (present, value) {
        (0, 0) => Ok(None),
        (1, value) => Ok(Some(value)),
        _ => Err(Malformed("a presence is 0 or 1")),
    }
}

impl Applied {
    /// Appends what was done.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Done { version } => {
                out.push(1);
                out.extend_from_slice(&version.to_be_bytes());
            }
            Self::Deleted { previous } => {
                out.push(2);
                encode_value(previous, out);
            }
            Self::Conflict { seen } => {
                out.push(3);
                encode_value(seen, out);
            }
            Self::Refused(refusal) => {
                out.push(4);
                refusal.encode(out);
            }
        }
    }

    /// Reads what was done.
    ///
    /// # Errors
    /// When the bytes do not say.
    pub fn decode(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        Ok(match cursor.u8()? {
            1 => Self::Done { version: cursor.u64()? },
            2 => Self::Deleted { previous: decode_value(cursor)? },
            3 => Self::Conflict { seen: decode_value(cursor)? },
            4 => Self::Refused(Refusal::decode(cursor)?),
            _ => return Err(Malformed("there is no such effect")),
        })
    }
}

fn encode_value(value: Option<Value>, out: &mut Vec<u8>) {
    out.push(u8::from(value.is_some()));
    if let Some(value) = value {
        out.extend_from_slice(&value.id.to_be_bytes());
        out.extend_from_slice(&value.size_bytes.to_be_bytes());
    }
}

fn decode_value(cursor: &mut Cursor<'_>) -> Result<Option<Value>, Malformed> {
    match cursor.u8()? {
        0 => Ok(None),
        1 => Ok(Some(Value { id: cursor.u64()?, size_bytes: cursor.u32()? })),
        _ => Err(Malformed("a presence is 0 or 1")),
    }
}

impl Refusal {
    /// Its code, and the two figures of its message.
    #[must_use]
    pub const fn parts(self) -> (u8, u64, u64) {
        match self {
            Self::KeyTooLarge { size, max } => (1, size, max),
            Self::ValueTooLarge { size, max } => (2, size, max),
            Self::StoreFull { current, max } => (3, current, max),
            Self::Damaged => (4, 0, 0),
            Self::Malformed => (5, 0, 0),
            Self::BatchTooLarge { size, max } => (6, size, max),
            Self::TtlTooLong { size, max } => (7, size, max),
            Self::SessionOver => (8, 0, 0),
            Self::SessionsFull { size, max } => (9, size, max),
            Self::Aborted => (10, 0, 0),
            Self::Unauthenticated => (11, 0, 0),
            Self::RateLimited { retry_after_ms, max } => (12, retry_after_ms, max),
        }
    }

    /// Appends the reason.
    pub fn encode(self, out: &mut Vec<u8>) {
        let (kind, size, max) = self.parts();
        out.push(kind);
        out.extend_from_slice(&u64::to_be_bytes(size));
        out.extend_from_slice(&u64::to_be_bytes(max));
    }

    /// Reads the reason.
    ///
    /// # Errors
    /// When the bytes do not say.
    pub fn decode(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        let code = cursor.u8()?;
        Self::from_parts(code, cursor.u64()?, cursor.u64()?)
    }

    /// The reason of which [`Refusal::parts`] are these.
    ///
    /// # Errors
    /// When there is none with this code.
    pub const fn from_parts(code: u8, size: u64, max: u64) -> Result<Self, Malformed> {
        Ok(match code {
            1 => Self::KeyTooLarge { size, max },
            2 => Self::ValueTooLarge { size, max },
            3 => Self::StoreFull { current: size, max },
            4 => Self::Damaged,
            5 => Self::Malformed,
            6 => Self::BatchTooLarge { size, max },
            7 => Self::TtlTooLong { size, max },
            8 => Self::SessionOver,
            9 => Self::SessionsFull { size, max },
            10 => Self::Aborted,
            11 => Self::Unauthenticated,
            12 => Self::RateLimited { retry_after_ms: size, max },
            _ => return Err(Malformed("there is no such refusal")),
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    fn check(command: &Command<'_>) {
        let mut bytes = Vec::new();
        command.encode(&mut bytes);
        assert_eq!(Command::decode(&bytes).as_ref(), Ok(command));
    }

    pub fn applied() -> impl Strategy<Value = Applied> {
        let value = || {
            prop::option::of((any::<u64>(), any::<u32>()))
                .prop_map(|value| value.map(|(id, size_bytes)| Value { id, size_bytes }))
        };
        let refusal = prop_oneof![
            (any::<u64>(), any::<u64>()).prop_map(|(size, max)| Refusal::KeyTooLarge { size, max }),
            (any::<u64>(), any::<u64>())
                .prop_map(|(size, max)| Refusal::ValueTooLarge { size, max }),
            (any::<u64>(), any::<u64>())
                .prop_map(|(current, max)| Refusal::StoreFull { current, max }),
            (any::<u64>(), any::<u64>())
                .prop_map(|(size, max)| Refusal::BatchTooLarge { size, max }),
            (any::<u64>(), any::<u64>()).prop_map(|(size, max)| Refusal::TtlTooLong { size, max }),
            (any::<u64>(), any::<u64>())
                .prop_map(|(size, max)| Refusal::SessionsFull { size, max }),
            Just(Refusal::Damaged),
            Just(Refusal::Malformed),
            Just(Refusal::SessionOver),
            Just(Refusal::Aborted),
            Just(Refusal::Unauthenticated),
            (any::<u64>(), any::<u64>())
                .prop_map(|(retry_after_ms, max)| Refusal::RateLimited { retry_after_ms, max }),
        ];
        prop_oneof![
            any::<u64>().prop_map(|version| Applied::Done { version }),
            value().prop_map(|previous| Applied::Deleted { previous }),
            value().prop_map(|seen| Applied::Conflict { seen }),
            refusal.prop_map(Applied::Refused),
        ]
    }

    proptest! {
        #[test]
        fn commands_round_trip(
            client in any::<u64>(),
            epoch in any::<u64>(),
            seq in any::<u64>(),
            key in prop::collection::vec(any::<u8>(), 0..20),
            value in prop::collection::vec(any::<u8>(), 0..40),
            ttl in prop::option::of(1..u64::MAX),
            version in any::<u64>(),
            expect in prop::option::of(any::<u64>()),
        ) {
            let session = Session { client, epoch };
            let value = &value[..];
            let ttl = ttl.map(Duration);
            let mut entries = Vec::new();
            push_version(&key, version, &mut entries);
            push_version(b"", 7, &mut entries);
            let entries = Versions::decode(&entries).unwrap();
            prop_assert!(entries.iter().eq([(&key[..], version), (&b""[..], 7)]));
            for write in [
                Write::Put { value, ttl },
                Write::Delete,
                Write::Cas { version, expect, value },
                Write::Drop { reason: DropReason::Lru, entries },
                Write::Fill { value, ttl, overwrites: version % 2 == 0 },
            ] {
                check(&Command { session, seq, key: &key, write });
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(command) = Command::decode(&bytes) {
                let mut again = Vec::new();
                command.encode(&mut again);
                prop_assert_eq!(again, bytes);
            }
        }
    }
}
