//! Why nodes say something else here than in etcd, where that is by design. Every fact that differs
//! needs a reason of its own.

use super::super::Raft;
use super::super::ready::Role;
use super::interaction::{AT_ONCE, STEPS_DOWN};
use super::world::World;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;

const TELLS_AT_ONCE: &str = "a new leader asks for the answers to a first round of heartbeats at once (raft-thesis §6.4), in etcd with its next tick";
const SNAPSHOT: &str = "a snapshot that is there is sent, with the entries after it; etcd takes one of all that is applied";
const SNAPSHOT_FIRST: &str = "a peer that is new is sent the snapshot first; etcd tries the latest entries, which it refuses";
const LOG_END: &str = "the answer to a heartbeat says where a log ends, so what was lost is sent again at once; in etcd a refused entry tells";

/// What two sides said of one command.
pub struct Heard<'a> {
    pub world: &'a World,
    /// What etcd's nodes said.
    pub expected: &'a BTreeSet<String>,
    /// What ours said.
    pub found: &'a BTreeSet<String>,
}

/// One fact.
struct Fact<'f> {
    from: u32,
    to: u32,
    says: &'f str,
    /// Whether only etcd's node says it.
    is_missing: bool,
}

impl Heard<'_> {
    /// The reason for all that differs, of several the last; `None` where there is a difference
    /// without one.
    pub fn reason(&self) -> Option<&'static str> {
        let missing = self.expected.difference(self.found).map(|fact| (fact, true));
        let more = self.found.difference(self.expected).map(|fact| (fact, false));
        let mut reason = None;
        for (line, is_missing) in missing.chain(more) {
            let (ends, says) = line.split_once(' ')?;
            let (from, to) = ends.split_once("->")?;
            let (from, to) = (from.parse().ok()?, to.parse().ok()?);
            reason = Some(self.of(&Fact { from, to, says, is_missing })?);
        }
        reason
    }

    fn of(&self, fact: &Fact<'_>) -> Option<&'static str> {
        let Fact { from, to, says, is_missing } = *fact;
        let is_round = says.starts_with("leads") || says == "was led";
        let is_sent = says.starts_with("sends") && !says.starts_with("sends the snapshot");
        if is_round && is_missing && (self.has_left(from) || self.has_left(to)) {
            return Some(STEPS_DOWN);
        }
        if is_round && !is_missing && self.expected.iter().any(|line| line.contains("votes for it"))
        {
            return Some(TELLS_AT_ONCE);
        }
        let leader = self.leader()?;
        let is_member = |node: u32| leader.members().all().contains(node);
        if !is_member(from) || !is_member(to) {
            return Some(AT_ONCE);
        }
        let sends_snapshot = |facts: &BTreeSet<String>| {
            let start = format!("{from}->{to} sends the snapshot");
            facts.iter().any(|line| line.starts_with(&start))
        };
        let both = sends_snapshot(self.expected) && sends_snapshot(self.found);
        if says.starts_with("sends") && both && (!is_sent || !is_missing) {
            return Some(SNAPSHOT);
        }
        if is_sent && is_missing && leader.progress_of(to).0 == 0 {
            return Some(SNAPSHOT_FIRST);
        }
        let was_led = format!("{to}->{from} was led");
        if is_sent && !is_missing && (self.was_heard(&was_led) || self.is_silent(from, to)) {
            return Some(LOG_END);
        }
        let lacks = format!("{from}->{to} lacks");
        let is_refused = self.expected.iter().any(|line| line.starts_with(&lacks));
        let is_answer =
            says.starts_with("lacks") && is_missing || says.starts_with("has up to") && !is_missing;
        (is_answer && is_refused).then_some(LOG_END)
    }

    /// Whether etcd's node sends `to` no entries: it asks with an empty append first.
    fn is_silent(&self, from: u32, to: u32) -> bool {
        let start = format!("{from}->{to} sends");
        !self.expected.iter().any(|line| line.starts_with(&start))
    }

    fn was_heard(&self, fact: &str) -> bool {
        self.expected.contains(fact) || self.found.contains(fact)
    }

    /// Whether a node led, removed itself, and leads no more.
    fn has_left(&self, node: u32) -> bool {
        let has_left = |raft: &Raft| !raft.members().is_voter(node) && raft.role() != Role::Leader;
        self.world.raft(node).is_some_and(has_left)
    }

    fn leader(&self) -> Option<&Raft> {
        let leads = |raft: &&Raft| raft.role() == Role::Leader;
        let nodes = self.world.numbers().into_iter().filter_map(|node| self.world.raft(node));
        nodes.filter(leads).max_by_key(|raft| raft.term())
    }
}
