//! The settings of the roles, with the names that the modelled codebase has for them.

use super::super::server::Profile;
use crate::protocol::raft::RaftSettings;
use alloc::string::String;
use catalog::Kind;
use contract::{Dist, Duration, Ratio};

catalog::words! {
    /// How a node serves a linearizable read.
    pub enum Reads {
        /// By a heartbeat round that confirms leadership (raft-thesis §6.4).
        ReadIndex = "read-index",
        /// At once while the lease runs, else by read-index (raft-thesis §6.4.1).
        LeaderLease = "leader-lease",
        /// From whatever the node has, and marked stale: a documented choice, not a defect.
        Local = "local",
    }
}

catalog::words! {
    /// What who connects must show.
    pub enum Tls {
        /// Nothing.
        Off = "off",
        /// Any certificate, which is believed.
        Unverified = "unverified",
        /// A certificate that holds.
        Mtls = "mtls",
    }
}

catalog::words! {
    /// How clients of a gateway prove who they are.
    pub enum GatewayAuth {
        /// By a token, which the auth service is asked about.
        Token = "token",
        /// By the certificate of the connection.
        Mtls = "mtls",
    }
}

catalog::settings! {
    /// The settings of the role `cache`.
    pub struct CacheSettings {
        /// How it takes part in its Raft group.
        raft: use RaftSettings;
        /// How linearizable reads are served: read-index costs a round of heartbeats and trusts no
        /// clock, leader-lease costs nothing while clocks keep their bound, local may be stale at
        /// any node and says so.
        reads: Reads = "read-index";
        /// How many nodes of the group vote at its birth, from the first on
        /// (HYPERION_REPLICATION_FACTOR); 0 for as many as the profile says, which is all by
        /// default. The others are spare until a fault of the kind `membership` takes them in.
        voters: u32 = 0 => Kind::Int { min: 0, max: 32 };
        /// The environment whose variables hold where a setting is not given.
        /// HYPERION_CACHE_SIZE_MB: default 4096, prod 8192, staging 1024, dev 256;
        /// HYPERION_REPLICATION_FACTOR: prod 3, staging and dev 1, by default all nodes of the
        /// group. A group that is smaller than that does not boot.
        profile: Profile = "default";
        /// The most that all entries together may count for (HYPERION_CACHE_SIZE_MB); that of the
        /// profile where it is not given. What does not fit any more is evicted.
        cache_size: Option<u64> => Kind::Bytes;
        /// The largest value that is taken (max_value_size_kb), against floods of large values. At
        /// most 512KiB.
        value_size_max: u64 = "512KiB" => Kind::Bytes;
        /// Whether values over 1 KiB are kept as LZ4 blocks (the feature flag of this name). Costs
        /// processor time, saves memory.
        enable_compression: bool = true;
        /// Whether eviction goes by LRU-2 instead of LRU (the feature flag of this name): what was
        /// used once goes before what was used twice, so that scans do no harm.
        new_eviction_algorithm: bool = false;
        /// How many entries leave at once when the store is full, and expire in one command
        /// (HYPERION_EVICTION_BATCH_SIZE); at most half of the store. Larger means fewer log
        /// entries and a lower hit rate.
        eviction_batch: u64 = 1000 => Kind::Int { min: 1, max: 10_000 };
        /// The secret of the tags on values (secret/hyperion/…/hmac-key).
        hmac_key: String = "hyperion";
        /// The most connections of one client, so that none takes the share of others.
        connections_per_client_max: u64 = 10 => Kind::Int { min: 1, max: 10_000 };
        /// Whether who connects must show a certificate: off asks for none, unverified wants one
        /// and believes it, mtls wants one that certificate_authority has signed, and that holds.
        tls: Tls = "off";
        /// The authority whose certificates are accepted (secret/hyperion/…/tls-cert).
        certificate_authority: String = "hyperion";
        /// Whether a client that asks more often than the four limits below is refused with
        /// RESOURCE_EXHAUSTED and the time to wait. Off behind a gateway, which looks like one
        /// client.
        rate_limits: bool = true;
        /// Gets per second and client.
        get_rate_max: u64 = 10_000;
        /// Writes per second and client.
        set_rate_max: u64 = 1_000;
        /// Batch-gets per second and client.
        batch_get_rate_max: u64 = 100;
        /// Admin verbs per second and client.
        admin_rate_max: u64 = 10;
        /// What one byte that is held counts for in limits, gauges and reports; `[memory.G] scale`
        /// sets it. Large memories without large runs.
        memory_scale: u64 = 1 => Kind::Int { min: 1, max: 1 << 20 };
        /// Whether writes of up to 1 KiB wait up to 1 ms for each other and are proposed together
        /// (the feature flag of this name): fewer syncs and messages under load, a little latency
        /// without. Off unless asked for, so that scenarios see each write alone.
        enable_batching: bool = false;
        /// Whether a client that asks for it may keep what it reads, and is told when that is over
        /// (the feature flag of this name).
        enable_client_caching: bool = true;
        /// The longest hint how long a client may keep what it read. It bounds how stale a client
        /// can be that hears nothing.
        client_cache_ttl: Duration = "1s";
        /// Processor time of reading one key. 0 keeps runs fast; a cost makes queues real.
        service_get: Dist = "0ns";
        /// Processor time of taking one write. 0 keeps runs fast; a cost makes queues real.
        service_put: Dist = "0ns";
        /// Processor time of a get that finds nothing; service_get where it is not given.
        service_miss: Option<Dist>;
        /// Processor time of a whole batch-get; service_get for each key where it is not given.
        service_batch_get: Option<Dist>;
        /// Processor time of taking one delete; service_put where it is not given.
        service_delete: Option<Dist>;
    }
}

