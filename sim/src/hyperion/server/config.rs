//! The settings of the role `cache`, as the node uses them.

use super::super::machine::MachineDefects;
use super::super::tables::settings::{CacheSettings, LoadSettings, Reads, Tls};
use super::super::tables::{Defects, events};
use super::pool::PoolConfig;
use super::requests::LIMITED_KINDS;
use crate::protocol::cache::{Limits, Policy, StoreConfig, StoreDefects, ValueCodec};
use crate::protocol::raft;
use crate::protocol::tls::{Authority, ClientAuth};
use alloc::sync::Arc;
use catalog::Seat;
use contract::{Dist, Duration, Ratio, Refused};

/// The defects that can be planted in a cache node, beside those of Raft.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerDefects {
    /// Those of the state machine.
    pub machine: MachineDefects,
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
    /// `deposed-leader-keeps-writes`.
    pub keeps_writes: bool,
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
    /// Planted defects.
    pub defects: ServerDefects,
}

impl Config {
    /// What the settings mean, those of loading where the role has a database.
    #[must_use]
    pub fn of(settings: CacheSettings, load: Option<&LoadSettings>, defects: Defects) -> Self {
        Self {
            store: store_config(&settings),
            reads: settings.reads,
            eviction_batch: settings.eviction_batch,
            connections_max: settings.connections_per_client_max,
            tls: match settings.tls {
                Tls::Off => ClientAuth::Off,
                Tls::Unverified => ClientAuth::Unverified,
                Tls::Mtls => {
                    ClientAuth::Required(Authority::named(&settings.certificate_authority))
                }
            },
            rate_limits: settings.rate_limits.then_some([
                settings.get_rate_max,
                settings.set_rate_max,
                settings.batch_get_rate_max,
                settings.admin_rate_max,
            ]),
            memory_scale: settings.memory_scale,
            service_get: settings.service_get,
            service_miss: settings.service_miss,
            service_batch_get: settings.service_batch_get,
            service_put: settings.service_put,
            service_delete: settings.service_delete,
            fill_ttl: load.map(|load| load.fill_ttl),
            ttl_stagger: load.map_or(Ratio::ZERO, |load| load.ttl_stagger),
            batches: settings.enable_batching,
            client_cache_ttl: match settings.enable_client_caching {
                true => settings.client_cache_ttl,
                false => Duration::ZERO,
            },
            defects: ServerDefects {
                machine: MachineDefects {
                    repeats: defects.retry_non_idempotent,
                    store: StoreDefects {
                        size_drifts: defects.size_drifts,
                        uses_forgotten: defects.uses_forgotten,
                        endings_leak: defects.endings_leak,
                    },
                    forgets_sessions: defects.sessions_missing,
                    forgets_answers: defects.session_answers_missing,
                },
                local_leader_read: defects.local_leader_read,
                read_before_apply: defects.read_before_apply,
                definite_error: defects.definite_error,
                keeps_writes: defects.keeps_writes,
                ttl_on_wall_clock: defects.ttl_on_wall_clock,
                ttl_on_monotonic_clock: defects.ttl_on_monotonic_clock,
                fill_overwrites: defects.fill_overwrites,
                get_clones_value: defects.get_clones_value,
                get_forgets_handle: defects.get_forgets_handle,
            },
        }
    }
}

fn store_config(settings: &CacheSettings) -> Arc<StoreConfig> {
    let limits = Limits {
        // The limit is for what bytes count for.
        store_bytes_max: settings.cache_size() / settings.memory_scale,
        value_bytes_max: settings.value_size_max,
    };
    let policy = match settings.new_eviction_algorithm {
        true => Policy::Lru2,
        false => Policy::Lru,
    };
    let codec = ValueCodec::new(settings.hmac_key.as_bytes(), settings.enable_compression);
    Arc::new(StoreConfig { limits, codec, policy })
}

/// The pool of a seat whose role has a database.
#[must_use]
pub fn pool_config(seat: &Seat<'_>, settings: &LoadSettings, defects: Defects) -> PoolConfig {
    let databases = seat.uses.get("db").expect("the lab gives a role what it uses");
    assert!(!databases.is_empty(), "the lab resolves `uses` to nodes");
    PoolConfig {
        database: databases[seat.index as usize % databases.len()],
        connections_max: settings.pool_max,
        eager: settings.pool_eager,
        create: settings.pool_create,
        query_timeout: settings.query_timeout,
        waiting_max: settings.pool_waiting_max,
        coalesces: settings.coalesce && !defects.stampede,
        leaks: defects.pool_permit_leaks,
    }
}

/// What Raft is told at a seat.
///
/// # Errors
/// When the profile does not fit the group.
pub fn raft_config(seat: &Seat<'_>, settings: &CacheSettings) -> Result<raft::Config, Refused> {
    let voters = settings.voters_of(seat.group.len() as u32)?;
    let raft = settings.raft.config(seat.index, seat.group.to_vec(), seat.drift_max);
    Ok(raft::Config {
        voters: (0..voters).collect(),
        events: events::RAFT,
        defects: raft::Defects::from_names(seat.defects),
        ..raft
    })
}
