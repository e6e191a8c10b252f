//! The log in memory: copy-on-write chunks under one list, so that a fork of a node costs one
//! counter, and its first write afterwards copies the list and one chunk.

use super::entry::{Entry, LogId};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Entries per chunk.
const CHUNK: u64 = 64;

const _: () = assert!(CHUNK.is_power_of_two(), "the place of an index is found by shifts");

/// Consecutive entries. Chunk boundaries lie at multiples of [`CHUNK`] of the index.
#[derive(Clone, Debug)]
pub(super) struct Log {
    chunks: Arc<Vec<Arc<Vec<Entry>>>>,
    /// What stands before the first entry: `(0, 0)`, or what a snapshot covers.
    base: LogId,
    last: LogId,
    size_bytes: u64,
}

impl Log {
    /// An empty log after `base`.
    pub fn after(base: LogId) -> Self {
        Self { chunks: Arc::default(), base, last: base, size_bytes: 0 }
    }

    /// The first index that is held, or would be.
    pub const fn first_index(&self) -> u64 {
        self.base.index + 1
    }

    /// What stands before the first entry.
    pub const fn base(&self) -> LogId {
        self.base
    }

    /// The last entry's id; what stands before the log where it is empty.
    pub const fn last(&self) -> LogId {
        self.last
    }

    /// What the entries count for, in bytes.
    pub const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The entry at `index`, where it is held.
    pub fn entry(&self, index: u64) -> Option<&Entry> {
        if index <= self.base.index || index > self.last.index {
            return None;
        }
        let (chunk, offset) = self.place(index);
        let entry = &self.chunks[chunk][offset];
        assert!(entry.index == index, "entries lie where their index says");
        Some(entry)
    }

    /// The term at `index`: also just before the first entry.
    pub fn term(&self, index: u64) -> Option<u64> {
        if index == self.base.index {
            return Some(self.base.term);
        }
        self.entry(index).map(|entry| entry.term)
    }

    /// The entries from `from` on, in order.
    pub fn from(&self, from: u64) -> impl Iterator<Item = &Entry> {
        (from..=self.last.index).map_while(|index| self.entry(index))
    }

    /// The last index up to `at` whose term is at most `term`: where two logs may still agree when
    /// they differ at `at` (etcd's way to skip a run of one term at a time).
    pub fn last_with_term_up_to(&self, at: u64, term: u64) -> u64 {
        let mut index = at.min(self.last.index);
        while index > self.base.index && self.term(index).is_some_and(|here| here > term) {
            index -= 1;
        }
        assert!(index <= at, "where logs may agree is not beyond where they differ");
        index
    }

    /// Appends `entry`, which must be the next one.
    pub fn append(&mut self, entry: Entry) {
        assert!(
            entry.index == self.last.index + 1,
            "a log has no gaps: {} follows {}",
            entry.index,
            self.last.index
        );
        self.last = entry.id();
        self.size_bytes += entry.size_bytes();
        let (chunk, _) = self.place(entry.index);
        let chunks = Arc::make_mut(&mut self.chunks);
        if chunk == chunks.len() {
            chunks.push(Arc::new(Vec::with_capacity(CHUNK as usize)));
        }
        Arc::make_mut(&mut chunks[chunk]).push(entry);
    }

    /// Drops the entries from `from` on and returns how many there were.
    pub fn truncate(&mut self, from: u64) -> u64 {
        assert!(from > self.base.index, "a snapshot cannot be taken back");
        let dropped = (self.last.index + 1).saturating_sub(from);
        let dropped_bytes: u64 = self.from(from).map(Entry::size_bytes).sum();
        self.size_bytes -= dropped_bytes;
        if dropped > 0 {
            let (chunk, offset) = self.place(from);
            let chunks = Arc::make_mut(&mut self.chunks);
            chunks.truncate(chunk + 1);
            Arc::make_mut(&mut chunks[chunk]).truncate(offset);
            if offset == 0 {
                chunks.pop();
            }
            let term = self.term_before(from);
            self.last = LogId { term, index: from - 1 };
        }
        assert!(self.last.index < from, "the tail is gone");
        assert!(self.last.index >= self.base.index, "a log ends where it begins, or later");
        dropped
    }

