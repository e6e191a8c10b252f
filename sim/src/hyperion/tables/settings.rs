//! The settings of the roles, with the names that the modelled codebase has for them.

use super::super::server::{FSYNC_WORDS, PROFILE_WORDS, Reads, Tls};
use catalog::{Kind, Setting};
use contract::Duration;

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
        "How many nodes of the group vote at its birth, from the first on \
         (HYPERION_REPLICATION_FACTOR); 0 for as many as the profile says, which is all by default. \
         The others are spare until a fault of the kind `membership` takes them in.",
    ),
    setting(
        "profile",
        Kind::Choice(PROFILE_WORDS),
        r#""default""#,
        "The environment whose variables hold where a setting is not given. \
         HYPERION_CACHE_SIZE_MB: default 4096, prod 8192, staging 1024, dev 256; \
         HYPERION_REPLICATION_FACTOR: prod 3, staging and dev 1, by default all nodes of the group. \
         A group that is smaller than that does not boot.",
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
        "tls",
        Kind::Choice(Tls::WORDS),
        r#""off""#,
        "Whether who connects must show a certificate: off asks for none, unverified wants one and \
         believes it, mtls wants one that certificate_authority has signed, and that holds.",
    ),
    setting(
        "certificate_authority",
        Kind::Text,
        r#""hyperion""#,
        "The authority whose certificates are accepted (secret/hyperion/…/tls-cert).",
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
        "enable_batching",
        Kind::Bool,
        "false",
        "Whether writes of up to 1 KiB wait up to 1 ms for each other and are proposed together (the \
         feature flag of this name): fewer syncs and messages under load, a little latency without. \
         Off unless asked for, so that scenarios see each write alone.",
    ),
    setting(
        "enable_client_caching",
        Kind::Bool,
        "true",
        "Whether a client that asks for it may keep what it reads, and is told when that is over \
         (the feature flag of this name).",
    ),
    setting(
        "client_cache_ttl",
        Kind::DURATION,
        r#""1s""#,
        "The longest hint how long a client may keep what it read. It bounds how stale a client can \
         be that hears nothing.",
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
pub const READ_THROUGH_SETTINGS: &[Setting] =
    catalog::joined!(Setting, name: CACHE_SETTINGS, &LOAD_SETTINGS);

/// The settings of the role `gateway`.
pub const GATEWAY_SETTINGS: &[Setting] = &[
    setting(
        "auth",
        Kind::Choice(&["token", "mtls"]),
        r#""token""#,
        "How clients prove who they are: a token, which the auth service is asked about for every \
         request, or the certificate of the connection, signed by certificate_authority, which \
         costs no hop.",
    ),
    setting(
        "certificate_authority",
        Kind::Text,
        "",
        "The authority whose certificates the gateway accepts of clients with auth = mtls, and from \
         which it has the one that it shows cache nodes. Without it the gateway shows none.",
    ),
    setting(
        "certificate_lifetime",
        Kind::Duration { min: Duration::from_millis(1), max: Duration::from_secs(31_536_000) },
        r#""24h""#,
        "How long a certificate holds from when it is issued. Shorter limits what a stolen one is \
         good for, and leaves less time to notice that renewal does not work.",
    ),
    setting(
        "certificate_renewal",
        Kind::Bool,
        "true",
        "Whether a new certificate is fetched once two thirds of the life of the last are over. \
         Without it the one that was fetched at boot is shown for ever.",
    ),
    setting("service", Kind::Dist, r#""0ns""#, "Processor time of one request."),
    setting(
        "timeout",
        Kind::Duration { min: Duration::from_millis(1), max: Duration::from_secs(600) },
        r#""1s""#,
        "How long a request may take behind the gateway. What was not granted by then is denied.",
    ),
];

/// The settings that `mirroring-gateway` has beside those of `gateway`.
const MIRROR_SETTINGS: [Setting; 1] = [setting(
    "shadow_traffic_percent",
    Kind::Ratio,
    r#""5%""#,
    "The share of the requests that is repeated at the second cluster (the feature flag of this \
     name). Its answers reach nobody.",
)];

/// The settings of the role `mirroring-gateway`.
pub const MIRRORING_GATEWAY_SETTINGS: &[Setting] =
    catalog::joined!(Setting, name: GATEWAY_SETTINGS, &MIRROR_SETTINGS);

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
        "health_timeout",
        Kind::Duration { min: Duration::from_millis(1), max: Duration::from_secs(600) },
        r#""500ms""#,
        "How long a health check may take (HEALTH_CHECK_TIMEOUT_MS). What is not answered by then \
         counts as a no, and is not asked elsewhere: the check is about that one node.",
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
        "certificate_authority",
        Kind::Text,
        "",
        "The authority from which the client has the certificate that it shows when it connects. \
         Without it the client shows none.",
    ),
    setting(
        "certificate_lifetime",
        Kind::Duration { min: Duration::from_millis(1), max: Duration::from_secs(31_536_000) },
        r#""24h""#,
        "How long a certificate holds from when it is issued. Shorter limits what a stolen one is \
         good for, and leaves less time to notice that renewal does not work.",
    ),
    setting(
        "certificate_renewal",
        Kind::Bool,
        "true",
        "Whether a new certificate is fetched once two thirds of the life of the last are over. \
         Without it the one that was fetched at boot is shown for ever.",
    ),
    setting(
        "sticky",
        Kind::Bool,
        "false",
        "Whether a try that timed out is repeated at the leader, where one is known, and not at the \
         next node.",
    ),
    setting(
        "enable_client_caching",
        Kind::Bool,
        "true",
        "Whether the client keeps what it reads where that may be stale, for as long as it is told \
         (the feature flag of this name). Reads at other levels always ask.",
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
