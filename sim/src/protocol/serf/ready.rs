//! What Serf tells its owner.

use crate::protocol::swim::Name;
use alloc::vec::Vec;

/// What the owner must know, in the order in which it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ready {
    /// Something happened to a member.
    Member(Name, Change),
    /// A user event, delivered once.
    Event {
        /// Its Lamport time.
        time: u64,
        /// What it is called.
        name: Vec<u8>,
        /// What it says.
        payload: Vec<u8>,
    },
    /// Somebody asks; answer by [`super::Serf::answer`].
    Query {
        /// Which.
        key: QueryKey,
        /// What is asked.
        name: Vec<u8>,
        /// With what.
        payload: Vec<u8>,
    },
    /// An answer to a query of its own; each member's counts once.
    Answer {
        /// Which query.
        key: QueryKey,
        /// Whose answer.
        from: Name,
        /// What it says.
        payload: Vec<u8>,
    },
    /// A member heard a query of its own.
    Acked {
        /// Which query.
        key: QueryKey,
        /// Who.
        from: Name,
    },
    /// The time of a query of its own is over.
    QueryDone(QueryKey),
    /// The own leaving is done.
    LeaveDone,
    /// A contact of a join was reached, or not.
    Contact {
        /// Whether it was reached.
        is_reached: bool,
    },
}

/// What happened to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It is there.
    Joined,
    /// It left, as it meant to.
    Left,
    /// It is gone without a word.
    Failed,
    /// It says something else of itself.
    Updated,
    /// It was gone for so long that it is forgotten.
    Reaped,
}

/// Which query: its Lamport time, and a number of its asker's, because two may share the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryKey {
    /// The Lamport time.
    pub time: u64,
    /// The number.
    pub id: u32,
}

/// Why a broadcast was not taken. It has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSent {
    /// It is longer than the settings allow.
    TooLong {
        /// How long it is.
        bytes: u64,
        /// How long it may be.
        bytes_max: u64,
    },
    /// Too much waits already: it is skipped, and counted.
    QueueFull,
}
