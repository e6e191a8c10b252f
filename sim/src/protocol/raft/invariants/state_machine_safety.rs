//! State machine safety (raft-paper §5.4.3, Figure 3).

use super::super::machine::Raft;
use super::{Look, Members, OfMembers, digest, violation};
use crate::protocol::cow::Table;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use catalog::{Property, Violation};
use contract::NodeId;
use contract::hash::hash_bytes;

/// The snapshots that are remembered, of the highest indexes.
const SNAPSHOTS_MAX: usize = 256;

/// No two nodes ever apply different entries at one index, nor one node in two boots; and whose
/// snapshots stand for the same prefix of the log, they hold the same state.
#[derive(Clone, Debug)]
pub struct StateMachineSafety {
    members: Members,
    /// The first entry applied at each index.
    applied: Table<Option<Applied>>,
    /// By index, the digest of the first snapshot of it, and whose it was.
    snapshots: Arc<BTreeMap<u64, (u64, NodeId)>>,
    seen: Vec<Seen>,
}

#[derive(Clone, Copy, Debug)]
struct Applied {
    digest: u64,
    term: u64,
    by: NodeId,
}

/// What a node has that `first` has otherwise.
struct Breach {
    rule: &'static str,
    first: NodeId,
    detail: String,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    boot: u32,
    applied_index: u64,
    /// The first index that its log held.
    first_index: u64,
    /// The last index of its snapshot.
    snapshot_index: u64,
    /// Whether it applied something else than others: reported once.
    has_diverged: bool,
}

impl StateMachineSafety {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(members: Members) -> Self {
        let seen = vec![Seen::default(); members.len()];
        Self { members, applied: Table::default(), snapshots: Arc::default(), seen }
    }

    /// Compares what the node applied since it was last looked at.
    fn judge_entries(&mut self, position: usize, raft: &Raft) -> Option<Breach> {
        let by = self.members.nodes[position];
        let seen = &mut self.seen[position];
        let from = seen.applied_index + 1;
        seen.applied_index = raft.applied_index();
        let mut breach = None;
        for index in from.max(raft.first_index())..=raft.applied_index() {
            let Some(entry) = raft.entry(index) else {
                continue;
            };
            let this = Applied { digest: digest(entry), term: entry.term, by };
            let Some(applied) = self.applied.entry(index) else {
                continue;
            };
            let first = *applied.get_or_insert(this);
            if first.digest != this.digest {
                breach = breach.or(Some((index, first, this)));
            }
        }
        let (index, first, this) = breach?;
        let detail = format!(
            "at index {index} {} applied an entry of term {} and {} another, of term {}",
            self.members.name(first.by),
            first.term,
            self.members.name(by),
            this.term
        );
        Some(Breach { rule: "different entries applied at one index", first: first.by, detail })
    }

    /// Compares the snapshot of the node where it is a new one: only a flaw puts another state under
    /// the index of one that was taken.
    fn judge_snapshot(&mut self, position: usize, raft: &Raft) -> Option<Breach> {
        let by = self.members.nodes[position];
        let snapshot = raft.snapshot()?;
        let index = snapshot.id.index;
        if core::mem::replace(&mut self.seen[position].snapshot_index, index) == index {
            return None;
        }
        let digest = hash_bytes(&snapshot.state);
        let snapshots = Arc::make_mut(&mut self.snapshots);
        let (expect, first) = *snapshots.entry(index).or_insert((digest, by));
        if snapshots.len() > SNAPSHOTS_MAX {
            snapshots.pop_first();
        }
        if expect == digest {
            return None;
        }
        let detail = format!(
            "the snapshot of {} up to index {index} holds another state than that of {}",
            self.members.name(by),
            self.members.name(first)
        );
        Some(Breach { rule: "two states at one index", first, detail })
    }
}

impl OfMembers for StateMachineSafety {
    const PROPERTY: Property = Property {
        name: "raft.state_machine_safety",
        about: "no two nodes apply different entries at the same index, nor hold other states of it",
        source: "raft-paper §5.4.3",
    };

    fn members(&self) -> &Members {
        &self.members
    }

    fn look(&mut self, look: &Look<'_>) -> Result<(), Violation> {
        let Look { at, node: touched, position, boot, raft, .. } = *look;
        let seen = &mut self.seen[position];
        if seen.boot != boot {
            seen.boot = boot;
            seen.applied_index = 0;
            seen.snapshot_index = 0;
        }
        if seen.first_index != raft.first_index() {
            seen.first_index = raft.first_index();
            // A boot goes on from its snapshot, so nobody applies again what no log holds.
            let first = self.seen.iter().map(|seen| seen.first_index).min();
            self.applied.forget_before(first.unwrap_or(0));
        }
        let entries = self.judge_entries(position, raft);
        let snapshot = self.judge_snapshot(position, raft);
        let Some(Breach { rule, first, detail }) = entries.or(snapshot) else {
            return Ok(());
        };
        if core::mem::replace(&mut self.seen[position].has_diverged, true) {
            return Ok(());
        }
        Err(violation(Self::PROPERTY, rule, at, &[first, touched], detail))
    }
}
