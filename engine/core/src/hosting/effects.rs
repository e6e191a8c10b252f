//! Carrying out what the node asked for, and what the script does to this machine.

use super::adapter::Adapter;
use super::arrival;
use super::envelope::{Body, Envelope, Letter};
use super::loose::{Notice, Outgoing};
use super::schedule::Item;
use super::script::Moment;
use crate::disk::DiskLaw;
use crate::host::HostLaw;
use crate::net::Verdict;
use crate::record::Class;
use crate::trace::EventKind;
use alloc::vec::Vec;
use contract::node::sync_files;
use contract::{
    Condition, ConditionId, Duration, Effect, NodeId, OpId, Outbox, Outcome, Shock, SyncId, Target,
    TimerKey,
};

impl Adapter {
    /// What follows every input: time and disk faults are charged, effects carried out.
    pub(super) fn finish(&mut self) {
        let charge_ns = self.host.disk.take_charge();
        assert!(self.host.alive || self.host.node.is_none(), "only a node that is up has a state");
        let faults = self.host.disk.take_faults();
        if faults != 0 {
            self.note(self.me, EventKind::Disk, 0, faults);
        }
        if charge_ns > 0 {
            self.spend(Duration(charge_ns));
        }
        let mut outbox = core::mem::take(&mut self.outbox);
        let Outbox { effects, bytes, outcomes } = &mut outbox;
        for effect in effects.drain(..) {
            match effect {
                Effect::Complete { op, outcome } => {
                    let outcome = &mut outcomes[outcome as usize];
                    self.complete(op, core::mem::replace(outcome, Outcome::Unknown));
                }
                effect => self.perform(effect, bytes),
            }
        }
        outbox.clear();
        self.outbox = outbox;
        self.notice(|| Notice::Event);
    }

    fn perform(&mut self, effect: Effect, bytes: &[u8]) {
        match effect {
            Effect::Datagram { to, bytes: span } => self.send(to, span.of(bytes)),
            Effect::Open { conn, to } => self.open(conn, to),
            Effect::Write { conn, bytes: span } => self.write(conn, span.of(bytes)),
            Effect::Close { conn } => self.close(conn),
            Effect::SetTimer { key, after } => self.set_timer(key, after),
            Effect::CancelTimer { key } => self.host.timers.cancel(key),
            Effect::Sync { sync, files } => self.sync_begin(sync, files.of(bytes)),
            Effect::Spend { cost } => self.spend(self.host.law.pace.of(cost)),
            Effect::Mark(mark) => self.notice(|| Notice::Mark(mark)),
            Effect::Start { .. } | Effect::Stop { .. } => {
                self.problem(
                    "starts or stops nodes, which takes effect at once on another machine",
                );
            }
            Effect::Complete { .. } => panic!("an operation is completed by the caller"),
        }
    }

    fn complete(&mut self, op: OpId, outcome: Outcome) {
        let at = self.schedule.now;
        self.notice(|| Notice::Complete(op, outcome.clone()));
        if let Some(next) = self.workload.complete(at, self.me, op, outcome) {
            self.wake_client(next);
        }
    }

    fn spend(&mut self, cost: Duration) {
        let now = self.schedule.now;
        self.host.busy_until = self.host.busy_until.max(now) + cost;
    }

    fn set_timer(&mut self, key: TimerKey, after: Duration) {
        let now = self.schedule.now;
        let due = self.host.clock.read(now).mono + after;
        let due_at = self.host.clock.when(due).max(now);
        if let Some(alarm) = self.host.timers.set(now, key, due, due_at) {
            self.set_alarm(alarm);
        }
    }

    fn sync_begin(&mut self, sync: SyncId, files: &[u8]) {
        let (ticket, latency_ns) = self.host.disk.sync_begin(sync_files(files));
        assert!(self.host.alive, "only a node that is up syncs");
        let at = self.host.busy_until.max(self.schedule.now) + Duration(latency_ns);
        let boot = self.host.boot;
        let n = self.host.number();
        let item = Item::SyncEnd { sync, ticket, boot };
        self.schedule.put(at, Class::Ended, self.me, n, item);
    }

