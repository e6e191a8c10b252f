//! What the lab can see of Hyperion by name: Raft's rows first, then its own.

use crate::protocol::raft;
use contract::{Defect, Duration, EventKind, GaugeKind, Kind, PredicateKind, Setting};

use super::server::{FSYNC_WORDS, PROFILES, Reads};

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
const OWN_EVENTS: [EventKind; 30] = [
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
];

/// All events.
pub const EVENTS: &[EventKind] = &joined::<_, { raft::EVENTS.len() + OWN_EVENTS.len() }>(
    raft::EVENTS,
    &OWN_EVENTS,
    OWN_EVENTS[0],
);

const fn gauge(name: &'static str, unit: &'static str, about: &'static str) -> GaugeKind {
    GaugeKind { name, unit, about }
}

/// The gauges of Hyperion alone, in the order in which `system` reads them.
pub const OWN_GAUGES: [GaugeKind; 17] = [
    gauge("cache.entries", "", "entries held, expired ones among them"),
    gauge("cache.size_bytes", "bytes", "what those entries count for"),
    gauge("cache.sessions", "", "clients whose last answer is kept"),
    gauge("cache.connections", "", "connections of clients"),
    gauge("cache.writes_pending", "", "writes proposed and not answered"),
    gauge(
        "cache.reads_pending",
        "",
        "reads that wait for confirmation or for entries to be applied",
    ),
    gauge(
        "cache.memory_bytes",
        "bytes",
        "logical memory: store, log, buffers, and what a flaw leaks",
    ),
    gauge(
        "value.handles",
        "",
        "the most live handles on one value; 1 when every borrowed one was given back",
    ),
    gauge(
        "cache.cloned_bytes",
        "bytes",
        "what copies count for that gets made and never gave back: `CacheEntry::clone` in a heap \
         profile",
    ),
    gauge("cache.endings", "", "entries that end at some time, by the list of endings"),
    gauge(
        "cache.hit_ratio",
        "ppm",
        "the share of hits among the last one to two thousand lookups of the node",
    ),
    gauge("pool.in_use", "", "connections to the database that carry a query"),
    gauge("pool.waiting", "", "queries that wait for a connection"),
    gauge("db.connections", "", "open connections at the database"),
    gauge("db.connections_peak", "", "the most connections that were open at the database"),
    gauge("db.queries", "", "queries that the database answered"),
    gauge("gateway.pending", "", "requests under way behind the gateway"),
];

/// All gauges.
pub const GAUGES: &[GaugeKind] = &joined::<_, { raft::GAUGES.len() + OWN_GAUGES.len() }>(
    raft::GAUGES,
    &OWN_GAUGES,
    OWN_GAUGES[0],
);

/// All predicates.
pub const PREDICATES: &[PredicateKind] = raft::PREDICATES;

const fn defect(
    name: &'static str,
    about: &'static str,
    source: &'static str,
    caught_by: &'static str,
) -> Defect {
    Defect { name, about, source, caught_by }
}

