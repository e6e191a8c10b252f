//! Streams: the exchange of everything that two members know, and pings for where datagrams fail.
//!
//! A stream carries one exchange. Its opener writes a frame, the other side answers with one, and
//! the opener closes.

use super::machine::{PUSH_PULL, Swim};
use super::member::{Address, Draw, Name, State};
use super::ready::{Context, Ready};
use super::tables::Event;
use super::timeouts::push_pull_scale;
use super::wire::{Ack, Alive, Dead, Entry, Message, PushPull, Suspect};
use crate::protocol::frame::{self, Decoder};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use contract::ConnId;

/// The most streams of others at a time.
const INBOUND_MAX: usize = 128;

/// The streams of one node.
#[derive(Clone, Debug, Default)]
pub struct Streams {
    own: BTreeMap<ConnId, Exchange>,
    others: BTreeMap<ConnId, Decoder>,
}

#[derive(Clone, Debug)]
struct Exchange {
    to: Address,
    what: What,
    decoder: Decoder,
}

#[derive(Clone, Copy, Debug)]
enum What {
    PushPull { join: bool },
    Ping { sequence: u32 },
}

impl Swim {
    /// Exchanges everything with these contacts, to become a member of their cluster. Each is
    /// answered by [`Ready::Contacted`] or [`Ready::Unreachable`].
    pub fn join(&mut self, cx: &mut Context<'_, '_>, contacts: &[Address]) {
        for &contact in contacts {
            self.open(cx, contact, What::PushPull { join: true });
        }
    }

    pub(super) fn on_push_pull_tick(&mut self, cx: &mut Context<'_, '_>) {
        let scale = push_pull_scale(self.members.count());
        let interval = self.config.timing.push_pull_interval.saturating_mul(scale);
        cx.fx.set_timer(PUSH_PULL, interval);
        let me = self.config.me;
        let partner = self.members.random(1, Draw::Exhaustive, cx.fx.rng, |member| {
            member.state == State::Alive && member.name != me
        });
        if let Some(&(_, address)) = partner.first() {
            self.open(cx, address, What::PushPull { join: false });
        }
    }

    pub(super) fn open_ping(&mut self, cx: &mut Context<'_, '_>, to: Address, sequence: u32) {
        self.open(cx, to, What::Ping { sequence });
    }

    fn open(&mut self, cx: &mut Context<'_, '_>, to: Address, what: What) {
        let Some(node) = self.node_at(to) else { return };
        let conn = cx.fx.open(node);
        cx.fx.set_timer(Self::stream_key(conn.number), self.config.timing.stream_timeout);
        self.streams.own.insert(conn, Exchange { to, what, decoder: Decoder::default() });
    }

    /// Whether a connection is SWIM's own: of those that others opened, the owner knows which it
    /// handed on.
    #[must_use]
    pub fn owns_conn(&self, conn: ConnId) -> bool {
        self.streams.own.contains_key(&conn) || self.streams.others.contains_key(&conn)
    }

    /// A connection is open: one of its own, or one of another member.
    pub fn on_opened(&mut self, cx: &mut Context<'_, '_>, conn: ConnId) {
        match self.streams.own.get(&conn).map(|exchange| exchange.what) {
            Some(What::PushPull { join }) => self.write_all(cx, conn, join),
            Some(What::Ping { sequence }) => {
                let target = self.name_at(self.streams.own[&conn].to);
                let ping = self.ping_of(sequence, target.unwrap_or_default());
                cx.fx.write(conn, |out| frame::write(out, |out| Message::Ping(ping).encode(out)));
            }
            None if conn.opener == cx.fx.me() => {}
            None if self.streams.others.len() >= INBOUND_MAX => cx.fx.close(conn),
            None => {
                self.streams.others.insert(conn, Decoder::default());
            }
        }
    }

    fn name_at(&self, address: Address) -> Option<Name> {
        self.members.iter().find(|member| member.address == address).map(|member| member.name)
    }

    /// Bytes arrived on a connection.
    pub fn on_data(&mut self, cx: &mut Context<'_, '_>, conn: ConnId, bytes: &[u8]) {
        if let Some(exchange) = self.streams.own.get_mut(&conn) {
            let mut decoder = core::mem::take(&mut exchange.decoder);
            let intact = decoder.feed_each(bytes, |frame| self.on_answer(cx, conn, frame));
            match self.streams.own.get_mut(&conn) {
                Some(exchange) if intact => exchange.decoder = decoder,
                Some(_) => self.end(cx, conn, false),
                None => {}
            }
        } else if let Some(decoder) = self.streams.others.get_mut(&conn) {
            let mut decoder = core::mem::take(decoder);
            if decoder.feed_each(bytes, |frame| self.on_request(cx, conn, frame)) {
                self.streams.others.insert(conn, decoder);
            } else {
                self.streams.others.remove(&conn);
                self.mark(cx.fx, Event::DecodeError, [0; 3], bytes.len() as u64);
                cx.fx.close(conn);
            }
        }
    }

