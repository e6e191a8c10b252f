//! What clients and cache nodes say to each other: one message per frame, in Protocol Buffers.
//!
//! | message | source → target | meaning |
//! |---|---|---|
//! | get, batch-get | client → node | read keys, as fresh as the level asks, within a time |
//! | set, delete, compare-and-set | client → node | a write, with its session (raft-thesis §6.3) |
//! | admin | operator → node | step down, evict, say how you are |
//! | hello | client → gateway | who the client is, and its token; not answered |
//! | found, missing | node → client | what a get saw |
//! | item | node → client | what a batch-get saw of one of its keys; a stream, in order |
//! | applied | node → client | what a write did |
//! | not-leader | node → client | not proposed: ask the node of the hint |
//! | retry | node → client | the read could not be confirmed: ask again |
//! | unknown | node → client | the write is in the log of a deposed leader: it may yet commit |
//! | refused | node → client | it has no effect and never will |
//! | done | node → operator | how many entries it concerned |
//! | unavailable | node → client | the database did not answer: ask again later |
//! | invalidate | node → client | a key was written that the client may keep; answers nothing |
//!
//! A request starts with an id of the client's choice, which its answers repeat. Nodes are named by
//! their index in the group. [`messages`] has the fields; here are the types that nodes work with,
//! which borrow from a message that arrived ([`RequestFrame`], [`ResponseFrame`]).

pub mod messages;
mod request;
mod response;

use super::command::{Applied, Command, Refusal};
use crate::service::Decoded;
use alloc::vec::Vec;
use contract::{Duration, ReadLevel};
use messages as pb;

/// How long a read may take where its request does not say (`DEFAULT_TIMEOUT_MS`).
pub const TIMEOUT_DEFAULT: Duration = Duration::from_millis(100);

/// How fresh a read must be, and how soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// How fresh.
    pub level: ReadLevel,
    /// How long its client waits for the answer, in whole milliseconds.
    pub timeout: Duration,
    /// Whether the client wants to keep what it reads, and to be told when that is over.
    pub watch: bool,
}

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// Reads one key.
    Get {
        /// How.
        options: ReadOptions,
        /// The key.
        key: &'a [u8],
    },
    /// Reads several keys at one moment.
    BatchGet {
        /// How.
        options: ReadOptions,
        /// The keys, at most [`super::BATCH_KEYS_MAX`] of them where a node takes it.
        keys: Vec<&'a [u8]>,
    },
    /// Says who opened the connection. What it proves it by is empty where it does not.
    Hello {
        /// A hash of its name.
        client: u64,
        /// See [`crate::protocol::token`].
        token: &'a [u8],
        /// See [`crate::protocol::tls`].
        certificate: &'a [u8],
    },
    /// What an operator asks for.
    Admin {
        /// The verb.
        verb: Verb,
        /// How many, for [`Verb::Evict`].
        count: u64,
    },
    /// Writes one key: a put, a delete or a compare-and-set.
    Write(Command<'a>),
}

/// What an operator can ask of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Hand leadership to another node (`/admin/raft/step-down`).
    StepDown,
    /// Evict so many entries (`/admin/cache/evict?count=`).
    Evict,
    /// Say whether this node serves, and how many entries it holds.
    Health,
}

impl Verb {
    /// All of them, in the order of their codes, which start at 0.
    pub const ALL: [Self; 3] = [Self::StepDown, Self::Evict, Self::Health];

    /// As in [`contract::Call::Admin`].
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::StepDown => "step-down",
            Self::Evict => "evict",
            Self::Health => "health",
        }
    }
}

/// What a node answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// A get saw this value.
    Found {
        /// The version of the entry.
        version: u64,
        /// Whether the node did not confirm that nothing newer is committed, or the entry is over.
        stale: bool,
        /// How long the client may keep it; zero for not at all.
        hint: Duration,
        /// The bytes of the value.
        value: &'a [u8],
    },
    /// A get saw nothing.
    Missing,
    /// A batch-get saw this of one of its keys.
    Item {
        /// Which key, from 0; they come in order.
        position: u32,
        /// How many there are. One item answers a request without keys.
        of: u32,
        /// What it holds.
        value: Option<&'a [u8]>,
    },
    /// A write took effect as said.
    Applied(Applied),
    /// This node does not lead; certainly nothing was proposed.
    NotLeader {
        /// The index of the node that does, where it is known.
        hint: Option<u32>,
    },
    /// The read could not be confirmed.
    Retry,
    /// The write was proposed, and then leadership was lost.
    Unknown,
    /// The request has no effect and never will.
    Refused(Refusal),
    /// What an operator asked for was done, so often.
    Done {
        /// How many entries are to leave, or are held; 1 for a step down.
        count: u64,
    },
    /// The database did not answer, or too many wait for it: nothing happened, ask again later.
    Unavailable,
    /// What the client keeps of a key is over. Its id is 0.
    Invalidate {
        /// The key; every key where it is absent.
        key: Option<&'a [u8]>,
        /// The version that took its place, or under which it left.
        version: u64,
    },
}

impl Answer<'_> {
    /// Whether more answers to the same request follow.
    #[must_use]
    pub const fn is_partial(&self) -> bool {
        matches!(self, Self::Item { position, of, .. } if *position + 1 < *of)
    }
}

/// A request that arrived.
pub type RequestFrame = Decoded<pb::Request>;

/// An answer that arrived.
pub type ResponseFrame = Decoded<pb::Response>;

#[cfg(test)]
mod tests;
