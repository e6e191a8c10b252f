//! The lab's operation language: what clients ask of any system, and what came back.
//!
//! Clients in scenario files speak it, a client node translates it to its system's protocol, and
//! every model and checker works on it. Values travel by identity; their bytes are derived from
//! the identity where a system stores them, and verified where it returns them.

use crate::id::{NodeId, OpId};
use crate::time::{Duration, SimTime};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// A value by identity: its bytes follow from `id` and are `size_bytes` long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value {
    /// Unique among the values written in a run, so a read names the write it saw.
    pub id: u64,
    /// The length of the value's bytes.
    pub size_bytes: u32,
}

impl Value {
    /// The shortest value that carries its identity.
    pub const SIZE_MIN: u32 = 8;
    /// Values that were there from the start are told from written ones by this bit of their id.
    pub const PRELOADED: u64 = 1 << 63;

    /// Appends the bytes of this value: the id, big-endian, then a pattern that follows from it.
    pub fn write_bytes(self, out: &mut Vec<u8>) {
        assert!(self.size_bytes >= Self::SIZE_MIN, "a value holds its id");
        let start = out.len();
        out.extend_from_slice(&self.id.to_be_bytes());
        let pattern = crate::hash::mix(self.id, 0x7661_6c75_6500_0000).to_be_bytes();
        let end = start + self.size_bytes as usize;
        while out.len() < end {
            let take = (end - out.len()).min(pattern.len());
            out.extend_from_slice(&pattern[..take]);
        }
        assert_eq!(out.len(), end, "as many bytes as it is long");
    }

    /// The value whose bytes these are; `None` when a single one of them is wrong.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let size_bytes = u32::try_from(bytes.len()).ok()?;
        let id = u64::from_be_bytes(bytes.get(..8)?.try_into().ok()?);
        assert!(size_bytes >= Self::SIZE_MIN, "it holds an id");
        let pattern = crate::hash::mix(id, 0x7661_6c75_6500_0000).to_be_bytes();
        let matches = bytes[8..].chunks(8).all(|chunk| chunk == &pattern[..chunk.len()]);
        matches.then_some(Self { id, size_bytes })
    }
}

/// How fresh a read must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReadLevel {
    /// As if there were one copy: by read-index or through the log.
    #[default]
    Linearizable,
    /// From the leader under its lease; linearizable as long as clocks keep their bound.
    Lease,
    /// Whatever the node has.
    Stale,
}

/// One operation as a client asks for it. A key `k` is 8 bytes, big-endian, on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of an operation are its arguments, named as such")]
pub enum Call {
    /// Reads one key.
    Get { key: u64, read: ReadLevel },
    /// Reads several keys at once.
    BatchGet { keys: Vec<u64>, read: ReadLevel },
    /// Writes one key; with `ttl`, until it has passed.
    Put { key: u64, value: Value, ttl: Option<Duration> },
    /// Removes one key.
    Delete { key: u64 },
    /// Writes `value` if the key holds `expect` (`None`: is absent).
    Cas { key: u64, expect: Option<Value>, value: Value },
    /// Adds to a counter.
    Add { key: u64, delta: i64 },
    /// Appends to a list.
    Append { key: u64, value: Value },
    /// Takes a lock.
    Acquire { key: u64 },
    /// Gives a lock back.
    Release { key: u64 },
    /// An administrative verb of the system.
    Admin { verb: &'static str, arg: u64 },
    /// An operation that only one system knows.
    Own(Box<OwnCall>),
}

/// How many integers a call or an answer of a system's own carries at the most.
pub const OWN_ARGS_MAX: usize = 4;

/// A value holds its id.
const _: () = assert!(Value::SIZE_MIN as usize == size_of::<u64>());

/// A call of an operation that only one system knows; its own model judges it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCall {
    /// The row of the system's table of operations.
    pub row: u16,
    /// The name in that row.
    pub name: &'static str,
    /// The key, where the operation is about exactly one.
    pub key: Option<u64>,
    /// The arguments in the order of the row; unused ones are 0.
    pub args: [u64; OWN_ARGS_MAX],
}

