//! Read-through: what the cache does not hold is loaded from the database, answered, and kept.
//!
//! The value is kept by a command of its own in the log, which stores it only where nothing was
//! written meanwhile: a slow load must not overwrite a newer write (Nishtala et al., "Scaling
//! Memcache at Facebook", NSDI 2013, §3.2.1). Its time to live is staggered, so that what was loaded
//! together does not expire together.

use super::super::command::{Command, Write};
use super::super::database::wire::Found;
use super::super::wire::Answer;
use super::pool::{Answered, Pool};
use super::requests::answer;
use super::{Requester, Server};
use crate::protocol::cache::entry::Key;
use crate::protocol::raft::Role;
use crate::protocol::session::Session;
use alloc::sync::Arc;
use alloc::vec::Vec;
use contract::{ConnId, Duration, Fx, Now, TimerKey};

impl Server {
    /// Loads what a read did not find; false where this node has no database.
    pub(super) fn load(
        &mut self,
        now: Now,
        requester: Requester,
        key: &Key,
        fx: &mut Fx<'_>,
    ) -> bool {
        let Some(pool) = &mut self.pool else {
            return false;
        };
        if !pool.ask(now, key, requester, fx) {
            answer(&mut self.metrics, requester, &Answer::Unavailable, fx);
        }
        true
    }

    /// Bytes from the database.
    pub(super) fn on_rows(&mut self, now: Now, conn: ConnId, bytes: &[u8], fx: &mut Fx<'_>) {
        self.with_pool(now, fx, |pool, fx, done| pool.on_data(conn, bytes, fx, done));
    }

    /// A connection to the database is gone.
    pub(super) fn on_database_closed(&mut self, now: Now, conn: ConnId, fx: &mut Fx<'_>) {
        self.with_pool(now, fx, |pool, fx, done| pool.on_closed(conn, fx, done));
    }

    /// A timer of the pool.
    pub(super) fn on_pool_timer(&mut self, now: Now, key: TimerKey, fx: &mut Fx<'_>) {
        self.with_pool(now, fx, |pool, fx, done| match key {
            super::timers::POOL_CREATED => pool.on_created(fx),
            _ => pool.on_query_timer(now, fx, done),
        });
    }

    /// Lets the pool do something, answers those whose queries ended by it, and keeps what they
    /// found.
    fn with_pool(
        &mut self,
        now: Now,
        fx: &mut Fx<'_>,
        act: impl FnOnce(&mut Pool, &mut Fx<'_>, &mut dyn FnMut(Answered<'_>, &mut Fx<'_>)),
    ) {
        let mut pool = self.pool.take().expect("only a pool has connections to a database");
        act(&mut pool, fx, &mut |answered, fx| self.on_loaded(now, &answered, fx));
        self.pool = Some(pool);
    }

    fn on_loaded(&mut self, now: Now, answered: &Answered<'_>, fx: &mut Fx<'_>) {
        let said = match answered.found {
            Found::Row(value) => {
                Answer::Found { version: 0, stale: false, hint: Duration::ZERO, value }
            }
            Found::NoRow => Answer::Missing,
            Found::Failed => Answer::Unavailable,
        };
        for requester in &answered.requesters {
            if said == Answer::Unavailable && self.serve_what_is_over(*requester, &answered.key, fx)
            {
                continue;
            }
            answer(&mut self.metrics, *requester, &said, fx);
        }
        if let Found::Row(value) = answered.found {
            self.keep(now, &answered.key, value, fx);
        }
    }

    /// Proposes to keep a loaded value. Only a leader can; elsewhere the next read loads it again.
    fn keep(&mut self, now: Now, key: &Key, value: &[u8], fx: &mut Fx<'_>) {
        if self.raft.role() != Role::Leader {
            return;
        }
        let ttl = self.fill_ttl(fx);
        let write = Write::Fill { value, ttl, overwrites: self.config.defects.fill_overwrites };
        let command = Command {
            session: Session { client: 0, epoch: 0 },
            seq: 0,
            key: key.as_bytes(),
            write,
        };
        let mut bytes = Vec::new();
        command.encode(&mut bytes);
        self.make_room(now, key.as_bytes(), value, fx);
        if let Ok(log_id) = self.raft.propose(now, Arc::from(bytes), fx) {
            self.takes_room(log_id, key.as_bytes(), value);
        }
    }

    /// `base + rand(0, stagger of base)`.
    fn fill_ttl(&self, fx: &mut Fx<'_>) -> Option<Duration> {
        let base = self.config.fill_ttl?;
        let ppm = u128::from(self.config.ttl_stagger.ppm());
        let spread = (u128::from(base.as_nanos()) * ppm / 1_000_000) as u64;
        let extra = if spread > 0 { fx.rng.below(spread) } else { 0 };
        Some(base + Duration(extra))
    }
}
