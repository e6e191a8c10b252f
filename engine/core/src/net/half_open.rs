//! What an end finds out for itself: that nobody answers, and that a machine does not know it.
//!
//! A machine without power sends nothing and answers nothing. Its peers keep their ends until what
//! they sent was not acknowledged for [`CUT_OFF`], until keep-alives were not for [`KEEP_ALIVE`], or
//! until something of theirs reaches the machine after it is back: that answers with a reset (RFC
//! 9293, section 3.5.1, half-open connections). The same holds for whoever was given up across a
//! cut. Start with [`Kernel::silence`].

use super::conn::{EndState, Part, Segment, WayState};
use super::retry::{CUT_OFF, number_of};
use crate::host::HostHit;
use crate::kernel::Kernel;
use crate::record::{Class, Record, What};
use contract::{CloseReason, Duration, NodeId};

/// An end whose peer has gone without a word finds out by keep-alives within so long.
pub const KEEP_ALIVE: Duration = Duration::from_secs(30);

const _: () = assert!(KEEP_ALIVE.0 > CUT_OFF.0, "whoever has sent something gives up earlier");

impl Kernel {
    /// The machine of a node has lost its power: nothing leaves it any more, neither a farewell nor
    /// what it would have sent again. What is on the wire arrives.
    pub fn silence(&mut self, node: NodeId) {
        self.hosts.get_mut(node).dark = true;
        for at in (0..self.conns.index.len()).rev() {
            let slot = self.conns.index[at].1;
            let ends = &mut self.conns.get_mut(slot).ends;
            let Some(end) = ends.iter().position(|end| end.node == node) else {
                continue;
            };
            // A request that is still under way finds no power, or the next life.
            if ends[end].state == EndState::Asked {
                continue;
            }
            let was_open = ends[end].state == EndState::Open;
            ends[end].state = EndState::Gone;
            let lost_word = self.mute(slot, end);
            if was_open || lost_word {
                self.keep_alive(slot, 1 - end);
            }
            self.tidy(slot);
        }
    }

    /// The power is back: what peers send again finds a machine, which knows none of them.
    pub fn lighten(&mut self, node: NodeId) {
        let residents = self.net.links.homes.residents(node);
        let all: alloc::vec::Vec<NodeId> = core::iter::once(node).chain(residents).collect();
        for node in all {
            if core::mem::take(&mut self.hosts.get_mut(node).dark) {
                self.resume_ways_to(node);
            }
        }
    }

    fn resume_ways_to(&mut self, node: NodeId) {
        for at in 0..self.conns.index.len() {
            let slot = self.conns.index[at].1;
            let conn = self.conns.get(slot);
            for way in 0..2 {
                let conn_way = &conn.ways[way];
                let (is_cut, is_held) = self.net.stops(conn_way.link);
                if conn.ends[1 - way].node == node && !is_cut && !is_held {
                    self.resume_way(slot, way);
                    break;
                }
            }
        }
    }

    /// The sender of a direction loses its power; `true` when its last word goes with that.
    fn mute(&mut self, slot: u32, way: usize) -> bool {
        let now = self.now();
        let flow = &mut self.conns.get_mut(slot).ways[way];
        let (is_cut, _) = self.net.stops(flow.link);
        let waits = is_cut || matches!(flow.state, WayState::Stopped { cut: true, .. });
        let is_unsent = |one: &Segment| one.sent > now || (one.stopped && waits);
        let kept = flow.segments.iter().position(is_unsent).unwrap_or(flow.segments.len());
        (flow.muted, flow.shut) = (true, true);
        self.truncate(slot, way, kept)
    }

    /// Drops all but the first `kept` segments; `true` when the last word was among them.
    fn truncate(&mut self, slot: u32, way: usize, kept: usize) -> bool {
        let flow = &mut self.conns.get_mut(slot).ways[way];
        let mut lost_word = false;
        for segment in flow.segments.drain(kept..) {
            lost_word |= segment.part.is_last();
            if let Part::Data(frame) = segment.part {
                self.frames.release(frame);
            }
        }
        if flow.segments.is_empty() {
            flow.state = WayState::Idle;
        }
        lost_word
    }

    /// What was on the wire of a machine without power is lost, and nobody sends it again.
    pub(super) fn lose_for_good(&mut self, slot: u32, way: usize) {
        assert!(self.conns.get(slot).ways[way].muted, "whoever has power sends it again");
        if self.truncate(slot, way, 0) {
            self.keep_alive(slot, 1 - way);
        }
        self.tidy(slot);
    }

