//! Replication: appends in a pipeline, conflicts, the commit rule, applying.
//!
//! Sources: raft-paper §5.3 and §5.4.2; the back-off by term and the probe and replicate states
//! are etcd's. A leader writes its own disk in parallel with the others' (raft-thesis §10.2.1).

use super::after_sync::Promise;
use super::entry::{Entry, LogId, Payload};
use super::machine::{APPLY, Raft};
use super::ready::{Ready, Role};
use super::tables::Event;
use super::wire::{Body, COMMAND_BYTES_MAX, Entries, encode_append};
use alloc::vec::Vec;
use contract::{Duration, Fx, Instant};

impl Raft {
    /// Appends an entry of this leader's term and sends it.
    pub(super) fn append_own(&mut self, now: Instant, payload: Payload, fx: &mut Fx<'_>) -> LogId {
        let id = self.push_own(now, payload, fx);
        self.send_appends_to_all(now, fx);
        self.promise_own(now, id, fx);
        id
    }

    /// Appends several entries of its own, and sends them together.
    pub(super) fn append_all_own(
        &mut self,
        now: Instant,
        payloads: impl Iterator<Item = Payload>,
        fx: &mut Fx<'_>,
    ) -> Vec<LogId> {
        let ids: Vec<LogId> = payloads.map(|payload| self.push_own(now, payload, fx)).collect();
        self.send_appends_to_all(now, fx);
        ids.iter().for_each(|id| self.promise_own(now, *id, fx));
        ids
    }

    fn push_own(&mut self, now: Instant, payload: Payload, fx: &mut Fx<'_>) -> LogId {
        assert!(self.role == Role::Leader, "only leaders append of their own");
        let entry = Entry {
            term: self.term,
            index: self.log.last().index + 1,
            time: self.clock.time(now),
            payload,
        };
        let id = entry.id();
        assert!(id.index > self.commit_index, "nothing is committed before it is written");
        let members = entry.members().copied();
        self.storage.put_entry(&entry);
        self.log.append(entry);
        if let Some(members) = members {
            self.adopt(now, id.index, members, fx);
        }
        id
    }

    /// Counts its own entry as stored once it is.
    fn promise_own(&mut self, now: Instant, id: LogId, fx: &mut Fx<'_>) {
        let LogId { term, index } = id;
        assert!(term == self.term, "a leader appends in its own term");
        assert!(index <= self.log.last().index, "only what is written can become durable");
        let promise = Promise::OwnMatch { term, index };
        if self.config.defects.own_match_unsynced {
            return self.fulfil(now, promise, fx);
        }
        let ticket = self.storage.entries_ticket();
        self.promise(now, ticket, promise, fx);
    }

    pub(super) fn send_appends_to_all(&mut self, now: Instant, fx: &mut Fx<'_>) {
        for peer in self.tracked.iter() {
            if peer != self.me() {
                self.send_appends(now, peer, fx);
            }
        }
    }

    /// Sends `peer` what it lacks, as far as its window allows.
    pub(super) fn send_appends(&mut self, now: Instant, peer: u32, fx: &mut Fx<'_>) {
        assert!(self.role == Role::Leader, "only leaders send entries");
        assert!(peer != self.me(), "a leader sends itself nothing");
        let last_index = self.log.last().index;
        let (inflight_max, bytes_for) = (self.config.inflight_max, self.bytes_for());
        while self.progress[peer as usize].has_room(inflight_max, bytes_for)
            && self.progress[peer as usize].next <= last_index
        {
            if self.log.term(self.progress[peer as usize].next - 1).is_none() {
                return self.send_snapshot(now, peer, fx);
            }
            self.send_append(now, peer, fx);
        }
    }

    /// For how long appends may occupy the way to a peer: heartbeats behind them come in time.
    fn bytes_for(&self) -> Duration {
        Duration(self.config.election.0.as_nanos() / 2)
    }

