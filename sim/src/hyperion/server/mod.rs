//! The role `cache`: a member of a Raft group that serves clients from the replicated state.
//!
//! Start with [`Server`]. Requests come in over connections; writes go into the log (`writes`),
//! reads are confirmed and served (`reads`), entries whose time is over leave by the log (`expiry`).
//! Raft's datagrams, timers and syncs are handed on.
//!
//! **Invariant:** nothing is answered before Raft said so: a write when its entry is applied, a
//! read when its index is.

mod admin;
mod config;
mod expiry;
mod reads;
mod writes;

pub use admin::Wish;
pub use config::{Config, FSYNC_WORDS, Reads, ServerFlaws};

use super::command::Refusal;
use super::machine::Machine;
use super::tables::Event;
use super::wire::{self, Answer, Request};
use crate::protocol::frame::{self, Decoder};
use crate::protocol::raft::{Payload, Raft, Ready, Snapshot};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use contract::{ConnId, Dist, Duration, Fx, Input, Node, NodeId, Now, Refused, Seat};
use expiry::EXPIRE;
use reads::PendingReads;
use writes::PendingWrites;

/// A cache node.
#[derive(Clone, Debug)]
pub struct Server {
    config: Arc<Config>,
    raft: Raft,
    machine: Machine,
    /// What arrived of requests, per connection.
    conns: BTreeMap<ConnId, Decoder>,
    writes: PendingWrites,
    reads: PendingReads,
    /// The end that the expiry timer waits for, in cluster time; 0 during the pause after a batch.
    expiry_armed_for: Option<u64>,
    /// A change of membership that an operator asked for.
    wish: Option<Wish>,
    /// Drained from Raft and handled before each input ends; kept for its buffer.
    ready: Vec<Ready>,
    /// Planted flaw `get-forgets-handle`: what reads borrowed and never gave back.
    forgotten: Vec<Arc<[u8]>>,
    forgotten_bytes: u64,
}

/// Where an answer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Asker {
    conn: ConnId,
    request: u64,
}

impl Server {
    /// Boots, or reboots, a node: the log comes from its disk, the state from the log.
    ///
    /// # Errors
    /// When the log on the disk is damaged where it may have been acknowledged.
    pub fn boot(seat: &Seat<'_>, now: Now, fx: &mut Fx<'_>) -> Result<Self, Refused> {
        let config = Config::of(seat);
        let raft = Raft::boot(config::raft_config(seat), now, fx)?;
        let mut server = Self {
            machine: Machine::new(config.limits, seat.preload, config.flaws.machine),
            config: Arc::new(config),
            raft,
            conns: BTreeMap::new(),
            writes: PendingWrites::default(),
            reads: PendingReads::default(),
            expiry_armed_for: None,
            wish: None,
            ready: Vec::new(),
            forgotten: Vec::new(),
            forgotten_bytes: 0,
        };
        server.handle_ready(now, fx);
        Ok(server)
    }

    /// Its Raft.
    #[must_use]
    pub const fn raft(&self) -> &Raft {
        &self.raft
    }

    /// Its state machine.
    #[must_use]
    pub const fn machine(&self) -> &Machine {
        &self.machine
    }

