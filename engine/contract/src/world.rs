//! What a fault may see and bend.
//!
//! A condition is one bent law of physics, as a value: it can be logged, replayed, shrunk and
//! drawn as a span. Conditions stack: what several impose on one link, node or disk is combined,
//! and lifting one leaves what the others imposed. How they combine is stated on each.

use crate::disk::{DiskFate, FileId};
use crate::dist::Dist;
use crate::id::NodeId;
use crate::rng::Ratio;
use crate::time::Duration;
use alloc::vec::Vec;

/// The world as a fault sees it. Object safe, so that every host can offer it.
pub trait World {
    /// The nodes that `selector` means right now; the order is the order of node ids unless the
    /// selector draws at random.
    fn select(&mut self, selector: &str) -> Vec<NodeId>;
    /// Imposes a lasting condition.
    fn impose(&mut self, condition: Condition) -> Result<ConditionId, Unsupported>;
    /// Lifts exactly what `impose` returned; what others imposed stays.
    fn lift(&mut self, id: ConditionId);
    /// Applies an instantaneous shock.
    fn strike(&mut self, shock: Shock) -> Result<(), Unsupported>;
}

/// What happens to messages that are under way when a link is cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum InFlight {
    /// They are lost with the link.
    #[default]
    Lost,
    /// They arrive.
    Kept,
}

/// What becomes of the connections of a node that goes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sockets {
    /// The process died: its operating system breaks them, and refuses new ones.
    Closed,
    /// The power went: nothing is sent any more and nothing is answered. The peers find out by
    /// their own time-outs, or from the machine once it is back and does not know them.
    Silent,
}

impl Sockets {
    /// What an outage that does `disk` to the disk does to the connections: only the death of a
    /// process leaves everything on the disk.
    #[must_use]
    pub const fn of(disk: DiskFate) -> Self {
        match disk {
            DiskFate::Kept => Self::Closed,
            DiskFate::UnsyncedLost | DiskFate::Torn | DiskFate::Wiped => Self::Silent,
        }
    }
}

/// One bent law. Links are directed: a symmetric fault imposes two conditions.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields name what they bend; units stand in the names")]
pub enum Condition {
    /// Nothing sent on the link arrives. Any block closes the link.
    Block { from: NodeId, to: NodeId, in_flight: InFlight },
    /// What is sent on the link waits, and is delivered when the last hold is lifted.
    Hold { from: NodeId, to: NodeId },
    /// Messages are lost. Combine as independent chances.
    Loss { from: NodeId, to: NodeId, ratio: Ratio },
    /// Messages arrive twice. Combine as independent chances.
    Duplicate { from: NodeId, to: NodeId, ratio: Ratio },
    /// Messages are delayed by an extra draw, so that later ones overtake them. Combine: ratios as
    /// independent chances, extras by the longest.
    Reorder { from: NodeId, to: NodeId, ratio: Ratio, extra: Duration },
    /// One bit of a message is flipped. Combine as independent chances.
    Corrupt { from: NodeId, to: NodeId, ratio: Ratio },
    /// Every message takes longer by a draw. Delays add.
    Delay { from: NodeId, to: NodeId, extra: Dist },
    /// The link carries at most so many bytes per second. The least holds.
    Bandwidth { from: NodeId, to: NodeId, bytes_per_s: u64 },
    /// Crashes the node when imposed; it boots when the last `Down` on it is lifted. The worst
    /// fate of the disk holds, and once its connections are silent they stay so until it boots.
    Down { node: NodeId, disk: DiskFate, sockets: Sockets },
    /// The node does nothing; inputs wait. Any pause holds it.
    Pause { node: NodeId },
    /// What the node spends takes `times` times as long. Factors multiply.
    SlowCpu { node: NodeId, times: u32 },
    /// The node may use at most so much logical memory; past it it is killed, and boots when the
    /// last such limit on it is lifted. The least holds.
    MemoryLimit { node: NodeId, bytes: u64 },
    /// The node's clocks run fast or slow by parts per million. Drifts add.
    Drift { node: NodeId, ppm: i32 },
    /// Every operation of the node's disk takes longer. Delays add.
    DiskSlow { node: NodeId, read: Duration, write: Duration, sync: Duration },
    /// A sync is answered as good although nothing became durable. Combine as chances.
    SyncLies { node: NodeId, ratio: Ratio },
    /// A sync fails, and what it should have made durable is lost. Combine as chances.
    SyncFails { node: NodeId, ratio: Ratio },
    /// A write fails. Combine as chances.
    WriteFails { node: NodeId, ratio: Ratio },
    /// A read returns one flipped bit. Combine as chances.
    ReadCorrupt { node: NodeId, ratio: Ratio },
    /// A write stores one flipped bit. Combine as chances.
    WriteCorrupt { node: NodeId, ratio: Ratio },
    /// A write lands at another offset of the file. Combine as chances.
    Misdirect { node: NodeId, ratio: Ratio },
    /// The disk holds at most so many bytes. The least holds.
    Capacity { node: NodeId, bytes: u64 },
    /// What the node spends takes `permille` thousandths as long: a service that slowed down, or
    /// sped up. Factors multiply, also with those of `SlowCpu`.
    ServiceTime { node: NodeId, permille: u32 },
}

