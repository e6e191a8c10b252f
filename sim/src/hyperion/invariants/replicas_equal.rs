//! Replicas that applied the same prefix of the log are in the same state.
//!
//! Raft promises that no two nodes apply different entries at one index (raft-paper §5.4.3); this
//! adds that applying is deterministic: no clock, no local decision. It compares digests over
//! commands and answers at equal indexes, also between two lives of one node.

use super::super::server::Server;
use crate::protocol::cow;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use catalog::{Judged, Look, PerNode, Property, Watched};
use contract::NodeId;

/// How many indexes per group are remembered; a replica further behind than that is not compared
/// until it has caught up.
const DIGESTS_MAX: u64 = 8_192;

#[derive(Clone, Debug)]
pub struct ReplicasEqual {
    /// Per group: the first digest seen at an index, and at which node.
    digests: Vec<cow::Map<u64, (u64, NodeId)>>,
}

/// What is remembered of one node.
#[derive(Clone, Copy, Debug, Default)]
pub struct Compared {
    /// The index at which it was last looked at, in any life.
    index: u64,
    /// Whether it left the others in this life. It does not come back to them, so one report is
    /// enough.
    has_diverged: bool,
}

impl ReplicasEqual {
    pub fn new(watched: &Watched) -> Self {
        Self { digests: vec![cow::Map::default(); watched.groups()] }
    }
}

impl PerNode for ReplicasEqual {
    type Part = Server;
    type Memory = Compared;
    const PROPERTY: Property = Property {
        name: "hyperion.replicas_equal",
        about: "replicas that applied the same prefix of the log gave the same answers",
        source: "raft-paper §5.4.3",
    };

    fn reboot(compared: &mut Compared) {
        compared.has_diverged = false;
    }

    fn look(&mut self, look: &Look<'_, Server>, compared: &mut Compared) -> Judged {
        let machine = look.part.machine();
        let index = machine.applied_index();
        if core::mem::replace(&mut compared.index, index) == index {
            return Ok(0);
        }
        let digest = machine.digest();
        let digests = &mut self.digests[look.place.group];
        let Some(&(expect, first)) = digests.get(&index) else {
            digests.insert(index, (digest, look.node));
            if digests.len() > DIGESTS_MAX {
                let oldest = digests.first().expect("it is not empty").0;
                digests.remove(&oldest);
            }
            return Ok(0);
        };
        if digest == expect || core::mem::replace(&mut compared.has_diverged, true) {
            return Ok(1);
        }
        let (name, other) = (look.name(), look.name_of(first));
        let detail = format!(
            "after index {index}, {name} has the digest {digest:#018x} and {other} had \
             {expect:#018x}"
        );
        let rule = "two states at one index";
        Err(look.breach(Self::PROPERTY, rule, &[first, look.node], detail))
    }
}
