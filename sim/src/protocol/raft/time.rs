//! Deadlines on ticks, and the cluster's clock.

use contract::{Duration, Instant};

/// A tick loop without its wake-ups: deadlines are rounded up to where its ticks would be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticks {
    /// The time between two ticks; zero for none.
    pub tick: Duration,
    /// When the first tick is, less than `tick`.
    pub phase: Duration,
}

impl Ticks {
    /// The first tick at `deadline` or later.
    pub fn at_or_after(self, deadline: Instant) -> Instant {
        if self.tick == Duration::ZERO {
            return deadline;
        }
        let since_first = deadline.0.saturating_sub(self.phase.0);
        let ticks = since_first.div_ceil(self.tick.0);
        let tick = Instant(self.phase.0.saturating_add(ticks.saturating_mul(self.tick.0)));
        assert!(tick >= deadline, "a deadline is rounded up");
        tick
    }
}

/// The most cluster time that was heard of, and when. Two nodes' monotonic clocks cannot be
/// compared; this one can, because it travels with the protocol and never goes back.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClusterClock {
    heard: u64,
    heard_at: Instant,
}

impl ClusterClock {
    /// A clock that shows `time` at `now`.
    pub const fn starting(time: u64, now: Instant) -> Self {
        Self { heard: time, heard_at: now }
    }

    /// The time in nanoseconds.
    pub const fn time(&self, now: Instant) -> u64 {
        self.heard.saturating_add(now.since(self.heard_at).as_nanos())
    }

    /// Moves forward to `time`, or stays where it is ahead already.
    pub fn hear(&mut self, time: u64, now: Instant) {
        if time > self.time(now) {
            *self = Self::starting(time, now);
        }
        assert!(self.time(now) >= time, "the clock shows what was heard of, or more");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_round_up_to_the_phase() {
        let ticks = Ticks { tick: Duration(50), phase: Duration(7) };
        let check = |deadline: u64, expect: u64| {
            assert_eq!(ticks.at_or_after(Instant(deadline)), Instant(expect));
        };
        check(0, 7);
        check(7, 7);
        check(8, 57);
        check(57, 57);
        check(1000, 1007);
    }

    #[test]
    fn without_ticks_deadlines_are_exact() {
        let ticks = Ticks { tick: Duration::ZERO, phase: Duration::ZERO };
        assert_eq!(ticks.at_or_after(Instant(123)), Instant(123));
    }

    #[test]
    fn the_cluster_clock_follows_the_fastest() {
        let mut clock = ClusterClock::starting(100, Instant(10));
        assert_eq!(clock.time(Instant(15)), 105);
        clock.hear(104, Instant(15));
        assert_eq!(clock.time(Instant(15)), 105);
        clock.hear(300, Instant(15));
        assert_eq!(clock.time(Instant(20)), 305);
    }
}
