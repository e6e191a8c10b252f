//! Waits between tries: each twice as long as the one before, up to a limit, with a part at random so
//! that those who failed together do not come back together.

use contract::{Duration, Rng};

/// How long to wait after each try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first try; doubles with each further one.
    pub base: Duration,
    /// The longest wait, without its random part.
    pub max: Duration,
    /// Whether up to a quarter of the wait is added at random.
    pub jitter: bool,
}

/// Doublings past this change nothing: every limit is reached long before.
const DOUBLINGS_MAX: u32 = 20;

impl Backoff {
    /// The wait after `tries` tries, without its random part.
    #[must_use]
    pub fn delay(&self, tries: u32) -> Duration {
        let doublings = tries.saturating_sub(1).min(DOUBLINGS_MAX);
        self.base.saturating_mul(1 << doublings).min(self.max)
    }

    /// The wait after `tries` tries, and at least `least`, which a server asked for.
    pub fn draw(&self, tries: u32, least: Duration, rng: &mut Rng) -> Duration {
        let delay = self.delay(tries).max(least);
        match self.jitter {
            true => delay + Duration(rng.below((delay.as_nanos() / 4).max(1))),
            false => delay,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use contract::Domain;

    const BACKOFF: Backoff = Backoff { base: Duration(10), max: Duration(65), jitter: true };

    #[test]
    fn waits_double_up_to_their_limit() {
        let waits: Vec<u64> = (1..6).map(|tries| BACKOFF.delay(tries).0).collect();
        assert_eq!(waits, [10, 20, 40, 65, 65]);
        assert_eq!(BACKOFF.delay(u32::MAX).0, 65);
    }

    #[test]
    fn a_quarter_at_most_is_random_and_the_least_is_kept() {
        let mut rng = Rng::new(1, Domain::Node, "test");
        for _ in 0..200 {
            assert!((40..50).contains(&BACKOFF.draw(3, Duration::ZERO, &mut rng).0));
            assert!((400..500).contains(&BACKOFF.draw(3, Duration(400), &mut rng).0));
        }
        let steady = Backoff { jitter: false, ..BACKOFF };
        assert_eq!(steady.draw(3, Duration::ZERO, &mut rng).0, 40);
    }
}
