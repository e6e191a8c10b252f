//! The terms of a log, as runs: what identifies its entries, by log matching.

use super::super::entry::LogId;
use super::super::machine::Raft;
use alloc::vec::Vec;

/// A log reduced to where each term begins in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Terms {
    base: LogId,
    last: LogId,
    /// The first entry of each run of one term, ascending.
    runs: Vec<LogId>,
}

impl Terms {
    /// An empty log after `base`.
    pub const fn after(base: LogId) -> Self {
        Self { base, last: base, runs: Vec::new() }
    }

    /// That of a node.
    pub fn of(raft: &Raft) -> Self {
        let index = raft.first_index() - 1;
        let term = raft.term_at(index).expect("the one before the first is known");
        let mut terms = Self::after(LogId { term, index });
        terms.extend(raft);
        terms
    }

    /// Takes in what `raft` has behind the last entry that is known here, which it must hold.
    pub fn extend(&mut self, raft: &Raft) {
        let last = raft.last_id();
        if self.runs.last().is_some_and(|run| run.term == last.term) {
            // Terms do not fall along a log.
            self.last = last;
        }
        for index in self.last.index + 1..=last.index {
            let term = raft.term_at(index).expect("the index is inside the log");
            self.put(LogId { term, index });
        }
        assert!(self.last == last, "what a node has was taken in");
    }

    /// Puts an entry, in the place of everything from its index on. One that leaves a gap begins the
    /// log anew: nothing is known of what precedes it.
    pub fn put(&mut self, id: LogId) {
        if id.index <= self.base.index || id.index > self.last.index + 1 {
            *self = Self::after(LogId { term: 0, index: id.index.saturating_sub(1) });
        }
        while self.runs.last().is_some_and(|run| run.index >= id.index) {
            self.runs.pop();
        }
        if self.runs.last().is_none_or(|run| run.term != id.term) {
            self.runs.push(id);
        }
        self.last = id;
    }

    /// What stands before the first entry.
    pub const fn base(&self) -> LogId {
        self.base
    }

    /// The last entry; what stands before the log where it is empty.
    pub const fn last(&self) -> LogId {
        self.last
    }

    /// The term at `index`, also just before the first entry.
    pub fn term(&self, index: u64) -> Option<u64> {
        if index == self.base.index {
            return Some(self.base.term);
        }
        if index < self.base.index || index > self.last.index {
            return None;
        }
        let after = self.runs.partition_point(|run| run.index <= index);
        Some(self.runs[after - 1].term)
    }

    /// Whether this log is the beginning of `other`, as far as both go back.
    pub fn is_prefix_of(&self, other: &Self) -> bool {
        if self.last.index > other.last.index {
            return false;
        }
        let from = self.base.index.max(other.base.index);
        // Between two places at which a run begins in either, nothing changes.
        let starts = self.runs.iter().chain(&other.runs).map(|run| run.index);
        let inside = starts.filter(|&index| index >= from && index <= self.last.index);
        let looked = inside.chain([from, self.last.index]);
        let mut looked = looked.filter(|&index| index >= from);
        looked.all(|index| self.term(index) == other.term(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(base: u64, terms: &[u64]) -> Terms {
        let mut log = Terms::after(LogId { term: 1, index: base });
        (base + 1..).zip(terms).for_each(|(index, &term)| log.put(LogId { term, index }));
        log
    }

    #[test]
    fn terms_are_found_and_replaced() {
        let mut terms = log(0, &[1, 1, 2, 2, 2, 4]);
        let all = |terms: &Terms| (0..=7).map(|at| terms.term(at)).collect::<Vec<_>>();
        let known = [1, 1, 1, 2, 2, 2, 4].map(Some);
        assert_eq!(all(&terms), [&known[..], &[None]].concat());
        terms.put(LogId { term: 5, index: 4 });
        assert_eq!(all(&terms)[..5], [1, 1, 1, 2, 5].map(Some));
        assert_eq!(terms.last(), LogId { term: 5, index: 4 });
    }

    #[test]
    fn prefixes() {
        let whole = log(0, &[1, 1, 2, 2, 3]);
        assert!(log(0, &[1, 1, 2]).is_prefix_of(&whole));
        assert!(log(0, &[]).is_prefix_of(&whole));
        assert!(whole.is_prefix_of(&whole));
        assert!(!whole.is_prefix_of(&log(0, &[1, 1, 2])));
        assert!(!log(0, &[1, 2, 2]).is_prefix_of(&whole));
        assert!(!log(0, &[1, 1, 1]).is_prefix_of(&whole));
        assert!(log(2, &[2, 2]).is_prefix_of(&whole), "as far as both go back");
    }
}
