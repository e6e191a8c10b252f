//! One entry of the queue or of a node's inbox: small and `Copy`; payloads live elsewhere.

use crate::frames::FrameId;
use contract::{CloseReason, ConnId, DiskError, NodeId, SimTime, StartError, SyncId, TimerKey};

/// What is due, for whom, from whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    /// The number on the link, or per node and class: orders what is otherwise equal.
    pub n: u64,
    /// Who caused it; the receiver itself for timers and the like.
    pub src: NodeId,
    /// Who gets it.
    pub dst: NodeId,
    /// What it is.
    pub what: What,
}

/// The queue copies records, and a cache line holds one.
const _: () = assert!(size_of::<Record>() <= 64);

/// What a record stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    /// A slot of the harness.
    Fault { token: u32 },
    /// A node may go on with its inbox.
    Wake,
    /// A datagram on a link. `boot` and `cut` say in which life of the receiver and between which
    /// cuts of the link it was sent.
    Datagram { frame: FrameId, link: u32, boot: u32, cut: u32 },
    /// The head of one direction of a connection is due.
    Flow { conn: u32, serial: u32, way: u8 },
    /// One direction of a connection may have been cut for too long.
    CutOff { conn: u32, serial: u32, way: u8, since: SimTime },
    /// A request to open may have waited for too long.
    OpenEnd { conn: u32, serial: u32 },
    /// An end whose peer has gone without a word may find out.
    KeepAlive { conn: u32, serial: u32, end: u8 },
    /// The disk ended a sync.
    SyncEnd { sync: SyncId, ticket: u32, boot: u32 },
    /// A client may be woken. `n` tells whether it still is to be.
    Invoke,
    /// A timer may be due. `n` tells whether it still is.
    Timer { key: TimerKey },
    /// A node asked for another to be started. `n` tells which of its wishes it is.
    Start,
    /// A node is to be stopped by another, in its life number `boot`.
    Stop { node: NodeId, boot: u32 },
    /// For the node.
    Opened { conn: ConnId },
    /// For the node.
    Data { conn: ConnId, frame: FrameId },
    /// For the node.
    Closed { conn: ConnId, reason: CloseReason, boot: u32 },
    /// For the node.
    Synced { sync: SyncId, result: Result<(), DiskError> },
    /// For the node.
    Started { ticket: u64, node: NodeId, boot: u32 },
    /// For the node.
    NotStarted { ticket: u64, reason: StartError, boot: u32 },
    /// For the node.
    Exited { node: NodeId, boot: u32 },
}

impl What {
    /// Tells kinds apart where two records of one sender have one number.
    pub const fn code(&self) -> u64 {
        match self {
            Self::Fault { .. } => 0,
            Self::Wake => 1,
            Self::Datagram { .. } => 2,
            Self::Flow { .. } => 3,
            Self::CutOff { .. } => 4,
            Self::SyncEnd { .. } => 5,
            Self::Invoke => 6,
            Self::Timer { .. } => 7,
            Self::Start => 8,
            Self::Stop { .. } => 9,
            Self::Opened { .. } => 11,
            Self::Data { .. } => 12,
            Self::Closed { .. } => 13,
            Self::Synced { .. } => 14,
            Self::Started { .. } => 15,
            Self::Exited { .. } => 16,
            Self::NotStarted { .. } => 17,
            Self::OpenEnd { .. } => 18,
            Self::KeepAlive { .. } => 19,
        }
    }
}

/// The classes of events at one instant, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Class {
    FaultEnd = 0,
    FaultStart = 1,
    /// Not an event for a node: what waited in an inbox was due earlier than all that follows.
    Wake = 2,
    Closed = 3,
    Opened = 4,
    Data = 5,
    /// Syncs, starts and exits.
    Ended = 6,
    Timer = 7,
    Invoke = 8,
}

/// Faults come first, the network before a node's own disk and timers, the load last.
const _: () = {
    assert!((Class::FaultEnd as u8) < Class::FaultStart as u8);
    assert!((Class::FaultStart as u8) < Class::Closed as u8);
    assert!((Class::Closed as u8) < Class::Opened as u8);
    assert!((Class::Opened as u8) < Class::Data as u8);
    assert!((Class::Data as u8) < Class::Ended as u8);
    assert!((Class::Ended as u8) < Class::Timer as u8);
    assert!((Class::Timer as u8) < Class::Invoke as u8);
};
