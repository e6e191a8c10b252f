//! A circuit breaker: when too many of the last tries failed, whoever tries stops for a while.
//!
//! Closed, it lets every try through and remembers how the last ones ended. Open, it lets none
//! through, so that what is overloaded can recover (Nygard, "Release It!", 2007, §5.2). When its time
//! is over it is half open: one try goes through, and how that ends decides. A try that ends without
//! saying how its target does, as when its operation is over by other means, is given back, and the
//! next one decides.
//!
//! Every change of state begins a generation, and a try counts only in the one that admitted it.

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
    generation: u64,
    /// The last tries, the newest in the lowest bit; 1 for one that failed.
    failures: u64,
    tries: u32,
    calls: Calls,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Open {
        until: Instant,
    },
    /// A try is under way that decides, or the next one will be.
    HalfOpen {
        is_probing: bool,
    },
}

/// The right to one try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permit {
    generation: u64,
}

/// What became of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It opened.
    Opened,
    /// It closed.
    Closed,
}

/// What a breaker was asked, and what it said: for the model that runs beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerCall {
    /// Whether a try may be made.
    Admit {
        /// When.
        now: Instant,
        /// Whether it may.
        granted: bool,
    },
    /// A try ended.
    Note {
        /// When.
        now: Instant,
        /// Whether it failed.
        failed: bool,
        /// Whether it was admitted in the present generation.
        is_current: bool,
        /// What became of the breaker.
        change: Option<Change>,
    },
    /// A try of the present generation was given back.
    GiveBack,
}

/// How many calls are kept: more than one input makes.
const CALLS_KEPT: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Calls {
    last: [BreakerCall; CALLS_KEPT],
    count: u64,
}

impl CircuitBreaker {
    /// A closed breaker.
    #[must_use]
    pub const fn new(config: CircuitBreakerConfig) -> Self {
        let calls = Calls { last: [BreakerCall::GiveBack; CALLS_KEPT], count: 0 };
        Self { config, state: State::Closed, generation: 0, failures: 0, tries: 0, calls }
    }

    /// The right to a try, where one may be made now.
    pub fn admit(&mut self, now: Instant) -> Option<Permit> {
        let granted = match self.state {
            State::Closed => true,
            State::Open { until } => now >= until,
            State::HalfOpen { is_probing } => !is_probing,
        };
        if granted && self.state != State::Closed {
            self.turn(State::HalfOpen { is_probing: true });
        }
        self.keep(BreakerCall::Admit { now, granted });
        granted.then_some(Permit { generation: self.generation })
    }

    /// Takes note of how a try ended.
    pub fn note(&mut self, now: Instant, permit: Permit, failed: bool) -> Option<Change> {
        // Otherwise it is of a try that was made before.
        let is_current = permit.generation == self.generation;
        let change = match self.state {
            _ if !is_current => None,
            State::HalfOpen { .. } if failed => Some(self.open(now)),
            State::HalfOpen { .. } => {
                self.turn(State::Closed);
                (self.failures, self.tries) = (0, 0);
                Some(Change::Closed)
            }
            State::Open { .. } => unreachable!("an open breaker admits nobody"),
            State::Closed => self.count(failed).then(|| self.open(now)),
        };
        self.keep(BreakerCall::Note { now, failed, is_current, change });
        change
    }

    /// A try is over, and nothing is known by it: it decides nothing.
    pub fn give_back(&mut self, permit: Permit) {
        if permit.generation != self.generation {
            return;
        }
        if self.state == (State::HalfOpen { is_probing: true }) {
            self.state = State::HalfOpen { is_probing: false };
        }
        self.keep(BreakerCall::GiveBack);
    }

    /// What it was told at boot.
    #[must_use]
    pub const fn config(&self) -> CircuitBreakerConfig {
        self.config
    }

    /// Whether it waits for a try to end, and admits nobody before.
    #[must_use]
    pub const fn is_probing(&self) -> bool {
        matches!(self.state, State::HalfOpen { is_probing: true })
    }

