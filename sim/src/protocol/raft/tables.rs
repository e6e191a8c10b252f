//! What the lab can see of Raft by name. A system that embeds Raft puts these rows into its own
//! tables, in any order, and says by [`catalog::Embeds`] where its nodes keep their Raft.

use super::group::{applied_equal, single_leader};
use super::invariants;
use super::machine::Raft;
use super::ready::Role;
use catalog::{Code, PropertyRow};

catalog::events! {
    /// What a Raft node marks. Peers are named by their index.
    pub enum Event;
    /// The rows of [`Event`].
    pub const EVENTS;
    ElectionStarted = "raft.election_started", "", ["term", "transfer"],
        "a node raised its term and asks for votes";
    PreVoteStarted = "raft.pre_vote_started", "", ["term"],
        "a node asks whether it could win the next term";
    VoteGranted = "raft.vote_granted", "", ["term", "candidate"],
        "a vote is durable and on its way";
    LeaderElected = "raft.leader_elected", "", ["term"],
        "a candidate counted a quorum of votes";
    SteppedDown = "raft.stepped_down", "", ["term", "new_term"],
        "a leader gave up its term";
    HeartbeatSent = "raft.heartbeat_sent", "", ["term", "round"],
        "a leader sent a round of heartbeats";
    AppendRejected = "raft.append_rejected", "", ["term", "previous"],
        "an append did not fit the follower's log";
    LogTruncated = "raft.log_truncated", "entries", ["term", "index"],
        "entries from this index on conflicted and were dropped";
    Committed = "raft.committed", "entries", ["term", "index"],
        "the commit index moved to this one";
    TimeoutNowSent = "raft.timeout_now_sent", "", ["term", "to"],
        "a leader handed over";
    ReadConfirmed = "raft.read_confirmed", "", ["term", "round"],
        "a heartbeat round confirmed reads";
    DecodeError = "raft.decode_error", "bytes", ["from"],
        "a frame was damaged and dropped";
    StorageFailed = "raft.storage_failed", "", ["term"],
        "the disk failed and the node takes no part until a restart";
    SnapshotTaken = "raft.snapshot_taken", "bytes", ["entry_term", "index"],
        "a node took a snapshot and cut its log";
    SnapshotSent = "raft.snapshot_sent", "bytes", ["term", "to", "index"],
        "a leader starts to send a snapshot to a peer whose next entry it has cut off";
    SnapshotInstalled = "raft.snapshot_installed", "bytes", ["entry_term", "index", "from"],
        "a node took a leader's snapshot in the place of its log";
    SnapshotFailed = "raft.snapshot_failed", "", ["term", "index", "error"],
        "a snapshot could not be written, or arrived damaged; the log goes on without it";
    MembersChanged = "raft.members_changed", "voters", ["term", "index", "joint"],
        "a node goes by the configuration in this entry from now on";
}

catalog::gauges! {
    /// What can be read off a Raft node.
    pub fn gauges(raft: Raft);
    "raft.term", "", "the current term" =>
        Some(raft.term());
    "raft.commit_index", "", "the last index known committed" =>
        Some(raft.commit_index());
    "raft.applied_index", "", "the last index handed to the state machine" =>
        Some(raft.applied_index());
    "raft.last_index", "", "the last index of the log" =>
        Some(raft.last_index());
    "raft.log_entries", "", "entries held in memory" =>
        Some(raft.last_index() + 1 - raft.first_index());
    "raft.log_bytes", "bytes", "what those entries count for" =>
        Some(raft.log_bytes());
    "raft.apply_lag", "", "entries committed and not yet handed on" =>
        Some(raft.commit_index().saturating_sub(raft.applied_index()));
    "raft.is_leader", "", "1 at a leader, else 0" =>
        Some(u64::from(raft.role() == Role::Leader));
    "raft.unsynced_writes", "", "promises that wait for the disk" =>
        Some(raft.promises_waiting());
    "raft.snapshot_index", "", "the last index that a snapshot covers" =>
        Some(raft.snapshot_index());
    "raft.snapshot_bytes", "bytes", "the state in that snapshot" =>
        Some(raft.snapshot_bytes());
    "raft.voters", "", "nodes that vote, as this node knows the group" =>
        Some(raft.members().voters.len() as u64);
}

catalog::predicates! {
    /// What can be true of a group.
    pub fn predicates(Raft);
    "raft.single_leader",
        "exactly one node leads the highest term, and every member that is up follows it" =>
        single_leader;
    "raft.applied_equal",
        "every member of the group is up and has applied the same log to its end" =>
        applied_equal;
}

/// What [`invariants::all`] holds, of nodes of `roles`.
#[must_use]
pub const fn properties(
    roles: &'static [&'static str],
) -> [PropertyRow; invariants::PROPERTIES.len()] {
    let mut rows =
        [PropertyRow { property: invariants::PROPERTIES[0], roles }; invariants::PROPERTIES.len()];
    let mut row = 1;
    while row < rows.len() {
        rows[row].property = invariants::PROPERTIES[row];
        row += 1;
    }
    rows
}

/// The errors that [`super::relations()`] finds.
pub const CODES: &[Code] = &[
    Code {
        code: "E0311",
        title: "A lease that is not safe.",
        about: "A leader that serves reads under a lease must be sure that no other leader can be elected while
the lease holds. Clocks may drift apart by `d = clock.drift_max` at either end, so

    lease * (1 + d) < election.min * (1 - d)

    [tuning.h]
    election = { min = \"1500ms\", max = \"3000ms\" }
    lease    = \"1600ms\"         # longer than the shortest election timeout

Shorten the lease, lengthen the election timeout, or lower `[clock.G] drift_max`. To test a system
that breaks the rule, plant a defect instead.",
    },
    Code {
        code: "E0312",
        title: "Heartbeats that are too slow.",
        about: "A follower that waits no longer than a heartbeat takes elects others while the leader is well, so

    heartbeat < election.min

    [tuning.h]
    heartbeat = \"2s\"            # with election = { min = \"1500ms\", .. }

Ten heartbeats per election timeout are usual.",
    },
    Code {
        code: "E0313",
        title: "An election timeout without a range.",
        about: "Where all nodes wait equally long, they stand at the same time and votes split, so

    election.min < election.max

For an experiment with fixed waits, use `election_fixed`.",
    },
    Code {
        code: "E0314",
        title: "A fixed wait that is too short.",
        about: "Leases and the refusal to vote against a living leader rest on `election.min`: no node may stand
earlier than that.

    [tuning.h]
    election       = { min = \"1500ms\", max = \"3000ms\" }
    election_fixed = [\"900ms\", \"1500ms\", \"1900ms\"]",
    },
];
