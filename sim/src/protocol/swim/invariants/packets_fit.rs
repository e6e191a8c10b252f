//! The length of packets (memberlist `UDPBufferSize`): what is longer does not arrive everywhere.

use super::Look;
use crate::protocol::swim::Swim;
use alloc::format;
use catalog::{Judged, PerNode, Property};

/// A packet of several messages is not longer than a packet may be.
#[derive(Clone, Debug)]
pub struct PacketsFit;

/// The longest that was judged.
#[derive(Clone, Debug, Default)]
pub struct Memory(u64);

impl PerNode for PacketsFit {
    type Part = Swim;
    type Memory = Memory;
    const PROPERTY: Property = Property {
        name: "swim.packets_fit",
        about: "no packet of several messages is too long",
        source: "memberlist config.go",
    };

    fn look(&mut self, look: &Look<'_>, memory: &mut Memory) -> Judged {
        let peak = look.part.packet_bytes_peak();
        if core::mem::replace(&mut memory.0, peak) == peak {
            return Ok(0);
        }
        let bound = look.part.config().timing.packet_bytes;
        if peak <= u64::from(bound) {
            return Ok(1);
        }
        let detail = format!("{} sent {peak} bytes in a packet of {bound}", look.name());
        Err(look.breach(Self::PROPERTY, "a packet is too long", &[look.node], detail))
    }
}
