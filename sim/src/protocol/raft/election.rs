//! Elections: pre-vote, votes, stickiness, check-quorum, transfer.
//!
//! Sources: raft-paper §5.2, §5.4.1; raft-thesis §3.10 (transfer), §4.2.3 (stickiness), §6.2
//! (check-quorum), §9.6 (pre-vote).

use super::after_sync::Promise;
use super::configuration::PeerSet;
use super::entry::{LogId, Payload};
use super::machine::{ELECTION, HEARTBEAT, Raft, Transfer};
use super::ready::{Ready, Role};
use super::tables::Event;
use super::wire::Body;
use contract::{Fx, Instant, Now};

/// Who answered a candidate, one bit per peer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Votes {
    granted: PeerSet,
    refused: PeerSet,
}

impl Votes {
    fn count(&mut self, peer: u32, granted: bool) {
        if granted {
            self.granted.insert(peer);
        } else if !self.granted.contains(peer) {
            self.refused.insert(peer);
        }
    }
}

impl Raft {
    /// Nobody led for an election timeout.
    pub(super) fn on_election_timeout(&mut self, now: Instant, fx: &mut Fx<'_>) {
        assert!(self.role != Role::Leader, "a leader does not wait for itself");
        if !self.may_campaign() {
            return;
        }
        if self.config.pre_vote && !self.config.defects.disruptive_rejoin {
            self.pre_campaign(now, fx);
        } else {
            self.campaign(now, false, fx);
        }
    }

    /// Stands for election at once: for those who drive a group by hand.
    pub(super) fn stand(&mut self, now: Now, fx: &mut Fx<'_>) {
        if self.role != Role::Leader {
            self.on_election_timeout(now.mono, fx);
        }
        self.finish(now.mono, fx);
    }

    fn pre_campaign(&mut self, now: Instant, fx: &mut Fx<'_>) {
        assert!(self.role != Role::Leader, "a leader does not ask whether it could lead");
        assert!(self.may_campaign(), "learners do not ask for votes");
        self.role = Role::PreCandidate;
        self.leader = None;
        self.votes = Votes::default();
        self.reset_election(now, fx);
        let term = self.term + 1;
        self.mark(Event::PreVoteStarted, [term, 0, 0], 0, fx);
        let last = self.log.last();
        self.ask_voters(term, Body::PreVote { last }, fx);
        self.count_pre_vote(now, self.me(), true, fx);
    }

    /// Raises the term and asks for votes. The own vote counts once it is durable.
    pub(super) fn campaign(&mut self, now: Instant, transfer: bool, fx: &mut Fx<'_>) {
        assert!(self.may_campaign(), "learners do not campaign");
        assert!(self.role != Role::Leader, "a leader gives up before it campaigns");
        self.role = Role::Candidate;
        self.leader = None;
        self.votes = Votes::default();
        self.term += 1;
        self.vote = Some(self.me());
        self.own_term = self.term;
        self.save_hard_state();
        self.reset_election(now, fx);
        let labels = [self.term, u64::from(transfer), 0];
        self.mark(Event::ElectionStarted, labels, 0, fx);
        let last = self.log.last();
        self.ask_voters(self.term, Body::Vote { last, transfer }, fx);
        let ticket = self.storage.hard_ticket();
        self.promise(now, ticket, Promise::OwnVote { term: self.term }, fx);
    }

    fn ask_voters(&mut self, term: u64, body: Body<'_>, fx: &mut Fx<'_>) {
        assert!(term > 0, "terms count from 1");
        for peer in self.members().all_voters().iter() {
            if peer != self.me() {
                self.send_as(term, peer, body, fx);
            }
        }
    }

    /// Somebody asks whether it could win `term`. Answering changes nothing here: no term, no
    /// timer, no contact (hashicorp/raft#609).
    pub(super) fn on_pre_vote(
        &mut self,
        now: Instant,
        from: u32,
        term: u64,
        last: LogId,
        fx: &mut Fx<'_>,
    ) {
        if self.is_sticky(now) {
            return;
        }
        let granted = term > self.term && self.is_up_to_date(last);
        // A granted answer carries the term asked for: the own, older one would look stale to a
        // candidate that is ahead (etcd-io/raft d4471b2).
        let answer = if granted { term } else { self.term };
        let time = self.clock.time(now);
        if self.config.defects.timer_reset_on_any_rpc && !granted {
            self.reset_election(now, fx);
        }
        self.send_as(answer, from, Body::PreVoteResponse { granted, time }, fx);
    }

