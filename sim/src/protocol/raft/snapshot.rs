//! Snapshots: taken from the owner, sent in parts, installed (raft-paper §7, raft-thesis §5).
//!
//! The owner is asked for its state by [`Ready::TakeSnapshot`] at the very position in the stream
//! of [`Ready`] at which it has applied the index asked for, so a snapshot cannot carry another
//! label than its content. It goes to the disk together with what remains of the log
//! (`storage`), and to a follower whose next entry is gone, one part at a time: a part is sent
//! again until it is answered, and an answer names the part it is for, so that late and doubled
//! frames start nothing twice.

use super::after_sync::Promise;
use super::configuration::Members;
use super::crc::crc32c;
use super::entry::LogId;
use super::log::Log;
use super::machine::Raft;
use super::ready::{Ready, Role};
use super::tables::Event;
use super::wire::{Body, COMMAND_BYTES_MAX};
use super::{config_history::Configs, entry::Entry};
use alloc::sync::Arc;
use alloc::vec::Vec;
use contract::{DiskError, Fx, Instant, Now};

/// The state that a prefix of the log led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The last entry of that prefix.
    pub id: LogId,
    /// The cluster time that was reached, in nanoseconds.
    pub time: u64,
    /// The configuration that the prefix leads to.
    pub members: Members,
    /// The index of the entry that holds it; 0 for the one that the group was born with.
    pub members_since: u64,
    /// The owner's state; its bytes mean nothing to Raft.
    pub state: Arc<[u8]>,
}

/// A part of a snapshot in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    pub id: LogId,
    pub time: u64,
    pub members: Members,
    pub members_since: u64,
    /// The length of the whole state, in bytes.
    pub total: u64,
    /// The checksum of the whole state.
    pub checksum: u32,
    pub offset: u64,
    pub bytes: &'a [u8],
}

/// A snapshot on its way to a peer.
#[derive(Clone, Debug)]
pub(super) struct Sending {
    snapshot: Arc<Snapshot>,
    checksum: u32,
    /// The part that waits for its answer begins here.
    offset: u64,
    sent_at: Instant,
    /// That part was sent before.
    is_again: bool,
}

impl Sending {
    /// What is not acknowledged of it, in bytes.
    fn rest_bytes(&self) -> u64 {
        self.snapshot.state.len() as u64 - self.offset
    }
}

/// A snapshot on its way to this node.
#[derive(Clone, Debug)]
pub(super) struct Incoming {
    id: LogId,
    total: u64,
    checksum: u32,
    bytes: Vec<u8>,
}

impl Raft {
    /// Takes the owner's answer to [`Ready::TakeSnapshot`] and cuts the log.
    ///
    /// # Panics
    /// When `index` is not the one that was asked for, which is a bug of the owner.
    pub fn snapshot_taken(&mut self, now: Now, index: u64, state: Arc<[u8]>, fx: &mut Fx<'_>) {
        assert!(self.snapshot_asked == Some(index), "a snapshot is taken when it is asked for");
        self.snapshot_asked = None;
        if self.has_failed {
            return;
        }
        let entry = self.log.entry(index).expect("what was just applied is in the log");
        let (members_since, members) = self.configs.at(index);
        assert!(members_since <= index, "a prefix of the log leads to its own configuration");
        let mut members = *members;
        if self.config.defects.snapshot_loses_config && self.snapshot.is_some() {
            members = self.config.founders();
        }
        if self.config.defects.joint_dropped {
            members.outgoing = Default::default();
            members.learners_next = Default::default();
            members.auto_leave = false;
        }
        let (id, time) = (entry.id(), entry.time);
        let snapshot = Snapshot { id, time, members, members_since, state };
        let keep_from = index.saturating_sub(self.config.snapshot_tail);
        let mut log = self.log.clone();
        log.compact(keep_from);
        match self.storage.rewrite(&snapshot, &log, fx) {
            Ok(()) => {
                let labels = [snapshot.id.term, index, 0];
                self.mark(Event::SnapshotTaken, labels, snapshot.state.len() as u64, fx);
                self.log = log;
                self.configs.compact(index);
                self.snapshot = Some(Arc::new(snapshot));
            }
            Err(error) => self.snapshot_failed(index, error, fx),
        }
        self.finish(now.mono, fx);
    }

    fn snapshot_failed(&mut self, index: u64, error: DiskError, fx: &mut Fx<'_>) {
        self.snapshot_failed_at = index;
        self.mark(Event::SnapshotFailed, [self.term, index, error as u64], 0, fx);
    }

