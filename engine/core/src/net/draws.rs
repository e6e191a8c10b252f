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
    /// By the rank of the link, modulo [`BUFFERED_MAX`]: whose blocks are there, and the blocks.
    places: Vec<Place>,
    buffered: Vec<Blocks>,
    /// The block of a message whose link has no place.
    single: Blocks,
}

/// Whose blocks stand at a place. The first link that draws there gets it, and loses it to one that
/// had to draw twice without it while the owner needed no new blocks. So where more links are in
/// use than places, most draws compute one block and leave the places alone.
#[derive(Clone, Copy, Debug)]
struct Place {
    link: u32,
    /// The other link that drew here last, since the owner's blocks were computed.
    contender: u32,
    /// The message that the first of the blocks belongs to.
    first: u64,
}

const _: () = assert!(LANES.is_power_of_two() && BUFFERED_MAX.is_power_of_two());

const NOBODY: u32 = u32::MAX;

impl Draws {
    pub fn new(seed: u64) -> Self {
        let key = chacha::key_words(Rng::key(seed, Domain::Link));
        Self { key, places: Vec::new(), buffered: Vec::new(), single: [[0; LANES]; 16] }
    }

    /// The words of message `n` of the link with rank `link`, whose stream has number `stream`.
    #[inline]
    pub fn draw(&mut self, link: u32, stream: u64, n: u64) -> Drawn<'_> {
        let lane = n as usize % LANES;
        let first = n & !(LANES as u64 - 1);
        let place = link as usize % BUFFERED_MAX;
        let is_there = |owner: &Place| owner.link == link && owner.first == first;
        if !self.places.get(place).is_some_and(is_there) && !self.buffer(link, stream, first) {
            chacha::block(&self.key, stream, n, &mut self.single);
            return Drawn { blocks: &self.single, lane: 0 };
        }
        Drawn { blocks: &self.buffered[place], lane }
    }

    /// Computes the blocks of a link, if it has a place or gets one; `false` when it has none.
    #[inline(never)]
    fn buffer(&mut self, link: u32, stream: u64, first: u64) -> bool {
        let place = link as usize % BUFFERED_MAX;
        if place >= self.places.len() {
            self.places.resize(place + 1, Place { link: NOBODY, contender: NOBODY, first: 0 });
            self.buffered.resize(place + 1, [[0; LANES]; 16]);
        }
        assert_eq!(self.places.len(), self.buffered.len(), "every place has its blocks");
        assert!(first.is_multiple_of(LANES as u64), "blocks are computed together");
        let owner = &mut self.places[place];
        let may_take = owner.link == NOBODY || owner.link == link || owner.contender == link;
        if may_take {
            *owner = Place { link, contender: NOBODY, first };
            self.buffered[place] = chacha::blocks(&self.key, stream, first);
        } else {
            owner.contender = link;
        }
        may_take
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever else draws in between, a link draws what its generator would.
    #[test]
    fn a_stream_without_a_place_is_restored_by_position() {
        let rivals: Vec<u32> = (1..5).map(|turn| turn * BUFFERED_MAX as u32).collect();
        for rivals in [&rivals[..0], &rivals[..1], &rivals] {
            let mut draws = Draws::new(3);
            let mut drawn = Vec::new();
            for n in 0..23 {
                drawn.push(draws.draw(0, 77, n).words());
                for rival in rivals {
                    for _ in 0..n % 3 {
                        draws.draw(*rival, u64::from(*rival), n);
                    }
                }
            }
            let mut rng = Rng::with_stream(3, Domain::Link, 77);
            let expect: Vec<Words> = (0..23).map(|_| Words(rng.block())).collect();
            assert_eq!(drawn, expect, "beside {rivals:?}");
        }
    }

    #[test]
    fn a_place_goes_to_who_needs_it() {
        let rival = BUFFERED_MAX as u32;
        let mut draws = Draws::new(3);
        draws.draw(0, 1, 0);
        draws.draw(rival, 2, 0);
        assert_eq!(draws.places[0].link, 0, "it is its owner's at first");
        draws.draw(0, 1, 4);
        draws.draw(rival, 2, 1);
        assert_eq!(draws.places[0].link, 0, "the owner drew new blocks meanwhile");
        draws.draw(rival, 2, 2);
        assert_eq!(draws.places[0].link, rival, "the owner did not");
    }
}
