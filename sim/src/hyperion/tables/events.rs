//! What nodes of Hyperion mark: Raft's rows first, then its own.

use super::joined;
use crate::protocol::raft;
use catalog::EventKind;

/// The rows of [`EVENTS`] behind Raft's, as the numbers that marks carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum Event {
    /// `cache.hit`
    Hit,
    /// `cache.miss`
    Miss,
    /// `cache.write_acked`
    WriteAcked,
    /// `cache.expired`
    Expired,
    /// `cache.eviction_proposed`
    EvictionProposed,
    /// `cache.evicted`
    Evicted,
    /// `cache.damaged_value`
    DamagedValue,
    /// `cache.bad_request`
    BadRequest,
    /// `cache.change_refused`
    ChangeRefused,
    /// `cache.too_many_connections`
    TooManyConnections,
    /// `cache.rate_limited`
    RateLimited,
    /// `auth.checked`
    AuthChecked,
    /// `gateway.forwarded`
    GatewayForwarded,
    /// `gateway.denied`
    GatewayDenied,
    /// `pool.created`
    PoolCreated,
    /// `pool.refused`
    PoolRefused,
    /// `pool.timeout`
    PoolTimeout,
    /// `db.connected`
    DbConnected,
    /// `db.refused`
    DbRefused,
    /// `db.query`
    DbQuery,
    /// `db.wasted`
    DbWasted,
    /// `client.retry`
    ClientRetry,
    /// `client.resend`
    ClientResend,
    /// `client.redirect`
    ClientRedirect,
    /// `client.timeout`
    ClientTimeout,
    /// `client.rejected`
    ClientRejected,
    /// `client.breaker_opened`
    ClientBreakerOpened,
    /// `client.breaker_closed`
    ClientBreakerClosed,
    /// `client.bad_answer`
    ClientBadAnswer,
    /// `client.unsupported`
    ClientUnsupported,
    /// `client.cache_hit`
    ClientCacheHit,
    /// `client.invalidated`
    ClientInvalidated,
    /// `cache.too_late`
    TooLate,
    /// `gateway.mirrored`
    GatewayMirrored,
    /// `gateway.mirror_answered`
    GatewayMirrorAnswered,
    /// `gateway.mirror_full`
    GatewayMirrorFull,
    /// `client.unhealthy`
    ClientUnhealthy,
    /// `tls.accepted`
    TlsAccepted,
    /// `tls.refused`
    TlsRefused,
}

impl Event {
    /// The row of [`EVENTS`].
    #[must_use]
    pub const fn row(self) -> u16 {
        raft::EVENTS.len() as u16 + self as u16
    }
}

const fn event(
    name: &'static str,
    unit: &'static str,
    labels: &'static [&'static str],
    about: &'static str,
) -> EventKind {
    EventKind { name, unit, labels, about }
}