    /// The last index that a snapshot covers; 0 without one.
    pub(super) fn snapshot_index(&self) -> u64 {
        self.snapshot.as_ref().map_or(0, |snapshot| snapshot.id.index)
    }

    /// Asks the owner for a snapshot when enough was applied since the last one.
    pub(super) fn want_snapshot(&mut self) {
        let after = self.config.snapshot_after;
        let last = self.snapshot_index().max(self.snapshot_failed_at);
        let is_due = after > 0 && self.applied_index >= last.saturating_add(after);
        let is_free = self.snapshot_asked.is_none() && !self.storage.is_switching();
        if is_due && is_free && self.applied_index <= self.commit_index && !self.has_failed {
            self.snapshot_asked = Some(self.applied_index);
            self.ready.push(Ready::TakeSnapshot { index: self.applied_index });
        }
    }

    /// Asks for a snapshot now, whatever the setting says: for those who drive a group by hand.
    pub(super) fn compact_now(&mut self, now: Now, fx: &mut Fx<'_>) {
        if self.snapshot_asked.is_none() && self.applied_index > self.snapshot_index() {
            self.snapshot_asked = Some(self.applied_index);
            self.ready.push(Ready::TakeSnapshot { index: self.applied_index });
        }
        self.finish(now.mono, fx);
    }

    /// Starts to send the snapshot to `peer`, whose next entry is gone.
    pub(super) fn send_snapshot(&mut self, now: Instant, peer: u32, fx: &mut Fx<'_>) {
        assert!(self.role == Role::Leader, "only leaders send snapshots");
        assert!(peer != self.me(), "a leader sends itself nothing");
        let snapshot = self.snapshot.clone().expect("a log is cut at a snapshot alone");
        let labels = [self.term, u64::from(peer), snapshot.id.index];
        self.mark(Event::SnapshotSent, labels, snapshot.state.len() as u64, fx);
        let checksum = crc32c(&[&snapshot.state]);
        let progress = &mut self.progress[peer as usize];
        progress.in_flight.clear();
        progress.sending =
            Some(Sending { snapshot, checksum, offset: 0, sent_at: now, is_again: false });
        self.send_part(now, peer, fx);
    }

    fn send_part(&mut self, now: Instant, peer: u32, fx: &mut Fx<'_>) {
        let Some(sending) = &mut self.progress[peer as usize].sending else {
            return;
        };
        sending.sent_at = now;
        let snapshot = sending.snapshot.clone();
        let (offset, checksum) = (sending.offset, sending.checksum);
        let max = (self.config.snapshot_chunk_bytes as usize).min(COMMAND_BYTES_MAX);
        assert!(offset <= snapshot.state.len() as u64, "a part begins inside the state");
        let rest = &snapshot.state[offset as usize..];
        let part = Part {
            id: snapshot.id,
            time: snapshot.time,
            members: snapshot.members,
            members_since: snapshot.members_since,
            total: snapshot.state.len() as u64,
            checksum,
            offset,
            bytes: &rest[..rest.len().min(max)],
        };
        self.send(peer, Body::Snapshot(part), fx);
    }

    /// Sends a part again that had no answer for too long.
    pub(super) fn nudge_snapshot(&mut self, now: Instant, peer: u32, fx: &mut Fx<'_>) {
        let least = self.config.heartbeat.saturating_mul(2);
        let chunk_bytes = u64::from(self.config.snapshot_chunk_bytes);
        let progress = &mut self.progress[peer as usize];
        let Some(sending) = &mut progress.sending else {
            return;
        };
        let part_bytes = sending.rest_bytes().min(chunk_bytes);
        if now.since(sending.sent_at) >= progress.round_trip.patience(least, part_bytes) {
            sending.is_again = true;
            progress.round_trip.expired();
            self.send_part(now, peer, fx);
        }
    }

    /// A peer has `received` bytes of a snapshot, said in answer to the part at `offset`.
    pub(super) fn on_snapshot_received(
        &mut self,
        now: Instant,
        from: u32,
        (id, offset, received): (LogId, u64, u64),
        fx: &mut Fx<'_>,
    ) {
        let progress = &mut self.progress[from as usize];
        let Some(sending) = &mut progress.sending else {
            return;
        };
        let is_current = sending.snapshot.id == id && sending.offset == offset;
        if !is_current || received > sending.snapshot.state.len() as u64 {
            return;
        }
        // The whole is there: its installation is acknowledged as entries are.
        if received < sending.snapshot.state.len() as u64 {
            if !sending.is_again && received > offset {
                progress.round_trip.measure(now.since(sending.sent_at), received - offset);
            }
            progress.round_trip.answered();
            (sending.offset, sending.is_again) = (received, false);
            self.send_part(now, from, fx);
        }
    }

