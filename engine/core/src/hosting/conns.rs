//! This machine's ends of its connections.
//!
//! An end is there while its node may write to it and gets what arrives: it goes when the node
//! closes it, when it hears that it was closed, when nobody answers, and with the node's life. What
//! is gone without the peer having read of it is remembered: the machine says that it does not know
//! the connection when something comes for it, as in [`crate::net::half_open`].

use super::adapter::Adapter;
use super::envelope::Body;
use super::loose::Outgoing;
use super::schedule::{Inbound, Item, Key, Waiting};
use super::script::Moment;
use super::send_half::{Fate, OutPart, SendHalf, Written};
use crate::net::LOSSES_MAX;
use crate::net::half_open::KEEP_ALIVE;
use crate::net::retry::{CUT_OFF, after_losses, number_of};
use crate::net::stream::split_of;
use crate::record::Class;
use alloc::vec::Vec;
use contract::{CloseReason, ConnId, Duration, NodeId};

/// One end.
#[derive(Debug)]
pub(super) struct End {
    peer: NodeId,
    send_half: SendHalf,
    /// It has heard of its peer.
    answered: bool,
    /// What became of its last word.
    farewell: Farewell,
}

/// The last word of an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Farewell {
    /// None was sent, or it is on its way and will be read.
    Fine,
    /// It is lost since then.
    LostAt(Moment, Class),
}

impl End {
    /// An end that comes into being after `pos` steps of the script.
    pub(super) fn new(peer: NodeId, pos: u32) -> Self {
        let send_half = SendHalf::new(pos);
        Self { peer, send_half, answered: false, farewell: Farewell::Fine }
    }

    pub(super) fn peer(&self) -> NodeId {
        self.peer
    }
}

impl Adapter {
    pub(super) fn open(&mut self, conn: ConnId, to: NodeId) {
        assert_ne!(to, self.me, "a node has no connection to itself");
        let before = self.conns.insert(conn, End::new(to, self.pos));
        assert!(before.is_none(), "connections have unique ids");
        if !self.ask(|| Outgoing::Open { conn, to }) {
            self.transmit(conn, OutPart::Open, Body::Open(conn));
            let at = self.schedule.now + CUT_OFF;
            let item = Item::OpenEnd { conn };
            self.schedule.put(at, Class::Timer, self.me, number_of(conn), item);
        }
    }

    pub(super) fn write(&mut self, conn: ConnId, bytes: &[u8]) {
        if bytes.is_empty() || !self.conns.contains_key(&conn) {
            return;
        }
        let bytes = bytes.to_vec();
        if self.loose.is_some() {
            self.ask(|| Outgoing::Write { conn, bytes });
        } else {
            self.transmit(conn, OutPart::Data, Body::Data(conn, bytes));
        }
    }

    pub(super) fn close(&mut self, conn: ConnId) {
        self.shut(conn, CloseReason::Done);
    }

    /// The node's process died: its operating system breaks its connections.
    pub(super) fn sever(&mut self) {
        assert!(self.host.alive, "only a node that is up can crash");
        let conns: Vec<ConnId> = self.conns.keys().copied().collect();
        for conn in conns {
            self.shut(conn, CloseReason::Reset);
        }
    }

    /// The machine lost its power: its ends are gone without a word.
    pub(super) fn silence(&mut self) {
        if self.loose.is_some() {
            return self.sever();
        }
        let now = (self.schedule.now, self.schedule.round);
        for (conn, mut end) in core::mem::take(&mut self.conns) {
            end.farewell = Farewell::LostAt(now, Class::FaultEnd);
            self.keep_alive(conn, end.peer, now);
            self.gone.insert(conn, end);
        }
    }

    /// The last thing on this end's direction; then the end is gone.
    fn shut(&mut self, conn: ConnId, reason: CloseReason) {
        if self.conns.contains_key(&conn) {
            if !self.ask(|| Outgoing::Close { conn }) {
                self.transmit(conn, OutPart::End, Body::End(conn, reason));
            }
            let end = self.conns.remove(&conn).expect("it was there");
            if end.farewell != Farewell::Fine {
                self.gone.insert(conn, end);
            }
        }
    }

