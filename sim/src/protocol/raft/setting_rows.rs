//! The settings of a node of a Raft group as they stand in scenario files, for systems that have one.
//!
//! A system puts [`RaftSettings`] into the settings of its role by `use`, and makes a [`Config`] of
//! them by [`RaftSettings::config`].

use super::settings::{Config, Fsync};
use alloc::vec::Vec;
use catalog::Kind;
use contract::node::DATAGRAM_BYTES_MAX;
use contract::{Duration, NodeId, Ratio};

catalog::words! {
    /// What counts as hearing the leader.
    pub enum Contact {
        /// Anything from it.
        Any = "any",
        /// Heartbeats alone.
        Heartbeat = "heartbeat",
    }
}

catalog::words! {
    /// When appended entries become durable.
    pub enum FsyncWord {
        /// Before they are acknowledged.
        Always = "always",
        /// At most a second after.
        EverySecond = "everysec",
        /// When the operating system likes.
        Never = "never",
    }
}

catalog::settings! {
    /// How a node takes part in its Raft group.
    pub struct RaftSettings {
        /// How often a leader sends heartbeats. Shorter finds losses sooner and costs messages.
        heartbeat: Duration = "150ms" => Kind::Duration { min: Duration::from_millis(1), max: Duration::from_secs(60) };
        /// How long a follower waits for a leader, drawn anew at every reset. Ten heartbeats at least
        /// keep a slow network from deposing leaders; longer means a longer outage after a crash.
        election: (Duration, Duration) = { min = "1500ms", max = "3000ms" };
        /// One fixed wait per node instead, by index; for experiments that need to know who is
        /// first.
        election_fixed: Vec<Duration>;
        /// What counts as hearing the leader: anything from it, or heartbeats alone, as in code
        /// that keeps a `last_heartbeat`. With heartbeats alone a loaded follower waits no longer
        /// than an idle one.
        contact: Contact = "any";
        /// Whether a node asks before it raises its term, so that one that was cut off deposes
        /// nobody.
        pre_vote: bool = true;
        /// Whether a leader steps down when it has not heard a quorum for the shortest election
        /// wait.
        check_quorum: bool = true;
        /// How long after sending a heartbeat round that a quorum answered a leader may serve alone.
        /// Longer bridges longer pauses, and must stay below the shortest election wait by more than
        /// clocks may drift.
        lease: Duration = "1000ms";
        /// Deadlines are rounded up to this, at a phase drawn at boot; 0ms is exact.
        tick: Duration = "50ms" => Kind::Duration { min: Duration::ZERO, max: Duration::from_secs(1) };
        /// When appended entries become durable: always waits for the disk before it acknowledges,
        /// everysec may lose one second of acknowledged writes when the power fails, never leaves
        /// it to the operating system. Term and vote are always synced.
        fsync: FsyncWord = "always";
        /// The most entries in one append. 1 shows what batches hide.
        entries_per_append_max: u32 = 64 => Kind::Int { min: 1, max: 4096 };
        /// The most bytes of entries in one append; a larger single entry goes alone.
        append_bytes_max: u64 = "256KiB" => Kind::Bytes;
        /// The most appends to one follower that wait for an answer. More hides latency and buffers
        /// more.
        inflight_max: u32 = 16 => Kind::Int { min: 1, max: 1024 };
        /// The most committed entries that are applied at once, so that a long backlog does not
        /// starve requests.
        apply_batch_max: u32 = 64 => Kind::Int { min: 1, max: 65_536 };
        /// The wait between two full batches of entries to apply.
        apply_pause: Duration = "100us";
        /// After how many applied entries a node takes a snapshot and cuts its log; 0 for never.
        /// Fewer keeps memory and boots small and writes the whole state more often.
        snapshot_after: u64 = 10000 => Kind::Int { min: 0, max: u32::MAX as i64 };
        /// How many entries before a snapshot stay in the log, so that a follower that is a little
        /// behind needs no snapshot.
        snapshot_tail: u64 = 1000 => Kind::Int { min: 0, max: u32::MAX as i64 };
        /// The most bytes of a snapshot in one frame; one frame is on its way at a time.
        snapshot_chunk: u64 = "256KiB" => Kind::Bytes;
    }
}

impl RaftSettings {
    /// What node `me` of the group `peers` is told, as far as the settings say it: who votes, where
    /// events are numbered from and what is planted, its system says.
    #[must_use]
    pub fn config(&self, me: u32, peers: Vec<NodeId>, drift_max: Ratio) -> Config {
        assert!((me as usize) < peers.len(), "a node is one of its group");
        let in_datagram = |bytes| u32::try_from(bytes).unwrap_or(DATAGRAM_BYTES_MAX);
        Config {
            snapshot_after: self.snapshot_after,
            snapshot_tail: self.snapshot_tail,
            snapshot_chunk_bytes: in_datagram(self.snapshot_chunk),
            heartbeat: self.heartbeat,
            election: self.election,
            election_fixed: self.election_fixed.get(me as usize).copied(),
            contact_is_heartbeat: self.contact == Contact::Heartbeat,
            pre_vote: self.pre_vote,
            check_quorum: self.check_quorum,
            lease: self.lease,
            drift_max,
            tick: self.tick,
            entries_per_append_max: self.entries_per_append_max,
            append_bytes_max: in_datagram(self.append_bytes_max),
            inflight_max: self.inflight_max,
            apply_batch_max: self.apply_batch_max,
            apply_pause: self.apply_pause,
            fsync: match self.fsync {
                FsyncWord::Always => Fsync::Always,
                FsyncWord::EverySecond => Fsync::Every(Duration::from_secs(1)),
                FsyncWord::Never => Fsync::Never,
            },
            ..Config::new(me, peers)
        }
    }
}
