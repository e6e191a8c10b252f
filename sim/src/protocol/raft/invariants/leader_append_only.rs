//! Leader append-only (raft-paper §5.3, Figure 3).

use super::{Members, violation};
use crate::protocol::raft::{LogId, Role};
use alloc::boxed::Box;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use contract::{Invariant, NodeId, Nodes, Property, SimTime, Violation};

/// A leader never overwrites or deletes entries of its log; it only appends.
///
/// The event that makes a node leader is included: nothing but an append may happen in it.
#[derive(Clone, Debug)]
pub struct LeaderAppendOnly {
    members: Members,
    /// Per member: its boot and the end of its log after its last event.
    ends: Vec<(u32, LogId)>,
}

impl LeaderAppendOnly {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(members: Members) -> Self {
        let ends = vec![(0, LogId::default()); members.len()];
        Self { members, ends }
    }
}

impl Invariant for LeaderAppendOnly {
    fn property(&self) -> Property {
        Property {
            name: "raft.leader_append_only",
            about: "a leader never overwrites or deletes entries of its log",
            source: "raft-paper §5.3",
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
        let boot = nodes.boot(touched);
        let (seen_in, before) = self.ends[position];
        let after = raft.last_id();
        self.ends[position] = (boot, after);
        let is_judged = raft.role() == Role::Leader && seen_in == boot;
        let kept = before.index == 0
            || before.index < raft.first_index()
            || raft.entry(before.index).is_some_and(|entry| entry.id() == before);
        if !is_judged || kept {
            return Ok(());
        }
        let detail = format!(
            "{} leads term {} and its log, which ended at {before}, now ends at {after} \
             without that entry",
            self.members.name(touched),
            raft.term()
        );
        let rule = "a leader dropped an entry";
        Err(violation(self.property(), rule, at, &[touched], detail))
    }

    fn fork(&self) -> Box<dyn Invariant> {
        Box::new(self.clone())
    }
}
