//! Who lives on which machine.

use alloc::collections::BTreeMap;
use contract::NodeId;

/// By seat, the machine that it runs on, or ran on last: what it sent is still in that machine's
/// network. Empty until something is started.
#[derive(Clone, Debug, Default)]
pub(crate) struct Homes(BTreeMap<NodeId, NodeId>);

impl Homes {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where a seat lives, if it was ever started.
    pub fn get(&self, seat: NodeId) -> Option<NodeId> {
        self.0.get(&seat).copied()
    }

    /// The machine of a node: its own, for one that booted by itself.
    pub fn machine_of(&self, node: NodeId) -> NodeId {
        self.get(node).unwrap_or(node)
    }

    /// The seats that live on a machine, in the order of ids.
    pub fn residents(&self, machine: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let here = move |entry: &(&NodeId, &NodeId)| *entry.1 == machine;
        self.0.iter().filter(here).map(|(seat, _)| *seat)
    }

    /// Whether two nodes share a machine, so that no wire is between them.
    pub fn is_inside(&self, one: NodeId, other: NodeId) -> bool {
        one != other && self.machine_of(one) == self.machine_of(other)
    }

    /// A seat moves to a machine.
    pub fn settle(&mut self, seat: NodeId, machine: NodeId) {
        assert!(!self.0.contains_key(&machine), "a machine lives on no other");
        assert!(seat != machine, "a machine does not start itself");
        self.0.insert(seat, machine);
    }
}
