//! One machine: what is due at its node, in the canonical order, and the node's lives.
//!
//! Start with [`Adapter::run`]. What the node asks for is carried out in `effects`, connections
//! live in `conns`. This is the loop of [`crate::Engine`] seen from one node, written a second
//! time: what the two share is the parts (host, disk, clocks, timers, link streams), so that a
//! slip in either loop shows as a difference.

use super::HostRun;
use super::conns::End;
use super::envelope::{Body, Envelope, Letter};
use super::loose::{Loose, Notice};
use super::schedule::{Inbound, Item, Key, Schedule, Waiting};
use super::script::{Action, Gates, Timed, gates};
use crate::api::{Boot, Workload};
use crate::counters::Counters;
use crate::host::{Host, folded};
use crate::net::Net;
use crate::queue::ROUNDS_MAX;
use crate::record::Class;
use crate::timers::{Alarm, Popped};
use crate::trace::{Event, EventKind};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use contract::hash::{hash_bytes, mix};
use contract::{
    Condition, ConditionId, ConnId, Effect, Fx, Input, NodeId, Outbox, SimTime, Sockets,
};

/// One machine of a run.
pub struct Adapter {
    pub(super) me: NodeId,
    seed: u64,
    names: Rc<[u64]>,
    pub(super) host: Host,
    pub(super) net: Net,
    pub(super) counters: Counters,
    pub(super) schedule: Schedule,
    boot: Rc<dyn Boot>,
    pub(super) workload: Box<dyn Workload>,
    pub(super) outbox: Outbox,
    script: Rc<[Timed]>,
    /// Of the links that leave this machine, by receiver.
    pub(super) gates: BTreeMap<NodeId, Gates>,
    /// Steps of the script that were played.
    pub(super) pos: u32,
    /// The step at which the present life of the node began.
    life_pos: u32,
    pub(super) active: BTreeMap<ConditionId, Condition>,
    pub(super) conns: BTreeMap<ConnId, End>,
    /// Ends that are gone, of connections that a peer may still believe in.
    pub(super) gone: BTreeMap<ConnId, End>,
    inbox: VecDeque<Waiting>,
    wake_queued: bool,
    pub(super) envelopes: Vec<Envelope>,
    pub(super) problems: Vec<String>,
    pub(super) until: SimTime,
    events: u64,
    late: u64,
    /// Envelopes that were given to the simulator, and that came from it.
    pub(super) sent: u64,
    pub(super) arrived: u64,
    trace: Option<Vec<Event>>,
    /// In loose mode: what goes to the simulator's own network.
    pub(super) loose: Option<Loose>,
}

impl Adapter {
    /// The machine of node `me`, not booted yet. `workload` is a copy for this node alone.
    #[must_use]
    pub fn new(
        run: &HostRun<'_>,
        me: NodeId,
        boot: Rc<dyn Boot>,
        workload: Box<dyn Workload>,
    ) -> Self {
        let config = run.config;
        assert!(me.index() < config.nodes.len(), "the machine hosts a node of the world");
        let hashes = config.nodes.iter().map(|node| hash_bytes(node.name.as_bytes()));
        let script: Rc<[Timed]> = run.script.into();
        let mut schedule = Schedule::new();
        for (index, step) in script.iter().enumerate() {
            let moment = (step.at, step.round);
            let fits = schedule.put_at(
                moment,
                Class::FaultEnd,
                NodeId(0),
                index as u64,
                Item::Step { index },
            );
            assert!(fits, "nothing has happened yet");
        }
        Self {
            me,
            seed: config.seed,
            names: hashes.collect(),
            host: Host::new(config.seed, &config.nodes[me.index()]),
            net: Net::new(config),
            counters: Counters::default(),
            schedule,
            boot,
            workload,
            outbox: Outbox::default(),
            gates: gates(&script, me, config.nodes.len()),
            script,
            pos: 0,
            life_pos: 0,
            active: BTreeMap::new(),
            conns: BTreeMap::new(),
            gone: BTreeMap::new(),
            inbox: VecDeque::new(),
            wake_queued: false,
            envelopes: Vec::new(),
            problems: Vec::new(),
            until: run.until,
            events: 0,
            late: 0,
            sent: 0,
            arrived: 0,
            trace: run.traced.then(Vec::new),
            loose: None,
        }
    }

    /// Boots the node, at time 0.
    pub fn start(&mut self) {
        assert_eq!(self.schedule.now, SimTime::ZERO, "a machine starts once");
        self.boot_node();
        // An engine is made booted: its trace begins after that.
        self.trace.iter_mut().for_each(Vec::clear);
    }