    /// What a leader knows of `peer`: up to where their logs agree, and the entry after what is on
    /// its way, which is the one after the snapshot where that is sent.
    pub(super) fn progress_of(&self, peer: u32) -> (u64, u64) {
        let progress = &self.progress[peer as usize];
        if peer == self.me() {
            // It sends itself nothing; what it has on its own disk is what counts.
            return (progress.matched, progress.matched + 1);
        }
        let sending = progress.sending.as_ref();
        let next = sending.map_or(progress.next, |sending| sending.snapshot.id.index + 1);
        (progress.matched, next)
    }

    /// A part of a snapshot from the leader, which was heard and followed before.
    pub(super) fn on_part(&mut self, now: Instant, from: u32, part: Part<'_>, fx: &mut Fx<'_>) {
        assert!(part.offset <= part.total, "the decoder refuses parts beyond the end");
        let is_older = part.id.index <= self.commit_index;
        if is_older && !self.config.defects.older_snapshot_installed {
            self.incoming = None;
            let matched = self.commit_index;
            return self.promise_append(now, from, matched, fx);
        }
        if self.storage.is_switching() {
            // It comes again once the disk has done with the last one.
            return;
        }
        let is_known = |incoming: &Incoming| {
            (incoming.id, incoming.total, incoming.checksum) == (part.id, part.total, part.checksum)
        };
        let mut incoming = self.incoming.take();
        if !self.config.defects.splices_snapshots {
            incoming = incoming.filter(is_known);
        }
        let mut incoming = incoming.unwrap_or_else(|| Incoming {
            id: part.id,
            total: part.total,
            checksum: part.checksum,
            bytes: Vec::new(),
        });
        if part.offset == incoming.bytes.len() as u64 {
            incoming.bytes.extend_from_slice(part.bytes);
        }
        let received = incoming.bytes.len() as u64;
        let (id, offset) = (part.id, part.offset);
        if received >= part.total {
            self.install(now, from, part, incoming, fx);
        } else {
            self.incoming = Some(incoming);
        }
        self.send(from, Body::SnapshotReceived { id, offset, received }, fx);
    }

    /// Puts a whole snapshot in the place of the log up to it.
    fn install(
        &mut self,
        now: Instant,
        from: u32,
        part: Part<'_>,
        incoming: Incoming,
        fx: &mut Fx<'_>,
    ) {
        let is_whole = crc32c(&[&incoming.bytes]) == part.checksum;
        if !is_whole && !self.config.defects.splices_snapshots {
            return self.snapshot_failed(part.id.index, DiskError::ReadFailed, fx);
        }
        let state: Arc<[u8]> = Arc::from(incoming.bytes);
        let Part { id, time, members, members_since, .. } = part;
        let snapshot = Snapshot { id, time, members, members_since, state };
        let log = self.log_after(&snapshot);
        assert!(log.last() >= id, "a log goes on from its snapshot");
        if let Err(error) = self.storage.rewrite(&snapshot, &log, fx) {
            return self.snapshot_failed(id.index, error, fx);
        }
        let labels = [id.term, id.index, u64::from(from)];
        self.mark(Event::SnapshotInstalled, labels, snapshot.state.len() as u64, fx);
        self.configs = Configs::starting(members_since, members);
        let later = log.from(id.index + 1);
        let held = later.filter_map(|entry: &Entry| Some((entry.index, *entry.members()?)));
        held.for_each(|(index, members)| self.configs.append(index, members));
        self.log = log;
        self.commit_index = id.index;
        self.applied_index = id.index;
        self.clock.hear(time, now);
        let snapshot = Arc::new(snapshot);
        self.snapshot = Some(snapshot.clone());
        self.ready.push(Ready::Restore(snapshot));
        self.members_moved(now, fx);
        let (term, ticket, matched) = (self.term, self.storage.ticket(), id.index);
        self.promise_durably(now, ticket, Promise::Append { term, to: from, matched }, fx);
    }

    /// What remains of the log behind `snapshot`: everything after it where the log holds its last
    /// entry, else nothing (raft-paper Figure 13, steps 6 and 7).
    fn log_after(&self, snapshot: &Snapshot) -> Log {
        let id = snapshot.id;
        let mut log = Log::after(id);
        if self.log.term(id.index) == Some(id.term) {
            self.log.from(id.index + 1).cloned().for_each(|entry| log.append(entry));
        }
        log
    }
}
