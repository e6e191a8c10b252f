//! Leader append-only (raft-paper §5.3, Figure 3).

use super::{Look, Members, OfMembers, violation};
use crate::protocol::raft::{LogId, Role};
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use catalog::{Property, Violation};

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

impl OfMembers for LeaderAppendOnly {
    const PROPERTY: Property = Property {
        name: "raft.leader_append_only",
        about: "a leader never overwrites or deletes entries of its log",
        source: "raft-paper §5.3",
    };

    fn members(&self) -> &Members {
        &self.members
    }

    fn look(&mut self, look: &Look<'_>) -> Result<(), Violation> {
        let Look { at, node: touched, position, boot, raft, .. } = *look;
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
        Err(violation(Self::PROPERTY, rule, at, &[touched], detail))
    }
}
