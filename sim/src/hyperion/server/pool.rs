//! The pool of connections to the database.
//!
//! Start with [`Pool::ask`]. The pool is created once, which takes [`PoolConfig::create`]: lazily by
//! the first query, or eagerly at boot. Connections are opened when they are needed, up to a maximum;
//! queries that find none free wait in order, up to a maximum, and then are refused. A query that is
//! not answered in time fails, and its connection is closed, because an answer may still come on it.

use super::super::database::wire::{self, Found};
use super::super::tables::Event;
use super::Requester;
use super::timers::{POOL_CREATED, POOL_QUERY};
use crate::protocol::cache::entry::Key;
use crate::protocol::frame::{self, Decoder};
use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;
use contract::{ConnId, Duration, Fx, Instant, NodeId, Now};

/// What a pool is told at boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolConfig {
    /// Where the database is.
    pub database: NodeId,
    /// The most connections.
    pub connections_max: u64,
    /// Whether it is created at boot, and not by the first query.
    pub eager: bool,
    /// How long its creation takes.
    pub create: Duration,
    /// How long a query may take, its wait for a connection included.
    pub query_timeout: Duration,
    /// The most queries that wait for a connection.
    pub waiting_max: u64,
    /// Whether queries for one key that are under way at one time are one query.
    pub coalesces: bool,
    /// Planted defect `pool-permit-leak-on-cancel`.
    pub leaks: bool,
}

/// A query that ended, and who waits for it.
#[derive(Debug)]
pub struct Answered<'a> {
    /// The key that was asked for.
    pub key: Key,
    /// Who asked.
    pub requesters: Vec<Requester>,
    /// What the database said.
    pub found: Found<'a>,
}

/// The connections, and the queries that use them or wait for one.
#[derive(Clone, Debug)]
pub struct Pool {
    config: Arc<PoolConfig>,
    state: PoolState,
    conns: Vec<PoolConn>,
    /// By number, which is the order of their deadlines.
    queries: BTreeMap<u64, Query>,
    /// Those without a connection, in order; some may be over by now.
    waiting: VecDeque<u64>,
    /// The query under way for a key, where queries are shared.
    shared: BTreeMap<Key, u64>,
    queries_asked: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PoolState {
    Cold,
    Creating,
    Ready,
}

#[derive(Clone, Debug)]
struct PoolConn {
    conn: ConnId,
    decoder: Decoder,
    use_of: Use,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Opening,
    Idle,
    Query(u64),
    /// Planted defect: its query was given up, and nobody gave it back.
    Leaked,
}

#[derive(Clone, Debug)]
struct Query {
    key: Key,
    requesters: Vec<Requester>,
    asked_at: Instant,
}

impl Pool {
    /// A pool, on its way where it is eager.
    pub fn boot(config: PoolConfig, fx: &mut Fx<'_>) -> Self {
        let mut pool = Self {
            state: PoolState::Cold,
            conns: Vec::new(),
            queries: BTreeMap::new(),
            waiting: VecDeque::new(),
            shared: BTreeMap::new(),
            queries_asked: 0,
            config: Arc::new(config),
        };
        if pool.config.eager {
            pool.create(fx);
        }
        pool
    }

    /// Whether requests may be taken: an eager pool is warm before anyone is served.
    pub fn serves(&self) -> bool {
        !self.config.eager || self.state == PoolState::Ready
    }

    /// How many connections carry a query.
    pub fn in_use(&self) -> u64 {
        self.conns.iter().filter(|conn| !matches!(conn.use_of, Use::Idle | Use::Opening)).count()
            as u64
    }

    /// How many queries wait for a connection.
    pub fn waiting(&self) -> u64 {
        self.waiting.len() as u64
    }

    /// The memory that it takes, in bytes: keys of queries, and rows that are not whole.
    pub fn memory_bytes(&self) -> u64 {
        let keys = self.queries.values().map(|query| query.key.as_bytes().len() as u64);
        let rows = self.conns.iter().map(|conn| conn.decoder.buffered_bytes());
        keys.chain(rows).sum()
    }

