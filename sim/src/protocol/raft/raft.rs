//! The state machine and its inputs.

use super::config::Config;
use super::entry::{Entry, LogId};
use super::ready::{NotLeader, ReadId, Ready, Role};
use alloc::sync::Arc;
use alloc::vec::Vec;
use contract::{DiskError, Fx, Instant, Now, Refused, SyncId, TimerKey};
use core::ops::Range;

/// The timer keys that Raft uses; the owner's own are outside.
pub const TIMERS: Range<u64> = 0x5AF7_0000_0000_0000..0x5AF7_0000_0000_0010;
/// The sync ids that Raft uses; the owner's own are outside.
pub const SYNCS: Range<u64> = 0x5AF7_0000_0000_0000..0x5AF8_0000_0000_0000;
/// The files that Raft uses; the owner's own are outside.
pub const FILES: Range<u32> = 0x5AF7_0000..0x5AF7_0010;

/// One member of a Raft group.
#[derive(Clone, Debug)]
pub struct Raft {
    config: Config,
    role: Role,
    term: u64,
    vote: Option<u32>,
    leader: Option<u32>,
    commit_index: u64,
    applied_index: u64,
    ready: Vec<Ready>,
}

impl Raft {
    /// Boots, or reboots, from what is on the disk: term, vote and log are recovered, a torn tail
    /// is cut off.
    ///
    /// # Errors
    /// When the log is damaged in the middle: what was acknowledged may be gone, and a node that
    /// forgot it must not vote.
    ///
    /// # Panics
    /// When the configuration contradicts itself, which is a bug of the owner.
    pub fn boot(config: Config, now: Now, fx: &mut Fx<'_>) -> Result<Self, Refused> {
        let _ = (now, fx);
        Ok(Self {
            config,
            role: Role::Follower,
            term: 0,
            vote: None,
            leader: None,
            commit_index: 0,
            applied_index: 0,
            ready: Vec::new(),
        })
    }

    /// Whether a timer is Raft's: hand it to [`Raft::on_timer`].
    #[must_use]
    pub fn owns_timer(key: TimerKey) -> bool {
        TIMERS.contains(&key.0)
    }

    /// Whether a sync is Raft's: hand it to [`Raft::on_synced`].
    #[must_use]
    pub fn owns_sync(sync: SyncId) -> bool {
        SYNCS.contains(&sync.0)
    }

    /// Handles a frame of the peer with index `from`. Damaged frames are marked and dropped.
    pub fn on_datagram(&mut self, now: Now, from: u32, bytes: &[u8], fx: &mut Fx<'_>) {
        let _ = (now, from, bytes, fx);
    }

    /// Handles one of Raft's timers.
    pub fn on_timer(&mut self, now: Now, key: TimerKey, fx: &mut Fx<'_>) {
        let _ = (now, key, fx);
    }

    /// Handles the end of one of Raft's syncs.
    pub fn on_synced(
        &mut self,
        now: Now,
        sync: SyncId,
        result: Result<(), DiskError>,
        fx: &mut Fx<'_>,
    ) {
        let _ = (now, sync, result, fx);
    }

    /// Appends `command` to the log of a leader. It is committed once it comes back in
    /// [`Ready::Apply`] with this id; after [`Ready::SteppedDown`] its outcome is unknown.
    ///
    /// # Errors
    /// When this node does not lead, or is handing over: the command certainly has no effect.
    pub fn propose(
        &mut self,
        now: Now,
        command: Arc<[u8]>,
        fx: &mut Fx<'_>,
    ) -> Result<LogId, NotLeader> {
        let _ = (now, command, fx);
        Err(NotLeader { hint: self.leader })
    }

    /// Asks for a linearizable read without a log entry (raft-thesis §6.4). Answered by
    /// [`Ready::ReadReady`] or [`Ready::ReadFailed`].
    ///
    /// # Errors
    /// When this node does not lead.
    pub fn read_index(&mut self, now: Now, fx: &mut Fx<'_>) -> Result<ReadId, NotLeader> {
        let _ = (now, fx);
        Err(NotLeader { hint: self.leader })
    }

    /// Whether this node may serve linearizable reads alone at this moment (raft-thesis §6.4.1):
    /// it leads, has committed in its term, hands over to nobody, and its lease runs. The owner
    /// must also have applied [`Raft::commit_index`].
    #[must_use]
    pub fn lease_valid(&self, now: Now) -> bool {
        let _ = now;
        false
    }

    /// Hands leadership to the peer `to` (raft-thesis §3.10). Proposals are refused until it took
    /// over or `election.0` has passed; once the peer was told, no lease is valid in this term.
    ///
    /// # Errors
    /// When this node does not lead.
    pub fn transfer(&mut self, now: Now, to: u32, fx: &mut Fx<'_>) -> Result<(), NotLeader> {
        let _ = (now, to, fx);
        Err(NotLeader { hint: self.leader })
    }

    /// Moves what the owner must do to the end of `out`. Call it after every call that takes `fx`.
    pub fn drain(&mut self, out: &mut Vec<Ready>) {
        out.append(&mut self.ready);
    }

    /// The cluster time now, in nanoseconds: the most that was heard of plus the time since on the
    /// own clock. Comparable between nodes; it never goes back on one node.
    #[must_use]
    pub fn cluster_time(&self, now: Now) -> u64 {
        now.mono.since(Instant::ZERO).as_nanos()
    }

    /// This node's index in the group.
    #[must_use]
    pub const fn me(&self) -> u32 {
        self.config.me
    }

    /// What it was booted with.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// What this node is.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The current term.
    #[must_use]
    pub const fn term(&self) -> u64 {
        self.term
    }

    /// The candidate that this node voted for in its term, by index.
    #[must_use]
    pub const fn vote(&self) -> Option<u32> {
        self.vote
    }

    /// The leader of the term, by index, as far as this node knows. Itself when it leads.
    #[must_use]
    pub const fn leader(&self) -> Option<u32> {
        self.leader
    }

    /// The last index known committed.
    #[must_use]
    pub const fn commit_index(&self) -> u64 {
        self.commit_index
    }

    /// The last index handed out in [`Ready::Apply`].
    #[must_use]
    pub const fn applied_index(&self) -> u64 {
        self.applied_index
    }

    /// The last index of the log; 0 where it is empty.
    #[must_use]
    pub const fn last_index(&self) -> u64 {
        0
    }

    /// The first index that the log still holds; 1 before anything was compacted.
    #[must_use]
    pub const fn first_index(&self) -> u64 {
        1
    }

    /// The entry at `index`, where the log holds it.
    #[must_use]
    pub fn entry(&self, index: u64) -> Option<&Entry> {
        let _ = index;
        None
    }

    /// What a leader knows to be durable at `peer`; `None` at other nodes.
    #[must_use]
    pub fn match_index(&self, peer: u32) -> Option<u64> {
        let _ = peer;
        None
    }

    /// What the entries in memory count for, in bytes.
    #[must_use]
    pub const fn log_bytes(&self) -> u64 {
        0
    }

    /// How many promises wait for the disk.
    #[must_use]
    pub const fn promises_waiting(&self) -> u64 {
        0
    }

    /// Whether the disk failed in this boot: the node takes no part until it is restarted.
    #[must_use]
    pub const fn has_failed(&self) -> bool {
        false
    }
}
