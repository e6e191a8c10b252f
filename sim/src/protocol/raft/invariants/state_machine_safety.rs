//! State machine safety (raft-paper §5.4.3, Figure 3).

use super::super::machine::Raft;
use super::log_starts::LogStarts;
use super::{Look, digest};
use crate::protocol::cow::Table;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use catalog::{Judged, PerNode, Property, Watched};
use contract::NodeId;
use contract::hash::hash_bytes;

/// The snapshots that are remembered, of the highest indexes.
const SNAPSHOTS_MAX: usize = 256;

/// No two nodes ever apply different entries at one index, nor one node in two boots; and whose
/// snapshots stand for the same prefix of the log, they hold the same state.
#[derive(Clone, Debug)]
pub struct StateMachineSafety {
    /// The first entry applied at each index.
    applied: Table<Option<Applied>>,
    /// By index, the digest of the first snapshot of it, and whose it was.
    snapshots: Arc<BTreeMap<u64, (u64, NodeId)>>,
    starts: LogStarts,
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

/// What is remembered of one member.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    applied_index: u64,
    /// The last index of its snapshot.
    snapshot_index: u64,
    /// Whether it applied something else than others: reported once.
    has_diverged: bool,
}

impl StateMachineSafety {
    /// Nothing seen yet of a group.
    #[must_use]
    pub fn new(group: &Watched) -> Self {
        let starts = LogStarts::new(group.slots());
        Self { applied: Table::default(), snapshots: Arc::default(), starts }
    }

    /// Compares what the node applied since it was last looked at, of which it counts the entries.
    fn judge_entries(&mut self, look: &Look<'_>, seen: &mut Seen) -> (u64, Option<Breach>) {
        let (raft, by) = (look.part, look.node);
        let from = seen.applied_index + 1;
        seen.applied_index = raft.applied_index();
        let (mut judged, mut breach) = (0, None);
        for index in from.max(raft.first_index())..=raft.applied_index() {
            let Some(entry) = raft.entry(index) else {
                continue;
            };
            let this = Applied { digest: digest(entry), term: entry.term, by };
            let Some(applied) = self.applied.entry(index) else {
                continue;
            };
            judged += 1;
            let first = *applied.get_or_insert(this);
            if first.digest != this.digest {
                breach = breach.or(Some((index, first, this)));
            }
        }
        let Some((index, first, this)) = breach else {
            return (judged, None);
        };
        let detail = format!(
            "at index {index} {} applied an entry of term {} and {} another, of term {}",
            look.name_of(first.by),
            first.term,
            look.name(),
            this.term
        );
        let rule = "different entries applied at one index";
        (judged, Some(Breach { rule, first: first.by, detail }))
    }

    /// Compares the snapshot of the node where it is a new one: only a defect puts another state
    /// under the index of one that was taken.
    fn judge_snapshot(&mut self, look: &Look<'_>, seen: &mut Seen) -> Option<Breach> {
        let snapshot = look.part.snapshot()?;
        let index = snapshot.id.index;
        if core::mem::replace(&mut seen.snapshot_index, index) == index {
            return None;
        }
        let digest = hash_bytes(&snapshot.state);
        let snapshots = Arc::make_mut(&mut self.snapshots);
        let (expect, first) = *snapshots.entry(index).or_insert((digest, look.node));
        if snapshots.len() > SNAPSHOTS_MAX {
            snapshots.pop_first();
        }
        assert!(snapshots.len() <= SNAPSHOTS_MAX, "what is remembered has a limit");
        if expect == digest {
            return None;
        }
        let detail = format!(
            "the snapshot of {} up to index {index} holds another state than that of {}",
            look.name(),
            look.name_of(first)
        );
        Some(Breach { rule: "two states at one index", first, detail })
    }
}

impl PerNode for StateMachineSafety {
    type Part = Raft;
    type Memory = Seen;
    const PROPERTY: Property = Property {
        name: "raft.state_machine_safety",
        about: "no two nodes apply different entries at the same index, nor hold other states of it",
        source: "raft-paper §5.4.3",
    };

    fn reboot(seen: &mut Seen) {
        *seen = Seen { has_diverged: seen.has_diverged, ..Seen::default() };
    }

    fn look(&mut self, look: &Look<'_>, seen: &mut Seen) -> Judged {
        if let Some(oldest) = self.starts.moved(look.place.slot, look.part.first_index()) {
            // A boot goes on from its snapshot, so nobody applies again what no log holds.
            self.applied.forget_before(oldest);
        }
        let (judged, entries) = self.judge_entries(look, seen);
        let snapshot = self.judge_snapshot(look, seen);
        let Some(Breach { rule, first, detail }) = entries.or(snapshot) else {
            return Ok(judged);
        };
        if core::mem::replace(&mut seen.has_diverged, true) {
            return Ok(1);
        }
        Err(look.breach(Self::PROPERTY, rule, &[first, look.node], detail))
    }
}
