//! A circuit breaker: when too many of the last tries failed, whoever tries stops for a while.
//!
//! Closed, it lets every try through and remembers how the last ones ended. Open, it lets none
//! through, so that what is overloaded can recover (Nygard, "Release It!", 2007, §5.2). When its time
//! is over it is half open: one try goes through, and how that ends decides.

use contract::{Duration, Instant};

/// What a breaker is told at boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CircuitBreakerConfig {
    /// How many tries it remembers, at most 64.
    pub window: u32,
    /// It opens when so many in a million of them failed.
    pub threshold_ppm: u32,
    /// How long it stays open.
    pub open_for: Duration,
}

/// The state of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CircuitBreaker {
    config: CircuitBreakerConfig,
    state: State,
    /// The last tries, the newest in the lowest bit; 1 for one that failed.
    failures: u64,
    tries: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Open {
        until: Instant,
    },
    /// A try is under way that decides.
    HalfOpen,
}

/// What became of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It opened.
    Opened,
    /// It closed.
    Closed,
}

impl CircuitBreaker {
    /// A closed breaker.
    #[must_use]
    pub const fn new(config: CircuitBreakerConfig) -> Self {
        Self { config, state: State::Closed, failures: 0, tries: 0 }
    }

    /// Whether a try may be made now.
    pub fn admits(&mut self, now: Instant) -> bool {
        match self.state {
            State::Closed => true,
            State::Open { until } if now < until => false,
            State::Open { .. } => {
                self.state = State::HalfOpen;
                true
            }
            State::HalfOpen => false,
        }
    }

    /// Takes note of how a try ended.
    pub fn note(&mut self, now: Instant, failed: bool) -> Option<Change> {
        match self.state {
            State::HalfOpen if failed => Some(self.open(now)),
            State::HalfOpen => {
                self.state = State::Closed;
                (self.failures, self.tries) = (0, 0);
                Some(Change::Closed)
            }
            // Of a try that was made before.
            State::Open { .. } => None,
            State::Closed => {
                let window = self.config.window;
                self.tries = (self.tries + 1).min(window);
                let mask = u64::MAX >> (64 - window);
                self.failures = ((self.failures << 1) | u64::from(failed)) & mask;
                let share_ppm = u64::from(self.failures.count_ones()) * 1_000_000;
                let due = share_ppm >= u64::from(window) * u64::from(self.config.threshold_ppm);
                (self.tries == window && due).then(|| self.open(now))
            }
        }
    }

    fn open(&mut self, now: Instant) -> Change {
        self.state = State::Open { until: now + self.config.open_for };
        (self.failures, self.tries) = (0, 0);
        Change::Opened
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: CircuitBreakerConfig =
        CircuitBreakerConfig { window: 4, threshold_ppm: 500_000, open_for: Duration(100) };

    fn tries(breaker: &mut CircuitBreaker, at: u64, failed: &[bool]) -> Option<Change> {
        failed.iter().fold(None, |_, failed| {
            assert!(breaker.admits(Instant(at)));
            breaker.note(Instant(at), *failed)
        })
    }

    #[test]
    fn it_opens_when_half_of_a_full_window_failed() {
        let mut breaker = CircuitBreaker::new(CONFIG);
        assert_eq!(tries(&mut breaker, 1, &[true, true, true]), None);
        assert_eq!(tries(&mut breaker, 1, &[false]), Some(Change::Opened));
        assert!(!breaker.admits(Instant(100)));
        let mut breaker = CircuitBreaker::new(CONFIG);
        assert_eq!(tries(&mut breaker, 1, &[true, false, false, false, true, false]), None);
        assert_eq!(tries(&mut breaker, 1, &[true]), Some(Change::Opened));
    }

    #[test]
    fn one_try_decides_when_it_is_half_open() {
        let mut breaker = CircuitBreaker::new(CONFIG);
        tries(&mut breaker, 0, &[true; 4]);
        assert!(!breaker.admits(Instant(99)));
        assert!(breaker.admits(Instant(100)));
        assert!(!breaker.admits(Instant(100)), "one is enough");
        assert_eq!(breaker.note(Instant(110), true), Some(Change::Opened));
        assert!(!breaker.admits(Instant(209)));
        assert!(breaker.admits(Instant(210)));
        assert_eq!(breaker.note(Instant(220), false), Some(Change::Closed));
        assert_eq!(tries(&mut breaker, 221, &[true, true, true]), None);
    }
}
