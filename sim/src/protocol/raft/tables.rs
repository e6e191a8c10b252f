//! What the lab can see of Raft by name: events, gauges, predicates and selectors. A system that
//! embeds Raft puts these rows first in its own tables and passes a [`RaftOf`].

use super::machine::Raft;
use super::ready::Role;
use alloc::vec::Vec;
use catalog::{EventKind, Fields, GaugeKind, PredicateKind};
use contract::hash::mix;
use contract::{NodeId, Nodes};

/// Finds the Raft inside a node of the embedding system; `None` where the node is down or of
/// another kind.
pub type RaftOf = for<'a> fn(&'a (dyn Nodes + 'a), NodeId) -> Option<&'a Raft>;

/// The rows of [`EVENTS`], as the numbers that marks carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum Event {
    /// `raft.election_started`
    ElectionStarted,
    /// `raft.pre_vote_started`
    PreVoteStarted,
    /// `raft.vote_granted`
    VoteGranted,
    /// `raft.leader_elected`
    LeaderElected,
    /// `raft.stepped_down`
    SteppedDown,
    /// `raft.heartbeat_sent`
    HeartbeatSent,
    /// `raft.append_rejected`
    AppendRejected,
    /// `raft.log_truncated`
    LogTruncated,
    /// `raft.committed`
    Committed,
    /// `raft.timeout_now_sent`
    TimeoutNowSent,
    /// `raft.read_confirmed`
    ReadConfirmed,
    /// `raft.decode_error`
    DecodeError,
    /// `raft.storage_failed`
    StorageFailed,
    /// `raft.snapshot_taken`
    SnapshotTaken,
    /// `raft.snapshot_sent`
    SnapshotSent,
    /// `raft.snapshot_installed`
    SnapshotInstalled,
    /// `raft.snapshot_failed`
    SnapshotFailed,
    /// `raft.members_changed`
    MembersChanged,
}

const fn event(
    name: &'static str,
    unit: &'static str,
    labels: &'static [&'static str],
    about: &'static str,
) -> EventKind {
    EventKind { name, unit, labels, about }
}

/// What a Raft node marks, in the order of [`Event`]. Peers are named by their index.
pub const EVENTS: &[EventKind] = &[
    event(
        "raft.election_started",
        "",
        &["term", "transfer"],
        "a node raised its term and asks for votes",
    ),
    event("raft.pre_vote_started", "", &["term"], "a node asks whether it could win the next term"),
    event("raft.vote_granted", "", &["term", "candidate"], "a vote is durable and on its way"),
    event("raft.leader_elected", "", &["term"], "a candidate counted a quorum of votes"),
    event("raft.stepped_down", "", &["term", "new_term"], "a leader gave up its term"),
    event("raft.heartbeat_sent", "", &["term", "round"], "a leader sent a round of heartbeats"),
    event(
        "raft.append_rejected",
        "",
        &["term", "previous"],
        "an append did not fit the follower's log",
    ),
    event(
        "raft.log_truncated",
        "entries",
        &["term", "index"],
        "entries from this index on conflicted and were dropped",
    ),
    event("raft.committed", "entries", &["term", "index"], "the commit index moved to this one"),
    event("raft.timeout_now_sent", "", &["term", "to"], "a leader handed over"),
    event("raft.read_confirmed", "", &["term", "round"], "a heartbeat round confirmed reads"),
    event("raft.decode_error", "bytes", &["from"], "a frame was damaged and dropped"),
    event(
        "raft.storage_failed",
        "",
        &["term"],
        "the disk failed and the node takes no part until a restart",
    ),
    event(
        "raft.snapshot_taken",
        "bytes",
        &["entry_term", "index"],
        "a node took a snapshot and cut its log",
    ),
    event(
        "raft.snapshot_sent",
        "bytes",
        &["term", "to", "index"],
        "a leader starts to send a snapshot to a peer whose next entry it has cut off",
    ),
    event(
        "raft.snapshot_installed",
        "bytes",
        &["entry_term", "index", "from"],
        "a node took a leader's snapshot in the place of its log",
    ),
    event(
        "raft.snapshot_failed",
        "",
        &["term", "index", "error"],
        "a snapshot could not be written, or arrived damaged; the log goes on without it",
    ),
    event(
        "raft.members_changed",
        "voters",
        &["term", "index", "joint"],
        "a node goes by the configuration in this entry from now on",
    ),
];

const fn gauge_kind(name: &'static str, unit: &'static str, about: &'static str) -> GaugeKind {
    GaugeKind { name, unit, about }
}

