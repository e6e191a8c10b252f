//! Reads without log entries: heartbeat rounds, read-index, and the leader's lease.
//!
//! Sources: raft-thesis §6.4 and §6.4.1. A round is numbered; a quorum that answered round `r`
//! proves that this node still led when `r` was sent. That confirms the reads that arrived before
//! `r` was sent, and starts a lease at the moment of sending.

use super::configuration::PeerSet;
use super::machine::Raft;
use super::quorum::{majority, reached_by};
use super::ready::{ReadId, Ready, Role};
use super::settings::Config;
use super::tables::Event;
use super::wire::Body;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use contract::{Duration, Fx, Instant};

/// Rounds remembered without a quorum's answer. When more are open, the oldest are forgotten,
/// which can only make a lease shorter.
const ROUNDS_MAX: usize = 64;

const _: () = assert!(ROUNDS_MAX > 1, "a round may be open while the next is sent");

/// The reads and rounds of one leadership.
#[derive(Clone, Debug, Default)]
pub(super) struct Reads {
    ids: u64,
    /// The last round sent.
    round: u64,
    /// The last round that a quorum answered.
    confirmed: u64,
    /// Rounds that no quorum has answered yet, oldest first.
    open: VecDeque<Round>,
    /// When the latest confirmed round was sent.
    lease_from: Option<Instant>,
    /// Reads that arrived since the last round was sent.
    waiting: VecDeque<ReadId>,
    /// Reads that a round will confirm.
    bound: VecDeque<Bound>,
}

#[derive(Clone, Copy, Debug)]
struct Round {
    number: u64,
    sent_at: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Bound {
    round: u64,
    id: ReadId,
    index: u64,
    time: u64,
    /// Who answered anything since the read was bound: counts for the defect alone.
    heard: PeerSet,
}

impl Reads {
    /// Starts a leadership: rounds count from one in every term.
    pub fn lead(&mut self) {
        assert!(
            self.waiting.is_empty() && self.bound.is_empty(),
            "reads of an earlier term were answered when it ended"
        );
        self.round = 0;
        self.confirmed = 0;
        self.open.clear();
        self.lease_from = None;
    }

    /// Ends a leadership: nothing can be confirmed any more.
    pub fn fail(&mut self, ready: &mut Vec<Ready>) {
        let bound = self.bound.drain(..).map(|bound| bound.id);
        let ids = bound.chain(self.waiting.drain(..));
        ready.extend(ids.map(|id| Ready::ReadFailed { id }));
    }
}

impl Raft {
    /// Queues a read and makes sure that a round follows it. While one round with reads is on its
    /// way the next reads gather for the following one, so rounds do not grow with reads.
    pub(super) fn queue_read(&mut self, now: Instant, fx: &mut Fx<'_>) -> ReadId {
        assert!(self.role == Role::Leader, "only leaders confirm reads");
        self.reads.ids += 1;
        let id = ReadId(self.reads.ids);
        self.reads.waiting.push_back(id);
        self.round_for_waiting_reads(now, fx);
        id
    }

    /// Sends a round when reads wait for one and none is on its way.
    pub(super) fn round_for_waiting_reads(&mut self, now: Instant, fx: &mut Fx<'_>) {
        let is_wanted = self.reads.bound.is_empty() && !self.reads.waiting.is_empty();
        if is_wanted && self.may_bind_reads() {
            self.start_round(now, fx);
        }
    }

    /// Before its first commit a leader does not know what its predecessors committed.
    fn may_bind_reads(&self) -> bool {
        self.has_committed_in_term() || self.config.defects.read_before_own_commit
    }

    /// Whether an entry of this leader's own term is committed.
    pub(super) fn has_committed_in_term(&self) -> bool {
        self.log.term(self.commit_index) == Some(self.term)
    }

    /// Sends heartbeats to all peers, under a number of their own.
    pub(super) fn start_round(&mut self, now: Instant, fx: &mut Fx<'_>) {
        assert!(self.role == Role::Leader, "only leaders send heartbeats");
        self.reads.round += 1;
        let round = self.reads.round;
        let time = self.clock.time(now);
        if self.reads.open.len() == ROUNDS_MAX {
            self.reads.open.pop_front();
        }
        assert!(self.reads.open.len() < ROUNDS_MAX, "there is room for the round");
        assert!(round > self.reads.confirmed, "nobody answered a round before it was sent");
        self.reads.open.push_back(Round { number: round, sent_at: now });
        self.bind_reads(round, time);
        self.mark(Event::HeartbeatSent, [self.term, round, 0], 0, fx);
        self.send_heartbeats(round, time, fx);
        self.confirm_rounds(now, fx);
    }

    /// Most peers are told the same, so a frame is encoded once for neighbours that are.
    fn send_heartbeats(&mut self, round: u64, time: u64, fx: &mut Fx<'_>) {
        let mut last = None;
        for peer in self.tracked.iter() {
            if peer == self.me() {
                continue;
            }
            let commit = self.commit_for(peer);
            if let Some((told, bytes)) = last
                && told == commit
            {
                fx.datagram_again(self.config.peers[peer as usize], bytes);
                continue;
            }
            let body = Body::Heartbeat { round, commit, time };
            last = Some((commit, self.send(peer, body, fx)));
        }
    }

    /// What a heartbeat may say of the commit index: no more than the peer is known to hold, since
    /// a heartbeat verifies nothing.
    fn commit_for(&self, peer: u32) -> u64 {
        assert!(peer != self.me(), "a leader sends itself no heartbeats");
        if self.config.defects.commit_past_verified {
            return self.commit_index;
        }
        self.commit_index.min(self.progress[peer as usize].matched)
    }

