//! What a Raft node is told at boot.

use super::flaws::Flaws;
use alloc::vec::Vec;
use contract::{Duration, NodeId, Ratio};

/// The most peers in a group, voters and learners together.
pub const PEERS_MAX: usize = 32;

/// The settings of one node of a group. All nodes of a group must agree on all but `me`,
/// `election_fixed` and `flaws`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// This node's index in the group.
    pub me: u32,
    /// The indexes of the peers that vote. The others are learners: they replicate, and count for
    /// no quorum.
    pub voters: Vec<u32>,
    /// Where each peer is, by index; contains this node.
    pub peers: Vec<NodeId>,
    /// How often a leader sends heartbeats. Shorter finds losses sooner and costs messages. 150 ms.
    pub heartbeat: Duration,
    /// How long a follower waits for a leader: drawn from `[min, max)` at every reset. The minimum
    /// is also how long a voter that heard a leader refuses others, and how long a leader may go
    /// without a quorum. At least three heartbeats. `[1500 ms, 3000 ms)`.
    pub election: (Duration, Duration),
    /// Waits exactly this long instead. For experiments; `None`.
    pub election_fixed: Option<Duration>,
    /// Whether a node asks before it raises its term (raft-thesis §9.6). On.
    pub pre_vote: bool,
    /// Whether a leader steps down when it has not heard a quorum for `election.0`
    /// (raft-thesis §6.2). On.
    pub check_quorum: bool,
    /// How long after *sending* a heartbeat round that a quorum answered a leader may serve reads
    /// alone; zero for never. Cut where `drift_max` makes it unsafe. 1000 ms.
    pub lease: Duration,
    /// The largest error of a clock's rate that leases allow for: they are safe while
    /// `lease · (1 + d) < election.0 · (1 − d)`.
    pub drift_max: Ratio,
    /// Deadlines are rounded up to multiples of this, at a phase drawn at boot, as in an
    /// implementation with a tick loop; zero for exact deadlines. 50 ms.
    pub tick: Duration,
    /// The most entries in one append. 64.
    pub entries_per_append_max: u32,
    /// The most bytes of entries in one append; a single larger entry still goes. 256 KiB.
    pub append_bytes_max: u32,
    /// The most appends to one peer that wait for an answer. 16.
    pub inflight_max: u32,
    /// The most entries handed to the owner per call. 64.
    pub apply_batch_max: u32,
    /// How long after a full batch the next one is handed out. 100 µs.
    pub apply_pause: Duration,
    /// Planted flaws; none.
    pub flaws: Flaws,
}

impl Config {
    /// The values of the field documentation, for the group `peers` of which all vote.
    #[must_use]
    pub fn new(me: u32, peers: Vec<NodeId>) -> Self {
        Self {
            me,
            voters: (0..peers.len() as u32).collect(),
            peers,
            heartbeat: Duration::from_millis(150),
            election: (Duration::from_millis(1500), Duration::from_millis(3000)),
            election_fixed: None,
            pre_vote: true,
            check_quorum: true,
            lease: Duration::from_millis(1000),
            drift_max: Ratio::new(1, 100),
            tick: Duration::from_millis(50),
            entries_per_append_max: 64,
            append_bytes_max: 256 << 10,
            inflight_max: 16,
            apply_batch_max: 64,
            apply_pause: Duration::from_micros(100),
            flaws: Flaws::default(),
        }
    }
}
