//! The role `client`: translates the lab's operations to Hyperion's messages and says truthfully
//! how they ended.
//!
//! Start with [`Client`]. One logical process with one operation in flight. An operation is tried
//! until its time is over: at the remembered leader, at the node of a redirect's hint, else at the
//! next node after a wait that doubles and is jittered (the retry pattern of the modelled
//! codebase). Every try of a write carries the same session and number, so it takes effect at most
//! once (raft-thesis §6.3). Tries stand in `tries`, what nodes say to them in `answers`.
//!
//! **Invariant:** `Fail` means that no try can have reached a log: see [`Attempts`]. A write that timed
//! out with a try unanswered is `Unknown`, and the client continues as a new session.

mod answers;
mod config;
mod health;
mod near_cache;
mod operation;
mod tries;

pub use config::{CONNECTIONS_MAX, Config};

use super::tables::Event;
use super::tables::settings::ClientSettings;
use super::wire::Request;
use crate::protocol::frame;
use crate::protocol::session::Session;
use crate::protocol::tls::Identity;
use crate::service::circuit_breaker::Permit;
use crate::service::{Attempts, CircuitBreaker, PeerConns};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use catalog::Seat;
use contract::hash::hash_bytes;
use contract::{Call, ConnId, Fx, Input, Instant, Node, Now, OpId, Outcome, ReadLevel, Ret};
use near_cache::{Kept, NearCache};
use operation::Operation;

catalog::timer_keys! {
    beside [];
    /// The operation's time is over.
    const DEADLINE = 1;
    /// The current try's time is over.
    const TRY = 2;
    /// The wait before the next try is over.
    const BACKOFF = 3;
}

/// A client node.
#[derive(Clone, Debug)]
pub struct Client {
    config: Arc<Config>,
    /// To the nodes of the target.
    peers: PeerConns,
    session: Session,
    seq: u64,
    request: u64,
    /// Who led when last heard of.
    leader: Option<u32>,
    /// Where to ask when nobody is known to lead.
    next: u32,
    operation: Option<Operation>,
    /// The value that was read or written last, by id, and its version.
    seen: (u64, u64),
    /// Where it has one.
    breaker: Option<CircuitBreaker>,
    /// By what right the current try is made, and whether the breaker was told how it ended.
    permit: Option<(Permit, bool)>,
    /// What it keeps of reads that may be stale.
    near_cache: NearCache,
    /// What it proves who it is by, where it does so by a certificate.
    identity: Option<Identity>,
    /// The time of the present input.
    now: Instant,
}

impl Client {
    /// A client of the group `uses.target`.
    #[must_use]
    pub fn boot(seat: &Seat<'_>, now: Now) -> Self {
        let targets = seat.uses.get("target").expect("the lab gives every client a target");
        let peers = PeerConns::to(&targets[..targets.len().min(CONNECTIONS_MAX)]);
        let count = peers.count();
        let settings = ClientSettings::from(seat.settings);
        let config = Config::of(seat, &settings, count);
        Self {
            breaker: config.breaker.map(CircuitBreaker::new),
            permit: None,
            now: Instant(0),
            config: Arc::new(config),
            peers,
            session: Session {
                client: hash_bytes(seat.name.as_bytes()),
                epoch: u64::from(seat.boot) << 32,
            },
            seq: 0,
            request: 0,
            leader: None,
            next: seat.index % count,
            operation: None,
            seen: (0, 0),
            near_cache: NearCache::default(),
            identity: settings.certificate.identity(seat).map(|identity| identity.booted(now.wall)),
        }
    }