/// An instantaneous shock.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields name what they strike; units stand in the names")]
pub enum Shock {
    /// The node's wall clock jumps.
    WallJump { node: NodeId, by_ns: i64 },
    /// One durable bit of a file rots.
    FlipBit { node: NodeId, file: FileId, bit: u64 },
    /// The node receives bytes that nobody sent.
    InjectFrame { from: NodeId, to: NodeId, bytes: Vec<u8> },
    /// Every open connection of the node breaks, as when a middlebox forgets them: the node learns
    /// it at once, the peers once the reset has reached them. What was under way is lost.
    Reset { node: NodeId },
}

/// What a condition bends or a shock strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the fields are the ends of the link")]
pub enum Target {
    /// A node, with its clocks and its disk.
    Node(NodeId),
    /// What one node sends to another.
    Link { from: NodeId, to: NodeId },
}

impl Target {
    /// The node, if it is one.
    #[must_use]
    pub const fn node(self) -> Option<NodeId> {
        match self {
            Self::Node(node) => Some(node),
            Self::Link { .. } => None,
        }
    }

    /// The link, if it is one: from whom and to whom.
    #[must_use]
    pub const fn link(self) -> Option<(NodeId, NodeId)> {
        match self {
            Self::Link { from, to } => Some((from, to)),
            Self::Node(_) => None,
        }
    }

    /// The nodes concerned: one, or the two ends of a link.
    pub fn nodes(self) -> impl Iterator<Item = NodeId> {
        let (first, second) = match self {
            Self::Node(node) => (node, None),
            Self::Link { from, to } => (from, Some(to)),
        };
        core::iter::once(first).chain(second)
    }
}

impl Condition {
    /// An outage of a node, whose connections fare as the fate of its disk implies.
    #[must_use]
    pub const fn down(node: NodeId, disk: DiskFate) -> Self {
        Self::Down { node, disk, sockets: Sockets::of(disk) }
    }

    /// What it bends. Without a catch-all arm, so that whoever adds a condition decides.
    #[must_use]
    pub const fn target(&self) -> Target {
        match self {
            Self::Block { from, to, .. }
            | Self::Hold { from, to }
            | Self::Loss { from, to, .. }
            | Self::Duplicate { from, to, .. }
            | Self::Reorder { from, to, .. }
            | Self::Corrupt { from, to, .. }
            | Self::Delay { from, to, .. }
            | Self::Bandwidth { from, to, .. } => Target::Link { from: *from, to: *to },
            Self::Down { node, .. }
            | Self::Pause { node }
            | Self::SlowCpu { node, .. }
            | Self::MemoryLimit { node, .. }
            | Self::Drift { node, .. }
            | Self::DiskSlow { node, .. }
            | Self::SyncLies { node, .. }
            | Self::SyncFails { node, .. }
            | Self::WriteFails { node, .. }
            | Self::ReadCorrupt { node, .. }
            | Self::WriteCorrupt { node, .. }
            | Self::Misdirect { node, .. }
            | Self::Capacity { node, .. }
            | Self::ServiceTime { node, .. } => Target::Node(*node),
        }
    }

    /// The node that does not run while it holds. Without a catch-all arm, as [`Condition::target`].
    #[must_use]
    pub const fn keeps_down(&self) -> Option<NodeId> {
        match self {
            Self::Down { node, .. } => Some(*node),
            Self::Block { .. }
            | Self::Hold { .. }
            | Self::Loss { .. }
            | Self::Duplicate { .. }
            | Self::Reorder { .. }
            | Self::Corrupt { .. }
            | Self::Delay { .. }
            | Self::Bandwidth { .. }
            | Self::Pause { .. }
            | Self::SlowCpu { .. }
            | Self::MemoryLimit { .. }
            | Self::Drift { .. }
            | Self::DiskSlow { .. }
            | Self::SyncLies { .. }
            | Self::SyncFails { .. }
            | Self::WriteFails { .. }
            | Self::ReadCorrupt { .. }
            | Self::WriteCorrupt { .. }
            | Self::Misdirect { .. }
            | Self::Capacity { .. }
            | Self::ServiceTime { .. } => None,
        }
    }
}

impl Shock {
    /// What it strikes.
    #[must_use]
    pub const fn target(&self) -> Target {
        match self {
            Self::WallJump { node, .. } | Self::FlipBit { node, .. } | Self::Reset { node } => {
                Target::Node(*node)
            }
            Self::InjectFrame { from, to, .. } => Target::Link { from: *from, to: *to },
        }
    }
}

/// What [`World::impose`] returned; unique in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConditionId(pub u32);

/// This host cannot do that; the run is skipped, loudly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsupported(pub &'static str);

const _: () = {
    let (from, to) = (NodeId(7), NodeId(8));
    assert!(matches!(Target::Node(from).node(), Some(NodeId(7))));
    assert!(matches!(Target::Link { from, to }.link(), Some((NodeId(7), NodeId(8)))));
    assert!(Target::Node(from).link().is_none());
};
