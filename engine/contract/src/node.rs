//! The seam between a node and whatever hosts it: inputs, effects, and the door between them.

use crate::disk::{Disk, DiskError, FileId};
use crate::id::{ConnId, NodeId, OpId, SyncId, TimerKey};
use crate::op::{Call, Outcome};
use crate::rng::Rng;
use crate::time::{Duration, Now};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::any::Any;

/// A sans-IO state machine: no clock, socket, disk, thread or hidden randomness.
///
/// Bytes at the door, types inside: decode in [`Node::on_input`], keep the protocol in typed
/// methods, and end each input by asserting the node's own invariants.
pub trait Node: Any {
    /// Handles one input to completion.
    fn on_input(&mut self, now: Now, input: Input<'_>, fx: &mut Fx<'_>);
    /// A copy, for snapshots of the world. `None` when the state cannot be copied: then a fork is
    /// a replay from the seed.
    fn fork(&self) -> Option<Box<dyn Node>>;
    /// Logical memory in use, in bytes, equal on every platform. Past its limit the node is
    /// killed.
    fn memory_bytes(&self) -> u64 {
        0
    }
}

/// Every reason a node may run.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the variants say what the fields are")]
pub enum Input<'a> {
    /// A datagram arrived. It may be lost, doubled, late, reordered or corrupted.
    Datagram { from: NodeId, bytes: &'a [u8] },
    /// A connection is open: at the opener once the peer accepted, at the peer when it arrives.
    Opened { conn: ConnId, peer: NodeId },
    /// Bytes of a connection's stream, in order; the host may split and merge them.
    Data { conn: ConnId, bytes: &'a [u8] },
    /// The connection is gone, or could not be opened.
    Closed { conn: ConnId, reason: CloseReason },
    /// A timer that the node set is due.
    Timer(TimerKey),
    /// A sync that the node asked for ended.
    Synced { sync: SyncId, result: Result<(), DiskError> },
    /// The load asks this client node for an operation.
    Invoke { op: OpId, call: &'a Call },
    /// A node that this node started is running.
    Started { ticket: u64, node: NodeId },
    /// Nothing was started for this ticket, and nothing will be.
    NotStarted { ticket: u64, reason: StartError },
    /// A node that this node started is gone.
    Exited { node: NodeId },
}

/// Why a node was not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StartError {
    /// No dormant node of that role is free on this machine.
    NoSeat,
    /// The settings are not those of the role, or do not go together.
    Settings,
    /// The node refused to serve from what it found on its disk.
    Refused,
}

/// Why a connection closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CloseReason {
    /// The peer is not there: nothing that was written was received.
    Refused,
    /// The peer closed it after it had received everything.
    Done,
    /// It broke: what was written last may or may not have been received.
    Reset,
    /// Nothing was heard for too long, while it was opened, while something that was written waited
    /// to be acknowledged, or by keep-alives. What was written may or may not have been received.
    TimedOut,
}

/// A range of the outbox' byte arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// Just after the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes of this span.
    #[must_use]
    #[inline]
    pub fn of(self, arena: &[u8]) -> &[u8] {
        &arena[self.start as usize..self.end as usize]
    }

    /// The number of bytes.
    #[must_use]
    pub const fn len(self) -> u32 {
        assert!(self.start <= self.end, "a span does not end before it starts");
        self.end - self.start
    }

    /// True for a span of nothing.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// Something a node did that scenarios and checks can refer to by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The row of the event in the system's table of events.
    pub event: u16,
    /// What the labels mean stands in that row; unused ones are 0.
    pub labels: [u64; 3],
    /// In the unit of that row.
    pub value: u64,
}

