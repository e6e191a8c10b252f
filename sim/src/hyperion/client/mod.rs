//! The role `client`: translates the lab's operations to Hyperion's messages and says truthfully
//! how they ended.
//!
//! Start with [`Client`]. One logical process with one operation in flight. An operation is tried
//! until its time is over: at the remembered leader, at the node of a redirect's hint, else at the
//! next node after a wait that doubles and is jittered (the retry pattern of the modelled
//! codebase). Every try of a write carries the same session and number, so it takes effect at most
//! once (raft-thesis §6.3).
//!
//! **Invariant:** `Fail` means that no try can have reached a log. A write that timed out with a
//! try unanswered is `Unknown`, and the client continues as a new session.

mod breaker;
mod config;
mod health;
mod near_cache;
mod operation;

pub use config::{CONNECTIONS_MAX, Config};

use super::certificate::Identity;
use super::command::{Applied, Refusal, Session};
use super::tables::Event;
use super::wire::{Answer, Request, Said};
use crate::protocol::frame::{self, Decoder};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use breaker::{Breaker, Change};
use catalog::Seat;
use contract::hash::hash_bytes;
use contract::{
    Call, CloseReason, ConnId, Duration, Fx, Input, Instant, Node, NodeId, Now, OpId, Outcome,
    ReadLevel, Ret, TimerKey,
};
use near_cache::{Kept, NearCache};
use operation::Operation;

/// The operation's time is over.
const DEADLINE: TimerKey = TimerKey(1);
/// The current try's time is over.
const TRY: TimerKey = TimerKey(2);
/// The wait before the next try is over.
const BACKOFF: TimerKey = TimerKey(3);

/// Redirects followed in a row before a wait: two nodes that point at each other must not be asked
/// in a circle without end.
const REDIRECTS_MAX: u32 = 3;

/// A client node.
#[derive(Clone, Debug)]
pub struct Client {
    config: Arc<Config>,
    /// One per node of the target, by index.
    links: Vec<Link>,
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
    breaker: Option<Breaker>,
    /// What it keeps of reads that may be stale.
    near_cache: NearCache,
    /// What it proves who it is by, where it does so by a certificate.
    identity: Option<Identity>,
    /// The time of the present input.
    now: Instant,
}

/// The connection to one node; opened when it is first needed, and kept.
#[derive(Clone, Debug)]
struct Link {
    to: NodeId,
    state: LinkState,
    decoder: Decoder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LinkState {
    Closed,
    Opening(ConnId),
    Open(ConnId),
}

impl Client {
    /// A client of the group `uses.target`.
    #[must_use]
    pub fn boot(seat: &Seat<'_>, now: Now) -> Self {
        let targets = seat.uses.get("target").expect("the lab gives every client a target");
        assert!(!targets.is_empty(), "a target has nodes");
        let links: Vec<Link> = targets.iter().take(CONNECTIONS_MAX).map(Link::to).collect();
        let count = links.len() as u32;
        let config = Config::of(seat, count);
        Self {
            breaker: config.breaker.map(Breaker::new),
            now: Instant(0),
            config: Arc::new(config),
            links,
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
            identity: Identity::of(seat).map(|identity| identity.booted(now.wall)),
        }
    }

