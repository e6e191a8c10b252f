//! Queries: everybody is asked, who can answers the asker directly, and over relays as well.

use super::events::fits;
use super::machine::Serf;
use super::ready::{NotSent, QueryKey, Ready};
use super::seen::News;
use super::tables::Event;
use super::wire::{ACK, Answer, Message, NO_BROADCAST, Query, Relay};
use crate::protocol::swim::{Address, Name, State};
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;
use contract::{Duration, Fx, Instant, Now};

/// How a query is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryOptions {
    /// Who is asked; all where it is empty.
    pub nodes: Vec<Name>,
    /// Whether each says that it heard the query.
    pub wants_acks: bool,
    /// Through how many others an answer travels as well.
    pub relay_factor: u32,
    /// How long answers are taken; as the settings say where it is `None`.
    pub timeout: Option<Duration>,
}

/// A query of its own that is open.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    id: u32,
    deadline: Instant,
    acked: BTreeSet<Name>,
    answered: BTreeSet<Name>,
}

/// A query of somebody else that may be answered.
#[derive(Clone, Debug)]
pub(super) struct ToAnswer {
    address: Address,
    relay_factor: u32,
    deadline: Instant,
}

/// Open queries of others that a node remembers, to answer them.
const TO_ANSWER_MAX: usize = 1_024;

impl Serf {
    /// Asks everybody, itself too.
    ///
    /// # Errors
    /// When it is too long, or too much waits already.
    pub fn query(
        &mut self,
        now: Now,
        name: &[u8],
        payload: &[u8],
        options: &QueryOptions,
        fx: &mut Fx<'_>,
    ) -> Result<QueryKey, NotSent> {
        let settings = &self.upper.config.settings;
        let timeout = options.timeout.unwrap_or_else(|| self.query_timeout());
        let key = QueryKey { time: self.upper.query_clock.time(), id: fx.rng.next_u32() >> 1 };
        let query = Query {
            time: key.time,
            id: key.id,
            address: self.upper.config.swim.address.0,
            source: self.swim.name().0,
            nodes: options.nodes.iter().map(|name| name.0).collect(),
            flags: if options.wants_acks { ACK } else { 0 },
            relay_factor: options.relay_factor,
            timeout: timeout.as_nanos(),
            name,
            payload,
        };
        let bytes = Message::Query(query.clone()).shared();
        fits(bytes.len(), u64::from(settings.query_bytes))?;
        if self.upper.query_queue.len() >= settings.queue_depth as usize {
            self.upper.skipped += 1;
            self.mark(fx, Event::BroadcastSkipped, [key.time, 1, 0], bytes.len() as u64);
            return Err(NotSent::QueueFull);
        }
        let asked = Asked {
            id: key.id,
            deadline: now.mono + timeout,
            acked: BTreeSet::new(),
            answered: BTreeSet::new(),
        };
        self.upper.asked.insert(self.kept_under(key), asked);
        fx.set_timer(Self::query_key(key.id), timeout);
        self.mark(fx, Event::Asked, [key.time, u64::from(key.id), 0], timeout.as_nanos());
        self.on_query(now, fx, &query, &bytes);
        Ok(key)
    }

    /// Where a query's answers are kept: two may share a time.
    fn kept_under(&self, key: QueryKey) -> QueryKey {
        let is_shared = self.upper.config.defects.query_time_shared;
        QueryKey { id: if is_shared { 0 } else { key.id }, ..key }
    }

    /// `gossip interval · mult · ⌈log10(n + 1)⌉`.
    fn query_timeout(&self) -> Duration {
        let members = self.swim.members().count();
        let mult = self.upper.config.settings.query_timeout_mult;
        let times = crate::protocol::swim::timeouts::retransmit_limit(mult, members);
        self.upper.config.swim.timing.gossip_interval.saturating_mul(u64::from(times))
    }