/// The flaws of Hyperion alone.
const OWN_DEFECTS: [Defect; 18] = [
    defect(
        "local-leader-read",
        "a node that believes it leads serves reads without confirming it",
        "etcd-io/etcd#741; raft-thesis §6.4",
        "linearizable",
    ),
    defect(
        "read-before-apply",
        "a confirmed read is served before the entries up to its index are applied",
        "raft-thesis §6.4 step 4",
        "linearizable",
    ),
    defect(
        "retry-non-idempotent",
        "a command that is in the log twice takes effect twice: sessions are ignored",
        "cockroachdb#10023; raft-thesis §6.3",
        "hyperion.writes_apply_once",
    ),
    defect(
        "sessions-missing-from-snapshot",
        "snapshots carry the entries and not the sessions, so a retried write takes effect twice",
        "redisraft RR-185; raft-thesis §6.3",
        "hyperion.replicas_equal",
    ),
    defect(
        "timeout-treated-as-failure",
        "a client reports a write that timed out as certainly not done",
        "RedisLabs/redisraft#25; raft-thesis §6.3",
        "linearizable",
    ),
    defect(
        "definite-error-on-leadership-loss",
        "a deposed leader tells its clients that what it proposed is lost",
        "openraft 43dd8b6f",
        "linearizable",
    ),
    defect(
        "weight-accounting-drift",
        "an overwrite adds the size of the new value and keeps that of the old",
        "etcd-io/raft a370b6f",
        "hyperion.size_accounting",
    ),
    defect(
        "ttl-on-wall-clock",
        "entries are stamped and judged by the wall clock of whichever node looks at them",
        "redis#416; valkey#2651",
        "linearizable",
    ),
    defect(
        "ttl-on-monotonic-clock",
        "entries carry the time of the leader that wrote them, and are judged by the monotonic \
         clock of whichever node looks at them",
        "Hyperion `is_expired(now_mono)`; etcd#9888",
        "linearizable",
    ),
    defect(
        "lru-order-not-updated-on-hit",
        "a hit does not make an entry younger: eviction is first in, first out",
        "mutant of the reference model of the store",
        "hyperion.evicts_in_order",
    ),
    defect(
        "expiry-queue-leak",
        "what leaves the store stays in the list of endings",
        "moka#64, moka#329",
        "hyperion.size_accounting",
    ),
    defect(
        "auth-fails-open",
        "a gateway whose auth service does not answer lets everyone through",
        "Hyperion: auth fails closed",
        "hyperion.auth_fails_closed",
    ),
    defect(
        "stale-set-lookaside",
        "a value that was loaded from the database overwrites what was written meanwhile",
        "nsdi-2013 §3.2.1",
        "linearizable",
    ),
    defect(
        "stampede-on-expiry",
        "each miss of a key asks the database, also while a query for it is under way",
        "nsdi-2013 §3.2.1",
        "count",
    ),
    defect(
        "pool-permit-leak-on-cancel",
        "a connection whose query was given up is never used again",
        "sqlx#83",
        "final",
    ),
    defect(
        "no-jitter-synchronised-retry",
        "waits before retries have no random part",
        "Hyperion PR 812; Google Cloud incident of 2025-06-12",
        "rate",
    ),
    defect(
        "get-clones-value",
        "a hit copies the whole value instead of borrowing it",
        "the clone leak of 2024-11-22, PR 847",
        "op-cost",
    ),
    defect(
        "get-forgets-handle",
        "what a hit borrowed is never given back",
        "the clone leak of 2024-11-22, PR 847",
        "slope",
    ),
];

/// All flaws.
pub const DEFECTS: &[Defect] = &joined::<_, { raft::DEFECTS.len() + OWN_DEFECTS.len() }>(
    raft::DEFECTS,
    &OWN_DEFECTS,
    OWN_DEFECTS[0],
);

const fn setting(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    about: &'static str,
) -> Setting {
    Setting { name, kind, about, default }
}

const fn count(min: i64, max: i64) -> Kind {
    Kind::Int { min, max }
}

