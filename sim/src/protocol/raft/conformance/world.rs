//! A group whose every step is taken by hand: frames wait at their sender until it is processed and
//! then in the network until they are delivered; a disk ends its syncs when its node is processed.
//!
//! A node's number in a test is its index in the group, so index 0 is a peer that never is.

use super::super::configuration::{Change, Members, PeerSet};
use super::super::entry::{LogId, Payload};
use super::super::log::Log;
use super::super::ready::{Ready, Role};
use super::super::reconfiguration::{ChangeRefused, Transition};
use super::super::settings::Config;
use super::super::snapshot::Snapshot;
use super::super::storage::Storage;
use super::super::{Fsync, Raft};
use super::said::Said;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;
use contract::{
    Disk, DiskError, Domain, Duration, Effect, FileId, Fx, Instant, NodeId, Now, Outbox, Rng,
    SyncId, WallTime,
};

/// How a group is set up.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The index and term-1 snapshot that each node begins with; 0 for none.
    pub index: u64,
    /// Who takes part; without voters a node waits to be taken in.
    pub members: Members,
    pub pre_vote: bool,
    pub check_quorum: bool,
    pub in_flight_max: u32,
}

/// The group.
#[derive(Debug, Default)]
pub struct World {
    nodes: BTreeMap<u32, Host>,
    network: VecDeque<Packet>,
    /// What was said since it was last asked for.
    said: Said,
    now_ns: u64,
}

#[derive(Debug)]
struct Host {
    raft: Raft,
    disk: MemoryDisk,
    rng: Rng,
    conns: u32,
    unsent: Vec<Packet>,
    syncs: Vec<SyncId>,
    /// The commands applied, one after the other.
    state: Vec<u8>,
}

#[derive(Clone, Debug)]
struct Packet {
    from: u32,
    to: u32,
    bytes: Vec<u8>,
}

/// The most peers: a test names them by small numbers.
const PEERS: u32 = 16;

impl World {
    /// Adds a node under the next number.
    pub fn add(&mut self, setup: &Setup) {
        let me = self.nodes.keys().next_back().map_or(1, |last| last + 1);
        assert!(me < PEERS, "a test has few nodes");
        let nobody = PeerSet::from_iter([0]);
        let is_stranger = setup.members.voters.is_empty();
        let founders =
            if is_stranger { Members::new(nobody, PeerSet::EMPTY) } else { setup.members };
        let mut config = Config::new(me, (0..PEERS).map(NodeId).collect());
        config.voters = founders.voters.iter().collect();
        config.learners = founders.learners.iter().collect();
        config.pre_vote = setup.pre_vote;
        config.check_quorum = setup.check_quorum;
        // Where etcd does not check its quorum, its voters hear candidates at any time.
        config.defects.lease_without_stickiness = !setup.check_quorum;
        config.lease = Duration::ZERO;
        config.tick = Duration::ZERO;
        config.inflight_max = setup.in_flight_max;
        config.snapshot_after = 0;
        config.snapshot_tail = 0;
        let (mut disk, mut conns) = (MemoryDisk::default(), 0);
        let mut rng = Rng::new(0, Domain::Node, "conformance");
        let mut outbox = Outbox::default();
        let mut fx = Fx::new(&mut outbox, NodeId(me), &mut conns, &mut disk, &mut rng);
        if setup.index > 0 {
            begin_at(setup.index, founders, &mut fx);
        }
        let now = self.now();
        let mut raft = Raft::boot(config, now, &mut fx).expect("what was just written is whole");
        let mut state = Vec::new();
        own(&mut raft, &mut state, now, &mut fx);
        let (unsent, syncs) = (Vec::new(), Vec::new());
        let mut host = Host { raft, disk, rng, conns, unsent, syncs, state };
        host.take(me, outbox);
        self.nodes.insert(me, host);
        self.process(me);
    }

    fn now(&self) -> Now {
        Now { mono: Instant(self.now_ns), wall: WallTime(self.now_ns) }
    }

