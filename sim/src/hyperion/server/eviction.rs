//! EvictionRoom for new entries: what was used longest ago leaves by the log.
//!
//! Only the node that serves reads knows what is used, so the leader chooses. It proposes the drop
//! of a batch in front of the write that would not fit, and all replicas drop the same entries at
//! the same index. A batch is [`super::Config::eviction_batch`] entries, and at most half of what is
//! held, so that a small cache is not emptied for one write.

use super::super::command::{Command, DropReason, Versions, Write, push_version};
use super::super::tables::Event;
use super::Server;
use crate::protocol::cache::entry::{Entry, Key, size_bytes};
use crate::protocol::raft::{LogId, NotLeader};
use crate::protocol::session::Session;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use contract::{Fx, Now};

/// What this leader has proposed that will change how much is held.
#[derive(Clone, Debug, Default)]
pub(super) struct EvictionRoom {
    /// In the order of the log: the index, and how much room it takes at most or gives at least.
    proposed: VecDeque<(u64, Change)>,
    taking_bytes: u64,
    giving_bytes: u64,
    giving_entries: u64,
}

#[derive(Clone, Copy, Debug)]
enum Change {
    Takes { bytes: u64 },
    Gives { bytes: u64, entries: u64 },
}

impl EvictionRoom {
    fn push(&mut self, index: u64, change: Change) {
        match change {
            Change::Takes { bytes } => self.taking_bytes += bytes,
            Change::Gives { bytes, entries } => {
                self.giving_bytes += bytes;
                self.giving_entries += entries;
            }
        }
        self.proposed.push_back((index, change));
    }

    /// What was proposed up to `index` has happened, or will never.
    pub(super) fn applied(&mut self, index: u64) {
        while let Some(&(at, change)) = self.proposed.front() {
            if at > index {
                return;
            }
            self.proposed.pop_front();
            match change {
                Change::Takes { bytes } => self.taking_bytes -= bytes,
                Change::Gives { bytes, entries } => {
                    self.giving_bytes -= bytes;
                    self.giving_entries -= entries;
                }
            }
        }
    }
}

impl Server {
    /// Sees to it that `value` fits under `key` when its write, which is proposed next, is applied.
    pub(super) fn make_room(&mut self, now: Now, key: &[u8], value: &[u8], fx: &mut Fx<'_>) {
        let store = self.machine.store();
        let max = store.config().limits.store_bytes_max;
        let room = max + self.room.giving_bytes;
        let after = store.size_bytes() + self.room.taking_bytes + size_bytes(key, value);
        // What the key holds already is looked up only where it matters.
        if after <= room {
            return;
        }
        let replaced = store.get(&Key::new(key)).map_or(0, Entry::size_bytes);
        if after - replaced <= room {
            return;
        }
        let batch = self.config.eviction_batch.min(store.len().div_ceil(2));
        self.evict(now, batch, DropReason::Lru, fx);
    }

    /// Notes that the write at `log_id` may add an entry with this key and value.
    pub(super) fn takes_room(&mut self, log_id: LogId, key: &[u8], value: &[u8]) {
        self.room.push(log_id.index, Change::Takes { bytes: size_bytes(key, value) });
    }

    /// Proposes that the `count` entries leave that are next in the order of eviction; how many
    /// that were.
    pub(super) fn evict(
        &mut self,
        now: Now,
        count: u64,
        reason: DropReason,
        fx: &mut Fx<'_>,
    ) -> u64 {
        let mut versions = Vec::new();
        let (mut bytes, mut entries) = (0, 0);
        // Those that were proposed before are the first in the order, or nearly.
        let victims = self.machine.store().victims().skip(self.room.giving_entries as usize);
        for entry in victims.take(count as usize) {
            push_version(entry.key.as_bytes(), entry.version, &mut versions);
            bytes += entry.size_bytes();
            entries += 1;
            if reason == DropReason::Lru {
                let labels = [entry.key.label(), entry.version, 0];
                fx.mark(Event::EvictionProposed.row(), labels, 0);
            }
        }
        if entries == 0 {
            return 0;
        }
        match self.propose_drop(now, reason, &versions, fx) {
            Ok(log_id) => {
                self.room.push(log_id.index, Change::Gives { bytes, entries });
                entries
            }
            Err(_) => 0,
        }
    }

    /// Proposes that the entries in `versions` leave.
    pub(super) fn propose_drop(
        &mut self,
        now: Now,
        reason: DropReason,
        versions: &[u8],
        fx: &mut Fx<'_>,
    ) -> Result<LogId, NotLeader> {
        let entries = Versions::decode(versions).expect("this node wrote them");
        let command = Command {
            session: Session { client: 0, epoch: 0 },
            seq: 0,
            key: &[],
            write: Write::Drop { reason, entries },
        };
        let mut bytes = Vec::new();
        command.encode(&mut bytes);
        self.raft.propose(now, Arc::from(bytes), fx)
    }
}
