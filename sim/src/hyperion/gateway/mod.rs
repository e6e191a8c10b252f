//! The role `gateway`: what clients reach, in front of auth and cache.
//!
//! Start with [`Gateway`]. A client says who it is when it connects, and shows its token; the gateway
//! asks the auth service about it for every request, and passes the request on to the node that leads
//! only when the answer is yes. An auth service that is down, slow or unclear is a no: nothing goes
//! through (fail closed). With `auth = "mtls"` the client shows a certificate when it connects, which
//! the gateway verifies itself, and there is no hop. Where the gateway has a certificate of its own, it
//! shows that to the cache nodes.
//!
//! Requests and answers pass as they are, with ids of the gateway's own. It follows redirects, so
//! that clients need to know one address only. In the role `mirroring-gateway` it also sends a share of
//! what it passes on to a second cluster (`mirror.rs`).
//!
//! **Invariant:** nothing is forwarded that was not granted.

mod link;
mod mirror;

use super::auth;
use super::certificate::{self, Authority, CertificateError, Identity};
use super::command::Refusal;
use super::desk::{DESK, Desk, draw};
use super::tables::{Defects, Event};
use super::wire::{Answer, Asked, Request, Said};
use crate::protocol::frame::{self, Decoder};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use catalog::Seat;
use contract::hash::hash_bytes;
use contract::{ConnId, Dist, Duration, Fx, Input, Instant, Node, Now, TimerKey};
use link::Link;
use mirror::Mirror;

/// The oldest request has waited too long.
const OVERDUE: TimerKey = TimerKey(1);

/// Redirects followed for one request.
const REDIRECTS_MAX: u32 = 3;

/// What a gateway is told at boot.
#[derive(Clone, Debug)]
struct Config {
    /// Processor time of one request, in nanoseconds.
    service: Dist,
    /// Whether the auth service is asked; else certificates prove who asks.
    asks: bool,
    /// Whose certificates are accepted; nobody's where it is absent.
    authority: Option<Authority>,
    /// The hash of its own name.
    name: u64,
    /// How long one request may take here, auth and cache together.
    timeout: Duration,
    /// Planted flaw `auth-fails-open`.
    fails_open: bool,
}

/// A gateway node.
#[derive(Clone, Debug)]
pub struct Gateway {
    config: Arc<Config>,
    clients: BTreeMap<ConnId, Session>,
    auth: Link,
    caches: Vec<Link>,
    /// What it shows the caches, where it has something.
    identity: Option<Identity>,
    /// Which of the caches leads, as far as is known.
    leader: u32,
    /// The second cluster, in the role that has one.
    mirror: Option<Mirror>,
    desk: Desk,
    /// By number, which is the order of their deadlines.
    pending: BTreeMap<u64, Pending>,
    passed: u64,
}

/// One connection of a client.
#[derive(Clone, Debug, Default)]
struct Session {
    decoder: Decoder,
    /// Who the client says it is, and its token.
    who: Option<(u64, Vec<u8>)>,
    /// Whether it keeps what it reads.
    watches: bool,
}

/// A request under way.
#[derive(Clone, Debug)]
struct Pending {
    conn: ConnId,
    /// The client's id of it.
    request: u64,
    /// The request as it came.
    asked: Asked,
    at: Stage,
    sent: bool,
    redirects: u32,
    since: Instant,
    writes: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Auth,
    Cache(u32),
}

impl Gateway {
    /// Boots a gateway.
    #[must_use]
    pub fn boot(seat: &Seat<'_>, now: Now) -> Self {
        let settings = seat.settings;
        let one_of = |key: &str| {
            let nodes = seat.uses.get(key).expect("the lab gives a role what it uses");
            nodes[seat.index as usize % nodes.len()]
        };
        let caches = seat.uses.get("cache").expect("the lab gives a role what it uses");
        Self {
            config: Arc::new(Config {
                service: settings.dist("service"),
                asks: settings.choice("auth") == "token",
                authority: settings
                    .has("certificate_authority")
                    .then(|| Authority::named(&settings.text("certificate_authority"))),
                name: hash_bytes(seat.name.as_bytes()),
                timeout: settings.duration("timeout"),
                fails_open: Defects::from_names(seat.defects).auth_fails_open,
            }),
            clients: BTreeMap::new(),
            auth: Link::to(one_of("auth")),
            caches: caches.iter().map(|&node| Link::to(node)).collect(),
            identity: Identity::of(seat).map(|identity| identity.booted(now.wall)),
            leader: 0,
            mirror: Mirror::of(seat),
            desk: Desk::default(),
            pending: BTreeMap::new(),
            passed: 0,
        }
    }

