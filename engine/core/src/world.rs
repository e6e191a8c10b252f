//! What the harness does to a world, and the lives of its nodes.

use crate::api::{IncidentKind, Observer};
use crate::engine::Engine;
use crate::host::{Host, HostHit};
use crate::machines::Tenancy;
use crate::net::pins::{Pin, Sent};
use crate::record::What;
use crate::trace::EventKind;
use alloc::vec::Vec;
use contract::{Condition, ConditionId, DiskFate, Effect, Fx, NodeId, Shock, Sockets, Unsupported};

impl<O: Observer> Engine<O> {
    /// Imposes a condition; what it combines with is stated on each kind.
    ///
    /// # Errors
    /// When the engine does not have it, or the world does not have the node.
    pub fn impose(&mut self, condition: Condition) -> Result<ConditionId, Unsupported> {
        let bent = condition.clone();
        let id = self.kernel.bend(condition)?;
        if let Condition::Down { node, disk, sockets } = bent {
            let host = self.kernel.hosts.get_mut(node);
            if host.alive || !host.spec.is_dormant() {
                host.fate = host.fate.max(disk);
            }
            if host.alive {
                host.hit(HostHit::Down);
                self.crash(node, sockets);
            } else if sockets == Sockets::Silent {
                self.kernel.silence(node);
            }
        }
        Ok(id)
    }

    /// Lifts exactly what `impose` returned. Lifting it again does nothing.
    pub fn lift(&mut self, id: ConditionId) {
        let lifted = self.kernel.unbend(id);
        if let Some(Condition::Down { node, .. }) = lifted {
            if !self.kernel.hosts.get(node).law.down {
                self.kernel.lighten(node);
            }
            self.restart(node);
        }
        if let Some(Condition::MemoryLimit { node, .. }) = lifted {
            let host = self.kernel.hosts.get(node);
            if host.starved && !host.law.memory_bent {
                self.restart(node);
            }
        }
    }

    /// Applies an instantaneous shock.
    ///
    /// # Errors
    /// When the world does not have the node.
    pub fn strike(&mut self, shock: Shock) -> Result<(), Unsupported> {
        self.kernel.shock(shock)
    }

    /// Pins the `n`-th message, from 0, that `from` sends to `to`: datagrams, and segments of streams.
    pub fn pin(&mut self, from: NodeId, to: NodeId, n: u64, pin: Pin) {
        self.kernel.net.pins.pin(from, to, n, pin);
    }

    /// The pins that have not met their message: (from, to, number).
    pub fn pins_unmet(&self) -> impl Iterator<Item = (NodeId, NodeId, u64)> {
        self.kernel.net.pins.unmet()
    }

    /// From now on writes down every datagram that is sent.
    pub fn log_datagrams(&mut self) {
        self.kernel.net.pins.start_log();
    }

    /// What was written down; nothing is from now on.
    pub fn take_datagrams(&mut self) -> Vec<Sent> {
        self.kernel.net.pins.take_log()
    }

    /// How many events the condition changed: a message dropped, delayed or altered, an input
    /// that had to wait, a disk operation that failed or took longer, a crash.
    #[must_use]
    pub fn effect_count(&self, id: ConditionId) -> u64 {
        self.kernel.effect_count(id)
    }

    /// Boots a node that is down, unless a condition keeps it down, or it is one that only another
    /// node starts; `false` when nothing happened.
    pub fn restart(&mut self, node: NodeId) -> bool {
        let host = self.kernel.hosts.get(node);
        if host.alive || host.law.down || host.spec.is_dormant() {
            return false;
        }
        self.boot_node(node);
        true
    }

    pub(crate) fn boot_all(&mut self) {
        assert_eq!(self.kernel.events, 0, "a world begins with its boots");
        let boots = |node: &NodeId| !self.kernel.hosts.get(*node).spec.is_dormant();
        let nodes = (0..self.kernel.hosts.all.len() as u32).map(NodeId);
        let nodes: alloc::vec::Vec<NodeId> = nodes.filter(boots).collect();
        // All of them are up at time 0: what one sends while it boots is not lost on another.
        for node in &nodes {
            self.kernel.hosts.get_mut(*node).alive = true;
        }
        for node in nodes {
            self.boot_node(node);
        }
    }