    fn bind_reads(&mut self, round: u64, time: u64) {
        if !self.may_bind_reads() {
            return;
        }
        assert!(self.role == Role::Leader, "only leaders serve reads");
        let index = self.commit_index;
        let me = PeerSet::from_iter([self.me()]);
        let reads = &mut self.reads;
        let bound = reads.waiting.drain(..).map(|id| Bound { round, id, index, time, heard: me });
        reads.bound.extend(bound);
    }

    /// A follower's heartbeat. The sender was heard and followed before.
    pub(super) fn on_heartbeat(&mut self, commit: u64, fx: &mut Fx<'_>) {
        let commit = if self.config.defects.commit_past_verified {
            commit.min(self.log.last().index)
        } else {
            commit
        };
        self.commit_to(commit, fx);
    }

    /// Answers the leader of this term, or tells the leader of an earlier one that it is deposed.
    pub(super) fn respond(&mut self, to: u32, round: u64, fx: &mut Fx<'_>) {
        let last_index = self.log.last().index;
        self.send(to, Body::HeartbeatResponse { round, last_index }, fx);
    }

    /// A peer answered a round.
    pub(super) fn on_heartbeat_response(
        &mut self,
        now: Instant,
        from: u32,
        round: u64,
        last_index: u64,
        fx: &mut Fx<'_>,
    ) {
        if round > self.reads.round {
            return;
        }
        let progress = &mut self.progress[from as usize];
        if round > progress.round {
            progress.round = round;
            progress.reaches(last_index, now);
        }
        if self.config.defects.heartbeat_matches {
            self.on_append_accepted(now, from, last_index, fx);
        }
        let is_voter = self.is_voter(from);
        for bound in &mut self.reads.bound {
            if is_voter {
                bound.heard.insert(from);
            }
        }
        let known = self.progress[from as usize].round;
        assert!(known <= self.reads.round, "nobody answers a round that was not sent");
        self.confirm_rounds(now, fx);
        self.nudge(now, from, fx);
    }

    /// Releases what the latest round that a quorum answered confirms.
    fn confirm_rounds(&mut self, now: Instant, fx: &mut Fx<'_>) {
        let last = self.reads.round;
        let missing = usize::from(self.config.defects.quorum_off_by_one);
        let round = self.heard_quorum(last, missing, |voter| {
            let is_me = voter == self.me();
            if is_me { last } else { self.progress[voter as usize].round }
        });
        assert!(round <= last, "a quorum answers rounds that were sent");
        while let Some(&open) = self.reads.open.front() {
            if open.number > round {
                break;
            }
            self.reads.open.pop_front();
            let from_receive = self.config.defects.lease_from_receive;
            self.reads.lease_from = Some(if from_receive { now } else { open.sent_at });
        }
        self.reads.confirmed = self.reads.confirmed.max(round);
        self.release_reads(fx);
        self.round_for_waiting_reads(now, fx);
    }

    /// What a quorum has reached of what peers answer, such as the last round.
    pub(super) fn heard_quorum<T: Copy + Ord + Default>(
        &self,
        ceiling: T,
        missing: usize,
        value: impl Fn(u32) -> T,
    ) -> T {
        let members = self.quorums();
        if self.config.defects.lease_counts_learners {
            let quorum = majority(members.voters.len());
            return reached_by(members.all().iter().map(value), quorum);
        }
        members.reached(ceiling, missing, value)
    }

    fn release_reads(&mut self, fx: &mut Fx<'_>) {
        let quorums = self.quorums();
        let is_unbound = self.config.defects.read_ack_unbound;
        let confirmed = self.reads.confirmed;
        let mut released = 0;
        while let Some(&bound) = self.reads.bound.front() {
            let is_heard = is_unbound && quorums.vote(bound.heard, PeerSet::EMPTY) == Some(true);
            if bound.round > confirmed && !is_heard {
                break;
            }
            assert!(bound.index <= self.commit_index, "a leader's commit index does not go back");
            self.reads.bound.pop_front();
            released += 1;
            self.ready.push(Ready::ReadReady {
                id: bound.id,
                index: bound.index,
                time: bound.time,
            });
        }
        if released > 0 {
            let labels = [self.term, confirmed, 0];
            self.mark(Event::ReadConfirmed, labels, released, fx);
        }
    }

    /// Whether the lease runs at `now`: see [`Raft::lease_valid`].
    pub(super) fn is_lease_running(&self, now: Instant) -> bool {
        let defects = &self.config.defects;
        let hands_over = self.transfer.is_some() || self.lease_void;
        if self.role != Role::Leader || self.config.lease == Duration::ZERO {
            return false;
        }
        if hands_over && !defects.lease_survives_transfer {
            return false;
        }
        let is_alone = self.members().all_voters() == PeerSet::from_iter([self.me()]);
        let runs = self.reads.lease_from.is_some_and(|from| now < from + self.lease_length());
        self.has_committed_in_term() && (runs || is_alone)
    }

    /// The lease that is set, or the longest that is safe.
    fn lease_length(&self) -> Duration {
        let shortest = self.config.election.0;
        if self.config.defects.lease_is_election_timeout {
            return shortest;
        }
        let longest = Config::lease_max(shortest, self.config.drift_max);
        assert!(longest < shortest, "a lease ends before anybody can be elected");
        self.config.lease.min(longest)
    }
}
