//! The role `gateway`: what clients reach, in front of auth and cache.
//!
//! Start with [`Gateway`]. A client says who it is when it connects, and shows its token; the gateway
//! asks the auth service about it for every request, and passes the request on to the node that leads
//! only when the answer is yes. An auth service that is down, slow or unclear is a no: nothing goes
//! through (fail closed). With `auth = "mtls"` the client shows a certificate when it connects, which
//! the gateway verifies itself, and there is no hop. Where the gateway has a certificate of its own, it
//! shows that to the cache nodes.
//!
//! A request under way stands in `pending`; what comes back from behind the gateway is handled in
//! `upstream`. Requests and answers pass as they are, with ids of the gateway's own. It follows redirects, so
//! that clients need to know one address only. In the role `mirroring-gateway` it also sends a share of
//! what it passes on to a second cluster (`mirror.rs`).
//!
//! **Invariant:** nothing is forwarded that was not granted.

mod mirror;
mod pending;
mod upstream;

use super::command::Refusal;
use super::handshake;
use super::tables::settings::{GatewayAuth, GatewaySettings};
use super::tables::{Defects, Event};
use super::wire::{Answer, Request, RequestFrame};
use crate::protocol::frame;
use crate::protocol::tls::{Authority, CertificateError, Identity};
use crate::service::peer_conn::PeerConn;
use crate::service::service_queue::{ServiceQueue, draw};
use crate::service::{InboundConns, PeerConns, Redirects};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use catalog::Seat;
use contract::hash::hash_bytes;
use contract::{ConnId, Dist, Duration, Fx, Input, Node, Now};
use mirror::Mirror;
use pending::{AllPending, Pending, Stage};

catalog::timer_keys! {
    beside [];
    /// The oldest request has waited too long.
    const OVERDUE = 1;
    /// What lies in the service queue is done.
    const SERVED = 0xDE5C;
}

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
    /// Planted defect `auth-fails-open`.
    fails_open: bool,
}

/// A gateway node.
#[derive(Clone, Debug)]
pub struct Gateway {
    config: Arc<Config>,
    clients: InboundConns<Caller>,
    auth: PeerConn,
    caches: PeerConns,
    /// What it shows the caches, where it has something.
    identity: Option<Identity>,
    /// Which of the caches leads, as far as is known.
    leader: u32,
    /// The second cluster, in the role that has one.
    mirror: Option<Mirror>,
    queue: ServiceQueue,
    pending: AllPending,
}

/// Who opened a connection.
#[derive(Clone, Debug, Default)]
struct Caller {
    /// Who the client says it is, and its token.
    who: Option<(u64, Vec<u8>)>,
    /// Whether it keeps what it reads.
    watches: bool,
}

impl Gateway {
    /// Boots a gateway.
    #[must_use]
    pub fn boot(seat: &Seat<'_>, now: Now) -> Self {
        let settings = GatewaySettings::from(seat.settings);
        let one_of = |key: &str| {
            let nodes = seat.uses.get(key).expect("the lab gives a role what it uses");
            nodes[seat.index as usize % nodes.len()]
        };
        let caches = seat.uses.get("cache").expect("the lab gives a role what it uses");
        let identity = settings.certificate.identity(seat);
        Self {
            config: Arc::new(Config {
                service: settings.service,
                asks: settings.auth == GatewayAuth::Token,
                authority: settings.certificate.authority.as_deref().map(Authority::named),
                name: hash_bytes(seat.name.as_bytes()),
                timeout: settings.timeout,
                fails_open: Defects::from_names(seat.defects).auth_fails_open,
            }),
            clients: InboundConns::default(),
            auth: PeerConn::to(one_of("auth")),
            caches: PeerConns::to(caches),
            identity: identity.map(|identity| identity.booted(now.wall)),
            leader: 0,
            mirror: Mirror::of(seat),
            queue: ServiceQueue::new(SERVED),
            pending: AllPending::default(),
        }
    }

