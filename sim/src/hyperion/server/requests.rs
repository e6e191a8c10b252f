//! Requests: admitted, counted, priced, and carried out when their time is spent.

use super::super::BATCH_KEYS_MAX;
use super::super::command::{Refusal, Write};
use super::super::tables::Event;
use super::super::wire::{Answer, Request, RequestFrame};
use super::Server;
use super::metrics::{Method, Metrics};
use crate::protocol::cache::Key;
use crate::protocol::frame;
use crate::service::service_queue::{Served, draw};
use contract::{ConnId, Dist, Duration, Fx, Instant, Now, ReadLevel};

/// The kinds of requests that have rate limits of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limited {
    /// Reads of one key.
    Get,
    /// Writes.
    Set,
    /// Reads of several keys.
    BatchGet,
    /// What operators do.
    Admin,
}

/// How many kinds there are.
pub(super) const LIMITED_KINDS: usize = Limited::Admin as usize + 1;

impl Limited {
    /// The kind of a request; `None` for one that asks for nothing.
    const fn of(asked: &Request<'_>) -> Option<Self> {
        Some(match asked {
            Request::Get { .. } => Self::Get,
            Request::BatchGet { .. } => Self::BatchGet,
            Request::Write(_) => Self::Set,
            Request::Admin { .. } => Self::Admin,
            Request::Hello { .. } => return None,
        })
    }
}

/// Where an answer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requester {
    pub(super) conn: ConnId,
    pub(super) request: u64,
    /// What was asked, where operators count it.
    pub(super) method: Option<Method>,
    /// When it arrived.
    pub(super) since: Instant,
    /// Whether it may get what is over.
    pub(super) allow_stale: bool,
    /// Whether it wants to keep what it gets.
    pub(super) watch: bool,
}

impl Server {
    /// Takes one request in; false where it is none and the connection must go.
    pub(super) fn on_frame(
        &mut self,
        now: Now,
        conn: ConnId,
        frame: &[u8],
        fx: &mut Fx<'_>,
    ) -> bool {
        let Ok(arrived) = RequestFrame::decode(frame) else { return false };
        let (request, asked) = (arrived.id(), arrived.view());
        if !self.admits(now, conn, (request, &asked), fx) {
            return true;
        }
        let Some(kind) = Limited::of(&asked) else { return true };
        let requester = Requester::of(conn, request, &asked, now.mono);
        if let Some(method) = requester.method {
            self.metrics.arrived(method);
        }
        if self.is_too_often(now, requester, kind, fx) {
            return true;
        }
        let (service, times) = self.price(&asked);
        match draw(service, times, fx) {
            Duration::ZERO => self.carry_out(now, requester, asked, fx),
            cost => self.queue.push(now.mono, conn, frame, cost, fx),
        }
        true
    }

    /// What a request costs: processor time, and how often.
    fn price(&self, asked: &Request<'_>) -> (&Dist, u64) {
        let config = &self.config;
        match asked {
            Request::Get { key, .. } => {
                let finds = || self.machine.store().get(&Key::new(key)).is_some();
                let miss = config.service_miss.as_ref().filter(|_| !finds());
                (miss.unwrap_or(&config.service_get), 1)
            }
            Request::BatchGet { keys, .. } => match &config.service_batch_get {
                Some(whole) => (whole, 1),
                None => (&config.service_get, (keys.len() as u64).min(BATCH_KEYS_MAX)),
            },
            Request::Write(command) => {
                let delete =
                    config.service_delete.as_ref().filter(|_| command.write == Write::Delete);
                (delete.unwrap_or(&config.service_put), 1)
            }
            Request::Admin { .. } | Request::Hello { .. } => (&config.service_get, 1),
        }
    }

