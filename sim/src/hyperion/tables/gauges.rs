//! What can be read off a node of Hyperion: Raft's rows first, then its own.

use super::joined;
use crate::protocol::raft;
use catalog::GaugeKind;

const fn gauge(name: &'static str, unit: &'static str, about: &'static str) -> GaugeKind {
    GaugeKind { name, unit, about }
}

/// The gauges of Hyperion alone, in the order in which `system` reads them.
pub const OWN_GAUGES: [GaugeKind; 21] = [
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
        "the share of hits among the last one to two thousand hit_ratio of the node",
    ),
    gauge("pool.in_use", "", "connections to the database that carry a query"),
    gauge("pool.waiting", "", "queries that wait for a connection"),
    gauge("db.connections", "", "open connections at the database"),
    gauge("db.connections_peak", "", "the most connections that were open at the database"),
    gauge("db.queries", "", "queries that the database answered"),
    gauge("gateway.pending", "", "requests under way behind the gateway"),
    gauge("schema.raft_log_rows", "", "rows of `raft_log` that the last boot found on the disk"),
    gauge(
        "schema.last_snapshot_index",
        "",
        "`last_snapshot_index` of `cache_metadata`, as the last boot found it",
    ),
    gauge(
        "schema.membership_version",
        "",
        "`version` of `cluster_membership`, as the last boot found it",
    ),
    gauge(
        "schema.members",
        "",
        "how many `nodes` the row of `cluster_membership` had that the last boot found",
    ),
];

/// All gauges.
pub const GAUGES: &[GaugeKind] = &joined::<_, { raft::GAUGES.len() + OWN_GAUGES.len() }>(
    raft::GAUGES,
    &OWN_GAUGES,
    OWN_GAUGES[0],
);