    /// An envelope came. One that was due before what has happened already is counted as late.
    pub fn arrive(&mut self, bytes: &[u8]) {
        self.arrived += 1;
        assert!(self.loose.is_none(), "envelopes are carried in exact mode alone");
        let Some(letter) = Letter::decode(bytes) else {
            return self.problem("received bytes that are no envelope");
        };
        self.receive(letter);
    }

    /// Does everything that is due by `now`, and before the end of the run.
    pub fn run(&mut self, now: SimTime) {
        let until = SimTime(now.0.saturating_add(1)).min(self.until);
        while self.advance(until) {}
        assert!(self.next_at().is_none_or(|at| at >= until), "what is due was done");
    }

    /// Does the next thing that is due before `until`; `false` when nothing is.
    pub(super) fn advance(&mut self, until: SimTime) -> bool {
        let Some((key, item)) = self.schedule.take(until) else {
            return false;
        };
        if self.schedule.round > ROUNDS_MAX {
            self.schedule.clear();
            self.problem("does not let time advance");
            return false;
        }
        self.step(&key, item);
        true
    }

    /// What is to be carried to other machines; each envelope once, in the order of sending.
    pub fn take_envelopes(&mut self) -> Vec<Envelope> {
        let envelopes = core::mem::take(&mut self.envelopes);
        assert!(envelopes.iter().all(|one| one.to != self.me), "nobody sends to itself");
        self.sent += envelopes.len() as u64;
        envelopes
    }

    /// When something is due next; `None` when nothing is before the end of the run.
    #[must_use]
    pub fn next_at(&self) -> Option<SimTime> {
        self.schedule.next_at().filter(|at| *at < self.until)
    }