    /// How many requests are under way.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.pending.len() as u64
    }

    fn on_client_data(&mut self, now: Now, conn: ConnId, bytes: &[u8], fx: &mut Fx<'_>) {
        let Some(session) = self.clients.get_mut(&conn) else { return };
        let mut decoder = core::mem::take(&mut session.decoder);
        let intact = decoder.feed_each(bytes, |frame| self.on_client_frame(now, conn, frame, fx));
        if intact {
            if let Some(session) = self.clients.get_mut(&conn) {
                session.decoder = decoder;
            }
        } else {
            fx.mark(Event::BadRequest.row(), [0; 3], bytes.len() as u64);
            self.clients.remove(&conn);
            fx.close(conn);
        }
    }

    /// Takes one request in; false where it is none and the connection must go.
    fn on_client_frame(&mut self, now: Now, conn: ConnId, frame: &[u8], fx: &mut Fx<'_>) -> bool {
        if Asked::decode(frame).is_err() {
            return false;
        }
        match draw(&self.config.service, 1, fx) {
            Duration::ZERO => self.on_request(now, conn, frame, fx),
            cost => self.desk.lay(conn, frame, cost, fx),
        }
        true
    }

    fn on_request(&mut self, now: Now, conn: ConnId, frame: &[u8], fx: &mut Fx<'_>) {
        let arrived = Asked::decode(frame).expect("it was read when it arrived");
        let (request, asked) = (arrived.id(), arrived.request());
        let Some(session) = self.clients.get_mut(&conn) else { return };
        if let Request::Hello { client, token, certificate } = asked {
            if self.config.asks || self.proves(now, conn, client, certificate, fx) {
                let session = self.clients.get_mut(&conn).expect("it was there");
                session.who = Some((client, token.to_vec()));
            }
            return;
        }
        if session.who.is_none() {
            fx.mark(Event::GatewayDenied.row(), [0; 3], 0);
            return answer(conn, request, &Answer::Refused(Refusal::Unauthenticated), fx);
        }
        if matches!(asked, Request::Admin { .. }) {
            // Operators have a port of their own, which does not lead through here.
            return answer(conn, request, &Answer::Refused(Refusal::Unauthenticated), fx);
        }
        session.watches |= matches!(&asked, Request::Get { options, .. } if options.watch);
        let writes = matches!(asked, Request::Write(_));
        self.passed += 1;
        let pending = Pending {
            conn,
            request,
            asked: arrived,
            at: Stage::Auth,
            sent: false,
            redirects: 0,
            since: now.mono,
            writes,
        };
        if self.pending.is_empty() {
            fx.set_timer(OVERDUE, self.config.timeout);
        }
        self.pending.insert(self.passed, pending);
        match self.config.asks {
            true => self.send(self.passed, fx),
            // The certificate of the connection was the answer.
            false => self.pass_on(self.passed, true, fx),
        }
    }

    /// Whether `certificate` proves that `client` opened the connection.
    fn proves(
        &self,
        now: Now,
        conn: ConnId,
        client: u64,
        certificate: &[u8],
        fx: &mut Fx<'_>,
    ) -> bool {
        let verdict = match &self.config.authority {
            Some(authority) => authority.verify(certificate, Some(client), now.wall).map(drop),
            None => Err(CertificateError::UnknownIssuer),
        };
        certificate::note(verdict, certificate, conn.opener, now.wall, fx)
    }

    /// Sends a request to where it is due, if it is not there yet.
    fn send(&mut self, id: u64, fx: &mut Fx<'_>) {
        let Some(pending) = self.pending.get_mut(&id) else { return };
        if pending.sent {
            return;
        }
        let link = match pending.at {
            Stage::Auth => &mut self.auth,
            Stage::Cache(node) => &mut self.caches[node as usize],
        };
        let Some(conn) = link.open(fx) else { return };
        pending.sent = true;
        match pending.at {
            Stage::Auth => {
                let who = self.clients.get(&pending.conn).and_then(|session| session.who.as_ref());
                let (client, token) = who.map_or((0, &[][..]), |(client, token)| (*client, token));
                fx.write(conn, |out| {
                    frame::write(out, |out| auth::encode_ask(id, client, token, out));
                });
            }
            Stage::Cache(_) => fx.write(conn, |out| {
                frame::write(out, |out| pending.asked.pass_on(id, out));
            }),
        }
    }

    /// Sends everything that waits for a connection to `at`.
    fn send_all(&mut self, at: Stage, fx: &mut Fx<'_>) {
        let due = self.pending.iter().filter(|(_, pending)| pending.at == at && !pending.sent);
        let due: Vec<u64> = due.map(|(id, _)| *id).collect();
        due.into_iter().for_each(|id| self.send(id, fx));
    }

    fn on_verdict(&mut self, id: u64, granted: bool, fx: &mut Fx<'_>) {
        if self.pending.get(&id).is_none_or(|pending| pending.at != Stage::Auth) {
            return;
        }
        if !granted {
            fx.mark(Event::GatewayDenied.row(), [0; 3], 0);
            return self.end(id, &Answer::Refused(Refusal::Unauthenticated), fx);
        }
        self.pass_on(id, true, fx);
    }

    /// The auth service cannot be asked about this request.
    fn on_no_verdict(&mut self, id: u64, fx: &mut Fx<'_>) {
        if self.config.fails_open {
            return self.pass_on(id, false, fx);
        }
        fx.mark(Event::GatewayDenied.row(), [1, 0, 0], 0);
        self.end(id, &Answer::Unavailable, fx);
    }

    fn pass_on(&mut self, id: u64, granted: bool, fx: &mut Fx<'_>) {
        let leader = self.leader;
        let pending = self.pending.get_mut(&id).expect("it is under way");
        pending.at = Stage::Cache(leader);
        pending.sent = false;
        fx.mark(Event::GatewayForwarded.row(), [u64::from(granted), 0, 0], 0);
        if let Some(mirror) = &mut self.mirror {
            mirror.copy(id, &pending.asked, fx);
        }
        self.send(id, fx);
    }

    fn on_answer(&mut self, from: u32, frame: &[u8], fx: &mut Fx<'_>) -> bool {
        let Ok(arrived) = Said::decode(frame) else { return false };
        let (id, said) = (arrived.id(), arrived.answer());
        if let Answer::Invalidate { .. } = said {
            self.tell_watchers(&said, fx);
            return true;
        }
        let Some(pending) = self.pending.get_mut(&id) else { return true };
        if let Answer::NotLeader { hint } = said {
            let known = hint.filter(|hint| (*hint as usize) < self.caches.len() && *hint != from);
            if let Some(to) = known.filter(|_| pending.redirects < REDIRECTS_MAX) {
                pending.redirects += 1;
                pending.at = Stage::Cache(to);
                pending.sent = false;
                self.leader = to;
                self.send(id, fx);
                return true;
            }
            // Somebody else may know more next time.
            self.leader = (from + 1) % self.caches.len() as u32;
        }
        if said.is_partial() {
            answer(pending.conn, pending.request, &said, fx);
        } else {
            self.end(id, &said, fx);
        }
        true
    }

    /// Tells the clients that keep what they read that something is over.
    fn tell_watchers(&self, said: &Answer<'_>, fx: &mut Fx<'_>) {
        let watching = self.clients.iter().filter(|(_, session)| session.watches);
        watching.for_each(|(conn, _)| answer(*conn, 0, said, fx));
    }

    /// The connection to a cache node is gone, and with it what was asked there.
    fn on_cache_lost(&mut self, node: u32, fx: &mut Fx<'_>) {
        // What it would have told is lost with it.
        self.tell_watchers(&Answer::Invalidate { key: None, version: 0 }, fx);
        if self.leader == node {
            self.leader = (node + 1) % self.caches.len() as u32;
        }
        let there = |pending: &Pending| pending.at == Stage::Cache(node);
        for (id, sent, writes) in self.ids(there) {
            let said = if sent && writes { Answer::Unknown } else { Answer::Unavailable };
            self.end(id, &said, fx);
        }
    }

    fn on_overdue(&mut self, now: Now, fx: &mut Fx<'_>) {
        while let Some((&id, pending)) = self.pending.first_key_value() {
            let waited = now.mono.since(pending.since);
            if waited < self.config.timeout {
                fx.set_timer(OVERDUE, self.config.timeout.saturating_sub(waited));
                break;
            }
            match pending.at {
                Stage::Auth => {
                    self.on_no_verdict(id, fx);
                    // Only the flaw leaves it there, and then its time begins anew.
                    if let Some(pending) = self.pending.get_mut(&id) {
                        pending.since = now.mono;
                    }
                }
                Stage::Cache(_) if pending.writes => self.end(id, &Answer::Unknown, fx),
                _ => self.end(id, &Answer::Unavailable, fx),
            }
        }
    }

    /// Those for which `is` holds: the id, whether it was sent, whether it writes.
    fn ids(&self, is: impl Fn(&Pending) -> bool) -> Vec<(u64, bool, bool)> {
        let those = self.pending.iter().filter(|(_, pending)| is(pending));
        those.map(|(id, pending)| (*id, pending.sent, pending.writes)).collect()
    }

    fn end(&mut self, id: u64, said: &Answer<'_>, fx: &mut Fx<'_>) {
        let pending = self.pending.remove(&id).expect("a request ends once");
        answer(pending.conn, pending.request, said, fx);
    }

    fn cache_of(&self, conn: ConnId) -> Option<u32> {
        let position = self.caches.iter().position(|link| link.is(conn))?;
        Some(position as u32)
    }
}

