//! What a Raft node is told at boot.

use super::configuration::Members;
use super::defects::Defects;
use alloc::format;
use alloc::vec::Vec;
use catalog::Base;
use contract::{Duration, NodeId, Ratio, Refused};

/// The most peers in a group, voters and learners together.
pub const PEERS_MAX: usize = 32;

/// The settings of one node of a group. All nodes of a group must agree on all but `me`,
/// `election_fixed` and `defects`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// This node's index in the group.
    pub me: u32,
    /// The indexes of the peers that vote when the group is born. What the log or a snapshot says
    /// later holds instead.
    pub voters: Vec<u32>,
    /// The peers that replicate from the start and count for no quorum. Peers in neither list are
    /// spare: they wait until a change of membership takes them in.
    pub learners: Vec<u32>,
    /// Where each peer is, by index; contains this node.
    pub peers: Vec<NodeId>,
    /// How often a leader sends heartbeats. Shorter finds losses sooner and costs messages. 150 ms.
    pub heartbeat: Duration,
    /// How long a follower waits for a leader: drawn from `[min, max)` at every reset. The minimum
    /// is also how long a voter that heard a leader refuses others, and how long a leader may go
    /// without a quorum. At least three heartbeats. `[1500 ms, 3000 ms)`.
    pub election: (Duration, Duration),
    /// Waits exactly this long instead, `election.0` or longer. For experiments; `None`.
    pub election_fixed: Option<Duration>,
    /// Whether only heartbeats count as hearing a leader, as in an implementation that keeps a
    /// `last_heartbeat`; otherwise appends count too. Either is safe: leases rest on heartbeats
    /// alone. Off.
    pub contact_is_heartbeat: bool,
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
    /// The most bytes of entries in one append, as far as a datagram allows; a single larger entry
    /// still goes. 256 KiB.
    pub append_bytes_max: u32,
    /// The most appends to one peer that wait for an answer. 16.
    pub inflight_max: u32,
    /// The most entries handed to the owner per call. 64.
    pub apply_batch_max: u32,
    /// How long after a full batch the next one is handed out. 100 µs.
    pub apply_pause: Duration,
    /// When appended entries become durable.
    pub fsync: Fsync,
    /// After how many entries applied since the last one a snapshot is taken and the log is cut;
    /// zero for never. Fewer keeps memory and boots small and writes the whole state more often.
    /// 10 000.
    pub snapshot_after: u64,
    /// How many entries before a snapshot stay in the log, so that a follower that is a little
    /// behind needs no snapshot. 1 000.
    pub snapshot_tail: u64,
    /// The most bytes of a snapshot in one frame, as far as a datagram allows. One frame is on its
    /// way at a time. 256 KiB.
    pub snapshot_chunk_bytes: u32,
    /// Where the rows of [`super::EVENTS`] begin in the table of the system: marks count from there.
    pub events: Base,
    /// Planted defects; none.
    pub defects: Defects,
}

/// When appended entries become durable. Term and vote are always synced before anything rests on
/// them: without that, two leaders of one term.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Fsync {
    /// Before they are acknowledged: nothing acknowledged is lost with a minority of the nodes.
    #[default]
    Always,
    /// At most this long after: a power failure loses so much of what was acknowledged.
    Every(Duration),
    /// When the operating system likes: here, with the next change of term or vote.
    Never,
}

impl Config {
    /// The values of the field documentation, for the group `peers` of which all vote.
    #[must_use]
    pub fn new(me: u32, peers: Vec<NodeId>) -> Self {
        Self {
            me,
            voters: (0..peers.len() as u32).collect(),
            learners: Vec::new(),
            peers,
            heartbeat: Duration::from_millis(150),
            election: (Duration::from_millis(1500), Duration::from_millis(3000)),
            election_fixed: None,
            contact_is_heartbeat: false,
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
            fsync: Fsync::Always,
            snapshot_after: 10_000,
            snapshot_tail: 1_000,
            snapshot_chunk_bytes: 256 << 10,
            events: Base::ZERO,
            defects: Defects::default(),
        }
    }