    /// What the node saw so far.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.host.digest
    }

    /// Inputs handled, boots and crashes.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Envelopes that came too late.
    #[must_use]
    pub fn late(&self) -> u64 {
        assert!(self.late <= self.arrived, "what is late has come");
        self.late
    }

    /// This node's copy of the load.
    #[must_use]
    pub fn workload(&self) -> &dyn Workload {
        &*self.workload
    }

    pub(super) fn names(&self) -> &[u64] {
        &self.names
    }

    pub(super) fn take_problems(&mut self) -> Vec<String> {
        core::mem::take(&mut self.problems)
    }

    pub(super) fn take_trace(&mut self) -> Vec<Event> {
        self.trace.take().unwrap_or_default()
    }

    pub(super) fn problem(&mut self, what: &str) {
        let line = format!("{} {what}", self.host.spec.name);
        if !self.problems.contains(&line) {
            self.problems.push(line);
        }
    }

    pub(super) fn receive(&mut self, letter: Letter) {
        let in_time = self.schedule.put_letter(letter);
        self.late += u64::from(!in_time);
    }

    fn step(&mut self, key: &Key, item: Item) {
        match item {
            Item::Step { index } => self.play(index),
            Item::Wake => {
                self.wake_queued = false;
                while self.may_run() {
                    let Some(waiting) = self.inbox.pop_front() else {
                        return;
                    };
                    self.deliver(waiting);
                }
                self.queue_wake();
            }
            Item::Arrival { pos, body } => {
                if let Some(what) = self.opened_up(key, pos, body) {
                    self.accept(Waiting { src: key.3, n: key.4, what });
                }
            }
            Item::Break { conn, keep_alive } => {
                if !keep_alive || self.is_idle(conn) {
                    self.broken(conn);
                }
            }
            Item::OpenEnd { conn } => self.open_end(conn),
            Item::SyncEnd { sync, ticket, boot } => {
                if self.host.is_in_life(boot) {
                    let result = self.host.disk.sync_end(ticket);
                    let what = Inbound::Synced(sync, result);
                    self.accept(Waiting { src: key.3, n: key.4, what });
                }
            }
            Item::Input { boot, waiting } => {
                if boot.is_some_and(|boot| !self.host.is_in_life(boot)) {
                } else if self.host.alive {
                    self.accept(waiting);
                } else {
                    self.miss(&waiting);
                }
            }
        }
    }

    /// What an arrival is to the node, if anything.
    fn opened_up(&mut self, key: &Key, pos: u32, body: Body) -> Option<Inbound> {
        assert!(self.life_pos <= self.pos, "a life begins at a step that was played");
        match body {
            Body::Datagram(bytes) => {
                // Lost if the node was down when it was sent, or has rebooted since.
                let is_heard = self.host.alive && self.life_pos <= pos;
                is_heard.then_some(Inbound::Datagram(bytes))
            }
            Body::Break(..) | Body::Gone(_) => panic!("a break is an item of its own"),
            body => self.on_segment(key, body),
        }
    }

    /// Hands an input to the node, or puts it behind what already waits.
    fn accept(&mut self, waiting: Waiting) {
        if self.inbox.is_empty() && self.may_run() {
            return self.deliver(waiting);
        }
        assert!(self.host.alive, "nothing waits for a node that is down");
        self.inbox.push_back(waiting);
        self.queue_wake();
    }

    fn may_run(&self) -> bool {
        self.host.may_run(self.schedule.now)
    }

    pub(super) fn queue_wake(&mut self) {
        if self.wake_queued || self.host.law.paused || self.inbox.is_empty() {
            return;
        }
        self.wake_queued = true;
        let at = self.host.busy_until.max(self.schedule.now);
        let n = self.host.number();
        self.schedule.put(at, Class::Wake, self.me, n, Item::Wake);
    }

    fn deliver(&mut self, waiting: Waiting) {
        let now = self.schedule.now;
        match waiting.what {
            Inbound::Timer(key) => match self.host.timers.pop(now, key, waiting.n) {
                Popped::Due => {}
                Popped::Stale => return,
                Popped::Later(alarm) => return self.set_alarm(alarm),
            },
            Inbound::Invoke => return self.invoke(waiting.n),
            _ => {}
        }
        let (kind, len_bytes, hash) = self.describe(&waiting.what);
        assert!(self.may_run(), "a node that is busy or paused handles nothing");
        self.events += 1;
        self.note(waiting.src, kind, len_bytes, hash);
        let input = input_of(waiting.src, &waiting.what);
        self.input(input);
        self.finish();
    }

    fn input(&mut self, input: Input<'_>) {
        let host = &mut self.host;
        let now = host.clock.read(self.schedule.now);
        let node = host.node.as_mut().expect("inputs reach nodes that are up");
        let mut fx = Fx::new(
            &mut self.outbox,
            self.me,
            &mut host.conns_opened,
            &mut host.disk,
            &mut host.rng,
        );
        node.on_input(now, input, &mut fx);
    }

    /// Asks the load what a woken client does, and lets the client do it.
    fn invoke(&mut self, n: u64) {
        let at = self.schedule.now;
        let client = self.host.client.as_mut().expect("only clients are woken");
        if client.wake_n != n || client.wake_at.is_none() {
            return;
        }
        client.wake_at = None;
        let wake = self.workload.wake(at, self.me);
        if let Some((op, call)) = wake.invoke {
            self.host.invoked += 1;
            let key = call.key().unwrap_or(u64::MAX);
            let hash = mix(hash_bytes(call.name().as_bytes()), key);
            let hash = mix(hash, self.host.invoked);
            self.events += 1;
            self.note(self.me, EventKind::Invoke, 0, hash);
            self.input(Input::Invoke { op, call: &call });
            self.finish();
        }
        if let Some(next) = wake.next {
            self.wake_client(next);
        }
    }

    /// A wake-up that came while the node was down.
    fn miss(&mut self, waiting: &Waiting) {
        assert!(!self.host.alive, "only a node that is down misses something");
        if let (Inbound::Invoke, Some(client)) = (&waiting.what, &mut self.host.client)
            && client.wake_n == waiting.n
        {
            client.wake_at = None;
        }
    }

    pub(super) fn wake_client(&mut self, at: SimTime) {
        let at = at.max(self.schedule.now);
        let client = self.host.client.get_or_insert_default();
        if client.wake_at.is_some_and(|earlier| earlier <= at) {
            return;
        }
        client.wake_n += 1;
        client.wake_at = Some(at);
        let n = client.wake_n;
        assert!(n > 0, "the first wake-up is number 1");
        self.put_input(at, Class::Invoke, n, Inbound::Invoke);
    }

    pub(super) fn set_alarm(&mut self, alarm: Alarm) {
        assert!(alarm.at >= self.schedule.now, "no timer is due in the past");
        self.put_input(alarm.at, Class::Timer, alarm.n, Inbound::Timer(alarm.key));
    }

    fn put_input(&mut self, at: SimTime, class: Class, n: u64, what: Inbound) {
        let waiting = Waiting { src: self.me, n, what };
        let item = Item::Input { boot: None, waiting };
        self.schedule.put(at, class, self.me, n, item);
    }

    /// Writes an event into the digest and the trace.
    pub(super) fn note(&mut self, src: NodeId, kind: EventKind, len_bytes: u32, hash: u64) {
        let event = Event { at: self.schedule.now, node: self.me, src, kind, len_bytes, hash };
        self.host.digest = folded(self.host.digest, self.names[src.index()], &event);
        if let Some(trace) = &mut self.trace {
            trace.push(event);
        }
    }

    fn describe(&self, what: &Inbound) -> (EventKind, u32, u64) {
        let of = |conn: ConnId| mix(self.names[conn.opener.index()], u64::from(conn.number));
        match what {
            Inbound::Datagram(bytes) => {
                (EventKind::Datagram, bytes.len() as u32, hash_bytes(bytes))
            }
            Inbound::Opened(conn) => (EventKind::Opened, 0, of(*conn)),
            Inbound::Data(conn, bytes) => {
                let hash = mix(of(*conn), hash_bytes(bytes));
                (EventKind::Data, bytes.len() as u32, hash)
            }
            Inbound::Closed(conn, reason) => (EventKind::Closed, 0, mix(of(*conn), *reason as u64)),
            Inbound::Synced(sync, result) => {
                let result = result.map_or_else(|error| error as u64 + 1, |()| 0);
                (EventKind::Synced, 0, mix(sync.0, result))
            }
            Inbound::Timer(key) => (EventKind::Timer, 0, key.0),
            Inbound::Invoke => panic!("the load is asked before an operation is described"),
        }
    }
}

