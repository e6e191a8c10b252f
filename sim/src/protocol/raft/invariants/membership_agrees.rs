//! One history of configurations (raft-thesis §4.1).

use super::{Look, Members, OfMembers, violation};
use crate::protocol::raft::{Members as Group, Raft};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use catalog::{Property, Violation};

/// What a node knows committed of the configuration, by entry or by snapshot, is the same on every
/// node: two that disagree may each count a majority of their own.
#[derive(Clone, Debug)]
pub struct MembershipAgrees {
    members: Members,
    /// The configuration that each committed entry holds; at 0 that of the group's birth.
    known: BTreeMap<u64, Group>,
    seen: Vec<Seen>,
}

/// What a member was judged by last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    boot: u32,
    snapshot_index: u64,
    since: u64,
    is_committed: bool,
    has_diverged: bool,
}

impl MembershipAgrees {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(members: Members) -> Self {
        let seen = vec![Seen::default(); members.len()];
        Self { members, known: BTreeMap::new(), seen }
    }

    /// The index at which `raft` knows another configuration than others did, and the two.
    fn differs(&mut self, raft: &Raft) -> Option<(u64, Group, Group)> {
        let (since, latest) = raft.members_since();
        let latest = (since <= raft.commit_index()).then_some((since, *latest));
        let of_snapshot = raft.snapshot().map(|held| (held.members_since, held.members));
        of_snapshot.into_iter().chain(latest).find_map(|(since, members)| {
            let known = *self.known.entry(since).or_insert(members);
            (known != members).then_some((since, known, members))
        })
    }
}

impl OfMembers for MembershipAgrees {
    const PROPERTY: Property = Property {
        name: "raft.membership_agrees",
        about: "the committed configuration is the same on every node, also behind snapshots",
        source: "raft-thesis §4.1",
    };

    fn members(&self) -> &Members {
        &self.members
    }

    fn look(&mut self, look: &Look<'_>) -> Result<(), Violation> {
        let Look { at, node: touched, position, boot, raft, .. } = *look;
        let (since, _) = raft.members_since();
        let seen = self.seen[position];
        let now = Seen {
            boot,
            snapshot_index: raft.snapshot().map_or(0, |snapshot| snapshot.id.index),
            since,
            is_committed: since <= raft.commit_index(),
            has_diverged: seen.has_diverged,
        };
        if core::mem::replace(&mut self.seen[position], now) == now && !self.known.is_empty() {
            return Ok(());
        }
        let Some((index, known, own)) = self.differs(raft) else {
            return Ok(());
        };
        if core::mem::replace(&mut self.seen[position].has_diverged, true) {
            return Ok(());
        }
        let detail = format!(
            "{} goes by {own:?}, and the entry at index {index} says {known:?}",
            self.members.name(touched)
        );
        let rule = "two configurations at one index";
        Err(violation(Self::PROPERTY, rule, at, &[touched], detail))
    }
}