    /// The Raft of a node.
    pub fn raft(&self, node: u32) -> Option<&Raft> {
        self.nodes.get(&node).map(|host| &host.raft)
    }

    /// The numbers of all nodes.
    pub fn numbers(&self) -> Vec<u32> {
        self.nodes.keys().copied().collect()
    }

    /// What the nodes said since this was last asked.
    pub fn said(&mut self) -> Said {
        core::mem::take(&mut self.said)
    }

    /// Lets a node stand for election now, whatever its timer says.
    pub fn campaign(&mut self, node: u32) {
        self.call(node, |raft, now, fx| raft.stand(now, fx));
    }

    /// A node's heartbeat is due, a little late.
    pub fn heartbeat(&mut self, node: u32) {
        let late = Duration::from_millis(300);
        self.now_ns += late.as_nanos();
        self.call(node, |raft, now, fx| {
            raft.on_timer(now, super::super::machine::HEARTBEAT, fx);
        });
    }

    /// Proposes at `node`, or at the leader that it knows, as its client would.
    pub fn propose(&mut self, node: u32, command: &[u8]) -> bool {
        let at = self.leader_for(node);
        let command: Arc<[u8]> = command.into();
        self.call(at, |raft, now, fx| raft.propose(now, command, fx).is_ok()).unwrap_or(false)
    }

    /// Asks `node`, or the leader that it knows, for a change.
    pub fn change(
        &mut self,
        node: u32,
        changes: &[Change],
        transition: Transition,
    ) -> Option<Result<LogId, ChangeRefused>> {
        let at = self.leader_for(node);
        self.call(at, |raft, now, fx| raft.change(now, changes, transition, fx))
    }

    /// Makes a node take a snapshot of all that it has applied.
    pub fn compact(&mut self, node: u32) {
        self.call(node, |raft, now, fx| raft.compact_now(now, fx));
    }

    fn leader_for(&self, node: u32) -> u32 {
        let raft = self.raft(node);
        raft.and_then(Raft::leader)
            .filter(|_| raft.is_some_and(|raft| raft.role() != Role::Leader))
            .unwrap_or(node)
    }

    /// Ends a node's syncs and hands its frames to the network. Whether there were any.
    pub fn process(&mut self, node: u32) -> bool {
        let mut has_done = false;
        loop {
            let Some(host) = self.nodes.get_mut(&node) else {
                return has_done;
            };
            for packet in host.unsent.drain(..) {
                has_done = true;
                self.said.frame(packet.from, packet.to, &packet.bytes);
                self.network.push_back(packet);
            }
            let syncs = core::mem::take(&mut host.syncs);
            if syncs.is_empty() {
                return has_done;
            }
            has_done = true;
            for sync in syncs {
                self.call(node, |raft, now, fx| raft.on_synced(now, sync, Ok(()), fx));
            }
        }
    }

    /// Delivers what waits in the network for one of `to`. Whether there was anything.
    pub fn deliver(&mut self, to: &[u32]) -> bool {
        let waiting = core::mem::take(&mut self.network);
        let (due, rest): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|packet| to.contains(&packet.to));
        self.network = rest.into();
        let has_done = !due.is_empty();
        for packet in due {
            self.call(packet.to, |raft, now, fx| {
                raft.on_datagram(now, packet.from, &packet.bytes, fx);
            });
        }
        has_done
    }

    /// Loses what waits in the network for one of `to`.
    pub fn lose(&mut self, to: &[u32]) {
        self.network.retain(|packet| !to.contains(&packet.to));
    }

    /// Processes and delivers among `nodes` until nothing happens any more.
    pub fn stabilize(&mut self, nodes: &[u32]) {
        for _ in 0..10_000 {
            let mut has_done = false;
            for &node in nodes {
                has_done |= self.process(node);
            }
            for &node in nodes {
                has_done |= self.deliver(&[node]);
            }
            if !has_done {
                return;
            }
        }
        panic!("a group that nobody asks anything becomes quiet");
    }

    fn call<T>(
        &mut self,
        node: u32,
        input: impl FnOnce(&mut Raft, Now, &mut Fx<'_>) -> T,
    ) -> Option<T> {
        let now = self.now();
        let host = self.nodes.get_mut(&node)?;
        let mut outbox = Outbox::default();
        let mut fx =
            Fx::new(&mut outbox, NodeId(node), &mut host.conns, &mut host.disk, &mut host.rng);
        let answer = input(&mut host.raft, now, &mut fx);
        own(&mut host.raft, &mut host.state, now, &mut fx);
        host.take(node, outbox);
        Some(answer)
    }
}

