//! Which open operations were taken, as a short row of words that can be compared.
//!
//! Open operations are only ever a means: having used fewer of them leaves more to come. Those
//! that do the same are counted, in a lane of 16 bits per queue; every other one has a bit. So
//! whether one place used no more of anything than another is one pass over the words.

use super::object::Span;
use super::queues::Queues;
use crate::history::rank::OPEN;

/// How many open operations that are alone of their kind are told apart.
pub(super) const SINGLES_MAX: usize = 128;
/// How many queues are counted.
const LANES_MAX: usize = 64;
/// The longest queue that is counted: the top bit of a lane is its guard.
const LANE_MAX: usize = 0x7fff;
const LANES_PER_WORD: usize = 4;
const GUARDS: u64 = 0x8000_8000_8000_8000;

/// The open operations taken, as far as they have a place here.
#[derive(Debug)]
pub(super) struct Used {
    /// By operation: its word, and what it adds there; 0 where it has no place.
    places: Vec<(u32, u64)>,
    words: Vec<u64>,
    /// How many of the words are bits; the others are lanes.
    bit_words: usize,
}

impl Used {
    /// Nothing is taken yet.
    pub fn new(spans: &[Span], queues: &Queues) -> Self {
        let mut places = vec![(0, 0); spans.len()];
        let is_single = |op: &u32| spans[*op as usize].ret == OPEN && !queues.has(*op);
        let singles = (0..spans.len() as u32).filter(is_single).take(SINGLES_MAX);
        let mut bits = 0_u32;
        for op in singles {
            places[op as usize] = (bits / 64, 1 << (bits % 64));
            bits += 1;
        }
        let bit_words = bits.div_ceil(64) as usize;
        let mut lanes = 0;
        for ops in queues.all().filter(|ops| ops.len() <= LANE_MAX).take(LANES_MAX) {
            let word = (bit_words + lanes / LANES_PER_WORD) as u32;
            let add = 1 << (16 * (lanes % LANES_PER_WORD));
            ops.iter().for_each(|&op| places[op as usize] = (word, add));
            lanes += 1;
        }
        let words = vec![0; bit_words + lanes.div_ceil(LANES_PER_WORD)];
        Self { places, words, bit_words }
    }

    /// Notes that `op` was taken; `false` when it has no place here.
    pub fn take(&mut self, op: u32) -> bool {
        let (word, add) = self.places[op as usize];
        if add > 0 {
            self.words[word as usize] += add;
        }
        add > 0
    }

    /// Notes that `op` was given back; `false` when it has no place here.
    pub fn give_back(&mut self, op: u32) -> bool {
        let (word, add) = self.places[op as usize];
        if add > 0 {
            self.words[word as usize] -= add;
        }
        add > 0
    }

    /// What is taken.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// How many of the words are bits.
    pub const fn bit_words(&self) -> usize {
        self.bit_words
    }
}

/// Whether `few` used no more of anything than `many`. The first `bit_words` are bits.
pub(super) fn is_within(few: &[u64], many: &[u64], bit_words: usize) -> bool {
    assert!(few.len() == many.len(), "rows of one search are equally long");
    let mut pairs = few.iter().zip(many);
    let bits = pairs.by_ref().take(bit_words).all(|(few, many)| few & !many == 0);
    bits && pairs.all(|(few, many)| ((many | GUARDS) - few) & GUARDS == GUARDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_and_lanes_are_compared_each_by_itself() {
        let lanes = |a: u64, b: u64| vec![0b11, a | b << 48];
        assert!(is_within(&lanes(3, 4), &lanes(3, 4), 1));
        assert!(is_within(&lanes(0, 4), &lanes(3, 4), 1));
        assert!(
            !is_within(&lanes(4, 0), &lanes(3, 0x7fff), 1),
            "one lane does not lend to another"
        );
        assert!(!is_within(&lanes(0, 5), &lanes(0x7fff, 4), 1));
        assert!(is_within(&[0b01], &[0b11], 1));
        assert!(!is_within(&[0b10], &[0b01], 1));
        assert!(is_within(&[], &[], 0));
    }
}