    fn send(&mut self, to: NodeId, bytes: &[u8]) {
        let native = || Outgoing::Datagram { to, bytes: bytes.to_vec() };
        if self.ask(native) {
            return;
        }
        let now = self.schedule.now;
        let len_bytes = bytes.len() as u32;
        let routed = self.net.route(now, self.me, to, len_bytes, &mut self.counters);
        assert!(routed.due >= now, "nothing arrives before it was sent");
        let held = match routed.verdict {
            Verdict::Drop(_) => return,
            Verdict::Hold => true,
            Verdict::Deliver => false,
        };
        let copies = [Some(routed.due), routed.copy];
        for (copy, due) in copies.into_iter().enumerate() {
            let Some(due) = due else { continue };
            let gates = self.gates.get(&to).map_or(&[][..], Vec::as_slice);
            let Some(moment) = arrival::arrival(gates, self.pos, due, held) else {
                continue;
            };
            let mut bytes = bytes.to_vec();
            if let Some(bit) = routed.flip {
                bytes[(bit / 8) as usize] ^= 1 << (bit % 8);
            }
            let n = routed.n * 2 + copy as u64;
            self.ship(to, moment, (n, n), Body::Datagram(bytes));
        }
    }

    /// Gives a letter to the simulator, or keeps it when it is for this machine. Its numbers are
    /// that of the message that begins the read, and its own.
    pub(super) fn ship(&mut self, to: NodeId, moment: Moment, (n, part): (u64, u64), body: Body) {
        let letter = Letter { moment, pos: self.pos, from: self.me, n, part, body };
        if to == self.me {
            return self.receive(letter);
        }
        let bytes = letter.encode();
        self.envelopes.push(Envelope { to, bytes });
    }
}

/// The script.
impl Adapter {
    pub(super) fn impose(&mut self, id: ConditionId, condition: &Condition) {
        self.active.insert(id, condition.clone());
        self.refit(condition);
        if let Condition::Down { node, disk, sockets } = condition
            && *node == self.me
        {
            self.host.fate = self.host.fate.max(*disk);
            if self.host.alive {
                self.crash(*sockets);
            }
        }
    }

    pub(super) fn lift(&mut self, id: ConditionId) {
        let Some(condition) = self.active.remove(&id) else {
            return;
        };
        self.refit(&condition);
        let is_mine = matches!(condition, Condition::Down { node, .. } if node == self.me);
        if is_mine && !self.host.alive && !self.host.law.down {
            self.boot_node();
        }
    }

    pub(super) fn strike(&mut self, shock: &Shock) {
        if shock.target().nodes().last() != Some(self.me) {
            return;
        }
        match shock {
            Shock::WallJump { by_ns, .. } => {
                self.host.clock.jump(*by_ns);
                self.note(self.me, EventKind::Clock, 0, *by_ns as u64);
            }
            Shock::FlipBit { file, bit, .. } => {
                self.host.disk.flip(*file, *bit);
                let hash = contract::hash::mix(u64::from(file.0), *bit);
                self.note(self.me, EventKind::Disk, 0, hash);
            }
            Shock::InjectFrame { from, bytes, .. } => {
                if self.host.alive {
                    let n = self.host.number();
                    let body = Body::Datagram(bytes.clone());
                    let item = Item::Arrival { pos: self.pos, body };
                    self.schedule.put(self.schedule.now, Class::Data, *from, n, item);
                }
            }
            // A simulator's own network does it; an exact run is refused before it begins.
            Shock::Reset { .. } => assert!(self.loose.is_some(), "exact runs have no resets"),
        }
    }

    /// Folds what holds now into what the condition bends, if that is this machine's.
    fn refit(&mut self, condition: &Condition) {
        let target = condition.target();
        match target {
            Target::Link { from, to } if from == self.me => {
                let link = self.net.links.id(from, to);
                self.net.links.bent(link);
                let here = |other: &&Condition| other.target() == target;
                self.net.links.refit(link, self.active.values().filter(here));
            }
            Target::Node(node) if node == self.me => self.refit_node(),
            Target::Link { .. } | Target::Node(_) => {}
        }
    }

    fn refit_node(&mut self) {
        let now = self.schedule.now;
        assert!(now < self.until || self.loose.is_some(), "the run is not over");
        let mine = |other: &&Condition| other.target() == Target::Node(self.me);
        let before = self.host.law.drift_ppm;
        let host_law = HostLaw::new(&self.host.spec, self.active.values().filter(mine));
        let disk_law = DiskLaw::new(&self.host.spec.disk, self.active.values().filter(mine));
        self.host.law = host_law;
        self.host.disk.law = disk_law;
        let ppm = self.host.law.drift_ppm;
        if ppm != before {
            self.host.clock.set_drift(now, ppm);
            let mut alarms = Vec::new();
            let clock = &self.host.clock;
            let timers = &mut self.host.timers;
            timers.refit(now, |due| clock.when(due), |alarm| alarms.push(alarm));
            for alarm in alarms {
                self.set_alarm(alarm);
            }
            self.note(self.me, EventKind::Clock, 0, ppm as u64);
        }
        self.queue_wake();
    }
}
