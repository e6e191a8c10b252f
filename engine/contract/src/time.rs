//! Time, in whole nanoseconds, with a type for each clock so that two clocks cannot be compared.

use alloc::format;
use alloc::string::String;
use core::fmt;
use core::ops::{Add, Sub};

/// Nanoseconds since the run began. Nodes never see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimTime(pub u64);

/// Nanoseconds on one node's monotonic clock since it booted; it may drift against [`SimTime`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub u64);

/// Nanoseconds since the Unix epoch on one node's wall clock; it may jump backwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallTime(pub u64);

/// A length of time in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(pub u64);

/// What a node reads when it asks for the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// The node's monotonic clock.
    pub mono: Instant,
    /// The node's wall clock.
    pub wall: WallTime,
}

impl Duration {
    /// For people, rounded down: `1.234 s`, `12.3 ms`, `45 us`.
    #[must_use]
    pub fn human(self) -> String {
        let nanos = self.as_nanos();
        match nanos {
            1_000_000_000.. => {
                format!("{}.{:03} s", nanos / 1_000_000_000, nanos / 1_000_000 % 1_000)
            }
            1_000_000.. => format!("{}.{:01} ms", nanos / 1_000_000, nanos / 100_000 % 10),
            1_000.. => format!("{} us", nanos / 1_000),
            _ => format!("{nanos} ns"),
        }
    }

    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// `n` microseconds.
    #[must_use]
    pub const fn from_micros(n: u64) -> Self {
        assert!(n <= u64::MAX / 1_000, "a length fits into 64 bits of nanoseconds");
        Self(n * 1_000)
    }

    /// `n` milliseconds.
    #[must_use]
    pub const fn from_millis(n: u64) -> Self {
        assert!(n <= u64::MAX / 1_000_000, "a length fits into 64 bits of nanoseconds");
        Self(n * 1_000_000)
    }

    /// `n` seconds.
    #[must_use]
    pub const fn from_secs(n: u64) -> Self {
        assert!(n <= u64::MAX / 1_000_000_000, "a length fits into 64 bits of nanoseconds");
        Self(n * 1_000_000_000)
    }

    /// The length in nanoseconds.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The length in whole milliseconds, rounded down.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// `self * times`, or the longest length there is.
    #[must_use]
    pub const fn saturating_mul(self, times: u64) -> Self {
        Self(self.0.saturating_mul(times))
    }

    /// `self - other`, or zero.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Add for Duration {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// A clock reading in nanoseconds that a [`Duration`] can be added to.
macro_rules! clock {
    ($clock:ident) => {
        impl $clock {
            /// The origin of this clock.
            pub const ZERO: Self = Self(0);
            /// Later than anything that happens.
            pub const MAX: Self = Self(u64::MAX);

            /// The time from `earlier` to `self`, or zero where `earlier` is later.
            #[must_use]
            pub const fn since(self, earlier: Self) -> Duration {
                Duration(self.0.saturating_sub(earlier.0))
            }
        }

        impl Add<Duration> for $clock {
            type Output = Self;
            fn add(self, after: Duration) -> Self {
                Self(self.0.saturating_add(after.0))
            }
        }

        impl Sub<Duration> for $clock {
            type Output = Self;
            fn sub(self, before: Duration) -> Self {
                Self(self.0.saturating_sub(before.0))
            }
        }
    };
}

clock!(SimTime);
clock!(Instant);
clock!(WallTime);

const _: () = {
    assert!(Duration::from_secs(1).0 == Duration::from_millis(1_000).0);
    assert!(Duration::from_millis(1).0 == Duration::from_micros(1_000).0);
    assert!(SimTime::MAX.since(SimTime::ZERO).0 == u64::MAX);
    assert!(SimTime::ZERO.since(SimTime::MAX).0 == 0);
};

impl fmt::Display for SimTime {
    /// Seconds with nine digits, so that columns of times line up: `1.234567000s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}s", self.0 / 1_000_000_000, self.0 % 1_000_000_000)
    }
}

impl fmt::Display for Duration {
    /// The shortest exact form with a unit that scenario files accept: `150ms`, `1500us`, `2s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"), (1, "ns")];
        let exact = units.iter().find(|(size, _)| self.0.is_multiple_of(*size));
        let (size, unit) = exact.expect("every integer is a multiple of 1");
        assert_eq!(self.0 / size * size, self.0, "what is printed is exact");
        write!(f, "{}{unit}", self.0 / size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn durations_print_in_the_largest_exact_unit() {
        let check = |nanos: u64, expect: &str| assert_eq!(Duration(nanos).to_string(), expect);
        check(0, "0s");
        check(1, "1ns");
        check(1_500, "1500ns");
        check(150_000_000, "150ms");
        check(2_000_000_000, "2s");
        check(1_500_000_000, "1500ms");
    }

    #[test]
    fn clocks_saturate_instead_of_wrapping() {
        assert_eq!(SimTime::MAX + Duration(1), SimTime::MAX);
        assert_eq!(Instant(5).since(Instant(9)), Duration::ZERO);
        assert_eq!(WallTime(3) - Duration(9), WallTime::ZERO);
    }

    #[test]
    fn sim_time_prints_nine_digits() {
        assert_eq!(SimTime(1_234_567_000).to_string(), "1.234567000s");
    }
}
