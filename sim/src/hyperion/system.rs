//! Hyperion as the lab sees it: one row of the table of systems.

use super::auth::Auth;
use super::client::Client;
use super::database::Database;
use super::gateway::Gateway;
use super::invariants;
use super::server::{Server, metrics};
use super::tables;
use super::tables::settings::{self, CacheSettings, Reads};
use crate::protocol::frame::FRAME_BYTES_MAX;
use crate::protocol::raft::{self, Raft};
use crate::service::operator::MembershipRequest;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use catalog::{
    Code, Defect, Embeds, EventKind, Fields, GaugeKind, Group, Hunt, Invariant, Itself, Leadership,
    Limits, Membership, Operation, PredicateKind, PropertyRow, Relation, Role, Seat, Settings,
    System, Verb, Watched,
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

/// The largest value that a client can send: a frame, less what stands around the value.
const WRITTEN_BYTES_MAX: u64 = (FRAME_BYTES_MAX as u64) - (1 << 20);

/// So many elections in a row may end without a winner while nothing is disturbed: split votes
/// are rare, and each wait is drawn anew.
const ELECTIONS_LOST_MAX: u64 = 4;

/// The consensus cache.
#[derive(Clone, Copy, Debug)]
pub struct Hyperion;

const ROLES: &[Role] = &[
    Role {
        name: CACHE,
        about: "a member of a Raft group that serves reads and writes from the replicated state",
        settings: settings::CacheSettings::ROWS,
        uses: &[],
        durable: false,
    },
    Role {
        name: READ_THROUGH,
        about: "a cache node that loads from a database what it does not hold, and keeps it",
        settings: settings::ReadThroughSettings::ROWS,
        uses: &["db"],
        durable: false,
    },
    Role {
        name: SQL,
        about: "a database: bounded connections, one query after another",
        settings: settings::SqlSettings::ROWS,
        uses: &[],
        durable: false,
    },
    Role {
        name: GATEWAY,
        about: "what clients reach: asks the auth service, and passes on what was granted",
        settings: settings::GatewaySettings::ROWS,
        uses: &["auth", "cache"],
        durable: false,
    },
    Role {
        name: MIRRORING_GATEWAY,
        about: "a gateway that repeats a share of its traffic at a second cluster",
        settings: settings::MirroringGatewaySettings::ROWS,
        uses: &["auth", "cache", "shadow"],
        durable: false,
    },
    Role {
        name: AUTH,
        about: "says whether the token of a client is good",
        settings: settings::AuthSettings::ROWS,
        uses: &[],
        durable: false,
    },
    Role {
        name: CLIENT,
        about: "one logical process that asks the group and retries",
        settings: settings::ClientSettings::ROWS,
        uses: &["target"],
        durable: false,
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

    fn hunt(&self) -> Option<&'static Hunt> {
        Some(tables::HUNT)
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

    fn properties(&self) -> &'static [PropertyRow] {
        tables::PROPERTIES
    }

    fn codes(&self) -> &'static [Code] {
        raft::CODES
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

    fn limits(&self, role: &str, settings: &Settings) -> Limits {
        match role {
            role if is_cache(role) => Limits {
                nodes_max: raft::PEERS_MAX as u32,
                preload_bytes_max: settings.bytes("value_size_max"),
                ..Limits::NONE
            },
            CLIENT => Limits { value_bytes_max: WRITTEN_BYTES_MAX, ..Limits::NONE },
            _ => Limits::NONE,
        }
    }

    fn patience(&self, role: &str, settings: &Settings) -> Option<Duration> {
        (role == CLIENT)
            .then(|| settings.duration("timeout").max(settings.duration("health_timeout")))
    }

    fn leadership(&self, role: &str, settings: &Settings) -> Option<Leadership> {
        is_cache(role).then(|| {
            let raft = CacheSettings::from(settings).raft;
            let fixed = raft.election_fixed.iter().copied().max().unwrap_or(Duration::ZERO);
            Leadership {
                is_leaderless: |group, nodes| raft::is_leaderless(group, nodes, RAFT_OF),
                within: Duration(raft.election.1.max(fixed).0 * ELECTIONS_LOST_MAX),
            }
        })
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
        let of_raft = caches.flat_map(|group| {
            let members = Watched::of([(group.name.as_str(), group.nodes.as_slice())]);
            raft::invariants::all(&members, RAFT_OF)
        });
        of_raft.chain(invariants::all(groups)).collect()
    }

    fn membership(&self, change: Membership, positions: &[u32]) -> Option<Vec<u8>> {
        let mut frame = Vec::new();
        MembershipRequest::encode(change, positions, &mut frame);
        Some(frame)
    }

    fn select(&self, word: &str, group: &[NodeId], nodes: &dyn Nodes) -> Vec<NodeId> {
        raft::select(word, group, nodes, RAFT_OF)
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

impl Embeds<Raft> for Hyperion {
    fn part(node: &dyn Node) -> Option<&Raft> {
        <Itself as Embeds<Server>>::part(node).map(Server::raft)
    }
}

const RAFT_OF: raft::RaftOf = catalog::rows::find::<Raft, Hyperion>;

/// Whether nodes of this role are members of a Raft group.
#[must_use]
pub fn is_cache(role: &str) -> bool {
    tables::CACHES.contains(&role)
}

fn cache_pending(group: &[NodeId], nodes: &dyn Nodes) -> Option<&'static str> {
    let of_raft = raft::pending(group, nodes, RAFT_OF);
    let mut servers = group.iter().filter_map(|&id| nodes.get::<Server>(id));
    let waits = |server: &Server| server.writes_pending() + server.reads_pending() > 0;
    of_raft.or_else(|| servers.any(waits).then_some("a request waits at a node"))
}

fn client_pending(group: &[NodeId], nodes: &dyn Nodes) -> Option<&'static str> {
    let mut clients = group.iter().filter_map(|&id| nodes.get::<Client>(id));
    clients.any(Client::is_busy).then_some("an operation of a client is in flight")
}

fn cache_relations(settings: &Settings, drift_max: Ratio) -> Vec<Relation> {
    let CacheSettings { reads, raft: settings, .. } = CacheSettings::from(settings);
    let timing = raft::Timing {
        election: settings.election,
        heartbeat: settings.heartbeat,
        lease: (reads == Reads::LeaderLease).then_some(settings.lease),
        election_fixed: settings.election_fixed,
    };
    raft::relations(&timing, drift_max)
}