    /// How many requests are under way.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.pending.count()
    }

    fn on_client_data(&mut self, now: Now, conn: ConnId, bytes: &[u8], fx: &mut Fx<'_>) {
        let Some(mut decoder) = self.clients.take(conn) else { return };
        let intact = decoder.feed_each(bytes, |frame| self.on_client_frame(now, conn, frame, fx));
        if !intact {
            fx.mark(Event::BadRequest.row(), [0; 3], bytes.len() as u64);
        }
        self.clients.settle(conn, decoder, intact, fx);
    }

    /// Takes one request in; false where it is none and the connection must go.
    fn on_client_frame(&mut self, now: Now, conn: ConnId, frame: &[u8], fx: &mut Fx<'_>) -> bool {
        if RequestFrame::decode(frame).is_err() {
            return false;
        }
        match draw(&self.config.service, 1, fx) {
            Duration::ZERO => self.on_request(now, conn, frame, fx),
            cost => self.queue.push(now.mono, conn, frame, cost, fx),
        }
        true
    }

    fn on_request(&mut self, now: Now, conn: ConnId, frame: &[u8], fx: &mut Fx<'_>) {
        let arrived = RequestFrame::decode(frame).expect("it was read when it arrived");
        let (request, asked) = (arrived.id(), arrived.view());
        let Some(caller) = self.clients.get_mut(conn) else { return };
        if let Request::Hello { client, token, certificate } = asked {
            return self.on_hello(now, conn, (client, token, certificate), fx);
        }
        if caller.who.is_none() {
            fx.mark(Event::GatewayDenied.row(), [0; 3], 0);
            return answer(conn, request, &Answer::Refused(Refusal::Unauthenticated), fx);
        }
        if matches!(asked, Request::Admin { .. }) {
            // Operators have a port of their own, which does not lead through here.
            return answer(conn, request, &Answer::Refused(Refusal::Unauthenticated), fx);
        }
        caller.watches |= matches!(&asked, Request::Get { options, .. } if options.watch);
        let writes = matches!(asked, Request::Write(_));
        let pending = Pending {
            conn,
            request,
            asked: arrived,
            at: Stage::Auth,
            sent: false,
            redirects: Redirects::new(),
            since: now.mono,
            writes,
        };
        if self.pending.is_empty() {
            fx.set_timer(OVERDUE, self.config.timeout);
        }
        let id = self.pending.push(pending);
        match self.config.asks {
            true => self.send(id, fx),
            // The certificate of the connection was the answer.
            false => self.pass_on(id, true, fx),
        }
    }

    /// A client says who it is: its name, its token, its certificate.
    fn on_hello(
        &mut self,
        now: Now,
        conn: ConnId,
        (client, token, certificate): (u64, &[u8], &[u8]),
        fx: &mut Fx<'_>,
    ) {
        if self.config.asks || self.proves(now, conn, client, certificate, fx) {
            let caller = self.clients.get_mut(conn).expect("the caller looked");
            caller.who = Some((client, token.to_vec()));
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
        handshake::note(verdict, certificate, conn.opener, now.wall, fx)
    }

    fn end(&mut self, id: u64, said: &Answer<'_>, fx: &mut Fx<'_>) {
        let pending = self.pending.remove(id);
        answer(pending.conn, pending.request, said, fx);
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
        match self.caches.index_of(conn) {
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
                self.caches.at(node).opened(conn);
                if let Some(identity) = &mut self.identity {
                    let (client, certificate) = (self.config.name, identity.certificate(now.wall));
                    let hello = Request::Hello { client, token: &[], certificate };
                    fx.write(conn, |out| frame::write(out, |out| hello.encode(0, out)));
                }
                self.send_all(Stage::Cache(node), fx);
            }
            Side::Mirror(node) => self.the_mirror().on_opened(node, conn, fx),
            Side::Client => {
                self.clients.opened(conn);
            }
        }
    }

    fn on_closed(&mut self, conn: ConnId, fx: &mut Fx<'_>) {
        match self.side(conn) {
            Side::Auth => {
                self.auth.closed();
                for (id, ..) in self.pending.at(Stage::Auth) {
                    self.on_no_verdict(id, fx);
                }
            }
            Side::Cache(node) => {
                self.caches.at(node).closed();
                self.on_cache_lost(node, fx);
            }
            Side::Mirror(node) => self.the_mirror().on_lost(node),
            Side::Client => {
                self.clients.closed(conn);
                self.pending.forget(conn);
            }
        }
    }

    fn on_data(&mut self, now: Now, conn: ConnId, bytes: &[u8], fx: &mut Fx<'_>) {
        let side = self.side(conn);
        let mut decoder = match side {
            Side::Client => return self.on_client_data(now, conn, bytes, fx),
            Side::Mirror(node) => return self.the_mirror().on_data(node, conn, bytes, fx),
            Side::Auth => self.auth.take(),
            Side::Cache(node) => self.caches.at(node).take(),
        };
        let intact = decoder.feed_each(bytes, |frame| match side {
            Side::Cache(node) => self.on_answer(node, frame, fx),
            _ => self.on_auth_frame(frame, fx),
        });
        match side {
            Side::Cache(node) => self.caches.at(node).settle(decoder),
            _ => self.auth.settle(decoder),
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
        let done = self.queue.take();
        done.iter().for_each(|served| self.on_request(now, served.conn, served.request, fx));
        self.queue.give_back(done);
        match input {
            Input::Opened { conn, .. } => self.on_opened(now, conn, fx),
            Input::Data { conn, bytes } => self.on_data(now, conn, bytes, fx),
            Input::Closed { conn, .. } => self.on_closed(conn, fx),
            Input::Timer(OVERDUE) => self.on_overdue(now, fx),
            // The queue was worked off above; nobody sends datagrams to a gateway.
            Input::Timer(SERVED) | Input::Datagram { .. } => {}
            other => panic!("a gateway asked for nothing that {other:?} answers"),
        }
    }

    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }

    fn memory_bytes(&self) -> u64 {
        let behind = self.auth.buffered_bytes() + self.caches.buffered_bytes();
        let shadow = self.mirror.as_ref().map_or(0, Mirror::memory_bytes);
        let held = self.pending.len_bytes() + self.queue.size_bytes() + shadow;
        held + self.clients.buffered_bytes() + behind
    }
}
