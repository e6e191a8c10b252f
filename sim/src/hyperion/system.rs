//! Hyperion as the lab sees it: one row of the table of systems.

use super::auth::Auth;
use super::client::Client;
use super::database::Database;
use super::gateway::Gateway;
use super::invariants;
use super::server::{Reads, Server, metrics};
use super::tables;
use crate::protocol::raft::{self, Raft};
use crate::service::operator::MembershipRequest;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use catalog::{
    Defect, EventKind, Fields, GaugeKind, Group, Invariant, Membership, Operation, PredicateKind,
    Relation, Role, Seat, Settings, System, Verb,
};
use contract::hash::mix;
use contract::{Duration, Fx, Node, NodeId, Nodes, Now, Ratio, Refused};
use core::any::Any;

/// The role of a member of the group.
pub const CACHE: &str = "cache";
/// The role of a member of the group that loads from a database what it does not hold.
pub const READ_THROUGH: &str = "read-through";
/// The role of a database.
pub const SQL: &str = "sql";
/// The role of a gateway.
pub const GATEWAY: &str = "gateway";
/// The role of a gateway that repeats a share of its traffic at a second cluster.
pub const MIRRORING_GATEWAY: &str = "mirroring-gateway";
/// The role of an auth service.
pub const AUTH: &str = "auth";
/// The role of a client.
pub const CLIENT: &str = "client";

/// The consensus cache.
#[derive(Clone, Copy, Debug)]
pub struct Hyperion;

const ROLES: &[Role] = &[
    Role {
        name: CACHE,
        about: "a member of a Raft group that serves reads and writes from the replicated state",
        settings: tables::CACHE_SETTINGS,
        uses: &[],
    },
    Role {
        name: READ_THROUGH,
        about: "a cache node that loads from a database what it does not hold, and keeps it",
        settings: tables::READ_THROUGH_SETTINGS,
        uses: &["db"],
    },
    Role {
        name: SQL,
        about: "a database: bounded connections, one query after another",
        settings: tables::SQL_SETTINGS,
        uses: &[],
    },
    Role {
        name: GATEWAY,
        about: "what clients reach: asks the auth service, and passes on what was granted",
        settings: tables::GATEWAY_SETTINGS,
        uses: &["auth", "cache"],
    },
    Role {
        name: MIRRORING_GATEWAY,
        about: "a gateway that repeats a share of its traffic at a second cluster",
        settings: tables::MIRRORING_GATEWAY_SETTINGS,
        uses: &["auth", "cache", "shadow"],
    },
    Role {
        name: AUTH,
        about: "says whether the token of a client is good",
        settings: tables::AUTH_SETTINGS,
        uses: &[],
    },
    Role {
        name: CLIENT,
        about: "one logical process that asks the group and retries",
        settings: tables::CLIENT_SETTINGS,
        uses: &["target"],
    },
];