    /// Whether an operation is in flight.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        self.operation.is_some()
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
            tries: 0,
            redirects: 0,
            target,
            first_request: self.request + 1,
            request: self.request,
            sent: false,
            waits: false,
            unresolved: 0,
            stream: (0, Vec::new()),
        });
        fx.set_timer(DEADLINE, self.time_for_operation());
        self.try_at(target, fx);
    }

    /// What the client keeps, for a read that may be stale.
    fn kept(&mut self, call: &Call) -> Option<Ret> {
        let &Call::Get { key, read: ReadLevel::Stale } = call else { return None };
        let Kept { value, version, .. } = self.near_cache.get(key, self.now)?;
        Some(Ret::Found { value, version, stale: true })
    }

    /// Starts the next try of the operation in flight, at the node with index `target`.
    fn try_at(&mut self, target: u32, fx: &mut Fx<'_>) {
        let now = self.now;
        if self.breaker.as_mut().is_some_and(|breaker| !breaker.admits(now)) {
            fx.mark(Event::ClientRejected.row(), [u64::from(target), 0, 0], 0);
            return self.give_up(fx);
        }
        let operation = in_flight(&mut self.operation);
        if operation.tries > 0 {
            let labels = [u64::from(operation.tries), u64::from(target), 0];
            fx.mark(Event::ClientResend.row(), labels, 0);
        }
        operation.waits = false;
        self.request += 1;
        operation.request = self.request;
        operation.tries += 1;
        operation.target = target;
        operation.sent = false;
        fx.set_timer(TRY, self.time_for_try());
        let link = &mut self.links[target as usize];
        match link.state {
            LinkState::Closed => link.state = LinkState::Opening(fx.open(link.to)),
            LinkState::Opening(_) => {}
            LinkState::Open(conn) => self.send(conn, fx),
        }
    }

    /// Tells the breaker how a try ended.
    fn note(&mut self, failed: bool, fx: &mut Fx<'_>) {
        let now = self.now;
        let event = match self.breaker.as_mut().and_then(|breaker| breaker.note(now, failed)) {
            Some(Change::Opened) => Event::ClientBreakerOpened,
            Some(Change::Closed) => Event::ClientBreakerClosed,
            None => return,
        };
        fx.mark(event.row(), [0; 3], 0);
    }

    fn send(&mut self, conn: ConnId, fx: &mut Fx<'_>) {
        let operation = in_flight(&mut self.operation);
        assert!(!operation.sent, "each try is sent once");
        operation.sent = true;
        operation.unresolved += u32::from(operation.is_write());
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
        let Some(index) = self.link_of(conn) else {
            return;
        };
        let link = &mut self.links[index as usize];
        assert!(link.state == LinkState::Opening(conn), "a connection opens once");
        link.state = LinkState::Open(conn);
        link.decoder = Decoder::default();
        if self.config.token.is_some() || self.identity.is_some() {
            let client = self.session.client;
            let token = self.config.token.as_ref().map_or(&[][..], |token| token);
            let identity = self.identity.as_mut();
            let certificate = identity.map_or(&[][..], |identity| identity.certificate(now.wall));
            let hello = Request::Hello { client, token, certificate };
            fx.write(conn, |out| frame::write(out, |out| hello.encode(0, out)));
        }
        let waits = |operation: &Operation| operation.target == index && !operation.sent;
        // A try that gave up waiting has moved on, or waits for its next turn.
        if self.operation.as_ref().is_some_and(waits) {
            self.send(conn, fx);
        }
    }

    fn on_data(&mut self, conn: ConnId, bytes: &[u8], fx: &mut Fx<'_>) {
        let Some(index) = self.link_of(conn) else {
            return;
        };
        let mut decoder = core::mem::take(&mut self.links[index as usize].decoder);
        let intact = decoder.feed_each(bytes, |frame| self.on_frame(index, frame, fx));
        let link = &mut self.links[index as usize];
        link.decoder = decoder;
        if !intact {
            fx.mark(Event::ClientBadAnswer.row(), [u64::from(index), 0, 0], 0);
            link.state = LinkState::Closed;
            fx.close(conn);
            self.on_link_lost(index, fx);
        }
    }

    /// Handles one answer; false where it is none and the connection must go.
    fn on_frame(&mut self, from: u32, frame: &[u8], fx: &mut Fx<'_>) -> bool {
        let Ok(said) = Said::decode(frame) else { return false };
        let (request, answer) = (said.id(), said.answer());
        if let Answer::Invalidate { key, version } = answer {
            return self.on_invalidate(key, version, fx);
        }
        let Some(operation) = &mut self.operation else {
            return true;
        };
        if request < operation.first_request || request > operation.request {
            // An answer to an operation that is over.
            return true;
        }
        let is_current = request == operation.request;
        if is_current && !answer.is_partial() {
            let failed = matches!(answer, Answer::Retry | Answer::Unknown | Answer::Unavailable);
            self.note(failed, fx);
        }
        let operation = in_flight(&mut self.operation);
        match answer {
            Answer::Found { .. } | Answer::Missing | Answer::Done { .. } => {
                let Some(result) = operation::read_result(&operation.call, &answer) else {
                    return false;
                };
                self.keep(from, &answer, &result);
                self.leader = Some(from);
                self.succeed(result, fx);
            }
            Answer::Item { position, of, value } => {
                match operation.take_item(request, position, of, value) {
                    Err(()) => return false,
                    Ok(None) => {}
                    Ok(Some(result)) => {
                        self.leader = Some(from);
                        self.succeed(result, fx);
                    }
                }
            }
            Answer::Applied(Applied::Refused(refusal)) => self.on_refused(refusal, fx),
            Answer::Applied(applied) => {
                let Some(result) = operation::write_result(&operation.call, applied) else {
                    return false;
                };
                self.leader = Some(from);
                self.succeed(result, fx);
            }
            setback => self.on_setback(setback, is_current, fx),
        }
        true
    }

    /// A try ended without a result.
    fn on_setback(&mut self, answer: Answer<'_>, is_current: bool, fx: &mut Fx<'_>) {
        let operation = in_flight(&mut self.operation);
        match answer {
            Answer::NotLeader { hint } => {
                operation.unresolved -= u32::from(operation.is_write());
                if is_current {
                    self.on_not_leader(hint, fx);
                }
            }
            // Repeating is safe: a read changes nothing, and a write is known by its number.
            Answer::Retry | Answer::Unknown => {
                if is_current {
                    self.leader = None;
                    self.wait_for_next_try(fx);
                }
            }
            Answer::Unavailable => {
                operation.unresolved -= u32::from(operation.is_write());
                if is_current {
                    self.wait_for_next_try(fx);
                }
            }
            Answer::Refused(Refusal::RateLimited { retry_after_ms, .. }) => {
                operation.unresolved -= u32::from(operation.is_write());
                if is_current {
                    self.wait_at_least(Duration::from_millis(retry_after_ms), fx);
                }
            }
            Answer::Refused(refusal) => {
                operation.unresolved -= u32::from(operation.is_write());
                self.on_refused(refusal, fx);
            }
            Answer::Found { .. }
            | Answer::Missing
            | Answer::Done { .. }
            | Answer::Item { .. }
            | Answer::Applied(_)
            | Answer::Invalidate { .. } => unreachable!("it was handled before"),
        }
    }

    /// Something that the client may keep is over; false where the key is none of its keys.
    fn on_invalidate(&mut self, key: Option<&[u8]>, version: u64, fx: &mut Fx<'_>) -> bool {
        let key = match key.map(<[u8; 8]>::try_from) {
            Some(Err(_)) => return false,
            Some(Ok(bytes)) => Some(u64::from_be_bytes(bytes)),
            None => None,
        };
        if self.near_cache.invalidate(key, version) {
            fx.mark(Event::ClientInvalidated.row(), [key.unwrap_or(u64::MAX), version, 0], 0);
        }
        true
    }

    /// Keeps what was read at node `from`, for as long as its answer says.
    fn keep(&mut self, from: u32, answer: &Answer<'_>, result: &Ret) {
        let operation = in_flight(&mut self.operation);
        let (Answer::Found { hint, .. }, &Ret::Found { value, version, .. }) = (answer, result)
        else {
            return;
        };
        if self.config.caches
            && *hint > Duration::ZERO
            && let Some(key) = operation.call.key()
        {
            let until = self.now + *hint;
            self.near_cache.keep(key, Kept { value, version, until, from });
        }
    }

    /// A try was refused. Whatever is refused for what it asks is refused at every node.
    fn on_refused(&mut self, refusal: Refusal, fx: &mut Fx<'_>) {
        let operation = in_flight(&mut self.operation);
        let outcome = match refusal {
            // A later session of this client ended this one; whether this write came first is not
            // known.
            Refusal::SessionOver => Outcome::Unknown,
            Refusal::Aborted => Outcome::Fail,
            _ if operation.tries == 1 => Outcome::Fail,
            _ => operation.outcome_at_end(),
        };
        self.complete(outcome, fx);
    }

    fn on_not_leader(&mut self, hint: Option<u32>, fx: &mut Fx<'_>) {
        let known = |hint: &u32| (*hint as usize) < self.links.len();
        let hint = hint.filter(known);
        self.leader = hint;
        let operation = in_flight(&mut self.operation);
        let from = operation.target;
        match hint {
            Some(to) if to != from && operation.redirects < REDIRECTS_MAX => {
                operation.redirects += 1;
                let labels = [u64::from(from), u64::from(to), 0];
                fx.mark(Event::ClientRedirect.row(), labels, 0);
                self.try_again(to, fx);
            }
            _ => {
                self.leader = None;
                self.wait_for_next_try(fx);
            }
        }
    }

    fn on_closed(&mut self, conn: ConnId, reason: CloseReason, fx: &mut Fx<'_>) {
        let Some(index) = self.link_of(conn) else {
            return;
        };
        let link = &mut self.links[index as usize];
        let was_opening = link.state == LinkState::Opening(conn);
        link.state = LinkState::Closed;
        assert!(
            was_opening || reason != CloseReason::Refused,
            "only an attempt to connect is refused"
        );
        self.on_link_lost(index, fx);
    }

    fn on_link_lost(&mut self, index: u32, fx: &mut Fx<'_>) {
        if !self.config.keeps_after_loss {
            self.near_cache.forget(index);
        }
        if self.leader == Some(index) {
            self.leader = None;
        }
        let here = |operation: &Operation| operation.target == index && !operation.waits;
        if self.operation.as_ref().is_some_and(here) {
            self.note(true, fx);
            self.wait_for_next_try(fx);
        }
    }

    fn on_timer(&mut self, key: TimerKey, fx: &mut Fx<'_>) {
        let Some(operation) = &self.operation else {
            return;
        };
        let target = operation.target;
        match key {
            DEADLINE => {
                let labels = [u64::from(operation.tries), u64::from(target), 0];
                fx.mark(Event::ClientTimeout.row(), labels, 0);
                let is_health_check = operation.is_health_check();
                if !operation.waits {
                    self.note(true, fx);
                }
                match is_health_check {
                    true => self.unhealthy(fx),
                    false => self.give_up(fx),
                }
            }
            TRY => {
                self.note(true, fx);
                if !self.config.stays {
                    self.leader = None;
                }
                self.wait_for_next_try(fx);
            }
            BACKOFF => {
                let next = (target + 1) % self.links.len() as u32;
                let again = self.leader.unwrap_or(next);
                self.try_again(again, fx);
            }
            _ => unreachable!("the client sets no other timers"),
        }
    }

    fn try_again(&mut self, target: u32, fx: &mut Fx<'_>) {
        let operation = in_flight(&mut self.operation);
        if operation.tries >= self.config.attempts_max {
            return self.give_up(fx);
        }
        self.try_at(target, fx);
    }

    /// Ends the current try and waits before the next.
    fn wait_for_next_try(&mut self, fx: &mut Fx<'_>) {
        self.wait_at_least(Duration::ZERO, fx);
    }

    fn wait_at_least(&mut self, least: Duration, fx: &mut Fx<'_>) {
        let operation = in_flight(&mut self.operation);
        if operation.is_health_check() {
            return self.unhealthy(fx);
        }
        if operation.tries >= self.config.attempts_max {
            return self.give_up(fx);
        }
        operation.redirects = 0;
        // Nothing is sent for this try any more, even if its connection opens now.
        operation.sent = true;
        operation.waits = true;
        let delay = self.config.backoff(operation.tries).max(least).as_nanos();
        let jitter = match self.config.jitter {
            true => fx.rng.below((delay / 4).max(1)),
            false => 0,
        };
        let labels = [u64::from(operation.tries), u64::from(operation.target), 0];
        fx.mark(Event::ClientRetry.row(), labels, delay + jitter);
        fx.cancel_timer(TRY);
        fx.set_timer(BACKOFF, Duration(delay + jitter));
    }

    fn succeed(&mut self, result: Ret, fx: &mut Fx<'_>) {
        let operation = in_flight(&mut self.operation);
        match (&operation.call, &result) {
            (_, Ret::Found { value, version, .. }) => self.seen = (value.id, *version),
            (Call::Put { value, .. } | Call::Cas { value, .. }, Ret::Done { version }) => {
                self.seen = (value.id, *version);
            }
            _ => {}
        }
        self.complete(Outcome::Ok(result), fx);
    }

    /// No more tries.
    fn give_up(&mut self, fx: &mut Fx<'_>) {
        let operation = in_flight(&mut self.operation);
        let outcome = match self.config.timeout_is_failure {
            true => Outcome::Fail,
            false => operation.outcome_at_end(),
        };
        self.complete(outcome, fx);
    }

    fn complete(&mut self, outcome: Outcome, fx: &mut Fx<'_>) {
        let operation = self.operation.take().expect("an operation is in flight");
        self.next = operation.target;
        if outcome == Outcome::Unknown {
            self.session.epoch += 1;
            self.seq = 0;
        }
        fx.cancel_timer(DEADLINE);
        fx.cancel_timer(TRY);
        fx.cancel_timer(BACKOFF);
        fx.complete(operation.id, outcome);
    }

    /// The node whose connection this is, by index.
    fn link_of(&self, conn: ConnId) -> Option<u32> {
        let has = |link: &Link| matches!(link.state, LinkState::Opening(c) | LinkState::Open(c) if c == conn);
        let position = self.links.iter().position(has)?;
        Some(position as u32)
    }
}

impl Link {
    fn to(node: &NodeId) -> Self {
        Self { to: *node, state: LinkState::Closed, decoder: Decoder::default() }
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
        let buffered = |link: &Link| link.decoder.buffered_bytes();
        self.links.iter().map(buffered).sum()
    }
}

fn in_flight(operation: &mut Option<Operation>) -> &mut Operation {
    operation.as_mut().expect("an operation is in flight")
}

#[cfg(test)]
mod tests;
