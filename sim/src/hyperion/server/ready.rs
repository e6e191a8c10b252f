//! What Raft asks for: apply, restore, take a snapshot, serve a read, give up.

use super::super::command::DropReason;
use super::super::machine::{Effect, Machine};
use super::super::tables::Event;
use super::Server;
use super::eviction::EvictionRoom;
use crate::protocol::raft::{Entry, Payload, Ready, Role, Snapshot};
use alloc::sync::Arc;
use alloc::vec::Vec;
use contract::{Fx, Now};

impl Server {
    /// Does what Raft asks for since the last call.
    pub(super) fn handle_ready(&mut self, now: Now, fx: &mut Fx<'_>) {
        let mut ready = core::mem::take(&mut self.ready);
        self.raft.drain(&mut ready);
        for ready in ready.drain(..) {
            match ready {
                Ready::Apply(entry) => self.apply(now, &entry, fx),
                Ready::Restore(snapshot) => self.restore(now, &snapshot, fx),
                Ready::TakeSnapshot { index } => self.take_snapshot(now, index, fx),
                Ready::ReadReady { id, index, time } => {
                    self.on_read_ready(now, id, index, time, fx);
                }
                Ready::ReadFailed { id } => self.on_read_failed(id, fx),
                Ready::BecameLeader { .. } => {}
                Ready::SteppedDown { .. } | Ready::StorageFailed(_) => {
                    self.room = EvictionRoom::default();
                    if !self.config.defects.keeps_writes {
                        self.give_up_writes(fx);
                    }
                    // What waits for company was not proposed yet, and is refused by Raft.
                    self.propose_batch(now, fx);
                }
            }
        }
        self.ready = ready;
        self.arm_expiry(now, fx);
    }

    /// Carries out a committed entry, and answers whoever waited for it.
    fn apply(&mut self, now: Now, entry: &Entry, fx: &mut Fx<'_>) {
        match &entry.payload {
            Payload::Noop | Payload::Members(_) => self.machine.skip(entry.index),
            Payload::Command(command) => {
                let time = self.stamp(now, entry.time);
                let effect = self.machine.apply(entry.index, time, command);
                self.tell_dropped(&effect, fx);
                self.tell_watchers(entry.index, command, &effect, fx);
                self.room.applied(entry.index);
                self.acknowledge(entry.id(), &effect, fx);
            }
        }
        self.serve_applied(now, fx);
    }

    fn take_snapshot(&mut self, now: Now, index: u64, fx: &mut Fx<'_>) {
        assert!(self.machine.applied_index() == index, "it has applied what it was handed");
        let mut state = Vec::new();
        self.machine.encode(&mut state);
        self.raft.snapshot_taken(now, index, Arc::from(state), fx);
    }

    /// Takes up the state of a snapshot in the place of its own.
    fn restore(&mut self, now: Now, snapshot: &Snapshot, fx: &mut Fx<'_>) {
        let (config, defects) = (&self.config.store, self.config.defects.machine);
        let index = snapshot.id.index;
        let restored = Machine::decode(config, defects, &snapshot.state).ok();
        let restored = restored.filter(|machine| machine.applied_index() == index);
        if restored.is_none() {
            // Only a planted defect puts together what no node ever wrote.
            fx.mark(Event::BadRequest.row(), [0; 3], snapshot.state.len() as u64);
        }
        self.machine = restored.unwrap_or_else(|| Machine::empty_at(config, defects, index));
        self.expiry_armed_for = None;
        self.room.applied(index);
        self.tell_watchers_all(index, fx);
        self.serve_applied(now, fx);
    }

    /// The time that an entry of the log carries out its command at: the cluster's.
    fn stamp(&self, now: Now, cluster_time: u64) -> u64 {
        match self.config.defects.ttl_on_wall_clock {
            true => now.wall.0,
            false => cluster_time,
        }
    }

    /// The clock by which entries live and die: the cluster's, as Raft gives it.
    pub(super) fn time(&self, now: Now, cluster_time: u64) -> u64 {
        let defects = &self.config.defects;
        match (defects.ttl_on_wall_clock, defects.ttl_on_monotonic_clock) {
            (true, _) => now.wall.0,
            (_, true) => now.mono.0,
            _ => cluster_time,
        }
    }

    /// Tells the lab about entries that left: once per group, at the node that leads. For what
    /// ended this is the notification that subscribers of expiries get.
    fn tell_dropped(&mut self, effect: &Effect, fx: &mut Fx<'_>) {
        let Some((reason, dropped)) = &effect.dropped else { return };
        self.metrics.dropped(*reason, dropped.len() as u64);
        if self.raft.role() != Role::Leader {
            return;
        }
        for entry in dropped {
            match reason {
                DropReason::Ttl => {
                    fx.mark(Event::Expired.row(), [entry.key, entry.version, 0], entry.late_ns);
                }
                DropReason::Lru | DropReason::Manual => {
                    let labels = [entry.key, entry.version, *reason as u64];
                    fx.mark(Event::Evicted.row(), labels, 0);
                }
            }
        }
    }
}
