//! The loop: take what is due, hand it to its node, carry out what the node asked for, observe.
//!
//! Start with [`Engine::run_until`]. What a node asks for is carried out in `effects`, what the
//! harness does to the world in `world`, copies are made in `snapshot`.

use crate::api::{Boot, Control, FaultClass, Incident, IncidentKind, Observer, Stopped, Workload};
use crate::config::Config;
use crate::counters::Counters;
use crate::disk::Durable;
use crate::host::{HostHit, Hosts};
use crate::kernel::Kernel;
use crate::queue::Next;
use crate::record::{Class, Record, What};
use crate::timers::Popped;
use crate::trace::{Event, EventKind, Trace};
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use contract::hash::{hash_bytes, mix};
use contract::{ConnId, Duration, Fx, Input, NodeId, Nodes, Outbox, SimTime, Sockets};

/// A world that runs.
pub struct Engine<O: Observer> {
    pub(crate) kernel: Kernel,
    pub(crate) boot: Rc<dyn Boot>,
    pub(crate) workload: Box<dyn Workload>,
    pub(crate) observer: O,
    pub(crate) outbox: Outbox,
    pub(crate) events_max: u64,
    /// The node whose inbox is being worked off.
    pub(crate) draining: Option<NodeId>,
    pub(crate) pause_asked: bool,
    pub(crate) current: Option<(SimTime, NodeId)>,
}

impl<O: Observer> Engine<O> {
    /// A world at time 0, with every node booted that does not wait to be started.
    #[must_use]
    pub fn new(
        config: Config,
        boot: Rc<dyn Boot>,
        workload: Box<dyn Workload>,
        observer: O,
    ) -> Self {
        let mut engine = Self {
            kernel: Kernel::new(&config),
            boot,
            workload,
            observer,
            outbox: Outbox::default(),
            events_max: config.events_max,
            draining: None,
            pause_asked: false,
            current: None,
        };
        engine.boot_all();
        assert_eq!(engine.now(), SimTime::ZERO, "booting takes no time");
        engine
    }

    /// Runs everything that is due before `until`, unless something stops it earlier. Events at
    /// exactly `until` are left, so that a fault imposed now comes before them.
    pub fn run_until(&mut self, until: SimTime) -> Stopped {
        assert!(self.outbox.is_empty(), "what a node asked for was carried out");
        assert!(self.current.is_none(), "no node was broken off in the middle of an input");
        loop {
            if core::mem::take(&mut self.pause_asked) {
                return Stopped::Paused;
            }
            if self.kernel.events >= self.events_max {
                return Stopped::Budget;
            }
            if self.drain_one() {
                continue;
            }
            let record = match self.kernel.queue.next(until) {
                Next::Record(record) => {
                    self.kernel.look_ahead();
                    record
                }
                Next::Reached => return Stopped::Reached,
                Next::Idle => return Stopped::Idle,
                Next::Stuck => return Stopped::Stuck,
            };
            if let What::Fault { token } = record.what {
                return Stopped::Due { token };
            }
            self.step(&record);
        }
    }

    /// Hands the node whose inbox is being worked off what waits there; `false` when there is none.
    #[inline]
    pub(crate) fn drain_one(&mut self) -> bool {
        let Some(node) = self.draining else { return false };
        match self.kernel.unpark(node) {
            Some(record) => self.deliver(&record),
            None => self.draining = None,
        }
        true
    }

    /// Asks `run_until` to return [`Stopped::Due`] with `token` at `at`, or now if that is past.
    pub fn wake_at(&mut self, at: SimTime, class: FaultClass, token: u32) {
        let class = match class {
            FaultClass::End => Class::FaultEnd,
            FaultClass::Start => Class::FaultStart,
        };
        let nobody = NodeId(0);
        let what = What::Fault { token };
        let record = Record { n: u64::from(token), src: nobody, dst: nobody, what };
        let at = at.max(self.kernel.now());
        self.kernel.queue.schedule(at, class, record);
    }

    /// The simulated time.
    #[must_use]
    pub fn now(&self) -> SimTime {
        self.kernel.now()
    }

