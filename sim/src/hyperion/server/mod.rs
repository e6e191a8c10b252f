//! The role `cache`: a member of a Raft group that serves clients from the replicated state.
//!
//! Start with [`Server`]. Requests come in over connections; writes go into the log (`writes`),
//! reads are confirmed and served (`reads`), entries whose time is over leave by the log (`expiry`).
//! Raft's datagrams, timers and syncs are handed on.
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
mod lookups;
pub mod metrics;
mod pool;
mod profiles;
mod reads;
mod verbs;
mod watch;
mod writes;

pub use admin::Wish;
pub use admission::Tls;
pub use config::{Config, FSYNC_WORDS, Reads, ServerFlaws};
pub use profiles::PROFILE_WORDS;

use super::BATCH_KEYS_MAX;
use super::command::{DropReason, Refusal, Write};
use super::conns::Conns;
use super::desk::{DESK, Desk, draw};
use super::entry::Key;
use super::machine::{Effect, Machine};
use super::rate_limits::{Limited, RateLimits};
use super::schema::{Recovered, Tables};
use super::seal::Bytes;
use super::tables::Event;
use super::wire::{Answer, Asked, Request};
use crate::protocol::frame;
use crate::protocol::raft::{Payload, Raft, Ready, Role, Snapshot};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;
use batch::{BATCH, Batch};
use catalog::Seat;
use contract::{ConnId, Duration, Fx, Input, Instant, Node, NodeId, Now, ReadLevel, Refused};
use eviction::Room;
use expiry::EXPIRE;
use lookups::Lookups;
use metrics::{Method, Metrics};
use pool::{POOL_CREATED, POOL_QUERY, Pool};
use reads::PendingReads;
use writes::PendingWrites;

/// A cache node.
#[derive(Clone, Debug)]
pub struct Server {
    config: Arc<Config>,
    raft: Raft,
    /// What the tables on the disk held at boot.
    recovered: Recovered,
    machine: Machine,
    /// What arrived of requests, per connection.
    conns: Conns,
    rate_limits: RateLimits,
    /// Requests whose service time is being spent.
    desk: Desk,
    writes: PendingWrites,
    reads: PendingReads,
    room: Room,
    lookups: Lookups,
    metrics: Metrics,
    /// Connections of clients that keep what they read.
    watchers: BTreeSet<ConnId>,
    /// Where certificates are asked for: the connections on which one was shown, and whether it was
    /// accepted.
    admitted: BTreeMap<ConnId, bool>,
    /// Small writes that wait for company.
    batch: Batch,
    /// When what lies on the desk arrived, in its order.
    laid_at: Vec<Instant>,
    /// The connections to the database, in the role that has one. Taken out while it is used.
    pool: Option<Pool>,
    /// The end that the expiry timer waits for, in cluster time; 0 during the pause after a batch.
    expiry_armed_for: Option<u64>,
    /// A change of membership that an operator asked for.
    wish: Option<Wish>,
    /// Drained from Raft and handled before each input ends; kept for its buffer.
    ready: Vec<Ready>,
    /// Planted flaw `get-forgets-handle`: what reads borrowed and never gave back.
    forgotten: Vec<Arc<Bytes>>,
    /// What copies that `get-clones-value` made and `get-forgets-handle` kept count for.
    cloned_bytes: u64,
}

/// Where an answer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asker {
    conn: ConnId,
    request: u64,
    /// What was asked, where operators count it.
    method: Option<Method>,
    /// When it arrived.
    since: Instant,
    /// Whether it may get what is over.
    allow_stale: bool,
    /// Whether it wants to keep what it gets.
    watch: bool,
}

impl Server {
    /// Boots, or reboots, a node: the log comes from its disk, the state from the log.
    ///
    /// # Errors
    /// When the log on the disk is damaged where it may have been acknowledged.
    pub fn boot(seat: &Seat<'_>, now: Now, fx: &mut Fx<'_>) -> Result<Self, Refused> {
        let config = Config::of(seat);
        let raft = Raft::boot(config::raft_config(seat)?, now, fx)?;
        let pool = config::pool_config(seat).map(|config| Pool::boot(config, fx));
        let mut server = Self {
            machine: Machine::new(Arc::clone(&config.store), seat.preload, config.flaws.machine),
            config: Arc::new(config),
            recovered: Recovered::from(&Tables::of(seat.name, &raft)),
            raft,
            conns: Conns::default(),
            rate_limits: RateLimits::default(),
            desk: Desk::default(),
            writes: PendingWrites::default(),
            reads: PendingReads::default(),
            room: Room::default(),
            lookups: Lookups::default(),
            metrics: Metrics::default(),
            watchers: BTreeSet::new(),
            admitted: BTreeMap::new(),
            batch: Batch::default(),
            laid_at: Vec::new(),
            pool,
            expiry_armed_for: None,
            wish: None,
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

    /// The most handles on one value that are alive, the store's own among them: 1 when everything
    /// that reads borrowed was given back, 0 for an empty store.
    #[must_use]
    pub fn value_handles_max(&self) -> u64 {
        let handles = |entry: &super::entry::Entry| Arc::strong_count(&entry.value) as u64;
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
        self.lookups.hit_ratio_ppm()
    }

    /// What the entries count for, as reports show it.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.machine.store().size_bytes() * self.config.memory_scale
    }

    /// What copies that reads made and never gave back count for; 0 without the flaw.
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
        self.conns.settle(conn, decoder, intact, bytes.len() as u64, fx);
        if !intact {
            self.admitted.remove(&conn);
        }
    }

