//! What can be said of a group whose members are looked at from outside: predicates, selectors,
//! whether it has settled, and its abstract state.

use super::configuration::PeerSet;
use super::machine::Raft;
use super::ready::Role;
use super::settings::PEERS_MAX;
use alloc::vec::Vec;
use catalog::{Fields, Find};
use contract::hash::mix;
use contract::{NodeId, Nodes};

/// Finds the Raft inside a node of the embedding system; `None` where the node is down or of
/// another kind.
pub type RaftOf = Find<Raft>;

pub(super) fn single_leader(group: &[NodeId], nodes: &dyn Nodes, raft_of: RaftOf) -> bool {
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

pub(super) fn applied_equal(group: &[NodeId], nodes: &dyn Nodes, raft_of: RaftOf) -> bool {
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
    assert!(leaders.len() <= 1, "a node is in a group once");
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

/// Whether the nodes of `group` that are up could elect a leader and have none: enough of them to
/// win a vote in the configuration of each, none of which the disk has silenced.
#[must_use]
pub fn is_leaderless(group: &[NodeId], nodes: &dyn Nodes, raft_of: RaftOf) -> bool {
    let able = || {
        let up = group.iter().filter_map(|&id| raft_of(nodes, id));
        up.filter(|raft| !raft.has_failed())
    };
    let mut voting = PeerSet::default();
    able().for_each(|raft| voting.insert(raft.me()));
    let wins = |raft: &Raft| raft.members().vote(voting, PeerSet::default()) == Some(true);
    let could_elect = able().count() > 0 && able().all(wins);
    could_elect && !able().any(|raft| raft.role() == Role::Leader)
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
    assert!(up().count() <= PEERS_MAX, "a group has at most {PEERS_MAX} peers");
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
    assert!(digits.iter().all(|&digit| digit < 4), "two states of a node have two letters");
    1 + digits.into_iter().fold(0, |all, digit| all * 4 + digit)
}