impl Host {
    fn take(&mut self, me: u32, outbox: Outbox) {
        for effect in &outbox.effects {
            match *effect {
                Effect::Datagram { to, bytes } => self.unsent.push(Packet {
                    from: me,
                    to: to.0,
                    bytes: bytes.of(&outbox.bytes).to_vec(),
                }),
                Effect::Sync { sync, .. } => self.syncs.push(sync),
                // Time passes by hand, and nobody reads what is marked.
                _ => {}
            }
        }
    }
}

/// Does what the owner of a Raft does.
fn own(raft: &mut Raft, state: &mut Vec<u8>, now: Now, fx: &mut Fx<'_>) {
    loop {
        let mut ready = Vec::new();
        raft.drain(&mut ready);
        if ready.is_empty() {
            return;
        }
        for ready in ready {
            match ready {
                Ready::Apply(entry) => {
                    if let Payload::Command(command) = &entry.payload {
                        state.extend_from_slice(command);
                    }
                }
                Ready::Restore(snapshot) => *state = snapshot.state.to_vec(),
                Ready::TakeSnapshot { index } => {
                    raft.snapshot_taken(now, index, state.as_slice().into(), fx);
                }
                _ => {}
            }
        }
    }
}

/// Writes a disk that begins with a snapshot of term 1, in term 0.
fn begin_at(index: u64, members: Members, fx: &mut Fx<'_>) {
    let id = LogId { term: 1, index };
    let state = Arc::from(&b"foo"[..]);
    let snapshot = Snapshot { id, time: 0, members, members_since: 0, state };
    let mut storage = Storage::resume(0, (0, None));
    storage.begin_with(&snapshot, &Log::after(id));
    storage.flush(Fsync::Always, fx);
}

/// Files that never fail and never crash.
#[derive(Clone, Debug, Default)]
struct MemoryDisk(BTreeMap<FileId, Vec<u8>>);

impl Disk for MemoryDisk {
    fn len_bytes(&self, file: FileId) -> u64 {
        self.0.get(&file).map_or(0, |bytes| bytes.len() as u64)
    }

    fn exists(&self, file: FileId) -> bool {
        self.0.contains_key(&file)
    }

    fn read_at(&mut self, file: FileId, offset: u64, out: &mut [u8]) -> Result<(), DiskError> {
        let bytes = self.0.get(&file).ok_or(DiskError::NotFound)?;
        let start = offset as usize;
        let range = bytes.get(start..start + out.len()).ok_or(DiskError::OutOfRange)?;
        out.copy_from_slice(range);
        Ok(())
    }

    fn write_at(&mut self, file: FileId, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let held = self.0.entry(file).or_default();
        let (start, end) = (offset as usize, offset as usize + bytes.len());
        held.resize(held.len().max(end), 0);
        held[start..end].copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&mut self, file: FileId, len_bytes: u64) -> Result<(), DiskError> {
        self.0.entry(file).or_default().resize(len_bytes as usize, 0);
        Ok(())
    }

    fn rename(&mut self, from: FileId, to: FileId) -> Result<(), DiskError> {
        let bytes = self.0.remove(&from).ok_or(DiskError::NotFound)?;
        self.0.insert(to, bytes);
        Ok(())
    }

    fn remove(&mut self, file: FileId) -> Result<(), DiskError> {
        self.0.remove(&file).map(drop).ok_or(DiskError::NotFound)
    }

    fn sync_now(&mut self, _files: &[FileId]) -> Result<(), DiskError> {
        Ok(())
    }
}