    /// An answer to [`Raft::pre_campaign`]; refusals of a newer term were adopted before.
    pub(super) fn count_pre_vote(
        &mut self,
        now: Instant,
        from: u32,
        granted: bool,
        fx: &mut Fx<'_>,
    ) {
        if self.role != Role::PreCandidate || !self.is_voter(from) {
            return;
        }
        self.votes.count(from, granted);
        assert!(!granted || self.votes.granted.contains(from), "what was granted is counted");
        match self.tally() {
            Some(true) => self.campaign(now, false, fx),
            Some(false) => self.role = Role::Follower,
            None => {}
        }
    }

    /// Somebody asks for a vote in `term`.
    pub(super) fn on_vote(
        &mut self,
        now: Instant,
        from: u32,
        term: u64,
        (last, transfer): (LogId, bool),
        fx: &mut Fx<'_>,
    ) {
        // While a leader may hold a lease here, others are not even heard: adopting their term
        // would depose it as surely as a vote. The leader's own wish is the exception.
        if term >= self.term && !transfer && self.is_sticky(now) {
            return;
        }
        if term > self.term {
            self.follow(now, term, fx);
        }
        let is_free = self.vote.is_none_or(|vote| vote == from) || self.config.defects.double_vote;
        let granted = term == self.term && is_free && self.is_up_to_date(last);
        let granted = granted && self.role != Role::Leader;
        if granted {
            self.vote = Some(from);
            self.save_hard_state();
            self.reset_election(now, fx);
            let ticket = self.storage.hard_ticket();
            self.promise(now, ticket, Promise::Vote { term, to: from }, fx);
            return;
        }
        if self.config.defects.timer_reset_on_any_rpc {
            self.reset_election(now, fx);
        }
        let time = self.clock.time(now);
        self.send(from, Body::VoteResponse { granted, time }, fx);
    }

    /// Counts a vote of this term.
    pub(super) fn count_vote(&mut self, now: Instant, from: u32, granted: bool, fx: &mut Fx<'_>) {
        if self.role != Role::Candidate || !self.is_voter(from) {
            return;
        }
        self.votes.count(from, granted);
        // A refused candidate waits for its timer: somebody else may win this term meanwhile.
        if self.tally() == Some(true) {
            self.lead(now, fx);
        }
    }

    /// Whether a majority granted, or refused; `None` while neither has.
    fn tally(&self) -> Option<bool> {
        self.quorums().vote(self.votes.granted, self.votes.refused)
    }

    fn lead(&mut self, now: Instant, fx: &mut Fx<'_>) {
        assert!(self.role == Role::Candidate, "only candidates win elections");
        self.role = Role::Leader;
        self.leader = Some(self.me());
        self.transfer = None;
        self.lease_void = false;
        fx.cancel_timer(ELECTION);
        if self.config.defects.leader_rewrites_log {
            self.log.truncate(self.commit_index + 1);
            self.configs.truncate(self.commit_index + 1);
        }
        let last_index = self.log.last().index;
        for progress in &mut self.progress {
            progress.reset(last_index, now);
        }
        self.reads.lead();
        self.mark(Event::LeaderElected, [self.term, 0, 0], 0, fx);
        self.ready.push(Ready::BecameLeader { term: self.term });
        self.start_round(now, fx);
        self.arm_heartbeat(now, fx);
        let first = self.append_own(now, Payload::Noop, fx);
        assert!(first.term == self.term, "a leader begins with an entry of its term");
    }

