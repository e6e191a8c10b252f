//! Connections: two reliable, ordered byte streams each, over links that lose and delay.
//!
//! Each direction is a queue of segments of which only the first has an entry in the event queue,
//! so order holds whatever the latencies are. A lost segment is sent again after 200 ms, doubling;
//! after six losses in a row, or when the link was cut for 10 s, its sender gives up. What is
//! written before the connection is open travels right behind the request to open it.
//!
//! Each end closes by what it sees itself: by what arrives, or by its own time-outs (see
//! [`super::half_open`]); nothing crosses a cut link or comes from a machine without power.

use super::conn::{End, EndState, Part, Segment, WayState};
use super::retry::after_losses;
use super::{Carried, LOSSES_MAX};
use crate::frames::FrameId;
use crate::host::HostHit;
use crate::kernel::Kernel;
use crate::net::law::LinkHit;
use crate::record::{Class, Record, What};
use contract::{CloseReason, ConnId, Duration, NodeId};

/// What is due together is read together, up to so many bytes.
pub const READ_BYTES_MAX: usize = 1 << 20;

/// One write in so many is split in two.
const SPLIT_ONE_IN: u64 = 4;

const _: () = assert!(SPLIT_ONE_IN > 0, "some writes are split");
const _: () = assert!(READ_BYTES_MAX <= u32::MAX as usize, "lengths have 32 bits");

impl Kernel {
    /// Opens a connection from `from` to `to`.
    pub fn open(&mut self, from: NodeId, id: ConnId, to: NodeId) {
        assert_eq!(id.opener, from, "a connection is named by its opener");
        assert_ne!(from, to, "a node has no connection to itself");
        assert!(self.hosts.get(from).alive, "only a node that is up opens one");
        self.counters.streams_opened += 1;
        let boot = self.hosts.get(from).boot;
        let opener = End { node: from, boot, state: EndState::Open };
        let acceptor = End { node: to, boot: 0, state: EndState::Asked };
        let links = [self.net.links.id(from, to), self.net.links.id(to, from)];
        let slot = self.conns.insert(id, [opener, acceptor], links);
        self.transmit(slot, 0, Part::Open, 0);
        self.await_answer(slot);
    }

    /// Writes to a connection; ignored when the node cannot write to it any more.
    pub fn write(&mut self, node: NodeId, id: ConnId, bytes: &[u8]) {
        let Some(slot) = self.conns.find(id) else {
            return;
        };
        let way = self.conns.get(slot).end_of(node);
        if self.conns.get(slot).ways[way].shut || bytes.is_empty() {
            return;
        }
        self.counters.stream_bytes += bytes.len() as u64;
        let frame = self.frames.put(bytes);
        let split = self.transmit(slot, way, Part::Data(frame), bytes.len() as u32);
        if let Some(at) = split {
            self.split(slot, way, bytes, at);
        }
    }

    /// Closes a connection after what was written.
    pub fn close(&mut self, node: NodeId, id: ConnId) {
        let Some(slot) = self.conns.find(id) else {
            return;
        };
        let end = self.conns.get(slot).end_of(node);
        if self.conns.get(slot).ends[end].state == EndState::Gone {
            return;
        }
        self.conns.get_mut(slot).ends[end].state = EndState::Gone;
        self.shut(slot, end, CloseReason::Done);
    }

    /// The first segment of a direction is due; returns what its receiver gets, if anything.
    pub fn flow(&mut self, slot: u32, serial: u32, way: usize, n: u64) -> Option<Record> {
        let conn = self.conns.current(slot, serial)?;
        let segment = *conn.ways[way].segments.front()?;
        if conn.ways[way].state != WayState::Queued || segment.n != n {
            return None;
        }
        assert!(segment.due <= self.now(), "a segment is not early");
        if segment.cut != self.net.links.get(conn.ways[way].link).cut {
            self.lose(slot, way);
            return None;
        }
        if self.finds_no_power(slot, way, segment) {
            return None;
        }
        let conn = self.conns.get_mut(slot);
        conn.ways[way].segments.pop_front();
        conn.ways[way].state = WayState::Idle;
        let what = self.receive(slot, way, segment)?;
        let conn = self.conns.get(slot);
        let (src, dst) = (conn.ends[way].node, conn.ends[1 - way].node);
        let is_over = matches!(what, What::Closed { .. });
        let is_heard = self.is_heard(slot, 1 - way);
        if is_over {
            self.remove(slot);
        } else {
            self.queue_head(slot, way);
        }
        if !is_heard {
            if let What::Data { frame, .. } = what {
                self.frames.release(frame);
            }
            if !is_over {
                self.answer_unknown(slot, 1 - way);
                self.tidy(slot);
            }
            return None;
        }
        Some(Record { n, src, dst, what })
    }