    /// A segment arrived; what it is to the node.
    pub(super) fn on_segment(&mut self, key: &Key, body: Body) -> Option<Inbound> {
        let from = key.3;
        match body {
            Body::Open(conn) => {
                assert!(!self.conns.contains_key(&conn), "a connection is opened once");
                self.conns.insert(conn, End::new(from, self.pos));
                if !self.host.alive {
                    self.shut(conn, CloseReason::Refused);
                    return None;
                }
                self.transmit(conn, OutPart::Accept, Body::Accept(conn));
                Some(Inbound::Opened(conn))
            }
            Body::Accept(conn) => {
                self.conns.entry(conn).and_modify(|end| end.answered = true);
                self.hears(key, conn).then_some(Inbound::Opened(conn))
            }
            Body::Data(conn, bytes) => {
                let bytes = self.read(key, conn, bytes);
                self.hears(key, conn).then_some(Inbound::Data(conn, bytes))
            }
            Body::End(conn, reason) => {
                self.gone.remove(&conn);
                let heard = self.conns.remove(&conn).is_some();
                heard.then_some(Inbound::Closed(conn, reason))
            }
            other => panic!("{other:?} is not a segment"),
        }
    }

    /// Nobody answers this end, or what was its last word; the node learns it in the next round.
    pub(super) fn broken(&mut self, conn: ConnId) {
        let now = (self.schedule.now, self.schedule.round);
        let Some(mut end) = self.conns.remove(&conn) else {
            return;
        };
        let n = self.host.number();
        let what = Inbound::Closed(conn, CloseReason::TimedOut);
        let waiting = Waiting { src: end.peer, n, what };
        let boot = Some(self.host.boot);
        let item = Item::Input { boot, waiting };
        self.schedule.put(now.0, Class::Closed, end.peer, n, item);
        self.keep_alive(conn, end.peer, now);
        end.farewell = Farewell::LostAt(now, Class::FaultEnd);
        self.gone.insert(conn, end);
    }

    /// A request to open was received and has waited for too long, unless it was answered.
    pub(super) fn open_end(&mut self, conn: ConnId) {
        let waits = self.conns.get(&conn).is_some_and(|end| !end.answered);
        if waits && self.is_idle(conn) {
            self.broken(conn);
        }
    }

    /// Whether an end is open and has nothing under way.
    pub(super) fn is_idle(&mut self, conn: ConnId) -> bool {
        let now = (self.schedule.now, self.schedule.round);
        let Some(end) = self.conns.get_mut(&conn) else {
            return false;
        };
        let gates = self.gates.get(&end.peer).map(Vec::as_slice).unwrap_or_default();
        end.send_half.is_idle(now, self.pos, gates)
    }

    /// The peer's keep-alives will find out that this end is gone since `moment`.
    fn keep_alive(&mut self, conn: ConnId, peer: NodeId, moment: Moment) {
        let n = number_of(conn);
        self.ship(peer, (moment.0 + KEEP_ALIVE, 0), (n, n), Body::Gone(conn));
    }

    /// Whether what came reaches the node; if the machine does not know the connection, it says so.
    fn hears(&mut self, key: &Key, conn: ConnId) -> bool {
        assert!(self.host.alive || self.conns.is_empty(), "a node that is down has no connections");
        let farewell = self.gone.get(&conn).map(|end| end.farewell);
        if let Some(Farewell::LostAt(moment, class)) = farewell
            && (moment, class) < ((key.0, key.1), key.2)
        {
            self.transmit(conn, OutPart::Unknown, Body::End(conn, CloseReason::Reset));
        }
        self.conns.contains_key(&conn)
    }

    /// Joins what is read together.
    fn read(&mut self, key: &Key, conn: ConnId, mut bytes: Vec<u8>) -> Vec<u8> {
        let is_part = |item: &Item| matches!(item, Item::Arrival { body: Body::Data(of, _), .. } if *of == conn);
        while let Some(Item::Arrival { body, .. }) = self.schedule.take_tied(key, is_part) {
            if let Body::Data(_, more) = body {
                bytes.extend_from_slice(&more);
            }
        }
        bytes
    }

