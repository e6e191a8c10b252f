//! What can be read off a node, for its owner, for invariants and for reports.

use super::configuration::Members;
use super::entry::{Entry, LogId};
use super::machine::Raft;
use super::ready::Role;
use super::said::Said;
use super::settings::Config;
use super::snapshot::Snapshot;
use contract::Now;

impl Raft {
    /// This node's index in the group.
    #[must_use]
    pub fn me(&self) -> u32 {
        self.config.me
    }

    /// Whether `peer` takes part in the committed configuration or in a later one, as far as this
    /// node knows.
    #[must_use]
    pub fn counts_on(&self, peer: u32) -> bool {
        let (_, committed) = self.configs.at(self.commit_index);
        let (_, latest) = self.configs.latest();
        [committed, latest].into_iter().any(|members| members.all().contains(peer))
    }

    /// What it was booted with.
    #[must_use]
    pub fn config(&self) -> &Config {
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

    /// Term and vote as last known durable: what no restart may forget.
    #[must_use]
    pub const fn durable_term_and_vote(&self) -> (u64, Option<u32>) {
        self.durable_hard
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

    /// The last index handed out in [`super::Ready::Apply`].
    #[must_use]
    pub const fn applied_index(&self) -> u64 {
        self.applied_index
    }

    /// The last index of the log; 0 where it is empty.
    #[must_use]
    pub const fn last_index(&self) -> u64 {
        self.log.last().index
    }

    /// Term and index of the last entry; what elections compare.
    #[must_use]
    pub const fn last_id(&self) -> LogId {
        self.log.last()
    }

    /// The first index that the log still holds; 1 before anything was compacted.
    #[must_use]
    pub const fn first_index(&self) -> u64 {
        self.log.first_index()
    }

    /// The entry at `index`, where the log holds it.
    #[must_use]
    pub fn entry(&self, index: u64) -> Option<&Entry> {
        self.log.entry(index)
    }

    /// The term of the entry at `index`, also of the one just before the log.
    #[must_use]
    pub fn term_at(&self, index: u64) -> Option<u64> {
        self.log.term(index)
    }

    /// What a leader knows to be durable at `peer`; `None` at other nodes.
    #[must_use]
    pub fn match_index(&self, peer: u32) -> Option<u64> {
        let progress = self.progress.get(peer as usize)?;
        assert!(progress.next > progress.matched, "what is matched is not sent again");
        (self.role == Role::Leader).then_some(progress.matched)
    }

    /// What left this node as a promise in this boot.
    pub(super) const fn said(&self) -> &Said {
        &self.said
    }

    /// The configurations of the snapshot, or of the group's birth, and of the entries after it, each
    /// with its index.
    pub(super) fn configurations(&self) -> &[(u64, Members)] {
        self.configs.all()
    }

    /// What the entries in memory count for, in bytes.
    #[must_use]
    pub const fn log_bytes(&self) -> u64 {
        self.log.size_bytes()
    }

    /// What the state in the snapshot counts for, in bytes.
    #[must_use]
    pub fn snapshot_bytes(&self) -> u64 {
        self.snapshot.as_ref().map_or(0, |snapshot| snapshot.state.len() as u64)
    }

    /// The snapshot that stands for the head of the log.
    #[must_use]
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_deref()
    }

    /// How many promises wait for the disk.
    #[must_use]
    pub fn promises_waiting(&self) -> u64 {
        self.promises.len() as u64
    }

    /// Whether the disk failed in this boot: the node takes no part until it is restarted.
    #[must_use]
    pub const fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// The cluster time now, in nanoseconds: the most that was heard of plus the time since on the
    /// own clock. Comparable between nodes; it never goes back on one node.
    #[must_use]
    pub const fn cluster_time(&self, now: Now) -> u64 {
        self.clock.time(now.mono)
    }
}
