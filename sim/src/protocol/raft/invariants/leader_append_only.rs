//! Leader append-only (raft-paper §5.3, Figure 3).

use super::Look;
use crate::protocol::raft::{LogId, Raft, Role};
use alloc::format;
use catalog::{Judged, PerNode, Property};

/// A leader never overwrites or deletes entries of its log; it only appends.
///
/// The event that makes a node leader is included: nothing but an append may happen in it.
#[derive(Clone, Debug)]
pub struct LeaderAppendOnly;

impl PerNode for LeaderAppendOnly {
    type Part = Raft;
    /// The end of the log after the last event of this boot.
    type Memory = LogId;
    const PROPERTY: Property = Property {
        name: "raft.leader_append_only",
        about: "a leader never overwrites or deletes entries of its log",
        source: "raft-paper §5.3",
    };

    fn look(&mut self, look: &Look<'_>, end: &mut LogId) -> Judged {
        let raft = look.part;
        let after = raft.last_id();
        let before = core::mem::replace(end, after);
        if raft.role() != Role::Leader || before.index == 0 {
            return Ok(0);
        }
        let is_kept = before.index < raft.first_index()
            || raft.entry(before.index).is_some_and(|entry| entry.id() == before);
        if is_kept {
            return Ok(1);
        }
        let detail = format!(
            "{} leads term {} and its log, which ended at {before}, now ends at {after} \
             without that entry",
            look.name(),
            raft.term()
        );
        let rule = "a leader dropped an entry";
        Err(look.breach(Self::PROPERTY, rule, &[look.node], detail))
    }
}
