//! What Raft tells its owner.

use super::entry::Entry;
use super::snapshot::Snapshot;
use alloc::sync::Arc;
use contract::DiskError;

/// What the owner must do or know, in the order in which it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ready {
    /// Apply this committed entry. They come in the order of the log without gaps, from index 1 or
    /// what was restored last, and at most `apply_batch_max` per call: an entry may be committed
    /// long before it comes here.
    Apply(Entry),
    /// Forget the state, and take up that of this snapshot: after a boot, or because the leader has
    /// cut off what this node lacks.
    Restore(Arc<Snapshot>),
    /// Answer with the state as it is now by [`super::Raft::snapshot_taken`], before anything else.
    TakeSnapshot {
        /// The index that has been applied by now.
        index: u64,
    },
    /// A read asked for by [`super::Raft::read_index`] may be answered once the owner has applied
    /// `index`.
    ReadReady {
        /// The read.
        id: ReadId,
        /// What must be applied first.
        index: u64,
        /// The cluster time that the confirming round carried, in nanoseconds: the clock by which
        /// the read is judged.
        time: u64,
    },
    /// The read was not confirmed and never will be: leadership was lost. Ask again elsewhere.
    ReadFailed {
        /// The read.
        id: ReadId,
    },
    /// This node was elected. Reads must wait for its no-op to be applied; Raft sees to that.
    BecameLeader {
        /// Its term.
        term: u64,
    },
    /// This node is not leader any more. The outcome of each of its proposals that was not applied
    /// yet is *unknown*: a later leader may still commit it.
    SteppedDown {
        /// The term that it led.
        term: u64,
    },
    /// The disk failed under a write or a sync. The node takes no part until it is restarted and
    /// has read its disk again: what the disk kept is not known.
    StorageFailed(DiskError),
}

/// A read-index request, unique within one boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReadId(pub u64);

/// Why a request was not taken: it certainly has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotLeader {
    /// The index of the peer to ask instead, where one is known. Never this node.
    pub hint: Option<u32>,
}

/// What a node is at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Follows a leader, or waits for one.
    #[default]
    Follower,
    /// Asks whether it could win before it disturbs anyone (raft-thesis §9.6).
    PreCandidate,
    /// Asks for votes.
    Candidate,
    /// Leads its term.
    Leader,
}

impl Role {
    /// One character for status lines: `f`, `p`, `c`, `L`.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Follower => 'f',
            Self::PreCandidate => 'p',
            Self::Candidate => 'c',
            Self::Leader => 'L',
        }
    }

    /// As in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Follower => "follower",
            Self::PreCandidate => "pre-candidate",
            Self::Candidate => "candidate",
            Self::Leader => "leader",
        }
    }
}
