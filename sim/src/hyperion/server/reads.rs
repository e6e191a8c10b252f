//! Reads: confirmed by lease or by a round of heartbeats, then served from the applied state.
//!
//! Read-index (raft-thesis §6.4): the leader notes its commit index, confirms that it still leads,
//! waits until that index is applied, and reads. Lease (§6.4.1): while the lease runs, nobody else
//! leads, so the leader's commit index is the newest there is. Both need the wait for the index.

use super::super::BATCH_KEYS_MAX;
use super::super::command::Refusal;
use super::super::tables::Event;
use super::super::tables::settings::Reads;
use super::super::wire::Answer;
use super::requests::{answer, refuse};
use super::{Requester, Server};
use crate::protocol::cache::{KEY_BYTES_MAX, Key, StoreError};
use crate::protocol::raft::{NotLeader, ReadId, Role};
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use contract::{Duration, Fx, Now, ReadLevel};

/// Reads that cannot be served yet.
#[derive(Clone, Debug, Default)]
pub struct PendingReads {
    /// Not confirmed, in the order in which Raft was asked.
    asked: VecDeque<(ReadId, Read)>,
    /// Confirmed at an index that is not applied yet.
    waiting: Vec<(u64, u64, Read)>,
}

impl PendingReads {
    /// How many there are.
    pub fn len(&self) -> u64 {
        (self.asked.len() + self.waiting.len()) as u64
    }

    /// How many are not confirmed.
    pub fn unconfirmed(&self) -> u64 {
        self.asked.len() as u64
    }

    /// The first index that a confirmed one waits for.
    pub fn first_waiting(&self) -> Option<u64> {
        self.waiting.iter().map(|(index, ..)| *index).min()
    }

    /// The memory that their keys take, in bytes.
    pub fn size_bytes(&self) -> u64 {
        let asked = self.asked.iter().map(|(_, read)| read);
        let reads = asked.chain(self.waiting.iter().map(|(.., read)| read));
        reads.map(|read| read.keys.size_bytes()).sum()
    }

    fn take(&mut self, id: ReadId) -> Option<Read> {
        let position = self.asked.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        let (_, read) = self.asked.remove(position)?;
        Some(read)
    }
}

#[derive(Clone, Debug)]
struct Read {
    requester: Requester,
    keys: Keys,
}

#[derive(Clone, Debug)]
enum Keys {
    One(Key),
    Batch(Vec<Key>),
}

impl Keys {
    fn size_bytes(&self) -> u64 {
        let size = |key: &Key| key.as_bytes().len() as u64;
        match self {
            Self::One(key) => size(key),
            Self::Batch(keys) => keys.iter().map(size).sum(),
        }
    }
}

/// By what right a read is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grant {
    /// It may be served now.
    Now { stale: bool },
    /// Raft must confirm it first.
    Confirm,
}

impl Server {
    pub(super) fn on_get(
        &mut self,
        now: Now,
        requester: Requester,
        level: ReadLevel,
        key: &[u8],
        fx: &mut Fx<'_>,
    ) {
        match check_key(key) {
            Ok(key) => {
                let keys = Keys::One(key);
                self.read(now, Read { requester, keys }, level, fx);
            }
            Err(refusal) => refuse(&mut self.metrics, requester, refusal, fx),
        }
    }

    pub(super) fn on_batch_get(
        &mut self,
        now: Now,
        requester: Requester,
        level: ReadLevel,
        keys: &[&[u8]],
        fx: &mut Fx<'_>,
    ) {
        let size = keys.len() as u64;
        if size > BATCH_KEYS_MAX {
            let max = BATCH_KEYS_MAX;
            return refuse(&mut self.metrics, requester, Refusal::BatchTooLarge { size, max }, fx);
        }
        match keys.iter().map(|key| check_key(key)).collect() {
            Ok(keys) => {
                let keys = Keys::Batch(keys);
                self.read(now, Read { requester, keys }, level, fx);
            }
            Err(refusal) => refuse(&mut self.metrics, requester, refusal, fx),
        }
    }

