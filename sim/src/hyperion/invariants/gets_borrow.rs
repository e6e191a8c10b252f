//! A get borrows what it serves, and gives it back.
//!
//! The flaw of 2024-11-22: each hit copied the whole entry, and what was copied stayed. A heap
//! profile showed the bytes under `CacheEntry::clone`; here the marks of hits say what each copied,
//! and the node counts what copies it holds.

use super::super::tables::Event;
use super::{Seats, server};
use alloc::boxed::Box;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use catalog::{Invariant, Property, Violation};
use contract::{Mark, NodeId, Nodes, SimTime};

pub const PROPERTY: Property = Property {
    name: "hyperion.gets_borrow",
    about: "a get borrows what it serves, and gives it back",
    source: "hyperion-notes PR 847",
};

#[derive(Clone, Debug)]
pub struct GetsBorrow {
    seats: Seats,
    /// How many things were judged.
    looked: u64,
    /// Per node: whether its copying was reported.
    reported: Vec<bool>,
}

impl GetsBorrow {
    pub fn new(seats: &Seats) -> Self {
        Self { seats: seats.clone(), looked: 0, reported: vec![false; seats.slots()] }
    }
}

impl Invariant for GetsBorrow {
    fn property(&self) -> Property {
        PROPERTY
    }

    fn concerns(&self, node: NodeId) -> bool {
        self.seats.group(node).is_some()
    }

    fn on_mark(
        &mut self,
        at: SimTime,
        node: NodeId,
        mark: Mark,
        nodes: &dyn Nodes,
    ) -> Result<(), Violation> {
        let [key, deep_clones, _] = mark.labels;
        if mark.event != Event::Hit.row() || self.seats.group(node).is_none() {
            return Ok(());
        }
        self.looked += 1;
        if deep_clones == 0 {
            return Ok(());
        }
        if core::mem::replace(&mut self.reported[node.index()], true) {
            return Ok(());
        }
        let held = server(nodes, node).map_or(0, super::super::Server::cloned_bytes);
        let name = self.seats.name(node);
        Err(Violation {
            property: PROPERTY.name,
            rule: "a get copied the value",
            at,
            nodes: vec![node],
            ops: Vec::new(),
            detail: format!(
                "{name} copied the {} bytes of key {key} to serve a get, and holds {held} bytes in \
                 copies",
                mark.value,
            ),
        })
    }

    fn after_event(&mut self, _: SimTime, _: NodeId, _: &dyn Nodes) -> Result<(), Violation> {
        Ok(())
    }

    fn looked(&self) -> u64 {
        self.looked
    }

    fn fork(&self) -> Box<dyn Invariant> {
        Box::new(self.clone())
    }
}
