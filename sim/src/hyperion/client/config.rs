//! The settings of the role `client`, as the node uses them.

use crate::protocol::tls::{Authority, Identity, Renewal};
use crate::protocol::token::{TOKEN_BYTES, token};
use crate::service::Backoff;
use crate::service::circuit_breaker::CircuitBreakerConfig;
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
    /// The waits between tries.
    pub backoff: Backoff,
    /// The most tries of one operation.
    pub attempts_max: u32,
    /// The node at which every operation starts; `None` where the client remembers the leader.
    pub home: Option<u32>,
    /// Whether a try that timed out leaves the client with the leader that it knows.
    pub stays: bool,
    /// What it shows when it connects; nothing where it is absent.
    pub token: Option<[u8; TOKEN_BYTES]>,
    /// When it stops asking; never where it is absent.
    pub breaker: Option<CircuitBreakerConfig>,
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
        Self {
            timeout: settings.duration("timeout"),
            try_timeout: settings.duration("try_timeout"),
            health_timeout: settings.duration("health_timeout"),
            backoff: Backoff {
                base: settings.duration("retry_base"),
                max: settings.duration("retry_max"),
                jitter: settings.bool("jitter") && !seat.has("no-jitter-synchronised-retry"),
            },
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
            timeout_is_failure: seat.has("timeout-treated-as-failure"),
            keeps_after_loss: seat.has("client-cache-survives-reconnect"),
        }
    }
}

fn breaker(seat: &Seat<'_>) -> Option<CircuitBreakerConfig> {
    let settings = seat.settings;
    settings.bool("breaker").then(|| CircuitBreakerConfig {
        window: u32::try_from(settings.int("breaker_window")).expect("the setting has a limit"),
        threshold_ppm: settings.ratio("breaker_threshold").ppm(),
        open_for: settings.duration("breaker_open"),
    })
}

/// The certificate of a seat whose settings name an authority; its subject is the name of the seat.
#[must_use]
pub fn identity(seat: &Seat<'_>) -> Option<Identity> {
    let settings = seat.settings;
    settings.has("certificate_authority").then(|| {
        let authority = Authority::named(&settings.text("certificate_authority"));
        let renewal = Renewal {
            lifetime: settings.duration("certificate_lifetime"),
            renews: settings.bool("certificate_renewal"),
        };
        Identity::new(authority, renewal, hash_bytes(seat.name.as_bytes()), seat.boot)
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
}