    /// The longest lease that ends before any voter can elect another leader, whatever the clocks
    /// do within `drift_max` (`d`): the greatest `L` with `L · (1 + d) < election_min · (1 − d)`.
    #[must_use]
    pub fn lease_max(election_min: Duration, drift_max: Ratio) -> Duration {
        let numerator = u128::from(drift_max.numerator);
        let denominator = u128::from(drift_max.denominator);
        let slow = denominator.saturating_sub(numerator);
        let fast = denominator + numerator;
        let bound = (u128::from(election_min.as_nanos()) * slow).div_ceil(fast);
        let bound = u64::try_from(bound).expect("a part of a length of time is one");
        assert!(bound <= election_min.as_nanos(), "no lease outlives the election timeout");
        Duration(bound.saturating_sub(1))
    }

    /// The configuration that the group is born with.
    pub(super) fn founders(&self) -> Members {
        let set = |peers: &[u32]| peers.iter().copied().collect();
        Members::new(set(&self.voters), set(&self.learners))
    }

    /// Whether a node can work by these settings.
    ///
    /// # Errors
    /// With the first pair of settings that contradict each other: a scenario may give any.
    ///
    /// # Panics
    /// When the group itself makes no sense, which is a bug of the owner.
    pub(super) fn check(&self) -> Result<(), Refused> {
        let peers = self.peers.len();
        assert!(peers <= PEERS_MAX, "a group has at most {PEERS_MAX} peers");
        assert!((self.me as usize) < peers, "this node is one of the peers");
        assert!(!self.voters.is_empty(), "somebody votes");
        for (at, voter) in self.voters.iter().enumerate() {
            assert!((*voter as usize) < peers, "voters are peers");
            assert!(!self.voters[..at].contains(voter), "nobody votes twice");
        }
        for learner in &self.learners {
            assert!((*learner as usize) < peers, "learners are peers");
            assert!(!self.voters.contains(learner), "nobody both votes and learns");
        }
        let (min, max) = self.election;
        let fixed = self.election_fixed.unwrap_or(min);
        let rules = [
            (min < max, "the shortest election timeout is below the longest"),
            (fixed >= min, "a fixed election timeout is not below the shortest"),
            (self.heartbeat > Duration::ZERO, "heartbeats are some time apart"),
            (self.heartbeat < min, "a heartbeat comes before the shortest timeout"),
            (self.entries_per_append_max > 0, "an append may hold an entry"),
            (self.inflight_max > 0, "an append may be in flight"),
            (self.apply_batch_max > 0, "a batch may hold an entry"),
            (self.snapshot_chunk_bytes > 0, "a part of a snapshot holds a byte"),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            Some((_, rule)) => Err(Refused(format!("settings break a rule of Raft: {rule}"))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_lease_is_the_longest_safe_one() {
        let check = |min_ms: u64, ppm: u32| {
            let min = Duration::from_millis(min_ms);
            let lease = Config::lease_max(min, Ratio::from_ppm(ppm)).as_nanos();
            let drift = u64::from(ppm);
            let is_safe =
                |lease: u64| lease * (1_000_000 + drift) < min.as_nanos() * (1_000_000 - drift);
            assert!(is_safe(lease), "{min_ms} ms at {ppm} ppm");
            assert!(!is_safe(lease + 1), "{min_ms} ms at {ppm} ppm");
        };
        for ppm in [0, 1, 10_000, 199_999, 200_000, 500_000] {
            check(1500, ppm);
            check(1, ppm);
        }
        let all = Config::lease_max(Duration::from_millis(1500), Ratio::ONE);
        assert_eq!(all, Duration::ZERO);
    }

    #[test]
    fn settings_that_contradict_each_other_are_refused() {
        let good = Config::new(0, alloc::vec![NodeId(0), NodeId(1), NodeId(2)]);
        assert_eq!(good.check(), Ok(()));
        let check = |change: fn(&mut Config), expect: &str| {
            let mut config = good.clone();
            change(&mut config);
            let Refused(reason) = config.check().unwrap_err();
            assert!(reason.contains(expect), "{reason}");
        };
        check(|config| config.heartbeat = config.election.0, "heartbeat");
        check(|config| config.election.1 = config.election.0, "longest");
        check(|config| config.election_fixed = Some(Duration(1)), "fixed");
        check(|config| config.apply_batch_max = 0, "batch");
    }

    #[test]
    fn the_briefed_lease_is_safe_below_a_fifth() {
        let min = Duration::from_millis(1500);
        let lease = Duration::from_millis(1000);
        assert!(Config::lease_max(min, Ratio::from_ppm(199_999)) >= lease);
        assert!(Config::lease_max(min, Ratio::from_ppm(200_000)) < lease);
    }
}
