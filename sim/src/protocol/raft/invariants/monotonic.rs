//! What never goes back on one node (raft-paper Figure 2).

use super::{Members, violation};
use crate::protocol::raft::Raft;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use contract::{Invariant, NodeId, Nodes, Property, SimTime, Violation};

/// Term, commit index and applied index never go back within a boot; term and vote, once durable,
/// not across boots either.
#[derive(Clone, Debug)]
pub struct Monotonic {
    members: Members,
    seen: Vec<Option<Seen>>,
}

/// One member after its last event.
#[derive(Clone, Copy, Debug)]
struct Seen {
    boot: u32,
    term: u64,
    commit_index: u64,
    applied_index: u64,
    durable: (u64, Option<u32>),
}

impl Seen {
    fn of(raft: &Raft, boot: u32) -> Self {
        Self {
            boot,
            term: raft.term(),
            commit_index: raft.commit_index(),
            applied_index: raft.applied_index(),
            durable: raft.durable_term_and_vote(),
        }
    }
}

impl Monotonic {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(members: Members) -> Self {
        let seen = vec![None; members.len()];
        Self { members, seen }
    }

    fn judge(before: &Seen, after: &Seen, raft: &Raft) -> Option<(&'static str, String)> {
        if before.boot == after.boot {
            let went = |what: &str, from: u64, to: u64| format!("{what} went from {from} to {to}");
            let pairs = [
                ("the term went back", before.term, after.term),
                ("the commit index went back", before.commit_index, after.commit_index),
                ("the applied index went back", before.applied_index, after.applied_index),
            ];
            let (rule, from, to) = pairs.into_iter().find(|(_, from, to)| to < from)?;
            return Some((rule, went(rule.trim_end_matches(" went back"), from, to)));
        }
        let (term, vote) = before.durable;
        if after.term < term {
            let detail = format!("durable was term {term}, the boot found {}", after.term);
            return Some(("a restart forgot the term", detail));
        }
        if after.term == term && vote.is_some() && raft.vote() != vote {
            let detail =
                format!("in term {term} it had voted durably, the boot found another vote");
            return Some(("a restart forgot the vote", detail));
        }
        None
    }
}

impl Invariant for Monotonic {
    fn property(&self) -> Property {
        Property {
            name: "raft.monotonic",
            about: "term, vote, commit index and applied index never go back",
            source: "raft-paper §5.1",
        }
    }

    fn concerns(&self, node: NodeId) -> bool {
        self.members.position(node).is_some()
    }

    fn after_event(
        &mut self,
        at: SimTime,
        touched: NodeId,
        nodes: &dyn Nodes,
    ) -> Result<(), Violation> {
        let Some(position) = self.members.position(touched) else {
            return Ok(());
        };
        let Some(raft) = self.members.raft(nodes, touched) else {
            return Ok(());
        };
        let mut after = Seen::of(raft, nodes.boot(touched));
        let before = self.seen[position];
        let breach = before.and_then(|before| Self::judge(&before, &after, raft));
        if let (Some(before), None) = (before, &breach) {
            // Until this boot has durable state of its own, what earlier ones promised stands.
            after.durable = after.durable.max(before.durable);
        }
        self.seen[position] = Some(after);
        let Some((rule, detail)) = breach else {
            return Ok(());
        };
        let detail = format!("{}: {detail}", self.members.name(touched));
        Err(violation(self.property(), rule, at, &[touched], detail))
    }

    fn fork(&self) -> Box<dyn Invariant> {
        Box::new(self.clone())
    }
}
