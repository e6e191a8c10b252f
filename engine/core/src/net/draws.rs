//! The random words of messages: message `n` of a link draws from words `16n` to `16n + 15`.

use super::chacha::{self, Blocks, Key, LANES};
use alloc::vec::Vec;
use contract::{Domain, Rng, Word};

/// Links whose next blocks are kept (272 bytes each); those of others are computed again.
pub const BUFFERED_MAX: usize = 4096;

/// What each word of a message is for. Fixed for ever: a recorded run depends on it.
pub(crate) mod purpose {
    /// Two words: latency.
    pub const LATENCY: usize = 0;
    /// Two words: latency of the second copy. On a stream, the second one says where to split.
    pub const COPY: usize = 2;
    /// Two words: delays.
    pub const DELAY: usize = 4;
    /// Half a word each: loss, duplication.
    pub const FATE: usize = 6;
    /// Half a word each: reordering, corruption.
    pub const BEND: usize = 7;
}

/// All words that one message may draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Words(pub [Word; 8]);

impl Words {
    /// The two words from `purpose` on.
    pub fn pair(&self, purpose: usize) -> [Word; 2] {
        [self.0[purpose], self.0[purpose + 1]]
    }

    /// The two halves of the word `purpose`.
    pub fn halves(&self, purpose: usize) -> (u32, u32) {
        halves(self.0[purpose])
    }
}

/// The low and the high half.
pub(crate) fn halves(word: Word) -> (u32, u32) {
    (word.0 as u32, (word.0 >> 32) as u32)
}

/// One message's place among the blocks of its link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drawn<'a> {
    blocks: &'a Blocks,
    lane: usize,
}

impl Drawn<'_> {
    /// The two words that stand for the latency: all that most messages need.
    #[inline]
    pub fn latency(self) -> [Word; 2] {
        let word = |index| chacha::word(self.blocks, self.lane, index);
        [word(purpose::LATENCY), word(purpose::LATENCY + 1)]
    }

    /// All words.
    pub fn words(self) -> Words {
        Words(core::array::from_fn(|index| chacha::word(self.blocks, self.lane, index)))
    }
}

/// The streams of all links.
#[derive(Clone, Debug)]
pub(crate) struct Draws {
    key: Key,
    buffered: Vec<Buffered>,
    /// The next one to give way.
    hand: usize,
}

#[derive(Clone, Debug)]
struct Buffered {
    link: u32,
    /// The message that the first of the blocks belongs to.
    first: u64,
    blocks: Blocks,
}

impl Draws {
    pub fn new(seed: u64) -> Self {
        let key = chacha::key_words(Rng::key(seed, Domain::Link));
        Self { key, buffered: Vec::new(), hand: 0 }
    }

    /// The words of message `n` of the link `link`, whose stream has number `stream`. `place` is
    /// where its blocks were kept last.
    #[inline]
    pub fn draw(&mut self, link: u32, stream: u64, n: u64, place: &mut u32) -> Drawn<'_> {
        let first = n - n % LANES as u64;
        let is_there = |buffered: &Buffered| buffered.link == link && buffered.first == first;
        if !self.buffered.get(*place as usize).is_some_and(is_there) {
            *place = self.buffer(link, stream, first, *place);
        }
        let blocks = &self.buffered[*place as usize].blocks;
        Drawn { blocks, lane: (n - first) as usize }
    }

    fn buffer(&mut self, link: u32, stream: u64, first: u64, place: u32) -> u32 {
        let blocks = chacha::blocks(&self.key, stream, first);
        let fresh = Buffered { link, first, blocks };
        let own = self.buffered.get_mut(place as usize).filter(|own| own.link == link);
        if let Some(own) = own {
            *own = fresh;
            return place;
        }
        if self.buffered.len() < BUFFERED_MAX {
            self.buffered.push(fresh);
            return (self.buffered.len() - 1) as u32;
        }
        let place = self.hand;
        self.hand = (self.hand + 1) % BUFFERED_MAX;
        self.buffered[place] = fresh;
        place as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_gave_way_is_restored_by_position() {
        let mut draws = Draws::new(3);
        let mut place = u32::MAX;
        let mut drawn: Vec<Words> =
            (0..6).map(|n| draws.draw(0, 77, n, &mut place).words()).collect();
        for link in 1..=BUFFERED_MAX as u32 {
            draws.draw(link, u64::from(link), 0, &mut u32::MAX.clone());
        }
        assert_ne!(draws.buffered[place as usize].link, 0);
        drawn.extend((6..9).map(|n| draws.draw(0, 77, n, &mut place).words()));

        let mut rng = Rng::with_stream(3, Domain::Link, 77);
        let expect: Vec<Words> = (0..9).map(|_| Words(rng.block())).collect();
        assert_eq!(drawn, expect);
    }
}