impl System for Hyperion {
    fn name(&self) -> &'static str {
        "hyperion"
    }

    fn about(&self) -> &'static str {
        "a cache replicated by Raft: sessions, leases, read-index, clients that retry"
    }

    fn roles(&self) -> &'static [Role] {
        ROLES
    }

    fn operations(&self) -> &'static [Operation] {
        tables::OPERATIONS
    }

    fn verbs(&self) -> &'static [Verb] {
        tables::VERBS
    }

    fn memory_scale(&self, role: &str) -> Option<&'static str> {
        let settings = ROLES.iter().find(|row| row.name == role)?.settings;
        let scale = settings.iter().find(|row| row.name == "memory_scale")?;
        Some(scale.name)
    }

    fn defects(&self) -> &'static [Defect] {
        tables::DEFECTS
    }

    fn events(&self) -> &'static [EventKind] {
        tables::EVENTS
    }

    fn gauges(&self) -> &'static [GaugeKind] {
        tables::GAUGES
    }

    fn predicates(&self) -> &'static [PredicateKind] {
        tables::PREDICATES
    }

    fn selectors(&self) -> &'static [&'static str] {
        raft::SELECTORS
    }

    fn relations(&self, role: &str, settings: &Settings, drift_max: Ratio) -> Vec<Relation> {
        match role {
            role if is_cache(role) => cache_relations(settings, drift_max),
            _ => Vec::new(),
        }
    }

    fn boot(&self, seat: &Seat<'_>, now: Now, fx: &mut Fx<'_>) -> Result<Box<dyn Node>, Refused> {
        match seat.role {
            role if is_cache(role) => Ok(Box::new(Server::boot(seat, now, fx)?)),
            GATEWAY | MIRRORING_GATEWAY => Ok(Box::new(Gateway::boot(seat, now))),
            AUTH => Ok(Box::new(Auth::boot(seat))),
            SQL => Ok(Box::new(Database::boot(seat))),
            CLIENT => Ok(Box::new(Client::boot(seat, now))),
            other => panic!("`{other}` is not in the table of roles"),
        }
    }

    fn invariants(&self, groups: &[Group]) -> Vec<Box<dyn Invariant>> {
        let caches = groups.iter().filter(|group| is_cache(group.role));
        let of_raft =
            caches.flat_map(|group| raft::invariants::all(&group.name, &group.nodes, raft_of));
        of_raft.chain(invariants::all(groups)).collect()
    }

    fn membership(&self, change: Membership, positions: &[u32]) -> Option<Vec<u8>> {
        let mut frame = Vec::new();
        MembershipRequest::encode(change, positions, &mut frame);
        Some(frame)
    }

    fn select(&self, word: &str, group: &[NodeId], nodes: &dyn Nodes) -> Vec<NodeId> {
        raft::select(word, group, nodes, raft_of)
    }

    fn gauge(&self, row: usize, node: &dyn Node) -> Option<u64> {
        let node: &dyn Any = node;
        if let Some(database) = node.downcast_ref::<Database>() {
            return database_gauge(row.checked_sub(raft::GAUGES.len())?, database);
        }
        if let Some(gateway) = node.downcast_ref::<Gateway>() {
            return (row.checked_sub(raft::GAUGES.len())? == 16).then(|| gateway.pending());
        }
        let server = node.downcast_ref::<Server>()?;
        match row.checked_sub(raft::GAUGES.len()) {
            None => raft::gauge(row, server.raft()),
            Some(row) => own_gauge(row, server),
        }
    }

    fn holds(&self, row: usize, group: &[NodeId], nodes: &dyn Nodes) -> bool {
        let mut up = group.iter().filter_map(|&id| Some((id, nodes.node(id)?)));
        if up.any(|(id, _)| nodes.get::<Server>(id).is_none()) {
            // The predicates are about Raft, of which these nodes know nothing.
            return true;
        }
        raft::holds(row, group, nodes, raft_of)
    }

    fn pending(&self, groups: &[Group], nodes: &dyn Nodes) -> Option<&'static str> {
        groups.iter().find_map(|group| match group.role {
            role if is_cache(role) => cache_pending(&group.nodes, nodes),
            _ => client_pending(&group.nodes, nodes),
        })
    }

    fn expose(&self, nodes: &[(&str, &dyn Node)], out: &mut String) {
        let servers = nodes.iter().filter_map(|&(name, node)| {
            let node: &dyn Any = node;
            Some((name, node.downcast_ref::<Server>()?))
        });
        let servers: Vec<(&str, &Server)> = servers.collect();
        if !servers.is_empty() {
            metrics::render(&servers, out);
        }
    }

    fn view(&self, node: &dyn Node, fields: &mut dyn Fields) {
        let node: &dyn Any = node;
        if let Some(server) = node.downcast_ref::<Server>() {
            raft::view(server.raft(), fields);
            fields.number("entries", server.machine().store().len());
            fields.number("size_bytes", server.size_bytes());
            fields.number("writes_pending", server.writes_pending());
            fields.number("reads_pending", server.reads_pending());
            if let Some(pool) = server.pool() {
                fields.number("db_connections", pool.in_use());
                fields.number("db_waiting", pool.waiting());
            }
        } else if let Some(database) = node.downcast_ref::<Database>() {
            fields.number("connections", database.connections());
            fields.number("queries", database.queries());
        } else if let Some(client) = node.downcast_ref::<Client>() {
            fields.text("state", if client.is_busy() { "waiting" } else { "idle" });
        }
    }

    fn fingerprint(&self, groups: &[Group], nodes: &dyn Nodes) -> u64 {
        groups.iter().fold(0, |digest, group| {
            let servers = group.nodes.iter().map(|&id| nodes.get::<Server>(id));
            let waits = |server: &Server| server.writes_pending() + server.reads_pending() > 0;
            let waiting = servers.clone().flatten().any(waits);
            let digest =
                mix(digest, raft::fingerprint(servers.map(|server| server.map(Server::raft))));
            mix(digest, u64::from(waiting))
        })
    }
}

fn raft_of<'a>(nodes: &'a (dyn Nodes + 'a), node: NodeId) -> Option<&'a Raft> {
    nodes.get::<Server>(node).map(Server::raft)
}

fn own_gauge(row: usize, server: &Server) -> Option<u64> {
    let machine = server.machine();
    Some(match row {
        0 => machine.store().len(),
        1 => server.size_bytes(),
        2 => machine.sessions(),
        3 => server.connections(),
        4 => server.writes_pending(),
        5 => server.reads_pending(),
        6 => server.memory_bytes(),
        7 => server.value_handles_max(),
        8 => server.cloned_bytes(),
        9 => machine.store().endings(),
        10 => server.hit_ratio_ppm()?,
        11 => server.pool()?.in_use(),
        12 => server.pool()?.waiting(),
        17 => server.recovered().raft_log_rows,
        18 => server.recovered().last_snapshot_index,
        19 => server.recovered().membership_version,
        20 => server.recovered().members,
        _ => return None,
    })
}

fn database_gauge(row: usize, database: &Database) -> Option<u64> {
    Some(match row {
        13 => database.connections(),
        14 => database.connections_peak(),
        15 => database.queries(),
        _ => return None,
    })
}

/// Whether nodes of this role are members of a Raft group.
#[must_use]
pub fn is_cache(role: &str) -> bool {
    matches!(role, CACHE | READ_THROUGH)
}

fn cache_pending(group: &[NodeId], nodes: &dyn Nodes) -> Option<&'static str> {
    let of_raft = raft::pending(group, nodes, raft_of);
    let mut servers = group.iter().filter_map(|&id| nodes.get::<Server>(id));
    let waits = |server: &Server| server.writes_pending() + server.reads_pending() > 0;
    of_raft.or_else(|| servers.any(waits).then_some("a request waits at a node"))
}

