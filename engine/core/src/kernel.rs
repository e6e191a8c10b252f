//! Everything of a run but its observer and its load: what the parts of the engine work on.

use crate::api::{Incident, IncidentKind};
use crate::conditions::Conditions;
use crate::config::{Config, Ties};
use crate::counters::Counters;
use crate::frames::{FrameId, Frames};
use crate::host::{HostHit, Hosts};
use crate::machines::Machines;
use crate::net::conn::Conns;
use crate::net::{Net, Routed, Verdict};
use crate::queue::{NODES_MAX, Queue};
use crate::record::{Class, Record, What};
use crate::timers::Alarm;
use crate::trace::{Event, EventKind, Trace};
use alloc::vec::Vec;
use contract::{Domain, Duration, NodeId, Rng, SimTime};

/// The state of a run.
pub(crate) struct Kernel {
    pub seed: u64,
    pub queue: Queue,
    pub frames: Frames,
    pub net: Net,
    pub conns: Conns,
    pub hosts: Hosts,
    pub conditions: Conditions,
    pub machines: Machines,
    pub counters: Counters,
    pub trace: Trace,
    pub incidents: Vec<Incident>,
    pub events: u64,
    /// Nothing happens but what is chosen.
    pub is_frozen: bool,
}

impl Kernel {
    pub fn new(config: &Config) -> Self {
        assert!(config.nodes.len() < NODES_MAX, "a world has a limit");
        let hosts = Hosts::new(config.seed, &config.nodes);
        let mut queue = Queue::new();
        if config.ties == Ties::Explore {
            let salt = Rng::new(config.seed, Domain::Ties, "ties").next_u64();
            queue.explore(salt, hosts.names.to_vec());
        }
        Self {
            seed: config.seed,
            queue,
            frames: Frames::default(),
            net: Net::new(config),
            conns: Conns::default(),
            hosts,
            conditions: Conditions::default(),
            machines: Machines::default(),
            counters: Counters::default(),
            trace: Trace::default(),
            incidents: Vec::new(),
            events: 0,
            is_frozen: false,
        }
    }

    /// A copy, if every node can be copied.
    pub fn fork(&self) -> Option<Self> {
        let counters = &self.counters;
        let sent = counters.datagrams_sent + counters.duplicated + counters.injected;
        assert!(counters.datagrams_delivered + counters.dropped() <= sent, "nothing arrives twice");
        assert!(counters.crashes <= counters.boots, "what crashes was up");
        assert!(counters.streams_refused <= counters.streams_opened, "what is refused was asked");
        Some(Self {
            seed: self.seed,
            queue: self.queue.clone(),
            frames: self.frames.clone(),
            net: self.net.clone(),
            conns: self.conns.clone(),
            hosts: self.hosts.fork()?,
            conditions: self.conditions.clone(),
            machines: self.machines.clone(),
            counters: self.counters.clone(),
            trace: self.trace.clone(),
            incidents: self.incidents.clone(),
            events: self.events,
            is_frozen: self.is_frozen,
        })
    }

    #[inline]
    pub fn now(&self) -> SimTime {
        self.queue.now()
    }

    /// Reads what the next events will need, where that is out of the processor's caches: all at
    /// once, because one wait for memory is enough.
    #[inline]
    pub fn look_ahead(&mut self) {
        if self.queue.take_refilled() {
            self.read_ahead();
        }
    }

    #[inline(never)]
    fn read_ahead(&self) {
        let (frames, links) = (&self.frames, &self.net.links);
        let many_links = links.are_many();
        if !many_links && !self.queue.is_long() {
            return;
        }
        let read = self.queue.ahead().fold(0_u64, |sum, record| match record.what {
            // Whoever gets a datagram most often answers it.
            What::Datagram { frame, .. } if many_links => {
                let answer = links.peek(record.dst, record.src);
                sum ^ u64::from(frames.peek(frame)) ^ links.peek(record.src, record.dst) ^ answer
            }
            What::Datagram { frame, .. } => sum ^ u64::from(frames.peek(frame)),
            _ => sum,
        });
        // Nobody needs it: having read it is the point.
        core::hint::black_box(read);
    }

    /// Sends a datagram: it is delivered, held, or counted as dropped.
    #[inline]
    pub fn send(&mut self, from: NodeId, to: NodeId, bytes: &[u8]) {
        let now = self.now();
        self.counters.datagrams_sent += 1;
        let routed = self.net.route(now, from, to, bytes.len() as u32, &mut self.counters);
        if let Verdict::Drop(reason) = routed.verdict {
            self.counters.count_drop(reason);
            return;
        }
        let receiver = self.hosts.get_mut(to);
        if !receiver.alive {
            receiver.hit(HostHit::Down);
            self.counters.dropped_node_down += 1;
            return;
        }
        let boot = receiver.boot;
        let frame = self.frames.put(bytes);
        if let Some(bit) = routed.flip {
            self.frames.flip(frame, bit);
        }
        // Two numbers a message: its copy comes after it where both are due at once.
        let n = routed.n * 2;
        self.launch(&routed, routed.due, || Record {
            n,
            src: from,
            dst: to,
            what: datagram(&routed, frame, boot),
        });
        if let Some(due) = routed.copy {
            let frame = self.frames.put_copy(frame);
            self.launch(&routed, due, || Record {
                n: n + 1,
                src: from,
                dst: to,
                what: datagram(&routed, frame, boot),
            });
        }
    }

