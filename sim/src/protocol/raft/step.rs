//! One frame in: the comparison of terms that comes before everything else (raft-paper §5.1).

use super::after_sync::Promise;
use super::machine::Raft;
use super::ready::Role;
use super::wire::{Body, Message};
use contract::{Fx, Instant};

impl Raft {
    /// Handles a frame of the peer `from`.
    pub(super) fn step(&mut self, now: Instant, from: u32, message: Message<'_>, fx: &mut Fx<'_>) {
        assert!(from != self.me(), "a node does not write to itself");
        assert!((from as usize) < self.config.peers.len(), "frames come from peers");
        let term = message.term;
        match message.body {
            Body::PreVote { last } => return self.on_pre_vote(now, from, term, last, fx),
            Body::Vote { last, transfer } => {
                return self.on_vote(now, from, term, (last, transfer), fx);
            }
            Body::PreVoteResponse { granted: true, time } => {
                self.clock.hear(time, now);
                if term == self.term + 1 {
                    self.count_pre_vote(now, from, true, fx);
                }
                return;
            }
            _ => {}
        }
        if term < self.term {
            return self.step_stale(now, from, message.body, fx);
        }
        if term > self.term {
            self.follow(now, term, fx);
        }
        if self.role == Role::Leader {
            self.progress[from as usize].heard_at = now;
        }
        match message.body {
            Body::PreVote { .. } | Body::Vote { .. } => {
                unreachable!("requests for votes compare terms themselves")
            }
            Body::Append { .. } | Body::Heartbeat { .. } | Body::Snapshot(_) => {
                self.step_leader(now, from, message.body, fx);
            }
            Body::TimeoutNow { last } => self.on_timeout_now(now, from, last, fx),
            response => self.step_response(now, from, response, fx),
        }
    }

    /// Something from an earlier term. A leader among the senders learns that it is deposed; that
    /// also takes in a node that is stuck in a term ahead of the others (raft-thesis §9.6).
    fn step_stale(&mut self, now: Instant, from: u32, body: Body<'_>, fx: &mut Fx<'_>) {
        match body {
            Body::Append { .. } | Body::Heartbeat { .. } | Body::Snapshot(_) => {
                if self.config.defects.timer_reset_on_any_rpc {
                    self.reset_election(now, fx);
                }
                self.respond(from, 0, fx);
            }
            Body::VoteResponse { granted: true, .. } if self.config.defects.stale_vote_counted => {
                self.count_vote(now, from, true, fx);
            }
            _ => {}
        }
    }

    /// Something from the leader of this term.
    fn step_leader(&mut self, now: Instant, from: u32, body: Body<'_>, fx: &mut Fx<'_>) {
        let is_deaf = self.config.defects.candidate_ignores_append && self.role == Role::Candidate;
        // A second leader of one term exists only where a defect is planted; neither gives way.
        if self.role == Role::Leader || is_deaf {
            return;
        }
        if self.role != Role::Follower {
            self.follow(now, self.term, fx);
        }
        assert!(self.role == Role::Follower, "who hears the leader of its term follows it");
        self.leader = Some(from);
        let is_heartbeat = matches!(body, Body::Heartbeat { .. });
        if is_heartbeat || !self.config.contact_is_heartbeat {
            self.leader_contact = Some(now);
            self.reset_election(now, fx);
        }
        match body {
            Body::Append { previous, commit, time, entries } => {
                self.clock.hear(time, now);
                self.on_append(now, from, previous, commit, entries, fx);
            }
            Body::Heartbeat { round, commit, time } => {
                self.clock.hear(time, now);
                self.on_heartbeat(commit, fx);
                let term = self.term;
                let to = from;
                let ticket = self.storage.hard_ticket();
                self.promise(now, ticket, Promise::Heartbeat { term, to, round }, fx);
            }
            Body::Snapshot(part) => self.on_part(now, from, part, fx),
            _ => unreachable!("leaders send appends, heartbeats and snapshots"),
        }
    }

    /// An answer of this term, or one whose newer term was just adopted.
    fn step_response(&mut self, now: Instant, from: u32, body: Body<'_>, fx: &mut Fx<'_>) {
        if let Body::PreVoteResponse { time, .. } | Body::VoteResponse { time, .. } = body {
            self.clock.hear(time, now);
        }
        match body {
            Body::PreVoteResponse { granted, .. } => self.count_pre_vote(now, from, granted, fx),
            Body::VoteResponse { granted, .. } => self.count_vote(now, from, granted, fx),
            _ if self.role != Role::Leader => {}
            Body::AppendAccepted { matched } => self.on_append_accepted(now, from, matched, fx),
            Body::AppendRejected { rejected, hint } => {
                self.on_append_rejected(now, from, rejected, hint, fx);
            }
            Body::HeartbeatResponse { round, last_index } => {
                self.on_heartbeat_response(now, from, round, last_index, fx);
            }
            Body::SnapshotReceived { id, offset, received } => {
                self.on_snapshot_received(now, from, (id, offset, received), fx);
            }
            _ => unreachable!("requests are handled before responses"),
        }
    }

    pub(super) fn on_heartbeat_due(&mut self, now: Instant, fx: &mut Fx<'_>) {
        self.check_quorum(now, fx);
        if self.role != Role::Leader {
            return;
        }
        if self.transfer.is_some_and(|transfer| now >= transfer.deadline) {
            self.transfer = None;
        }
        self.start_round(now, fx);
        self.arm_heartbeat(now, fx);
    }
}