catalog::settings! {
    /// The settings that `read-through` has beside those of `cache`.
    pub struct LoadSettings {
        /// The most connections of one node to the database. More load it harder when it is slow.
        pool_max: u64 = 20 => Kind::Int { min: 1, max: 10_000 };
        /// Whether the pool is created at boot, and nobody is served before; else the first query
        /// creates it, and waits.
        pool_eager: bool = true;
        /// How long the creation of the pool takes.
        pool_create: Duration = "500ms";
        /// How long a query may take, its wait for a connection included (DB_QUERY_TIMEOUT_MS).
        query_timeout: Duration = "5000ms" => Kind::Duration { min: Duration::from_millis(1), max: Duration::from_secs(600) };
        /// The most queries that wait for a connection; further ones are refused.
        pool_waiting_max: u64 = 1000 => Kind::Int { min: 0, max: 1_000_000 };
        /// Whether concurrent misses of one key share one query.
        coalesce: bool = true;
        /// How long a value that was loaded is kept.
        fill_ttl: Duration = "600s" => Kind::Duration { min: Duration::from_millis(1), max: Duration::from_millis(604_800_000) };
        /// Up to this share of the time to live is added at random to each loaded value, so that
        /// what was loaded together does not expire together.
        ttl_stagger: Ratio = "10%";
    }
}

catalog::settings! {
    /// The settings of the role `read-through`.
    pub struct ReadThroughSettings {
        /// Those of `cache`.
        cache: use CacheSettings;
        /// Those of loading.
        load: use LoadSettings;
    }
}

catalog::settings! {
    /// The certificate that a node or a client shows of itself.
    pub struct CertificateSettings {
        /// The authority that issues the certificate that is shown when connecting, and whose
        /// certificates a gateway with auth = mtls accepts. Without it none is shown.
        authority as "certificate_authority": Option<String>;
        /// How long a certificate holds from when it is issued. Shorter limits what a stolen one is
        /// good for, and leaves less time to notice that renewal does not work.
        lifetime as "certificate_lifetime": Duration = "24h" => Kind::Duration { min: Duration::from_millis(1), max: Duration::from_secs(31_536_000) };
        /// Whether a new certificate is fetched once two thirds of the life of the last are over.
        /// Without it the one that was fetched at boot is shown for ever.
        renewal as "certificate_renewal": bool = true;
    }
}