    /// How many connections of clients are open.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.conns.len() as u64
    }

    /// How many writes are proposed and not answered.
    #[must_use]
    pub fn writes_pending(&self) -> u64 {
        self.writes.len()
    }

    /// How many reads wait for confirmation or for entries to be applied.
    #[must_use]
    pub fn reads_pending(&self) -> u64 {
        self.reads.len()
    }

    /// The most handles on one value that are alive, the store's own among them: 1 when everything
    /// that reads borrowed was given back, 0 for an empty store.
    #[must_use]
    pub fn value_handles_max(&self) -> u64 {
        let handles = |entry: &super::entry::Entry| Arc::strong_count(&entry.value) as u64;
        self.machine.store().iter().map(handles).max().unwrap_or(0)
    }

    fn on_data(&mut self, now: Now, conn: ConnId, bytes: &[u8], fx: &mut Fx<'_>) {
        let Some(mut decoder) = self.conns.get_mut(&conn).map(core::mem::take) else {
            return;
        };
        let mut frames = decoder.feed(bytes);
        let intact = loop {
            match frames.next() {
                Ok(Some(frame)) => {
                    if !self.on_frame(now, conn, frame, fx) {
                        break false;
                    }
                }
                Ok(None) => break true,
                Err(_) => break false,
            }
        };
        if intact {
            self.conns.insert(conn, decoder);
        } else {
            fx.mark(Event::BadRequest.row(), [0; 3], bytes.len() as u64);
            self.conns.remove(&conn);
            fx.close(conn);
        }
    }

    /// Handles one request; false where it is none and the connection must go.
    fn on_frame(&mut self, now: Now, conn: ConnId, frame: &[u8], fx: &mut Fx<'_>) -> bool {
        let Ok((request, asked)) = wire::decode_request(frame) else {
            return false;
        };
        let asker = Asker { conn, request };
        match asked {
            Request::Get { level, key } => self.on_get(now, asker, level, key, fx),
            Request::BatchGet { level, keys } => self.on_batch_get(now, asker, level, &keys, fx),
            Request::Write { bytes, command } => self.on_write(now, asker, bytes, &command, fx),
        }
        true
    }

    /// Does what Raft asks for since the last call.
    fn handle_ready(&mut self, now: Now, fx: &mut Fx<'_>) {
        let mut ready = core::mem::take(&mut self.ready);
        self.raft.drain(&mut ready);
        for ready in ready.drain(..) {
            match ready {
                Ready::Apply(entry) => {
                    match &entry.payload {
                        Payload::Noop | Payload::Members(_) => self.machine.skip(entry.index),
                        Payload::Command(command) => {
                            let time = self.time(now, entry.time);
                            let effect = self.machine.apply(entry.index, time, command);
                            self.tell_expired(&effect, fx);
                            self.acknowledge(entry.id(), effect, fx);
                        }
                    }
                    self.serve_applied(fx);
                }
                Ready::Restore(snapshot) => self.restore(&snapshot, fx),
                Ready::TakeSnapshot { index } => {
                    assert!(
                        self.machine.applied_index() == index,
                        "it has applied what it was handed"
                    );
                    let mut state = Vec::new();
                    self.machine.encode(&mut state);
                    self.raft.snapshot_taken(now, index, Arc::from(state), fx);
                }
                Ready::ReadReady { id, index, time } => {
                    self.on_read_ready(now, id, index, time, fx);
                }
                Ready::ReadFailed { id } => self.on_read_failed(id, fx),
                Ready::BecameLeader { .. } => {}
                Ready::SteppedDown { .. } | Ready::StorageFailed(_) => self.give_up_writes(fx),
            }
        }
        self.ready = ready;
        self.arm_expiry(now, fx);
    }

    /// Takes up the state of a snapshot in the place of its own.
    fn restore(&mut self, snapshot: &Snapshot, fx: &mut Fx<'_>) {
        let (limits, flaws) = (self.config.limits, self.config.flaws.machine);
        let index = snapshot.id.index;
        let restored = Machine::decode(limits, flaws, &snapshot.state).ok();
        let restored = restored.filter(|machine| machine.applied_index() == index);
        if restored.is_none() {
            // Only a planted flaw puts together what no node ever wrote.
            fx.mark(Event::BadRequest.row(), [0; 3], snapshot.state.len() as u64);
        }
        self.machine = restored.unwrap_or_else(|| Machine::empty_at(limits, flaws, index));
        self.expiry_armed_for = None;
        self.serve_applied(fx);
    }

    /// The clock by which entries live and die: the cluster's, as Raft gives it.
    fn time(&self, now: Now, cluster_time: u64) -> u64 {
        match self.config.flaws.ttl_on_wall_clock {
            true => now.wall.0,
            false => cluster_time,
        }
    }

    fn assert_invariants(&self) {
        assert!(self.ready.is_empty(), "what Raft asked for was done");
        let is_rash = self.raft.config().flaws.ack_before_quorum;
        assert!(
            is_rash || self.machine.applied_index() <= self.raft.commit_index(),
            "nothing is applied that is not committed"
        );
    }
}

impl Node for Server {
    fn on_input(&mut self, now: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        match input {
            Input::Datagram { from, bytes } if from == fx.me() => self.on_admin(now, bytes, fx),
            Input::Datagram { from, bytes } => {
                if let Some(peer) = self.peer_index(from) {
                    self.raft.on_datagram(now, peer, bytes, fx);
                }
            }
            Input::Opened { conn, .. } => {
                self.conns.insert(conn, Decoder::default());
            }
            Input::Data { conn, bytes } => self.on_data(now, conn, bytes, fx),
            Input::Closed { conn, .. } => {
                self.conns.remove(&conn);
            }
            Input::Timer(EXPIRE) => self.on_expire(now, fx),
            Input::Timer(key) => {
                assert!(Raft::owns_timer(key), "the node sets no other timers");
                self.raft.on_timer(now, key, fx);
            }
            Input::Synced { sync, result } => self.raft.on_synced(now, sync, result, fx),
            Input::Invoke { .. } | Input::Started { .. } | Input::Exited { .. } => {
                panic!("a cache node is no client and starts nobody")
            }
        }
        self.pursue_wish(now, fx);
        self.handle_ready(now, fx);
        self.assert_invariants();
    }

    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }

    fn memory_bytes(&self) -> u64 {
        let buffered: u64 = self.conns.values().map(Decoder::buffered_bytes).sum();
        let kept = self.raft.log_bytes() + self.raft.snapshot_bytes();
        self.machine.store().size_bytes() + kept + self.forgotten_bytes + buffered
    }
}

impl Server {
    fn peer_index(&self, node: NodeId) -> Option<u32> {
        let peers = &self.raft.config().peers;
        let position = peers.iter().position(|&peer| peer == node)?;
        Some(position as u32)
    }
}

/// Writes one answer to whoever asked.
fn answer(asker: Asker, answer: &Answer<'_>, fx: &mut Fx<'_>) {
    fx.write(asker.conn, |out| {
        frame::write(out, |out| answer.encode(asker.request, out));
    });
}

fn refuse(asker: Asker, refusal: Refusal, fx: &mut Fx<'_>) {
    answer(asker, &Answer::Refused(refusal), fx);
}

/// Charges a draw of `cost` for each of `times` units of work. A cost of nothing draws nothing.
fn spend(cost: &Dist, times: u64, fx: &mut Fx<'_>) {
    if *cost == Dist::Constant(0) {
        return;
    }
    let total = (0..times).map(|_| cost.sample(fx.rng)).sum();
    fx.spend(Duration(total));
}
