//! The configurations that a search has been in.
//!
//! A configuration is the state, the operations taken that must be taken, and the open ones taken.
//! The first two are kept as a 128-bit fingerprint, where Porcupine's entry costs one bit per
//! operation of the history; two of `n` share one with probability below `n² / 2^129`. The open
//! ones are kept as a row of [`Used`](super::used::Used): a configuration is as good as known when
//! one was there that used no more of anything. Rows that another makes needless are given back.

use super::used::is_within;
use contract::hash::mix;

/// No row.
const NONE: u32 = u32::MAX;
/// In place of a row: no open operation was used, so nothing can use fewer.
const NOTHING: u32 = u32::MAX - 1;

/// Slots of the first table.
const SLOTS_MIN: usize = 32;
/// A table of so many slots is split instead of doubled, so that growth never needs room for much
/// at once.
const SPLIT_AT: usize = 1 << 14;
/// Into how many tables. A power of two.
const TABLES: usize = 64;

/// A set of configurations.
#[derive(Debug)]
pub(super) struct Memo {
    /// One, or [`TABLES`]: then the upper half of a fingerprint says which.
    tables: Vec<Table>,
    rows: Rows,
    bit_words: usize,
    /// What it all takes.
    bytes: usize,
}

impl Memo {
    /// An empty set, of rows of `width` words, of which the first `bit_words` are bits.
    pub fn new(width: usize, bit_words: usize) -> Self {
        let tables = vec![Table::new(SLOTS_MIN)];
        let rows = Rows { width, blocks: Vec::new(), fresh: 0, free: NONE };
        Self { bytes: tables[0].bytes(), tables, rows, bit_words }
    }

    /// What it takes of memory.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a configuration; `false` if it, or one that used no more, was there.
    pub fn insert(&mut self, fingerprint: u128, used: &[u64]) -> bool {
        let fingerprint = fingerprint.max(1);
        let number = table_of(fingerprint, self.tables.len());
        let table = &mut self.tables[number];
        let slot = table.find(fingerprint);
        let Some(kept) = self.rows.without_more(table.latest[slot], used, self.bit_words) else {
            return false;
        };
        let uses_any = used.iter().any(|&word| word > 0);
        table.latest[slot] = if uses_any {
            let (row, grown) = self.rows.add(used, kept);
            self.bytes += grown;
            row
        } else {
            NOTHING
        };
        if table.slots[slot] == 0 {
            table.slots[slot] = fingerprint;
            table.taken += 1;
            if table.taken * 4 > table.slots.len() * 3 {
                self.grow(number);
            }
        }
        true
    }

    /// Makes room in a full table.
    fn grow(&mut self, number: usize) {
        let len = self.tables[number].slots.len();
        if len < SPLIT_AT || self.tables.len() > 1 {
            let old = std::mem::replace(&mut self.tables[number], Table::new(len * 2));
            self.bytes = self.bytes - old.bytes() + self.tables[number].bytes();
            for (fingerprint, latest) in old.entries() {
                self.tables[number].add(fingerprint, latest);
            }
            return;
        }
        let old = self.tables.pop().expect("there is one table");
        self.tables = (0..TABLES).map(|_| Table::new(2 * len / TABLES)).collect();
        let tables: usize = self.tables.iter().map(Table::bytes).sum();
        self.bytes = self.bytes - old.bytes() + tables;
        for (fingerprint, latest) in old.entries() {
            let number = table_of(fingerprint, TABLES);
            self.tables[number].add(fingerprint, latest);
            // Fingerprints spread evenly, so this is for a freak of a table.
            if self.tables[number].taken * 4 > self.tables[number].slots.len() * 3 {
                self.grow(number);
            }
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.tables.iter().map(|table| table.taken).sum()
    }
}

/// Which of `tables`, a power of two, has a fingerprint.
const fn table_of(fingerprint: u128, tables: usize) -> usize {
    (fingerprint >> 64) as usize & (tables - 1)
}

/// Open addressing, no removal. The length is a power of two.
#[derive(Debug)]
struct Table {
    /// Fingerprints; 0 is an empty slot.
    slots: Vec<u128>,
    /// By slot: the first of its rows, [`NOTHING`], or [`NONE`] where the slot is empty.
    latest: Vec<u32>,
    taken: usize,
}

impl Table {
    fn new(len: usize) -> Self {
        Self { slots: vec![0; len], latest: vec![NONE; len], taken: 0 }
    }

    const fn bytes(&self) -> usize {
        self.slots.len() * (size_of::<u128>() + size_of::<u32>())
    }

    /// The slot that holds `fingerprint`, or the empty one where it would go.
    fn find(&self, fingerprint: u128) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = fingerprint as usize & mask;
        while self.slots[slot] != 0 && self.slots[slot] != fingerprint {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn add(&mut self, fingerprint: u128, latest: u32) {
        let slot = self.find(fingerprint);
        self.slots[slot] = fingerprint;
        self.latest[slot] = latest;
        self.taken += 1;
    }

    fn entries(self) -> impl Iterator<Item = (u128, u32)> {
        let all = self.slots.into_iter().zip(self.latest);
        all.filter(|(fingerprint, _)| *fingerprint != 0)
    }
}

/// How many rows of one place are compared: not to know a configuration costs steps, which have a
/// budget; to compare it with thousands costs time, which has none.
const CHAIN_MAX: usize = 128;

/// Rows in one block, so that growth copies nothing.
const ROWS_PER_BLOCK: usize = 256;

/// Rows of words, in chains.
#[derive(Debug)]
struct Rows {
    /// Words of a row; behind them stands the next row of its chain.
    width: usize,
    blocks: Vec<Box<[u64]>>,
    /// The first row that was never used.
    fresh: u32,
    /// The chain of rows that were given back.
    free: u32,
}

impl Rows {
    fn at(&self, row: u32) -> &[u64] {
        let (block, start) = self.place(row);
        &self.blocks[block][start..start + self.width]
    }

