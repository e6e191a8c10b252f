//! One node: the membership below, what Serf keeps above it, and where inputs go.

use super::coalesce::Coalescer;
use super::intents::{Intent, Member};
use super::lamport::Lamport;
use super::queries::Asked;
use super::ready::{Change, QueryKey, Ready};
use super::seen::Seen;
use super::settings::Config;
use super::tables::Event;
use super::wire::Message;
use crate::protocol::swim::timeouts::retransmit_limit;
use crate::protocol::swim::{self, Address, Broadcasts, Context, Delegate, Name, Room, Swim};
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use contract::{ConnId, Fx, Now, Refused, TimerKey};
use core::ops::Range;

/// The timer keys of Serf, beside those of SWIM.
pub const TIMERS: Range<u64> = 0x5E4F_0000_0000_0000..0x5E4F_0010_0000_0000;

pub(super) const REAP: TimerKey = TimerKey(TIMERS.start);
pub(super) const RECONNECT: TimerKey = TimerKey(TIMERS.start + 1);
pub(super) const QUEUE_CHECK: TimerKey = TimerKey(TIMERS.start + 2);
pub(super) const LEAVE: TimerKey = TimerKey(TIMERS.start + 3);
pub(super) const COALESCE: TimerKey = TimerKey(TIMERS.start + 4);
pub(super) const QUIESCENT: TimerKey = TimerKey(TIMERS.start + 5);
const QUERY: u64 = TIMERS.start + (1 << 32);

const _: () = assert!(QUERY + (u32::MAX as u64) < TIMERS.end, "every timer is inside the range");
const _: () = assert!(TIMERS.start >= swim::TIMERS.end, "the timers of SWIM are others");

/// One node of a Serf cluster.
#[derive(Clone, Debug)]
pub struct Serf {
    pub(super) swim: Swim,
    pub(super) upper: Upper,
    heard: Vec<swim::Ready>,
}

/// What Serf keeps above the membership.
#[derive(Clone, Debug)]
pub(super) struct Upper {
    pub config: Config,
    pub clock: Lamport,
    pub event_clock: Lamport,
    pub query_clock: Lamport,
    pub members: BTreeMap<Name, Member>,
    pub recent: BTreeMap<Name, Intent>,
    pub events: Seen<OwnEvent>,
    pub queries: Seen<u32>,
    pub event_min: u64,
    pub query_min: u64,
    pub intent_queue: Broadcasts,
    pub query_queue: Broadcasts,
    pub event_queue: Broadcasts,
    pub asked: BTreeMap<QueryKey, Asked>,
    pub to_answer: BTreeMap<QueryKey, super::queries::ToAnswer>,
    pub coalescer: Coalescer,
    pub leaving: Leaving,
    pub skipped: u64,
    pub pruned: u64,
    pub ready: Vec<Ready>,
}

/// An event, as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OwnEvent {
    pub name: Vec<u8>,
    pub payload: Vec<u8>,
    pub coalesces: bool,
}

/// How far the own leaving is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaving {
    /// It stays.
    No,
    /// Its intent is being told.
    Intent,
    /// The membership below is leaving.
    Swim,
    /// It waits until everybody has heard.
    Propagating,
    /// It is out.
    Done,
}

