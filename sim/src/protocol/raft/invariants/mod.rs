//! The properties of Raft (raft-paper, Figure 3), watched after every event.
//!
//! Start with [`all`]. Each property looks at the touched node alone, keeps what it needs of the
//! past in shared chunks so that a fork is cheap, and reports a breach once: a node that has left
//! the group's history is not reported again for every entry that follows.

mod leader_append_only;
mod leader_completeness;
mod log_matching;
mod membership_agrees;
mod monotonic;
mod one_leader_per_term;
mod state_machine_safety;

use super::entry::Entry;
use super::machine::Raft;
use super::tables::RaftOf;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use catalog::{Invariant, Property, Violation};
use contract::hash::{hash_bytes, mix};
use contract::{NodeId, Nodes, SimTime};

pub use leader_append_only::LeaderAppendOnly;
pub use leader_completeness::LeaderCompleteness;
pub use log_matching::LogMatching;
pub use membership_agrees::MembershipAgrees;
pub use monotonic::Monotonic;
pub use one_leader_per_term::OneLeaderPerTerm;
pub use state_machine_safety::StateMachineSafety;

/// Every property of the nodes of a group, whose Raft is found by `raft_of`.
#[must_use]
pub fn all(group: &str, nodes: &[NodeId], raft_of: RaftOf) -> Vec<Box<dyn Invariant>> {
    let members = Members::new(group, nodes, raft_of);
    vec![
        Box::new(Watched(OneLeaderPerTerm::new(members.clone()))),
        Box::new(Watched(LeaderAppendOnly::new(members.clone()))),
        Box::new(Watched(LogMatching::new(members.clone()))),
        Box::new(Watched(LeaderCompleteness::new(members.clone()))),
        Box::new(Watched(StateMachineSafety::new(members.clone()))),
        Box::new(Watched(MembershipAgrees::new(members.clone()))),
        Box::new(Watched(Monotonic::new(members))),
    ]
}

/// The members of one group, and how to look into them.
#[derive(Clone, Debug)]
pub struct Members {
    group: Arc<str>,
    nodes: Arc<[NodeId]>,
    raft_of: RaftOf,
}

impl Members {
    /// The nodes of a group, in the order of their indexes.
    #[must_use]
    pub fn new(group: &str, nodes: &[NodeId], raft_of: RaftOf) -> Self {
        Self { group: Arc::from(group), nodes: Arc::from(nodes), raft_of }
    }

    /// What a scenario calls `node`: the group, and the number in it from 1.
    fn name(&self, node: NodeId) -> String {
        let position = self.position(node).expect("properties tell of members only");
        format!("{}/{}", self.group, position + 1)
    }

    fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The position of `node` in the group.
    fn position(&self, node: NodeId) -> Option<usize> {
        self.nodes.iter().position(|&member| member == node)
    }

    fn raft<'a>(&self, nodes: &'a (dyn Nodes + 'a), node: NodeId) -> Option<&'a Raft> {
        (self.raft_of)(nodes, node)
    }
}

/// A property of the members of a group; each of them is looked at by itself.
trait OfMembers: Clone + 'static {
    const PROPERTY: Property;

    fn members(&self) -> &Members;

    /// Looks at a member that has just handled an event.
    fn look(&mut self, look: &Look<'_>) -> Result<(), Violation>;
}

/// A member that is up, just after an event.
struct Look<'a> {
    at: SimTime,
    node: NodeId,
    /// Its position in the group.
    position: usize,
    /// How often it booted before.
    boot: u32,
    raft: &'a Raft,
    nodes: &'a (dyn Nodes + 'a),
}

/// A property as the lab asks for it.
struct Watched<P>(P);

impl<P: OfMembers> Invariant for Watched<P> {
    fn property(&self) -> Property {
        P::PROPERTY
    }

    fn concerns(&self, node: NodeId) -> bool {
        self.0.members().position(node).is_some()
    }

    fn after_event(
        &mut self,
        at: SimTime,
        touched: NodeId,
        nodes: &dyn Nodes,
    ) -> Result<(), Violation> {
        let members = self.0.members();
        let Some(position) = members.position(touched) else { return Ok(()) };
        let Some(raft) = members.raft(nodes, touched) else { return Ok(()) };
        let boot = nodes.boot(touched);
        self.0.look(&Look { at, node: touched, position, boot, raft, nodes })
    }

    fn fork(&self) -> Box<dyn Invariant> {
        Box::new(Self(self.0.clone()))
    }
}

/// The identity of what an entry says; the same on every node.
fn digest(entry: &Entry) -> u64 {
    let stamped = mix(mix(0, entry.term), entry.time);
    let stamped = mix(stamped, hash_bytes(entry.command()));
    entry.members().map_or(stamped, |members| mix(stamped, members.digest()))
}

fn violation(
    property: Property,
    rule: &'static str,
    at: SimTime,
    nodes: &[NodeId],
    detail: String,
) -> Violation {
    Violation { property: property.name, rule, at, nodes: nodes.to_vec(), ops: Vec::new(), detail }
}
