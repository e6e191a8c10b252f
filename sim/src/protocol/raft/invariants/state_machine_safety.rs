//! State machine safety (raft-paper §5.4.3, Figure 3).

use super::chunked::Chunked;
use super::{Look, Members, OfMembers, digest, violation};
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use contract::{NodeId, Property, Violation};

/// No two nodes ever apply different entries at one index, nor one node in two boots.
#[derive(Clone, Debug)]
pub struct StateMachineSafety {
    members: Members,
    /// The first entry applied at each index.
    applied: Chunked<Option<Applied>>,
    seen: Vec<Seen>,
}

#[derive(Clone, Copy, Debug)]
struct Applied {
    digest: u64,
    term: u64,
    by: NodeId,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    boot: u32,
    applied_index: u64,
    /// The first index that its log held.
    first_index: u64,
    /// Whether it applied something else than others: reported once.
    has_diverged: bool,
}

impl StateMachineSafety {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(members: Members) -> Self {
        let seen = vec![Seen::default(); members.len()];
        Self { members, applied: Chunked::default(), seen }
    }
}

impl OfMembers for StateMachineSafety {
    const PROPERTY: Property = Property {
        name: "raft.state_machine_safety",
        about: "no two nodes apply different entries at the same index",
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
        }
        if seen.first_index != raft.first_index() {
            seen.first_index = raft.first_index();
            // A boot goes on from its snapshot, so nobody applies again what no log holds.
            let first = self.seen.iter().map(|seen| seen.first_index).min();
            self.applied.forget_before(first.unwrap_or(0));
        }
        let seen = &mut self.seen[position];
        let from = seen.applied_index + 1;
        seen.applied_index = raft.applied_index();
        let mut breach = None;
        for index in from.max(raft.first_index())..=raft.applied_index() {
            let Some(entry) = raft.entry(index) else {
                continue;
            };
            let this = Applied { digest: digest(entry), term: entry.term, by: touched };
            let Some(applied) = self.applied.entry(index) else {
                continue;
            };
            let first = *applied.get_or_insert(this);
            if first.digest != this.digest {
                breach = breach.or(Some((index, first, this)));
            }
        }
        let Some((index, first, this)) = breach else {
            return Ok(());
        };
        if core::mem::replace(&mut self.seen[position].has_diverged, true) {
            return Ok(());
        }
        let detail = format!(
            "at index {index} {} applied an entry of term {} and {} another, of term {}",
            self.members.name(first.by),
            first.term,
            self.members.name(touched),
            this.term
        );
        let nodes = [first.by, touched];
        let rule = "different entries applied at one index";
        Err(violation(Self::PROPERTY, rule, at, &nodes, detail))
    }
}
