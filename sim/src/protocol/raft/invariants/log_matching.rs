//! Log matching (raft-paper §5.3, Figure 3).

use super::log_starts::LogStarts;
use super::{Look, digest};
use crate::protocol::cow::Table;
use crate::protocol::raft::{LogId, Raft};
use alloc::format;
use alloc::vec::Vec;
use catalog::{Judged, PerNode, Property, Watched};
use contract::NodeId;

/// Two logs that hold an entry with the same index and term are identical up to it.
///
/// Shown entry by entry: whoever holds an entry of this index and term holds the same content
/// there, after a predecessor of the same term. By induction the whole prefix is the same.
#[derive(Clone, Debug)]
pub struct LogMatching {
    known: Table<Records>,
    starts: LogStarts,
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

/// One member's log as last seen, also in earlier boots.
#[derive(Clone, Debug, Default)]
pub struct Held {
    last: LogId,
    terms: Table<u64>,
    has_rebooted: bool,
    /// Whether it has left the others' history: reported once.
    has_diverged: bool,
}

impl Held {
    /// The first index at which the log may differ from what was seen: only tails change.
    fn changed_from(&self, raft: &Raft) -> u64 {
        let mut index = raft.last_index();
        let is_same = |index: u64| {
            let entry = raft.entry(index);
            index <= self.last.index
                && entry.is_some_and(|entry| self.terms.get(index) == Some(&entry.term))
        };
        while index >= raft.first_index() && !is_same(index) {
            index -= 1;
        }
        assert!(index + 1 >= raft.first_index(), "what was cut cannot change");
        index + 1
    }
}

impl LogMatching {
    /// Nothing seen yet of a group.
    #[must_use]
    pub fn new(group: &Watched) -> Self {
        Self { known: Table::default(), starts: LogStarts::new(group.slots()) }
    }

    /// Compares the entry at `index` with what others held there; the first difference.
    fn compare(
        &mut self,
        node: NodeId,
        raft: &Raft,
        index: u64,
    ) -> Result<(), (Known, &'static str)> {
        let entry = raft.entry(index).expect("the index is inside the log");
        assert!(entry.index == index, "entries lie where their index says");
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

impl PerNode for LogMatching {
    type Part = Raft;
    type Memory = Held;
    const PROPERTY: Property = Property {
        name: "raft.log_matching",
        about: "logs with an entry of the same index and term are identical up to it",
        source: "raft-paper §5.3",
    };

    fn reboot(held: &mut Held) {
        held.has_rebooted = true;
    }

    fn look(&mut self, look: &Look<'_>, held: &mut Held) -> Judged {
        let raft = look.part;
        if !core::mem::take(&mut held.has_rebooted) && held.last == raft.last_id() {
            return Ok(0);
        }
        let from = held.changed_from(raft);
        held.last = raft.last_id();
        if let Some(oldest) = self.starts.moved(look.place.slot, raft.first_index()) {
            held.terms.forget_before(raft.first_index());
            self.known.forget_before(oldest);
        }
        let mut breach = None;
        for index in from..=raft.last_index() {
            let term = raft.entry(index).map_or(0, |entry| entry.term);
            if let Some(held) = held.terms.entry(index) {
                *held = term;
            }
            if let Err((known, rule)) = self.compare(look.node, raft, index) {
                breach = breach.or(Some((index, term, known, rule)));
            }
        }
        let Some((index, term, known, rule)) = breach else {
            return Ok(raft.last_index() + 1 - from);
        };
        if core::mem::replace(&mut held.has_diverged, true) {
            return Ok(1);
        }
        let detail = format!(
            "{} and {} hold an entry of term {term} at index {index}, but their logs differ up to it",
            look.name_of(known.holder),
            look.name()
        );
        Err(look.breach(Self::PROPERTY, rule, &[known.holder, look.node], detail))
    }
}
