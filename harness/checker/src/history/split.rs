//! A history taken apart per key.

use super::intern::Interner;
use contract::{Call, Op, SimTime};

/// Where one key's share of an operation stands: operation, and item of it for a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share {
    /// The index of the operation in the history.
    pub op: u32,
    /// Which key of a batch this is; 0 elsewhere.
    pub item: u32,
}

/// The parts of a history, ascending by key; each part's shares are in the order of their calls.
#[derive(Clone, Debug)]
pub struct Split {
    keys: Vec<u64>,
    /// Part `p` is `shares[starts[p]..starts[p + 1]]`.
    starts: Vec<usize>,
    shares: Vec<Share>,
}

impl Split {
    /// Takes `ops` apart; what `judged` refuses and what has no key is left out.
    #[must_use]
    pub fn new(ops: &[Op], judged: impl Fn(&Op) -> bool) -> Self {
        Self::by(ops, judged, Call::key)
    }

    /// The same, where `part` says what a call is about; a batch is about each of its keys.
    #[must_use]
    pub fn by(
        ops: &[Op],
        judged: impl Fn(&Op) -> bool,
        part: impl Fn(&Call) -> Option<u64>,
    ) -> Self {
        assert!(u32::try_from(ops.len()).is_ok(), "a history has under 2^32 operations");
        let mut numbers = Interner::new();
        let mut sizes: Vec<usize> = Vec::new();
        // By share, in the history's order: the number of its key, and the share.
        let mut found: Vec<(u32, Share)> = Vec::with_capacity(ops.len());
        let mut sorted = true;
        let mut call_at = SimTime::ZERO;
        for (index, op) in (0..).zip(ops).filter(|(_, op)| judged(op)) {
            sorted &= std::mem::replace(&mut call_at, op.call_at) <= op.call_at;
            each_share_by(op, index, &part, |key, share| {
                let number = numbers.intern(key);
                if number as usize == sizes.len() {
                    sizes.push(0);
                }
                sizes[number as usize] += 1;
                found.push((number, share));
            });
        }
        let mut order: Vec<u32> = (0..sizes.len() as u32).collect();
        order.sort_unstable_by_key(|&number| numbers.keys()[number as usize]);
        let mut starts = Vec::with_capacity(order.len() + 1);
        let mut cursors = vec![0; sizes.len()];
        let mut total = 0;
        for &number in &order {
            starts.push(total);
            cursors[number as usize] = total;
            total += sizes[number as usize];
        }
        starts.push(total);
        let mut shares = Vec::new();
        if sizes.len() <= 1 {
            shares.extend(found.into_iter().map(|(_, share)| share));
        } else {
            shares.resize(total, Share { op: 0, item: 0 });
            for (number, share) in found {
                let cursor = &mut cursors[number as usize];
                shares[*cursor] = share;
                *cursor += 1;
            }
        }
        let keys = order.iter().map(|&n| numbers.keys()[n as usize]).collect();
        let mut split = Self { keys, starts, shares };
        if !sorted {
            split.sort_by_call(ops);
        }
        split
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no operation is about a key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many shares all parts have together.
    #[must_use]
    pub fn shares_total(&self) -> usize {
        self.shares.len()
    }

    /// Each key with its shares, ascending by key.
    pub fn parts(&self) -> impl Iterator<Item = (u64, &[Share])> {
        let part = |(p, &key)| (key, &self.shares[self.starts[p]..self.starts[p + 1]]);
        self.keys.iter().enumerate().map(part)
    }

    /// Histories are recorded in the order of invocation, so this rarely has anything to do.
    fn sort_by_call(&mut self, ops: &[Op]) {
        let called = |share: &Share| (ops[share.op as usize].call_at, *share);
        for part in 0..self.keys.len() {
            let shares = &mut self.shares[self.starts[part]..self.starts[part + 1]];
            if !shares.is_sorted_by_key(called) {
                shares.sort_unstable_by_key(called);
            }
        }
    }
}

/// The shares of one key, in the order of their calls.
#[must_use]
pub fn shares_of(ops: &[Op], key: u64, judged: impl Fn(&Op) -> bool) -> Vec<Share> {
    shares_by(ops, key, judged, Call::key)
}

/// The shares of one part, in the order of their calls; `part` says what a call is about.
#[must_use]
pub fn shares_by(
    ops: &[Op],
    wanted: u64,
    judged: impl Fn(&Op) -> bool,
    part: impl Fn(&Call) -> Option<u64>,
) -> Vec<Share> {
    let mut shares = Vec::new();
    for (index, op) in (0..).zip(ops).filter(|(_, op)| judged(op)) {
        each_share_by(op, index, &part, |about, share| {
            if about == wanted {
                shares.push(share);
            }
        });
    }
    shares.sort_by_key(|share| ops[share.op as usize].call_at);
    shares
}

/// Calls `each(key, share)` for every key that `op`, at `index`, is about.
#[inline]
pub fn each_share(op: &Op, index: u32, each: impl FnMut(u64, Share)) {
    each_share_by(op, index, Call::key, each);
}

/// Calls `each(part, share)` for every part that `op`, at `index`, is about.
#[inline]
fn each_share_by(
    op: &Op,
    index: u32,
    part: impl Fn(&Call) -> Option<u64>,
    mut each: impl FnMut(u64, Share),
) {
    if let Call::BatchGet { keys, .. } = &op.call {
        for (item, &key) in (0..).zip(keys) {
            each(key, Share { op: index, item });
        }
    } else if let Some(part) = part(&op.call) {
        each(part, Share { op: index, item: 0 });
    }
}
