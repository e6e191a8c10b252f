//! What a command did, or why it did nothing: the answers of the state machine.

use crate::protocol::cache::StoreError;
use crate::protocol::frame::{Cursor, Malformed};
use alloc::vec::Vec;
use contract::Value;

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
    /// The store refuses it.
    Store(StoreError),
    /// More than [`super::super::BATCH_KEYS_MAX`] keys in one request.
    BatchTooLarge {
        /// How many.
        size: u64,
        /// The limit.
        max: u64,
    },
    /// A longer life than [`crate::protocol::cache::TTL_MAX`].
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
    /// Planted defect: leadership was lost, reported as if the write could not happen any more.
    Aborted,
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
    /// The stored value is damaged, or the one that arrived.
    pub const DAMAGED: Self = Self::Store(StoreError::HmacVerificationFailed);
    /// The bytes are not a request.
    pub const MALFORMED: Self = Self::Store(StoreError::SerializationError("it is no request"));

    /// Its code, and the two figures of its message.
    #[must_use]
    pub const fn parts(self) -> (u8, u64, u64) {
        match self {
            Self::Store(StoreError::KeyTooLarge { size, max }) => (1, size, max),
            Self::Store(StoreError::ValueTooLarge { size, max }) => (2, size, max),
            Self::Store(StoreError::StoreFull { current, max }) => (3, current, max),
            Self::Store(StoreError::HmacVerificationFailed) => (4, 0, 0),
            Self::Store(StoreError::SerializationError(_)) => (5, 0, 0),
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
            1 => Self::Store(StoreError::KeyTooLarge { size, max }),
            2 => Self::Store(StoreError::ValueTooLarge { size, max }),
            3 => Self::Store(StoreError::StoreFull { current: size, max }),
            4 => Self::DAMAGED,
            5 => Self::MALFORMED,
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

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