    /// Whether `conn` is one of its connections.
    pub fn owns(&self, conn: ConnId) -> bool {
        self.position(conn).is_some()
    }

    /// Asks the database for `key`; false where too many wait already.
    pub fn ask(&mut self, now: Now, key: &Key, requester: Requester, fx: &mut Fx<'_>) -> bool {
        if self.config.coalesces
            && let Some(query) = self.shared.get(key).and_then(|id| self.queries.get_mut(id))
        {
            query.requesters.push(requester);
            return true;
        }
        if self.waiting() >= self.config.waiting_max {
            fx.mark(Event::PoolRefused.row(), [key.label(), 0, 0], self.waiting());
            return false;
        }
        self.queries_asked += 1;
        let id = self.queries_asked;
        let query =
            Query { key: key.clone(), requesters: Vec::from([requester]), asked_at: now.mono };
        self.queries.insert(id, query);
        self.waiting.push_back(id);
        if self.config.coalesces {
            self.shared.insert(key.clone(), id);
        }
        if self.queries.len() == 1 {
            fx.set_timer(POOL_QUERY, self.config.query_timeout);
        }
        self.hand_out(fx);
        true
    }

    /// Its creation is over.
    pub fn on_created(&mut self, fx: &mut Fx<'_>) {
        assert!(self.state == PoolState::Creating, "it is created once");
        self.state = PoolState::Ready;
        fx.mark(Event::PoolCreated.row(), [0; 3], self.config.create.as_nanos());
        if self.config.eager {
            // The first connection is there before the first query.
            self.open(fx);
        }
        self.hand_out(fx);
    }

    /// A connection is open.
    pub fn on_opened(&mut self, conn: ConnId, fx: &mut Fx<'_>) {
        let position = self.position(conn).expect("the pool opened it");
        self.conns[position].use_of = Use::Idle;
        self.hand_out(fx);
    }

    /// Bytes came on one of its connections. Calls `done` for the query that they answer.
    pub fn on_data(
        &mut self,
        conn: ConnId,
        bytes: &[u8],
        fx: &mut Fx<'_>,
        mut done: impl FnMut(Answered<'_>, &mut Fx<'_>),
    ) {
        let position = self.position(conn).expect("the caller asked");
        let mut decoder = core::mem::take(&mut self.conns[position].decoder);
        let intact = decoder.feed_each(bytes, |frame| {
            let Ok((id, found)) = Found::decode(frame) else { return false };
            let conn = &mut self.conns[position];
            if conn.use_of == Use::Leaked {
                // Nobody waits for it, and nobody notices.
                return true;
            }
            if conn.use_of != Use::Query(id) {
                return false;
            }
            conn.use_of = Use::Idle;
            let Query { key, requesters, .. } = self.end(id);
            done(Answered { key, requesters, found }, fx);
            true
        });
        self.conns[position].decoder = decoder;
        if !intact {
            self.lose(position, fx, &mut done);
            fx.close(conn);
        }
        self.hand_out(fx);
    }

    /// One of its connections is gone.
    pub fn on_closed(
        &mut self,
        conn: ConnId,
        fx: &mut Fx<'_>,
        mut done: impl FnMut(Answered<'_>, &mut Fx<'_>),
    ) {
        let position = self.position(conn).expect("the caller asked");
        self.lose(position, fx, &mut done);
        if self.conns.is_empty() {
            // Nobody is there: better said now than after the timeout.
            while let Some(id) = self.waiting.pop_front() {
                if self.queries.contains_key(&id) {
                    self.fail(id, fx, &mut done);
                }
            }
        }
        self.hand_out(fx);
    }

