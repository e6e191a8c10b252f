//! One direction of a link between two nodes.

use super::law::{LinkHit, LinkLaw};
use crate::record::Record;
use alloc::boxed::Box;
use alloc::vec::Vec;
use contract::{NodeId, SimTime};

/// The state of a link, made when it is first used.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub from: NodeId,
    pub to: NodeId,
    /// Messages so far.
    pub n: u64,
    /// The number of its random stream.
    pub stream: u64,
    /// Where that stream is buffered.
    pub place: u32,
    /// Which specification it has.
    pub spec: u32,
    /// Counts cuts that lose what is under way: a message of an earlier count is lost.
    pub cut: u32,
    /// Datagrams under way since the last cut.
    pub in_flight: u32,
    /// When the last byte queued for the link's bandwidth has left.
    pub busy_until: SimTime,
    /// Present once a condition was imposed on the link.
    pub bent: Option<Box<Bent>>,
}

/// What conditions did to a link.
#[derive(Clone, Debug)]
pub(crate) struct Bent {
    pub law: LinkLaw,
    /// The conditions on it, by number, ascending.
    pub conditions: Vec<u32>,
    pub hits: [u64; 8],
    /// Datagrams that wait for the link to be released, each with the time it is due without.
    pub held: Vec<(SimTime, Record)>,
}

impl Bent {
    pub fn new(law: LinkLaw) -> Self {
        Self { law, conditions: Vec::new(), hits: [0; 8], held: Vec::new() }
    }
}

impl Link {
    pub fn new(from: NodeId, to: NodeId, stream: u64, spec: u32) -> Self {
        Self {
            from,
            to,
            n: 0,
            stream,
            place: u32::MAX,
            spec,
            cut: 0,
            in_flight: 0,
            busy_until: SimTime::ZERO,
            bent: None,
        }
    }

    /// A condition changed something, `times` times.
    pub fn hit(&mut self, hit: LinkHit, times: u64) {
        if let Some(bent) = &mut self.bent {
            bent.hits[hit as usize] += times;
        }
    }

    pub fn hits(&self, hit: LinkHit) -> u64 {
        self.bent.as_ref().map_or(0, |bent| bent.hits[hit as usize])
    }
}