    /// Sends a segment, and for a write that is split, its tail behind it.
    fn transmit(&mut self, conn: ConnId, part: OutPart, body: Body) {
        if let Some(tail) = self.transmit_one(conn, part, body, true) {
            self.transmit_one(conn, OutPart::Data, Body::Data(conn, tail), false);
        }
    }

    /// Sends a segment; returns what is left of a write that is split.
    fn transmit_one(
        &mut self,
        conn: ConnId,
        part: OutPart,
        mut body: Body,
        splits: bool,
    ) -> Option<Vec<u8>> {
        let len_bytes = body.stream_bytes().map_or(0, |bytes| bytes.len() as u32);
        let (to, now) = (self.end(conn).peer, self.schedule.now);
        let carried = self.net.carry(now, self.me, to, len_bytes, &mut self.counters);
        let split = split_of(&carried, len_bytes).filter(|_| splits);
        let tail = split.zip(body.stream_bytes()).map(|(at, bytes)| bytes.split_off(at));
        let gives_up = carried.losses == LOSSES_MAX;
        let latency_ns = if gives_up { 0 } else { carried.latency_ns };
        assert!(carried.losses <= LOSSES_MAX, "the sender gives up");
        let sent = now + after_losses(carried.losses);
        let written = Written {
            part,
            gives_up,
            n: carried.n * 2,
            due: sent + Duration(latency_ns),
            sent,
            latency_ns: carried.latency_ns,
            len_bytes: body.stream_bytes().map_or(0, |bytes| bytes.len()),
        };
        self.put_on_way(conn, written, body);
        tail
    }

    /// Finds out what becomes of a segment, and tells whom it concerns.
    fn put_on_way(&mut self, conn: ConnId, written: Written, body: Body) {
        let now = (self.schedule.now, self.schedule.round);
        let (pos, to) = (self.pos, self.end(conn).peer);
        let gates = self.gates.get(&to).map(Vec::as_slice).unwrap_or_default();
        let end = self.conns.get_mut(&conn).or_else(|| self.gone.get_mut(&conn));
        let end = end.expect("an end is there or remembered");
        let fate = end.send_half.write(now, pos, written, gates);
        let is_last = matches!(written.part, OutPart::End | OutPart::Unknown);
        if is_last {
            end.farewell = match fate {
                Fate::Read { .. } | Fate::Never => Farewell::Fine,
                Fate::Broken { moment, class, .. } => Farewell::LostAt(moment, class),
                Fate::Muted { moment } => Farewell::LostAt(moment, Class::FaultEnd),
            };
        }
        let told = matches!(fate, Fate::Broken { .. })
            && written.part != OutPart::Unknown
            && core::mem::replace(&mut end.send_half.break_told, true);
        match fate {
            Fate::Read { moment, n } => self.ship(to, moment, (n, written.n), body),
            Fate::Broken { moment, class, n } if written.part == OutPart::Unknown => {
                // It is the peer whom nobody acknowledged for so long.
                let n = if class == Class::Timer { number_of(conn) } else { n };
                self.ship(to, moment, (n, n), Body::Break(conn, class));
            }
            Fate::Broken { moment, class, n } => {
                if is_last {
                    self.keep_alive(conn, to, moment);
                }
                if !told {
                    let n = if class == Class::Timer { number_of(conn) } else { n };
                    let item = Item::Break { conn, keep_alive: false };
                    let fits = self.schedule.put_at(moment, class, self.me, n, item);
                    assert!(fits, "a sender gives up in the future");
                }
            }
            Fate::Muted { moment } if is_last => self.keep_alive(conn, to, moment),
            Fate::Muted { .. } | Fate::Never => {}
        }
    }

    fn end(&self, conn: ConnId) -> &End {
        let end = self.conns.get(&conn).or_else(|| self.gone.get(&conn));
        end.expect("an end is there or remembered")
    }
}