    /// The node's process died: its operating system breaks its connections.
    pub fn sever(&mut self, node: NodeId) {
        assert!(self.hosts.get(node).alive, "only a node that is up can crash");
        let mut at = 0;
        while at < self.conns.index.len() {
            let slot = self.conns.index[at].1;
            let conn = self.conns.get(slot);
            let Some(end) = conn.ends.iter().position(|end| end.node == node) else {
                at += 1;
                continue;
            };
            // A request that is still under way will find the node down, or rebooted.
            if conn.ends[end].state != EndState::Asked {
                // What the peer did less than a latency ago this machine cannot know: it says that
                // it breaks also to a peer that has closed, and the peer's segments stay under way.
                self.conns.get_mut(slot).ends[end].state = EndState::Gone;
                self.shut(slot, end, CloseReason::Reset);
            }
            at += 1;
        }
    }

    /// Breaks every connection that is open at a node which lives on. The node learns it in the next
    /// round; the peers once the reset has come, or by the usual rules where the link does not
    /// carry it. What the node wrote and has not arrived is lost, what comes is thrown away.
    pub fn reset_all(&mut self, node: NodeId) {
        let now = self.now();
        for at in 0..self.conns.index.len() {
            let (id, slot) = self.conns.index[at];
            let conn = self.conns.get(slot);
            let Some(end) = conn.ends.iter().position(|end| end.node == node) else {
                continue;
            };
            if !self.is_heard(slot, end) {
                continue;
            }
            let End { boot, .. } = self.conns.get(slot).ends[end];
            let peer = self.conns.get(slot).ends[1 - end].node;
            assert!(!self.conns.get(slot).ways[end].shut, "an end that is open may write");
            self.counters.streams_reset += 1;
            self.clear_way(slot, end);
            self.conns.get_mut(slot).ends[end].state = EndState::Gone;
            self.shut(slot, end, CloseReason::Reset);
            let what = What::Closed { conn: id, reason: CloseReason::Reset, boot };
            let n = self.hosts.get_mut(node).number();
            self.queue.schedule(now, Class::Closed, Record { n, src: peer, dst: node, what });
        }
    }

    /// What a segment means to its receiver, and what it sets off.
    fn receive(&mut self, slot: u32, way: usize, segment: Segment) -> Option<What> {
        let conn = self.conns.get(slot);
        let id = conn.id;
        let receiver = conn.ends[1 - way];
        let boot = receiver.boot;
        match segment.part {
            Part::Open => self.accept_or_refuse(slot),
            Part::Accept => {
                self.conns.get_mut(slot).answered = true;
                Some(What::Opened { conn: id })
            }
            Part::Data(frame) => {
                let frame = self.merge(slot, way, frame);
                Some(What::Data { conn: id, frame })
            }
            Part::End(reason) => Some(What::Closed { conn: id, reason, boot }),
            Part::Unknown => Some(What::Closed { conn: id, reason: CloseReason::Reset, boot }),
            Part::GiveUp { answers } => {
                self.give_up(slot, way, answers);
                None
            }
        }
    }

    fn accept_or_refuse(&mut self, slot: u32) -> Option<What> {
        let state = self.conns.get(slot).ends[1].state;
        assert_eq!(state, EndState::Asked, "a request is answered once");
        let acceptor = self.conns.get(slot).ends[1].node;
        let host = self.hosts.get_mut(acceptor);
        let (alive, boot) = (host.alive, host.boot);
        if !alive {
            host.hit(HostHit::Down);
            self.counters.streams_refused += 1;
            self.conns.get_mut(slot).ends[1].state = EndState::Gone;
            self.shut(slot, 1, CloseReason::Refused);
            // The opener does not know yet: what it wrote arrives, and nobody hears it.
            self.queue_head(slot, 0);
            return None;
        }
        let conn = self.conns.get_mut(slot);
        let id = conn.id;
        let end = &mut conn.ends[1];
        (end.boot, end.state) = (boot, EndState::Open);
        self.transmit(slot, 1, Part::Accept, 0);
        Some(What::Opened { conn: id })
    }

    /// Appends what is due by now to `head`, as a read returns everything that has arrived.
    fn merge(&mut self, slot: u32, way: usize, mut head: FrameId) -> FrameId {
        let now = self.now();
        let flow = &mut self.conns.get_mut(slot).ways[way];
        let cut = self.net.links.get(flow.link).cut;
        while let Some(next) = flow.segments.front() {
            let Part::Data(tail) = next.part else { return head };
            let merged_bytes = self.frames.get(head).len() + self.frames.get(tail).len();
            let is_here = next.due <= now && !next.stopped && next.cut == cut;
            if !is_here || merged_bytes > READ_BYTES_MAX {
                return head;
            }
            head = self.frames.join(head, tail);
            flow.segments.pop_front();
        }
        head
    }

    /// Whether what arrives at an end reaches its node.
    pub(super) fn is_heard(&self, slot: u32, end: usize) -> bool {
        let end = self.conns.get(slot).ends[end];
        let host = self.hosts.get(end.node);
        end.state == EndState::Open && host.alive && host.boot == end.boot
    }

