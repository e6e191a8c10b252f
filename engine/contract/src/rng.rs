//! Keyed randomness: every draw belongs to a named stream derived from the seed.
//!
//! ChaCha has 2^64 numbered streams per key. The domain (`node`, `link`, …) and the seed make the
//! key, a hash of the name (`h/2 boot 0`, `h/2>h/1`, …) is the stream number, so drawing more from
//! one stream shifts no other: adding a client, a fault or a log line leaves every other draw as
//! it was. That is what lets a seed survive an edit of its scenario.

use crate::hash::hash_bytes;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// What a stream belongs to. Part of the key, so equal names in two domains are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Domain {
    /// One boot of one node: `h/2 boot 0`. A restart is not a replay.
    Node = 1,
    /// One direction of one link: `h/2>h/1`.
    Link = 2,
    /// One node's disk: `h/1`.
    Disk = 3,
    /// One client's arrivals, keys and values: `kv/3`.
    Client = 4,
    /// One fault of a scenario, by its id: `split`.
    Fault = 5,
    /// One parameter that a swarm redraws: `tuning.h.lease`.
    Swarm = 6,
    /// One node's clocks: `h/1`.
    Clock = 7,
    /// Choices of the engine among events that are otherwise equal: `ties`.
    Ties = 8,
    /// Choices of a search among the snapshots that it goes on from: `novelty`.
    Search = 9,
}

/// 64 random bits. Every draw is a pure function of one of these, so a host can draw the words of
/// a message first and decide later what they are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word(pub u64);

impl Word {
    /// A number in `[0, bound)`.
    ///
    /// The multiply-shift is biased by less than `bound / 2^64`, which no run is long enough to
    /// see; a rejection loop would make the number of draws depend on the values drawn.
    #[must_use]
    #[inline]
    pub fn below(self, bound: u64) -> u64 {
        assert!(bound > 0, "a draw below zero has no result");
        ((u128::from(self.0) * u128::from(bound)) >> 64) as u64
    }

    /// A number in `[low, high)`, or `low` where the range is empty.
    #[must_use]
    #[inline]
    pub fn range(self, low: u64, high: u64) -> u64 {
        let width = high.saturating_sub(low).max(1);
        low + self.below(width)
    }

    /// True with probability `ratio`.
    #[must_use]
    #[inline]
    pub fn chance(self, ratio: Ratio) -> bool {
        self.below(u64::from(ratio.denominator)) < u64::from(ratio.numerator)
    }

    /// A float in `[0, 1)` with 53 random bits; equal on every platform.
    #[must_use]
    #[inline]
    pub fn unit(self) -> f64 {
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A named stream of random numbers.
#[derive(Clone, Debug)]
pub struct Rng(ChaCha8Rng);

/// The number of 32-bit words in one ChaCha block: what one message of a link may draw.
pub const WORDS_PER_BLOCK: u64 = 16;

const _: () = {
    assert!(WORDS_PER_BLOCK * 4 == 64, "a ChaCha block has 64 bytes");
    assert!(Ratio::ONE.ppm() == 1_000_000);
    assert!(Ratio::ONE.or(Ratio::ZERO).ppm() == 1_000_000);
    assert!(Ratio::ZERO.or(Ratio::ZERO).is_zero());
};

impl Rng {
    /// The stream `name` of `domain` under `seed`.
    #[must_use]
    pub fn new(seed: u64, domain: Domain, name: &str) -> Self {
        Self::with_stream(seed, domain, Self::stream_number(name))
    }

    /// The number of the stream that `name` stands for, to find collisions at boot.
    #[must_use]
    pub fn stream_number(name: &str) -> u64 {
        hash_bytes(name.as_bytes())
    }

    /// The stream with a number of [`Rng::stream_number`].
    #[must_use]
    pub fn with_stream(seed: u64, domain: Domain, number: u64) -> Self {
        let mut inner = ChaCha8Rng::from_seed(Self::key(seed, domain));
        inner.set_stream(number);
        assert_eq!(inner.get_word_pos(), 0, "a stream begins at its first word");
        Self(inner)
    }

    /// The ChaCha key that all streams of `domain` share under `seed`.
    #[must_use]
    pub fn key(seed: u64, domain: Domain) -> [u8; 32] {
        let mut key = [0_u8; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8] = domain as u8;
        key[16..].copy_from_slice(b"chaoslab streams");
        key
    }

    /// Continues at the start of block `block`: words `16 * block` and after.
    pub fn seek_block(&mut self, block: u64) {
        self.0.set_word_pos(u128::from(block) * u128::from(WORDS_PER_BLOCK));
        assert_eq!(self.word_pos() / u128::from(WORDS_PER_BLOCK), u128::from(block), "it is there");
    }

    /// The position in the stream, in 32-bit words.
    #[must_use]
    pub fn word_pos(&self) -> u128 {
        self.0.get_word_pos()
    }

    /// 32 random bits.
    #[inline]
    pub fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// 64 random bits, to be interpreted later.
    #[inline]
    pub fn word(&mut self) -> Word {
        Word(self.next_u64())
    }

    /// The next sixteen 32-bit words, as eight of 64 bits: a whole block when the position is at
    /// the start of one.
    #[inline]
    pub fn block(&mut self) -> [Word; 8] {
        core::array::from_fn(|_| self.word())
    }

    /// A number in `[0, bound)`; exactly one 64-bit draw, whatever the bound.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        self.word().below(bound)
    }

    /// A number in `[low, high)`, or `low` where the range is empty.
    #[inline]
    pub fn range(&mut self, low: u64, high: u64) -> u64 {
        self.word().range(low, high)
    }

    /// True with probability `ratio`; exactly one draw, also for 0 and 1.
    #[inline]
    pub fn chance(&mut self, ratio: Ratio) -> bool {
        self.word().chance(ratio)
    }

    /// A float in `[0, 1)` with 53 random bits; equal on every platform.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        self.word().unit()
    }

