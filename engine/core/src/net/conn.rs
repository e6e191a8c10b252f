//! The table of connections, and what one consists of.

use crate::frames::FrameId;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use contract::{CloseReason, ConnId, NodeId, SimTime};

/// All connections that are not over.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conns {
    pub(super) slots: Vec<Conn>,
    pub(super) free: Vec<u32>,
    /// Sorted by id.
    pub(super) index: Vec<(ConnId, u32)>,
    pub(super) made: u32,
}

/// One connection; end 0 opened it, way 0 leads from end 0 to end 1.
#[derive(Clone, Debug)]
pub(crate) struct Conn {
    pub(super) id: ConnId,
    /// Tells apart connections that used the same slot.
    pub(super) serial: u32,
    pub(super) ends: [End; 2],
    pub(super) ways: [Way; 2],
    /// The opener has heard of the acceptor.
    pub(super) answered: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) node: NodeId,
    pub(super) boot: u32,
    pub(super) state: EndState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndState {
    /// The request to open has not arrived.
    Asked,
    /// The node may write, and gets what arrives.
    Open,
    /// The node closed it, refused it, gave it up, or is down.
    Gone,
}

/// One direction.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) link: u32,
    pub(super) segments: VecDeque<Segment>,
    pub(super) state: WayState,
    /// Nothing more can be written.
    pub(super) shut: bool,
    /// The sender has lost its power: what gets lost is not sent again.
    pub(super) muted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WayState {
    Idle,
    /// The first segment has an entry in the queue.
    Queued,
    /// The first segment waits: for the link, because it is cut or only held, or for a machine
    /// without power, which is as good as cut.
    Stopped {
        since: SimTime,
        cut: bool,
    },
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) part: Part,
    pub(super) n: u64,
    pub(super) cut: u32,
    pub(super) due: SimTime,
    pub(super) latency_ns: u64,
    /// When it leaves its machine for the last time.
    pub(super) sent: SimTime,
    /// Sent while the link was stopped, or to a machine without power.
    pub(super) stopped: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    Open,
    Accept,
    Data(FrameId),
    /// The last thing on this way.
    End(CloseReason),
    /// The machine does not know the connection: the answer to what came for it.
    Unknown,
    /// The sender gives up: too many losses. `answers` says that it was to be an `Unknown`.
    GiveUp {
        answers: bool,
    },
}

impl Part {
    /// Whether it ends its direction.
    pub(super) const fn is_last(self) -> bool {
        matches!(self, Self::End(_) | Self::Unknown | Self::GiveUp { .. })
    }

    /// Whether it stands for an [`Part::Unknown`].
    pub(super) const fn answers(self) -> bool {
        matches!(self, Self::Unknown | Self::GiveUp { answers: true })
    }
}

impl Conns {
    pub(super) fn find(&self, id: ConnId) -> Option<u32> {
        let at = self.index.binary_search_by_key(&id, |entry| entry.0).ok()?;
        Some(self.index[at].1)
    }

    pub(super) fn insert(&mut self, id: ConnId, ends: [End; 2], links: [u32; 2]) -> u32 {
        self.made += 1;
        assert_ne!(ends[0].node, ends[1].node, "a connection has two ends");
        assert_ne!(links[0], links[1], "each direction has its link");
        let serial = self.made;
        let slot = self.free.pop().unwrap_or_else(|| {
            let ways = links.map(Way::new);
            self.slots.push(Conn { id, serial, ends, ways, answered: false });
            (self.slots.len() - 1) as u32
        });
        let conn = &mut self.slots[slot as usize];
        (conn.id, conn.serial, conn.ends, conn.answered) = (id, serial, ends, false);
        for (way, link) in conn.ways.iter_mut().zip(links) {
            assert!(way.segments.is_empty(), "a free slot was cleared");
            (way.link, way.state, way.shut, way.muted) = (link, WayState::Idle, false, false);
        }
        let at = self.index.binary_search_by_key(&id, |entry| entry.0);
        self.index.insert(at.expect_err("connections have unique ids"), (id, slot));
        assert_eq!(
            self.index.len() + self.free.len(),
            self.slots.len(),
            "each slot is one or free"
        );
        slot
    }

    pub(super) fn get(&self, slot: u32) -> &Conn {
        &self.slots[slot as usize]
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> &mut Conn {
        &mut self.slots[slot as usize]
    }

    /// The connection in `slot`, when it is still the one with that serial.
    pub(super) fn current(&self, slot: u32, serial: u32) -> Option<&Conn> {
        let conn = &self.slots[slot as usize];
        (conn.serial == serial).then_some(conn)
    }
}

impl Way {
    pub(super) fn new(link: u32) -> Self {
        let (segments, state) = (VecDeque::new(), WayState::Idle);
        Self { link, segments, state, shut: false, muted: false }
    }
}

impl Conn {
    /// Which end `node` is, in the life that opened or accepted it.
    pub(super) fn end_of(&self, node: NodeId) -> usize {
        usize::from(self.ends[0].node != node)
    }

    /// Whether an end is open and has nothing under way.
    pub(super) fn is_idle(&self, end: usize) -> bool {
        self.ends[end].state == EndState::Open && self.ways[end].segments.is_empty()
    }

    /// Whether nobody will ever hear or say anything on it.
    pub(super) fn is_over(&self) -> bool {
        self.ends[0].state == EndState::Gone
            && self.ends[1].state != EndState::Open
            && self.ways.iter().all(|way| way.segments.is_empty())
    }
}