/// The settings of the roles `cache` and `read-through`.
pub const CACHE_SETTINGS: &[Setting] = &[
    setting(
        "heartbeat",
        Kind::Duration { min: Duration::from_millis(1), max: Duration::from_secs(60) },
        r#""150ms""#,
        "How often a leader sends heartbeats (HYPERION_RAFT_HEARTBEAT_MS). Shorter finds losses \
         sooner and costs messages.",
    ),
    setting(
        "election",
        Kind::Range,
        r#"{ min = "1500ms", max = "3000ms" }"#,
        "How long a follower waits for a leader, drawn anew at every reset \
         (HYPERION_RAFT_ELECTION_TIMEOUT_MS is the minimum). Ten heartbeats at least keep a slow \
         network from deposing leaders; longer means a longer outage after a crash.",
    ),
    setting(
        "election_fixed",
        Kind::List(&Kind::DURATION),
        "",
        "One fixed wait per node instead, by index; for experiments that need to know who is first.",
    ),
    setting(
        "contact",
        Kind::Choice(&["any", "heartbeat"]),
        r#""any""#,
        "What counts as hearing the leader: anything from it, or heartbeats alone, as in code that \
         keeps a `last_heartbeat`. With heartbeats alone a loaded follower waits no longer than an \
         idle one.",
    ),
    setting(
        "pre_vote",
        Kind::Bool,
        "true",
        "Whether a node asks before it raises its term, so that one that was cut off deposes nobody.",
    ),
    setting(
        "check_quorum",
        Kind::Bool,
        "true",
        "Whether a leader steps down when it has not heard a quorum for the shortest election wait.",
    ),
    setting(
        "reads",
        Kind::Choice(Reads::WORDS),
        r#""read-index""#,
        "How linearizable reads are served: read-index costs a round of heartbeats and trusts no \
         clock, leader-lease costs nothing while clocks keep their bound, local may be stale at \
         any node and says so.",
    ),
    setting(
        "lease",
        Kind::DURATION,
        r#""1000ms""#,
        "How long after sending a heartbeat round that a quorum answered a leader may serve alone \
         (RAFT_LEASE_MS). Longer bridges longer pauses, and must stay below the shortest election \
         wait by more than clocks may drift.",
    ),
    setting(
        "tick",
        Kind::Duration { min: Duration::ZERO, max: Duration::from_secs(1) },
        r#""50ms""#,
        "Deadlines are rounded up to this, at a phase drawn at boot; 0ms is exact.",
    ),
    setting(
        "fsync",
        Kind::Choice(FSYNC_WORDS),
        r#""always""#,
        "When appended entries become durable: always waits for the disk before it acknowledges, \
         everysec may lose one second of acknowledged writes when the power fails, never leaves it \
         to the operating system. Term and vote are always synced.",
    ),
    setting(
        "entries_per_append_max",
        count(1, 4096),
        "64",
        "The most entries in one append. 1 shows what batches hide.",
    ),
    setting(
        "append_bytes_max",
        Kind::Bytes,
        r#""256KiB""#,
        "The most bytes of entries in one append; a larger single entry goes alone.",
    ),
    setting(
        "inflight_max",
        count(1, 1024),
        "16",
        "The most appends to one follower that wait for an answer. More hides latency and buffers \
         more.",
    ),
    setting(
        "apply_batch_max",
        count(1, 65_536),
        "64",
        "The most committed entries that are applied at once, so that a long backlog does not \
         starve requests.",
    ),
    setting(
        "apply_pause",
        Kind::DURATION,
        r#""100us""#,
        "The wait between two full batches of entries to apply.",
    ),
    setting(
        "snapshot_after",
        count(0, u32::MAX as i64),
        "10000",
        "After how many applied entries a node takes a snapshot and cuts its log; 0 for never. \
         Fewer keeps memory and boots small and writes the whole state more often.",
    ),
    setting(
        "snapshot_tail",
        count(0, u32::MAX as i64),
        "1000",
        "How many entries before a snapshot stay in the log, so that a follower that is a little \
         behind needs no snapshot.",
    ),
    setting(
        "snapshot_chunk",
        Kind::Bytes,
        r#""256KiB""#,
        "The most bytes of a snapshot in one frame; one frame is on its way at a time.",
    ),
    setting(
        "voters",
        count(0, 32),
        "0",
        "How many nodes of the group vote at its birth, from the first on; 0 for all. The others \
         are spare until a fault of the kind `membership` takes them in.",
    ),
    setting(
        "profile",
        Kind::Choice(PROFILES),
        r#""default""#,
        "The environment whose cache size holds where none is given: default 4096 MB, prod 8192, \
         staging 1024, dev 256. Prod runs three nodes (HYPERION_REPLICATION_FACTOR), the others one.",
    ),
    setting(
        "cache_size",
        Kind::Bytes,
        "",
        "The most that all entries together may count for (HYPERION_CACHE_SIZE_MB); that of the \
         profile where it is not given. What does not fit any more is evicted.",
    ),
    setting(
        "value_size_max",
        Kind::Bytes,
        r#""512KiB""#,
        "The largest value that is taken (max_value_size_kb), against floods of large values. At \
         most 512KiB.",
    ),
    setting(
        "enable_compression",
        Kind::Bool,
        "true",
        "Whether values over 1 KiB are kept as LZ4 blocks (the feature flag of this name). Costs \
         processor time, saves memory.",
    ),
    setting(
        "new_eviction_algorithm",
        Kind::Bool,
        "false",
        "Whether eviction goes by LRU-2 instead of LRU (the feature flag of this name): what was \
         used once goes before what was used twice, so that scans do no harm.",
    ),
    setting(
        "eviction_batch",
        count(1, 10_000),
        "1000",
        "How many entries leave at once when the store is full, and expire in one command \
         (HYPERION_EVICTION_BATCH_SIZE); at most half of the store. Larger means fewer log entries \
         and a lower hit rate.",
    ),
    setting(
        "hmac_key",
        Kind::Text,
        r#""hyperion""#,
        "The secret of the tags on values (secret/hyperion/…/hmac-key).",
    ),
    setting(
        "connections_per_client_max",
        count(1, 10_000),
        "10",
        "The most connections of one client, so that none takes the share of others.",
    ),
    setting(
        "rate_limits",
        Kind::Bool,
        "true",
        "Whether a client that asks more often than the four limits below is refused with \
         RESOURCE_EXHAUSTED and the time to wait. Off behind a gateway, which looks like one client.",
    ),
    setting("get_rate_max", count(0, i64::MAX), "10_000", "Gets per second and client."),
    setting("set_rate_max", count(0, i64::MAX), "1_000", "Writes per second and client."),
    setting("batch_get_rate_max", count(0, i64::MAX), "100", "Batch-gets per second and client."),
    setting("admin_rate_max", count(0, i64::MAX), "10", "Admin verbs per second and client."),
    setting(
        "memory_scale",
        count(1, 1 << 20),
        "1",
        "What one byte that is held counts for in limits, gauges and reports; `[memory.G] scale` \
         sets it. Large memories without large runs.",
    ),
    setting(
        "service_get",
        Kind::Dist,
        r#""0ns""#,
        "Processor time of reading one key. 0 keeps runs fast; a cost makes queues real.",
    ),
    setting(
        "service_put",
        Kind::Dist,
        r#""0ns""#,
        "Processor time of taking one write. 0 keeps runs fast; a cost makes queues real.",
    ),
    setting(
        "service_miss",
        Kind::Dist,
        "",
        "Processor time of a get that finds nothing; service_get where it is not given.",
    ),
    setting(
        "service_batch_get",
        Kind::Dist,
        "",
        "Processor time of a whole batch-get; service_get for each key where it is not given.",
    ),
    setting(
        "service_delete",
        Kind::Dist,
        "",
        "Processor time of taking one delete; service_put where it is not given.",
    ),
];

