//! Names of things, as small numbers.
//!
//! **Invariant:** no id depends on an address, a hash or the order of execution. A `NodeId` is the
//! rank of the node by (group name, index), so it may shift when a group is added; whatever must
//! survive that (random streams, digests, bytes on a wire) uses the node's name or its index in
//! its group instead.

/// One node of a world, numbered densely from 0 in the order (group name, index in the group).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

impl NodeId {
    /// The position of this node in a vector indexed by node.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One connection: who opened it, and the opener's count of connections ever opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId {
    /// The node that opened the connection.
    pub opener: NodeId,
    /// Unique for that node, also across its restarts.
    pub number: u32,
}

/// What streams name a connection by is eight bytes long.
const _: () = assert!(size_of::<ConnId>() == 8);

/// One client operation, unique in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId(pub u64);

/// A timer of a node. Setting it again moves it; a node has at most one timer per key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerKey(pub u64);

/// A sync that a node asked for; chosen by the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SyncId(pub u64);
