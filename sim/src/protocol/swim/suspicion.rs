//! One suspicion, and the timer that independent confirmations shorten (Lifeguard, §IV-B).

use super::member::Name;
use super::timeouts::suspicion_after;
use alloc::collections::BTreeSet;
use contract::{Duration, Instant};

/// What a node remembers of a member that it suspects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspicion {
    /// Who suspects it, the first among them: one voice counts once.
    from: BTreeSet<Name>,
    /// How many confirmations were counted.
    confirmations: u32,
    expected: u32,
    min: Duration,
    max: Duration,
    began: Instant,
}

impl Suspicion {
    /// A suspicion first heard of `from`, that waits for `expected` others between `max` and `min`.
    ///
    /// # Panics
    /// When the bounds are the wrong way round.
    #[must_use]
    pub fn new(from: Name, expected: u32, min: Duration, max: Duration, began: Instant) -> Self {
        assert!(min <= max, "the shortest time is not above the longest");
        Self { from: BTreeSet::from([from]), confirmations: 0, expected, min, max, began }
    }

    /// Somebody else suspects it too. True where that is news.
    pub fn confirm(&mut self, from: Name) -> bool {
        if self.confirmations >= self.expected || !self.from.insert(from) {
            return false;
        }
        self.confirmations += 1;
        assert!((self.confirmations as usize) < self.from.len(), "the first is no confirmation");
        true
    }

    /// Counts a confirmation whoever it is of: only as a planted defect.
    pub(super) fn confirm_blindly(&mut self, from: Name) -> bool {
        self.from.insert(from);
        let counts = self.confirmations < self.expected;
        self.confirmations += u32::from(counts);
        counts
    }

    /// How long it lasts in all, as things stand.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        suspicion_after(self.confirmations, self.expected, self.min, self.max)
    }

    /// How long it still lasts; nothing where it is over.
    #[must_use]
    pub fn remaining(&self, now: Instant) -> Duration {
        self.timeout().saturating_sub(now.since(self.began))
    }

    /// When it began.
    #[must_use]
    pub const fn began(&self) -> Instant {
        self.began
    }

    /// The shortest that it may last, judged by who was really heard.
    #[must_use]
    pub fn least(&self) -> Duration {
        let heard = (self.from.len() as u32 - 1).min(self.expected);
        suspicion_after(heard, self.expected, self.min, self.max)
    }

    /// The longest that it may last.
    #[must_use]
    pub const fn longest(&self) -> Duration {
        self.max
    }
}
