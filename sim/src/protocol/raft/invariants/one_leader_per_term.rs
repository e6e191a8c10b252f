//! Election safety (raft-paper §5.2, Figure 3).

use super::{Members, violation};
use crate::protocol::raft::Role;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use contract::{Invariant, NodeId, Nodes, Property, SimTime, Violation};

/// At most one leader is elected in a term.
#[derive(Clone, Debug)]
pub struct OneLeaderPerTerm {
    members: Members,
    leaders: BTreeMap<u64, NodeId>,
    reported: BTreeSet<u64>,
}

impl OneLeaderPerTerm {
    /// Nothing seen yet.
    #[must_use]
    pub const fn new(members: Members) -> Self {
        Self { members, leaders: BTreeMap::new(), reported: BTreeSet::new() }
    }
}

impl Invariant for OneLeaderPerTerm {
    fn property(&self) -> Property {
        Property {
            name: "raft.one_leader_per_term",
            about: "at most one leader is elected in a term",
            source: "raft-paper §5.2",
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
        if self.members.position(touched).is_none() {
            return Ok(());
        }
        let Some(raft) = self.members.raft(nodes, touched) else {
            return Ok(());
        };
        if raft.role() != Role::Leader {
            return Ok(());
        }
        let term = raft.term();
        let first = *self.leaders.entry(term).or_insert(touched);
        if first == touched || !self.reported.insert(term) {
            return Ok(());
        }
        let (one, two) = (self.members.name(first), self.members.name(touched));
        let detail = format!("{one} and {two} were both elected in term {term}");
        let rule = "two leaders in one term";
        Err(violation(self.property(), rule, at, &[first, touched], detail))
    }

    fn fork(&self) -> Box<dyn Invariant> {
        Box::new(self.clone())
    }
}