    /// The digest of the run so far: those of all nodes, by their names. A node that does nothing
    /// changes it by a constant and no other node's digest at all.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.kernel.hosts.digest()
    }

    /// The digest of everything that `node` saw.
    #[must_use]
    pub fn node_digest(&self, node: NodeId) -> u64 {
        self.kernel.hosts.get(node).digest
    }

    /// How many events happened: inputs handled, boots and crashes.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.kernel.events
    }

    /// How many entries wait in the queue.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.kernel.queue.len()
    }

    /// The nodes.
    #[must_use]
    pub fn nodes(&self) -> &dyn Nodes {
        &self.kernel.hosts
    }

    /// The observer.
    #[must_use]
    pub fn observer(&self) -> &O {
        &self.observer
    }

    /// The observer.
    pub fn observer_mut(&mut self) -> &mut O {
        &mut self.observer
    }

    /// The load.
    #[must_use]
    pub fn workload(&self) -> &dyn Workload {
        &*self.workload
    }

    /// The load.
    pub fn workload_mut(&mut self) -> &mut dyn Workload {
        &mut *self.workload
    }

    /// The input being handled; still there after a panic unwound out of `run_until`.
    #[must_use]
    pub fn current(&self) -> Option<(SimTime, NodeId)> {
        self.current
    }

    /// What was counted so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.kernel.counters
    }

    /// The last events.
    #[must_use]
    pub fn trace(&self) -> &Trace {
        &self.kernel.trace
    }

    /// Keeps the last `len_max` events from now on; forgets those before.
    pub fn set_trace_len(&mut self, len_max: usize) {
        assert!(len_max > 0, "a trace holds at least one event");
        self.kernel.trace = Trace::new(len_max);
    }

    /// What happened to nodes since the last call.
    pub fn take_incidents(&mut self) -> Vec<Incident> {
        core::mem::take(&mut self.kernel.incidents)
    }

    /// What of the node's disk survives a crash that loses everything unsynced.
    #[must_use]
    pub fn durable(&self, node: NodeId) -> Durable<'_> {
        self.kernel.hosts.get(node).disk.durable()
    }

    /// Handles what popped from the queue.
    #[inline]
    pub(crate) fn step(&mut self, record: &Record) {
        match record.what {
            What::Datagram { .. } => {
                if self.kernel.arrive(record) {
                    self.accept(record);
                }
            }
            What::Timer { .. } | What::Invoke => {
                if self.kernel.hosts.get(record.dst).alive {
                    self.accept(record);
                } else {
                    self.kernel.miss(record);
                }
            }
            What::Wake => {
                assert!(self.draining.is_none(), "one inbox is worked off at a time");
                let host = self.kernel.hosts.get_mut(record.dst);
                assert!(host.wake_queued, "an inbox is looked after by one entry");
                host.wake_queued = false;
                self.draining = Some(record.dst);
            }
            _ => self.step_rarer(record),
        }
    }

    fn step_rarer(&mut self, record: &Record) {
        let dst = record.dst;
        match record.what {
            What::Flow { conn, serial, way } => {
                if let Some(record) = self.kernel.flow(conn, serial, usize::from(way), record.n) {
                    self.accept(&record);
                }
            }
            What::CutOff { conn, serial, way, since } => {
                self.kernel.cut_off(conn, serial, usize::from(way), since);
            }
            What::OpenEnd { conn, serial } => self.kernel.open_end(conn, serial),
            What::KeepAlive { conn, serial, end } => {
                self.kernel.unanswered(conn, serial, usize::from(end));
            }
            What::SyncEnd { sync, ticket, boot } => {
                if self.kernel.hosts.get(dst).is_in_life(boot) {
                    let result = self.kernel.sync_end(dst, ticket);
                    let what = What::Synced { sync, result };
                    self.accept(&Record { what, ..*record });
                }
            }
            What::Closed { boot, .. }
            | What::Started { boot, .. }
            | What::NotStarted { boot, .. }
            | What::Exited { boot, .. } => {
                if self.kernel.hosts.get(dst).is_in_life(boot) {
                    self.accept(record);
                }
            }
            What::Start => self.start(dst, record.n),
            What::Stop { node, boot } => self.stop(dst, boot, node),
            other => panic!("{other:?} is never queued"),
        }
    }

    /// Hands an input to its node, or puts it behind what already waits.
    #[inline]
    fn accept(&mut self, record: &Record) {
        let now = self.kernel.now();
        if self.kernel.hosts.get(record.dst).is_ready(now) {
            self.deliver(record);
        } else {
            self.kernel.park(*record);
        }
    }

    /// Lets the node handle an input that may run now.
    #[inline]
    fn deliver(&mut self, record: &Record) {
        let node = record.dst;
        match record.what {
            What::Timer { key } => {
                let now = self.kernel.now();
                let timers = &mut self.kernel.hosts.get_mut(node).timers;
                match timers.pop(now, key, record.n) {
                    Popped::Due => self.kernel.counters.timers_fired += 1,
                    Popped::Stale => return,
                    Popped::Later(alarm) => return self.kernel.set_alarm(node, alarm),
                }
            }
            What::Invoke => return self.invoke(record),
            _ => {}
        }
        self.begin(node);
        let Kernel { queue, frames, hosts, trace, .. } = &mut self.kernel;
        let (at, src) = (queue.now(), record.src);
        let event = |kind, len_bytes, hash| Event { at, node, src, kind, len_bytes, hash };
        match record.what {
            What::Datagram { frame, .. } => {
                let bytes = frames.get(frame);
                let event = event(EventKind::Datagram, bytes.len() as u32, hash_bytes(bytes));
                let input = Input::Datagram { from: src, bytes };
                hosts.handle(event, trace, input, &mut self.outbox);
                frames.release(frame);
            }
            What::Timer { key } => {
                let event = event(EventKind::Timer, 0, key.0);
                hosts.handle(event, trace, Input::Timer(key), &mut self.outbox);
            }
            What::Data { conn, frame } => {
                let bytes = frames.get(frame);
                let hash = mix(hosts.conn_hash(conn), hash_bytes(bytes));
                let event = event(EventKind::Data, bytes.len() as u32, hash);
                hosts.handle(event, trace, Input::Data { conn, bytes }, &mut self.outbox);
                frames.release(frame);
            }
            _ => {
                let (kind, hash, input) = hosts.show(record);
                hosts.handle(event(kind, 0, hash), trace, input, &mut self.outbox);
            }
        }
        self.finish(node);
    }

    /// Asks the load what a woken client does, and lets the client do it.
    fn invoke(&mut self, record: &Record) {
        let (at, node) = (self.kernel.now(), record.dst);
        let host = self.kernel.hosts.get_mut(node);
        let client = host.client.as_mut().expect("only clients are woken");
        if client.wake_n != record.n || client.wake_at.is_none() {
            return;
        }
        client.wake_at = None;
        let wake = self.workload.wake(at, node);
        if let Some((op, call)) = wake.invoke {
            self.kernel.counters.invoked += 1;
            assert!(self.kernel.hosts.get(node).alive, "a client that is down asks for nothing");
            let host = self.kernel.hosts.get_mut(node);
            host.invoked += 1;
            // Neither the operation's id nor a value's: they are numbered over all clients.
            let hash = mix(hash_bytes(call.name().as_bytes()), call.key().unwrap_or(u64::MAX));
            let hash = mix(hash, host.invoked);
            self.begin(node);
            let (kind, len_bytes) = (EventKind::Invoke, 0);
            let event = Event { at, node, src: node, kind, len_bytes, hash };
            let Kernel { hosts, trace, .. } = &mut self.kernel;
            let input = Input::Invoke { op, call: &call };
            hosts.handle(event, trace, input, &mut self.outbox);
            self.finish(node);
        }
        if let Some(next) = wake.next {
            self.kernel.wake_client(node, next);
        }
    }

    #[inline]
    pub(crate) fn begin(&mut self, node: NodeId) {
        assert!(self.current.is_none(), "one input at a time");
        self.kernel.events += 1;
        self.current = Some((self.kernel.now(), node));
        self.observer.before_input();
    }

    /// What follows every input: time and disk faults are charged, effects carried out, limits
    /// and observers consulted.
    #[inline]
    pub(crate) fn finish(&mut self, node: NodeId) {
        let handled = self.current.map(|(_, node)| node);
        assert_eq!(handled, Some(node), "an input ends once, at the node where it began");
        self.observer.after_input();
        let host = self.kernel.hosts.get_mut(node);
        let charge_ns = host.disk.take_charge();
        let faults = host.disk.take_faults();
        if host.law.drifts {
            host.hit(HostHit::Drift);
        }
        if faults != 0 {
            self.kernel.note(node, node, EventKind::Disk, 0, faults);
        }
        if charge_ns > 0 {
            self.kernel.spend(node, Duration(charge_ns));
        }
        if !self.outbox.effects.is_empty() {
            self.drain(node);
        }
        if self.kernel.has_residents() {
            self.kernel.share_room(node);
        }
        self.check_memory(node);
        self.observe(node);
        assert!(self.outbox.is_empty(), "nothing of it is left for the next input");
        self.current = None;
    }

    #[inline]
    pub(crate) fn observe(&mut self, node: NodeId) {
        let at = self.kernel.now();
        let control = self.observer.after_event(at, node, &self.kernel.hosts);
        self.pause_asked |= control == Control::Pause;
    }

    fn check_memory(&mut self, node: NodeId) {
        let host = self.kernel.hosts.get_mut(node);
        let Some(limit_bytes) = host.law.memory_max else {
            return;
        };
        let used_bytes = host.node.as_ref().map_or(0, |node| node.memory_bytes());
        if used_bytes <= limit_bytes {
            return;
        }
        if host.law.memory_bent {
            host.hit(HostHit::Memory);
            host.starved = true;
        }
        self.kernel.counters.out_of_memory_kills += 1;
        self.kernel.incident(node, IncidentKind::OutOfMemory { used_bytes, limit_bytes });
        // What the input did has left the node, so it is looked at before the node is gone.
        self.observe(node);
        self.crash(node, Sockets::Closed);
    }
}

