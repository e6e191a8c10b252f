//! Carrying out what a node asked for while it handled an input, in the order in which it asked.

use crate::api::{Control, Observer};
use crate::engine::Engine;
use crate::host::HostHit;
use crate::kernel::Kernel;
use crate::record::{Class, Record, What};
use alloc::rc::Rc;
use contract::node::sync_files;
use contract::{
    DiskError, Duration, Effect, Mark, NodeId, OpId, Outbox, Outcome, SyncId, TimerKey,
};

impl<O: Observer> Engine<O> {
    /// Carries out everything in the outbox and clears it.
    #[inline]
    pub(crate) fn drain(&mut self, node: NodeId) {
        for at in 0..self.outbox.effects.len() {
            let Outbox { effects, bytes, outcomes } = &mut self.outbox;
            match effects[at] {
                Effect::Datagram { to, bytes: span } => self.kernel.send(node, to, span.of(bytes)),
                Effect::SetTimer { key, after } => self.kernel.set_timer(node, key, after),
                Effect::CancelTimer { key } => self.kernel.hosts.get_mut(node).timers.cancel(key),
                Effect::Mark(mark) => self.mark(node, mark),
                Effect::Complete { op, outcome } => {
                    let outcome = &mut outcomes[outcome as usize];
                    let outcome = core::mem::replace(outcome, Outcome::Unknown);
                    self.complete(node, op, outcome);
                }
                Effect::Start { ticket, role, settings } => {
                    let settings = Rc::from(settings.of(bytes));
                    self.kernel.ask_start(node, ticket, role, settings);
                }
                other => self.kernel.perform(node, other, bytes),
            }
        }
        self.outbox.clear();
    }

    pub(crate) fn mark(&mut self, node: NodeId, mark: Mark) {
        self.kernel.counters.marks += 1;
        let at = self.kernel.now();
        let control = self.observer.on_mark(at, node, mark, &self.kernel.hosts);
        self.pause_asked |= control == Control::Pause;
    }

    fn complete(&mut self, node: NodeId, op: OpId, outcome: Outcome) {
        self.kernel.counters.completed += 1;
        let at = self.kernel.now();
        let control = self.observer.on_complete(at, node, op, &outcome);
        self.pause_asked |= control == Control::Pause;
        if let Some(next) = self.workload.complete(at, node, op, outcome) {
            self.kernel.wake_client(node, next);
        }
    }
}

impl Kernel {
    /// Effects that touch neither the observer nor the load.
    fn perform(&mut self, node: NodeId, effect: Effect, bytes: &[u8]) {
        match effect {
            Effect::Open { conn, to } => self.open(node, conn, to),
            Effect::Write { conn, bytes: span } => self.write(node, conn, span.of(bytes)),
            Effect::Close { conn } => self.close(node, conn),
            Effect::Sync { sync, files } => self.sync_begin(node, sync, files.of(bytes)),
            Effect::Spend { cost } => self.work(node, cost),
            Effect::Stop { node: other } => {
                let boot = self.hosts.get(node).boot;
                self.own_record(node, What::Stop { node: other, boot });
            }
            other => panic!("{other:?} is carried out elsewhere"),
        }
    }

    #[inline]
    pub fn set_timer(&mut self, node: NodeId, key: TimerKey, after: Duration) {
        let now = self.now();
        let host = self.hosts.get_mut(node);
        let due = host.clock.read(now).mono + after;
        let due_at = host.clock.when(due).max(now);
        if let Some(alarm) = host.timers.set(now, key, due, due_at)
            && !self.is_frozen
        {
            self.set_alarm(node, alarm);
        }
    }

    /// Processor time, which a slow processor, or a slow service, needs more of.
    fn work(&mut self, node: NodeId, cost: Duration) {
        let host = self.hosts.get_mut(node);
        let pace = host.law.pace;
        if cost > Duration::ZERO {
            if pace.is_slow() {
                host.hit(HostHit::SlowCpu);
            }
            if pace.is_scaled() {
                host.hit(HostHit::ServiceTime);
            }
        }
        self.spend(node, pace.of(cost));
    }

    fn sync_begin(&mut self, node: NodeId, sync: SyncId, files: &[u8]) {
        let now = self.now();
        self.counters.syncs += 1;
        let host = self.hosts.get_mut(node);
        let (ticket, latency_ns) = host.disk.sync_begin(sync_files(files));
        // The device has yet to finish what the node asked of it before.
        let at = match self.is_frozen {
            true => now,
            false => host.busy_until.max(now) + Duration(latency_ns),
        };
        let what = What::SyncEnd { sync, ticket, boot: host.boot };
        let record = Record { n: host.number(), src: node, dst: node, what };
        self.queue.schedule(at, Class::Ended, record);
    }

    pub fn sync_end(&mut self, node: NodeId, ticket: u32) -> Result<(), DiskError> {
        let result = self.hosts.get_mut(node).disk.sync_end(ticket);
        self.counters.syncs_failed += u64::from(result.is_err());
        result
    }

    /// A record of the node's own, for the next round of this instant; returns its number.
    pub fn own_record(&mut self, node: NodeId, what: What) -> u64 {
        let now = self.now();
        let n = self.hosts.get_mut(node).number();
        let record = Record { n, src: node, dst: node, what };
        self.queue.schedule(now, Class::Ended, record);
        n
    }

    /// A timer or a wake-up that popped while its node was down.
    pub fn miss(&mut self, record: &Record) {
        let host = self.hosts.get_mut(record.dst);
        if let (What::Invoke, Some(client)) = (record.what, &mut host.client)
            && client.wake_n == record.n
        {
            client.wake_at = None;
        }
    }
}
