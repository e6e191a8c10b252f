//! The properties of Hyperion's nodes, one per file; those of Raft stand beside Raft.
//!
//! Each looks only at what the node that was touched could have changed, and reports each breach
//! once.

mod auth_fails_closed;
mod breaker_follows_model;
mod evicts_in_order;
mod follows_the_log;
mod gets_borrow;
mod no_two_nodes_ack_in_overlap;
mod replicas_equal;
mod requests_answered;
mod size_accounting;
mod writes_apply_once;

use super::client::Client;
use super::server::Server;
use super::system::{CLIENT, GATEWAY, MIRRORING_GATEWAY};
use super::tables::CACHES;
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use auth_fails_closed::AuthFailsClosed;
use breaker_follows_model::BreakerFollowsModel;
use catalog::rows::find;
use catalog::{Find, Group, Invariant, Itself, PerNode, PropertyRow, Watched, watch};
use evicts_in_order::EvictsInOrder;
use follows_the_log::FollowsTheLog;
use gets_borrow::GetsBorrow;
use no_two_nodes_ack_in_overlap::NoTwoNodesAck;
use replicas_equal::ReplicasEqual;
use requests_answered::RequestsAnswered;
use size_accounting::SizeAccounting;
use writes_apply_once::WritesApplyOnce;

const CLIENTS: &[&str] = &[CLIENT];
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
    PropertyRow { property: FollowsTheLog::PROPERTY, roles: CACHES },
    PropertyRow { property: RequestsAnswered::PROPERTY, roles: CACHES },
    PropertyRow { property: BreakerFollowsModel::PROPERTY, roles: CLIENTS },
];

/// All of them, over the groups of caches and of gateways among `groups`.
#[must_use]
pub fn all(groups: &[Group]) -> Vec<Box<dyn Invariant>> {
    const SERVER: Find<Server> = find::<Server, Itself>;
    let gateways = Watched::with_roles(groups, GATEWAYS);
    let caches = Watched::with_roles(groups, CACHES);
    let clients = Watched::with_roles(groups, CLIENTS);
    vec![
        watch(AuthFailsClosed, &gateways, find::<_, Itself>),
        watch(GetsBorrow, &caches, SERVER),
        watch(EvictsInOrder::default(), &caches, SERVER),
        watch(NoTwoNodesAck::new(&caches), &caches, SERVER),
        watch(ReplicasEqual::new(&caches), &caches, SERVER),
        watch(SizeAccounting, &caches, SERVER),
        watch(WritesApplyOnce::new(&caches), &caches, SERVER),
        watch(FollowsTheLog::new(&caches), &caches, SERVER),
        watch(RequestsAnswered, &caches, SERVER),
        watch(BreakerFollowsModel, &clients, find::<Client, Itself>),
    ]
}
