//! The settings of the role `cache`, as the node uses them.

use super::super::machine::MachineFlaws;
use crate::protocol::cache::eviction_order::Policy;
use crate::protocol::cache::store::{Limits, StoreConfig, StoreDefects};
use crate::protocol::cache::value_codec::ValueCodec;
use crate::protocol::raft;
use alloc::sync::Arc;
use catalog::Seat;
use contract::{Dist, Duration, Ratio, Refused};

use super::admission::Tls;
use super::pool::PoolConfig;
use super::profiles::Profile;
use super::requests::LIMITED_KINDS;
use crate::protocol::tls::ClientAuth;

/// How a node serves a linearizable read. Each is a setting of `reads`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// By a heartbeat round that confirms leadership (raft-thesis §6.4).
    ReadIndex,
    /// At once while the lease runs, else by read-index (raft-thesis §6.4.1).
    LeaderLease,
    /// From whatever the node has, and marked stale: a documented choice, not a flaw.
    Local,
}

impl Reads {
    /// The words of the setting.
    pub const WORDS: &'static [&'static str] = &["read-index", "leader-lease", "local"];

    fn from_word(word: &str) -> Self {
        match word {
            "read-index" => Self::ReadIndex,
            "leader-lease" => Self::LeaderLease,
            "local" => Self::Local,
            _ => unreachable!("the setting accepts no other word than {:?}", Self::WORDS),
        }
    }
}

/// The words of the setting `fsync`.
pub const FSYNC_WORDS: &[&str] = &["always", "everysec", "never"];

/// The flaws that can be planted in a cache node, beside those of Raft.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerFlaws {
    /// Those of the state machine.
    pub machine: MachineFlaws,
    /// `local-leader-read`.
    pub local_leader_read: bool,
    /// `read-before-apply`.
    pub read_before_apply: bool,
    /// `definite-error-on-leadership-loss`.
    pub definite_error: bool,
    /// `ttl-on-wall-clock`.
    pub ttl_on_wall_clock: bool,
    /// `ttl-on-monotonic-clock`.
    pub ttl_on_monotonic_clock: bool,
    /// `stale-set-lookaside`.
    pub fill_overwrites: bool,
    /// `get-clones-value`.
    pub get_clones_value: bool,
    /// `get-forgets-handle`.
    pub get_forgets_handle: bool,
}

/// What a cache node is told at boot.
#[derive(Clone, Debug)]
pub struct Config {
    /// How linearizable reads are served.
    pub reads: Reads,
    /// How the store keeps its entries.
    pub store: Arc<StoreConfig>,
    /// How many entries are proposed to leave at once.
    pub eviction_batch: u64,
    /// The most connections of one client.
    pub connections_max: u64,
    /// What who connects must prove.
    pub tls: ClientAuth,
    /// How often a client may ask; as often as it likes where this is absent.
    pub rate_limits: Option<[u64; LIMITED_KINDS]>,
    /// What one byte that is held counts for.
    pub memory_scale: u64,
    /// Processor time of one key read, in nanoseconds.
    pub service_get: Dist,
    /// Processor time of a read that finds nothing; that of any other where it is absent.
    pub service_miss: Option<Dist>,
    /// Processor time of a whole batch-get; that of its keys where it is absent.
    pub service_batch_get: Option<Dist>,
    /// Processor time of one write request, in nanoseconds.
    pub service_put: Dist,
    /// Processor time of a delete; that of any other write where it is absent.
    pub service_delete: Option<Dist>,
    /// How long what is loaded from the database is kept; for ever where it is absent.
    pub fill_ttl: Option<Duration>,
    /// Up to this share of it is added at random.
    pub ttl_stagger: Ratio,
    /// Whether small writes wait for each other.
    pub batches: bool,
    /// How long a client may keep what it read; zero for not at all.
    pub client_cache_ttl: Duration,
    /// Planted flaws.
    pub flaws: ServerFlaws,
}

