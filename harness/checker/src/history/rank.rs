//! One total order of the calls and returns of a key.
//!
//! Intervals are closed: `p` precedes `q` only if `ret(p) < call(q)`. At one instant all calls
//! therefore come before all returns, which is the weaker reading and never a false alarm
//! (Porcupine, `model.go`: "closed intervals"). Ranks start at [`RANK_MIN`], so that a checker can
//! place something before every operation.

/// The return rank of an operation that may still take effect at any later time.
pub const OPEN: u32 = u32::MAX;
/// The rank of the earliest call; below it is room for an initial write.
pub const RANK_MIN: u32 = 3;
/// The most operations that one key may have: two ranks each, doubled, must fit 31 bits.
pub const OPS_MAX: usize = 1 << 28;

/// Below this many, sorting by comparison is faster than by digits.
const RADIX_MIN: usize = 512;
/// The bits of one digit.
const DIGIT_BITS: u32 = 11;

/// Collects intervals in the order of their calls, then ranks them.
#[derive(Debug, Default)]
pub struct Ranker {
    calls: Vec<u64>,
    /// Return times; [`NEVER`] while open.
    returns: Vec<u64>,
}

/// Later than every return.
const NEVER: u64 = u64::MAX;

impl Ranker {
    /// The intervals again: call and return times, in the order of their numbers.
    pub fn into_intervals(self) -> impl Iterator<Item = (u64, Option<u64>)> {
        let some = |ret_at: u64| (ret_at != NEVER).then_some(ret_at);
        let returns = self.returns.into_iter().map(some);
        self.calls.into_iter().zip(returns)
    }

    /// Room for `len` intervals.
    #[must_use]
    pub fn with_capacity(len: usize) -> Self {
        Self { calls: Vec::with_capacity(len), returns: Vec::with_capacity(len) }
    }

    /// Adds an interval; `ret_at` is `None` while it is open. Returns its number, from 0.
    pub fn add(&mut self, call_at: u64, ret_at: Option<u64>) -> u32 {
        assert!(
            self.calls.last().is_none_or(|last| *last <= call_at),
            "intervals are added in the order of their calls"
        );
        let number = self.calls.len() as u32;
        let ret_at = ret_at.unwrap_or(NEVER);
        assert!(ret_at >= call_at, "an answer follows its question");
        self.calls.push(call_at);
        self.returns.push(ret_at);
        number
    }

    /// Tells the ranks of all calls and returns, in order: `each(number, is_return, rank)`. Returns
    /// how many ranks there are, those below [`RANK_MIN`] included.
    pub fn finish(self, mut each: impl FnMut(u32, bool, u32)) -> u32 {
        let mut rank = RANK_MIN;
        let mut returns = Sorted::new(self.returns).peekable();
        for (call, &call_at) in (0..).zip(&self.calls) {
            while let Some((_, returned)) = returns.next_if(|(ret_at, _)| *ret_at < call_at) {
                each(returned, true, rank);
                rank += 1;
            }
            each(call, false, rank);
            rank += 1;
        }
        for (_, returned) in returns {
            each(returned, true, rank);
            rank += 1;
        }
        rank
    }
}

/// Return times in order, each with its number.
enum Sorted {
    Pairs(std::vec::IntoIter<(u64, u32)>),
    /// Time since `min` above, number below `bits`.
    Packed {
        words: std::vec::IntoIter<u64>,
        min: u64,
        bits: u32,
    },
}

impl Sorted {
    /// Sorts by time, then number.
    fn new(returns: Vec<u64>) -> Self {
        let closed = |ret_at: &&u64| **ret_at != NEVER;
        let times = || returns.iter().filter(closed).copied();
        let min = times().min().unwrap_or(0);
        let range = times().max().unwrap_or(0) - min;
        let width = |number: u64| u64::BITS - number.leading_zeros();
        let bits = width(returns.len() as u64);
        let is_short = returns.len() < RADIX_MIN;
        let all = returns.into_iter().zip(0_u32..);
        let closed = all.filter(|(ret_at, _)| *ret_at != NEVER);
        if is_short || width(range) + bits > u64::BITS {
            let mut pairs: Vec<(u64, u32)> = closed.collect();
            pairs.sort_unstable();
            return Self::Pairs(pairs.into_iter());
        }
        let pack = |(ret_at, number): (u64, u32)| (ret_at - min) << bits | u64::from(number);
        let mut words: Vec<u64> = closed.map(pack).collect();
        sort_from(&mut words, bits, bits + width(range));
        Self::Packed { words: words.into_iter(), min, bits }
    }
}

impl Iterator for Sorted {
    type Item = (u64, u32);

    fn next(&mut self) -> Option<(u64, u32)> {
        match self {
            Self::Pairs(pairs) => pairs.next(),
            Self::Packed { words, min, bits } => {
                let word = words.next()?;
                let number = word & ((1 << *bits) - 1);
                Some((*min + (word >> *bits), number as u32))
            }
        }
    }
}

/// Sorts by the bits from `low` to `high`, keeping the order of words that agree in them.
fn sort_from(words: &mut Vec<u64>, low: u32, high: u32) {
    let mut other = vec![0; words.len()];
    for shift in (low..high).step_by(DIGIT_BITS as usize) {
        let digit = |word: u64| (word >> shift) as usize & ((1 << DIGIT_BITS) - 1);
        let mut starts = [0_u32; 1 << DIGIT_BITS];
        for &word in &*words {
            starts[digit(word)] += 1;
        }
        let mut total = 0;
        for start in &mut starts {
            total += std::mem::replace(start, total);
        }
        for &word in &*words {
            let start = &mut starts[digit(word)];
            other[*start as usize] = word;
            *start += 1;
        }
        std::mem::swap(words, &mut other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::{Domain, Rng};

    fn ranks(intervals: &[(u64, Option<u64>)]) -> Vec<(u32, u32)> {
        let mut out = vec![(0, OPEN); intervals.len()];
        let mut ranker = Ranker::default();
        for &(call_at, ret_at) in intervals {
            ranker.add(call_at, ret_at);
        }
        ranker.finish(|number, is_return, rank| {
            let (call, ret) = &mut out[number as usize];
            *if is_return { ret } else { call } = rank;
        });
        out
    }

    #[test]
    fn calls_come_before_returns_at_one_instant() {
        assert_eq!(
            ranks(&[(0, Some(5)), (5, Some(6)), (7, None)]),
            vec![(3, 5), (4, 6), (7, OPEN)],
            "the second call, at 5, does not follow the return at 5"
        );
    }

    #[test]
    fn an_interval_may_be_one_instant() {
        assert_eq!(ranks(&[(0, Some(0)), (1, Some(1))]), vec![(3, 4), (5, 6)]);
    }

    #[test]
    fn digits_sort_like_comparisons() {
        let mut rng = Rng::new(1, Domain::Client, "times");
        for spread in [1, 1_000, 1 << 22, 1 << 40, u64::MAX] {
            let mut returns: Vec<u64> = (0..2_000).map(|_| rng.below(spread)).collect();
            returns[70] = NEVER;
            let mut expect: Vec<(u64, u32)> = returns.iter().copied().zip(0..).collect();
            expect.remove(70);
            expect.sort_unstable();
            let sorted: Vec<(u64, u32)> = Sorted::new(returns).collect();
            assert_eq!(sorted, expect, "spread over {spread}");
        }
    }
}
