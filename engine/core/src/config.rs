//! What a world is made of: nodes, links, disks and clocks, every parameter already drawn.

use crate::net::pins::Pin;
use alloc::string::String;
use alloc::vec::Vec;
use contract::{Dist, Duration, NodeId, Ratio};

/// A world, complete: together with the nodes and the load it determines the run.
#[derive(Clone, Debug)]
pub struct Config {
    /// The root of every random stream.
    pub seed: u64,
    /// The nodes, indexed by `NodeId`. Names must be unique.
    pub nodes: Vec<NodeSpec>,
    /// What holds on every link that `links` does not name.
    pub link: LinkSpec,
    /// Links (from, to) that differ.
    pub links: Vec<(NodeId, NodeId, LinkSpec)>,
    /// How events at one instant are ordered.
    pub ties: Ties,
    /// The run stops with `Stopped::Budget` after so many events.
    pub events_max: u64,
    /// Datagrams (from, to, number on the link from 0) whose fate is not left to chance.
    pub pins: Vec<(NodeId, NodeId, u64, Pin)>,
}

/// How events at one instant are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ties {
    /// By class, receiver, sender and number: the same on every host.
    #[default]
    Canonical,
    /// In an order drawn per instant from the seed; faults still come first.
    Explore,
}

/// One node.
#[derive(Clone, Debug, Default)]
pub struct NodeSpec {
    /// `h/2`: names the node's random streams and its part of the digest.
    pub name: String,
    /// Its clocks.
    pub clock: ClockSpec,
    /// Logical memory, in bytes, past which it is killed.
    pub memory_limit: Option<u64>,
    /// Its disk.
    pub disk: DiskSpec,
    /// How it comes to life.
    pub boots: Boots,
}

impl NodeSpec {
    /// Whether it waits for another node to start it.
    #[must_use]
    pub fn is_dormant(&self) -> bool {
        self.boots != Boots::WithWorld
    }
}

/// How a node comes to life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Boots {
    /// With the world, and again after every outage.
    #[default]
    WithWorld,
    /// When another node starts it, on that node's machine. Its clock and its disk are those of the
    /// machine, whatever stands here.
    WhenStarted {
        /// Whether its files outlive it, until it is started on that machine again.
        durable: bool,
    },
}

/// A node's clocks, against simulated time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockSpec {
    /// How far the wall clock is ahead (or, negative, behind) when the run starts.
    pub skew_ns: i64,
    /// How fast both clocks run: parts per million too fast, or, negative, too slow.
    pub drift_ppm: i32,
}

/// One direction of a link between two nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkSpec {
    /// How long a message is under way, in nanoseconds.
    pub latency: Dist,
    /// How often a message is lost.
    pub loss: Ratio,
    /// How often a datagram arrives twice.
    pub duplicate: Ratio,
    /// How often a message takes up to `reorder_extra` longer, so that later ones overtake it.
    pub reorder: Ratio,
    /// The longest extra delay of a reordered message.
    pub reorder_extra: Duration,
    /// How often one bit of a message is flipped. On a stream the segment is sent again.
    pub corrupt: Ratio,
    /// Bytes per second; `None` is without limit.
    pub bandwidth: Option<u64>,
}

impl Default for LinkSpec {
    /// A faultless link of one millisecond.
    fn default() -> Self {
        Self {
            latency: Dist::Constant(1_000_000),
            loss: Ratio::ZERO,
            duplicate: Ratio::ZERO,
            reorder: Ratio::ZERO,
            reorder_extra: Duration::ZERO,
            corrupt: Ratio::ZERO,
            bandwidth: None,
        }
    }
}

/// One node's disk.
#[derive(Clone, Debug, PartialEq)]
pub struct DiskSpec {
    /// How long a read takes, in nanoseconds; the node is busy meanwhile.
    pub read: Dist,
    /// How long a write takes, in nanoseconds; the node is busy meanwhile.
    pub write: Dist,
    /// How long a sync takes, in nanoseconds; the node goes on meanwhile.
    pub sync: Dist,
    /// How often a read returns one flipped bit.
    pub read_corrupt: Ratio,
    /// How often a write stores one flipped bit.
    pub write_corrupt: Ratio,
    /// How often a write lands at another offset of its file.
    pub misdirect: Ratio,
    /// How often a crash that loses unsynced writes tears one of them.
    pub torn: Ratio,
    /// How often a sync is answered as good although nothing became durable.
    pub sync_lie: Ratio,
    /// How many bytes it holds; `None` is without limit.
    pub capacity: Option<u64>,
}

impl Default for DiskSpec {
    /// A faultless disk that takes no time.
    fn default() -> Self {
        Self {
            read: Dist::Constant(0),
            write: Dist::Constant(0),
            sync: Dist::Constant(0),
            read_corrupt: Ratio::ZERO,
            write_corrupt: Ratio::ZERO,
            misdirect: Ratio::ZERO,
            torn: Ratio::ZERO,
            sync_lie: Ratio::ZERO,
            capacity: None,
        }
    }
}