/// The settings that `read-through` has beside those of `cache`.
const LOAD_SETTINGS: [Setting; 8] = [
    setting(
        "pool_max",
        count(1, 10_000),
        "20",
        "The most connections of one node to the database. More load it harder when it is slow.",
    ),
    setting(
        "pool_eager",
        Kind::Bool,
        "true",
        "Whether the pool is created at boot, and nobody is served before; else the first query \
         creates it, and waits.",
    ),
    setting(
        "pool_create",
        Kind::DURATION,
        r#""500ms""#,
        "How long the creation of the pool takes.",
    ),
    setting(
        "query_timeout",
        Kind::Duration { min: Duration::from_millis(1), max: Duration::from_secs(600) },
        r#""5000ms""#,
        "How long a query may take, its wait for a connection included (DB_QUERY_TIMEOUT_MS).",
    ),
    setting(
        "pool_waiting_max",
        count(0, 1_000_000),
        "1000",
        "The most queries that wait for a connection; further ones are refused.",
    ),
    setting(
        "coalesce",
        Kind::Bool,
        "true",
        "Whether concurrent misses of one key share one query.",
    ),
    setting(
        "fill_ttl",
        Kind::Duration { min: Duration::from_millis(1), max: Duration::from_millis(604_800_000) },
        r#""600s""#,
        "How long a value that was loaded is kept.",
    ),
    setting(
        "ttl_stagger",
        Kind::Ratio,
        r#""10%""#,
        "Up to this share of the time to live is added at random to each loaded value, so that what \
         was loaded together does not expire together.",
    ),
];

/// The settings of the role `read-through`.
pub const READ_THROUGH_SETTINGS: &[Setting] = &joined::<
    _,
    { CACHE_SETTINGS.len() + LOAD_SETTINGS.len() },
>(CACHE_SETTINGS, &LOAD_SETTINGS, LOAD_SETTINGS[0]);