    /// Whether its client asks more often than it may; then it is refused.
    fn is_too_often(
        &mut self,
        now: Now,
        requester: Requester,
        kind: Limited,
        fx: &mut Fx<'_>,
    ) -> bool {
        let Some(limits) = &self.config.rate_limits else { return false };
        let client = self.client_of(requester.conn);
        let counted = self.rate_limiter.count(now.mono, client, kind as usize, limits);
        let Err(left) = counted else { return false };
        fx.mark(Event::RateLimited.row(), [kind as u64, 0, 0], left.as_nanos());
        let (retry_after_ms, max) = (left.as_millis() + 1, limits[kind as usize]);
        let refusal = Refusal::RateLimited { retry_after_ms, max };
        refuse(&mut self.metrics, requester, refusal, fx);
        true
    }

    fn carry_out(&mut self, now: Now, requester: Requester, asked: Request<'_>, fx: &mut Fx<'_>) {
        if self.pool.as_ref().is_some_and(|pool| !pool.serves()) {
            return answer(&mut self.metrics, requester, &Answer::Unavailable, fx);
        }
        match asked {
            Request::Get { options, key } => self.on_get(now, requester, options.level, key, fx),
            Request::BatchGet { options, keys } => {
                self.on_batch_get(now, requester, options.level, &keys, fx);
            }
            Request::Write(command) => self.on_write(now, requester, &command, fx),
            Request::Admin { verb, count } => self.on_verb(now, requester, verb, count, fx),
            Request::Hello { .. } => unreachable!("a hello is not queued"),
        }
    }

    /// Carries out the requests whose time was spent by the inputs before this one.
    pub(super) fn work_off(&mut self, now: Now, fx: &mut Fx<'_>) {
        if self.queue.is_empty() {
            return;
        }
        let done = self.queue.take();
        for Served { conn, since, request } in done.iter() {
            let arrived = RequestFrame::decode(request).expect("it was read when it arrived");
            let asked = arrived.view();
            if Self::is_too_late(now, &asked, since) {
                let waited = now.mono.since(since).as_nanos();
                fx.mark(Event::TooLate.row(), [0; 3], waited);
                continue;
            }
            let requester = Requester::of(conn, arrived.id(), &asked, since);
            self.carry_out(now, requester, asked, fx);
        }
        self.queue.give_back(done);
    }

    /// Whether nobody waits any more for the answer to a read that was queued at `since`, behind
    /// others that came with it. What it waited before the node had time to look at it, the node
    /// cannot know.
    fn is_too_late(now: Now, asked: &Request<'_>, since: Instant) -> bool {
        let (Request::Get { options, .. } | Request::BatchGet { options, .. }) = asked else {
            return false;
        };
        now.mono.since(since) > options.timeout
    }
}

impl Requester {
    /// Who asks for this on `conn`.
    pub(super) fn of(conn: ConnId, request: u64, asked: &Request<'_>, since: Instant) -> Self {
        let (method, options) = match asked {
            Request::Get { options, .. } => (Some(Method::Get), Some(options)),
            Request::BatchGet { options, .. } => (Some(Method::BatchGet), Some(options)),
            Request::Write(command) => match command.write {
                Write::Delete => (Some(Method::Delete), None),
                _ => (Some(Method::Set), None),
            },
            // Operators do not count what they ask themselves.
            Request::Admin { .. } | Request::Hello { .. } => (None, None),
        };
        let allow_stale = options.is_some_and(|options| options.level == ReadLevel::Stale);
        let watch = options.is_some_and(|options| options.watch);
        Self { conn, request, method, since, allow_stale, watch }
    }
}

/// Writes one answer to whoever asked.
pub(super) fn answer(
    metrics: &mut Metrics,
    requester: Requester,
    answer: &Answer<'_>,
    fx: &mut Fx<'_>,
) {
    if let Some(method) = requester.method {
        metrics.answered(method, requester.since, answer);
    }
    fx.write(requester.conn, |out| {
        frame::write(out, |out| answer.encode(requester.request, out));
    });
}

pub(super) fn refuse(
    metrics: &mut Metrics,
    requester: Requester,
    refusal: Refusal,
    fx: &mut Fx<'_>,
) {
    answer(metrics, requester, &Answer::Refused(refusal), fx);
}