fn answer(conn: ConnId, request: u64, said: &Answer<'_>, fx: &mut Fx<'_>) {
    fx.write(conn, |out| frame::write(out, |out| said.encode(request, out)));
}

/// Where a connection leads.
#[derive(Clone, Copy, Debug)]
enum Side {
    Client,
    Auth,
    Cache(u32),
    Mirror(u32),
}

impl Gateway {
    fn side(&self, conn: ConnId) -> Side {
        match self.cache_of(conn) {
            Some(node) => Side::Cache(node),
            None if self.auth.is(conn) => Side::Auth,
            None => match self.mirror.as_ref().and_then(|mirror| mirror.node_of(conn)) {
                Some(node) => Side::Mirror(node),
                None => Side::Client,
            },
        }
    }

    fn the_mirror(&mut self) -> &mut Mirror {
        self.mirror.as_mut().expect("only a mirror has connections of its own")
    }

    fn on_opened(&mut self, now: Now, conn: ConnId, fx: &mut Fx<'_>) {
        match self.side(conn) {
            Side::Auth => {
                self.auth.opened(conn);
                self.send_all(Stage::Auth, fx);
            }
            Side::Cache(node) => {
                self.caches[node as usize].opened(conn);
                if let Some(identity) = &mut self.identity {
                    let (client, certificate) = (self.config.name, identity.certificate(now.wall));
                    let hello = Request::Hello { client, token: &[], certificate };
                    fx.write(conn, |out| frame::write(out, |out| hello.encode(0, out)));
                }
                self.send_all(Stage::Cache(node), fx);
            }
            Side::Mirror(node) => self.the_mirror().on_opened(node, conn, fx),
            Side::Client => {
                self.clients.insert(conn, Session::default());
            }
        }
    }