/// An answer to an operation that only one system knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnRet {
    /// What came of it, in a word that reports show: `granted`.
    pub word: &'static str,
    /// What the answer carries; unused ones are 0.
    pub args: [u64; OWN_ARGS_MAX],
}

impl Call {
    /// The name of the operation in scenario files and reports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Get { .. } => "get",
            Self::BatchGet { .. } => "batch-get",
            Self::Put { .. } => "put",
            Self::Delete { .. } => "delete",
            Self::Cas { .. } => "cas",
            Self::Add { .. } => "add",
            Self::Append { .. } => "append",
            Self::Acquire { .. } => "acquire",
            Self::Release { .. } => "release",
            Self::Admin { .. } => "admin",
            Self::Own(own) => own.name,
        }
    }

    /// The key that the operation is about, where it is about exactly one.
    #[must_use]
    pub fn key(&self) -> Option<u64> {
        match self {
            Self::Get { key, .. }
            | Self::Put { key, .. }
            | Self::Delete { key }
            | Self::Cas { key, .. }
            | Self::Add { key, .. }
            | Self::Append { key, .. }
            | Self::Acquire { key }
            | Self::Release { key } => Some(*key),
            Self::Own(own) => own.key,
            Self::BatchGet { .. } | Self::Admin { .. } => None,
        }
    }
}

/// What an operation that certainly took effect returned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of an answer are named as in the operation")]
pub enum Ret {
    /// A read saw `value`.
    Found { value: Value, version: u64, stale: bool },
    /// A read saw nothing.
    Missing,
    /// A write took effect.
    Done { version: u64 },
    /// A delete took effect and removed `previous`.
    Deleted { previous: Option<Value> },
    /// A compare-and-set found `seen` instead and changed nothing.
    Conflict { seen: Option<Value> },
    /// The counter after an addition.
    Added { total: i64 },
    /// The list as a read or an append saw it.
    List { items: Vec<Value> },
    /// One answer per key of a batch, in the order of its keys.
    Batch { values: Vec<Option<Value>> },
    /// What an operation that only one system knows returned.
    Own(Box<OwnRet>),
}

/// How an operation ended. Knossos' `:ok`, `:fail`, `:info`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It took effect between its call and its return.
    Ok(Ret),
    /// It certainly did not take effect and never will.
    Fail,
    /// It may have taken effect, or may take effect at any later time.
    Unknown,
}

/// One client operation. `[call_at, ret_at]` is closed; `ret_at` is [`SimTime::MAX`] when the
/// outcome is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Op {
    /// Unique in the run; in the order of invocation.
    pub id: OpId,
    /// The client node that invoked it.
    pub client: NodeId,
    /// The logical process: after an unknown outcome a client continues as a new one.
    pub process: u32,
    /// What was asked.
    pub call: Call,
    /// What came back.
    pub outcome: Outcome,
    /// When the load asked for it; latency counts from here and includes waiting and retries.
    pub arrived_at: SimTime,
    /// When the client sent it.
    pub call_at: SimTime,
    /// When the client had its answer.
    pub ret_at: SimTime,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_bytes_round_trip_and_are_verified() {
        for size_bytes in [8, 9, 15, 16, 64, 1001] {
            let value = Value { id: 77, size_bytes };
            let mut bytes = Vec::new();
            value.write_bytes(&mut bytes);
            assert_eq!(bytes.len(), size_bytes as usize);
            assert_eq!(Value::from_bytes(&bytes), Some(value));
            if let Some(last) = bytes.get_mut(8) {
                *last ^= 1;
                assert_eq!(Value::from_bytes(&bytes), None);
            }
        }
    }

    #[test]
    fn short_bytes_are_no_value() {
        assert_eq!(Value::from_bytes(b"1234567"), None);
    }
}