    fn send_append(&mut self, now: Instant, peer: u32, fx: &mut Fx<'_>) {
        let next = self.progress[peer as usize].next;
        let count = self.batch_from(next);
        assert!(count > 0, "an append holds an entry");
        let index = next - 1;
        let term = self.log.term(index);
        let term = term.expect("what was cut is sent as a snapshot");
        let previous = LogId { term, index };
        let time = self.clock.time(now);
        let (own_term, commit) = (self.term, self.commit_index);
        let log = &self.log;
        let bytes = fx.datagram(self.config.peers[peer as usize], |out| {
            encode_append(out, own_term, previous, commit, time, log.from(next), count);
        });
        let (last, bytes) = (index + u64::from(count), u64::from(bytes.len()));
        self.progress[peer as usize].sent(index, last, bytes, now);
    }

    /// How many entries from `next` on go into one append. A no-op travels alone: in one frame
    /// with older entries it would hide whether the commit rule of §5.4.2 is kept.
    fn batch_from(&self, next: u64) -> u32 {
        let entries_max = self.config.entries_per_append_max;
        let bytes_max = u64::from(self.config.append_bytes_max).min(COMMAND_BYTES_MAX as u64);
        let mut count = 0;
        let mut size_bytes = 0;
        for entry in self.log.from(next).take(entries_max as usize) {
            let is_noop = entry.payload == Payload::Noop;
            size_bytes += entry.size_bytes();
            let fits = count == 0 || size_bytes <= bytes_max && !is_noop;
            if !fits {
                break;
            }
            count += 1;
            if is_noop {
                break;
            }
        }
        assert!(count <= entries_max, "an append holds no more than it may");
        count
    }

    /// A leader's append. The sender was heard and followed before.
    pub(super) fn on_append(
        &mut self,
        now: Instant,
        from: u32,
        previous: LogId,
        commit: u64,
        entries: Entries<'_>,
        fx: &mut Fx<'_>,
    ) {
        if previous.index + 1 < self.log.first_index() {
            // Everything before the log is committed, so the leader has it too.
            let matched = self.commit_index;
            return self.promise_append(now, from, matched, fx);
        }
        let is_held = match self.log.term(previous.index) {
            Some(term) => term == previous.term || self.config.defects.no_prev_term_check,
            None => false,
        };
        if !is_held {
            return self.reject_append(from, previous, fx);
        }
        let matched = previous.index + u64::from(entries.count());
        self.store(now, entries, fx);
        assert!(self.log.last().index >= matched, "what is acknowledged is in the log");
        if self.config.defects.truncate_on_match {
            self.truncate(now, matched + 1, fx);
        }
        self.promise_append(now, from, matched, fx);
        self.commit_to(commit.min(matched), fx);
    }

    pub(super) fn promise_append(&mut self, now: Instant, to: u32, matched: u64, fx: &mut Fx<'_>) {
        let term = self.term;
        let ticket = self.storage.entries_ticket();
        self.promise(now, ticket, Promise::Append { term, to, matched }, fx);
    }

    /// Says how far the logs may agree: back over the follower's entries that are newer than what
    /// the leader has there, a whole run of terms at a time.
    fn reject_append(&mut self, from: u32, previous: LogId, fx: &mut Fx<'_>) {
        let index = self.log.last_with_term_up_to(previous.index, previous.term);
        assert!(index <= previous.index, "a hint leads back");
        let term = self.log.term(index).unwrap_or(0);
        let hint = LogId { term, index };
        let labels = [self.term, previous.index, 0];
        self.mark(Event::AppendRejected, labels, 0, fx);
        let rejected = previous.index;
        self.send(from, Body::AppendRejected { rejected, hint }, fx);
    }

    /// Stores what is new. Entries that are there already are left alone, and only a conflict cuts
    /// the tail: an append that was overtaken by a later one must not undo it.
    fn store(&mut self, now: Instant, entries: Entries<'_>, fx: &mut Fx<'_>) {
        for entry in entries.iter() {
            if self.log.term(entry.index) == Some(entry.term) {
                continue;
            }
            self.truncate(now, entry.index, fx);
            let (index, members) = (entry.index, entry.members().copied());
            self.storage.put_entry(&entry);
            self.log.append(entry);
            if let Some(members) = members {
                self.adopt(now, index, members, fx);
            }
        }
    }