/// The settings of the role `gateway`.
pub const GATEWAY_SETTINGS: &[Setting] = &[
    setting(
        "auth",
        Kind::Choice(&["token", "mtls"]),
        r#""token""#,
        "How clients prove who they are: a token, which the auth service is asked about for every \
         request, or the certificate of the connection, which costs no hop.",
    ),
    setting("service", Kind::Dist, r#""0ns""#, "Processor time of one request."),
    setting(
        "timeout",
        Kind::Duration { min: Duration::from_millis(1), max: Duration::from_secs(600) },
        r#""1s""#,
        "How long a request may take behind the gateway. What was not granted by then is denied.",
    ),
];

/// The settings of the role `auth`.
pub const AUTH_SETTINGS: &[Setting] = &[
    setting("service", Kind::Dist, r#""0ns""#, "Processor time of checking one token."),
    setting("secret", Kind::Text, r#""hyperion""#, "The secret that tokens are made with."),
];

/// The settings of the role `sql`.
pub const SQL_SETTINGS: &[Setting] = &[
    setting(
        "connections_max",
        count(1, 10_000),
        "100",
        "The most connections; further ones are refused.",
    ),
    setting(
        "query",
        Kind::Dist,
        r#""2ms""#,
        "Processor time of one query. Queries are worked off one after another, so the database \
         serves as many per second as fit.",
    ),
    setting("login", Kind::Dist, r#""0ns""#, "Processor time of admitting one connection."),
    setting("rows", count(0, i64::MAX), "1_000_000", "The keys below this have a row."),
    setting("row_size", Kind::Bytes, r#""64B""#, "The length of a row's value, at least 8 B."),
    setting("errors", Kind::Ratio, r#""0%""#, "The share of queries that fail."),
];

/// The settings of the role `client`.
pub const CLIENT_SETTINGS: &[Setting] = &[
    setting(
        "timeout",
        Kind::DURATION,
        r#""1s""#,
        "How long an operation may take, its retries among it. Shorter than an election means that \
         operations fail while one runs.",
    ),
    setting(
        "try_timeout",
        Kind::DURATION,
        r#""100ms""#,
        "How long one try may take before the next node is asked (DEFAULT_TIMEOUT_MS).",
    ),
    setting(
        "retry_base",
        Kind::DURATION,
        r#""10ms""#,
        "The wait after the first try that failed; doubles with each further one.",
    ),
    setting(
        "retry_max",
        Kind::DURATION,
        r#""1s""#,
        "The longest wait between two tries, without its jitter.",
    ),
    setting(
        "jitter",
        Kind::Bool,
        "true",
        "Whether up to a quarter of each wait is added at random, so that clients that failed \
         together do not come back together.",
    ),
    setting("attempts_max", count(1, 1000), "16", "The most tries of one operation."),
    setting(
        "token_secret",
        Kind::Text,
        "",
        "The secret of the token that the client shows a gateway: that of the auth service, or the \
         token is wrong. Without it the client shows none.",
    ),
    setting(
        "sticky",
        Kind::Bool,
        "false",
        "Whether a try that timed out is repeated at the leader, where one is known, and not at the \
         next node.",
    ),
    setting(
        "breaker",
        Kind::Bool,
        "false",
        "Whether the client stops asking for a while when too many of its tries failed.",
    ),
    setting(
        "breaker_window",
        count(1, 64),
        "10",
        "How many tries the breaker judges by. Fewer react sooner, and to chance.",
    ),
    setting(
        "breaker_threshold",
        Kind::Ratio,
        r#""50%""#,
        "The share of failures at which the breaker opens.",
    ),
    setting(
        "breaker_open",
        Kind::DURATION,
        r#""1s""#,
        "How long the breaker stays open before it lets one try through.",
    ),
    setting(
        "pinned",
        Kind::Ratio,
        r#""50%""#,
        "The share of the clients that start every operation at the node they first reached; the \
         others remember the leader. Both sides of a partition are in use only with some pinned.",
    ),
];

/// `first`, then `second`.
const fn joined<T: Copy, const N: usize>(first: &[T], second: &[T], filler: T) -> [T; N] {
    assert!(first.len() + second.len() == N, "the length is the sum");
    let mut all = [filler; N];
    let mut row = 0;
    while row < N {
        all[row] = if row < first.len() { first[row] } else { second[row - first.len()] };
        row += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_where_marks_point() {
        let check = |event: Event, name| {
            assert_eq!(EVENTS[usize::from(event.row())].name, name);
        };
        check(Event::Hit, "cache.hit");
        check(Event::WriteAcked, "cache.write_acked");
        check(Event::ClientRetry, "client.retry");
        check(Event::ClientUnsupported, "client.unsupported");
        assert_eq!(EVENTS[0].name, raft::EVENTS[0].name);
    }

    #[test]
    fn names_are_unique() {
        let names = EVENTS.iter().map(|row| row.name);
        let names = names.chain(GAUGES.iter().map(|row| row.name));
        let mut names: alloc::vec::Vec<_> =
            names.chain(DEFECTS.iter().map(|row| row.name)).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
