//! The properties of Hyperion's nodes, one per file; those of Raft stand beside Raft.
//!
//! Each looks only at what the node that was touched could have changed, and reports each breach
//! once.

mod auth_fails_closed;
mod evicts_in_order;
mod gets_borrow;
mod no_two_nodes_ack_in_overlap;
mod replicas_equal;
mod size_accounting;
mod writes_apply_once;

use super::server::Server;
use super::system::{GATEWAY, MIRRORING_GATEWAY, is_cache};
use super::tables::CACHES;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use catalog::{Group, Invariant, Property, PropertyRow};
use contract::{NodeId, Nodes};

/// All of them, over the cache groups among `groups`.
#[must_use]
pub fn all(groups: &[Group]) -> Vec<Box<dyn Invariant>> {
    let seats = Seats::of(groups);
    vec![
        Box::new(auth_fails_closed::AuthFailsClosed::default()),
        Box::new(gets_borrow::GetsBorrow::new(&seats)),
        Box::new(evicts_in_order::EvictsInOrder::new(&seats)),
        Box::new(no_two_nodes_ack_in_overlap::NoTwoNodesAck::new(&seats)),
        Box::new(replicas_equal::ReplicasEqual::new(&seats)),
        Box::new(size_accounting::SizeAccounting::new(&seats)),
        Box::new(writes_apply_once::WritesApplyOnce::new(&seats)),
    ]
}

/// What [`all`] holds, and of which nodes.
pub const PROPERTIES: &[PropertyRow] = &[
    PropertyRow { property: auth_fails_closed::PROPERTY, roles: &[GATEWAY, MIRRORING_GATEWAY] },
    of_caches(gets_borrow::PROPERTY),
    of_caches(evicts_in_order::PROPERTY),
    of_caches(no_two_nodes_ack_in_overlap::PROPERTY),
    of_caches(replicas_equal::PROPERTY),
    of_caches(size_accounting::PROPERTY),
    of_caches(writes_apply_once::PROPERTY),
];

const fn of_caches(property: Property) -> PropertyRow {
    PropertyRow { property, roles: CACHES }
}

/// Which cache group each node is in, and what it is called.
#[derive(Clone, Debug)]
struct Seats {
    /// By node; `None` for nodes that are no cache nodes. Shared by all invariants and their forks.
    seats: Arc<[Option<SeatOf>]>,
    groups: usize,
}

#[derive(Clone, Debug)]
struct SeatOf {
    group: usize,
    name: String,
}

impl Seats {
    fn of(groups: &[Group]) -> Self {
        let caches = groups.iter().filter(|group| is_cache(group.role));
        let (mut seats, mut groups) = (Vec::new(), 0);
        for (number, group) in caches.enumerate() {
            groups = number + 1;
            for (index, node) in group.nodes.iter().enumerate() {
                let slots = seats.len().max(node.index() + 1);
                seats.resize(slots, None);
                let name = format!("{}/{}", group.name, index + 1);
                seats[node.index()] = Some(SeatOf { group: number, name });
            }
        }
        Self { seats: Arc::from(seats), groups }
    }

    /// The number of the node's group, for nodes that are cache nodes.
    fn group(&self, node: NodeId) -> Option<usize> {
        let seat = self.seats.get(node.index())?.as_ref()?;
        Some(seat.group)
    }

    fn name(&self, node: NodeId) -> &str {
        let seat = self.seats.get(node.index()).and_then(Option::as_ref);
        seat.map_or("?", |seat| &seat.name)
    }

    /// One slot per node id up to the last cache node.
    fn slots(&self) -> usize {
        self.seats.len()
    }
}

/// The cache node with this id, when it is one and it is up.
fn server(nodes: &dyn Nodes, node: NodeId) -> Option<&Server> {
    nodes.get::<Server>(node)
}
