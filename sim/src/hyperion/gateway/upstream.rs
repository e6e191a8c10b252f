//! What a gateway asks behind it, and what comes back: verdicts of the auth service, answers of the
//! cache nodes, and silence.

use super::super::command::Refusal;
use super::super::tables::Event;
use super::super::wire::{Answer, ResponseFrame};
use super::pending::Stage;
use super::{Gateway, OVERDUE, answer};
use crate::protocol::frame;
use crate::protocol::token::{Question, Verdict};
use contract::{Fx, Now};

impl Gateway {
    /// Sends a request to where it is due, if it is not there yet.
    pub(super) fn send(&mut self, id: u64, fx: &mut Fx<'_>) {
        let Some(pending) = self.pending.get_mut(id) else { return };
        if pending.sent {
            return;
        }
        let peer = match pending.at {
            Stage::Auth => &mut self.auth,
            Stage::Cache(node) => self.caches.at(node),
        };
        let Some(conn) = peer.open(fx) else { return };
        pending.sent = true;
        match pending.at {
            Stage::Auth => {
                let who = self.clients.get(pending.conn).and_then(|caller| caller.who.as_ref());
                let (client, token) = who.map_or((0, &[][..]), |(client, token)| (*client, token));
                let question = Question { id, client, token };
                fx.write(conn, |out| frame::write(out, |out| question.encode(out)));
            }
            Stage::Cache(_) => fx.write(conn, |out| {
                frame::write(out, |out| pending.asked.pass_on(id, out));
            }),
        }
    }

    /// Sends everything that waits for a connection to `at`.
    pub(super) fn send_all(&mut self, at: Stage, fx: &mut Fx<'_>) {
        for (id, sent, _) in self.pending.at(at) {
            if !sent {
                self.send(id, fx);
            }
        }
    }

    /// Handles a frame of the auth service; false where it is none and the connection must go.
    pub(super) fn on_auth_frame(&mut self, frame: &[u8], fx: &mut Fx<'_>) -> bool {
        let verdict = Verdict::decode(frame);
        verdict.map(|verdict| self.on_verdict(verdict, fx)).is_ok()
    }

    fn on_verdict(&mut self, Verdict { id, granted }: Verdict, fx: &mut Fx<'_>) {
        if self.pending.get_mut(id).is_none_or(|pending| pending.at != Stage::Auth) {
            return;
        }
        if !granted {
            fx.mark(Event::GatewayDenied.row(), [0; 3], 0);
            return self.end(id, &Answer::Refused(Refusal::Unauthenticated), fx);
        }
        self.pass_on(id, true, fx);
    }

    /// The auth service cannot be asked about this request.
    pub(super) fn on_no_verdict(&mut self, id: u64, fx: &mut Fx<'_>) {
        if self.config.fails_open {
            return self.pass_on(id, false, fx);
        }
        fx.mark(Event::GatewayDenied.row(), [1, 0, 0], 0);
        self.end(id, &Answer::Unavailable, fx);
    }

    pub(super) fn pass_on(&mut self, id: u64, granted: bool, fx: &mut Fx<'_>) {
        let leader = self.leader;
        let pending = self.pending.get_mut(id).expect("it is under way");
        pending.at = Stage::Cache(leader);
        pending.sent = false;
        fx.mark(Event::GatewayForwarded.row(), [u64::from(granted), 0, 0], 0);
        if let Some(mirror) = &mut self.mirror {
            mirror.copy(id, &pending.asked, fx);
        }
        self.send(id, fx);
    }

    pub(super) fn on_answer(&mut self, from: u32, frame: &[u8], fx: &mut Fx<'_>) -> bool {
        let Ok(arrived) = ResponseFrame::decode(frame) else { return false };
        let (id, said) = (arrived.id(), arrived.view());
        if let Answer::Invalidate { .. } = said {
            self.tell_watchers(&said, fx);
            return true;
        }
        let Some(pending) = self.pending.get_mut(id) else { return true };
        if let Answer::NotLeader { hint } = said {
            if let Some(to) = pending.redirects.follow(hint, from, self.caches.count()) {
                pending.at = Stage::Cache(to);
                pending.sent = false;
                self.leader = to;
                self.send(id, fx);
                return true;
            }
            // Somebody else may know more next time.
            self.leader = self.caches.after(from);
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
        let watching = self.clients.iter().filter(|(_, caller)| caller.watches);
        watching.for_each(|(conn, _)| answer(conn, 0, said, fx));
    }

    /// The connection to a cache node is gone, and with it what was asked there.
    pub(super) fn on_cache_lost(&mut self, node: u32, fx: &mut Fx<'_>) {
        // What it would have told is lost with it.
        self.tell_watchers(&Answer::Invalidate { key: None, version: 0 }, fx);
        if self.leader == node {
            self.leader = self.caches.after(node);
        }
        for (id, sent, writes) in self.pending.at(Stage::Cache(node)) {
            let said = if sent && writes { Answer::Unknown } else { Answer::Unavailable };
            self.end(id, &said, fx);
        }
    }

    pub(super) fn on_overdue(&mut self, now: Now, fx: &mut Fx<'_>) {
        while let Some((id, pending)) = self.pending.first() {
            let waited = now.mono.since(pending.since);
            if waited < self.config.timeout {
                fx.set_timer(OVERDUE, self.config.timeout.saturating_sub(waited));
                break;
            }
            match pending.at {
                Stage::Auth => {
                    self.on_no_verdict(id, fx);
                    // Only the defect leaves it there, and then its time begins anew.
                    if let Some(pending) = self.pending.get_mut(id) {
                        pending.since = now.mono;
                    }
                }
                Stage::Cache(_) if pending.writes => self.end(id, &Answer::Unknown, fx),
                _ => self.end(id, &Answer::Unavailable, fx),
            }
        }
    }
}
