//! What never goes back on one node (raft-paper Figure 2).

use super::{Look, Members, OfMembers, violation};
use crate::protocol::raft::Raft;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use catalog::{Property, Violation};

/// Term, commit index and applied index never go back within a boot; term and vote, once durable,
/// not across boots either.
#[derive(Clone, Debug)]
pub struct Monotonic {
    members: Members,
    seen: Vec<Option<Seen>>,
}

/// One member after its last event.
#[derive(Clone, Copy, Debug)]
struct Seen {
    boot: u32,
    term: u64,
    commit_index: u64,
    applied_index: u64,
    durable: (u64, Option<u32>),
}

impl Seen {
    fn of(raft: &Raft, boot: u32) -> Self {
        Self {
            boot,
            term: raft.term(),
            commit_index: raft.commit_index(),
            applied_index: raft.applied_index(),
            durable: raft.durable_term_and_vote(),
        }
    }
}

impl Monotonic {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(members: Members) -> Self {
        let seen = vec![None; members.len()];
        Self { members, seen }
    }

    fn judge(before: &Seen, after: &Seen, raft: &Raft) -> Option<(&'static str, String)> {
        if before.boot == after.boot {
            let went = |what: &str, from: u64, to: u64| format!("{what} went from {from} to {to}");
            let pairs = [
                ("the term went back", before.term, after.term),
                ("the commit index went back", before.commit_index, after.commit_index),
                ("the applied index went back", before.applied_index, after.applied_index),
            ];
            let (rule, from, to) = pairs.into_iter().find(|(_, from, to)| to < from)?;
            return Some((rule, went(rule.trim_end_matches(" went back"), from, to)));
        }
        let (term, vote) = before.durable;
        if after.term < term {
            let detail = format!("durable was term {term}, the boot found {}", after.term);
            return Some(("a restart forgot the term", detail));
        }
        if after.term == term && vote.is_some() && raft.vote() != vote {
            let detail =
                format!("in term {term} it had voted durably, the boot found another vote");
            return Some(("a restart forgot the vote", detail));
        }
        None
    }
}

impl OfMembers for Monotonic {
    const PROPERTY: Property = Property {
        name: "raft.monotonic",
        about: "term, vote, commit index and applied index never go back",
        source: "raft-paper §5.1",
    };

    fn members(&self) -> &Members {
        &self.members
    }

    fn look(&mut self, look: &Look<'_>) -> Result<(), Violation> {
        let Look { at, node: touched, position, boot, raft, .. } = *look;
        let mut after = Seen::of(raft, boot);
        let before = self.seen[position];
        let breach = before.and_then(|before| Self::judge(&before, &after, raft));
        if let (Some(before), None) = (before, &breach) {
            // Until this boot has durable state of its own, what earlier ones promised stands.
            after.durable = after.durable.max(before.durable);
        }
        self.seen[position] = Some(after);
        let Some((rule, detail)) = breach else {
            return Ok(());
        };
        let detail = format!("{}: {detail}", self.members.name(touched));
        Err(violation(Self::PROPERTY, rule, at, &[touched], detail))
    }
}