    /// Forgets the entries up to `index`, which a snapshot covers.
    pub fn compact(&mut self, index: u64) {
        if index <= self.base.index {
            return;
        }
        assert!(index <= self.last.index, "a log is cut where it is");
        let term = self.term(index).expect("what is cut is held");
        let dropped_bytes: u64 = (self.first_index()..=index)
            .filter_map(|index| self.entry(index))
            .map(Entry::size_bytes)
            .sum();
        // The first chunk may begin in the middle: it holds what is left of its 64 indexes.
        let first = self.base.index / CHUNK;
        let gone = (index / CHUNK - first) as usize;
        let chunks = Arc::make_mut(&mut self.chunks);
        let held_before = if gone == 0 { self.base.index % CHUNK } else { 0 };
        let rest = (index % CHUNK - held_before) as usize;
        chunks.drain(..gone);
        if let (true, Some(chunk)) = (rest > 0, chunks.first_mut()) {
            Arc::make_mut(chunk).drain(..rest);
        }
        if chunks.first().is_some_and(|chunk| chunk.is_empty()) {
            chunks.remove(0);
        }
        self.size_bytes -= dropped_bytes;
        self.base = LogId { term, index };
        assert!(self.base.term <= self.last.term, "terms do not fall along a log");
    }

    fn term_before(&self, from: u64) -> u64 {
        if from - 1 == self.base.index {
            return self.base.term;
        }
        let (chunk, offset) = self.place(from - 1);
        self.chunks[chunk][offset].term
    }

    /// The chunk of `index` and the position in it.
    const fn place(&self, index: u64) -> (usize, usize) {
        assert!(index > self.base.index, "what a snapshot covers has no place");
        let chunk = (index - 1) / CHUNK - self.base.index / CHUNK;
        let chunk_start = (index - 1) / CHUNK * CHUNK;
        let start = if chunk_start > self.base.index { chunk_start } else { self.base.index };
        (chunk as usize, (index - 1 - start) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::Payload;
    use super::*;

    fn entry(term: u64, index: u64) -> Entry {
        Entry { term, index, time: 0, payload: Payload::Noop }
    }

    fn filled(base: LogId, count: u64) -> Log {
        let mut log = Log::after(base);
        (1..=count).for_each(|n| log.append(entry(1 + n / 100, base.index + n)));
        log
    }

    #[test]
    fn entries_are_found_across_chunks_whatever_the_base() {
        for index in [0, 1, 63, 64, 65, 130] {
            let log = filled(LogId { term: 1, index }, 200);
            assert_eq!(log.first_index(), index + 1);
            assert_eq!(log.last().index, index + 200);
            assert!(log.entry(index).is_none());
            assert!(log.entry(index + 201).is_none());
            let found: Vec<u64> = log.from(index + 1).map(|entry| entry.index).collect();
            assert_eq!(found, (index + 1..=index + 200).collect::<Vec<_>>());
        }
    }

    #[test]
    fn truncating_drops_the_tail_and_its_bytes() {
        for keep in [0, 1, 63, 64, 65, 127, 128, 199, 200] {
            let mut log = filled(LogId::default(), 200);
            assert_eq!(log.truncate(keep + 1), 200 - keep);
            assert_eq!(log.last().index, keep);
            assert_eq!(log.size_bytes(), keep * Entry::OVERHEAD_BYTES);
            log.append(entry(9, keep + 1));
            assert_eq!(log.term(keep + 1), Some(9));
        }
    }

    #[test]
    fn compacting_drops_the_head_and_its_bytes() {
        for base in [0, 1, 63, 64, 100] {
            for count in [1, 2, 62, 63, 64, 65, 128, 199, 200] {
                let mut log = filled(LogId { term: 1, index: base }, 200);
                log.compact(base + count);
                assert_eq!(log.first_index(), base + count + 1);
                assert_eq!(log.size_bytes(), (200 - count) * Entry::OVERHEAD_BYTES);
                assert_eq!(log.term(base + count), Some(1 + count / 100));
                assert!(log.entry(base + count).is_none());
                let found: Vec<u64> = log.from(log.first_index()).map(|e| e.index).collect();
                assert_eq!(found, (base + count + 1..=base + 200).collect::<Vec<_>>());
                log.append(entry(9, base + 201));
                log.compact(base + 201);
                log.append(entry(9, base + 202));
                assert_eq!(log.truncate(base + 202), 1);
                assert_eq!(log.last(), LogId { term: 9, index: base + 201 });
            }
        }
    }

    #[test]
    fn a_fork_shares_all_chunks_but_the_one_written_next() {
        let mut log = filled(LogId::default(), 130);
        let fork = log.clone();
        log.append(entry(5, 131));
        assert_eq!(fork.last().index, 130);
        let shared = |chunk: usize| Arc::ptr_eq(&log.chunks[chunk], &fork.chunks[chunk]);
        assert_eq!([shared(0), shared(1), shared(2)], [true, true, false]);
    }

    #[test]
    fn runs_of_newer_terms_are_skipped() {
        let log = filled(LogId::default(), 250);
        assert_eq!(log.last_with_term_up_to(250, 3), 250);
        assert_eq!(log.last_with_term_up_to(250, 2), 199);
        assert_eq!(log.last_with_term_up_to(150, 1), 99);
        assert_eq!(log.last_with_term_up_to(150, 0), 0);
    }
}