impl Serf {
    /// Boots a node that knows nobody but itself.
    ///
    /// # Errors
    /// When the settings contradict each other.
    pub fn boot(config: Config, now: Now, fx: &mut Fx<'_>) -> Result<Self, Refused> {
        let swim = Swim::boot(config.swim.clone(), now, fx)?;
        let settings = &config.settings;
        for (key, period) in [
            (REAP, settings.reap_interval),
            (RECONNECT, settings.reconnect_interval),
            (QUEUE_CHECK, settings.queue_check_interval),
        ] {
            fx.set_timer(key, period);
        }
        let (events, queries) =
            (Seen::new(settings.event_buffer), Seen::new(settings.query_buffer));
        // A clock that begins at 1 tells a message from none.
        let clock = || {
            let mut clock = Lamport::default();
            clock.increment();
            clock
        };
        let mut upper = Upper {
            clock: clock(),
            event_clock: clock(),
            query_clock: clock(),
            members: BTreeMap::new(),
            recent: BTreeMap::new(),
            events,
            queries,
            event_min: 0,
            query_min: 0,
            intent_queue: Broadcasts::default(),
            query_queue: Broadcasts::default(),
            event_queue: Broadcasts::default(),
            asked: BTreeMap::new(),
            to_answer: BTreeMap::new(),
            coalescer: Coalescer::default(),
            leaving: Leaving::No,
            skipped: 0,
            pruned: 0,
            ready: Vec::new(),
            config,
        };
        upper.members.insert(swim.name(), Member::alive(now.mono));
        Ok(Self { swim, upper, heard: Vec::new() })
    }

    /// As [`Swim::found`].
    pub fn found(
        &mut self,
        now: Now,
        founders: impl IntoIterator<Item = (Name, Address, Vec<u8>)>,
        fx: &mut Fx<'_>,
    ) {
        self.swim.found(now, founders, fx);
        for member in self.swim.members().iter() {
            self.upper.members.insert(member.name, Member::alive(now.mono));
        }
    }

    /// Hands an input to the membership below, and takes up what it says.
    pub(super) fn below(
        &mut self,
        now: Now,
        fx: &mut Fx<'_>,
        input: impl FnOnce(&mut Swim, &mut Context<'_, '_>),
    ) {
        let mut cx = Context { now, fx, delegate: &mut self.upper };
        input(&mut self.swim, &mut cx);
        let mut heard = core::mem::take(&mut self.heard);
        self.swim.drain(&mut heard);
        for one in heard.drain(..) {
            self.take_up(now, fx, one);
        }
        self.heard = heard;
    }

    fn take_up(&mut self, now: Now, fx: &mut Fx<'_>, one: swim::Ready) {
        match one {
            swim::Ready::Joined(name) => self.on_joined(now, fx, name),
            swim::Ready::Left(name) | swim::Ready::Failed(name) => self.on_gone(now, fx, name),
            swim::Ready::Updated(name) => self.tell(fx, name, Change::Updated),
            swim::Ready::User(bytes) => self.on_bytes(now, fx, &bytes),
            swim::Ready::UserState { join, bytes } => self.merge(now, fx, join, &bytes),
            swim::Ready::LeaveDone => self.on_swim_left(fx),
            swim::Ready::Contacted(_) => {
                self.say_join(fx);
                self.upper.ready.push(Ready::Contact { is_reached: true });
            }
            swim::Ready::Unreachable(_) => {
                self.upper.ready.push(Ready::Contact { is_reached: false });
            }
            swim::Ready::Conflict { .. } => {}
        }
    }

    /// A message of another Serf.
    pub(super) fn on_bytes(&mut self, now: Now, fx: &mut Fx<'_>, bytes: &[u8]) {
        match Message::decode(bytes) {
            Ok(Message::Leave(leave)) => {
                if self.on_leave_intent(now, fx, &leave) {
                    self.pass_on_leave(fx, &leave);
                }
            }
            Ok(Message::Join(join)) => {
                if self.on_join_intent(now, &join) {
                    self.pass_on_join(fx, &join);
                }
            }
            Ok(Message::UserEvent(event)) => {
                if self.on_event(fx, &event) {
                    self.upper.event_queue.push(Arc::from(bytes));
                }
            }
            Ok(Message::Query(query)) => self.on_query(now, fx, &query, bytes),
            Ok(Message::Answer(answer)) => self.on_answer(now, fx, &answer),
            Ok(Message::Relay(relay)) => {
                self.swim.send_user(fx, Address(relay.address), relay.message);
            }
            // Exchanges of everything carry it.
            Ok(Message::PushPull(_)) => {}
            Err(_) => self.mark(fx, Event::DecodeError, [0; 3], bytes.len() as u64),
        }
    }