    fn on_closed(&mut self, conn: ConnId, fx: &mut Fx<'_>) {
        match self.side(conn) {
            Side::Auth => {
                self.auth.closed();
                for (id, ..) in self.ids(|pending| pending.at == Stage::Auth) {
                    self.on_no_verdict(id, fx);
                }
            }
            Side::Cache(node) => {
                self.caches[node as usize].closed();
                self.on_cache_lost(node, fx);
            }
            Side::Mirror(node) => self.the_mirror().on_lost(node),
            Side::Client => {
                self.clients.remove(&conn);
                self.pending.retain(|_, pending| pending.conn != conn);
            }
        }
    }

    fn on_data(&mut self, now: Now, conn: ConnId, bytes: &[u8], fx: &mut Fx<'_>) {
        let side = self.side(conn);
        let link = match side {
            Side::Client => return self.on_client_data(now, conn, bytes, fx),
            Side::Mirror(node) => return self.the_mirror().on_data(node, conn, bytes, fx),
            Side::Auth => &mut self.auth,
            Side::Cache(node) => &mut self.caches[node as usize],
        };
        let mut decoder = core::mem::take(&mut link.decoder);
        let intact = decoder.feed_each(bytes, |frame| match side {
            Side::Cache(node) => self.on_answer(node, frame, fx),
            _ => {
                let verdict = auth::decode_verdict(frame);
                verdict.map(|(id, granted)| self.on_verdict(id, granted, fx)).is_ok()
            }
        });
        match side {
            Side::Auth => self.auth.decoder = decoder,
            Side::Cache(node) => self.caches[node as usize].decoder = decoder,
            Side::Client | Side::Mirror(_) => unreachable!("they were handled above"),
        }
        if !intact {
            fx.mark(Event::BadRequest.row(), [0; 3], bytes.len() as u64);
            fx.close(conn);
            self.on_closed(conn, fx);
        }
    }
}

impl Node for Gateway {
    fn on_input(&mut self, now: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        let done = self.desk.take();
        done.iter().for_each(|(conn, frame)| self.on_request(now, conn, frame, fx));
        self.desk.give_back(done);
        match input {
            Input::Opened { conn, .. } => self.on_opened(now, conn, fx),
            Input::Data { conn, bytes } => self.on_data(now, conn, bytes, fx),
            Input::Closed { conn, .. } => self.on_closed(conn, fx),
            Input::Timer(OVERDUE) => self.on_overdue(now, fx),
            // The desk was worked off above; nobody sends datagrams to a gateway.
            Input::Timer(DESK) | Input::Datagram { .. } => {}
            other => panic!("a gateway asked for nothing that {other:?} answers"),
        }
    }

    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }

    fn memory_bytes(&self) -> u64 {
        let held: u64 = self.pending.values().map(|pending| pending.asked.len_bytes()).sum();
        held + self.desk.size_bytes()
    }
}