    /// Follows whoever leads `term`. A newer term clears the vote; the election timer runs on, so
    /// that a candidate without a chance does not hold back one that has.
    pub(super) fn follow(&mut self, now: Instant, term: u64, fx: &mut Fx<'_>) {
        assert!(term >= self.term, "terms do not go back");
        let led = (self.role == Role::Leader).then_some(self.term);
        if term > self.term {
            self.term = term;
            let vote = self.vote.take();
            self.leader = None;
            match self.config.defects.vote_outlives_term {
                true => self.storage.put_hard(term, vote),
                false => self.save_hard_state(),
            }
        }
        assert!(self.term == term, "a node is in the term that it follows in");
        self.role = Role::Follower;
        self.votes = Votes::default();
        if let Some(led) = led {
            self.leader = None;
            self.transfer = None;
            self.mark(Event::SteppedDown, [led, term, 0], 0, fx);
            self.reads.fail(&mut self.ready);
            self.ready.push(Ready::SteppedDown { term: led });
            fx.cancel_timer(HEARTBEAT);
            self.reset_election(now, fx);
        }
    }

    /// Whether the candidate's log contains everything that may be committed (raft-paper §5.4.1):
    /// last terms are compared first, then lengths.
    fn is_up_to_date(&self, last: LogId) -> bool {
        if self.config.defects.uptodate_index_only {
            return last.index >= self.log.last().index;
        }
        last >= self.log.last()
    }

    /// Whether this node hears no candidates because a leader was alive less than the shortest
    /// election timeout ago, or may have been before this boot: leases rely on it.
    fn is_sticky(&self, now: Instant) -> bool {
        let defects = &self.config.defects;
        if defects.disruptive_rejoin || defects.lease_without_stickiness {
            return false;
        }
        if now < self.no_vote_until && !defects.lease_lost_on_restart {
            return true;
        }
        let contact = match self.role {
            Role::Leader => Some(self.quorum_contact(now)),
            _ => self.leader_contact,
        };
        contact.is_some_and(|contact| now < contact + self.config.election.0)
    }

    /// When a majority had last answered this leader.
    fn quorum_contact(&self, now: Instant) -> Instant {
        assert!(self.role == Role::Leader, "only leaders are answered");
        self.heard_quorum(now, 0, |voter| {
            let is_me = voter == self.me();
            if is_me { now } else { self.progress[voter as usize].heard_at }
        })
    }

    /// Steps down when no quorum has answered for the shortest election timeout: clients should
    /// look for another leader, and there may be one already.
    pub(super) fn check_quorum(&mut self, now: Instant, fx: &mut Fx<'_>) {
        assert!(self.role == Role::Leader, "only leaders have a quorum");
        let silence = now.since(self.quorum_contact(now));
        if self.config.check_quorum && silence >= self.config.election.0 {
            self.follow(now, self.term, fx);
        }
    }

    /// Starts to hand over to `to`; see [`Raft::transfer`].
    pub(super) fn start_transfer(&mut self, now: Instant, to: u32, fx: &mut Fx<'_>) {
        assert!(self.is_voter(to), "leadership goes to a voter of the group");
        assert!(to != self.me(), "leadership goes to somebody else");
        let deadline = now + self.config.election.0;
        self.transfer = Some(Transfer { to, deadline, is_sent: false });
        self.continue_transfer(fx);
        if self.transfer.is_some_and(|transfer| !transfer.is_sent) {
            // Some of what is under way may be lost, and finding that out takes heartbeats; nothing
            // but time is lost when it was not.
            self.progress[to as usize].rewind(now);
            self.send_appends(now, to, fx);
        }
    }

    /// Tells the successor to campaign once its log is complete. From then on the lease is void
    /// for the rest of the term, also when the transfer is given up: the frame may arrive late,
    /// and the campaign that it starts is not held back by stickiness (etcd-io/etcd#12704).
    pub(super) fn continue_transfer(&mut self, fx: &mut Fx<'_>) {
        let last = self.log.last();
        let Some(transfer) = &mut self.transfer else {
            return;
        };
        let to = transfer.to;
        if transfer.is_sent || self.progress[to as usize].matched < last.index {
            return;
        }
        transfer.is_sent = true;
        self.lease_void = true;
        self.mark(Event::TimeoutNowSent, [self.term, u64::from(to), 0], 0, fx);
        self.send(to, Body::TimeoutNow { last }, fx);
    }

    /// The leader hands over to this node.
    pub(super) fn on_timeout_now(&mut self, now: Instant, from: u32, last: LogId, fx: &mut Fx<'_>) {
        let is_ready = self.is_voter(self.me()) && self.log.last() >= last;
        if is_ready && self.role == Role::Follower && self.leader == Some(from) {
            self.campaign(now, true, fx);
        }
    }
}
