//! Each write of a session takes effect at most once (raft-thesis §6.3).
//!
//! A client repeats a write that was not answered, so a command may be in the log twice. The state
//! machine must recognise the second; it also notes every command that it carried out although its
//! session had moved past it, which is what this looks at.

use super::{Seats, server};
use alloc::boxed::Box;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use catalog::{Invariant, Property, Violation};
use contract::{NodeId, Nodes, SimTime};

pub const PROPERTY: Property = Property {
    name: "hyperion.writes_apply_once",
    about: "each write of a session takes effect at most once",
    source: "raft-thesis §6.3",
};

#[derive(Clone, Debug)]
pub struct WritesApplyOnce {
    seats: Seats,
    /// How many things were judged.
    looked: u64,
    /// Per group: the last index that was reported. Every replica repeats the same breach.
    reported: Vec<u64>,
}

impl WritesApplyOnce {
    pub fn new(seats: &Seats) -> Self {
        Self { seats: seats.clone(), looked: 0, reported: vec![0; seats.groups] }
    }
}

impl Invariant for WritesApplyOnce {
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
        self.looked += u64::from(server.machine().sessions() > 0);
        let Some(repeat) = server.machine().last_repeat() else {
            return Ok(());
        };
        if repeat.again_index <= self.reported[group] {
            return Ok(());
        }
        self.reported[group] = repeat.again_index;
        Err(Violation {
            property: PROPERTY.name,
            rule: "a write took effect twice",
            at,
            nodes: vec![touched],
            ops: Vec::new(),
            detail: format!(
                "{} carried out write {} of session {:#x}/{} on key {} at index {}, although that \
                 session was at index {} by then",
                self.seats.name(touched),
                repeat.seq,
                repeat.session.client,
                repeat.session.epoch,
                repeat.key,
                repeat.again_index,
                repeat.first_index,
            ),
        })
    }

    fn looked(&self) -> u64 {
        self.looked
    }

    fn fork(&self) -> Box<dyn Invariant> {
        Box::new(self.clone())
    }
}