    /// How many calls were made, and the last of them.
    pub fn calls(&self) -> (u64, impl Iterator<Item = BreakerCall>) {
        let first = self.calls.count.saturating_sub(CALLS_KEPT as u64);
        let place = |number: u64| (number % CALLS_KEPT as u64) as usize;
        let last = (first..self.calls.count).map(move |number| self.calls.last[place(number)]);
        (self.calls.count, last)
    }

    /// Counts the end of a try; whether too many of the last ones failed.
    fn count(&mut self, failed: bool) -> bool {
        let window = self.config.window;
        self.tries = (self.tries + 1).min(window);
        let mask = u64::MAX >> (64 - window);
        self.failures = ((self.failures << 1) | u64::from(failed)) & mask;
        let share_ppm = u64::from(self.failures.count_ones()) * 1_000_000;
        let due = share_ppm >= u64::from(window) * u64::from(self.config.threshold_ppm);
        self.tries == window && due
    }

    fn open(&mut self, now: Instant) -> Change {
        self.turn(State::Open { until: now + self.config.open_for });
        (self.failures, self.tries) = (0, 0);
        Change::Opened
    }

    const fn turn(&mut self, state: State) {
        self.state = state;
        self.generation += 1;
    }

    const fn keep(&mut self, call: BreakerCall) {
        self.calls.last[(self.calls.count % CALLS_KEPT as u64) as usize] = call;
        self.calls.count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: CircuitBreakerConfig =
        CircuitBreakerConfig { window: 4, threshold_ppm: 500_000, open_for: Duration(100) };

    fn tries(breaker: &mut CircuitBreaker, at: u64, failed: &[bool]) -> Option<Change> {
        failed.iter().fold(None, |_, failed| {
            let permit = breaker.admit(Instant(at)).expect("it is closed");
            breaker.note(Instant(at), permit, *failed)
        })
    }

    #[test]
    fn it_opens_when_half_of_a_full_window_failed() {
        let mut breaker = CircuitBreaker::new(CONFIG);
        assert_eq!(tries(&mut breaker, 1, &[true, true, true]), None);
        assert_eq!(tries(&mut breaker, 1, &[false]), Some(Change::Opened));
        assert_eq!(breaker.admit(Instant(100)), None);
        let mut breaker = CircuitBreaker::new(CONFIG);
        assert_eq!(tries(&mut breaker, 1, &[true, false, false, false, true, false]), None);
        assert_eq!(tries(&mut breaker, 1, &[true]), Some(Change::Opened));
    }

    #[test]
    fn one_try_decides_when_it_is_half_open() {
        let mut breaker = CircuitBreaker::new(CONFIG);
        tries(&mut breaker, 0, &[true; 4]);
        assert_eq!(breaker.admit(Instant(99)), None);
        let probe = breaker.admit(Instant(100)).expect("its time is over");
        assert_eq!(breaker.admit(Instant(100)), None, "one is enough");
        assert_eq!(breaker.note(Instant(110), probe, true), Some(Change::Opened));
        assert_eq!(breaker.admit(Instant(209)), None);
        let probe = breaker.admit(Instant(210)).expect("its time is over again");
        assert_eq!(breaker.note(Instant(220), probe, false), Some(Change::Closed));
        assert_eq!(tries(&mut breaker, 221, &[true, true, true]), None);
    }

    #[test]
    fn a_try_that_is_given_back_leaves_its_place_to_the_next() {
        let mut breaker = CircuitBreaker::new(CONFIG);
        let early = breaker.admit(Instant(0)).expect("it is closed");
        tries(&mut breaker, 0, &[true; 4]);
        let probe = breaker.admit(Instant(100)).expect("its time is over");
        assert!(breaker.is_probing());
        breaker.give_back(probe);
        assert!(!breaker.is_probing());
        let next = breaker.admit(Instant(101)).expect("nobody probes");
        assert_eq!(breaker.note(Instant(102), early, false), None, "of a try made before");
        assert_eq!(breaker.note(Instant(102), probe, false), None, "it was given back");
        assert_eq!(breaker.note(Instant(103), next, false), Some(Change::Closed));
    }
}