/// The events of Hyperion alone, in the order of [`Event`].
const OWN_EVENTS: [EventKind; 39] = [
    event(
        "cache.hit",
        "bytes",
        &["key", "deep_clones", "handle_clones"],
        "a read found its key; the value is the size of what it found",
    ),
    event("cache.miss", "", &["key"], "a read found nothing"),
    event(
        "cache.write_acked",
        "value id",
        &["key", "term", "index"],
        "a node acknowledged a write that took effect; a delete has the value id 0",
    ),
    event(
        "cache.expired",
        "ns",
        &["key", "version"],
        "an expired entry left; the value is how long after its end",
    ),
    event(
        "cache.eviction_proposed",
        "",
        &["key", "version"],
        "a leader chose an entry to leave, to make room for a write",
    ),
    event(
        "cache.evicted",
        "",
        &["key", "version", "reason"],
        "an entry left to make room (reason 1), or because an operator asked for it (2)",
    ),
    event(
        "cache.damaged_value",
        "",
        &["key", "version"],
        "a stored value is not what was written, and was not served",
    ),
    event(
        "cache.bad_request",
        "bytes",
        &[],
        "a connection carried something else than requests and was closed",
    ),
    event(
        "cache.change_refused",
        "",
        &["term", "is_leader"],
        "a change of membership was asked for and not made: the node does not lead, or there is no \
         way to what was asked for",
    ),
    event(
        "cache.too_many_connections",
        "",
        &["connection"],
        "a client opened more connections than it may, and the last was closed",
    ),
    event(
        "cache.rate_limited",
        "ns",
        &["kind"],
        "a request was refused, because its client asks too often; the value is when it may again",
    ),
    event("auth.checked", "", &["granted"], "the auth service answered about a token"),
    event(
        "gateway.forwarded",
        "",
        &["granted"],
        "a request went on to the cache; granted is 1 unless nobody said yes",
    ),
    event(
        "gateway.denied",
        "",
        &["unanswered"],
        "a request did not go on to the cache; unanswered is 1 where nobody said no either",
    ),
    event(
        "pool.created",
        "ns",
        &[],
        "the pool of connections to the database is ready; the value is how long it took",
    ),
    event(
        "pool.refused",
        "",
        &["key"],
        "a query was refused, because too many wait; the value is how many",
    ),
    event("pool.timeout", "ns", &["key"], "a query was given up; the value is how long it waited"),
    event(
        "db.connected",
        "",
        &[],
        "the database admitted a connection; the value is how many are open",
    ),
    event(
        "db.refused",
        "",
        &[],
        "the database refused a connection; the value is how many are open",
    ),
    event(
        "db.query",
        "bytes",
        &["key"],
        "the database answered a query; the value is the length of the row",
    ),
    event("db.wasted", "", &[], "the database worked for a connection that was gone"),
    event(
        "client.retry",
        "ns",
        &["tries", "node"],
        "a try failed; the value is the wait before the next",
    ),
    event(
        "client.resend",
        "",
        &["tries", "node"],
        "an operation is tried again; the label is how often it was tried before",
    ),
    event(
        "client.redirect",
        "",
        &["from", "to"],
        "a client followed the hint of a node that does not lead",
    ),
    event("client.timeout", "", &["tries", "node"], "the time of an operation was over"),
    event(
        "client.rejected",
        "",
        &["node"],
        "an operation failed without being tried, because the breaker is open",
    ),
    event("client.breaker_opened", "", &[], "half of the last tries failed: nothing is tried"),
    event("client.breaker_closed", "", &[], "a try went well, and everything is tried again"),
    event(
        "client.bad_answer",
        "",
        &["node"],
        "a connection carried something else than answers and was closed",
    ),
    event(
        "client.unsupported",
        "",
        &[],
        "a client was asked for an operation that Hyperion does not have",
    ),
    event(
        "client.cache_hit",
        "",
        &["key"],
        "a read that may be stale was answered from what the client keeps",
    ),
    event(
        "client.invalidated",
        "",
        &["key", "version"],
        "a client was told that what it keeps is over",
    ),
    event(
        "cache.too_late",
        "ns",
        &[],
        "a read was not carried out, because its client waits no more; the value is how long it lay",
    ),
    event("gateway.mirrored", "", &[], "a request was repeated at the second cluster"),
    event(
        "gateway.mirror_answered",
        "",
        &["served"],
        "the second cluster answered; served is 0 where it refused",
    ),
    event(
        "gateway.mirror_full",
        "",
        &[],
        "a request was not repeated, because the second cluster has too many to answer",
    ),
    event(
        "client.unhealthy",
        "ns",
        &["node"],
        "a health check was not answered in time, or not with a yes; the value is how long it took",
    ),
    event(
        "tls.accepted",
        "ns",
        &["opener"],
        "a connection was accepted for the certificate that its opener showed; the value is how \
         long that still holds, 0 where it is over",
    ),
    event(
        "tls.refused",
        "",
        &["reason", "opener"],
        "a connection was refused: no certificate (reason 1), not one (2), of another authority \
         (3), forged (4), somebody else's (5), not valid yet (6), expired (7)",
    ),
];

/// All events.
pub const EVENTS: &[EventKind] = &joined::<_, { raft::EVENTS.len() + OWN_EVENTS.len() }>(
    raft::EVENTS,
    &OWN_EVENTS,
    OWN_EVENTS[0],
);
