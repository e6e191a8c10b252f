//! What may be seen of all nodes of a world at once, and why one of them would not boot.

use crate::disk::DurableFiles;
use crate::id::NodeId;
use crate::node::Node;
use alloc::string::String;
use core::any::Any;

/// Read-only view of a world's nodes. A node that is down is not there.
pub trait Nodes {
    /// How many nodes the world has, up or down.
    fn count(&self) -> usize;
    /// The node, when it is up.
    fn node(&self, id: NodeId) -> Option<&dyn Node>;
    /// How often the node has booted before: 0 in its first life.
    fn boot(&self, id: NodeId) -> u32;
    /// The machine that a started node runs on; `None` for one that booted by itself or is down.
    fn machine(&self, _id: NodeId) -> Option<NodeId> {
        None
    }
    /// What a loss of power now would leave of the node's files, whether it is up or down; `None`
    /// where the host does not say.
    fn durable(&self, _id: NodeId) -> Option<&dyn DurableFiles> {
        None
    }
}

impl dyn Nodes + '_ {
    /// The node as its concrete type, when it is up and of that type.
    #[must_use]
    pub fn get<T: Node>(&self, id: NodeId) -> Option<&T> {
        let node: &dyn Any = self.node(id)?;
        node.downcast_ref::<T>()
    }

    /// All ids, up or down.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        assert!(self.count() <= u32::MAX as usize, "ids have 32 bits");
        (0..self.count() as u32).map(NodeId)
    }
}

/// A node that will not serve from what it found on its disk, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub String);
