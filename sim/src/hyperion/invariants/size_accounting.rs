//! The counter of bytes held equals the sum over the entries held, and what is kept beside the
//! entries (the list of endings, the order of eviction) has as many of them.
//!
//! Eviction and refusal go by the counter: one that drifts makes a cache refuse writes although it
//! is empty, or grow past its limit (the class of etcd-io/raft a370b6f). A recount costs as much as
//! the store is long, so it is done once per that many applied entries.

use super::{Seats, server};
use crate::protocol::cache::entry::Entry;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use catalog::{Invariant, Property, Violation};
use contract::{NodeId, Nodes, SimTime};

/// At least so many entries are applied between two recounts.
const RECOUNT_EVERY: u64 = 64;

const PROPERTY: Property = Property {
    name: "hyperion.size_accounting",
    about: "the counter of bytes held, the list of endings and the order of eviction fit the entries",
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

    fn concerns(&self, node: NodeId) -> bool {
        self.seats.group(node).is_some()
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
        let ending = store.iter().filter(|entry| entry.ttl.is_some()).count() as u64;
        let name = self.seats.name(touched);
        let (rule, detail) = if counted != store.size_bytes() {
            let (bytes, len) = (store.size_bytes(), store.len());
            let detail = format!(
                "{name} counts {bytes} bytes for {len} entries that are {counted} bytes together"
            );
            ("the counter differs from the sum", detail)
        } else if ending != store.endings() {
            let listed = store.endings();
            let detail = format!("{name} lists {listed} endings of {ending} entries that end");
            ("the list of endings differs from the entries that end", detail)
        } else if store.ordered() != store.len() {
            let (ordered, len) = (store.ordered(), store.len());
            let detail = format!("{name} orders {ordered} of {len} entries for eviction");
            ("the order of eviction differs from the entries", detail)
        } else {
            return Ok(());
        };
        // It does not come right again, so nothing more is to be learnt in this life.
        due.1 = u64::MAX;
        let (nodes, ops) = (vec![touched], Vec::new());
        Err(Violation { property: PROPERTY.name, rule, at, nodes, ops, detail })
    }

    fn fork(&self) -> Box<dyn Invariant> {
        Box::new(self.clone())
    }
}