fn input_of(src: NodeId, what: &Inbound) -> Input<'_> {
    match what {
        Inbound::Datagram(bytes) => Input::Datagram { from: src, bytes },
        Inbound::Opened(conn) => Input::Opened { conn: *conn, peer: src },
        Inbound::Data(conn, bytes) => Input::Data { conn: *conn, bytes },
        Inbound::Closed(conn, reason) => Input::Closed { conn: *conn, reason: *reason },
        Inbound::Synced(sync, result) => Input::Synced { sync: *sync, result: *result },
        Inbound::Timer(key) => Input::Timer(*key),
        Inbound::Invoke => panic!("the load is asked before an operation is an input"),
    }
}

/// The node's lives.
impl Adapter {
    fn play(&mut self, index: usize) {
        self.pos = index as u32 + 1;
        assert!(self.pos as usize <= self.script.len(), "a step of the script");
        let script = Rc::clone(&self.script);
        match &script[index].action {
            Action::Impose(id, condition) => self.impose(*id, condition),
            Action::Lift(id) => self.lift(*id),
            Action::Strike(shock) => self.strike(shock),
        }
    }

    pub(super) fn boot_node(&mut self) {
        let at = self.schedule.now;
        self.events += 1;
        self.host.revive(at, self.seed);
        self.life_pos = self.pos;
        assert!(self.conns.is_empty(), "a life begins without connections");
        assert!(self.inbox.is_empty(), "a life begins without anything to look at");
        let boot = self.host.boot;
        self.note(self.me, EventKind::Boot, 0, u64::from(boot));
        let host = &mut self.host;
        let now = host.clock.read(at);
        let mut fx = Fx::new(
            &mut self.outbox,
            self.me,
            &mut host.conns_opened,
            &mut host.disk,
            &mut host.rng,
        );
        match self.boot.boot(self.me, boot, now, &mut fx) {
            Ok(node) => {
                self.host.node = Some(node);
                self.start_client();
            }
            Err(_) => {
                self.outbox.effects.retain(|effect| matches!(effect, Effect::Mark(_)));
                self.host.alive = false;
            }
        }
        self.finish();
    }

    fn start_client(&mut self) {
        if self.host.client.is_some() {
            self.wake_client(self.schedule.now);
        } else if let Some(first) = self.workload.start(self.me) {
            self.wake_client(first);
        }
    }

    pub(super) fn crash(&mut self, sockets: Sockets) {
        let at = self.schedule.now;
        assert!(self.host.alive, "only a node that is up can crash");
        self.events += 1;
        self.note(self.me, EventKind::Crash, 0, 0);
        match sockets {
            Sockets::Closed => self.sever(),
            Sockets::Silent => self.silence(),
        }
        for waiting in self.inbox.drain(..) {
            if let (Inbound::Invoke, Some(client)) = (&waiting.what, &mut self.host.client) {
                client.wake_at = None;
            }
        }
        self.host.node = None;
        self.host.alive = false;
        self.host.timers.clear();
        assert!(self.conns.is_empty(), "its connections broke");
        self.host.disk.abandon_syncs();
        self.host.busy_until = at;
        if self.host.client.is_some() {
            self.workload.lost(at, self.me);
        }
        self.notice(|| Notice::Event);
    }
}
