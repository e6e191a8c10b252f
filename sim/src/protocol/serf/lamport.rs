//! Lamport's clock (Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System", 1978).

/// A counter that is never behind what it has heard of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lamport(u64);

impl Lamport {
    /// The time.
    #[must_use]
    pub const fn time(self) -> u64 {
        self.0
    }

    /// One later, and the new time.
    pub const fn increment(&mut self) -> u64 {
        self.0 = self.0.saturating_add(1);
        self.0
    }

    /// Heard of a time: the own is later from now on.
    pub fn witness(&mut self, heard: u64) {
        if heard >= self.0 {
            self.0 = heard.saturating_add(1);
        }
        assert!(self.0 > heard || heard == u64::MAX, "the clock is past what it heard of");
    }
}

#[cfg(test)]
mod tests {
    use super::Lamport;

    #[test]
    fn it_is_past_what_it_heard_of() {
        let mut clock = Lamport::default();
        assert_eq!((clock.time(), clock.increment()), (0, 1));
        clock.witness(41);
        assert_eq!(clock.time(), 42);
        clock.witness(41);
        clock.witness(7);
        assert_eq!(clock.time(), 42);
        clock.witness(42);
        assert_eq!(clock.time(), 43);
    }
}