/// What can be read off a Raft node, by row of [`gauge`].
pub const GAUGES: &[GaugeKind] = &[
    gauge_kind("raft.term", "", "the current term"),
    gauge_kind("raft.commit_index", "", "the last index known committed"),
    gauge_kind("raft.applied_index", "", "the last index handed to the state machine"),
    gauge_kind("raft.last_index", "", "the last index of the log"),
    gauge_kind("raft.log_entries", "", "entries held in memory"),
    gauge_kind("raft.log_bytes", "bytes", "what those entries count for"),
    gauge_kind("raft.apply_lag", "", "entries committed and not yet handed on"),
    gauge_kind("raft.is_leader", "", "1 at a leader, else 0"),
    gauge_kind("raft.unsynced_writes", "", "promises that wait for the disk"),
    gauge_kind("raft.snapshot_index", "", "the last index that a snapshot covers"),
    gauge_kind("raft.snapshot_bytes", "bytes", "the state in that snapshot"),
    gauge_kind("raft.voters", "", "nodes that vote, as this node knows the group"),
];

/// The value of row `row` of [`GAUGES`]; `None` past its end.
#[must_use]
pub fn gauge(row: usize, raft: &Raft) -> Option<u64> {
    let value = match row {
        0 => raft.term(),
        1 => raft.commit_index(),
        2 => raft.applied_index(),
        3 => raft.last_index(),
        4 => raft.last_index() + 1 - raft.first_index(),
        5 => raft.log_bytes(),
        6 => raft.commit_index().saturating_sub(raft.applied_index()),
        7 => u64::from(raft.role() == Role::Leader),
        8 => raft.promises_waiting(),
        9 => raft.snapshot_index(),
        10 => raft.snapshot_bytes(),
        11 => raft.members().voters.len() as u64,
        _ => return None,
    };
    Some(value)
}

/// What can be true of a group, by row of [`holds`].
pub const PREDICATES: &[PredicateKind] = &[
    PredicateKind {
        name: "raft.single_leader",
        about: "exactly one node leads the highest term, and every member that is up follows it",
    },
    PredicateKind {
        name: "raft.applied_equal",
        about: "every member of the group is up and has applied the same log to its end",
    },
];

/// Whether row `row` of [`PREDICATES`] holds for `group` now.
#[must_use]
pub fn holds(row: usize, group: &[NodeId], nodes: &dyn Nodes, raft_of: RaftOf) -> bool {
    match row {
        0 => single_leader(group, nodes, raft_of),
        1 => applied_equal(group, nodes, raft_of),
        _ => false,
    }
}

fn single_leader(group: &[NodeId], nodes: &dyn Nodes, raft_of: RaftOf) -> bool {
    let [leader] = leaders(group, nodes, raft_of)[..] else {
        return false;
    };
    let Some(leader) = raft_of(nodes, leader) else {
        return false;
    };
    let up = group.iter().filter_map(|&id| raft_of(nodes, id));
    let mut taking_part = up.filter(|raft| leader.members().all().contains(raft.me()));
    taking_part.all(|raft| raft.term() == leader.term() && raft.leader() == Some(leader.me()))
}

fn applied_equal(group: &[NodeId], nodes: &dyn Nodes, raft_of: RaftOf) -> bool {
    let mut applied = None;
    let leader = select("leader", group, nodes, raft_of).first().copied();
    let members = leader.and_then(|id| raft_of(nodes, id)).map(|raft| *raft.members());
    let takes_part =
        |position: usize| members.is_none_or(|members| members.all().contains(position as u32));
    group.iter().enumerate().filter(|(position, _)| takes_part(*position)).all(|(_, &id)| {
        let Some(raft) = raft_of(nodes, id) else {
            return false;
        };
        let here = raft.applied_index();
        here == raft.last_index() && *applied.get_or_insert(here) == here
    })
}

/// Why the nodes of `group` that are up have not settled yet; `None` once they have: one leader,
/// followed by all, whose log is committed and applied everywhere.
#[must_use]
pub fn pending(group: &[NodeId], nodes: &dyn Nodes, raft_of: RaftOf) -> Option<&'static str> {
    let [leader] = leaders(group, nodes, raft_of)[..] else {
        return Some("not exactly one leader");
    };
    let leader = raft_of(nodes, leader)?;
    let takes_part = |raft: &&Raft| leader.members().all().contains(raft.me());
    let up = || group.iter().filter_map(|&id| raft_of(nodes, id)).filter(takes_part);
    let follows = |raft: &Raft| raft.term() == leader.term() && raft.leader() == Some(leader.me());
    if !up().all(follows) {
        return Some("a node does not follow the leader");
    }
    if leader.commit_index() < leader.last_index() {
        return Some("the leader has uncommitted entries");
    }
    let is_done = |raft: &Raft| raft.applied_index() == leader.last_index();
    (!up().all(is_done)).then_some("a node has not applied the whole log")
}

