//! A network that waits for a test: every message is held until the test delivers or drops it.
//!
//! For interaction tests, whose transcripts explain a protocol message by message.

use crate::api::Observer;
use crate::counters::DropReason;
use crate::engine::Engine;
use crate::record::{Class, What};
use alloc::vec::Vec;
use contract::NodeId;

/// A message that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Who sent it.
    pub from: NodeId,
    /// Who gets it.
    pub to: NodeId,
    /// A datagram's bytes; `None` for the next segment of a stream.
    pub bytes: Option<Vec<u8>>,
}

impl<O: Observer> Engine<O> {
    /// From now on nothing that is sent arrives by itself.
    pub fn hold_all(&mut self) {
        self.kernel.net.manual = true;
    }

    /// What waits, by link in the order of first use, then in the order of sending.
    #[must_use]
    pub fn waiting(&self) -> Vec<Waiting> {
        let mut waiting = Vec::new();
        let links = &self.kernel.net.links;
        for id in links.used() {
            let (from, to) = links.ends(id);
            let held = links.held(id);
            waiting.extend(held.iter().map(|(_, record)| {
                let What::Datagram { frame, .. } = record.what else {
                    panic!("only datagrams are held");
                };
                let bytes = Some(self.kernel.frames.get(frame).to_vec());
                Waiting { from, to, bytes }
            }));
            let segments = self.kernel.stopped_on(id);
            waiting.extend((0..segments).map(|_| Waiting { from, to, bytes: None }));
        }
        waiting
    }

    /// Delivers, now, the `nth` datagram that waits from `from` to `to`; without one, the next
    /// segment of a stream. `false` when there is neither.
    pub fn deliver_waiting(&mut self, from: NodeId, to: NodeId, nth: usize) -> bool {
        let id = self.kernel.net.links.id(from, to);
        let Some(record) = self.kernel.net.links.take_held(id, nth) else {
            return self.kernel.let_through(id);
        };
        let now = self.kernel.now();
        self.kernel.queue.schedule(now, Class::Data, record);
        true
    }

    /// Drops the `nth` datagram that waits from `from` to `to`; `false` when there is none.
    pub fn drop_waiting(&mut self, from: NodeId, to: NodeId, nth: usize) -> bool {
        let id = self.kernel.net.links.id(from, to);
        let Some(record) = self.kernel.net.links.take_held(id, nth) else {
            return false;
        };
        let link = self.kernel.net.links.get_mut(id);
        assert!(link.in_flight > 0, "what waits is under way");
        link.in_flight -= 1;
        let What::Datagram { frame, .. } = record.what else {
            panic!("only datagrams are held");
        };
        self.kernel.frames.release(frame);
        self.kernel.counters.count_drop(DropReason::Blocked);
        true
    }
}
