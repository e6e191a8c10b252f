//! From simulated time to each node's own: a clock that drifts, and a wall clock that jumps.

use crate::config::ClockSpec;
use contract::{Instant, Now, SimTime, WallTime};

/// What a wall clock without skew shows when a run starts: 2026-01-01T00:00:00Z.
pub const WALL_EPOCH: WallTime = WallTime(1_767_225_600_000_000_000);

/// Drift beyond this makes no sense: a clock that stands still or runs twice as fast.
pub const DRIFT_PPM_MAX: i64 = 999_999;

/// One node's clocks. Both tick at the same rate; the wall clock also has an offset.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    /// The rate has been the same since this time ...
    base_at: SimTime,
    /// ... at which so many local nanoseconds had passed since the run began.
    base_local: u64,
    ppm: i64,
    booted_local: u64,
    /// What the wall clock shows, less the local nanoseconds since the run began.
    wall_offset: i64,
}

impl Clock {
    pub fn new(spec: ClockSpec) -> Self {
        Self {
            base_at: SimTime::ZERO,
            base_local: 0,
            ppm: bounded(i64::from(spec.drift_ppm)),
            booted_local: 0,
            wall_offset: (WALL_EPOCH.0 as i64).saturating_add(spec.skew_ns),
        }
    }

    /// What the node reads at `at`.
    #[inline]
    pub fn read(&self, at: SimTime) -> Now {
        let local = self.local(at);
        let wall = self.wall_offset.saturating_add_unsigned(local).max(0);
        Now { mono: Instant(local - self.booted_local), wall: WallTime(wall as u64) }
    }

    /// The first time at which the monotonic clock shows `due` or more.
    #[inline]
    pub fn when(&self, due: Instant) -> SimTime {
        let local = due.0.saturating_add(self.booted_local);
        let ahead = local.saturating_sub(self.base_local);
        if self.ppm == 0 {
            return SimTime(self.base_at.0.saturating_add(ahead));
        }
        let rate = (1_000_000 + self.ppm) as u128;
        let wait = (u128::from(ahead) * 1_000_000).div_ceil(rate);
        let wait = u64::try_from(wait).unwrap_or(u64::MAX);
        SimTime(self.base_at.0.saturating_add(wait))
    }

    /// The monotonic clock starts again from 0.
    pub fn boot(&mut self, at: SimTime) {
        self.booted_local = self.local(at);
    }

    /// Moves both clocks forward to where the monotonic one shows `due`, if it does not yet.
    pub fn advance_to(&mut self, at: SimTime, due: Instant) {
        self.base_local = self.local(at).max(due.0.saturating_add(self.booted_local));
        self.base_at = at;
    }

    /// Moves both clocks forward to where `other`, a clock of the same machine, stands.
    pub fn catch_up(&mut self, at: SimTime, other: &Self) {
        self.base_local = self.local(at).max(other.local(at));
        self.base_at = at;
    }

    /// Changes the rate; what the clock shows now does not change.
    pub fn set_drift(&mut self, at: SimTime, ppm: i64) {
        self.base_local = self.local(at);
        self.base_at = at;
        self.ppm = bounded(ppm);
    }

    /// Moves the wall clock.
    pub fn jump(&mut self, by_ns: i64) {
        self.wall_offset = self.wall_offset.saturating_add(by_ns);
    }

    #[inline]
    fn local(&self, at: SimTime) -> u64 {
        assert!(at >= self.base_at, "time does not run backwards");
        let elapsed = at.0 - self.base_at.0;
        if self.ppm == 0 {
            return self.base_local + elapsed;
        }
        let rate = (1_000_000 + self.ppm) as u128;
        self.base_local + (u128::from(elapsed) * rate / 1_000_000) as u64
    }
}

fn bounded(ppm: i64) -> i64 {
    ppm.clamp(-DRIFT_PPM_MAX, DRIFT_PPM_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_change_of_drift_keeps_the_clock_continuous(
            first in -500_000_i64..500_000, second in -500_000_i64..500_000,
            at in 0_u64..1 << 45,
        ) {
            let mut clock = Clock::new(ClockSpec::default());
            clock.set_drift(SimTime::ZERO, first);
            let before = clock.read(SimTime(at));
            clock.set_drift(SimTime(at), second);
            prop_assert_eq!(clock.read(SimTime(at)), before);
        }

        #[test]
        fn a_timer_is_due_at_the_first_time_that_shows_it(
            ppm in -500_000_i64..500_000, booted in 0_u64..1 << 40, due in 0_u64..1 << 40,
        ) {
            let mut clock = Clock::new(ClockSpec::default());
            clock.set_drift(SimTime(1_000), ppm);
            clock.boot(SimTime(2_000 + booted));
            let at = clock.when(Instant(due));
            prop_assert!(clock.read(at).mono >= Instant(due));
            if at.0 > 2_000 + booted {
                prop_assert!(clock.read(SimTime(at.0 - 1)).mono < Instant(due));
            }
        }
    }

    #[test]
    fn a_fast_clock_gains_its_drift() {
        let mut clock = Clock::new(ClockSpec { skew_ns: -5, drift_ppm: 100 });
        let now = clock.read(SimTime(1_000_000_000));
        assert_eq!(now.mono, Instant(1_000_100_000));
        assert_eq!(now.wall.0, WALL_EPOCH.0 + 1_000_100_000 - 5);
        clock.jump(-1_000);
        let jumped = clock.read(SimTime(1_000_000_000));
        assert_eq!(jumped.wall.0, now.wall.0 - 1_000);
        assert_eq!(jumped.mono, now.mono);
    }
}
