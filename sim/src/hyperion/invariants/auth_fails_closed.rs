//! A gateway passes on only what the auth service granted.

use super::super::tables::Event;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use catalog::{Invariant, Property, Violation};
use contract::{Mark, NodeId, Nodes, SimTime};

pub const PROPERTY: Property = Property {
    name: "hyperion.auth_fails_closed",
    about: "a gateway passes on only what the auth service granted",
    source: "hyperion-notes security",
};

/// Needs no memory: every mark says whether somebody granted it.
#[derive(Clone, Debug, Default)]
pub struct AuthFailsClosed {
    looked: u64,
}

impl Invariant for AuthFailsClosed {
    fn property(&self) -> Property {
        PROPERTY
    }

    fn on_mark(
        &mut self,
        at: SimTime,
        node: NodeId,
        mark: Mark,
        _: &dyn Nodes,
    ) -> Result<(), Violation> {
        if mark.event != Event::GatewayForwarded.row() {
            return Ok(());
        }
        self.looked += 1;
        if mark.labels[0] == 1 {
            return Ok(());
        }
        Err(Violation {
            property: PROPERTY.name,
            rule: "a request went through that nobody granted",
            at,
            nodes: vec![node],
            ops: Vec::new(),
            detail: String::from("a gateway passed a request on although auth had not said yes"),
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