impl Hosts {
    /// Lets a node handle an input, and writes down that it did.
    #[inline]
    pub(crate) fn handle(
        &mut self,
        event: Event,
        trace: &mut Trace,
        input: Input<'_>,
        outbox: &mut Outbox,
    ) {
        self.note(&event);
        let host = self.get_mut(event.node);
        let now = host.clock.read(event.at);
        let (opened, disk, rng) = (&mut host.conns_opened, &mut host.disk, &mut host.rng);
        let node = host.node.as_mut().expect("inputs reach nodes that are up");
        trace.push(event);
        node.on_input(now, input, &mut Fx::new(outbox, event.node, opened, disk, rng));
    }

    /// An input without bytes as its node sees it, and what of it goes into the digest: its kind
    /// and a hash that is free of ids that shift when a group of nodes is added.
    fn show(&self, record: &Record) -> (EventKind, u64, Input<'static>) {
        let name = |node: NodeId| self.names[node.index()];
        match record.what {
            What::Opened { conn } => {
                let peer = record.src;
                (EventKind::Opened, self.conn_hash(conn), Input::Opened { conn, peer })
            }
            What::Closed { conn, reason, .. } => {
                let hash = mix(self.conn_hash(conn), reason as u64);
                (EventKind::Closed, hash, Input::Closed { conn, reason })
            }
            What::Synced { sync, result } => {
                let word = result.map_or_else(|error| error as u64 + 1, |()| 0);
                (EventKind::Synced, mix(sync.0, word), Input::Synced { sync, result })
            }
            What::Started { ticket, node, .. } => {
                let hash = mix(ticket, name(node));
                (EventKind::Started, hash, Input::Started { ticket, node })
            }
            What::NotStarted { ticket, reason, .. } => {
                let hash = mix(ticket, reason as u64);
                (EventKind::NotStarted, hash, Input::NotStarted { ticket, reason })
            }
            What::Exited { node, .. } => (EventKind::Exited, name(node), Input::Exited { node }),
            other => panic!("{other:?} is not an input"),
        }
    }

    fn conn_hash(&self, conn: ConnId) -> u64 {
        mix(self.names[conn.opener.index()], u64::from(conn.number))
    }
}
