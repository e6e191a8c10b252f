//! Leader completeness (raft-paper §5.4, Figure 3).

use super::{Look, Members, OfMembers, violation};
use crate::protocol::raft::{LogId, Raft, Role};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use catalog::{Property, Violation};
use contract::{NodeId, Nodes, SimTime};

/// What was committed in a term is in the log of every leader of a later term.
///
/// Only *later* terms: a candidate that wins an old term late, by delayed votes, legally lacks
/// what newer terms committed. What counts as committed is what a leader commits; the last entry
/// of each term stands for those before it, by log matching.
#[derive(Clone, Debug)]
pub struct LeaderCompleteness {
    members: Members,
    /// The last entry that a leader of each term committed, and that leader.
    committed: BTreeMap<u64, (LogId, NodeId)>,
    seen: Vec<Seen>,
}

/// One member at its last event.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    boot: u32,
    /// The last term in which its log was judged complete, or reported.
    led: u64,
    commit_index: u64,
}

struct Missing {
    entry: LogId,
    committed_in: u64,
    committed_by: NodeId,
}

impl LeaderCompleteness {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(members: Members) -> Self {
        let seen = vec![Seen::default(); members.len()];
        Self { members, committed: BTreeMap::new(), seen }
    }

    /// The first committed entry of an earlier term that `leader` lacks.
    fn missing(&self, leader: &Raft) -> Option<Missing> {
        let earlier = self.committed.range(..leader.term());
        let mut lacking = earlier.filter(|(_, (id, _))| !holds(leader, *id));
        lacking.next().map(|(&committed_in, &(entry, committed_by))| Missing {
            entry,
            committed_in,
            committed_by,
        })
    }

    /// Records what `leader` has committed, and returns whether that was news.
    fn record(&mut self, node: NodeId, position: usize, leader: &Raft) -> bool {
        let commit_index = leader.commit_index();
        let seen = &mut self.seen[position];
        let is_new = commit_index > seen.commit_index;
        seen.commit_index = commit_index;
        if let (true, Some(term)) = (is_new, leader.term_at(commit_index)) {
            let id = LogId { term, index: commit_index };
            self.committed.insert(leader.term(), (id, node));
        }
        is_new
    }

    fn report(&self, at: SimTime, node: NodeId, leader: &Raft, missing: &Missing) -> Violation {
        let detail = format!(
            "{} leads term {} without entry {}, which {} committed in term {}",
            self.members.name(node),
            leader.term(),
            missing.entry,
            self.members.name(missing.committed_by),
            missing.committed_in
        );
        let nodes = [missing.committed_by, node];
        let rule = "a leader lacks a committed entry";
        violation(Self::PROPERTY, rule, at, &nodes, detail)
    }
}

fn holds(raft: &Raft, id: LogId) -> bool {
    let is_compacted = id.index < raft.first_index();
    is_compacted || raft.entry(id.index).is_some_and(|entry| entry.id() == id)
}

impl OfMembers for LeaderCompleteness {
    const PROPERTY: Property = Property {
        name: "raft.leader_completeness",
        about: "what was committed in a term is in the log of every leader of a later term",
        source: "raft-paper §5.4",
    };

    fn members(&self) -> &Members {
        &self.members
    }

    fn look(&mut self, look: &Look<'_>) -> Result<(), Violation> {
        let Look { at, node: touched, position, boot, raft, nodes } = *look;
        if self.seen[position].boot != boot {
            self.seen[position] = Seen { boot, ..Seen::default() };
        }
        if raft.role() != Role::Leader {
            self.seen[position].commit_index = raft.commit_index();
            return Ok(());
        }
        if self.seen[position].led != raft.term() {
            self.seen[position].led = raft.term();
            if let Some(missing) = self.missing(raft) {
                return Err(self.report(at, touched, raft, &missing));
            }
        }
        if self.record(touched, position, raft) {
            return self.judge_later_leaders(at, raft.term(), nodes);
        }
        Ok(())
    }
}

impl LeaderCompleteness {
    /// A deposed leader may still count answers of its own term and commit: later leaders must
    /// have had that entry when they were elected.
    fn judge_later_leaders(
        &self,
        at: SimTime,
        term: u64,
        nodes: &dyn Nodes,
    ) -> Result<(), Violation> {
        for &node in &*self.members.nodes {
            let Some(raft) = self.members.raft(nodes, node) else {
                continue;
            };
            if raft.role() != Role::Leader || raft.term() <= term {
                continue;
            }
            if let Some(missing) = self.missing(raft) {
                return Err(self.report(at, node, raft, &missing));
            }
        }
        Ok(())
    }
}