    /// Nothing more is written on the way of `end`; the other end learns why.
    fn shut(&mut self, slot: u32, end: usize, reason: CloseReason) {
        let gone = self.conns.get(slot).ends[end].state == EndState::Gone;
        assert!(gone, "an end that is there may still write");
        if !core::mem::replace(&mut self.conns.get_mut(slot).ways[end].shut, true) {
            self.transmit(slot, end, Part::End(reason), 0);
        }
    }

    /// Cuts the last write in two, at a place that its message drew.
    fn split(&mut self, slot: u32, way: usize, bytes: &[u8], at: usize) {
        assert!(at > 0 && at < bytes.len(), "both parts have bytes");
        let flow = &mut self.conns.get_mut(slot).ways[way];
        let last = flow.segments.back_mut().expect("the write was just queued");
        let Part::Data(whole) = last.part else {
            return;
        };
        let head = self.frames.put(&bytes[..at]);
        last.part = Part::Data(head);
        self.frames.release(whole);
        let tail = self.frames.put(&bytes[at..]);
        self.transmit(slot, way, Part::Data(tail), (bytes.len() - at) as u32);
    }

    /// Sends a segment; returns where a write is to be split, if it is.
    pub(super) fn transmit(
        &mut self,
        slot: u32,
        way: usize,
        part: Part,
        len_bytes: u32,
    ) -> Option<usize> {
        let now = self.now();
        let conn = self.conns.get(slot);
        let (from, to) = (conn.ends[way].node, conn.ends[1 - way].node);
        let carried = self.net.carry(now, from, to, len_bytes, &mut self.counters);
        let (cut, held) = self.net.stops(carried.link);
        let late = after_losses(carried.losses);
        self.counters.stream_retransmits += u64::from(carried.losses);
        let gives_up = carried.losses == LOSSES_MAX;
        let part = match part {
            Part::Data(frame) if gives_up => {
                self.frames.release(frame);
                Part::GiveUp { answers: false }
            }
            part if gives_up => Part::GiveUp { answers: part.answers() },
            part => part,
        };
        if cut || held {
            let hit = if cut { LinkHit::Block } else { LinkHit::Hold };
            self.net.links.hit(carried.link, hit, 1);
        }
        let flow = &mut self.conns.get_mut(slot).ways[way];
        let due = now + late + Duration(if gives_up { 0 } else { carried.latency_ns });
        let behind = flow.segments.back().map_or(due, |last| last.due.max(due));
        assert!(behind >= now, "nothing arrives before it was sent");
        flow.segments.push_back(Segment {
            part,
            n: carried.n * 2,
            cut: carried.cut,
            due: behind,
            latency_ns: carried.latency_ns,
            sent: now + late,
            stopped: cut || held,
        });
        if flow.state == WayState::Idle {
            self.queue_head(slot, way);
        }
        split_of(&carried, len_bytes)
    }

    /// Gives the first segment of an idle direction its entry in the queue, unless it is stopped.
    pub(super) fn queue_head(&mut self, slot: u32, way: usize) {
        let now = self.now();
        let conn = self.conns.get_mut(slot);
        let (serial, src, dst) = (conn.serial, conn.ends[way].node, conn.ends[1 - way].node);
        let flow = &mut conn.ways[way];
        assert_eq!(flow.state, WayState::Idle, "one entry per direction");
        let Some(head) = flow.segments.front() else {
            return;
        };
        if head.stopped {
            return self.stop(slot, way);
        }
        let class = match head.part {
            Part::Open | Part::Accept => Class::Opened,
            Part::Data(_) => Class::Data,
            Part::End(_) | Part::Unknown | Part::GiveUp { .. } => Class::Closed,
        };
        let what = What::Flow { conn: slot, serial, way: way as u8 };
        let record = Record { n: head.n, src, dst, what };
        flow.state = WayState::Queued;
        self.queue.schedule(head.due.max(now), class, record);
    }

    pub(super) fn clear_way(&mut self, slot: u32, way: usize) {
        let flow = &mut self.conns.slots[slot as usize].ways[way];
        for segment in flow.segments.drain(..) {
            if let Part::Data(frame) = segment.part {
                self.frames.release(frame);
            }
        }
        flow.state = WayState::Idle;
    }

    pub(super) fn remove(&mut self, slot: u32) {
        self.clear_way(slot, 0);
        self.clear_way(slot, 1);
        let conn = self.conns.get_mut(slot);
        let id = conn.id;
        assert_ne!(conn.serial, 0, "a connection is removed once");
        conn.serial = 0;
        let at = self.conns.index.binary_search_by_key(&id, |entry| entry.0);
        self.conns.index.remove(at.expect("a connection is removed once"));
        self.conns.free.push(slot);
    }
}

/// Where a write of `len_bytes` is cut in two, if it is.
pub(crate) fn split_of(carried: &Carried, len_bytes: u32) -> Option<usize> {
    let gives_up = carried.losses == LOSSES_MAX;
    let splits = len_bytes > 1 && carried.split.below(SPLIT_ONE_IN) == 0 && !gives_up;
    let place = contract::Word(contract::hash::mix(carried.split.0, 3));
    splits.then(|| 1 + place.below(u64::from(len_bytes) - 1) as usize)
}
