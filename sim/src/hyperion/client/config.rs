//! The settings of the role `client`, as the node uses them.

use super::super::auth::{TOKEN_BYTES, token};
use super::super::tables::Defects;
use super::breaker::BreakerConfig;
use catalog::Seat;
use contract::Duration;
use contract::hash::hash_bytes;

/// The most nodes that a client connects to, because a node admits ten connections per client and
/// this client keeps one to each.
pub const CONNECTIONS_MAX: usize = 10;

/// What a client is told at boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How long an operation may take, all tries together.
    pub timeout: Duration,
    /// How long one try may take.
    pub try_timeout: Duration,
    /// How long a health check may take.
    pub health_timeout: Duration,
    /// The wait before the second try; doubles with each further one.
    pub retry_base: Duration,
    /// The longest wait between two tries, without its jitter.
    pub retry_max: Duration,
    /// Whether up to a quarter of the wait is added at random.
    pub jitter: bool,
    /// The most tries of one operation.
    pub attempts_max: u32,
    /// The node at which every operation starts; `None` where the client remembers the leader.
    pub home: Option<u32>,
    /// Whether a try that timed out leaves the client with the leader that it knows.
    pub stays: bool,
    /// What it shows when it connects; nothing where it is absent.
    pub token: Option<[u8; TOKEN_BYTES]>,
    /// When it stops asking; never where it is absent.
    pub breaker: Option<BreakerConfig>,
    /// Whether it keeps what it reads where that may be stale.
    pub caches: bool,
    /// Planted flaw `timeout-treated-as-failure`.
    pub timeout_is_failure: bool,
    /// Planted flaw `client-cache-survives-reconnect`.
    pub keeps_after_loss: bool,
}

impl Config {
    /// Reads the settings of a seat whose target has `targets` nodes.
    #[must_use]
    pub fn of(seat: &Seat<'_>, targets: u32) -> Self {
        let settings = seat.settings;
        let defects = Defects::from_names(seat.defects);
        Self {
            timeout: settings.duration("timeout"),
            try_timeout: settings.duration("try_timeout"),
            health_timeout: settings.duration("health_timeout"),
            retry_base: settings.duration("retry_base"),
            retry_max: settings.duration("retry_max"),
            jitter: settings.bool("jitter") && !defects.no_jitter,
            attempts_max: u32::try_from(settings.int("attempts_max"))
                .expect("the setting has a limit"),
            home: home(seat.index, settings.ratio("pinned").ppm(), targets),
            stays: settings.bool("sticky"),
            token: settings.has("token_secret").then(|| {
                let client = hash_bytes(seat.name.as_bytes());
                token(settings.text("token_secret").as_bytes(), client)
            }),
            breaker: breaker(seat),
            caches: settings.bool("enable_client_caching"),
            timeout_is_failure: defects.timeout_is_failure,
            keeps_after_loss: defects.client_cache_survives,
        }
    }

    /// The wait before the try after `tries` tries, without jitter.
    #[must_use]
    pub fn backoff(&self, tries: u32) -> Duration {
        let doublings = tries.saturating_sub(1).min(20);
        let delay = self.retry_base.saturating_mul(1 << doublings);
        delay.min(self.retry_max)
    }
}

fn breaker(seat: &Seat<'_>) -> Option<BreakerConfig> {
    let settings = seat.settings;
    settings.bool("breaker").then(|| BreakerConfig {
        window: u32::try_from(settings.int("breaker_window")).expect("the setting has a limit"),
        threshold_ppm: settings.ratio("breaker_threshold").ppm(),
        open_for: settings.duration("breaker_open"),
    })
}

/// The home of the client with index `index` when `pinned_ppm` of the clients have one. The pinned
/// clients are spread evenly over the indexes, and their homes over the nodes.
fn home(index: u32, pinned_ppm: u32, targets: u32) -> Option<u32> {
    assert!(pinned_ppm <= 1_000_000, "a share is at most everyone");
    assert!(targets > 0, "a client has a target");
    let pinned_before = |clients: u64| clients * u64::from(pinned_ppm) / 1_000_000;
    let rank = pinned_before(u64::from(index));
    let is_pinned = pinned_before(u64::from(index) + 1) > rank;
    is_pinned.then_some((rank % u64::from(targets)) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn homes_are_spread_over_clients_and_nodes() {
        let homes = |ppm| -> Vec<Option<u32>> { (0..8).map(|index| home(index, ppm, 3)).collect() };
        assert_eq!(homes(0), [None; 8]);
        let expect = [None, Some(0), None, Some(1), None, Some(2), None, Some(0)];
        assert_eq!(homes(500_000), expect);
        let all = [0, 1, 2, 0, 1, 2, 0, 1].map(Some);
        assert_eq!(homes(1_000_000), all);
    }

    #[test]
    fn waits_double_up_to_their_limit() {
        let config = Config {
            timeout: Duration::ZERO,
            try_timeout: Duration::ZERO,
            health_timeout: Duration::ZERO,
            retry_base: Duration(10),
            retry_max: Duration(65),
            jitter: true,
            attempts_max: 1,
            home: None,
            stays: false,
            token: None,
            breaker: None,
            caches: false,
            timeout_is_failure: false,
            keeps_after_loss: false,
        };
        let waits: Vec<u64> = (1..6).map(|tries| config.backoff(tries).0).collect();
        assert_eq!(waits, [10, 20, 40, 65, 65]);
        assert_eq!(config.backoff(u32::MAX).0, 65);
    }
}
