//! Replicas that applied the same prefix of the log are in the same state.
//!
//! Raft promises that no two nodes apply different entries at one index (raft-paper §5.4.3); this
//! adds that applying is deterministic: no clock, no local decision. It compares digests over
//! commands and answers at equal indexes, also between two lives of one node.

use super::{Seats, server};
use crate::protocol::cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use catalog::{Invariant, Property, Violation};
use contract::{NodeId, Nodes, SimTime};

/// How many indexes per group are remembered; a replica further behind than that is not compared
/// until it has caught up.
const DIGESTS_MAX: u64 = 8_192;

const PROPERTY: Property = Property {
    name: "hyperion.replicas_equal",
    about: "replicas that applied the same prefix of the log gave the same answers",
    source: "raft-paper §5.4.3",
};

#[derive(Clone, Debug)]
pub struct ReplicasEqual {
    seats: Seats,
    /// Per group: the first digest seen at an index, and at which node.
    digests: Vec<cow::Map<u64, (u64, NodeId)>>,
    /// Per node: the index at which it was last looked at.
    compared: Vec<u64>,
    /// Per node: the life in which it left the others, as a count of boots. It does not come back
    /// to them, so one report is enough.
    diverged: Vec<Option<u32>>,
}

impl ReplicasEqual {
    pub fn new(seats: &Seats) -> Self {
        Self {
            seats: seats.clone(),
            digests: vec![cow::Map::default(); seats.groups],
            compared: vec![0; seats.slots()],
            diverged: vec![None; seats.slots()],
        }
    }
}

impl Invariant for ReplicasEqual {
    fn property(&self) -> Property {
        PROPERTY
    }

    fn concerns(&self, node: NodeId) -> bool {
        self.seats.group(node).is_some()
    }

    fn after_event(
        &mut self,
        at: SimTime,
        touched: NodeId,
        nodes: &dyn Nodes,
    ) -> Result<(), Violation> {
        let Some(group) = self.seats.group(touched) else {
            return Ok(());
        };
        let Some(server) = server(nodes, touched) else {
            return Ok(());
        };
        let index = server.machine().applied_index();
        if core::mem::replace(&mut self.compared[touched.index()], index) == index {
            return Ok(());
        }
        let digest = server.machine().digest();
        let digests = &mut self.digests[group];
        let Some(&(expect, first)) = digests.get(&index) else {
            digests.insert(index, (digest, touched));
            if digests.len() > DIGESTS_MAX {
                let oldest = digests.first().expect("it is not empty").0;
                digests.remove(&oldest);
            }
            return Ok(());
        };
        let boot = Some(nodes.boot(touched));
        if digest == expect || self.diverged[touched.index()] == boot {
            return Ok(());
        }
        self.diverged[touched.index()] = boot;
        let (name, other) = (self.seats.name(touched), self.seats.name(first));
        Err(Violation {
            property: PROPERTY.name,
            rule: "two states at one index",
            at,
            nodes: vec![first, touched],
            ops: Vec::new(),
            detail: format!(
                "after index {index}, {name} has the digest {digest:#018x} and {other} had \
                 {expect:#018x}"
            ),
        })
    }

    fn fork(&self) -> Box<dyn Invariant> {
        Box::new(self.clone())
    }
}
