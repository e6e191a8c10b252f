//! One history of configurations (raft-thesis §4.1).

use super::Look;
use crate::protocol::raft::{Members, Raft};
use alloc::collections::BTreeMap;
use alloc::format;
use catalog::{Judged, PerNode, Property};

/// What a node knows committed of the configuration, by entry or by snapshot, is the same on every
/// node: two that disagree may each count a majority of their own.
#[derive(Clone, Debug, Default)]
pub struct MembershipAgrees {
    /// The configuration that each committed entry holds; at 0 that of the group's birth.
    known: BTreeMap<u64, Members>,
}

/// What is remembered of one member, also of its earlier boots.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    judged: Option<Judgement>,
    has_diverged: bool,
}

/// What a member was judged by last in this boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Judgement {
    snapshot_index: u64,
    since: u64,
    is_committed: bool,
}

impl MembershipAgrees {
    /// The index at which `raft` knows another configuration than others did, and the two.
    fn differs(&mut self, raft: &Raft) -> Option<(u64, Members, Members)> {
        let (since, latest) = raft.members_since();
        let latest = (since <= raft.commit_index()).then_some((since, *latest));
        let of_snapshot = raft.snapshot().map(|held| (held.members_since, held.members));
        of_snapshot.into_iter().chain(latest).find_map(|(since, members)| {
            let known = *self.known.entry(since).or_insert(members);
            (known != members).then_some((since, known, members))
        })
    }
}

impl PerNode for MembershipAgrees {
    type Part = Raft;
    type Memory = Memory;
    const PROPERTY: Property = Property {
        name: "raft.membership_agrees",
        about: "the committed configuration is the same on every node, also behind snapshots",
        source: "raft-thesis §4.1",
    };

    fn reboot(memory: &mut Memory) {
        memory.judged = None;
    }

    fn look(&mut self, look: &Look<'_>, memory: &mut Memory) -> Judged {
        let raft = look.part;
        let (since, _) = raft.members_since();
        let now = Judgement {
            snapshot_index: raft.snapshot().map_or(0, |snapshot| snapshot.id.index),
            since,
            is_committed: since <= raft.commit_index(),
        };
        if memory.judged.replace(now) == Some(now) && !self.known.is_empty() {
            return Ok(0);
        }
        let Some((index, known, own)) = self.differs(raft) else {
            return Ok(1);
        };
        if core::mem::replace(&mut memory.has_diverged, true) {
            return Ok(1);
        }
        let detail = format!(
            "{} goes by {own:?}, and the entry at index {index} says {known:?}",
            look.name()
        );
        let rule = "two configurations at one index";
        Err(look.breach(Self::PROPERTY, rule, &[look.node], detail))
    }
}
