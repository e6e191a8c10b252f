//! A get borrows what it serves, and gives it back.
//!
//! The defect of 2024-11-22: each hit copied the whole entry, and what was copied stayed. A heap
//! profile showed the bytes under `CacheEntry::clone`; here the marks of hits say what each copied,
//! and the node counts what copies it holds.

use super::super::server::Server;
use super::super::tables::Event;
use alloc::format;
use catalog::{Judged, Look, PerNode, Property};
use contract::Mark;

#[derive(Clone, Debug)]
pub struct GetsBorrow;

impl PerNode for GetsBorrow {
    type Part = Server;
    /// Whether the copying of the node was reported, in any of its lives.
    type Memory = bool;
    const PROPERTY: Property = Property {
        name: "hyperion.gets_borrow",
        about: "a get borrows what it serves, and gives it back",
        source: "hyperion-notes PR 847",
    };

    fn reboot(_is_reported: &mut bool) {}

    fn on_mark(&mut self, look: &Look<'_, Server>, is_reported: &mut bool, mark: Mark) -> Judged {
        if mark.event != Event::Hit.row() {
            return Ok(0);
        }
        let [key, deep_clones, _] = mark.labels;
        if deep_clones == 0 || core::mem::replace(is_reported, true) {
            return Ok(1);
        }
        let detail = format!(
            "{} copied the {} bytes of key {key} to serve a get, and holds {} bytes in copies",
            look.name(),
            mark.value,
            look.part.cloned_bytes(),
        );
        Err(look.breach(Self::PROPERTY, "a get copied the value", &[look.node], detail))
    }
}
