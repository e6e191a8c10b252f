//! What waits to be gossiped: each message goes out a limited number of times, fresh ones first.

use super::member::Name;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Reverse;

/// The order of the queue: fewest transmits, then the longest, then the newest.
type Rank = (u32, Reverse<u32>, Reverse<u64>);

/// Where a rank would stand that is the first of its transmits with at most so many bytes.
const fn first_of(transmits: u32, bytes: u32) -> Rank {
    (transmits, Reverse(bytes), Reverse(u64::MAX))
}

/// A queue in which a message about a member takes the place of an older one about it.
#[derive(Clone, Debug, Default)]
pub struct Broadcasts {
    waiting: BTreeMap<Rank, Waiting>,
    by_key: BTreeMap<u64, Rank>,
    queued: u64,
    changes: u64,
}

#[derive(Clone, Debug)]
struct Waiting {
    key: Option<u64>,
    about: Option<Name>,
    bytes: Arc<[u8]>,
}

impl Broadcasts {
    /// Queues a message about a member, in the place of an older one about it.
    pub fn about(&mut self, name: Name, bytes: Arc<[u8]>) {
        self.keyed(u64::from(name.0), name, bytes);
    }

    /// As [`Broadcasts::about`], under a key of its own: only as a planted defect.
    pub(super) fn keyed(&mut self, key: u64, name: Name, bytes: Arc<[u8]>) {
        if let Some(rank) = self.by_key.remove(&key) {
            self.waiting.remove(&rank);
        }
        let rank = self.put(0, Waiting { key: Some(key), about: Some(name), bytes });
        self.by_key.insert(key, rank);
    }

    /// Queues a message that takes nobody's place.
    pub fn push(&mut self, bytes: Arc<[u8]>) {
        self.put(0, Waiting { key: None, about: None, bytes });
    }

    fn put(&mut self, transmits: u32, waiting: Waiting) -> Rank {
        self.queued += 1;
        self.changes += 1;
        let rank = (transmits, Reverse(waiting.bytes.len() as u32), Reverse(self.queued));
        let twice = self.waiting.insert(rank, waiting);
        assert!(twice.is_none(), "each message has a number of its own");
        rank
    }

    /// Takes what fits into `limit` bytes, `overhead` for each, and at most `count_max` of them:
    /// of the fewest transmits first, and the longest first among those. What has gone out `transmit_limit`
    /// times is dropped. Returns how many bytes are taken.
    pub fn take(&mut self, room: Room, transmit_limit: u32, out: &mut Vec<Arc<[u8]>>) -> usize {
        let (mut used, mut again) = (0, Vec::new());
        let mut tier = self.waiting.first_key_value().map(|(rank, _)| rank.0);
        while let Some(transmits) = tier {
            while out.len() < room.count_max {
                let Some(free) = room.bytes.checked_sub(used + room.overhead) else { break };
                let fits = first_of(transmits, u32::try_from(free).unwrap_or(u32::MAX));
                let found = self.waiting.range(fits..).next().map(|(rank, _)| *rank);
                let Some(rank) = found.filter(|rank| rank.0 == transmits) else { break };
                let waiting = self.waiting.remove(&rank).expect("it was just found");
                used += room.overhead + waiting.bytes.len();
                out.push(Arc::clone(&waiting.bytes));
                again.push((transmits + 1, rank, waiting));
            }
            let next = self.waiting.range(first_of(transmits + 1, u32::MAX)..).next();
            tier = next.map(|(rank, _)| rank.0);
        }
        assert!(used <= room.bytes, "what is taken fits");
        for (transmits, rank, waiting) in again {
            self.sent(transmits, rank, waiting, transmit_limit);
        }
        used
    }

    /// Puts back what has gone out once more, unless that was the last time. It keeps its age.
    fn sent(&mut self, transmits: u32, rank: Rank, waiting: Waiting, transmit_limit: u32) {
        self.changes += 1;
        if transmits >= transmit_limit {
            if let Some(key) = waiting.key {
                self.by_key.remove(&key);
            }
            return;
        }
        let again = (transmits, rank.1, rank.2);
        if let Some(key) = waiting.key {
            self.by_key.insert(key, again);
        }
        self.waiting.insert(again, waiting);
    }

    /// Takes the first message that is longer than `bytes`, which no shared packet can carry.
    pub fn take_oversize(&mut self, bytes: usize, transmit_limit: u32) -> Option<Arc<[u8]>> {
        let is_longer = |(_, waiting): &(&Rank, &Waiting)| waiting.bytes.len() > bytes;
        let rank = *self.waiting.iter().find(is_longer)?.0;
        let waiting = self.waiting.remove(&rank)?;
        let taken = Arc::clone(&waiting.bytes);
        self.sent(rank.0 + 1, rank, waiting, transmit_limit);
        Some(taken)
    }

