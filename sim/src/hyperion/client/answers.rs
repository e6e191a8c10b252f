//! What nodes say to the operation in flight, and what the client makes of it.

use super::super::command::{Applied, Refusal};
use super::super::tables::Event;
use super::super::wire::{Answer, ResponseFrame};
use super::near_cache::Kept;
use super::{Client, in_flight, operation};
use contract::{ConnId, Duration, Fx, Outcome, Ret};

impl Client {
    pub(super) fn on_data(&mut self, conn: ConnId, bytes: &[u8], fx: &mut Fx<'_>) {
        let Some(index) = self.peers.index_of(conn) else {
            return;
        };
        let mut decoder = self.peers.at(index).take();
        let intact = decoder.feed_each(bytes, |frame| self.on_frame(index, frame, fx));
        self.peers.at(index).settle(decoder);
        if !intact {
            fx.mark(Event::ClientBadAnswer.row(), [u64::from(index), 0, 0], 0);
            self.peers.at(index).closed();
            fx.close(conn);
            self.on_peer_lost(index, fx);
        }
    }

    /// Handles one answer; false where it is none and the connection must go.
    fn on_frame(&mut self, from: u32, frame: &[u8], fx: &mut Fx<'_>) -> bool {
        let Ok(response) = ResponseFrame::decode(frame) else { return false };
        let (request, answer) = (response.id(), response.view());
        if let Answer::Invalidate { key, version } = answer {
            return self.on_invalidate(key, version, fx);
        }
        let tries = self.operation.as_ref().map(|operation| &operation.attempts);
        let Some(tries) = tries.filter(|tries| tries.includes(request)) else {
            // An answer to an operation that is over.
            return true;
        };
        if request == tries.request() && !answer.is_partial() {
            let failed = matches!(answer, Answer::Retry | Answer::Unknown | Answer::Unavailable);
            self.note(failed, fx);
        }
        self.on_answer(from, request, answer, fx)
    }

    fn on_answer(&mut self, from: u32, request: u64, answer: Answer<'_>, fx: &mut Fx<'_>) -> bool {
        let operation = in_flight(&mut self.operation);
        let result = match answer {
            Answer::Found { .. } | Answer::Missing | Answer::Done { .. } => {
                let Some(result) = operation::read_result(&operation.call, &answer) else {
                    return false;
                };
                self.keep(from, &answer, &result);
                result
            }
            Answer::Item { position, of, value } => {
                match operation.take_item(request, position, of, value) {
                    Err(()) => return false,
                    Ok(None) => return true,
                    Ok(Some(result)) => result,
                }
            }
            Answer::Applied(Applied::Refused(refusal)) => {
                self.on_refused(request, refusal, fx);
                return true;
            }
            Answer::Applied(applied) => match operation::write_result(&operation.call, applied) {
                Some(result) => result,
                None => return false,
            },
            setback => {
                self.on_setback(request, setback, fx);
                return true;
            }
        };
        self.leader = Some(from);
        self.succeed(result, fx);
        true
    }

    /// A try ended without a result.
    fn on_setback(&mut self, request: u64, answer: Answer<'_>, fx: &mut Fx<'_>) {
        if let Answer::Refused(refusal) = answer
            && !matches!(refusal, Refusal::RateLimited { .. })
        {
            return self.on_refused(request, refusal, fx);
        }
        let attempts = &mut in_flight(&mut self.operation).attempts;
        if !matches!(answer, Answer::Retry | Answer::Unknown) {
            attempts.ruled_out(request);
        }
        if request != attempts.request() {
            return;
        }
        match answer {
            Answer::NotLeader { hint } => self.on_not_leader(hint, fx),
            // Repeating is safe: a read changes nothing, and a write is known by its number.
            Answer::Retry | Answer::Unknown => {
                self.leader = None;
                self.wait_for_next_try(fx);
            }
            Answer::Unavailable => self.wait_for_next_try(fx),
            Answer::Refused(Refusal::RateLimited { retry_after_ms, .. }) => {
                self.wait_at_least(Duration::from_millis(retry_after_ms), fx);
            }
            other => unreachable!("{other:?} was handled before"),
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
    fn on_refused(&mut self, request: u64, refusal: Refusal, fx: &mut Fx<'_>) {
        let operation = in_flight(&mut self.operation);
        operation.attempts.ruled_out(request);
        let outcome = match refusal {
            // A later session of this client ended this one; whether this write came first is not
            // known.
            Refusal::SessionOver => Outcome::Unknown,
            // Planted: the node says that it has no effect, and cannot know.
            Refusal::Aborted => Outcome::Fail,
            _ => operation.outcome_at_end(),
        };
        self.complete(outcome, fx);
    }

    fn on_not_leader(&mut self, hint: Option<u32>, fx: &mut Fx<'_>) {
        let peers = self.peers.count();
        let attempts = &mut in_flight(&mut self.operation).attempts;
        let from = attempts.target();
        self.leader = attempts.redirected(hint, peers);
        match self.leader {
            Some(to) => {
                let labels = [u64::from(from), u64::from(to), 0];
                fx.mark(Event::ClientRedirect.row(), labels, 0);
                self.try_again(to, fx);
            }
            None => self.wait_for_next_try(fx),
        }
    }
}