    pub(crate) fn boot_node(&mut self, node: NodeId) {
        let (at, seed) = (self.kernel.now(), self.kernel.seed);
        assert!(self.kernel.hosts.get(node).inbox.is_empty(), "nothing waits for who is down");
        self.begin(node);
        self.kernel.counters.boots += 1;
        self.kernel.outage_of_spaces(node);
        self.kernel.lighten(node);
        self.kernel.hosts.get_mut(node).revive(at, seed);
        let host = self.kernel.hosts.get_mut(node);
        let (boot, tenancy) = (host.boot, host.tenancy.clone());
        let now = host.clock.read(at);
        let (src, hash) = match &tenancy {
            Some(tenancy) => (tenancy.machine, tenancy.boot_hash(boot)),
            None => (node, u64::from(boot)),
        };
        self.kernel.note(node, src, EventKind::Boot, 0, hash);
        let host = self.kernel.hosts.get_mut(node);
        let Host { conns_opened, disk, rng, .. } = host;
        let mut fx = Fx::new(&mut self.outbox, node, conns_opened, disk, rng);
        let booted = match &tenancy {
            Some(Tenancy { machine, settings, .. }) => {
                self.boot.boot_started(node, boot, *machine, settings, now, &mut fx)
            }
            None => self.boot.boot(node, boot, now, &mut fx),
        };
        match booted {
            Ok(state) => {
                self.kernel.hosts.get_mut(node).node = Some(state);
                self.kernel.report_started(node);
                self.start_client(node);
            }
            Err(refused) => self.refuse(node, refused.0),
        }
        self.finish(node);
    }

    /// Wakes a client for the first time, or again after it was down.
    fn start_client(&mut self, node: NodeId) {
        let now = self.kernel.now();
        match self.kernel.hosts.get(node).client {
            Some(_) => self.kernel.wake_client(node, now),
            None => {
                if let Some(first) = self.workload.start(node) {
                    self.kernel.wake_client(node, first);
                }
            }
        }
    }

    /// The node does not serve from what it found: of what it asked for, only the marks count.
    fn refuse(&mut self, node: NodeId, why: alloc::string::String) {
        self.kernel.counters.refusals += 1;
        assert!(self.kernel.hosts.get(node).node.is_none(), "what refuses does not run");
        self.kernel.incident(node, IncidentKind::Refused(why));
        self.outbox.effects.retain(|effect| matches!(effect, Effect::Mark(_)));
        self.kernel.hosts.get_mut(node).alive = false;
        self.kernel.leave(node);
    }

    /// The node stops at once, and before it all that runs on its machine. What becomes of its disk
    /// is decided when it boots.
    pub(crate) fn crash(&mut self, node: NodeId, sockets: Sockets) {
        let at = self.kernel.now();
        assert!(self.kernel.hosts.get(node).alive, "only a node that is up can crash");
        for tenant in self.kernel.tenants(node) {
            self.crash(tenant, sockets);
        }
        assert!(self.kernel.tenants(node).is_empty(), "who lives on a machine goes with it");
        self.kernel.events += 1;
        self.kernel.counters.crashes += 1;
        self.kernel.note(node, node, EventKind::Crash, 0, 0);
        match sockets {
            Sockets::Closed => self.kernel.sever(node),
            Sockets::Silent => self.kernel.silence(node),
        }
        self.kernel.empty_inbox(node);
        assert!(self.kernel.hosts.get(node).inbox.is_empty(), "what waited is lost");
        let host = self.kernel.hosts.get_mut(node);
        host.node = None;
        host.alive = false;
        host.timers.clear();
        host.disk.abandon_syncs();
        host.busy_until = at;
        if host.client.is_some() {
            self.workload.lost(at, node);
        }
        self.kernel.leave(node);
        self.observe(node);
    }
}

impl Host {
    /// The next life begins: what the outage did to the disk is done, the clock starts again.
    pub(crate) fn revive(&mut self, at: contract::SimTime, seed: u64) {
        assert!(self.node.is_none(), "a node boots while it is down");
        assert!(self.boots < u32::MAX, "lives are counted in 32 bits");
        if self.boots > 0 {
            self.disk.suffer(self.fate);
        }
        self.fate = DiskFate::Kept;
        self.starved = false;
        self.boot = self.boots;
        self.boots += 1;
        self.alive = true;
        self.reseed(seed);
        self.clock.boot(at);
    }

    /// Whether the node is up, in the life number `boot`.
    pub(crate) fn is_in_life(&self, boot: u32) -> bool {
        self.alive && self.boot == boot
    }
}

impl crate::kernel::Kernel {
    /// What waited for the node is lost.
    fn empty_inbox(&mut self, node: NodeId) {
        let host = self.hosts.get_mut(node);
        for record in host.inbox.drain(..) {
            if let What::Datagram { frame, .. } | What::Data { frame, .. } = record.what {
                self.frames.release(frame);
            }
            // A client's wake-up is not lost: it is queued again when the client is back.
            if let (What::Invoke, Some(client)) = (record.what, &mut host.client) {
                client.wake_at = None;
            }
        }
    }
}
