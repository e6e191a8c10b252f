//! A group of nodes, their disks, clocks and frames.

use super::super::invariants;
use super::super::storage::{SYNCS, Storage};
use super::super::{Config, Entry, Fsync, LogId, Payload, Raft, Ready};
use super::disk::{Cover, MemDisk};
use super::render;
use super::weather::Weather;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use catalog::{Invariant, Violation, Watched};
use contract::{
    DiskError, DiskFate, Domain, DurableFiles, Duration, Effect, Fx, Input, Instant, Mark, Node,
    NodeId, Nodes, Now, Outbox, Rng, SimTime, SyncId, TimerKey, WallTime,
};

/// A node that is nothing but Raft.
#[derive(Clone, Debug)]
pub struct Member {
    pub raft: Raft,
}

impl Node for Member {
    fn on_input(&mut self, _now: Now, _input: Input<'_>, _fx: &mut Fx<'_>) {
        unreachable!("the cluster calls Raft itself")
    }

    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }
}

/// Finds the Raft inside a [`Member`].
pub fn raft_of<'a>(nodes: &'a (dyn Nodes + 'a), id: NodeId) -> Option<&'a Raft> {
    nodes.get::<Member>(id).map(|member| &member.raft)
}

/// A frame on its way.
#[derive(Clone, Debug)]
pub struct Packet {
    pub from: usize,
    pub to: usize,
    pub due: u64,
    pub bytes: Vec<u8>,
}

/// A sync on its way.
#[derive(Clone, Debug)]
pub struct PendingSync {
    pub node: usize,
    pub due: u64,
    pub sync: SyncId,
    pub result: Result<(), DiskError>,
    cover: Cover,
}

/// Everything of one node but its state.
#[derive(Clone, Debug)]
pub struct Place {
    pub config: Config,
    pub disk: MemDisk,
    /// Parts per million by which its clock runs fast.
    pub drift_ppm: i64,
    pub timers: BTreeMap<u64, u64>,
    pub ready: Vec<Ready>,
    /// The owner's state: the commands that it has applied, the latest first, so that parts of two
    /// states do not make a third.
    pub state: Vec<u8>,
    rng: Rng,
    boot: u32,
    conns: u32,
}

/// The world: time, nodes, frames, syncs, invariants.
pub struct Cluster {
    /// Nanoseconds since the start.
    pub now: u64,
    pub up: Up,
    pub places: Vec<Place>,
    pub packets: Vec<Packet>,
    pub syncs: Vec<PendingSync>,
    pub weather: Option<Weather>,
    pub violations: Vec<Violation>,
    pub marks: Vec<(usize, Mark)>,
    /// What happened, in words, when somebody reads it.
    pub lines: Option<String>,
    invariants: Vec<Box<dyn Invariant>>,
    /// The first state that any owner had at an index.
    states: BTreeMap<u64, u64>,
    outbox: Outbox,
    seed: u64,
}

/// The nodes that are up.
pub struct Up {
    pub members: Vec<Option<Member>>,
    boots: Vec<u32>,
}

impl Nodes for Up {
    fn count(&self) -> usize {
        self.members.len()
    }

    fn node(&self, id: NodeId) -> Option<&dyn Node> {
        let member = self.members[id.index()].as_ref()?;
        Some(member)
    }

    fn boot(&self, id: NodeId) -> u32 {
        self.boots[id.index()]
    }
}

/// Everything that an invariant may see.
struct View<'a> {
    up: &'a Up,
    places: &'a [Place],
}

impl Nodes for View<'_> {
    fn count(&self) -> usize {
        self.up.count()
    }

    fn node(&self, id: NodeId) -> Option<&dyn Node> {
        self.up.node(id)
    }

    fn boot(&self, id: NodeId) -> u32 {
        self.up.boot(id)
    }

    fn durable(&self, id: NodeId) -> Option<&dyn DurableFiles> {
        Some(&self.places[id.index()].disk)
    }
}

impl Cluster {
    /// Boots one node per configuration.
    pub fn new(seed: u64, configs: Vec<Config>, weather: Option<Weather>) -> Self {
        let ids: Vec<NodeId> = (0..configs.len() as u32).map(NodeId).collect();
        let place = |config: Config| Place {
            config,
            disk: MemDisk::default(),
            drift_ppm: 0,
            timers: BTreeMap::new(),
            ready: Vec::new(),
            state: Vec::new(),
            rng: Rng::new(seed, Domain::Node, "unset"),
            boot: 0,
            conns: 0,
        };
        let mut cluster = Self {
            now: 0,
            up: Up { members: vec![None; configs.len()], boots: vec![0; configs.len()] },
            places: configs.into_iter().map(place).collect(),
            packets: Vec::new(),
            syncs: Vec::new(),
            weather,
            violations: Vec::new(),
            marks: Vec::new(),
            lines: None,
            invariants: invariants::all(&Watched::of([("r", &ids[..])]), raft_of),
            states: BTreeMap::new(),
            outbox: Outbox::default(),
            seed,
        };
        for node in 0..cluster.places.len() {
            cluster.boot(node).expect("an empty disk is accepted");
        }
        cluster
    }

