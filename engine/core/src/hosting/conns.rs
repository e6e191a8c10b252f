//! This machine's ends of its connections.
//!
//! An end is there while its node may write to it and gets what arrives: it goes when the node
//! closes it, when it hears that it was closed, when it breaks, and with the node's life.

use super::adapter::Adapter;
use super::envelope::Body;
use super::loose::Outgoing;
use super::schedule::{Inbound, Item, Key, Waiting};
use super::send_half::{Fate, OutPart, SendHalf, Written};
use crate::net::LOSSES_MAX;
use crate::net::retry::after_losses;
use crate::net::stream::split_of;
use crate::record::Class;
use alloc::vec::Vec;
use contract::{CloseReason, ConnId, Duration, NodeId};

/// One end.
#[derive(Debug)]
pub(super) struct End {
    peer: NodeId,
    send_half: SendHalf,
}

impl End {
    pub(super) fn new(peer: NodeId) -> Self {
        Self { peer, send_half: SendHalf::default() }
    }

    pub(super) fn peer(&self) -> NodeId {
        self.peer
    }
}

impl Adapter {
    pub(super) fn open(&mut self, conn: ConnId, to: NodeId) {
        assert_ne!(to, self.me, "a node has no connection to itself");
        let before = self.conns.insert(conn, End::new(to));
        assert!(before.is_none(), "connections have unique ids");
        if !self.ask(|| Outgoing::Open { conn, to }) {
            self.transmit(conn, OutPart::Open, Body::Open(conn));
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

    /// The node crashed: its connections break.
    pub(super) fn sever(&mut self) {
        assert!(self.host.alive, "only a node that is up can crash");
        let conns: Vec<ConnId> = self.conns.keys().copied().collect();
        for conn in conns {
            self.shut(conn, CloseReason::Reset);
        }
    }

    /// The last thing on this end's direction; then the end is gone.
    fn shut(&mut self, conn: ConnId, reason: CloseReason) {
        if self.conns.contains_key(&conn) {
            if !self.ask(|| Outgoing::Close { conn }) {
                self.transmit(conn, OutPart::End, Body::End(conn, reason));
            }
            self.conns.remove(&conn);
        }
    }

    /// A segment arrived; what it is to the node.
    pub(super) fn on_segment(&mut self, key: &Key, body: Body) -> Option<Inbound> {
        let from = key.3;
        match body {
            Body::Open(conn) => {
                assert!(!self.conns.contains_key(&conn), "a connection is opened once");
                self.conns.insert(conn, End::new(from));
                if !self.host.alive {
                    self.shut(conn, CloseReason::Refused);
                    return None;
                }
                self.transmit(conn, OutPart::Accept, Body::Accept(conn));
                Some(Inbound::Opened(conn))
            }
            Body::Accept(conn) => self.hears(conn).then_some(Inbound::Opened(conn)),
            Body::Data(conn, bytes) => {
                let bytes = self.read(key, conn, bytes);
                self.hears(conn).then_some(Inbound::Data(conn, bytes))
            }
            Body::End(conn, reason) => {
                let heard = self.conns.remove(&conn).is_some();
                heard.then_some(Inbound::Closed(conn, reason))
            }
            other => panic!("{other:?} is not a segment"),
        }
    }

    /// A connection breaks at this end; the node learns it in the next round.
    pub(super) fn broken(&mut self, conn: ConnId, reason: CloseReason) {
        assert_ne!(reason, CloseReason::Done, "what broke was not closed");
        let Some(end) = self.conns.remove(&conn) else {
            return;
        };
        let n = self.host.number();
        let what = Inbound::Closed(conn, reason);
        let waiting = Waiting { src: end.peer, n, what };
        let boot = Some(self.host.boot);
        let item = Item::Input { boot, waiting };
        let now = self.schedule.now;
        self.schedule.put(now, Class::Closed, end.peer, n, item);
    }

    fn hears(&self, conn: ConnId) -> bool {
        assert!(self.host.alive || self.conns.is_empty(), "a node that is down has no connections");
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
        let (to, now) = (self.conns[&conn].peer, self.schedule.now);
        let carried = self.net.carry(now, self.me, to, len_bytes, &mut self.counters);
        let split = split_of(&carried, len_bytes).filter(|_| splits);
        let tail = split.zip(body.stream_bytes()).map(|(at, bytes)| bytes.split_off(at));
        let gives_up = carried.losses == LOSSES_MAX;
        let latency_ns = if gives_up { 0 } else { carried.latency_ns };
        assert!(carried.losses <= LOSSES_MAX, "the sender gives up");
        let written = Written {
            part: if gives_up { OutPart::GiveUp } else { part },
            n: carried.n * 2,
            due: now + after_losses(carried.losses) + Duration(latency_ns),
            latency_ns: carried.latency_ns,
            len_bytes: body.stream_bytes().map_or(0, |bytes| bytes.len()),
        };
        self.put_on_way(conn, written, body);
        tail
    }

    /// Finds out what becomes of a segment, and tells the other end.
    fn put_on_way(&mut self, conn: ConnId, written: Written, body: Body) {
        let now = (self.schedule.now, self.schedule.round);
        let end = self.conns.get_mut(&conn).expect("the end is there");
        let gates = self.gates.get(&end.peer).map_or(&[][..], Vec::as_slice);
        let to = end.peer;
        match end.send_half.write(now, self.pos, written, gates) {
            Fate::Read { moment, n } => self.ship(to, moment, (n, written.n), body),
            Fate::Broken { moment, class, n, reason } => {
                if core::mem::replace(&mut end.send_half.break_told, true) {
                    return;
                }
                self.ship(to, moment, (n, n), Body::Break(conn, reason, class));
                let item = Item::Break { conn, reason };
                let fits = self.schedule.put_at(moment, class, self.me, n, item);
                assert!(fits, "a sender gives up in the future");
            }
            Fate::Never => {}
        }
    }
}
