//! The tries of the operation in flight: where the next one goes, how long to wait before it, and how
//! the operation ends.

use super::super::tables::Event;
use super::operation::Operation;
use super::{BACKOFF, Client, DEADLINE, TRY, in_flight};
use crate::service::circuit_breaker::Change;
use contract::{Call, CloseReason, ConnId, Duration, Fx, Outcome, Ret, TimerKey};

impl Client {
    /// Starts the next try of the operation in flight, at the node with index `target`.
    pub(super) fn try_at(&mut self, target: u32, fx: &mut Fx<'_>) {
        let now = self.now;
        self.give_back();
        if let Some(breaker) = &mut self.breaker {
            let Some(permit) = breaker.admit(now) else {
                fx.mark(Event::ClientRejected.row(), [u64::from(target), 0, 0], 0);
                return self.give_up(fx);
            };
            self.permit = Some((permit, false));
        }
        let attempts = &mut in_flight(&mut self.operation).attempts;
        if attempts.made() > 0 {
            let labels = [u64::from(attempts.made()), u64::from(target), 0];
            fx.mark(Event::ClientResend.row(), labels, 0);
        }
        self.request += 1;
        attempts.begin(self.request, target);
        if !self.config.waits_forever {
            fx.set_timer(TRY, self.time_for_try());
        }
        if let Some(conn) = self.peers.at(target).open(fx) {
            self.send(conn, fx);
        }
    }

    /// Tells the breaker how a try ended.
    pub(super) fn note(&mut self, failed: bool, fx: &mut Fx<'_>) {
        let (Some(breaker), Some((permit, is_noted))) = (&mut self.breaker, &mut self.permit)
        else {
            return;
        };
        *is_noted = true;
        let event = match breaker.note(self.now, *permit, failed) {
            Some(Change::Opened) => Event::ClientBreakerOpened,
            Some(Change::Closed) => Event::ClientBreakerClosed,
            None => return,
        };
        fx.mark(event.row(), [0; 3], 0);
    }

    /// The current try is over. Where nobody told the breaker how it ended, it decides nothing.
    fn give_back(&mut self) {
        let unknown = self.permit.take().filter(|(_, is_noted)| !is_noted);
        if let (Some(breaker), Some((permit, _))) = (&mut self.breaker, unknown)
            && !self.config.forgets_probe
        {
            breaker.give_back(permit);
        }
    }

    pub(super) fn on_closed(&mut self, conn: ConnId, reason: CloseReason, fx: &mut Fx<'_>) {
        let Some(index) = self.peers.index_of(conn) else {
            return;
        };
        let peer = self.peers.at(index);
        let was_opening = peer.opening().is_some();
        peer.closed();
        assert!(
            was_opening || reason != CloseReason::Refused,
            "only an attempt to connect is refused"
        );
        self.on_peer_lost(index, fx);
    }

    pub(super) fn on_peer_lost(&mut self, index: u32, fx: &mut Fx<'_>) {
        if !self.config.keeps_after_loss {
            self.near_cache.forget(index);
        }
        if self.leader == Some(index) {
            self.leader = None;
        }
        let here = |operation: &Operation| operation.attempts.is_at(index);
        if self.operation.as_ref().is_some_and(here) && !self.config.waits_forever {
            self.note(true, fx);
            self.wait_for_next_try(fx);
        }
    }

    pub(super) fn on_timer(&mut self, key: TimerKey, fx: &mut Fx<'_>) {
        let Some(operation) = &self.operation else {
            return;
        };
        let target = operation.attempts.target();
        match key {
            DEADLINE => {
                let labels = [u64::from(operation.attempts.made()), u64::from(target), 0];
                fx.mark(Event::ClientTimeout.row(), labels, 0);
                let is_health_check = operation.is_health_check();
                if !operation.attempts.is_waiting() {
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
                let again = self.leader.unwrap_or(self.peers.after(target));
                self.try_again(again, fx);
            }
            _ => unreachable!("the client sets no other timers"),
        }
    }

    pub(super) fn try_again(&mut self, target: u32, fx: &mut Fx<'_>) {
        let operation = in_flight(&mut self.operation);
        if operation.attempts.made() >= self.config.attempts_max {
            return self.give_up(fx);
        }
        self.try_at(target, fx);
    }

    /// Ends the current try and waits before the next.
    pub(super) fn wait_for_next_try(&mut self, fx: &mut Fx<'_>) {
        self.wait_at_least(Duration::ZERO, fx);
    }

    pub(super) fn wait_at_least(&mut self, least: Duration, fx: &mut Fx<'_>) {
        let operation = in_flight(&mut self.operation);
        if operation.is_health_check() {
            return self.unhealthy(fx);
        }
        if operation.attempts.made() >= self.config.attempts_max {
            return self.give_up(fx);
        }
        let attempts = &mut operation.attempts;
        attempts.over();
        let wait = self.config.backoff.draw(attempts.made(), least, fx.rng);
        let labels = [u64::from(attempts.made()), u64::from(attempts.target()), 0];
        fx.mark(Event::ClientRetry.row(), labels, wait.as_nanos());
        fx.cancel_timer(TRY);
        fx.set_timer(BACKOFF, wait);
    }

    pub(super) fn succeed(&mut self, result: Ret, fx: &mut Fx<'_>) {
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
    pub(super) fn give_up(&mut self, fx: &mut Fx<'_>) {
        let operation = in_flight(&mut self.operation);
        let outcome = match self.config.timeout_is_failure {
            true => Outcome::Fail,
            false => operation.outcome_at_end(),
        };
        self.complete(outcome, fx);
    }

    pub(super) fn complete(&mut self, outcome: Outcome, fx: &mut Fx<'_>) {
        self.give_back();
        let operation = self.operation.take().expect("an operation is in flight");
        self.next = operation.attempts.target();
        if outcome == Outcome::Unknown {
            self.session.epoch += 1;
            self.seq = 0;
        }
        fx.cancel_timer(DEADLINE);
        fx.cancel_timer(TRY);
        fx.cancel_timer(BACKOFF);
        fx.complete(operation.id, outcome);
    }
}
