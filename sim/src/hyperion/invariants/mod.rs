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
use super::system::{GATEWAY, MIRRORING_GATEWAY};
use super::tables::CACHES;
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use auth_fails_closed::AuthFailsClosed;
use catalog::rows::find;
use catalog::{Find, Group, Invariant, Itself, PerNode, PropertyRow, Watched, watch};
use evicts_in_order::EvictsInOrder;
use gets_borrow::GetsBorrow;
use no_two_nodes_ack_in_overlap::NoTwoNodesAck;
use replicas_equal::ReplicasEqual;
use size_accounting::SizeAccounting;
use writes_apply_once::WritesApplyOnce;

const GATEWAYS: &[&str] = &[GATEWAY, MIRRORING_GATEWAY];

/// What [`all`] holds, in its order, and of which nodes.
pub const PROPERTIES: &[PropertyRow] = &[
    PropertyRow { property: AuthFailsClosed::PROPERTY, roles: GATEWAYS },
    PropertyRow { property: GetsBorrow::PROPERTY, roles: CACHES },
    PropertyRow { property: EvictsInOrder::PROPERTY, roles: CACHES },
    PropertyRow { property: NoTwoNodesAck::PROPERTY, roles: CACHES },
    PropertyRow { property: ReplicasEqual::PROPERTY, roles: CACHES },
    PropertyRow { property: SizeAccounting::PROPERTY, roles: CACHES },
    PropertyRow { property: WritesApplyOnce::PROPERTY, roles: CACHES },
];

/// All of them, over the groups of caches and of gateways among `groups`.
#[must_use]
pub fn all(groups: &[Group]) -> Vec<Box<dyn Invariant>> {
    const SERVER: Find<Server> = find::<Server, Itself>;
    let gateways = Watched::with_roles(groups, GATEWAYS);
    let caches = Watched::with_roles(groups, CACHES);
    vec![
        watch(AuthFailsClosed, &gateways, find::<_, Itself>),
        watch(GetsBorrow, &caches, SERVER),
        watch(EvictsInOrder::default(), &caches, SERVER),
        watch(NoTwoNodesAck::new(&caches), &caches, SERVER),
        watch(ReplicasEqual::new(&caches), &caches, SERVER),
        watch(SizeAccounting, &caches, SERVER),
        watch(WritesApplyOnce::new(&caches), &caches, SERVER),
    ]
}
