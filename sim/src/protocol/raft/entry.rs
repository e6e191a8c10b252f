//! Entries of the replicated log.

use super::configuration::Members;
use alloc::sync::Arc;
use core::fmt;

/// The position of an entry and the term of the leader that put it there; unique to one entry by
/// log matching (raft-paper §5.3). Ordered as logs are compared in elections (§5.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogId {
    /// The term of the leader that created the entry; 0 before the first entry.
    pub term: u64,
    /// The position in the log, from 1; 0 before the first entry.
    pub index: u64,
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The term of the leader that created it.
    pub term: u64,
    /// Its position, from 1.
    pub index: u64,
    /// The cluster time that its leader stamped on it, in nanoseconds: never goes back along the
    /// log, also across leaders. What expires by time is judged by this clock alone.
    pub time: u64,
    /// What it asks of the state machine.
    pub payload: Payload,
}

/// What an entry asks of the state machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Payload {
    /// Nothing: the first entry of each leader, which lets it commit (raft-thesis §6.4).
    Noop,
    /// A command of the owner; its bytes mean nothing to Raft.
    Command(Arc<[u8]>),
    /// The group is now this one. Nodes go by it from when they hold it, not from when it is
    /// committed (raft-thesis §4.1).
    Members(Members),
}

impl Entry {
    /// What an entry counts for beside its command, in bytes.
    pub const OVERHEAD_BYTES: u64 = 48;

    /// Its position and term.
    #[must_use]
    pub const fn id(&self) -> LogId {
        LogId { term: self.term, index: self.index }
    }

    /// The command; empty where it is none.
    #[must_use]
    pub fn command(&self) -> &[u8] {
        match &self.payload {
            Payload::Noop | Payload::Members(_) => &[],
            Payload::Command(bytes) => bytes,
        }
    }

    /// The configuration, where it holds one.
    #[must_use]
    pub const fn members(&self) -> Option<&Members> {
        match &self.payload {
            Payload::Members(members) => Some(members),
            Payload::Noop | Payload::Command(_) => None,
        }
    }

    /// What it counts for in memory and in the size of an append, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        Self::OVERHEAD_BYTES + self.command().len() as u64
    }
}

impl fmt::Display for LogId {
    /// Term and index: `2/17`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.term, self.index)
    }
}
