//! The settings of the role `client`, as the node uses them.

use super::super::tables::Defects;
use super::super::tables::settings::{CertificateSettings, ClientSettings};
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
    /// Planted defect `timeout-treated-as-failure`.
    pub timeout_is_failure: bool,
    /// Planted defect `breaker-probe-forgotten`.
    pub forgets_probe: bool,
    /// Planted defect `call-outlives-its-connection`.
    pub waits_forever: bool,
    /// Planted defect `client-cache-survives-reconnect`.
    pub keeps_after_loss: bool,
}

impl Config {
    /// Reads the settings of a seat whose target has `targets` nodes.
    #[must_use]
    pub fn of(seat: &Seat<'_>, settings: &ClientSettings, targets: u32) -> Self {
        let defects = Defects::from_names(seat.defects);
        let name = hash_bytes(seat.name.as_bytes());
        Self {
            timeout: settings.timeout,
            try_timeout: settings.try_timeout,
            health_timeout: settings.health_timeout,
            backoff: Backoff {
                base: settings.retry_base,
                max: settings.retry_max,
                jitter: settings.jitter && !defects.no_jitter,
            },
            attempts_max: settings.attempts_max,
            home: home(seat.index, settings.pinned.ppm(), targets),
            stays: settings.sticky,
            token: settings.token_secret.as_ref().map(|secret| token(secret.as_bytes(), name)),
            breaker: settings.breaker.then_some(CircuitBreakerConfig {
                window: settings.breaker_window,
                threshold_ppm: settings.breaker_threshold.ppm(),
                open_for: settings.breaker_open,
            }),
            caches: settings.enable_client_caching,
            timeout_is_failure: defects.timeout_is_failure,
            forgets_probe: defects.probe_forgotten,
            waits_forever: defects.waits_forever,
            keeps_after_loss: defects.client_cache_survives,
        }
    }
}

impl CertificateSettings {
    /// The identity of a seat whose settings name an authority; its subject is the name of the
    /// seat.
    #[must_use]
    pub fn identity(&self, seat: &Seat<'_>) -> Option<Identity> {
        let authority = Authority::named(self.authority.as_ref()?);
        let renewal = Renewal { lifetime: self.lifetime, renews: self.renewal };
        Some(Identity::new(authority, renewal, hash_bytes(seat.name.as_bytes()), seat.boot))
    }
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