    /// Whether an operation is in flight.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        self.operation.is_some()
    }

    /// Its breaker, where it has one.
    #[must_use]
    pub const fn breaker(&self) -> Option<&CircuitBreaker> {
        self.breaker.as_ref()
    }

    /// The node at which its operations start, where it is pinned to one.
    #[must_use]
    pub fn home(&self) -> Option<u32> {
        self.config.home
    }

    fn on_invoke(&mut self, id: OpId, call: &Call, fx: &mut Fx<'_>) {
        assert!(self.operation.is_none(), "a client has one operation in flight");
        let Some(writes) = operation::writes(call) else {
            fx.mark(Event::ClientUnsupported.row(), [0; 3], 0);
            return fx.complete(id, Outcome::Fail);
        };
        if let Some(found) = self.kept(call) {
            let label = call.key().unwrap_or_default();
            fx.mark(Event::ClientCacheHit.row(), [label, 0, 0], 0);
            return fx.complete(id, Outcome::Ok(found));
        }
        self.seq += u64::from(writes);
        let target = self.config.home.or(self.leader).unwrap_or(self.next);
        self.operation = Some(Operation {
            id,
            call: call.clone(),
            seq: if writes { self.seq } else { 0 },
            since: self.now,
            attempts: Attempts::new(writes),
            stream: (0, Vec::new()),
        });
        if !self.config.waits_forever {
            fx.set_timer(DEADLINE, self.time_for_operation());
        }
        self.try_at(target, fx);
    }

    /// What the client keeps, for a read that may be stale.
    fn kept(&mut self, call: &Call) -> Option<Ret> {
        let &Call::Get { key, read: ReadLevel::Stale } = call else { return None };
        let Kept { value, version, .. } = self.near_cache.get(key, self.now)?;
        Some(Ret::Found { value, version, stale: true })
    }

    fn send(&mut self, conn: ConnId, fx: &mut Fx<'_>) {
        let operation = in_flight(&mut self.operation);
        operation.attempts.sent();
        let (operation, session, seen) = (&*operation, self.session, self.seen);
        let version_of = |value| if value == seen.0 { seen.1 } else { 0 };
        let (timeout, caches) = (self.config.try_timeout, self.config.caches);
        fx.write(conn, |out| {
            frame::write(out, |out| {
                operation::encode(operation, session, (timeout, caches), version_of, out);
            });
        });
    }

    fn on_opened(&mut self, now: Now, conn: ConnId, fx: &mut Fx<'_>) {
        let Some(index) = self.peers.index_of(conn) else {
            return;
        };
        self.peers.at(index).opened(conn);
        if self.config.token.is_some() || self.identity.is_some() {
            let client = self.session.client;
            let token = self.config.token.as_ref().map_or(&[][..], |token| token);
            let identity = self.identity.as_mut();
            let certificate = identity.map_or(&[][..], |identity| identity.certificate(now.wall));
            let hello = Request::Hello { client, token, certificate };
            fx.write(conn, |out| frame::write(out, |out| hello.encode(0, out)));
        }
        let waits = |operation: &Operation| operation.attempts.is_connecting_to(index);
        // A try that gave up waiting has moved on, or waits for its next turn.
        if self.operation.as_ref().is_some_and(waits) {
            self.send(conn, fx);
        }
    }
}

impl Node for Client {
    fn on_input(&mut self, now: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        self.now = now.mono;
        match input {
            Input::Invoke { op, call } => self.on_invoke(op, call, fx),
            Input::Opened { conn, .. } => self.on_opened(now, conn, fx),
            Input::Data { conn, bytes } => self.on_data(conn, bytes, fx),
            Input::Closed { conn, reason } => self.on_closed(conn, reason, fx),
            Input::Timer(key) => self.on_timer(key, fx),
            // Nobody sends datagrams to clients; a stray one is the world's doing.
            Input::Datagram { .. } => {}
            Input::Synced { .. }
            | Input::Started { .. }
            | Input::NotStarted { .. }
            | Input::Exited { .. } => {
                panic!("a client has no disk and starts nobody")
            }
        }
    }

    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }

    fn memory_bytes(&self) -> u64 {
        self.peers.buffered_bytes() + self.near_cache.memory_bytes()
    }
}

fn in_flight(operation: &mut Option<Operation>) -> &mut Operation {
    operation.as_mut().expect("an operation is in flight")
}

#[cfg(test)]
mod tests;