    /// Takes one request in; false where it is none and the connection must go.
    fn on_frame(&mut self, now: Now, conn: ConnId, frame: &[u8], fx: &mut Fx<'_>) -> bool {
        let Ok(arrived) = Asked::decode(frame) else { return false };
        let (request, asked) = (arrived.id(), arrived.request());
        if !self.admits(now, conn, (request, &asked), fx) {
            return true;
        }
        let config = &self.config;
        let (kind, times, service) = match &asked {
            Request::Get { key, .. } => {
                let finds = || self.machine.store().get(&Key::new(key)).is_some();
                let miss = config.service_miss.as_ref().filter(|_| !finds());
                (Limited::Get, 1, miss.unwrap_or(&config.service_get))
            }
            Request::BatchGet { keys, .. } => match &config.service_batch_get {
                Some(whole) => (Limited::BatchGet, 1, whole),
                None => {
                    let keys = (keys.len() as u64).min(BATCH_KEYS_MAX);
                    (Limited::BatchGet, keys, &config.service_get)
                }
            },
            Request::Write(command) => {
                let delete =
                    config.service_delete.as_ref().filter(|_| command.write == Write::Delete);
                (Limited::Set, 1, delete.unwrap_or(&config.service_put))
            }
            Request::Admin { .. } => (Limited::Admin, 1, &config.service_get),
            Request::Hello { .. } => return true,
        };
        let asker = Asker::of(conn, request, &asked, now.mono);
        if let Some(method) = asker.method {
            self.metrics.arrived(method);
        }
        if let Some(limits) = &config.rate_limits
            && let Err(left) = self.rate_limits.count(now.mono, conn.opener, kind, limits)
        {
            fx.mark(Event::RateLimited.row(), [kind as u64, 0, 0], left.as_nanos());
            let (retry_after_ms, max) = (left.as_millis() + 1, limits[kind as usize]);
            let refusal = Refusal::RateLimited { retry_after_ms, max };
            refuse(&mut self.metrics, asker, refusal, fx);
            return true;
        }
        let cost = draw(service, times, fx);
        match cost {
            Duration::ZERO => self.carry_out(now, asker, asked, fx),
            cost => {
                self.desk.lay(conn, frame, cost, fx);
                self.laid_at.push(now.mono);
            }
        }
        true
    }

    fn carry_out(&mut self, now: Now, asker: Asker, asked: Request<'_>, fx: &mut Fx<'_>) {
        if self.pool.as_ref().is_some_and(|pool| !pool.serves()) {
            return answer(&mut self.metrics, asker, &Answer::Unavailable, fx);
        }
        match asked {
            Request::Get { options, key } => self.on_get(now, asker, options.level, key, fx),
            Request::BatchGet { options, keys } => {
                self.on_batch_get(now, asker, options.level, &keys, fx);
            }
            Request::Write(command) => self.on_write(now, asker, &command, fx),
            Request::Admin { verb, count } => self.on_verb(now, asker, verb, count, fx),
            Request::Hello { .. } => unreachable!("a hello is not laid down"),
        }
    }

    /// Carries out the requests whose time was spent by the inputs before this one.
    fn work_off(&mut self, now: Now, fx: &mut Fx<'_>) {
        if self.desk.is_empty() {
            return;
        }
        let done = self.desk.take();
        let laid_at = core::mem::take(&mut self.laid_at);
        for ((conn, frame), since) in done.iter().zip(laid_at) {
            let arrived = Asked::decode(frame).expect("it was read when it arrived");
            let asked = arrived.request();
            if Self::is_too_late(now, &asked, since) {
                let waited = now.mono.since(since).as_nanos();
                fx.mark(Event::TooLate.row(), [0; 3], waited);
                continue;
            }
            let asker = Asker::of(conn, arrived.id(), &asked, since);
            self.carry_out(now, asker, asked, fx);
        }
        self.desk.give_back(done);
    }