    pub fn len(&self) -> usize {
        self.places.len()
    }

    pub fn raft(&self, node: usize) -> Option<&Raft> {
        self.up.members[node].as_ref().map(|member| &member.raft)
    }

    /// The clocks of a node.
    pub fn clock(&self, node: usize) -> Now {
        let rate = 1_000_000 + self.places[node].drift_ppm;
        let mono = i128::from(self.now) * i128::from(rate) / 1_000_000;
        let mono = Instant(u64::try_from(mono).unwrap());
        let wall = WallTime(self.now);
        Now { mono, wall }
    }

    /// Boots a node from its disk.
    pub fn boot(&mut self, node: usize) -> Result<(), String> {
        assert!(self.up.members[node].is_none(), "the node is down");
        let now = self.clock(node);
        let place = &mut self.places[node];
        let name = format!("n/{node} boot {}", place.boot);
        place.rng = Rng::new(self.seed, Domain::Node, &name);
        self.up.boots[node] = place.boot;
        place.boot += 1;
        let mut outbox = core::mem::take(&mut self.outbox);
        let id = NodeId(node as u32);
        let Place { disk, rng, conns, .. } = place;
        let mut fx = Fx::new(&mut outbox, id, conns, disk, rng);
        let booted = Raft::boot(place.config.clone(), now, &mut fx);
        place.state.clear();
        let booted = booted.map(|mut raft| {
            let owned = (&mut place.state, &mut place.ready);
            let differs = own(owned, &mut self.states, &mut raft, now, &mut fx);
            self.up.members[node] = Some(Member { raft });
            differs
        });
        if booted.is_err() {
            outbox.clear();
        }
        self.take_effects(node, outbox);
        booted.map(|differs| self.judge_state(node, differs)).map_err(|refused| refused.0)
    }

    fn judge_state(&mut self, node: usize, differs: Option<u64>) {
        let Some(index) = differs else { return };
        let violation = Violation {
            property: "raft.state_machine_safety",
            rule: "two states at one index",
            at: SimTime(self.now),
            nodes: vec![NodeId(node as u32)],
            ops: Vec::new(),
            detail: format!("node {node} has another state than others at index {index}"),
        };
        if let Some(lines) = &mut self.lines {
            render::violation(lines, &violation);
        }
        self.violations.push(violation);
    }

    /// Gives a node that is up another past: `term`, and a log of commands with these terms.
    pub fn preset(&mut self, node: usize, term: u64, terms: &[u64], rng: &mut Rng) {
        self.crash(node, DiskFate::Wiped, rng);
        let mut storage = Storage::resume(0, (0, None));
        storage.put_header(LogId::default());
        storage.put_hard(term, None);
        for (&term, index) in terms.iter().zip(1..) {
            storage.put_entry(&Entry {
                term,
                index,
                time: 0,
                payload: Payload::Command(format!("t{term}").as_bytes().into()),
            });
        }
        let place = &mut self.places[node];
        let id = NodeId(node as u32);
        let mut outbox = Outbox::default();
        let mut fx = Fx::new(&mut outbox, id, &mut place.conns, &mut place.disk, &mut place.rng);
        storage.flush(Fsync::Always, &mut fx);
        place.disk.sync_all();
        self.boot(node).expect("a log that was just written is whole");
    }

    /// Takes a node down.
    pub fn crash(&mut self, node: usize, fate: DiskFate, rng: &mut Rng) {
        self.up.members[node] = None;
        self.places[node].disk.crash(fate, rng);
        self.places[node].timers.clear();
        self.places[node].ready.clear();
        self.syncs.retain(|sync| sync.node != node);
    }