    /// Whoever asked over `conn` is gone and waits for nothing any more. What nobody else waits for
    /// either is not asked, where it was not asked yet.
    pub fn forget(&mut self, conn: ConnId, fx: &mut Fx<'_>) {
        let mut unwanted = Vec::new();
        for (&id, query) in &mut self.queries {
            let before = query.requesters.len();
            query.requesters.retain(|requester| requester.conn != conn);
            if before > 0 && query.requesters.is_empty() {
                unwanted.push(id);
            }
        }
        for id in unwanted {
            if self.conns.iter().all(|conn| conn.use_of != Use::Query(id)) {
                let query = self.end(id);
                fx.mark(Event::PoolDropped.row(), [query.key.label(), 0, 0], 0);
            }
        }
    }

    /// How many queries are neither carried by a connection nor wait for one: nobody would ever
    /// answer them.
    pub fn stranded(&self) -> u64 {
        let is_known = |id: &u64| self.queries.contains_key(id);
        let carried = self.conns.iter().filter_map(|conn| match conn.use_of {
            Use::Query(id) => Some(id),
            _ => None,
        });
        let carried = carried.filter(is_known).count();
        let waiting = self.waiting.iter().filter(|id| is_known(id)).count();
        (self.queries.len() as u64).saturating_sub((carried + waiting) as u64)
    }

    /// How many queries are under way or wait.
    pub fn queries(&self) -> u64 {
        self.queries.len() as u64
    }

    /// How many connections are in use for no query, and how many there are.
    pub fn orphaned(&self) -> (u64, u64) {
        let is_orphan = |conn: &&PoolConn| match conn.use_of {
            Use::Query(id) => !self.queries.contains_key(&id),
            Use::Leaked => true,
            Use::Idle | Use::Opening => false,
        };
        (self.conns.iter().filter(is_orphan).count() as u64, self.conns.len() as u64)
    }

    /// What it was told at boot.
    pub fn config(&self) -> &PoolConfig {
        &self.config
    }

    /// Ends the queries that have waited too long.
    pub fn on_query_timer(
        &mut self,
        now: Now,
        fx: &mut Fx<'_>,
        mut done: impl FnMut(Answered<'_>, &mut Fx<'_>),
    ) {
        let timeout = self.config.query_timeout;
        while let Some((&id, query)) = self.queries.first_key_value() {
            let waited = now.mono.since(query.asked_at);
            if waited < timeout {
                fx.set_timer(POOL_QUERY, timeout.saturating_sub(waited));
                break;
            }
            fx.mark(Event::PoolTimeout.row(), [query.key.label(), 0, 0], waited.as_nanos());
            let user = self.conns.iter().position(|conn| conn.use_of == Use::Query(id));
            match user {
                Some(position) if self.config.leaks => {
                    self.conns[position].use_of = Use::Leaked;
                    self.fail(id, fx, &mut done);
                }
                Some(position) => {
                    let conn = self.conns[position].conn;
                    self.lose(position, fx, &mut done);
                    fx.close(conn);
                }
                None => self.fail(id, fx, &mut done),
            }
        }
        self.hand_out(fx);
    }
}

impl Pool {
    fn position(&self, conn: ConnId) -> Option<usize> {
        self.conns.iter().position(|held| held.conn == conn)
    }

    fn create(&mut self, fx: &mut Fx<'_>) {
        assert!(self.state == PoolState::Cold, "it is created once");
        self.state = PoolState::Creating;
        fx.set_timer(POOL_CREATED, self.config.create);
    }

    fn open(&mut self, fx: &mut Fx<'_>) {
        let conn = fx.open(self.config.database);
        self.conns.push(PoolConn { conn, decoder: Decoder::default(), use_of: Use::Opening });
    }

    /// Gives free connections to those who wait, and opens more where some are left.
    fn hand_out(&mut self, fx: &mut Fx<'_>) {
        // Those that timed out while they waited are over.
        while self.waiting.front().is_some_and(|id| !self.queries.contains_key(id)) {
            self.waiting.pop_front();
        }
        if self.waiting.is_empty() {
            return;
        }
        match self.state {
            PoolState::Cold => return self.create(fx),
            PoolState::Creating => return,
            PoolState::Ready => {}
        }
        for position in 0..self.conns.len() {
            if self.conns[position].use_of != Use::Idle {
                continue;
            }
            let Some(id) = self.next_waiting() else { return };
            self.conns[position].use_of = Use::Query(id);
            let key = &self.queries[&id].key;
            fx.write(self.conns[position].conn, |out| {
                frame::write(out, |out| wire::encode_query(id, key.as_bytes(), out));
            });
        }
        let opening = self.conns.iter().filter(|conn| conn.use_of == Use::Opening).count();
        let free = self.config.connections_max.saturating_sub(self.conns.len() as u64);
        let short = self.waiting.len().saturating_sub(opening) as u64;
        (0..short.min(free)).for_each(|_| self.open(fx));
    }

