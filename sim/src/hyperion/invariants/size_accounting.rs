//! The counter of bytes held equals the sum over the entries held.
//!
//! Eviction and refusal go by the counter: one that drifts makes a cache refuse writes although it
//! is empty, or grow past its limit (the class of etcd-io/raft a370b6f). A recount costs as much as
//! the store is long, so it is done once per that many applied entries.

use super::super::entry::Entry;
use super::{Seats, server};
use alloc::boxed::Box;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use contract::{Invariant, NodeId, Nodes, Property, SimTime, Violation};

/// At least so many entries are applied between two recounts.
const RECOUNT_EVERY: u64 = 64;

const PROPERTY: Property = Property {
    name: "hyperion.size_accounting",
    about: "the counter of bytes held equals the sum over the entries held",
    source: "etcd-io/raft a370b6f",
};

#[derive(Clone, Debug)]
pub struct SizeAccounting {
    seats: Seats,
    /// Per node: its boot, and the index from which on it is recounted next.
    due: Vec<(u32, u64)>,
}

impl SizeAccounting {
    pub fn new(seats: &Seats) -> Self {
        Self { seats: seats.clone(), due: vec![(0, RECOUNT_EVERY); seats.slots()] }
    }
}

impl Invariant for SizeAccounting {
    fn property(&self) -> Property {
        PROPERTY
    }

    fn after_event(
        &mut self,
        at: SimTime,
        touched: NodeId,
        nodes: &dyn Nodes,
    ) -> Result<(), Violation> {
        if self.seats.group(touched).is_none() {
            return Ok(());
        }
        let Some(server) = server(nodes, touched) else {
            return Ok(());
        };
        let index = server.machine().applied_index();
        let boot = nodes.boot(touched);
        let due = &mut self.due[touched.index()];
        if due.0 != boot {
            *due = (boot, RECOUNT_EVERY);
        }
        if index < due.1 {
            return Ok(());
        }
        let store = server.machine().store();
        due.1 = index + store.len().max(RECOUNT_EVERY);
        let counted: u64 = store.iter().map(Entry::size_bytes).sum();
        if counted == store.size_bytes() {
            return Ok(());
        }
        // It does not come right again, so nothing more is to be learnt in this life.
        due.1 = u64::MAX;
        Err(Violation {
            property: PROPERTY.name,
            rule: "the counter differs from the sum",
            at,
            nodes: vec![touched],
            ops: Vec::new(),
            detail: format!(
                "{} counts {} bytes for {} entries that are {counted} bytes together",
                self.seats.name(touched),
                store.size_bytes(),
                store.len(),
            ),
        })
    }

    fn fork(&self) -> Box<dyn Invariant> {
        Box::new(self.clone())
    }
}
