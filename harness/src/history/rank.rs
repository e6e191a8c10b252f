//! One total order of the calls and returns of a key.
//!
//! Intervals are closed: `p` precedes `q` only if `ret(p) < call(q)`. At one instant all calls
//! therefore come before all returns, which is the weaker reading and never a false alarm
//! (Porcupine, `model.go`: "closed intervals"). Ranks start at [`RANK_MIN`], so that a checker can place
//! something before every operation.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The return rank of an operation that may still take effect at any later time.
pub const OPEN: u32 = u32::MAX;
/// The rank of the earliest call; below it is room for an initial write.
pub const RANK_MIN: u32 = 3;
/// The most operations that one key may have: twice the ranks, doubled again, must fit 32 bits.
pub const OPS_MAX: usize = 1 << 29;

/// The call and return of one operation; `ret_at` is `None` while it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// When it was called.
    pub call_at: u64,
    /// When it returned, if its effect is bounded by that.
    pub ret_at: Option<u64>,
}

/// Assigns `(call, ret)` ranks to operations that arrive in the order of their calls.
///
/// Holds the returns that are still ahead in a heap, so it is as large as the number of
/// operations in flight, and takes `O(n log clients)`.
#[derive(Debug, Default)]
pub struct Ranker {
    next: u32,
    last_call_at: u64,
    returns: BinaryHeap<Reverse<(u64, u32)>>,
}

impl Ranker {
    /// Nothing ranked yet.
    #[must_use]
    pub fn new() -> Self {
        Self { next: RANK_MIN, last_call_at: 0, returns: BinaryHeap::new() }
    }

    /// Ranks the call of operation `index`. Returns that lie before it are ranked first and told
    /// to `on_ret(index, rank)`.
    pub fn call(
        &mut self,
        index: u32,
        interval: Interval,
        mut on_ret: impl FnMut(u32, u32),
    ) -> u32 {
        assert!(
            interval.call_at >= self.last_call_at,
            "operations are ranked in the order of their calls"
        );
        self.last_call_at = interval.call_at;
        while let Some(&Reverse((ret_at, returned))) = self.returns.peek()
            && ret_at < interval.call_at
        {
            self.returns.pop();
            on_ret(returned, self.take());
        }
        if let Some(ret_at) = interval.ret_at {
            assert!(ret_at >= interval.call_at, "an answer follows its question");
            self.returns.push(Reverse((ret_at, index)));
        }
        self.take()
    }

    /// Ranks the returns that are left, and says how many ranks there are.
    pub fn finish(mut self, mut on_ret: impl FnMut(u32, u32)) -> u32 {
        while let Some(Reverse((_, returned))) = self.returns.pop() {
            let rank = self.take();
            on_ret(returned, rank);
        }
        self.next
    }

    const fn take(&mut self) -> u32 {
        let rank = self.next;
        self.next += 1;
        rank
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranks(intervals: &[(u64, Option<u64>)]) -> Vec<(u32, u32)> {
        let mut out = vec![(0, OPEN); intervals.len()];
        let mut ranker = Ranker::new();
        for (index, &(call_at, ret_at)) in intervals.iter().enumerate() {
            let interval = Interval { call_at, ret_at };
            let rank = ranker.call(index as u32, interval, |i, rank| out[i as usize].1 = rank);
            out[index].0 = rank;
        }
        ranker.finish(|i, rank| out[i as usize].1 = rank);
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
}
