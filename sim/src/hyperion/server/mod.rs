//! The role `cache`: a member of a Raft group that serves clients from the replicated state.
//!
//! Start with [`Server`]. Requests come in over connections (`requests`); writes go into the log (`writes`),
//! reads are confirmed and served (`reads`), entries whose time is over leave by the log (`expiry`).
//! Raft's datagrams, timers and syncs are handed on, and what it asks for is done (`ready`).
//!
//! **Invariant:** nothing is answered before Raft said so: a write when its entry is applied, a
//! read when its index is.

mod admin;
mod admission;
mod batch;
mod config;
mod eviction;
mod expiry;
mod load;
pub mod metrics;
mod pool;
mod profiles;
mod reads;
mod ready;
mod requests;
mod timers;
mod verbs;
mod watch;
mod writes;

pub use config::{Config, ServerDefects};
pub use profiles::Profile;
pub use requests::Requester;

use super::machine::Machine;
use super::schema::{Recovered, Tables};
use super::tables::settings::{CacheSettings, LoadSettings};
use super::tables::{Defects, Event};
use crate::protocol::cache::value_codec::Bytes;
use crate::protocol::cache::{Entry, HitRatio};
use crate::protocol::raft::{LogId, Raft, Ready};
use crate::service::operator::MembershipRequest;
use crate::service::{InboundConns, RateLimiter, ServiceQueue};
use admission::{Caller, ClientId};
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;
use batch::Batch;
use catalog::Seat;
use contract::{ConnId, Fx, Input, Node, NodeId, Now, Refused};
use eviction::EvictionRoom;
use metrics::Metrics;
use pool::Pool;
use reads::PendingReads;
use requests::LIMITED_KINDS;
use timers::{BATCH, EXPIRE, POOL_CREATED, POOL_QUERY, SERVED};
use writes::PendingWrites;

/// A cache node.
#[derive(Clone, Debug)]
pub struct Server {
    config: Arc<Config>,
    raft: Raft,
    /// What the tables on the disk held at boot.
    recovered: Recovered,
    machine: Machine,
    conns: InboundConns<Caller>,
    rate_limiter: RateLimiter<ClientId, LIMITED_KINDS>,
    /// Requests whose service time is being spent.
    queue: ServiceQueue,
    writes: PendingWrites,
    reads: PendingReads,
    room: EvictionRoom,
    hit_ratio: HitRatio,
    metrics: Metrics,
    /// Connections of clients that keep what they read.
    watchers: BTreeSet<ConnId>,
    /// Small writes that wait for company.
    batch: Batch,
    /// The connections to the database, in the role that has one. Taken out while it is used.
    pool: Option<Pool>,
    /// The end that the expiry timer waits for, in cluster time; 0 during the pause after a batch.
    expiry_armed_for: Option<u64>,
    /// A change of membership that an operator asked for.
    membership_request: Option<MembershipRequest>,
    /// Drained from Raft and handled before each input ends; kept for its buffer.
    ready: Vec<Ready>,
    /// Planted defect `get-forgets-handle`: what reads borrowed and never gave back.
    forgotten: Vec<Arc<Bytes>>,
    /// What copies that `get-clones-value` made and `get-forgets-handle` kept count for.
    cloned_bytes: u64,
}

impl Server {
    /// Boots, or reboots, a node: the log comes from its disk, the state from the log.
    ///
    /// # Errors
    /// When the log on the disk is damaged where it may have been acknowledged.
    pub fn boot(seat: &Seat<'_>, now: Now, fx: &mut Fx<'_>) -> Result<Self, Refused> {
        let settings = CacheSettings::from(seat.settings);
        let load = seat.uses.contains_key("db").then(|| LoadSettings::from(seat.settings));
        let defects = Defects::from_names(seat.defects);
        let raft = Raft::boot(config::raft_config(seat, &settings)?, now, fx)?;
        let config = Config::of(settings, load.as_ref(), defects);
        let pool = load.map(|load| config::pool_config(seat, &load, defects));
        let pool = pool.map(|config| Pool::boot(config, fx));
        let mut server = Self {
            machine: Machine::new(Arc::clone(&config.store), seat.preload, config.defects.machine),
            config: Arc::new(config),
            recovered: Recovered::from(&Tables::of(seat.name, &raft)),
            raft,
            conns: InboundConns::default(),
            rate_limiter: RateLimiter::default(),
            queue: ServiceQueue::new(SERVED),
            writes: PendingWrites::default(),
            reads: PendingReads::default(),
            room: EvictionRoom::default(),
            hit_ratio: HitRatio::default(),
            metrics: Metrics::default(),
            watchers: BTreeSet::new(),
            batch: Batch::default(),
            pool,
            expiry_armed_for: None,
            membership_request: None,
            ready: Vec::new(),
            forgotten: Vec::new(),
            cloned_bytes: 0,
        };
        server.handle_ready(now, fx);
        Ok(server)
    }

    /// Its Raft.
    #[must_use]
    pub const fn raft(&self) -> &Raft {
        &self.raft
    }

    /// How much the tables on its disk held when it booted.
    #[must_use]
    pub const fn recovered(&self) -> Recovered {
        self.recovered
    }

    /// Its state machine.
    #[must_use]
    pub const fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The state in a snapshot, as this node would take it up.
    #[must_use]
    pub fn decode(&self, state: &[u8]) -> Option<Machine> {
        Machine::decode(&self.config.store, self.config.defects.machine, state).ok()
    }

    /// How many connections of clients are open.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.conns.count()
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

    /// The position in the log of the first write that is not answered.
    #[must_use]
    pub fn first_write_pending(&self) -> Option<LogId> {
        self.writes.first()
    }

