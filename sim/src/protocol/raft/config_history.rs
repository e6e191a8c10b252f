//! The configurations that a log holds: a node goes by the latest one, committed or not
//! (raft-thesis §4.1), so cutting a tail brings an earlier one back.

use super::configuration::Members;
use alloc::vec::Vec;

/// The configuration before the log, and those in it.
#[derive(Clone, Debug)]
pub(super) struct Configs {
    /// Where each begins, ascending; the first is that of the snapshot, or of the group's birth.
    known: Vec<(u64, Members)>,
}

impl Configs {
    /// Only `members`, which hold from `index` on.
    pub fn starting(index: u64, members: Members) -> Self {
        assert!(members.is_sound(), "a group begins with a configuration that makes sense");
        Self { known: Vec::from([(index, members)]) }
    }

    /// The one to go by, and the index of its entry.
    pub fn latest(&self) -> (u64, &Members) {
        let (index, members) = self.known.last().expect("there is always a first one");
        (*index, members)
    }

    /// All of them, ascending.
    pub fn all(&self) -> &[(u64, Members)] {
        &self.known
    }

    /// The one that the prefix of the log up to `index` leads to.
    pub fn at(&self, index: u64) -> (u64, &Members) {
        let before = self.known.iter().rev().find(|(from, _)| *from <= index);
        let (from, members) = before.unwrap_or(&self.known[0]);
        (*from, members)
    }

    /// Takes the one that the entry at `index` holds.
    pub fn append(&mut self, index: u64, members: Members) {
        // Only a defect keeps one whose entry is gone.
        self.truncate(index);
        self.known.push((index, members));
    }

    /// Forgets those of the entries from `from` on.
    pub fn truncate(&mut self, from: u64) {
        let keep = self.known.partition_point(|(index, _)| *index < from).max(1);
        self.known.truncate(keep);
        assert!(!self.known.is_empty(), "the first one stays");
    }

    /// Forgets those that a snapshot at `index` has made history.
    pub fn compact(&mut self, index: u64) {
        let past = self.known.partition_point(|(from, _)| *from <= index);
        self.known.drain(..past.saturating_sub(1));
        assert!(!self.known.is_empty(), "the one that the snapshot stands on stays");
    }
}

#[cfg(test)]
mod tests {
    use super::super::configuration::PeerSet;
    use super::*;

    fn members(bits: u32) -> Members {
        Members::new(PeerSet::from_bits(bits), PeerSet::EMPTY)
    }

    #[test]
    fn the_latest_holds_until_its_entry_is_cut() {
        let mut configs = Configs::starting(0, members(1));
        configs.append(5, members(3));
        configs.append(9, members(7));
        assert_eq!(configs.latest(), (9, &members(7)));
        assert_eq!(configs.at(8), (5, &members(3)));
        configs.truncate(9);
        assert_eq!(configs.latest(), (5, &members(3)));
        configs.truncate(1);
        assert_eq!(configs.latest(), (0, &members(1)));
    }

    #[test]
    fn a_snapshot_keeps_the_one_that_it_stands_on() {
        let mut configs = Configs::starting(0, members(1));
        configs.append(5, members(3));
        configs.append(9, members(7));
        configs.compact(7);
        assert_eq!(configs.at(7), (5, &members(3)));
        assert_eq!(configs.latest(), (9, &members(7)));
        configs.truncate(9);
        assert_eq!(configs.latest().1, &members(3));
    }
}