fn client_pending(group: &[NodeId], nodes: &dyn Nodes) -> Option<&'static str> {
    let mut clients = group.iter().filter_map(|&id| nodes.get::<Client>(id));
    clients.any(Client::is_busy).then_some("an operation of a client is in flight")
}

fn cache_relations(settings: &Settings, drift_max: Ratio) -> Vec<Relation> {
    let mut broken = Vec::new();
    let (election_min, election_max) = settings.range("election");
    let heartbeat = settings.duration("heartbeat");
    if settings.choice("reads") == Reads::WORDS[Reads::LeaderLease as usize] {
        let lease = settings.duration("lease");
        broken.extend(unsafe_lease(lease, election_min, drift_max));
    }
    if heartbeat >= election_min {
        broken.push(Relation {
            code: "E0312",
            setting: "heartbeat",
            detail: format!(
                "heartbeat < election.min must hold, or followers elect others while the leader \
                 is well; here {heartbeat} and {election_min}"
            ),
        });
    }
    let fixed = settings.durations("election_fixed");
    if let Some(short) = fixed.into_iter().find(|&fixed| fixed < election_min) {
        broken.push(Relation {
            code: "E0314",
            setting: "election_fixed",
            detail: format!(
                "no fixed wait may be below election.min, on which leases and votes rest; here \
                 {short} and {election_min}"
            ),
        });
    }
    if election_min >= election_max {
        broken.push(Relation {
            code: "E0313",
            setting: "election",
            detail: format!(
                "election.min < election.max must hold, or votes split; here {election_min} and \
                 {election_max}"
            ),
        });
    }
    broken
}

/// `lease · (1 + d) < election.min · (1 − d)`: the slowest clock at the leader and the fastest at a
/// voter still agree that the lease is over before anyone else can be elected.
fn unsafe_lease(lease: Duration, election_min: Duration, drift_max: Ratio) -> Option<Relation> {
    let lease_max = raft::Config::lease_max(election_min, drift_max);
    if lease <= lease_max {
        return None;
    }
    let drift_ppm = drift_max.ppm();
    Some(Relation {
        code: "E0311",
        setting: "lease",
        detail: format!(
            "lease * (1 + d) < election.min * (1 - d) must hold with d = clock.drift_max, here \
             {drift_ppm} ppm, and election.min = {election_min}: the lease may be up to \
             {lease_max} and is {lease}"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_safe_below_the_election_timeout_with_room_for_drift() {
        let check = |lease_ms, election_ms, drift_max, is_safe: bool| {
            let lease = Duration::from_millis(lease_ms);
            let broken = unsafe_lease(lease, Duration::from_millis(election_ms), drift_max);
            assert_eq!(broken.is_none(), is_safe, "{broken:?}");
        };
        check(1000, 1500, Ratio::new(1, 100), true);
        // Decision 12: with 1000 ms and 1500 ms the bound is one fifth, exclusive.
        check(1000, 1500, Ratio::from_ppm(199_999), true);
        check(1000, 1500, Ratio::new(1, 5), false);
        check(1500, 1500, Ratio::ZERO, false);
        check(1499, 1500, Ratio::ZERO, true);
        check(1, 1500, Ratio::ONE, false);
    }

    #[test]
    fn the_error_shows_its_figures() {
        let lease = Duration::from_millis(1500);
        let broken = unsafe_lease(lease, lease, Ratio::new(1, 100)).expect("it is not safe");
        assert_eq!(broken.code, "E0311");
        assert!(broken.detail.contains("10000 ppm"), "{}", broken.detail);
        // 1500 ms · 0.99 / 1.01, exclusive.
        let lease_max = Duration(1_470_297_029);
        assert!(broken.detail.contains(&format!("{lease_max}")), "{}", broken.detail);
    }

    #[test]
    fn the_words_of_the_reads_setting_stand_in_the_order_of_the_type() {
        assert_eq!(Reads::WORDS[Reads::ReadIndex as usize], "read-index");
        assert_eq!(Reads::WORDS[Reads::LeaderLease as usize], "leader-lease");
        assert_eq!(Reads::WORDS[Reads::Local as usize], "local");
    }
}