    /// Puts a datagram on its way, or lets it wait until its link is released.
    #[inline(always)]
    fn launch(&mut self, routed: &Routed, due: SimTime, make: impl FnOnce() -> Record) {
        self.net.links.get_mut(routed.link).in_flight += 1;
        if routed.verdict == Verdict::Deliver {
            self.queue.schedule_made(due, Class::Data, routed.to, make);
        } else {
            self.net.links.bent(routed.link).held.push((due, make()));
        }
    }

    /// A datagram reaches its receiver; `false` when it was lost on the way.
    #[inline]
    pub fn arrive(&mut self, record: &Record) -> bool {
        let What::Datagram { frame, link, boot, cut } = record.what else {
            panic!("only datagrams arrive: {record:?}");
        };
        let link = self.net.links.get_mut(link);
        if link.cut != cut {
            self.counters.dropped_blocked += 1;
            self.frames.release(frame);
            return false;
        }
        link.in_flight -= 1;
        let receiver = self.hosts.get_mut(record.dst);
        if !receiver.is_in_life(boot) {
            receiver.hit(HostHit::Down);
            self.counters.dropped_node_down += 1;
            self.frames.release(frame);
            return false;
        }
        self.counters.datagrams_delivered += 1;
        true
    }

    /// Puts a record behind what already waits for its node.
    pub fn park(&mut self, record: Record) {
        let now = self.now();
        let host = self.hosts.get_mut(record.dst);
        assert!(host.alive, "nothing waits for a node that is down");
        assert!(!host.is_ready(now), "what can be handled now does not wait");
        host.inbox.push_back(record);
        if host.law.paused {
            host.hit(HostHit::Pause);
        }
        self.counters.inputs_parked += 1;
        self.queue_wake(record.dst, now);
    }

    /// Takes what waited longest for `node`, if the node can handle it now.
    pub fn unpark(&mut self, node: NodeId) -> Option<Record> {
        let now = self.now();
        let host = self.hosts.get_mut(node);
        assert!(host.alive || host.inbox.is_empty(), "nothing waits for a node that is down");
        if host.may_run(now) {
            return host.inbox.pop_front();
        }
        self.queue_wake(node, now);
        None
    }

    /// Sees to it that the inbox is looked after once the node is free, unless it is paused.
    pub fn queue_wake(&mut self, node: NodeId, now: SimTime) {
        let host = self.hosts.get_mut(node);
        if host.wake_queued || host.law.paused || host.inbox.is_empty() {
            return;
        }
        host.wake_queued = true;
        assert!(host.alive, "nothing waits for a node that is down");
        let at = host.busy_until.max(now);
        let record = Record { n: host.number(), src: node, dst: node, what: What::Wake };
        self.queue.schedule(at, Class::Wake, record);
    }

    /// The node is busy for `cost` more.
    pub fn spend(&mut self, node: NodeId, cost: Duration) {
        if self.is_frozen {
            return;
        }
        let now = self.now();
        let host = self.hosts.get_mut(node);
        host.busy_until = host.busy_until.max(now) + cost;
    }

    #[inline]
    pub fn set_alarm(&mut self, node: NodeId, alarm: Alarm) {
        self.queue.schedule_made(alarm.at, Class::Timer, node, || Record {
            n: alarm.n,
            src: node,
            dst: node,
            what: What::Timer { key: alarm.key },
        });
    }

    /// Wakes a client at `at`, unless it is woken earlier anyway.
    pub fn wake_client(&mut self, node: NodeId, at: SimTime) {
        let at = at.max(self.now());
        let host = self.hosts.get_mut(node);
        let client = host.client.get_or_insert_default();
        if client.wake_at.is_some_and(|earlier| earlier <= at) {
            return;
        }
        client.wake_n += 1;
        client.wake_at = Some(at);
        let record = Record { n: client.wake_n, src: node, dst: node, what: What::Invoke };
        self.queue.schedule(at, Class::Invoke, record);
    }

    /// Writes an event into the digest and the trace.
    pub fn note(&mut self, node: NodeId, src: NodeId, kind: EventKind, len_bytes: u32, hash: u64) {
        let at = self.now();
        let event = Event { at, node, src, kind, len_bytes, hash };
        self.hosts.note(&event);
        self.trace.push(event);
    }

    pub fn incident(&mut self, node: NodeId, kind: IncidentKind) {
        let at = self.now();
        self.incidents.push(Incident { at, node, kind });
    }
}

#[inline(always)]
fn datagram(routed: &Routed, frame: FrameId, boot: u32) -> What {
    What::Datagram { frame, link: routed.link, boot, cut: routed.cut }
}