/// Everything a node may ask for. Plain data: nothing happens until the host drains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants say what the fields are")]
pub enum Effect {
    /// Sends a datagram of at most [`DATAGRAM_BYTES_MAX`] bytes.
    Datagram { to: NodeId, bytes: Span },
    /// Opens a connection; answered by [`Input::Opened`] or [`Input::Closed`].
    Open { conn: ConnId, to: NodeId },
    /// Appends to the connection's stream.
    Write { conn: ConnId, bytes: Span },
    /// Closes the connection after what was written.
    Close { conn: ConnId },
    /// Sets or moves a timer.
    SetTimer { key: TimerKey, after: Duration },
    /// Forgets a timer.
    CancelTimer { key: TimerKey },
    /// Asks for what was written to `files` (their numbers, little-endian) to become durable;
    /// answered by [`Input::Synced`]. Syncs in flight may end in any order.
    Sync { sync: SyncId, files: Span },
    /// This input took processor time; the next one waits for it.
    Spend { cost: Duration },
    /// A client's operation ended.
    Complete { op: OpId, outcome: u32 },
    /// Starts a dormant node of `role` on this machine, as a container runtime would; answered by
    /// [`Input::Started`] or [`Input::NotStarted`], exactly once.
    Start { ticket: u64, role: &'static str, settings: Span },
    /// Stops a node that this node started, and no other; answered by [`Input::Exited`].
    Stop { node: NodeId },
    /// Tells the lab what happened.
    Mark(Mark),
}

/// The longest datagram: 1 MiB.
pub const DATAGRAM_BYTES_MAX: u32 = 1 << 20;

/// It fits into an outbox many times.
const _: () = assert!(DATAGRAM_BYTES_MAX < u32::MAX / 1_024);

/// What a node asked for while it handled one input. Reused for every event: vectors that stop
/// growing after warm-up.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    /// In the order in which the node asked.
    pub effects: Vec<Effect>,
    /// The bytes that spans refer to.
    pub bytes: Vec<u8>,
    /// The outcomes that [`Effect::Complete`] refers to by position.
    pub outcomes: Vec<Outcome>,
}

impl Outbox {
    /// Whether the host has drained it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.effects.is_empty() && self.bytes.is_empty() && self.outcomes.is_empty()
    }

    /// Forgets everything, keeping the buffers.
    pub fn clear(&mut self) {
        self.effects.clear();
        self.bytes.clear();
        self.outcomes.clear();
    }
}

/// A node's only door to the world. Lives for one call: a node cannot keep it.
pub struct Fx<'a> {
    outbox: &'a mut Outbox,
    me: NodeId,
    conns_opened: &'a mut u32,
    /// The node's files.
    pub disk: &'a mut dyn Disk,
    /// The node's random stream of this boot.
    pub rng: &'a mut Rng,
}

impl<'a> Fx<'a> {
    /// A door for one input of node `me`, which has opened `conns_opened` connections so far,
    /// counted over all of its boots. A host that forgot to drain the previous input fails here.
    pub fn new(
        outbox: &'a mut Outbox,
        me: NodeId,
        conns_opened: &'a mut u32,
        disk: &'a mut dyn Disk,
        rng: &'a mut Rng,
    ) -> Self {
        assert!(outbox.is_empty(), "the host drains an input's effects before the next input");
        Self { outbox, me, conns_opened, disk, rng }
    }

    /// This node.
    #[must_use]
    pub fn me(&self) -> NodeId {
        self.me
    }

    /// Sends a datagram that `write` encodes straight into the outbox.
    #[inline]
    pub fn datagram(&mut self, to: NodeId, write: impl FnOnce(&mut Vec<u8>)) -> Span {
        let bytes = self.encode(write);
        self.datagram_again(to, bytes);
        bytes
    }

    /// Sends the bytes of an earlier datagram of this input to one more node.
    #[inline]
    pub fn datagram_again(&mut self, to: NodeId, bytes: Span) {
        assert!(bytes.len() <= DATAGRAM_BYTES_MAX, "a datagram holds at most 1 MiB");
        assert!(bytes.end as usize <= self.outbox.bytes.len(), "the span is one of this input");
        self.outbox.effects.push(Effect::Datagram { to, bytes });
    }

