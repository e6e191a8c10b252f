//! The settings of the role `cache`, as the node uses them.

use super::super::machine::MachineFlaws;
use super::super::store::Limits;
use crate::protocol::raft;
use contract::{Dist, Duration, Seat};

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
    /// `get-clones-value`.
    pub get_clones_value: bool,
    /// `get-forgets-handle`.
    pub get_forgets_handle: bool,
}

/// What a cache node is told at boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How linearizable reads are served.
    pub reads: Reads,
    /// How much the store may hold.
    pub limits: Limits,
    /// Processor time of one key read, in nanoseconds.
    pub service_get: Dist,
    /// Processor time of one write request, in nanoseconds.
    pub service_put: Dist,
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
            limits: Limits {
                store_bytes_max: settings.bytes("cache_size"),
                value_bytes_max: settings.bytes("value_size_max"),
            },
            service_get: settings.dist("service_get"),
            service_put: settings.dist("service_put"),
            flaws: ServerFlaws {
                machine: MachineFlaws {
                    repeats: seat.has("retry-non-idempotent"),
                    size_drifts: seat.has("weight-accounting-drift"),
                    forgets_sessions: seat.has("sessions-missing-from-snapshot"),
                },
                local_leader_read: seat.has("local-leader-read"),
                read_before_apply: seat.has("read-before-apply"),
                definite_error: seat.has("definite-error-on-leadership-loss"),
                ttl_on_wall_clock: seat.has("ttl-on-wall-clock"),
                get_clones_value: seat.has("get-clones-value"),
                get_forgets_handle: seat.has("get-forgets-handle"),
            },
        }
    }
}

/// Reads the settings of Raft from a seat.
#[must_use]
pub fn raft_config(seat: &Seat<'_>) -> raft::Config {
    let settings = seat.settings;
    let count = |name| u32::try_from(settings.int(name)).expect("the setting has a limit");
    let fixed = settings.durations("election_fixed");
    let members = seat.group.len() as u32;
    let voters = match count("voters") {
        0 => members,
        voters => voters.min(members),
    };
    raft::Config {
        voters: (0..voters).collect(),
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
    }
}