    /// How many reads wait for Raft to confirm them.
    #[must_use]
    pub fn reads_unconfirmed(&self) -> u64 {
        self.reads.unconfirmed()
    }

    /// The first index that a confirmed read waits for.
    #[must_use]
    pub fn first_read_waiting(&self) -> Option<u64> {
        self.reads.first_waiting()
    }

    /// How many small writes wait for company.
    #[must_use]
    pub const fn batched(&self) -> u64 {
        self.batch.len()
    }

    /// The most handles on one value that are alive, the store's own among them: 1 when everything
    /// that reads borrowed was given back, 0 for an empty store.
    #[must_use]
    pub fn value_handles_max(&self) -> u64 {
        let handles = |entry: &Entry| Arc::strong_count(&entry.value) as u64;
        self.machine.store().iter().map(handles).max().unwrap_or(0)
    }

    /// The connections to the database, in the role that has one.
    #[must_use]
    pub const fn pool(&self) -> Option<&Pool> {
        self.pool.as_ref()
    }

    /// What it counts for its operators.
    #[must_use]
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The share of hits among its last lookups, in parts per million.
    #[must_use]
    pub fn hit_ratio_ppm(&self) -> Option<u64> {
        self.hit_ratio.hit_ratio_ppm()
    }

    /// What the entries count for, as reports show it.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.machine.store().size_bytes() * self.config.memory_scale
    }

    /// What copies that reads made and never gave back count for; 0 without the defect.
    #[must_use]
    pub fn cloned_bytes(&self) -> u64 {
        self.cloned_bytes * self.config.memory_scale
    }

    /// Takes a connection in, unless its client has too many already.
    fn on_opened(&mut self, conn: ConnId, fx: &mut Fx<'_>) {
        if self.conns.of_same_opener(conn) >= self.config.connections_max {
            fx.mark(Event::TooManyConnections.row(), [u64::from(conn.number), 0, 0], 0);
            return fx.close(conn);
        }
        self.conns.opened(conn);
    }

    fn on_data(&mut self, now: Now, conn: ConnId, bytes: &[u8], fx: &mut Fx<'_>) {
        let Some(mut decoder) = self.conns.take(conn) else { return };
        let intact = decoder.feed_each(bytes, |frame| self.on_frame(now, conn, frame, fx));
        if !intact {
            fx.mark(Event::BadRequest.row(), [0; 3], bytes.len() as u64);
        }
        self.conns.settle(conn, decoder, intact, fx);
    }

    fn assert_invariants(&self) {
        assert!(self.ready.is_empty(), "what Raft asked for was done");
        let is_rash = self.raft.config().defects.ack_before_quorum;
        assert!(
            is_rash || self.machine.applied_index() <= self.raft.commit_index(),
            "nothing is applied that is not committed"
        );
    }
}

impl Node for Server {
    fn on_input(&mut self, now: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        self.metrics.now = now.mono;
        self.work_off(now, fx);
        match input {
            Input::Datagram { from, bytes } if from == fx.me() => self.on_admin(now, bytes, fx),
            Input::Datagram { from, bytes } => {
                if let Some(peer) = self.peer_index(from) {
                    self.raft.on_datagram(now, peer, bytes, fx);
                }
            }
            Input::Opened { conn, .. } => match &mut self.pool {
                Some(pool) if pool.owns(conn) => pool.on_opened(conn, fx),
                _ => self.on_opened(conn, fx),
            },
            Input::Data { conn, bytes } if self.owns_in_pool(conn) => {
                self.on_rows(now, conn, bytes, fx);
            }
            Input::Data { conn, bytes } => self.on_data(now, conn, bytes, fx),
            Input::Closed { conn, .. } if self.owns_in_pool(conn) => {
                self.on_database_closed(now, conn, fx);
            }
            Input::Closed { conn, .. } => {
                self.conns.closed(conn);
                self.watchers.remove(&conn);
                if let Some(pool) = &mut self.pool {
                    pool.forget(conn, fx);
                }
            }
            Input::Timer(BATCH) => self.propose_batch(now, fx),
            Input::Timer(EXPIRE) => self.on_expire(now, fx),
            // What was queued was carried out above.
            Input::Timer(SERVED) => {}
            Input::Timer(key @ (POOL_CREATED | POOL_QUERY)) => self.on_pool_timer(now, key, fx),
            Input::Timer(key) => {
                assert!(Raft::owns_timer(key), "the node sets no other timers");
                self.raft.on_timer(now, key, fx);
            }
            Input::Synced { sync, result } => self.raft.on_synced(now, sync, result, fx),
            Input::Invoke { .. }
            | Input::Started { .. }
            | Input::NotStarted { .. }
            | Input::Exited { .. } => {
                panic!("a cache node is no client and starts nobody")
            }
        }
        self.pursue_membership(now, fx);
        self.handle_ready(now, fx);
        self.metrics.look(&self.raft);
        self.assert_invariants();
    }

    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }

    fn memory_bytes(&self) -> u64 {
        let kept = self.raft.log_bytes() + self.raft.snapshot_bytes();
        let held = self.machine.store().size_bytes() + kept + self.cloned_bytes;
        let asked = self.queue.size_bytes() + self.batch.size_bytes() + self.reads.size_bytes();
        let loading = self.pool.as_ref().map_or(0, Pool::memory_bytes);
        (held + asked + loading + self.conns.buffered_bytes()) * self.config.memory_scale
    }
}

impl Server {
    fn owns_in_pool(&self, conn: ConnId) -> bool {
        self.pool.as_ref().is_some_and(|pool| pool.owns(conn))
    }

    fn peer_index(&self, node: NodeId) -> Option<u32> {
        let peers = &self.raft.config().peers;
        let position = peers.iter().position(|&peer| peer == node)?;
        Some(position as u32)
    }
}

#[cfg(test)]
mod tests;