catalog::settings! {
    /// The settings of the role `gateway`.
    pub struct GatewaySettings {
        /// How clients prove who they are: a token, which the auth service is asked about for every
        /// request, or the certificate of the connection, signed by certificate_authority, which
        /// costs no hop.
        auth: GatewayAuth = "token";
        /// The certificate that it shows.
        certificate: use CertificateSettings;
        /// Processor time of one request.
        service: Dist = "0ns";
        /// How long a request may take behind the gateway. What was not granted by then is denied.
        timeout: Duration = "1s" => Kind::Duration { min: Duration::from_millis(1), max: Duration::from_secs(600) };
    }
}

catalog::settings! {
    /// The settings that `mirroring-gateway` has beside those of `gateway`.
    pub struct MirrorSettings {
        /// The share of the requests that is repeated at the second cluster (the feature flag of
        /// this name). Its answers reach nobody.
        shadow_traffic_percent: Ratio = "5%";
    }
}

catalog::settings! {
    /// The settings of the role `mirroring-gateway`.
    pub struct MirroringGatewaySettings {
        /// Those of `gateway`.
        gateway: use GatewaySettings;
        /// Those of the mirror.
        mirror: use MirrorSettings;
    }
}

catalog::settings! {
    /// The settings of the role `auth`.
    pub struct AuthSettings {
        /// Processor time of checking one token.
        service: Dist = "0ns";
        /// The secret that tokens are made with.
        secret: String = "hyperion";
    }
}

catalog::settings! {
    /// The settings of the role `sql`.
    pub struct SqlSettings {
        /// The most connections; further ones are refused.
        connections_max: u64 = 100 => Kind::Int { min: 1, max: 10_000 };
        /// Processor time of one query. Queries are worked off one after another, so the database
        /// serves as many per second as fit.
        query: Dist = "2ms";
        /// Processor time of admitting one connection.
        login: Dist = "0ns";
        /// The keys below this have a row.
        rows: u64 = 1_000_000;
        /// The length of a row's value, at least 8 B.
        row_size: u64 = "64B" => Kind::Bytes;
        /// The share of queries that fail.
        errors: Ratio = "0%";
    }
}

catalog::settings! {
    /// The settings of the role `client`.
    pub struct ClientSettings {
        /// How long an operation may take, its retries among it. Shorter than an election means
        /// that operations fail while one runs.
        timeout: Duration = "1s";
        /// How long one try may take before the next node is asked (DEFAULT_TIMEOUT_MS).
        try_timeout: Duration = "100ms";
        /// How long a health check may take (HEALTH_CHECK_TIMEOUT_MS). What is not answered by then
        /// counts as a no, and is not asked elsewhere: the check is about that one node.
        health_timeout: Duration = "500ms" => Kind::Duration { min: Duration::from_millis(1), max: Duration::from_secs(600) };
        /// The wait after the first try that failed; doubles with each further one.
        retry_base: Duration = "10ms";
        /// The longest wait between two tries, without its jitter.
        retry_max: Duration = "1s";
        /// Whether up to a quarter of each wait is added at random, so that clients that failed
        /// together do not come back together.
        jitter: bool = true;
        /// The most tries of one operation.
        attempts_max: u32 = 16 => Kind::Int { min: 1, max: 1000 };
        /// The secret of the token that the client shows a gateway: that of the auth service, or
        /// the token is wrong. Without it the client shows none.
        token_secret: Option<String>;
        /// The certificate that it shows.
        certificate: use CertificateSettings;
        /// Whether a try that timed out is repeated at the leader, where one is known, and not at
        /// the next node.
        sticky: bool = false;
        /// Whether the client keeps what it reads where that may be stale, for as long as it is
        /// told (the feature flag of this name). Reads at other levels always ask.
        enable_client_caching: bool = true;
        /// Whether the client stops asking for a while when too many of its tries failed.
        breaker: bool = false;
        /// How many tries the breaker judges by. Fewer react sooner, and to chance.
        breaker_window: u32 = 10 => Kind::Int { min: 1, max: 64 };
        /// The share of failures at which the breaker opens.
        breaker_threshold: Ratio = "50%";
        /// How long the breaker stays open before it lets one try through.
        breaker_open: Duration = "1s";
        /// The share of the clients that start every operation at the node they first reached; the
        /// others remember the leader. Both sides of a partition are in use only with some pinned.
        pinned: Ratio = "50%";
    }
}