    /// Handles a packet.
    pub fn on_datagram(&mut self, now: Now, packet: &[u8], fx: &mut Fx<'_>) {
        self.below(now, fx, |swim, cx| swim.on_datagram(cx, packet));
    }

    /// Whether a timer is Serf's, or that of the membership below.
    #[must_use]
    pub fn owns_timer(key: TimerKey) -> bool {
        TIMERS.contains(&key.0) || Swim::owns_timer(key)
    }

    /// Handles a timer.
    pub fn on_timer(&mut self, now: Now, key: TimerKey, fx: &mut Fx<'_>) {
        if Swim::owns_timer(key) {
            return self.below(now, fx, |swim, cx| swim.on_timer(cx, key));
        }
        assert!(Self::owns_timer(key), "a timer of somebody else");
        match key {
            REAP => self.on_reap(now, fx),
            RECONNECT => self.on_reconnect(now, fx),
            QUEUE_CHECK => self.on_queue_check(fx),
            LEAVE => self.on_leave_timer(now, fx),
            COALESCE | QUIESCENT => self.on_coalesced(fx),
            TimerKey(key) => self.on_query_over(key as u32),
        }
    }

    pub(super) const fn query_key(id: u32) -> TimerKey {
        TimerKey(QUERY + id as u64)
    }

    /// Whether a connection is that of the membership below.
    #[must_use]
    pub fn owns_conn(&self, conn: ConnId) -> bool {
        self.swim.owns_conn(conn)
    }

    /// A connection is open: one of its own, or one of another member.
    pub fn on_opened(&mut self, now: Now, conn: ConnId, fx: &mut Fx<'_>) {
        self.below(now, fx, |swim, cx| swim.on_opened(cx, conn));
    }

    /// Bytes arrived on a connection.
    pub fn on_data(&mut self, now: Now, conn: ConnId, bytes: &[u8], fx: &mut Fx<'_>) {
        self.below(now, fx, |swim, cx| swim.on_data(cx, conn, bytes));
    }

    /// A connection is gone.
    pub fn on_closed(&mut self, now: Now, conn: ConnId, fx: &mut Fx<'_>) {
        self.below(now, fx, |swim, cx| swim.on_closed(cx, conn));
    }

    /// Becomes a member where one of the contacts is one.
    pub fn join(&mut self, now: Now, contacts: &[Address], fx: &mut Fx<'_>) {
        self.below(now, fx, |swim, cx| swim.join(cx, contacts));
    }

    /// Moves what the owner must know into `out`.
    pub fn drain(&mut self, out: &mut Vec<Ready>) {
        out.append(&mut self.upper.ready);
    }

    pub(super) fn mark(&self, fx: &mut Fx<'_>, event: Event, labels: [u64; 3], value: u64) {
        fx.mark(event.above(self.upper.config.events), labels, value);
    }
}

impl Delegate for Upper {
    /// Intents first, then queries, then events.
    fn broadcasts(&mut self, room: Room, members: u64, out: &mut Vec<Arc<[u8]>>) {
        let limit = retransmit_limit(self.config.swim.timing.retransmit_mult, members);
        let mut room = room;
        for queue in [&mut self.intent_queue, &mut self.query_queue, &mut self.event_queue] {
            room.bytes -= queue.take(room, limit, out);
        }
    }

    fn oversize(&mut self, bytes: usize, members: u64) -> Option<Arc<[u8]>> {
        let limit = retransmit_limit(self.config.swim.timing.retransmit_mult, members);
        let queries = self.query_queue.take_oversize(bytes, limit);
        queries.or_else(|| self.event_queue.take_oversize(bytes, limit))
    }

    fn local_state(&self, _: bool, out: &mut Vec<u8>) {
        self.encode_state(out);
    }
}
