//! Four ChaCha8 blocks at once, at any position of any stream.
//!
//! A message draws one block of its link's stream, so a link needs blocks, not a generator with a
//! position: 256 bytes of words and no state. Four blocks are computed side by side, word by word,
//! which the compiler turns into vector instructions, and stay that way: a message reads its own
//! lane. Equal to [`contract::Rng`] word for word; a test holds it to that. The rounds are those
//! of RFC 8439 section 2.1, four double rounds instead of ten, with the counter and the stream
//! number of 64 bits each that Bernstein's original has.

use contract::Word;

/// How many blocks are computed together.
pub(crate) const LANES: usize = 4;

type Lanes = [u32; LANES];

/// The words of four blocks: word `w` of block `b` is `words[w][b]`.
pub(crate) type Blocks = [Lanes; 16];

const _: () = assert!(size_of::<Blocks>() == LANES * 64, "a block has 64 bytes");

/// A key as words.
pub(crate) type Key = [u32; 8];

pub(crate) fn key_words(key: [u8; 32]) -> Key {
    let (words, _) = key.as_chunks::<4>();
    core::array::from_fn(|at| u32::from_le_bytes(words[at]))
}

/// Block `at` of stream `stream` alone, into the first lane of `out`.
pub(crate) fn block(key: &Key, stream: u64, at: u64, out: &mut Blocks) {
    let mut start = [0; 16];
    start[..4].copy_from_slice(&CONSTANT);
    start[4..12].copy_from_slice(key);
    start[12..].copy_from_slice(&[
        at as u32,
        (at >> 32) as u32,
        stream as u32,
        (stream >> 32) as u32,
    ]);
    let mut words = start;
    (0..DOUBLE_ROUNDS).for_each(|_| double_round(&mut words));
    for (row, (word, start)) in out.iter_mut().zip(words.iter().zip(start)) {
        row[0] = word.wrapping_add(start);
    }
}

/// Blocks `first` to `first + 3` of stream `stream`.
pub(crate) fn blocks(key: &Key, stream: u64, first: u64) -> Blocks {
    let counters: [u64; LANES] = core::array::from_fn(|lane| first.wrapping_add(lane as u64));
    let mut start = [[0; LANES]; 16];
    for (row, word) in start.iter_mut().zip(CONSTANT.iter().chain(key)) {
        *row = [*word; LANES];
    }
    start[12] = counters.map(|counter| counter as u32);
    start[13] = counters.map(|counter| (counter >> 32) as u32);
    start[14] = [stream as u32; LANES];
    start[15] = [(stream >> 32) as u32; LANES];
    rounds(&start)
}

/// 64 bits of a block: word `2 * index` is the low half.
#[inline]
pub(crate) fn word(blocks: &Blocks, lane: usize, index: usize) -> Word {
    let low = u64::from(blocks[2 * index][lane]);
    let high = u64::from(blocks[2 * index + 1][lane]);
    Word(high << 32 | low)
}

/// ChaCha8: eight rounds.
const DOUBLE_ROUNDS: usize = 4;

/// "expand 32-byte k"
const CONSTANT: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// The rounds, lane by lane. The body of the loop over lanes has no loop of its own left once the
/// calls are inlined; only so does the compiler run all lanes in one vector.
fn rounds(start: &Blocks) -> Blocks {
    let mut words = [[0; LANES]; 16];
    for lane in 0..LANES {
        let mut block: [u32; 16] = core::array::from_fn(|word| start[word][lane]);
        double_round(&mut block);
        double_round(&mut block);
        double_round(&mut block);
        double_round(&mut block);
        for word in 0..16 {
            words[word][lane] = block[word].wrapping_add(start[word][lane]);
        }
    }
    words
}

#[inline(always)]
fn double_round(block: &mut [u32; 16]) {
    quarter_round(block, 0, 4, 8, 12);
    quarter_round(block, 1, 5, 9, 13);
    quarter_round(block, 2, 6, 10, 14);
    quarter_round(block, 3, 7, 11, 15);
    quarter_round(block, 0, 5, 10, 15);
    quarter_round(block, 1, 6, 11, 12);
    quarter_round(block, 2, 7, 8, 13);
    quarter_round(block, 3, 4, 9, 14);
}

#[inline(always)]
fn quarter_round(block: &mut [u32; 16], a: usize, b: usize, c: usize, d: usize) {
    block[a] = block[a].wrapping_add(block[b]);
    block[d] = (block[d] ^ block[a]).rotate_left(16);
    block[c] = block[c].wrapping_add(block[d]);
    block[b] = (block[b] ^ block[c]).rotate_left(12);
    block[a] = block[a].wrapping_add(block[b]);
    block[d] = (block[d] ^ block[a]).rotate_left(8);
    block[c] = block[c].wrapping_add(block[d]);
    block[b] = (block[b] ^ block[c]).rotate_left(7);
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::{Domain, Rng};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn blocks_are_those_of_the_generator(
            seed in any::<u64>(), stream in any::<u64>(),
            first in prop_oneof![0_u64..100, (u64::from(u32::MAX) - 8)..(u64::from(u32::MAX) + 8)],
        ) {
            let key = key_words(Rng::key(seed, Domain::Link));
            let blocks = blocks(&key, stream, first);
            let mut single = [[0; LANES]; 16];
            let mut rng = Rng::with_stream(seed, Domain::Link, stream);
            rng.seek_block(first);
            for lane in 0..LANES {
                block(&key, stream, first + lane as u64, &mut single);
                for index in 0..8 {
                    let expect = rng.word();
                    prop_assert_eq!(word(&blocks, lane, index), expect);
                    prop_assert_eq!(word(&single, 0, index), expect);
                }
            }
        }
    }
}