    /// Drops the entries from `from` on. Committed ones among them mean that safety was lost
    /// elsewhere, as when a majority of the disks is damaged; this node does as it is told, and the
    /// invariants tell what happened.
    fn truncate(&mut self, now: Instant, from: u64, fx: &mut Fx<'_>) {
        let dropped = self.log.truncate(from);
        assert!(self.log.last().index < from, "the tail is gone");
        if dropped > 0 {
            if self.configs.latest().0 >= from && !self.config.defects.config_survives_cut {
                self.configs.truncate(from);
                self.members_moved(now, fx);
            }
            self.commit_index = self.commit_index.min(from - 1);
            let labels = [self.term, from, 0];
            self.mark(Event::LogTruncated, labels, dropped, fx);
        }
    }

    /// A follower has everything up to `matched` on its disk.
    pub(super) fn on_append_accepted(
        &mut self,
        now: Instant,
        from: u32,
        matched: u64,
        fx: &mut Fx<'_>,
    ) {
        if matched > self.log.last().index {
            return;
        }
        self.progress[from as usize].accepted(matched, now);
        assert!(self.role == Role::Leader, "only leaders are answered");
        if matched > self.commit_index {
            self.advance_commit(fx);
        }
        self.continue_transfer(fx);
        self.send_appends(now, from, fx);
    }

    /// A follower's log differs at `rejected`; the leader skips its own entries that are newer
    /// than the hint as well.
    pub(super) fn on_append_rejected(
        &mut self,
        now: Instant,
        from: u32,
        rejected: u64,
        hint: LogId,
        fx: &mut Fx<'_>,
    ) {
        let agrees = self.log.last_with_term_up_to(hint.index, hint.term);
        if self.progress[from as usize].rejected(rejected, agrees, now) {
            self.send_appends(now, from, fx);
        }
    }

    /// Sends again what has had no answer for too long to a peer that answers heartbeats.
    pub(super) fn nudge(&mut self, now: Instant, peer: u32, fx: &mut Fx<'_>) {
        self.nudge_snapshot(now, peer, fx);
        let least = self.config.heartbeat.saturating_mul(2);
        self.progress[peer as usize].expire(now, least);
        self.send_appends(now, peer, fx);
    }

    /// This leader's own disk has everything up to `index`.
    pub(super) fn on_own_match(&mut self, index: u64, fx: &mut Fx<'_>) {
        assert!(index <= self.log.last().index, "a leader does not cut its own log");
        let me = self.me() as usize;
        self.progress[me].stored(index);
        self.advance_commit(fx);
    }

    /// Commits what a majority has on disk, if it is of this term: an entry of an earlier term may
    /// be on a majority and still be overwritten (raft-paper §5.4.2, Figure 8).
    fn advance_commit(&mut self, fx: &mut Fx<'_>) {
        assert!(self.role == Role::Leader, "only leaders count replicas");
        let missing = usize::from(self.config.defects.quorum_off_by_one);
        let matched = |peer: u32| self.progress[peer as usize].matched;
        let reached = self.quorums().reached(u64::MAX, missing, matched);
        let is_own = self.log.term(reached) == Some(self.term);
        if is_own || self.config.defects.commit_previous_term {
            self.commit_to(reached, fx);
        }
    }

    /// Moves the commit index forward; never back, and never past the log.
    pub(super) fn commit_to(&mut self, index: u64, fx: &mut Fx<'_>) {
        if index <= self.commit_index || index > self.log.last().index {
            return;
        }
        let count = index - self.commit_index;
        self.commit_index = index;
        self.mark(Event::Committed, [self.term, index, 0], count, fx);
    }

    /// Hands committed entries to the owner, one batch at a time: while a pause runs, nothing.
    pub(super) fn apply(&mut self, fx: &mut Fx<'_>) {
        let is_rash = self.config.defects.ack_before_quorum && self.role == Role::Leader;
        let end = if is_rash { self.log.last().index } else { self.commit_index };
        if self.is_apply_paused || self.applied_index >= end {
            return;
        }
        let batch_end = end.min(self.applied_index + u64::from(self.config.apply_batch_max));
        assert!(batch_end > self.applied_index, "a batch holds an entry");
        assert!(batch_end <= self.log.last().index, "what is applied is in the log");
        for index in self.applied_index + 1..=batch_end {
            let entry = self.log.entry(index).expect("the log reaches its commit index");
            self.ready.push(Ready::Apply(entry.clone()));
        }
        self.applied_index = batch_end;
        if batch_end < end {
            self.is_apply_paused = true;
            fx.set_timer(APPLY, self.config.apply_pause);
        }
    }
}
