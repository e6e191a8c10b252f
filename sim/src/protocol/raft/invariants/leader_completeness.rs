//! Leader completeness (raft-paper §5.4, Figure 3).

use super::Look;
use crate::protocol::raft::{LogId, Raft, Role};
use alloc::collections::BTreeMap;
use alloc::format;
use catalog::{Judged, PerNode, Property, Violation};
use contract::NodeId;

/// What was committed in a term is in the log of every leader of a later term.
///
/// Only *later* terms: a candidate that wins an old term late, by delayed votes, legally lacks
/// what newer terms committed. What counts as committed is what a leader commits; the last entry
/// of each term stands for those before it, by log matching.
#[derive(Clone, Debug, Default)]
pub struct LeaderCompleteness {
    /// The last entry that a leader of each term committed, and that leader.
    committed: BTreeMap<u64, (LogId, NodeId)>,
}

/// One member at its last event of this boot.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
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
    /// The first committed entry of an earlier term that `leader` lacks.
    fn missing(&self, leader: &Raft) -> Option<Missing> {
        assert!(leader.role() == Role::Leader, "only leaders must have everything");
        let earlier = self.committed.range(..leader.term());
        let mut lacking = earlier.filter(|(_, (id, _))| !holds(leader, *id));
        lacking.next().map(|(&committed_in, &(entry, committed_by))| Missing {
            entry,
            committed_in,
            committed_by,
        })
    }

    /// Records what `leader` has committed, and returns whether that was news.
    fn record(&mut self, node: NodeId, seen: &mut Seen, leader: &Raft) -> bool {
        let commit_index = leader.commit_index();
        assert!(commit_index <= leader.last_index(), "what is committed is in the log");
        let is_new = commit_index > seen.commit_index;
        seen.commit_index = commit_index;
        if let (true, Some(term)) = (is_new, leader.term_at(commit_index)) {
            let id = LogId { term, index: commit_index };
            self.committed.insert(leader.term(), (id, node));
        }
        is_new
    }

    /// A deposed leader may still count answers of its own term and commit: later leaders must
    /// have had that entry when they were elected.
    fn judge_later_leaders(&self, look: &Look<'_>) -> Judged {
        let mut judged = 0;
        for (node, raft) in look.group() {
            if raft.role() != Role::Leader || raft.term() <= look.part.term() {
                continue;
            }
            judged += 1;
            if let Some(missing) = self.missing(raft) {
                return Err(report(look, node, raft, &missing));
            }
        }
        Ok(judged)
    }
}

fn holds(raft: &Raft, id: LogId) -> bool {
    let is_compacted = id.index < raft.first_index();
    is_compacted || raft.entry(id.index).is_some_and(|entry| entry.id() == id)
}

fn report(look: &Look<'_>, node: NodeId, leader: &Raft, missing: &Missing) -> Violation {
    let detail = format!(
        "{} leads term {} without entry {}, which {} committed in term {}",
        look.name_of(node),
        leader.term(),
        missing.entry,
        look.name_of(missing.committed_by),
        missing.committed_in
    );
    let nodes = [missing.committed_by, node];
    let rule = "a leader lacks a committed entry";
    look.breach(LeaderCompleteness::PROPERTY, rule, &nodes, detail)
}

impl PerNode for LeaderCompleteness {
    type Part = Raft;
    type Memory = Seen;
    const PROPERTY: Property = Property {
        name: "raft.leader_completeness",
        about: "what was committed in a term is in the log of every leader of a later term",
        source: "raft-paper §5.4",
    };

    fn look(&mut self, look: &Look<'_>, seen: &mut Seen) -> Judged {
        let raft = look.part;
        if raft.role() != Role::Leader {
            seen.commit_index = raft.commit_index();
            return Ok(0);
        }
        let is_elected = core::mem::replace(&mut seen.led, raft.term()) != raft.term();
        if is_elected && let Some(missing) = self.missing(raft) {
            return Err(report(look, look.node, raft, &missing));
        }
        let later = match self.record(look.node, seen, raft) {
            true => self.judge_later_leaders(look)?,
            false => 0,
        };
        Ok(u64::from(is_elected) + later)
    }
}
