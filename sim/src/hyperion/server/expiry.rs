//! Entries whose time is over leave by the log.
//!
//! Reads do not see them from their last moment on, because they are judged by cluster time. Their
//! memory is freed by commands that the leader proposes, a batch of entries in each, and that name
//! the versions, so that an entry that was renewed meanwhile stays (etcd#15247 is the same race with leases). All replicas drop
//! the entry at the same index.

use super::super::command::{DropReason, push_version};
use super::Server;
use super::timers::EXPIRE;
use crate::protocol::raft::Role;
use alloc::vec::Vec;
use contract::{Duration, Fx, Now};

/// How long after one batch the next is looked for. What is not applied by then is proposed again,
/// which does no harm.
const PAUSE: Duration = Duration::from_millis(100);

impl Server {
    /// Proposes that what is over leaves.
    pub(super) fn on_expire(&mut self, now: Now, fx: &mut Fx<'_>) {
        self.expiry_armed_for = None;
        if self.raft.role() != Role::Leader {
            return;
        }
        let time = self.time(now, self.raft.cluster_time(now));
        let batch = self.config.eviction_batch as usize;
        let mut entries = Vec::new();
        for (key, version) in self.machine.store().expired(time).take(batch) {
            push_version(key.as_bytes(), version, &mut entries);
        }
        if entries.is_empty() {
            return;
        }
        // Where leadership is being handed over, the next leader sees to it.
        let _ = self.propose_drop(now, DropReason::Ttl, &entries, fx);
        self.expiry_armed_for = Some(0);
        fx.set_timer(EXPIRE, PAUSE);
    }

    /// Sees to it that the leader wakes up when the next entry is over.
    pub(super) fn arm_expiry(&mut self, now: Now, fx: &mut Fx<'_>) {
        let Some(ends_at) = self.machine.store().first_ending() else {
            return;
        };
        let is_armed = self.expiry_armed_for.is_some_and(|armed| armed <= ends_at);
        if is_armed || self.raft.role() != Role::Leader {
            return;
        }
        let time = self.time(now, self.raft.cluster_time(now));
        self.expiry_armed_for = Some(ends_at);
        // At its last moment an entry still lives.
        fx.set_timer(EXPIRE, Duration((ends_at + 1).saturating_sub(time)));
    }
}
