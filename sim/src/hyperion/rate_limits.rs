//! How often each client may ask: so many of each kind of request in a window of one second.
//!
//! Past the limit a request is refused as `RESOURCE_EXHAUSTED`, with the time after which the window
//! ends. Windows are those of the node's own clock and begin with a client's first request.

use alloc::collections::BTreeMap;
use contract::{Duration, Instant, NodeId};

/// The length of a window.
pub const WINDOW: Duration = Duration::from_secs(1);

/// The kinds of requests that have limits of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limited {
    /// Reads of one key.
    Get,
    /// Writes.
    Set,
    /// Reads of several keys.
    BatchGet,
    /// What operators do.
    Admin,
}

/// How many requests a client may make in one window, by [`Limited`].
pub type LimitsOf = [u64; 4];

/// The windows of all clients.
#[derive(Clone, Debug, Default)]
pub struct RateLimits {
    windows: BTreeMap<NodeId, Window>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    since: Instant,
    asked: LimitsOf,
}

impl RateLimits {
    /// Counts a request of `client`.
    ///
    /// # Errors
    /// When it is one too many: how long its window still lasts.
    pub fn count(
        &mut self,
        now: Instant,
        client: NodeId,
        kind: Limited,
        limits: &LimitsOf,
    ) -> Result<(), Duration> {
        let fresh = Window { since: now, asked: [0; 4] };
        let window = self.windows.entry(client).or_insert(fresh);
        let elapsed = now.since(window.since);
        if elapsed >= WINDOW {
            *window = fresh;
        }
        let asked = &mut window.asked[kind as usize];
        if *asked >= limits[kind as usize] {
            return Err(WINDOW.saturating_sub(elapsed));
        }
        *asked += 1;
        Ok(())
    }

    /// Forgets a client that is gone.
    pub fn forget(&mut self, client: NodeId) {
        self.windows.remove(&client);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_and_each_client_has_a_window_of_its_own() {
        let mut limits = RateLimits::default();
        let mut ask = |at_ms: u64, client, kind| {
            limits.count(Instant(at_ms * 1_000_000), NodeId(client), kind, &[2, 1, 1, 1])
        };
        assert_eq!(ask(0, 1, Limited::Get), Ok(()));
        assert_eq!(ask(400, 1, Limited::Get), Ok(()));
        assert_eq!(ask(999, 1, Limited::Get), Err(Duration::from_millis(1)));
        assert_eq!(ask(999, 1, Limited::Set), Ok(()));
        assert_eq!(ask(999, 2, Limited::Get), Ok(()));
        assert_eq!(ask(1000, 1, Limited::Get), Ok(()));
        assert_eq!(ask(1001, 1, Limited::Get), Ok(()));
        assert_eq!(ask(1002, 1, Limited::Get), Err(Duration::from_millis(998)));
    }
}
