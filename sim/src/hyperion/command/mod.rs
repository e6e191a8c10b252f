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

mod applied;

pub use applied::{Applied, Refusal};

use crate::protocol::frame::{Cursor, Malformed};
use crate::protocol::session::Session;
use alloc::vec::Vec;
use contract::Duration;

/// The most bytes of a command beside its key and its value.
pub const HEAD_BYTES_MAX: usize = 64;

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
        /// Planted defect `stale-set-lookaside`: whatever was written meanwhile is lost.
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
        let write = Write::decode(kind, &mut cursor)?;
        Ok(Self { session, seq, key, write })
    }
}

impl<'a> Write<'a> {
    /// Reads what follows the key in a command of this kind.
    fn decode(kind: u8, cursor: &mut Cursor<'a>) -> Result<Self, Malformed> {
        Ok(match kind {
            1 => {
                let ttl = decode_ttl(cursor)?;
                Self::Put { ttl, value: cursor.rest() }
            }
            2 => {
                cursor.end()?;
                Self::Delete
            }
            3 => {
                let version = cursor.u64()?;
                let present = cursor.u8()?;
                let expect = cursor.u64()?;
                Self::Cas { version, expect: optional(present, expect)?, value: cursor.rest() }
            }
            4 => {
                let code = usize::from(cursor.u8()?).checked_sub(1);
                let reason = code.and_then(|code| DropReason::ALL.get(code));
                let reason = *reason.ok_or(Malformed("there is no such reason"))?;
                Self::Drop { reason, entries: Versions::decode(cursor.rest())? }
            }
            5 => {
                let ttl = decode_ttl(cursor)?;
                let overwrites = match cursor.u8()? {
                    0 => false,
                    1 => true,
                    _ => return Err(Malformed("a flag is 0 or 1")),
                };
                Self::Fill { value: cursor.rest(), ttl, overwrites }
            }
            _ => return Err(Malformed("there is no such command")),
        })
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

#[cfg(test)]
pub(super) mod tests;
