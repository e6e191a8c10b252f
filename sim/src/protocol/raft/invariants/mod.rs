//! The properties of Raft (raft-paper, Figure 3), watched after every event.
//!
//! Start with [`all`]. Each property looks at the touched node alone, keeps what it needs of the
//! past in shared chunks so that a fork is cheap, and reports a breach once: a node that has left
//! the group's history is not reported again for every entry that follows.

mod beliefs_held;
mod boots_from_past;
mod commits_on_quorum;
mod durable_log;
mod leader_append_only;
mod leader_completeness;
mod log_matching;
mod log_starts;
mod membership_agrees;
mod monotonic;
mod one_leader_per_term;
mod promises_durable;
mod state_machine_safety;
mod terms;

use super::entry::Entry;
use super::group::RaftOf;
use super::machine::Raft;
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use beliefs_held::BeliefsHeld;
use boots_from_past::BootsFromPast;
use catalog::{Derived, Derives, Invariant, PerNode, Property, Watched, watch};
use commits_on_quorum::CommitsOnQuorum;
use contract::hash::{hash_bytes, mix};
use leader_append_only::LeaderAppendOnly;
use leader_completeness::LeaderCompleteness;
use log_matching::LogMatching;
use membership_agrees::MembershipAgrees;
use monotonic::Monotonic;
use one_leader_per_term::OneLeaderPerTerm;
use promises_durable::PromisesDurable;
use state_machine_safety::StateMachineSafety;

/// A node as these properties see it.
type Look<'a> = catalog::Look<'a, Raft>;

/// What [`all`] holds, in its order.
pub const PROPERTIES: [Property; 12] = [
    OneLeaderPerTerm::PROPERTY,
    LeaderAppendOnly::PROPERTY,
    LogMatching::PROPERTY,
    LeaderCompleteness::PROPERTY,
    StateMachineSafety::PROPERTY,
    MembershipAgrees::PROPERTY,
    Monotonic::PROPERTY,
    PromisesDurable::PROPERTY,
    CommitsOnQuorum::PROPERTY,
    BeliefsHeld::PROPERTY,
    BootsFromPast::PROPERTY,
    <Raft as Derives>::PROPERTY,
];

/// Every property of the nodes of one group, whose Raft is found by `raft_of`.
#[must_use]
pub fn all(group: &Watched, raft_of: RaftOf) -> Vec<Box<dyn Invariant>> {
    assert!(group.groups() <= 1, "terms and logs are those of one group");
    vec![
        watch(OneLeaderPerTerm::default(), group, raft_of),
        watch(LeaderAppendOnly, group, raft_of),
        watch(LogMatching::new(group), group, raft_of),
        watch(LeaderCompleteness::default(), group, raft_of),
        watch(StateMachineSafety::new(group), group, raft_of),
        watch(MembershipAgrees::default(), group, raft_of),
        watch(Monotonic, group, raft_of),
        watch(PromisesDurable, group, raft_of),
        watch(CommitsOnQuorum::new(group), group, raft_of),
        watch(BeliefsHeld::new(group), group, raft_of),
        watch(BootsFromPast, group, raft_of),
        watch(Derived::<Raft>::default(), group, raft_of),
    ]
}

/// The identity of what an entry says; the same on every node.
fn digest(entry: &Entry) -> u64 {
    let stamped = mix(mix(0, entry.term), entry.time);
    let stamped = mix(stamped, hash_bytes(entry.command()));
    entry.members().map_or(stamped, |members| mix(stamped, members.digest()))
}
