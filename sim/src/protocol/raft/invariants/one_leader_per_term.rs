//! Election safety (raft-paper §5.2, Figure 3).

use super::{Look, Members, OfMembers, violation};
use crate::protocol::raft::Role;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use catalog::{Property, Violation};
use contract::NodeId;

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

impl OfMembers for OneLeaderPerTerm {
    const PROPERTY: Property = Property {
        name: "raft.one_leader_per_term",
        about: "at most one leader is elected in a term",
        source: "raft-paper §5.2",
    };

    fn members(&self) -> &Members {
        &self.members
    }

    fn look(&mut self, look: &Look<'_>) -> Result<(), Violation> {
        let Look { at, node: touched, raft, .. } = *look;
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
        Err(violation(Self::PROPERTY, rule, at, &[first, touched], detail))
    }
}
