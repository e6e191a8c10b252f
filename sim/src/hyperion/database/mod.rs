//! The role `sql`: the database behind the cache.
//!
//! Start with [`Database`]. It admits a bounded number of connections, and each carries one query at
//! a time. Queries are worked off one after another: `query` is the processor time of one, so the
//! database serves `1 / mean(query)` of them per second, and what a query waits grows with the
//! connections that are busy. That is what saturation means here: up to the last connection queries
//! queue, and then connections are refused.
//!
//! Its rows are the keys below `rows`; the value of a row follows from its key. Its data never
//! changes, so whatever a cache says of a row can be judged.

pub mod wire;

use super::tables::Event;
use super::tables::settings::SqlSettings;
use crate::protocol::{cache, frame};
use crate::service::InboundConns;
use crate::service::service_queue::{ServiceQueue, draw};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use catalog::Seat;
use contract::{ConnId, Dist, Duration, Fx, Input, Instant, Node, Now, Ratio, Value};
use wire::Found;

/// The bit by which values of rows are told from written and preloaded ones.
pub const ROW: u64 = 1 << 62;

/// The value of the row with this key.
#[must_use]
pub const fn row(key: u64, size_bytes: u32) -> Value {
    Value { id: ROW | key, size_bytes }
}

catalog::timer_keys! {
    beside [];
    /// What lies in the service queue is done.
    const SERVED = 0xDE5C;
}

/// What a database is told at boot.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Config {
    connections_max: u64,
    /// Processor time of one query, in nanoseconds.
    query: Dist,
    /// Processor time of admitting one connection, in nanoseconds.
    login: Dist,
    rows: u64,
    row_bytes: u32,
    /// How many of the queries fail.
    errors: Ratio,
}

/// A database node.
#[derive(Clone, Debug)]
pub struct Database {
    config: Arc<Config>,
    conns: InboundConns,
    queue: ServiceQueue,
    connections_peak: u64,
    queries: u64,
}

impl Database {
    /// Boots a database. Its rows are on its disk, which never fails.
    #[must_use]
    pub fn boot(seat: &Seat<'_>) -> Self {
        let settings = SqlSettings::from(seat.settings);
        let row_bytes = u32::try_from(settings.row_size).unwrap_or(u32::MAX);
        Self {
            config: Arc::new(Config {
                connections_max: settings.connections_max,
                query: settings.query,
                login: settings.login,
                rows: settings.rows,
                row_bytes: row_bytes.clamp(Value::SIZE_MIN, cache::VALUE_BYTES_MAX as u32),
                errors: settings.errors,
            }),
            conns: InboundConns::default(),
            queue: ServiceQueue::new(SERVED),
            connections_peak: 0,
            queries: 0,
        }
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.conns.count()
    }

    /// The most connections that were open at one time.
    #[must_use]
    pub const fn connections_peak(&self) -> u64 {
        self.connections_peak
    }

    /// How many queries it has answered.
    #[must_use]
    pub const fn queries(&self) -> u64 {
        self.queries
    }

    fn on_opened(&mut self, conn: ConnId, fx: &mut Fx<'_>) {
        let open = self.connections();
        if open >= self.config.connections_max {
            fx.mark(Event::DbRefused.row(), [0; 3], open);
            return fx.close(conn);
        }
        let login = draw(&self.config.login, 1, fx);
        if login > Duration::ZERO {
            fx.spend(login);
        }
        self.conns.opened(conn);
        self.connections_peak = self.connections_peak.max(open + 1);
        fx.mark(Event::DbConnected.row(), [0; 3], open + 1);
    }

    fn on_data(&mut self, now: Instant, conn: ConnId, bytes: &[u8], fx: &mut Fx<'_>) {
        let Some(mut decoder) = self.conns.take(conn) else { return };
        let intact = decoder.feed_each(bytes, |frame| self.on_query(now, conn, frame, fx));
        if !intact {
            fx.mark(Event::BadRequest.row(), [0; 3], bytes.len() as u64);
        }
        self.conns.settle(conn, decoder, intact, fx);
    }

    /// Takes one query in; false where it is none and the connection must go.
    fn on_query(&mut self, now: Instant, conn: ConnId, frame: &[u8], fx: &mut Fx<'_>) -> bool {
        if wire::decode_query(frame).is_err() {
            return false;
        }
        match draw(&self.config.query, 1, fx) {
            Duration::ZERO => self.answer(conn, frame, fx),
            cost => self.queue.push(now, conn, frame, cost, fx),
        }
        true
    }

    fn work_off(&mut self, fx: &mut Fx<'_>) {
        let done = self.queue.take();
        for served in done.iter() {
            self.answer(served.conn, served.request, fx);
        }
        self.queue.give_back(done);
    }

    fn answer(&mut self, conn: ConnId, query: &[u8], fx: &mut Fx<'_>) {
        if !self.conns.has(conn) {
            // Whoever asked has hung up; the work is lost.
            return fx.mark(Event::DbWasted.row(), [0; 3], 0);
        }
        let (id, key) = wire::decode_query(query).expect("it was read when it arrived");
        let key = <[u8; 8]>::try_from(key).ok().map(u64::from_be_bytes);
        let key = key.filter(|key| *key < self.config.rows);
        let fails = self.config.errors != Ratio::ZERO && fx.rng.chance(self.config.errors);
        self.queries += 1;
        let mut value = Vec::new();
        let found = match key {
            _ if fails => Found::Failed,
            None => Found::NoRow,
            Some(key) => {
                row(key, self.config.row_bytes).write_bytes(&mut value);
                Found::Row(&value)
            }
        };
        fx.mark(Event::DbQuery.row(), [key.unwrap_or(u64::MAX), 0, 0], value.len() as u64);
        fx.write(conn, |out| frame::write(out, |out| found.encode(id, out)));
    }
}

impl Node for Database {
    fn on_input(&mut self, now: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        self.work_off(fx);
        match input {
            Input::Opened { conn, .. } => self.on_opened(conn, fx),
            Input::Data { conn, bytes } => self.on_data(now.mono, conn, bytes, fx),
            Input::Closed { conn, .. } => drop(self.conns.closed(conn)),
            // The queue was worked off already.
            Input::Timer(SERVED) => {}
            // Nobody sends datagrams to a database; a stray one is the world's doing.
            Input::Datagram { .. } => {}
            other => panic!("a database asked for nothing that {other:?} answers"),
        }
        assert!(self.connections() <= self.config.connections_max, "connections are bounded");
    }

    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }

    fn memory_bytes(&self) -> u64 {
        self.conns.buffered_bytes() + self.queue.size_bytes()
    }
}