    /// Hands a node one input, takes its effects, and judges the invariants.
    pub fn call<T>(
        &mut self,
        node: usize,
        input: impl FnOnce(&mut Raft, Now, &mut Fx<'_>) -> T,
    ) -> Option<T> {
        let now = self.clock(node);
        let member = self.up.members[node].as_mut()?;
        let place = &mut self.places[node];
        let mut outbox = core::mem::take(&mut self.outbox);
        let id = NodeId(node as u32);
        // The owner's state is out of the place while the disk is borrowed.
        let Place { disk, rng, conns, .. } = place;
        let mut fx = Fx::new(&mut outbox, id, conns, disk, rng);
        let answer = input(&mut member.raft, now, &mut fx);
        let owned = (&mut place.state, &mut place.ready);
        let differs = own(owned, &mut self.states, &mut member.raft, now, &mut fx);
        self.take_effects(node, outbox);
        self.judge_state(node, differs);
        Some(answer)
    }

    pub fn deliver(&mut self, packet: &Packet) {
        let from = packet.from as u32;
        self.call(packet.to, |raft, now, fx| {
            raft.on_datagram(now, from, &packet.bytes, fx);
        });
    }

    pub fn end_sync(&mut self, pending: PendingSync) {
        let disk = &mut self.places[pending.node].disk;
        disk.synced(&pending.cover, pending.result.is_ok());
        self.call(pending.node, |raft, now, fx| {
            raft.on_synced(now, pending.sync, pending.result, fx);
        });
    }

    pub fn fire(&mut self, node: usize, key: u64) {
        self.places[node].timers.remove(&key);
        self.call(node, |raft, now, fx| raft.on_timer(now, TimerKey(key), fx));
    }

    /// When a deadline of a node's own clock is, in the world's time.
    fn world_time(&self, node: usize, after: Duration) -> u64 {
        let rate = 1_000_000 + self.places[node].drift_ppm;
        let after = i128::from(after.0) * 1_000_000 / i128::from(rate) + i128::from(after.0 > 0);
        self.now + u64::try_from(after).unwrap()
    }

    fn take_effects(&mut self, node: usize, mut outbox: Outbox) {
        for effect in &outbox.effects {
            match *effect {
                Effect::Datagram { to, bytes } => {
                    self.send(node, to.index(), bytes.of(&outbox.bytes).to_vec());
                }
                Effect::SetTimer { key, after } => {
                    let due = self.world_time(node, after);
                    self.places[node].timers.insert(key.0, due);
                }
                Effect::CancelTimer { key } => {
                    self.places[node].timers.remove(&key.0);
                }
                Effect::Sync { sync, files } => {
                    let files = contract::node::sync_files(files.of(&outbox.bytes));
                    let cover = self.places[node].disk.cover(files);
                    self.start_sync(node, sync, cover);
                }
                Effect::Mark(mark) => {
                    if let Some(lines) = &mut self.lines {
                        render::mark(lines, node, mark);
                    }
                    self.marks.push((node, mark));
                }
                ref other => panic!("Raft asks for {other:?}"),
            }
        }
        outbox.clear();
        self.outbox = outbox;
        self.judge(node);
    }

    fn send(&mut self, from: usize, to: usize, bytes: Vec<u8>) {
        if let Some(lines) = &mut self.lines {
            render::packet(lines, from, to, &bytes);
        }
        let due = self.now;
        let packet = Packet { from, to, due, bytes };
        let Some(weather) = &mut self.weather else {
            self.packets.push(packet);
            return;
        };
        let is_corrupted = weather.is_corrupted();
        for delay in weather.fate(from, to).into_iter().flatten() {
            let mut packet = packet.clone();
            packet.due += delay.0;
            if is_corrupted {
                let at = packet.bytes.len() / 2;
                packet.bytes[at] ^= 1;
            }
            self.packets.push(packet);
        }
    }

    fn start_sync(&mut self, node: usize, sync: SyncId, cover: Cover) {
        assert!(SYNCS.contains(&sync.0), "Raft keeps to its sync ids");
        let mut due = self.now;
        let mut result = Ok(());
        if let Some(weather) = &mut self.weather {
            due += weather.sync_time().0;
            if weather.rng.chance(weather.sync_failure) {
                result = Err(DiskError::SyncFailed);
            }
        }
        self.syncs.push(PendingSync { node, due, sync, result, cover });
    }

    fn judge(&mut self, node: usize) {
        for invariant in &mut self.invariants {
            let touched = NodeId(node as u32);
            let nodes = View { up: &self.up, places: &self.places };
            if let Err(violation) = invariant.after_event(SimTime(self.now), touched, &nodes) {
                if let Some(lines) = &mut self.lines {
                    render::violation(lines, &violation);
                }
                self.violations.push(violation);
            }
        }
    }
}

/// Does what an owner does with what Raft tells it. Returns the first index at which its state is
/// another than that of the first owner that came there.
fn own(
    (state, ready): (&mut Vec<u8>, &mut Vec<Ready>),
    states: &mut BTreeMap<u64, u64>,
    raft: &mut Raft,
    now: Now,
    fx: &mut Fx<'_>,
) -> Option<u64> {
    let mut differs = None;
    loop {
        let mut new = Vec::new();
        raft.drain(&mut new);
        if new.is_empty() {
            return differs;
        }
        for item in &new {
            let index = match item {
                Ready::Apply(entry) => {
                    if let Payload::Command(command) = &entry.payload {
                        let applied = command.iter().copied().chain([b',']);
                        state.splice(0..0, applied).for_each(drop);
                    }
                    entry.index
                }
                Ready::Restore(snapshot) => {
                    *state = snapshot.state.to_vec();
                    snapshot.id.index
                }
                Ready::TakeSnapshot { index } => {
                    raft.snapshot_taken(now, *index, state.as_slice().into(), fx);
                    continue;
                }
                _ => continue,
            };
            let digest = contract::hash::hash_bytes(state);
            let is_same = *states.entry(index).or_insert(digest) == digest;
            differs = differs.or((!is_same).then_some(index));
        }
        ready.append(&mut new);
    }
}