    /// Opens a connection to `to`.
    pub fn open(&mut self, to: NodeId) -> ConnId {
        assert_ne!(to, self.me, "a node has no connection to itself");
        let conn = ConnId { opener: self.me, number: *self.conns_opened };
        *self.conns_opened += 1;
        self.outbox.effects.push(Effect::Open { conn, to });
        conn
    }

    /// Appends to the stream of `conn` what `write` encodes. Ignored when it is closed.
    pub fn write(&mut self, conn: ConnId, write: impl FnOnce(&mut Vec<u8>)) {
        let bytes = self.encode(write);
        self.outbox.effects.push(Effect::Write { conn, bytes });
    }

    /// Closes `conn` once what was written has arrived.
    pub fn close(&mut self, conn: ConnId) {
        self.outbox.effects.push(Effect::Close { conn });
    }

    /// Sets the timer `key`, or moves it when it is set already.
    #[inline]
    pub fn set_timer(&mut self, key: TimerKey, after: Duration) {
        self.outbox.effects.push(Effect::SetTimer { key, after });
    }

    /// Forgets the timer `key`.
    pub fn cancel_timer(&mut self, key: TimerKey) {
        self.outbox.effects.push(Effect::CancelTimer { key });
    }

    /// Asks for everything written to `files` so far to become durable.
    pub fn sync(&mut self, sync: SyncId, files: &[FileId]) {
        let bytes = self.encode(|out| {
            files.iter().for_each(|file| out.extend_from_slice(&file.0.to_le_bytes()));
        });
        self.outbox.effects.push(Effect::Sync { sync, files: bytes });
        assert_eq!(bytes.len() as usize, files.len() * 4, "a file's number takes four bytes");
    }

    /// Charges processor time for this input.
    pub fn spend(&mut self, cost: Duration) {
        self.outbox.effects.push(Effect::Spend { cost });
    }

    /// Ends a client's operation.
    pub fn complete(&mut self, op: OpId, outcome: Outcome) {
        let index = self.outbox.outcomes.len() as u32;
        assert!(self.outbox.outcomes.len() < u32::MAX as usize, "outcomes are counted in 32 bits");
        self.outbox.outcomes.push(outcome);
        self.outbox.effects.push(Effect::Complete { op, outcome: index });
    }

    /// Starts a dormant node of `role` with settings that `write` encodes, as the host reads them:
    /// in this lab `catalog::Overrides`.
    pub fn start(&mut self, ticket: u64, role: &'static str, write: impl FnOnce(&mut Vec<u8>)) {
        let settings = self.encode(write);
        self.outbox.effects.push(Effect::Start { ticket, role, settings });
    }

    /// Stops a node that this node started.
    pub fn stop(&mut self, node: NodeId) {
        self.outbox.effects.push(Effect::Stop { node });
    }

    /// Tells the lab that `event` happened, with up to three labels and a value.
    #[inline]
    pub fn mark(&mut self, event: u16, labels: [u64; 3], value: u64) {
        self.outbox.effects.push(Effect::Mark(Mark { event, labels, value }));
    }

    #[inline]
    fn encode(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Span {
        let start = self.outbox.bytes.len() as u32;
        write(&mut self.outbox.bytes);
        let end = self.outbox.bytes.len() as u32;
        assert!(start <= end, "an encoder only appends");
        assert!(self.outbox.bytes.len() <= u32::MAX as usize, "an input asks for less than 4 GiB");
        Span { start, end }
    }
}

/// Reads the file numbers of an [`Effect::Sync`].
pub fn sync_files(bytes: &[u8]) -> impl Iterator<Item = FileId> + '_ {
    assert!(bytes.len().is_multiple_of(4), "a file's number takes four bytes");
    bytes.chunks_exact(4).map(|word| {
        let word: [u8; 4] = word.try_into().expect("chunks of exactly four bytes");
        FileId(u32::from_le_bytes(word))
    })
}