/// The words after the slash of a selector that [`select`] resolves.
pub const SELECTORS: &[&str] = &["leader", "followers"];

/// Resolves a word of [`SELECTORS`] among the nodes of `group` that are up. `leader` is the leader
/// of the highest term, or nobody; `followers` are all others.
#[must_use]
pub fn select(word: &str, group: &[NodeId], nodes: &dyn Nodes, raft_of: RaftOf) -> Vec<NodeId> {
    let mut leaders = leaders(group, nodes, raft_of);
    let term_of = |id: NodeId| raft_of(nodes, id).map_or(0, Raft::term);
    let newest = leaders.iter().copied().max_by_key(|&id| term_of(id));
    leaders.retain(|&id| Some(id) == newest);
    match word {
        "leader" => leaders,
        "followers" => group
            .iter()
            .copied()
            .filter(|&id| raft_of(nodes, id).is_some())
            .filter(|&id| Some(id) != newest)
            .collect(),
        _ => Vec::new(),
    }
}

fn leaders(group: &[NodeId], nodes: &dyn Nodes, raft_of: RaftOf) -> Vec<NodeId> {
    let leads = |&id: &NodeId| raft_of(nodes, id).is_some_and(|raft| raft.role() == Role::Leader);
    group.iter().copied().filter(leads).collect()
}

/// The state of one node for people.
pub fn view(raft: &Raft, fields: &mut dyn Fields) {
    fields.text("role", raft.role().name());
    fields.number("term", raft.term());
    if let Some(leader) = raft.leader() {
        fields.number("leader", u64::from(leader));
    }
    if let Some(vote) = raft.vote() {
        fields.number("vote", u64::from(vote));
    }
    fields.number("last_index", raft.last_index());
    fields.number("commit_index", raft.commit_index());
    fields.number("applied_index", raft.applied_index());
}

/// The abstract state of a group: equal where two runs should count as having been in the same
/// situation. Nodes are not told apart, terms and indexes count relative to each other, and what
/// counts is what elections and commits turn on: who is what, whose term and whose log is ahead,
/// and what is not committed. Coarse on purpose: where nearly every state is new, novelty says
/// nothing. A node that is down is `None`.
#[must_use]
pub fn fingerprint<'r>(group: impl Iterator<Item = Option<&'r Raft>> + Clone) -> u64 {
    let up = || group.clone().flatten();
    let terms = ranks(up().map(Raft::term));
    let log_terms = ranks(up().map(|raft| raft.last_id().term));
    let committed = up().map(Raft::commit_index).max().unwrap_or(0);
    let letter = |raft: Option<&Raft>| {
        raft.map_or(0, |raft| {
            letter(
                raft,
                rank(&terms, raft.term()),
                rank(&log_terms, raft.last_id().term),
                committed,
            )
        })
    };
    let mut letters: Vec<u64> = group.clone().map(letter).collect();
    letters.sort_unstable();
    letters.into_iter().fold(0, mix)
}

/// Different values, the highest first.
fn ranks(values: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut values: Vec<u64> = values.collect();
    values.sort_unstable_by(|a, b| b.cmp(a));
    values.dedup();
    values
}

/// How many are higher; beyond two they count as one.
fn rank(ranks: &[u64], value: u64) -> u64 {
    ranks.iter().take_while(|&&other| other > value).count().min(2) as u64
}

/// What one node adds to the abstract state of its group.
fn letter(raft: &Raft, term: u64, log_term: u64, committed: u64) -> u64 {
    let last = raft.last_id();
    let behind = u64::from(last.index < committed);
    let open = last.index.saturating_sub(committed).min(2);
    let term = if raft.role() == super::Role::Follower { 0 } else { term };
    // The first entry beyond what is committed is of an earlier term: what a leader must not commit alone.
    let old = u64::from(raft.term_at(committed + 1).is_some_and(|at| at < raft.term()));
    let digits = [raft.role() as u64, term, log_term, behind, open, old];
    1 + digits.into_iter().fold(0, |all, digit| all * 4 + digit)
}