    fn next(&self, row: u32) -> u32 {
        let (block, start) = self.place(row);
        self.blocks[block][start + self.width] as u32
    }

    fn link(&mut self, row: u32, next: u32) {
        let (block, start) = self.place(row);
        self.blocks[block][start + self.width] = u64::from(next);
    }

    const fn place(&self, row: u32) -> (usize, usize) {
        let row = row as usize;
        (row / ROWS_PER_BLOCK, row % ROWS_PER_BLOCK * (self.width + 1))
    }

    /// The chain from `first` without the rows that used at least as much as `used`; `None` if one
    /// used no more than that. Of a long chain only the beginning is looked at.
    fn without_more(&mut self, first: u32, used: &[u64], bit_words: usize) -> Option<u32> {
        if first == NOTHING {
            return None;
        }
        let (mut first, mut before, mut row) = (first, NONE, first);
        for _ in 0..CHAIN_MAX {
            if row == NONE {
                break;
            }
            if is_within(self.at(row), used, bit_words) {
                return None;
            }
            let next = self.next(row);
            if !is_within(used, self.at(row), bit_words) {
                before = row;
            } else {
                if before == NONE {
                    first = next;
                } else {
                    self.link(before, next);
                }
                self.link(row, self.free);
                self.free = row;
            }
            row = next;
        }
        Some(first)
    }

    /// A row in front of the chain from `next`, and by how many bytes that made it all grow.
    fn add(&mut self, used: &[u64], next: u32) -> (u32, usize) {
        let mut grown = 0;
        let row = if self.free == NONE {
            if self.fresh as usize == self.blocks.len() * ROWS_PER_BLOCK {
                let words = ROWS_PER_BLOCK * (self.width + 1);
                self.blocks.push(vec![0; words].into_boxed_slice());
                grown = words * size_of::<u64>();
            }
            self.fresh += 1;
            self.fresh - 1
        } else {
            let row = self.free;
            self.free = self.next(row);
            row
        };
        assert!(row < NOTHING, "the budget of memory is spent long before");
        let (block, start) = self.place(row);
        self.blocks[block][start..start + self.width].copy_from_slice(used);
        self.link(row, next);
        (row, grown)
    }
}

/// The fixed random number of one element, for fingerprints by exclusive or (Zobrist 1970).
#[inline]
pub(super) const fn zobrist(domain: u64, element: u64) -> u128 {
    let high = mix(mix(domain, element), 0x7a6f_6272_6973_7431);
    let low = mix(mix(element ^ 0x9e37_79b9_7f4a_7c15, domain), 0x7a6f_6272_6973_7432);
    (high as u128) << 64 | low as u128
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_new_once() {
        let mut memo = Memo::new(0, 0);
        for round in 0..2 {
            for element in 0..50_000 {
                assert_eq!(memo.insert(zobrist(1, element), &[]), round == 0);
            }
        }
        assert_eq!(memo.len(), 50_000);
        assert_eq!(memo.tables.len(), TABLES, "it was split");
        let slots: usize = memo.tables.iter().map(Table::bytes).sum();
        assert_eq!(memo.bytes(), slots, "and counts what it takes");
    }

    #[test]
    fn fewer_open_operations_make_more_of_them_known() {
        let mut memo = Memo::new(1, 1);
        assert!(memo.insert(7, &[0b110]));
        assert!(!memo.insert(7, &[0b111]), "one more");
        assert!(memo.insert(7, &[0b011]), "neither is a part of the other");
        assert!(memo.insert(7, &[0b010]), "fewer");
        assert!(!memo.insert(7, &[0b011]));
        assert!(memo.insert(8, &[0b111]), "another configuration");
        assert!(memo.insert(7, &[0]), "none at all");
        assert!(!memo.insert(7, &[0b100]), "whatever is used, it is more than nothing");
    }

    /// Counts are compared lane by lane, and what is not needed any more is used again.
    #[test]
    fn needless_rows_are_given_back() {
        let mut memo = Memo::new(1, 0);
        for left in (0..1_000).rev() {
            assert!(memo.insert(9, &[(left + 1) | (7 << 16)]));
            assert!(!memo.insert(9, &[(left + 2) | (8 << 16)]));
        }
        assert_eq!(memo.rows.fresh, 1, "one row is needed, and used again by what replaces it");
        let block = ROWS_PER_BLOCK * 2 * size_of::<u64>();
        assert_eq!(memo.bytes(), SLOTS_MIN * 20 + block);
    }

    #[test]
    fn elements_differ_in_both_halves() {
        let mut halves = Memo::new(0, 0);
        for element in 0..10_000 {
            let number = zobrist(7, element);
            assert!(halves.insert(number >> 64, &[]));
            assert!(halves.insert(number & u128::from(u64::MAX), &[]));
        }
    }
}