    /// Whether nobody waits any more for the answer to a read that was laid down at `since`, behind
    /// others that came with it. What it waited before the node had time to look at it, the node
    /// cannot know.
    fn is_too_late(now: Now, asked: &Request<'_>, since: Instant) -> bool {
        let (Request::Get { options, .. } | Request::BatchGet { options, .. }) = asked else {
            return false;
        };
        now.mono.since(since) > options.timeout
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
                            let time = self.stamp(now, entry.time);
                            let effect = self.machine.apply(entry.index, time, command);
                            self.tell_dropped(&effect, fx);
                            self.tell_watchers(entry.index, command, &effect, fx);
                            self.room.applied(entry.index);
                            self.acknowledge(entry.id(), &effect, fx);
                        }
                    }
                    self.serve_applied(now, fx);
                }
                Ready::Restore(snapshot) => self.restore(now, &snapshot, fx),
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
                Ready::SteppedDown { .. } | Ready::StorageFailed(_) => {
                    self.room = Room::default();
                    self.give_up_writes(fx);
                    // What waits for company was not proposed yet, and is refused by Raft.
                    self.propose_batch(now, fx);
                }
            }
        }
        self.ready = ready;
        self.arm_expiry(now, fx);
    }

    /// Takes up the state of a snapshot in the place of its own.
    fn restore(&mut self, now: Now, snapshot: &Snapshot, fx: &mut Fx<'_>) {
        let (config, flaws) = (&self.config.store, self.config.flaws.machine);
        let index = snapshot.id.index;
        let restored = Machine::decode(config, flaws, &snapshot.state).ok();
        let restored = restored.filter(|machine| machine.applied_index() == index);
        if restored.is_none() {
            // Only a planted flaw puts together what no node ever wrote.
            fx.mark(Event::BadRequest.row(), [0; 3], snapshot.state.len() as u64);
        }
        self.machine = restored.unwrap_or_else(|| Machine::empty_at(config, flaws, index));
        self.expiry_armed_for = None;
        self.room.applied(index);
        self.tell_watchers_all(index, fx);
        self.serve_applied(now, fx);
    }

    /// The time that an entry of the log carries out its command at: the cluster's.
    fn stamp(&self, now: Now, cluster_time: u64) -> u64 {
        match self.config.flaws.ttl_on_wall_clock {
            true => now.wall.0,
            false => cluster_time,
        }
    }

    /// The clock by which entries live and die: the cluster's, as Raft gives it.
    fn time(&self, now: Now, cluster_time: u64) -> u64 {
        let flaws = &self.config.flaws;
        match (flaws.ttl_on_wall_clock, flaws.ttl_on_monotonic_clock) {
            (true, _) => now.wall.0,
            (_, true) => now.mono.0,
            _ => cluster_time,
        }
    }

    /// Tells the lab about entries that left: once per group, at the node that leads. For what
    /// ended this is the notification that subscribers of expiries get.
    fn tell_dropped(&mut self, effect: &Effect, fx: &mut Fx<'_>) {
        let Some((reason, dropped)) = &effect.dropped else { return };
        self.metrics.dropped(*reason, dropped.len() as u64);
        if self.raft.role() != Role::Leader {
            return;
        }
        for entry in dropped {
            match reason {
                DropReason::Ttl => {
                    fx.mark(Event::Expired.row(), [entry.key, entry.version, 0], entry.late_ns);
                }
                DropReason::Lru | DropReason::Manual => {
                    let labels = [entry.key, entry.version, *reason as u64];
                    fx.mark(Event::Evicted.row(), labels, 0);
                }
            }
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
                self.admitted.remove(&conn);
                self.rate_limits.forget(conn.opener);
            }
            Input::Timer(BATCH) => self.propose_batch(now, fx),
            Input::Timer(EXPIRE) => self.on_expire(now, fx),
            // What lay on the desk was carried out above.
            Input::Timer(DESK) => {}
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
        self.pursue_wish(now, fx);
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
        (held + self.conns.buffered_bytes()) * self.config.memory_scale
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

impl Asker {
    /// Who asks for this on `conn`.
    fn of(conn: ConnId, request: u64, asked: &Request<'_>, since: Instant) -> Self {
        let (method, options) = match asked {
            Request::Get { options, .. } => (Some(Method::Get), Some(options)),
            Request::BatchGet { options, .. } => (Some(Method::BatchGet), Some(options)),
            Request::Write(command) => match command.write {
                Write::Delete => (Some(Method::Delete), None),
                _ => (Some(Method::Set), None),
            },
            // Operators do not count what they ask themselves.
            Request::Admin { .. } | Request::Hello { .. } => (None, None),
        };
        let allow_stale = options.is_some_and(|options| options.level == ReadLevel::Stale);
        let watch = options.is_some_and(|options| options.watch);
        Self { conn, request, method, since, allow_stale, watch }
    }
}

/// Writes one answer to whoever asked.
fn answer(metrics: &mut Metrics, asker: Asker, answer: &Answer<'_>, fx: &mut Fx<'_>) {
    if let Some(method) = asker.method {
        metrics.answered(method, asker.since, answer);
    }
    fx.write(asker.conn, |out| {
        frame::write(out, |out| answer.encode(asker.request, out));
    });
}

fn refuse(metrics: &mut Metrics, asker: Asker, refusal: Refusal, fx: &mut Fx<'_>) {
    answer(metrics, asker, &Answer::Refused(refusal), fx);
}

#[cfg(test)]
mod tests;
