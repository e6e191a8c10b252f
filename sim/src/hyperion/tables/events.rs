//! What nodes of Hyperion mark.

use crate::protocol::raft;
use catalog::{Base, EventKind};

catalog::events! {
    /// What a node of Hyperion marks, beside what its Raft does.
    pub enum Event;
    /// The rows of [`Event`].
    const OWN_EVENTS;
    Hit = "cache.hit", "bytes", ["key", "deep_clones", "handle_clones"],
        "a read found its key; the value is the size of what it found";
    Miss = "cache.miss", "", ["key"],
        "a read found nothing";
    WriteAcked = "cache.write_acked", "value id", ["key", "term", "index"],
        "a node acknowledged a write that took effect; a delete has the value id 0";
    Expired = "cache.expired", "ns", ["key", "version"],
        "an expired entry left; the value is how long after its end";
    EvictionProposed = "cache.eviction_proposed", "", ["key", "version"],
        "a leader chose an entry to leave, to make room for a write";
    Evicted = "cache.evicted", "", ["key", "version", "reason"],
        "an entry left to make room (reason 1), or because an operator asked for it (2)";
    DamagedValue = "cache.damaged_value", "", ["key", "version"],
        "a stored value is not what was written, and was not served";
    BadRequest = "cache.bad_request", "bytes", [],
        "a connection carried something else than requests and was closed";
    ChangeRefused = "cache.change_refused", "", ["term", "is_leader"],
        "a change of membership was asked for and not made: the node does not lead, or there is \
         no way to what was asked for";
    TooManyConnections = "cache.too_many_connections", "", ["connection"],
        "a client opened more connections than it may, and the last was closed";
    RateLimited = "cache.rate_limited", "ns", ["kind"],
        "a request was refused, because its client asks too often; the value is when it may again";
    AuthChecked = "auth.checked", "", ["granted"],
        "the auth service answered about a token";
    GatewayForwarded = "gateway.forwarded", "", ["granted"],
        "a request went on to the cache; granted is 1 unless nobody said yes";
    GatewayDenied = "gateway.denied", "", ["unanswered"],
        "a request did not go on to the cache; unanswered is 1 where nobody said no either";
    PoolCreated = "pool.created", "ns", [],
        "the pool of connections to the database is ready; the value is how long it took";
    PoolRefused = "pool.refused", "", ["key"],
        "a query was refused, because too many wait; the value is how many";
    PoolTimeout = "pool.timeout", "ns", ["key"],
        "a query was given up; the value is how long it waited";
    DbConnected = "db.connected", "", [],
        "the database admitted a connection; the value is how many are open";
    DbRefused = "db.refused", "", [],
        "the database refused a connection; the value is how many are open";
    DbQuery = "db.query", "bytes", ["key"],
        "the database answered a query; the value is the length of the row";
    DbWasted = "db.wasted", "", [],
        "the database worked for a connection that was gone";
    ClientRetry = "client.retry", "ns", ["tries", "node"],
        "a try failed; the value is the wait before the next";
    ClientResend = "client.resend", "", ["tries", "node"],
        "an operation is tried again; the label is how often it was tried before";
    ClientRedirect = "client.redirect", "", ["from", "to"],
        "a client followed the hint of a node that does not lead";
    ClientTimeout = "client.timeout", "", ["tries", "node"],
        "the time of an operation was over";
    ClientRejected = "client.rejected", "", ["node"],
        "an operation failed without being tried, because the breaker is open";
    ClientBreakerOpened = "client.breaker_opened", "", [],
        "half of the last tries failed: nothing is tried";
    ClientBreakerClosed = "client.breaker_closed", "", [],
        "a try went well, and everything is tried again";
    ClientBadAnswer = "client.bad_answer", "", ["node"],
        "a connection carried something else than answers and was closed";
    ClientUnsupported = "client.unsupported", "", [],
        "a client was asked for an operation that Hyperion does not have";
    ClientCacheHit = "client.cache_hit", "", ["key"],
        "a read that may be stale was answered from what the client keeps";
    ClientInvalidated = "client.invalidated", "", ["key", "version"],
        "a client was told that what it keeps is over";
    TooLate = "cache.too_late", "ns", [],
        "a read was not carried out, because its client waits no more; the value is how long it \
         lay";
    GatewayMirrored = "gateway.mirrored", "", [],
        "a request was repeated at the second cluster";
    GatewayMirrorAnswered = "gateway.mirror_answered", "", ["served"],
        "the second cluster answered; served is 0 where it refused";
    GatewayMirrorFull = "gateway.mirror_full", "", [],
        "a request was not repeated, because the second cluster has too many to answer";
    ClientUnhealthy = "client.unhealthy", "ns", ["node"],
        "a health check was not answered in time, or not with a yes; the value is how long it took";
    TlsAccepted = "tls.accepted", "ns", ["opener"],
        "a connection was accepted for the certificate that its opener showed; the value is how \
         long that still holds, 0 where it is over";
    TlsRefused = "tls.refused", "", ["reason", "opener"],
        "a connection was refused: no certificate (reason 1), not one (2), of another authority \
         (3), forged (4), somebody else's (5), not valid yet (6), expired (7)";
    PoolDropped = "pool.dropped", "", ["key"],
        "a query was not made, because whoever wanted it hung up while it waited for a connection";
}

/// All events.
pub const EVENTS: &[EventKind] = catalog::joined!(EventKind, name: raft::EVENTS, OWN_EVENTS);

/// Where Raft's rows begin in [`EVENTS`].
pub const RAFT: Base = Base::of(EVENTS, raft::EVENTS);

impl Event {
    /// The row of [`EVENTS`].
    #[must_use]
    pub const fn row(self) -> u16 {
        const OWN: Base = Base::of(EVENTS, OWN_EVENTS);
        self.above(OWN)
    }
}
