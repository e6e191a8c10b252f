//! The random words of messages: message `n` of a link draws from words `16n` to `16n + 15`.

use alloc::vec::Vec;
use contract::{Domain, Rng, Word};

/// Streams kept buffered (304 bytes each); others are restored by position.
pub const BUFFERED_MAX: usize = 4096;

/// All words that one message may draw.
pub(crate) type Words = [Word; 8];

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

/// The streams of all links.
#[derive(Clone, Debug)]
pub(crate) struct Draws {
    seed: u64,
    buffered: Vec<Buffered>,
    /// The next one to give way.
    hand: usize,
}

#[derive(Clone, Debug)]
struct Buffered {
    link: u32,
    n: u64,
    rng: Rng,
}

impl Draws {
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            buffered: Vec::new(),
            hand: 0,
        }
    }

    /// The words of message `n` of the link `link`, whose stream has number `stream`. `place` is
    /// where the stream was buffered last.
    #[inline]
    pub fn words(&mut self, link: u32, stream: u64, n: u64, place: &mut u32) -> Words {
        let is_there = |buffered: &Buffered| buffered.link == link && buffered.n == n;
        if !self.buffered.get(*place as usize).is_some_and(is_there) {
            *place = self.buffer(link, stream, n);
        }
        let buffered = &mut self.buffered[*place as usize];
        buffered.n += 1;
        buffered.rng.block()
    }

    #[cold]
    fn buffer(&mut self, link: u32, stream: u64, n: u64) -> u32 {
        let mut rng = Rng::with_stream(self.seed, Domain::Link, stream);
        if n > 0 {
            rng.seek_block(n);
        }
        let fresh = Buffered { link, n, rng };
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
        let mut place = 0;
        let first = draws.words(0, 77, 0, &mut place);
        let second = draws.words(0, 77, 1, &mut place);
        assert_ne!(first, second);
        for link in 1..=BUFFERED_MAX as u32 {
            draws.words(link, u64::from(link), 0, &mut 0);
        }
        assert_ne!(draws.buffered[place as usize].link, 0);
        let third = draws.words(0, 77, 2, &mut place);

        let mut alone = Draws::new(3);
        let mut place = 0;
        let expect: Vec<Words> = (0..3).map(|n| alone.words(0, 77, n, &mut place)).collect();
        assert_eq!([first, second, third], expect[..]);
    }
}