    fn read(&mut self, now: Now, read: Read, level: ReadLevel, fx: &mut Fx<'_>) {
        if let Grant::Now { stale } = self.grant(now, level) {
            let time = self.time(now, self.raft.cluster_time(now));
            return self.serve(now, &read, time, stale, fx);
        }
        match self.raft.read_index(now, fx) {
            Ok(id) => {
                let last = self.reads.asked.back().map(|(id, _)| *id);
                assert!(last < Some(id), "Raft numbers reads in order");
                self.reads.asked.push_back((id, read));
            }
            Err(NotLeader { hint }) => {
                answer(&mut self.metrics, read.requester, &Answer::NotLeader { hint }, fx)
            }
        }
    }

    fn grant(&self, now: Now, level: ReadLevel) -> Grant {
        let defects = &self.config.defects;
        let by_lease = match (level, self.config.reads) {
            (ReadLevel::Stale, _) | (_, Reads::Local) => return Grant::Now { stale: true },
            (ReadLevel::Lease, _) | (_, Reads::LeaderLease) => true,
            (ReadLevel::Linearizable, Reads::ReadIndex) => false,
        };
        if defects.local_leader_read && self.raft.role() == Role::Leader {
            return Grant::Now { stale: false };
        }
        let applied = self.machine.applied_index() >= self.raft.commit_index();
        if by_lease && self.raft.lease_valid(now) && (applied || defects.read_before_apply) {
            return Grant::Now { stale: false };
        }
        Grant::Confirm
    }

    pub(super) fn on_read_ready(
        &mut self,
        now: Now,
        id: ReadId,
        index: u64,
        time: u64,
        fx: &mut Fx<'_>,
    ) {
        let time = self.time(now, time);
        let Some(read) = self.reads.take(id) else {
            panic!("Raft answers a read once");
        };
        if self.machine.applied_index() >= index || self.config.defects.read_before_apply {
            self.serve(now, &read, time, false, fx);
        } else {
            self.reads.waiting.push((index, time, read));
        }
    }

    pub(super) fn on_read_failed(&mut self, id: ReadId, fx: &mut Fx<'_>) {
        if let Some(read) = self.reads.take(id) {
            answer(&mut self.metrics, read.requester, &Answer::Retry, fx);
        }
    }

    /// Serves the reads that waited for what is applied by now.
    pub(super) fn serve_applied(&mut self, now: Now, fx: &mut Fx<'_>) {
        if self.reads.waiting.is_empty() {
            return;
        }
        let applied = self.machine.applied_index();
        let mut waiting = core::mem::take(&mut self.reads.waiting);
        waiting.retain(|(index, time, read)| {
            let due = *index <= applied;
            if due {
                self.serve(now, read, *time, false, fx);
            }
            !due
        });
        // What is still open was put there meanwhile.
        waiting.append(&mut self.reads.waiting);
        self.reads.waiting = waiting;
    }

    /// Whether something that is read ends between the first write that the log holds and that is
    /// not applied yet, and `time`. Such writes were stamped before `time` and take effect after
    /// the read: one of them might still find what the read misses.
    fn is_open(&self, read: &Read, time: u64) -> bool {
        if !self.goes_by_the_log() {
            return false;
        }
        let Some(next) = self.raft.entry(self.machine.applied_index() + 1) else { return false };
        let machine = &self.machine;
        let ends =
            |key: &Key| machine.read(key, time).is_none() && machine.read(key, next.time).is_some();
        next.time < time
            && match &read.keys {
                Keys::One(key) => ends(key),
                Keys::Batch(keys) => keys.iter().any(ends),
            }
    }

    /// Whether reads and writes are judged by one clock, that of the log: not with some defects.
    fn goes_by_the_log(&self) -> bool {
        let defects = &self.config.defects;
        !defects.ttl_on_wall_clock && !defects.ttl_on_monotonic_clock && !defects.read_before_apply
    }

    /// The time of a read that waited: not before what was applied meanwhile, or it would find what
    /// a write has missed by then.
    fn not_before_applied(&self, time: u64) -> u64 {
        let applied = self.raft.entry(self.machine.applied_index());
        let is_judged = self.goes_by_the_log();
        applied.filter(|_| is_judged).map_or(time, |entry| time.max(entry.time))
    }

    fn serve(&mut self, now: Now, read: &Read, time: u64, stale: bool, fx: &mut Fx<'_>) {
        let time = self.not_before_applied(time);
        if !stale && self.is_open(read, time) {
            let waiting = (self.raft.last_index(), time, read.clone());
            return self.reads.waiting.push(waiting);
        }
        match &read.keys {
            Keys::One(key) => self.serve_one(now, read.requester, key, time, stale, fx),
            Keys::Batch(keys) => self.serve_batch(read.requester, keys, time, fx),
        }
    }