    /// A connection is gone.
    pub fn on_closed(&mut self, cx: &mut Context<'_, '_>, conn: ConnId) {
        self.streams.others.remove(&conn);
        self.end(cx, conn, false);
    }

    pub(super) fn on_stream_timeout(&mut self, cx: &mut Context<'_, '_>, number: u32) {
        self.end(cx, ConnId { opener: cx.fx.me(), number }, false);
    }

    /// One of its own exchanges is over.
    fn end(&mut self, cx: &mut Context<'_, '_>, conn: ConnId, is_done: bool) {
        let Some(exchange) = self.streams.own.remove(&conn) else { return };
        cx.fx.cancel_timer(Self::stream_key(conn.number));
        cx.fx.close(conn);
        if !is_done {
            self.mark(cx.fx, Event::StreamFailed, [u64::from(exchange.to.0), 0, 0], 0);
        }
        if let What::PushPull { join: true } = exchange.what {
            self.ready.push(match is_done {
                true => Ready::Contacted(exchange.to),
                false => Ready::Unreachable(exchange.to),
            });
        }
    }

    /// What the other side of an exchange of its own says.
    fn on_answer(&mut self, cx: &mut Context<'_, '_>, conn: ConnId, frame: &[u8]) -> bool {
        let Some(exchange) = self.streams.own.get(&conn) else { return true };
        let what = exchange.what;
        match (Message::decode(frame), what) {
            (Ok(Message::PushPull(all)), What::PushPull { join }) => self.merge(cx, &all, join),
            (Ok(Message::Ack(ack)), What::Ping { sequence }) if ack.seq == sequence => {
                self.on_stream_ack(sequence);
            }
            _ => return false,
        }
        self.end(cx, conn, true);
        true
    }

    /// What another member asks on a stream.
    fn on_request(&mut self, cx: &mut Context<'_, '_>, conn: ConnId, frame: &[u8]) -> bool {
        match Message::decode(frame) {
            Ok(Message::PushPull(all)) => {
                self.write_all(cx, conn, all.join);
                self.merge(cx, &all, all.join);
                true
            }
            Ok(Message::Ping(ping)) if ping.node == self.config.me.0 => {
                let ack = Message::Ack(Ack { seq: ping.seq });
                cx.fx.write(conn, |out| frame::write(out, |out| ack.encode(out)));
                true
            }
            _ => false,
        }
    }

    /// Writes all that this node knows.
    fn write_all(&self, cx: &mut Context<'_, '_>, conn: ConnId, join: bool) {
        let mut user_state = Vec::new();
        cx.delegate.local_state(join, &mut user_state);
        let entries = self.members.iter().map(|member| Entry {
            node: member.name.0,
            address: member.address.0,
            meta: &member.meta,
            incarnation: member.incarnation,
            state: member.state.code(),
        });
        let (nodes, user_state) = (entries.collect(), &user_state[..]);
        let all = Message::PushPull(PushPull { join, nodes, user_state });
        cx.fx.write(conn, |out| frame::write(out, |out| all.encode(out)));
    }

    /// Takes in what another member knows. Nobody is declared dead by hearsay: who is dead there is
    /// suspected here, and may object.
    fn merge(&mut self, cx: &mut Context<'_, '_>, all: &PushPull<'_>, join: bool) {
        for entry in &all.nodes {
            let (incarnation, node) = (entry.incarnation, entry.node);
            match State::from_code(entry.state) {
                Some(State::Alive) => {
                    let (address, meta) = (entry.address, entry.meta);
                    self.alive(cx, &Alive { incarnation, node, address, meta });
                }
                Some(State::Left) => self.dead(cx, &Dead { incarnation, node, from: node }),
                Some(State::Dead | State::Suspect) => {
                    let from = self.config.me.0;
                    self.suspect(cx, &Suspect { incarnation, node, from });
                }
                None => {}
            }
        }
        let labels = [u64::from(join), 0, 0];
        self.mark(cx.fx, Event::Exchanged, labels, all.nodes.len() as u64);
        if !all.user_state.is_empty() {
            let bytes = all.user_state.to_vec();
            self.ready.push(Ready::UserState { join, bytes });
        }
    }
}