    /// Drops messages until `max` are left: those first that have gone out most often.
    pub fn prune(&mut self, max: usize) -> usize {
        self.prune_from(max, |waiting| waiting.last_key_value().map(|(rank, _)| *rank))
    }

    /// Drops the freshest first: only as a planted defect.
    pub(crate) fn prune_freshest(&mut self, max: usize) -> usize {
        self.prune_from(max, |waiting| waiting.first_key_value().map(|(rank, _)| *rank))
    }

    fn prune_from(
        &mut self,
        max: usize,
        which: fn(&BTreeMap<Rank, Waiting>) -> Option<Rank>,
    ) -> usize {
        let before = self.waiting.len();
        while self.waiting.len() > max {
            let Some(rank) = which(&self.waiting) else { break };
            let dropped = self.waiting.remove(&rank);
            if let Some(key) = dropped.and_then(|waiting| waiting.key) {
                self.by_key.remove(&key);
            }
        }
        before - self.waiting.len()
    }

    /// Which message goes out next, as a mark to tell it by.
    #[must_use]
    pub fn freshest(&self) -> Option<(u32, u64)> {
        let (rank, _) = self.waiting.first_key_value()?;
        Some((rank.0, rank.2.0))
    }

    /// How many messages wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether a message about `name` waits.
    #[must_use]
    pub fn holds(&self, name: Name) -> bool {
        self.by_key.contains_key(&u64::from(name.0))
    }

    /// Moves on with every change, so that who audits the queue knows when to look again.
    #[must_use]
    pub const fn changes(&self) -> u64 {
        self.changes
    }

    /// A member about whom two messages wait: there must be none.
    #[must_use]
    pub fn about_twice(&self) -> Option<Name> {
        let mut names: Vec<Name> =
            self.waiting.values().filter_map(|waiting| waiting.about).collect();
        names.sort_unstable();
        names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
    }
}

/// The room in a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// What each message costs beside itself.
    pub overhead: usize,
    /// The bytes in all.
    pub bytes: usize,
    /// The most messages, with those that are there already.
    pub count_max: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn message(len: usize, fill: u8) -> Arc<[u8]> {
        Arc::from(vec![fill; len])
    }

    fn taken(queue: &mut Broadcasts, bytes: usize, limit: u32) -> Vec<(usize, u8)> {
        let mut out = Vec::new();
        queue.take(Room { overhead: 2, bytes, count_max: 255 }, limit, &mut out);
        out.iter().map(|bytes| (bytes.len(), bytes[0])).collect()
    }

    #[test]
    fn fresh_ones_first_and_the_longest_that_fits() {
        let mut queue = Broadcasts::default();
        for (len, fill) in [(10, 1), (30, 2), (20, 3)] {
            queue.push(message(len, fill));
        }
        assert_eq!(taken(&mut queue, 34, 3), [(30, 2)]);
        assert_eq!(taken(&mut queue, 34, 3), [(20, 3), (10, 1)]);
        queue.push(message(5, 4));
        assert_eq!(taken(&mut queue, 20, 3), [(5, 4), (10, 1)]);
    }

    #[test]
    fn what_went_out_often_enough_is_dropped() {
        let mut queue = Broadcasts::default();
        queue.about(Name(1), message(5, 1));
        assert_eq!(taken(&mut queue, 99, 2).len() + taken(&mut queue, 99, 2).len(), 2);
        assert!(queue.is_empty());
        assert!(!queue.holds(Name(1)));
    }

    #[test]
    fn a_newer_message_about_a_member_takes_the_place_of_the_older() {
        let mut queue = Broadcasts::default();
        queue.about(Name(1), message(5, 1));
        assert_eq!(taken(&mut queue, 99, 9), [(5, 1)]);
        queue.about(Name(1), message(6, 2));
        assert_eq!((queue.len(), queue.about_twice()), (1, None));
        assert_eq!(taken(&mut queue, 99, 9), [(6, 2)]);
        queue.keyed(1 << 40, Name(1), message(6, 3));
        assert_eq!(queue.about_twice(), Some(Name(1)));
    }

    #[test]
    fn pruning_drops_what_has_gone_out_most() {
        let mut queue = Broadcasts::default();
        queue.push(message(5, 1));
        assert_eq!(taken(&mut queue, 99, 9), [(5, 1)]);
        queue.push(message(5, 2));
        assert_eq!(queue.prune(1), 1);
        assert_eq!(taken(&mut queue, 99, 9), [(5, 2)]);
    }
}