    /// Puts `items` into a random order (Fisher-Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let pick = self.below(last as u64 + 1) as usize;
            assert!(pick <= last, "what stands in its place stays there");
            items.swap(pick, last);
        }
    }
}

/// An exact probability or share, never a float.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ratio {
    /// How many of `denominator`.
    pub numerator: u32,
    /// Not zero.
    pub denominator: u32,
}

impl Ratio {
    /// Never.
    pub const ZERO: Self = Self { numerator: 0, denominator: 1 };
    /// Always.
    pub const ONE: Self = Self { numerator: 1, denominator: 1 };

    /// `numerator / denominator`.
    #[must_use]
    pub const fn new(numerator: u32, denominator: u32) -> Self {
        assert!(denominator > 0, "a ratio has a denominator");
        Self { numerator, denominator }
    }

    /// In parts per million, rounded to the nearest.
    #[must_use]
    pub const fn ppm(self) -> u32 {
        assert!(self.denominator > 0, "a ratio has a denominator");
        let scaled = self.numerator as u64 * 1_000_000 + self.denominator as u64 / 2;
        (scaled / self.denominator as u64) as u32
    }

    /// `n` parts per million.
    #[must_use]
    pub const fn from_ppm(n: u32) -> Self {
        Self { numerator: n, denominator: 1_000_000 }
    }

    /// True for a share of nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.numerator == 0
    }

    /// The chance that at least one of two independent things happens, in parts per million:
    /// `1 - (1 - a)(1 - b)`.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        assert!(self.ppm() <= 1_000_000, "a chance is at most 1");
        assert!(other.ppm() <= 1_000_000, "a chance is at most 1");
        let miss = (1_000_000 - self.ppm() as u64) * (1_000_000 - other.ppm() as u64);
        Self::from_ppm(1_000_000 - ((miss + 500_000) / 1_000_000) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_stream() {
        let mut rng = Rng::new(0x5EED, Domain::Link, "h/2>h/1");
        let first = [rng.next_u64(), rng.next_u64(), rng.next_u64()];
        assert_eq!(first, [14301611926096498019, 7685413068967766813, 13808464328036019456]);
    }

    #[test]
    fn streams_are_independent_of_each_other() {
        let mut one = Rng::new(1, Domain::Node, "h/1 boot 0");
        let mut two = Rng::new(1, Domain::Node, "h/1 boot 1");
        let mut other_domain = Rng::new(1, Domain::Disk, "h/1 boot 0");
        let first = one.next_u64();
        assert_ne!(first, two.next_u64());
        assert_ne!(first, other_domain.next_u64());
    }

    #[test]
    fn seeking_restores_a_position() {
        let mut rng = Rng::new(9, Domain::Link, "a>b");
        for _ in 0..8 {
            rng.next_u64();
        }
        let at_block_one = rng.next_u64();
        rng.seek_block(1);
        assert_eq!(rng.next_u64(), at_block_one);
        assert_eq!(rng.word_pos(), 18);
    }

    #[test]
    fn a_block_is_eight_words_in_order() {
        let mut blocks = Rng::new(9, Domain::Link, "a>b");
        let mut words = blocks.clone();
        for _ in 0..9 {
            let block = blocks.block();
            assert!(block.iter().all(|word| *word == words.word()));
        }
        assert_eq!(blocks.word_pos(), 9 * u128::from(WORDS_PER_BLOCK));
    }

    #[test]
    fn chance_draws_once_whatever_the_ratio() {
        for ratio in [Ratio::ZERO, Ratio::ONE, Ratio::new(1, 3)] {
            let mut rng = Rng::new(4, Domain::Fault, "f");
            rng.chance(ratio);
            assert_eq!(rng.word_pos(), 2);
        }
    }

    #[test]
    fn chance_is_exact_at_both_ends() {
        let mut rng = Rng::new(4, Domain::Fault, "f");
        assert!((0..1000).all(|_| !rng.chance(Ratio::ZERO)));
        assert!((0..1000).all(|_| rng.chance(Ratio::ONE)));
    }

    #[test]
    fn ratios_combine_as_independent_chances() {
        let half = Ratio::new(1, 2);
        assert_eq!(half.or(half).ppm(), 750_000);
        assert_eq!(Ratio::ZERO.or(half).ppm(), 500_000);
        assert_eq!(Ratio::ONE.or(half).ppm(), 1_000_000);
    }
}
