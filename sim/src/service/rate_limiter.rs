//! How often each client may ask: so many requests of each kind in a window of one second.
//!
//! Windows are those of the node's own clock, and begin with a client's first request after the last
//! one ended. They belong to the client, not to its connections: who hangs up and comes back goes on
//! where it was. What is over is forgotten, so that clients that are gone take no memory.

use alloc::collections::BTreeMap;
use contract::{Duration, Instant};

/// The length of a window.
pub const WINDOW: Duration = Duration::from_secs(1);

/// Windows that are over are looked for once there are more than this.
const WINDOWS_MIN: usize = 64;

/// The windows of all clients. `C` names a client, and there are `KINDS` kinds of requests with limits
/// of their own.
#[derive(Clone, Debug)]
pub struct RateLimiter<C, const KINDS: usize> {
    windows: BTreeMap<C, Window<KINDS>>,
    /// What is over is thrown out when there are so many.
    tidy_at: usize,
}

#[derive(Clone, Copy, Debug)]
struct Window<const KINDS: usize> {
    since: Instant,
    asked: [u64; KINDS],
}

impl<C: Ord, const KINDS: usize> Default for RateLimiter<C, KINDS> {
    fn default() -> Self {
        Self { windows: BTreeMap::new(), tidy_at: WINDOWS_MIN }
    }
}

impl<C: Ord, const KINDS: usize> RateLimiter<C, KINDS> {
    /// Counts a request of `client`; `kind` is a place in `limits`.
    ///
    /// # Errors
    /// When it is one too many: how long its window still lasts.
    pub fn count(
        &mut self,
        now: Instant,
        client: C,
        kind: usize,
        limits: &[u64; KINDS],
    ) -> Result<(), Duration> {
        self.tidy(now);
        let fresh = Window { since: now, asked: [0; KINDS] };
        let window = self.windows.entry(client).or_insert(fresh);
        let elapsed = now.since(window.since);
        if elapsed >= WINDOW {
            *window = fresh;
        }
        let asked = &mut window.asked[kind];
        if *asked >= limits[kind] {
            return Err(WINDOW.saturating_sub(elapsed));
        }
        *asked += 1;
        Ok(())
    }

    /// How many clients it knows.
    #[must_use]
    pub fn clients(&self) -> u64 {
        self.windows.len() as u64
    }

    /// Forgets windows that are over, often enough that at most half of them are.
    fn tidy(&mut self, now: Instant) {
        if self.windows.len() < self.tidy_at {
            return;
        }
        self.windows.retain(|_, window| now.since(window.since) < WINDOW);
        self.tidy_at = WINDOWS_MIN.max(2 * self.windows.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: usize = 0;
    const SET: usize = 1;

    #[test]
    fn each_kind_and_each_client_has_a_window_of_its_own() {
        let mut limiter = RateLimiter::default();
        let mut ask = |at_ms: u64, client: u32, kind| {
            limiter.count(Instant(at_ms * 1_000_000), client, kind, &[2, 1])
        };
        assert_eq!(ask(0, 1, GET), Ok(()));
        assert_eq!(ask(400, 1, GET), Ok(()));
        assert_eq!(ask(999, 1, GET), Err(Duration::from_millis(1)));
        assert_eq!(ask(999, 1, SET), Ok(()));
        assert_eq!(ask(999, 2, GET), Ok(()));
        assert_eq!(ask(1000, 1, GET), Ok(()));
        assert_eq!(ask(1001, 1, GET), Ok(()));
        assert_eq!(ask(1002, 1, GET), Err(Duration::from_millis(998)));
    }

    #[test]
    fn clients_that_are_gone_are_forgotten() {
        let mut limiter = RateLimiter::default();
        for client in 0..10_000_u64 {
            let now = Instant(client * 100_000_000);
            assert_eq!(limiter.count(now, client, GET, &[1]), Ok(()));
            assert!(limiter.clients() <= WINDOWS_MIN as u64, "ten are within their window");
        }
    }
}