    /// Whether a segment finds a machine without power; then it is sent again for a while.
    pub(super) fn finds_no_power(&mut self, slot: u32, way: usize, segment: Segment) -> bool {
        let now = self.now();
        let conn = self.conns.get_mut(slot);
        let receiver = self.hosts.get_mut(conn.ends[1 - way].node);
        if !receiver.dark || matches!(segment.part, Part::GiveUp { .. }) {
            return false;
        }
        receiver.hit(HostHit::Down);
        self.counters.stream_retransmits += 1;
        let flow = &mut conn.ways[way];
        if flow.muted {
            self.lose_for_good(slot, way);
            return true;
        }
        flow.segments.front_mut().expect("it has just arrived").stopped = true;
        flow.state = WayState::Stopped { since: now, cut: true };
        self.be_patient(slot, way);
        true
    }

    /// A request to open is given so long.
    pub(super) fn await_answer(&mut self, slot: u32) {
        if self.is_frozen {
            return;
        }
        let conn = self.conns.get(slot);
        let (node, n) = (conn.ends[0].node, number_of(conn.id));
        let what = What::OpenEnd { conn: slot, serial: conn.serial };
        let at = self.now() + CUT_OFF;
        self.queue.schedule(at, Class::Timer, Record { n, src: node, dst: node, what });
    }

    /// A request to open was received and has waited for too long, unless it was answered. One that
    /// was not received is given up like anything else.
    pub fn open_end(&mut self, slot: u32, serial: u32) {
        let Some(conn) = self.conns.current(slot, serial) else {
            return;
        };
        if !conn.answered && conn.is_idle(0) {
            self.time_out(slot, 0);
        }
    }

    /// The other end of `end` has gone, and its word is lost: keep-alives will find out.
    fn keep_alive(&mut self, slot: u32, end: usize) {
        let conn = self.conns.get(slot);
        if conn.ends[end].state == EndState::Gone || self.is_frozen {
            return;
        }
        let (me, peer, n) = (conn.ends[end].node, conn.ends[1 - end].node, number_of(conn.id));
        let what = What::KeepAlive { conn: slot, serial: conn.serial, end: end as u8 };
        let at = self.now() + KEEP_ALIVE;
        self.queue.schedule(at, Class::Timer, Record { n, src: peer, dst: me, what });
    }

    /// Keep-alives of `end` were not answered. An end that has something under way sends none.
    pub fn unanswered(&mut self, slot: u32, serial: u32, end: usize) {
        if self.conns.current(slot, serial).is_some_and(|conn| conn.is_idle(end)) {
            self.time_out(slot, end);
        }
    }

    /// The sender of a direction gives up. Where it only answered that it does not know the
    /// connection, it is the other end that was not acknowledged for so long.
    pub(super) fn give_up(&mut self, slot: u32, way: usize, answers: bool) {
        self.clear_way(slot, way);
        if answers {
            assert!(self.conns.get(slot).ways[way].shut, "who answers so has no end");
            return self.time_out(slot, 1 - way);
        }
        if self.conns.get(slot).ends[way].state == EndState::Open {
            return self.time_out(slot, way);
        }
        self.keep_alive(slot, 1 - way);
        self.tidy(slot);
    }

    /// An end closes because nobody answers. What it has on the wire stays there.
    fn time_out(&mut self, slot: u32, end: usize) {
        let conn = self.conns.get(slot);
        let (id, me, peer) = (conn.id, conn.ends[end], conn.ends[1 - end].node);
        if self.is_heard(slot, end) {
            self.counters.streams_timed_out += 1;
            let what = What::Closed { conn: id, reason: CloseReason::TimedOut, boot: me.boot };
            let n = self.hosts.get_mut(me.node).number();
            let record = Record { n, src: peer, dst: me.node, what };
            self.queue.schedule(self.queue.now(), Class::Closed, record);
        }
        let conn = self.conns.get_mut(slot);
        conn.ends[end].state = EndState::Gone;
        conn.ways[end].shut = true;
        self.keep_alive(slot, 1 - end);
        self.tidy(slot);
    }

    /// Something came for a connection that the machine of `end` does not know, or knows no more:
    /// it says so, unless its last word is under way.
    pub(super) fn answer_unknown(&mut self, slot: u32, end: usize) {
        let conn = self.conns.get_mut(slot);
        let is_asked = conn.ends[end].state == EndState::Asked;
        let flow = &mut conn.ways[end];
        if is_asked || flow.segments.iter().any(|segment| segment.part.is_last()) {
            return;
        }
        assert!(flow.shut, "an end that is there is heard");
        flow.muted = false;
        self.transmit(slot, end, Part::Unknown, 0);
    }

    /// Forgets a connection on which nothing will happen any more.
    pub(super) fn tidy(&mut self, slot: u32) {
        if self.conns.get(slot).is_over() {
            self.remove(slot);
        }
    }
}