    pub(super) fn on_query(&mut self, now: Now, fx: &mut Fx<'_>, query: &Query<'_>, bytes: &[u8]) {
        let upper = &mut self.upper;
        if !upper.config.defects.query_time_shared {
            upper.query_clock.witness(query.time);
        }
        if query.time < upper.query_min {
            return;
        }
        let clock = upper.query_clock.time();
        if upper.queries.hear(query.time, clock, query.id) != News::Fresh {
            return;
        }
        if query.flags & NO_BROADCAST == 0 {
            upper.query_queue.push(Arc::from(bytes));
        }
        let me = self.swim.name();
        if !query.nodes.is_empty() && !query.nodes.contains(&me.0) {
            return;
        }
        let key = QueryKey { time: query.time, id: query.id };
        let to = ToAnswer {
            address: Address(query.address),
            relay_factor: query.relay_factor,
            deadline: now.mono + Duration(query.timeout),
        };
        if query.flags & ACK != 0 {
            self.send_answer(now, fx, key, &to, ACK, &[]);
        }
        self.upper.to_answer.retain(|_, open| open.deadline > now.mono);
        if self.upper.to_answer.len() < TO_ANSWER_MAX {
            self.upper.to_answer.insert(key, to);
        }
        let (name, payload) = (query.name.to_vec(), query.payload.to_vec());
        self.upper.ready.push(Ready::Query { key, name, payload });
    }

    /// Answers a query that was delivered by [`Ready::Query`], once.
    ///
    /// # Errors
    /// When the answer is too long. It has no effect once the time of the query is over.
    pub fn answer(
        &mut self,
        now: Now,
        key: QueryKey,
        payload: &[u8],
        fx: &mut Fx<'_>,
    ) -> Result<(), NotSent> {
        fits(payload.len(), u64::from(self.upper.config.settings.answer_bytes))?;
        let open = self.upper.to_answer.remove(&key).filter(|to| to.deadline > now.mono);
        if let Some(to) = open {
            self.send_answer(now, fx, key, &to, 0, payload);
        }
        Ok(())
    }

    fn send_answer(
        &mut self,
        now: Now,
        fx: &mut Fx<'_>,
        key: QueryKey,
        to: &ToAnswer,
        flags: u32,
        payload: &[u8],
    ) {
        let from = self.swim.name().0;
        let answer = Answer { time: key.time, id: key.id, from, flags, payload };
        if to.address == self.upper.config.swim.address {
            return self.on_answer(now, fx, &answer);
        }
        let bytes = Message::Answer(answer).shared();
        self.swim.send_user(fx, to.address, &bytes);
        let relay = Message::Relay(Relay { address: to.address.0, message: &bytes }).shared();
        for relayer in self.relayers(fx, to) {
            self.swim.send_user(fx, relayer, &relay);
        }
    }

    /// Members at random that pass an answer on; none where there are too few.
    fn relayers(&self, fx: &mut Fx<'_>, to: &ToAnswer) -> Vec<Address> {
        let me = self.swim.name();
        let others = self.swim.members().iter().filter(|member| {
            member.state == State::Alive && member.name != me && member.address != to.address
        });
        let mut others: Vec<Address> = others.map(|member| member.address).collect();
        let wanted = to.relay_factor as usize;
        if others.len() < wanted {
            return Vec::new();
        }
        fx.rng.shuffle(&mut others);
        others.truncate(wanted);
        others
    }

    /// An answer to a query of its own: each member's counts once, and none after the time is over.
    pub(super) fn on_answer(&mut self, now: Now, fx: &mut Fx<'_>, answer: &Answer<'_>) {
        let key = QueryKey { time: answer.time, id: answer.id };
        let kept = self.kept_under(key);
        let counts_twice = self.upper.config.defects.answers_counted_twice;
        let Some(asked) = self.upper.asked.get_mut(&kept) else { return };
        if now.mono >= asked.deadline {
            return;
        }
        let from = Name(answer.from);
        let is_ack = answer.flags & ACK != 0;
        let counted = if is_ack { &mut asked.acked } else { &mut asked.answered };
        if !counted.insert(from) && !counts_twice {
            return;
        }
        let counted_for = asked.id;
        let labels = [u64::from(counted_for), u64::from(answer.id), u64::from(answer.from)];
        if is_ack {
            self.upper.ready.push(Ready::Acked { key, from });
        } else {
            self.mark(fx, Event::Answered, labels, answer.payload.len() as u64);
            let payload = answer.payload.to_vec();
            self.upper.ready.push(Ready::Answer { key, from, payload });
        }
    }

    pub(super) fn on_query_over(&mut self, id: u32) {
        let found = self.upper.asked.iter().find(|(_, asked)| asked.id == id);
        let Some(kept) = found.map(|(key, _)| *key) else { return };
        self.upper.asked.remove(&kept);
        self.upper.ready.push(Ready::QueryDone(QueryKey { id, ..kept }));
    }
}
