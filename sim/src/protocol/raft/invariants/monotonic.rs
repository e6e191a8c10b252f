//! What never goes back on one node (raft-paper Figure 2).

use super::Look;
use crate::protocol::raft::Raft;
use alloc::format;
use alloc::string::String;
use catalog::{Judged, PerNode, Property};

/// Term, commit index and applied index never go back within a boot; term and vote, once durable,
/// not across boots either.
///
/// A member that was taken out of the group may come back with nothing: the removal is committed,
/// so no leader without it can win, whatever this node votes for (raft-thesis §4.2). That it must
/// have been removed first is what makes it a new member at an old address.
#[derive(Clone, Debug)]
pub struct Monotonic;

/// One member after its last event.
#[derive(Clone, Copy, Debug)]
struct Seen {
    term: u64,
    commit_index: u64,
    applied_index: u64,
    durable: (u64, Option<u32>),
}

/// What is remembered of one member, also of its earlier boots.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    seen: Option<Seen>,
    has_rebooted: bool,
}

impl Seen {
    fn of(raft: &Raft) -> Self {
        Self {
            term: raft.term(),
            commit_index: raft.commit_index(),
            applied_index: raft.applied_index(),
            durable: raft.durable_term_and_vote(),
        }
    }

    /// What went back between here and `after`, in one boot.
    fn went_back(&self, after: &Self) -> Option<(&'static str, String)> {
        let pairs = [
            ("the term went back", self.term, after.term),
            ("the commit index went back", self.commit_index, after.commit_index),
            ("the applied index went back", self.applied_index, after.applied_index),
        ];
        let (rule, from, to) = pairs.into_iter().find(|(_, from, to)| to < from)?;
        let what = rule.trim_end_matches(" went back");
        Some((rule, format!("{what} went from {from} to {to}")))
    }

    /// What was durable here and is not what the next boot, which came to `raft`, found.
    fn forgotten(&self, raft: &Raft) -> Option<(&'static str, String)> {
        let (term, vote) = self.durable;
        if raft.term() < term {
            let detail = format!("durable was term {term}, the boot found {}", raft.term());
            return Some(("a restart forgot the term", detail));
        }
        if raft.term() == term && vote.is_some() && raft.vote() != vote {
            let detail =
                format!("in term {term} it had voted durably, the boot found another vote");
            return Some(("a restart forgot the vote", detail));
        }
        None
    }
}

impl PerNode for Monotonic {
    type Part = Raft;
    type Memory = Memory;
    const PROPERTY: Property = Property {
        name: "raft.monotonic",
        about: "term, vote, commit index and applied index never go back",
        source: "raft-paper §5.1",
    };

    fn reboot(memory: &mut Memory) {
        memory.has_rebooted = true;
    }

    fn look(&mut self, look: &Look<'_>, memory: &mut Memory) -> Judged {
        let mut after = Seen::of(look.part);
        let has_rebooted = core::mem::take(&mut memory.has_rebooted);
        if has_rebooted && is_newcomer(look) {
            memory.seen = Some(after);
            return Ok(1);
        }
        let Some(before) = memory.seen.replace(after) else {
            return Ok(0);
        };
        let breach = match has_rebooted {
            true => before.forgotten(look.part),
            false => before.went_back(&after),
        };
        let Some((rule, detail)) = breach else {
            // Until this boot has durable state of its own, what earlier ones promised stands.
            after.durable = after.durable.max(before.durable);
            memory.seen = Some(after);
            return Ok(1);
        };
        let detail = format!("{}: {detail}", look.name());
        Err(look.breach(Self::PROPERTY, rule, &[look.node], detail))
    }
}

/// Whether a node has booted with nothing and is no member by what the group has committed.
fn is_newcomer(look: &Look<'_>) -> bool {
    let (raft, others) = (look.part, || look.group().filter(|(node, _)| *node != look.node));
    let is_blank = raft.term() == 0 && raft.last_index() == 0;
    let furthest = others().max_by_key(|(_, other)| other.commit_index());
    is_blank && furthest.is_some_and(|(_, other)| !other.counts_on(raft.me()))
}