impl Config {
    /// Reads the settings of a seat.
    #[must_use]
    pub fn of(seat: &Seat<'_>) -> Self {
        let settings = seat.settings;
        Self {
            reads: Reads::from_word(settings.choice("reads")),
            store: store_config(seat),
            eviction_batch: count(seat, "eviction_batch"),
            connections_max: count(seat, "connections_per_client_max"),
            tls: Tls::of(settings),
            rate_limits: settings.bool("rate_limits").then(|| {
                ["get_rate_max", "set_rate_max", "batch_get_rate_max", "admin_rate_max"]
                    .map(|name| count(seat, name))
            }),
            memory_scale: count(seat, "memory_scale"),
            service_get: settings.dist("service_get"),
            service_miss: optional_dist(seat, "service_miss"),
            service_batch_get: optional_dist(seat, "service_batch_get"),
            service_put: settings.dist("service_put"),
            service_delete: optional_dist(seat, "service_delete"),
            fill_ttl: settings.has("fill_ttl").then(|| settings.duration("fill_ttl")),
            ttl_stagger: match settings.has("ttl_stagger") {
                true => settings.ratio("ttl_stagger"),
                false => Ratio::ZERO,
            },
            batches: settings.bool("enable_batching"),
            client_cache_ttl: match settings.bool("enable_client_caching") {
                true => settings.duration("client_cache_ttl"),
                false => Duration::ZERO,
            },
            flaws: ServerFlaws {
                machine: MachineFlaws {
                    repeats: seat.has("retry-non-idempotent"),
                    store: StoreDefects {
                        size_drifts: seat.has("weight-accounting-drift"),
                        uses_forgotten: seat.has("lru-order-not-updated-on-hit"),
                        endings_leak: seat.has("expiry-queue-leak"),
                    },
                    forgets_sessions: seat.has("sessions-missing-from-snapshot"),
                },
                local_leader_read: seat.has("local-leader-read"),
                read_before_apply: seat.has("read-before-apply"),
                definite_error: seat.has("definite-error-on-leadership-loss"),
                ttl_on_wall_clock: seat.has("ttl-on-wall-clock"),
                ttl_on_monotonic_clock: seat.has("ttl-on-monotonic-clock"),
                fill_overwrites: seat.has("stale-set-lookaside"),
                get_clones_value: seat.has("get-clones-value"),
                get_forgets_handle: seat.has("get-forgets-handle"),
            },
        }
    }
}

fn optional_dist(seat: &Seat<'_>, name: &str) -> Option<Dist> {
    seat.settings.has(name).then(|| seat.settings.dist(name))
}

fn count(seat: &Seat<'_>, name: &str) -> u64 {
    u64::try_from(seat.settings.int(name)).expect("the setting has a limit")
}

fn store_config(seat: &Seat<'_>) -> Arc<StoreConfig> {
    let settings = seat.settings;
    let limits = Limits {
        // The limit is for what bytes count for.
        store_bytes_max: Profile::cache_size(settings) / count(seat, "memory_scale"),
        value_bytes_max: settings.bytes("value_size_max"),
    };
    let policy = match settings.bool("new_eviction_algorithm") {
        true => Policy::Lru2,
        false => Policy::Lru,
    };
    let hmac_key = settings.text("hmac_key");
    let codec = ValueCodec::new(hmac_key.as_bytes(), settings.bool("enable_compression"));
    Arc::new(StoreConfig { limits, codec, policy })
}

/// Reads the settings of the pool from a seat, where its role has a database.
#[must_use]
pub fn pool_config(seat: &Seat<'_>) -> Option<PoolConfig> {
    let settings = seat.settings;
    let databases = seat.uses.get("db")?;
    assert!(!databases.is_empty(), "the lab resolves `uses` to nodes");
    Some(PoolConfig {
        database: databases[seat.index as usize % databases.len()],
        connections_max: count(seat, "pool_max"),
        eager: settings.bool("pool_eager"),
        create: settings.duration("pool_create"),
        query_timeout: settings.duration("query_timeout"),
        waiting_max: count(seat, "pool_waiting_max"),
        coalesces: settings.bool("coalesce") && !seat.has("stampede-on-expiry"),
        leaks: seat.has("pool-permit-leak-on-cancel"),
    })
}

/// Reads the settings of Raft from a seat.
///
/// # Errors
/// When the profile does not fit the group.
pub fn raft_config(seat: &Seat<'_>) -> Result<raft::Config, Refused> {
    let settings = seat.settings;
    let count = |name| u32::try_from(settings.int(name)).expect("the setting has a limit");
    let fixed = settings.durations("election_fixed");
    Ok(raft::Config {
        voters: (0..Profile::voters(seat)?).collect(),
        snapshot_after: u64::from(count("snapshot_after")),
        snapshot_tail: u64::from(count("snapshot_tail")),
        snapshot_chunk_bytes: u32::try_from(settings.bytes("snapshot_chunk"))
            .unwrap_or(contract::node::DATAGRAM_BYTES_MAX),
        heartbeat: settings.duration("heartbeat"),
        election: settings.range("election"),
        election_fixed: fixed.get(seat.index as usize).copied(),
        contact_is_heartbeat: settings.choice("contact") == "heartbeat",
        pre_vote: settings.bool("pre_vote"),
        check_quorum: settings.bool("check_quorum"),
        lease: settings.duration("lease"),
        drift_max: seat.drift_max,
        tick: settings.duration("tick"),
        entries_per_append_max: count("entries_per_append_max"),
        append_bytes_max: u32::try_from(settings.bytes("append_bytes_max"))
            .unwrap_or(contract::node::DATAGRAM_BYTES_MAX),
        inflight_max: count("inflight_max"),
        apply_batch_max: count("apply_batch_max"),
        apply_pause: settings.duration("apply_pause"),
        fsync: match settings.choice("fsync") {
            "always" => raft::Fsync::Always,
            "everysec" => raft::Fsync::Every(Duration::from_secs(1)),
            "never" => raft::Fsync::Never,
            _ => unreachable!("the setting accepts no other word than {FSYNC_WORDS:?}"),
        },
        flaws: raft::Flaws::from_names(seat.defects),
        ..raft::Config::new(seat.index, seat.group.to_vec())
    })
}