    fn serve_one(
        &mut self,
        now: Now,
        requester: Requester,
        key: &Key,
        time: u64,
        stale: bool,
        fx: &mut Fx<'_>,
    ) {
        let Some(entry) = self.machine.read(key, time) else {
            fx.mark(Event::Miss.row(), [key.label(), 0, 0], 0);
            self.hit_ratio.count(false);
            if !self.load(now, requester, key, fx) && !self.serve_what_is_over(requester, key, fx) {
                answer(&mut self.metrics, requester, &Answer::Missing, fx);
            }
            return;
        };
        if requester.watch {
            self.watchers.insert(requester.conn);
        }
        let Ok(value) = self.machine.store().open(entry) else {
            fx.mark(Event::DamagedValue.row(), [key.label(), entry.version, 0], 0);
            return refuse(&mut self.metrics, requester, Refusal::DAMAGED, fx);
        };
        let (mut deep_clones, mut handle_clones) = (0, 0);
        let mut kept = None;
        if self.config.defects.get_clones_value {
            // The defect of 2024-11-22: every hit copies the whole entry.
            kept = Some(Arc::new((*entry.value).clone()));
            deep_clones += 1;
        }
        let hint = self.keeps(&requester, entry, time);
        let found = Answer::Found { version: entry.version, stale, hint, value: &value };
        if self.config.defects.get_forgets_handle {
            handle_clones += 1;
            self.cloned_bytes += if kept.is_some() { entry.size_bytes() } else { 0 };
            self.forgotten.push(kept.unwrap_or_else(|| Arc::clone(&entry.value)));
        }
        let labels = [key.label(), deep_clones, handle_clones];
        fx.mark(Event::Hit.row(), labels, value.len() as u64);
        answer(&mut self.metrics, requester, &found, fx);
        self.hit_ratio.count(true);
        self.machine.touch(key);
    }

    /// Serves what the key held until its time was over, to a client that takes that where nothing
    /// fresh is to be had; false where it does not, or where that is gone too.
    pub(super) fn serve_what_is_over(
        &mut self,
        requester: Requester,
        key: &Key,
        fx: &mut Fx<'_>,
    ) -> bool {
        let Some(entry) = self.machine.store().get(key).filter(|_| requester.allow_stale) else {
            return false;
        };
        let Ok(value) = self.machine.store().open(entry) else { return false };
        let (version, hint) = (entry.version, Duration::ZERO);
        let found = Answer::Found { version, stale: true, hint, value: &value };
        answer(&mut self.metrics, requester, &found, fx);
        true
    }

    fn serve_batch(&mut self, requester: Requester, keys: &[Key], time: u64, fx: &mut Fx<'_>) {
        let store = self.machine.store();
        let mut values = Vec::with_capacity(keys.len());
        for key in keys {
            let entry = self.machine.read(key, time);
            let Ok(value) = entry.map(|entry| store.open(entry)).transpose() else {
                fx.mark(Event::DamagedValue.row(), [key.label(), 0, 0], 0);
                return refuse(&mut self.metrics, requester, Refusal::DAMAGED, fx);
            };
            self.hit_ratio.count(value.is_some());
            match &value {
                Some(value) => fx.mark(Event::Hit.row(), [key.label(), 0, 0], value.len() as u64),
                None => fx.mark(Event::Miss.row(), [key.label(), 0, 0], 0),
            }
            values.push(value);
        }
        let of = values.len() as u32;
        if of == 0 {
            let nothing = Answer::Item { position: 0, of, value: None };
            answer(&mut self.metrics, requester, &nothing, fx);
        }
        for (position, value) in (0..of).zip(&values) {
            let item = Answer::Item { position, of, value: value.as_deref() };
            answer(&mut self.metrics, requester, &item, fx);
        }
        keys.iter().for_each(|key| self.machine.touch(key));
    }
}

fn check_key(key: &[u8]) -> Result<Key, Refusal> {
    let (size, max) = (key.len() as u64, KEY_BYTES_MAX);
    match size > max {
        true => Err(StoreError::KeyTooLarge { size, max }.into()),
        false => Ok(Key::new(key)),
    }
}
