//! Log matching (raft-paper §5.3, Figure 3).

use super::{Look, Members, OfMembers, digest, violation};
use crate::protocol::cow::Table;
use crate::protocol::raft::{LogId, Raft};
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use catalog::{Property, Violation};
use contract::NodeId;

/// Two logs that hold an entry with the same index and term are identical up to it.
///
/// Shown entry by entry: whoever holds an entry of this index and term holds the same content
/// there, after a predecessor of the same term. By induction the whole prefix is the same.
#[derive(Clone, Debug)]
pub struct LogMatching {
    members: Members,
    known: Table<Records>,
    held: Vec<Held>,
}

/// What is known of one index: a record per term that put an entry there, mostly one.
#[derive(Clone, Debug, Default)]
struct Records {
    first: Option<Known>,
    others: Vec<Known>,
}

impl Records {
    /// The record of this term, which is `this` where there was none.
    fn of_term(&mut self, this: Known) -> Known {
        let first = *self.first.get_or_insert(this);
        if first.term == this.term {
            return first;
        }
        let mut others = self.others.iter();
        if let Some(other) = others.find(|other| other.term == this.term) {
            return *other;
        }
        self.others.push(this);
        this
    }
}

#[derive(Clone, Copy, Debug)]
struct Known {
    term: u64,
    term_before: u64,
    digest: u64,
    holder: NodeId,
}

/// One member's log as last seen.
#[derive(Clone, Debug, Default)]
struct Held {
    boot: u32,
    last: LogId,
    /// The first index that its log held.
    first_index: u64,
    terms: Table<u64>,
    /// Whether it has left the others' history: reported once.
    has_diverged: bool,
}

impl LogMatching {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(members: Members) -> Self {
        let held = vec![Held::default(); members.len()];
        Self { members, known: Table::default(), held }
    }

    /// The first index at which the log may differ from what was seen: only tails change.
    fn changed_from(held: &Held, raft: &Raft) -> u64 {
        let mut index = raft.last_index();
        let is_same = |index: u64| {
            let entry = raft.entry(index);
            index <= held.last.index
                && entry.is_some_and(|entry| held.terms.get(index) == Some(&entry.term))
        };
        while index >= raft.first_index() && !is_same(index) {
            index -= 1;
        }
        index + 1
    }

    /// Compares the entry at `index` with what others held there; the first difference.
    fn compare(
        &mut self,
        node: NodeId,
        raft: &Raft,
        index: u64,
    ) -> Result<(), (Known, &'static str)> {
        let entry = raft.entry(index).expect("the index is inside the log");
        let term_before = raft.term_at(index - 1).expect("the one before the first is known too");
        let this = Known { term: entry.term, term_before, digest: digest(entry), holder: node };
        let Some(records) = self.known.entry(index) else {
            return Ok(());
        };
        let known = records.of_term(this);
        if known.term_before != this.term_before {
            return Err((known, "same entry after different ones"));
        }
        if known.digest != this.digest {
            return Err((known, "same index and term, different content"));
        }
        Ok(())
    }
}

impl OfMembers for LogMatching {
    const PROPERTY: Property = Property {
        name: "raft.log_matching",
        about: "logs with an entry of the same index and term are identical up to it",
        source: "raft-paper §5.3",
    };

    fn members(&self) -> &Members {
        &self.members
    }

    fn look(&mut self, look: &Look<'_>) -> Result<(), Violation> {
        let Look { at, node: touched, position, boot, raft, .. } = *look;
        let held = &mut self.held[position];
        if held.boot == boot && held.last == raft.last_id() {
            return Ok(());
        }
        let from = Self::changed_from(held, raft);
        held.boot = boot;
        held.last = raft.last_id();
        if held.first_index != raft.first_index() {
            held.first_index = raft.first_index();
            held.terms.forget_before(held.first_index);
            // What no log holds any more cannot differ.
            let first = self.held.iter().map(|held| held.first_index).min();
            self.known.forget_before(first.unwrap_or(0));
        }
        let mut breach = None;
        for index in from..=raft.last_index() {
            let term = raft.entry(index).map_or(0, |entry| entry.term);
            if let Some(held) = self.held[position].terms.entry(index) {
                *held = term;
            }
            if let Err((known, rule)) = self.compare(touched, raft, index) {
                breach = breach.or(Some((index, term, known, rule)));
            }
        }
        let Some((index, term, known, rule)) = breach else {
            return Ok(());
        };
        if core::mem::replace(&mut self.held[position].has_diverged, true) {
            return Ok(());
        }
        let detail = format!(
            "{} and {} hold an entry of term {term} at index {index}, but their logs differ up to it",
            self.members.name(known.holder),
            self.members.name(touched)
        );
        let nodes = [known.holder, touched];
        Err(violation(Self::PROPERTY, rule, at, &nodes, detail))
    }
}
