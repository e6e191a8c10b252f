//! Election safety (raft-paper §5.2, Figure 3).

use super::Look;
use crate::protocol::raft::{Raft, Role};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use catalog::{Judged, PerNode, Property};
use contract::NodeId;

/// At most one leader is elected in a term.
#[derive(Clone, Debug, Default)]
pub struct OneLeaderPerTerm {
    leaders: BTreeMap<u64, NodeId>,
    reported: BTreeSet<u64>,
}

impl PerNode for OneLeaderPerTerm {
    type Part = Raft;
    type Memory = ();
    const PROPERTY: Property = Property {
        name: "raft.one_leader_per_term",
        about: "at most one leader is elected in a term",
        source: "raft-paper §5.2",
    };

    fn look(&mut self, look: &Look<'_>, (): &mut ()) -> Judged {
        if look.part.role() != Role::Leader {
            return Ok(0);
        }
        let term = look.part.term();
        assert!(term > 0, "a leader was elected in a term");
        let first = *self.leaders.entry(term).or_insert(look.node);
        if first == look.node || !self.reported.insert(term) {
            return Ok(1);
        }
        let (one, two) = (look.name_of(first), look.name());
        let detail = format!("{one} and {two} were both elected in term {term}");
        let rule = "two leaders in one term";
        Err(look.breach(Self::PROPERTY, rule, &[first, look.node], detail))
    }
}
