//! What waits for the disk: nothing is promised before its sync ended (raft-paper §5, Figure 2).

use super::machine::Raft;
use super::ready::Role;
use super::settings::Fsync;
use super::storage::Ticket;
use super::tables::Event;
use super::wire::Body;
use contract::{Fx, Instant};

/// What this node will say once its disk has kept the words it rests on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Promise {
    Vote { term: u64, to: u32 },
    OwnVote { term: u64 },
    Append { term: u64, to: u32, matched: u64 },
    OwnMatch { term: u64, index: u64 },
    Heartbeat { term: u64, to: u32, round: u64 },
}

impl Promise {
    /// The term that it is given in.
    const fn term(&self) -> u64 {
        match *self {
            Self::Vote { term, .. }
            | Self::OwnVote { term }
            | Self::Append { term, .. }
            | Self::OwnMatch { term, .. }
            | Self::Heartbeat { term, .. } => term,
        }
    }
}

impl Raft {
    /// Writes term and vote; they are durable with `Storage::hard_ticket`.
    pub(super) fn save_hard_state(&mut self) {
        assert!(self.own_term <= self.term, "a node campaigns in terms that it was in");
        let defects = &self.config.defects;
        let mut term = self.term;
        let mut vote = self.vote;
        if defects.term_not_persisted {
            term = self.own_term;
            vote = vote.filter(|_| term == self.term);
        }
        if defects.vote_not_persisted {
            vote = vote.filter(|&vote| vote == self.config.me);
        }
        self.storage.put_hard(term, vote);
    }

    /// Says something once what it rests on is durable; at once where it is already.
    pub(super) fn promise(
        &mut self,
        now: Instant,
        ticket: Ticket,
        promise: Promise,
        fx: &mut Fx<'_>,
    ) {
        assert!(promise.term() == self.term, "a promise is given in the term of now");
        let is_append = matches!(promise, Promise::Append { .. } | Promise::OwnMatch { .. });
        let is_rash = self.config.fsync != Fsync::Always || self.config.defects.ack_before_fsync;
        if is_append && is_rash {
            self.fulfil(now, promise, fx);
        } else {
            self.promise_durably(now, ticket, promise, fx);
        }
    }

    /// Says something once what it rests on is durable, whatever the policy for appends is.
    pub(super) fn promise_durably(
        &mut self,
        now: Instant,
        ticket: Ticket,
        promise: Promise,
        fx: &mut Fx<'_>,
    ) {
        if self.storage.is_durable(ticket) {
            self.fulfil(now, promise, fx);
        } else {
            self.promises.push_back((ticket, promise));
        }
    }

    /// Says what was promised, unless the term it was promised in is over: within one term what a
    /// follower accepted is not overwritten, and a vote is not taken back.
    pub(super) fn fulfil(&mut self, now: Instant, promise: Promise, fx: &mut Fx<'_>) {
        assert!(promise.term() <= self.term, "nothing is promised in a term to come");
        match promise {
            Promise::Vote { term, to } if term == self.term => {
                let time = self.clock.time(now);
                self.mark(Event::VoteGranted, [term, u64::from(to), 0], 0, fx);
                let granted = true;
                self.send(to, Body::VoteResponse { granted, time }, fx);
            }
            Promise::OwnVote { term } if term == self.term => {
                self.count_vote(now, self.me(), true, fx);
            }
            Promise::Append { term, to, matched } if term == self.term => {
                self.send(to, Body::AppendAccepted { matched }, fx);
            }
            Promise::OwnMatch { term, index } if term == self.term && self.role == Role::Leader => {
                self.on_own_match(index, fx);
            }
            Promise::Heartbeat { term, to, round } if term == self.term => {
                self.respond(to, round, fx);
            }
            _ => {}
        }
    }
}
