//! What can be read off a node of Hyperion.

use super::super::database::Database;
use super::super::gateway::Gateway;
use super::super::server::Server;
use super::super::system::Hyperion;
use crate::protocol::raft;
use catalog::{GaugeKind, Itself};
use contract::Node as _;

catalog::gauges! {
    /// What can be read off a cache node, beside what can be off its Raft.
    fn of_caches(server: Server);
    "cache.entries", "", "entries held, expired ones among them" =>
        Some(server.machine().store().len());
    "cache.size_bytes", "bytes", "what those entries count for" =>
        Some(server.size_bytes());
    "cache.sessions", "", "clients whose last answer is kept" =>
        Some(server.machine().sessions());
    "cache.connections", "", "connections of clients" =>
        Some(server.connections());
    "cache.writes_pending", "", "writes proposed and not answered" =>
        Some(server.writes_pending());
    "cache.reads_pending", "", "reads that wait for confirmation or for entries to be applied" =>
        Some(server.reads_pending());
    "cache.memory_bytes", "bytes", "logical memory: store, log, buffers, and what a defect leaks" =>
        Some(server.memory_bytes());
    "value.handles", "",
        "the most live handles on one value; 1 when every borrowed one was given back" =>
        Some(server.value_handles_max());
    "cache.cloned_bytes", "bytes",
        "what copies count for that gets made and never gave back: `CacheEntry::clone` \
         in a heap profile" =>
        Some(server.cloned_bytes());
    "cache.endings", "", "entries that end at some time, by the list of endings" =>
        Some(server.machine().store().endings());
    "cache.hit_ratio", "ppm",
        "the share of hits among the last one to two thousand lookups of the node" =>
        server.hit_ratio_ppm();
    "pool.in_use", "", "connections to the database that carry a query" =>
        Some(server.pool()?.in_use());
    "pool.waiting", "", "queries that wait for a connection" =>
        Some(server.pool()?.waiting());
}

catalog::gauges! {
    /// What can be read off a database.
    fn of_databases(database: Database);
    "db.connections", "", "open connections at the database" =>
        Some(database.connections());
    "db.connections_peak", "", "the most connections that were open at the database" =>
        Some(database.connections_peak());
    "db.queries", "", "queries that the database answered" =>
        Some(database.queries());
}

catalog::gauges! {
    /// What can be read off a gateway.
    fn of_gateways(gateway: Gateway);
    "gateway.pending", "", "requests under way behind the gateway" =>
        Some(gateway.pending());
}

catalog::gauges! {
    /// What the last boot of a cache node found in the tables on its disk.
    fn of_schemas(server: Server);
    "schema.raft_log_rows", "", "rows of `raft_log` that the last boot found on the disk" =>
        Some(server.recovered().raft_log_rows);
    "schema.last_snapshot_index", "",
        "`last_snapshot_index` of `cache_metadata`, as the last boot found it" =>
        Some(server.recovered().last_snapshot_index);
    "schema.membership_version", "",
        "`version` of `cluster_membership`, as the last boot found it" =>
        Some(server.recovered().membership_version);
    "schema.members", "",
        "how many `nodes` the row of `cluster_membership` had that the last boot found" =>
        Some(server.recovered().members);
}

/// All gauges.
pub const GAUGES: &[GaugeKind] = catalog::joined!(
    GaugeKind, name:
    &raft::gauges::<Hyperion>(),
    &of_caches::<Itself>(),
    &of_databases::<Itself>(),
    &of_gateways::<Itself>(),
    &of_schemas::<Itself>(),
);