    fn next_waiting(&mut self) -> Option<u64> {
        loop {
            let id = self.waiting.pop_front()?;
            if self.queries.contains_key(&id) {
                return Some(id);
            }
        }
    }

    /// Forgets a connection, and fails the query that it carried.
    fn lose(
        &mut self,
        position: usize,
        fx: &mut Fx<'_>,
        done: &mut impl FnMut(Answered<'_>, &mut Fx<'_>),
    ) {
        let lost = self.conns.remove(position);
        if let Use::Query(id) = lost.use_of {
            self.fail(id, fx, done);
        }
    }

    fn fail(&mut self, id: u64, fx: &mut Fx<'_>, done: &mut impl FnMut(Answered<'_>, &mut Fx<'_>)) {
        let Query { key, requesters, .. } = self.end(id);
        done(Answered { key, requesters, found: Found::Failed }, fx);
    }

    fn end(&mut self, id: u64) -> Query {
        let query = self.queries.remove(&id).expect("a query ends once");
        if self.shared.get(&query.key) == Some(&id) {
            self.shared.remove(&query.key);
        }
        query
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::{Domain, Effect, NoDisk, Outbox, Rng, WallTime};

    const CONFIG: PoolConfig = PoolConfig {
        database: NodeId(9),
        connections_max: 1,
        eager: false,
        create: Duration(1),
        query_timeout: Duration(1_000),
        waiting_max: 8,
        coalesces: false,
        leaks: false,
    };

    fn conn(opener: u32) -> ConnId {
        ConnId { opener: NodeId(opener), number: 0 }
    }

    fn requester(opener: u32) -> Requester {
        let (conn, since) = (conn(opener), Instant(0));
        Requester { conn, request: 1, method: None, since, allow_stale: false, watch: false }
    }

    /// How many bytes of queries the calls wrote.
    fn with_fx(call: impl FnOnce(&mut Fx<'_>)) -> usize {
        let (mut outbox, mut conns, mut disk) = (Outbox::default(), 0, NoDisk);
        let mut rng = Rng::new(1, Domain::Node, "pool");
        call(&mut Fx::new(&mut outbox, NodeId(0), &mut conns, &mut disk, &mut rng));
        let is_query = |effect: &&Effect| matches!(effect, Effect::Write { .. });
        outbox.effects.iter().filter(is_query).count()
    }

    #[test]
    fn a_query_whose_caller_hung_up_is_not_made() {
        let now = Now { mono: Instant(5), wall: WallTime(0) };
        let key = |name: &[u8]| Key::new(name);
        let mut pool = None;
        with_fx(|fx| {
            let pool = pool.insert(Pool::boot(CONFIG, fx));
            for (opener, name) in [(1, b"a"), (2, b"b"), (3, b"c")] {
                assert!(pool.ask(now, &key(name), requester(opener), fx));
            }
            pool.forget(conn(2), fx);
        });
        let mut pool = pool.expect("it was booted");
        assert_eq!((pool.queries(), pool.stranded()), (2, 0));
        with_fx(|fx| pool.on_created(fx));
        let made = with_fx(|fx| pool.on_opened(conn(0), fx));
        assert_eq!(made, 1, "the first has the only connection");
        with_fx(|fx| pool.forget(conn(1), fx));
        assert_eq!(pool.queries(), 2, "what is being answered is kept all the same");
        assert_eq!(pool.orphaned(), (0, 1));
    }
}
