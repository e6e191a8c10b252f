//! The last events, for evidence after a violation. Text is made by whoever reads them.

use alloc::vec::Vec;
use contract::{NodeId, SimTime};

/// What kind of event a node saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are those of the inputs")]
pub enum EventKind {
    Boot = 1,
    Crash = 2,
    Datagram = 3,
    Opened = 4,
    Data = 5,
    Closed = 6,
    Timer = 7,
    Synced = 8,
    Invoke = 9,
    Started = 10,
    Exited = 11,
    /// The node's clock was bent.
    Clock = 12,
    /// The node's disk misbehaved.
    Disk = 13,
    /// Nothing was started for the node.
    NotStarted = 14,
}

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it happened.
    pub at: SimTime,
    /// To whom.
    pub node: NodeId,
    /// From whom; the node itself for timers and the like.
    pub src: NodeId,
    /// What.
    pub kind: EventKind,
    /// The number of bytes that came with it.
    pub len_bytes: u32,
    /// A hash of those bytes, or of what identifies the event.
    pub hash: u64,
}

/// A ring of the last events.
#[derive(Clone, Debug)]
pub struct Trace {
    ring: Vec<Event>,
    /// Where the next event goes once the ring is full.
    next: usize,
    len_max: usize,
    seen: u64,
}

/// How many events a trace holds unless it is told otherwise. A fork copies them.
pub const TRACE_LEN: usize = 256;

impl Default for Trace {
    fn default() -> Self {
        Self::new(TRACE_LEN)
    }
}

impl Trace {
    /// A ring of `len_max` events; at least 1.
    #[must_use]
    pub fn new(len_max: usize) -> Self {
        assert!(len_max > 0, "a trace holds at least one event");
        Self { ring: Vec::with_capacity(len_max), next: 0, len_max, seen: 0 }
    }

    /// The events, oldest first.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        let (newer, older) = self.ring.split_at(self.next);
        older.iter().chain(newer)
    }

    /// How many events there were in all.
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.seen
    }

    #[inline]
    pub(crate) fn push(&mut self, event: Event) {
        self.seen += 1;
        if self.ring.len() < self.len_max {
            self.ring.push(event);
            return;
        }
        self.ring[self.next] = event;
        self.next += 1;
        if self.next == self.len_max {
            self.next = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_keeps_the_last_events_in_order() {
        let mut trace = Trace::new(3);
        for at in 0..5 {
            let node = NodeId(0);
            let kind = EventKind::Timer;
            trace.push(Event { at: SimTime(at), node, src: node, kind, len_bytes: 0, hash: 0 });
        }
        let kept: Vec<u64> = trace.events().map(|event| event.at.0).collect();
        assert_eq!(kept, [2, 3, 4]);
        assert_eq!(trace.seen(), 5);
    }
}
