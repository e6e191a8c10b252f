//! One member: what it holds, how it boots, and where its inputs go.

use super::awareness::Awareness;
use super::broadcasts::Broadcasts;
use super::member::{Address, Member, Members, Name, State};
use super::probe::{Probe, Relay};
use super::push_pull::Streams;
use super::ready::{Context, Ready};
use super::settings::Config;
use super::suspicion::Suspicion;
use super::tables::Event;
use super::wire::{self, Message};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use contract::{Fx, Instant, NodeId, Now, Refused, TimerKey};
use core::ops::Range;

/// The timer keys of SWIM; the owner has none among them.
pub const TIMERS: Range<u64> = 0x5717_0000_0000_0000..0x5717_0010_0000_0000;

pub(super) const PROBE: TimerKey = TimerKey(TIMERS.start);
pub(super) const PROBE_TIMEOUT: TimerKey = TimerKey(TIMERS.start + 1);
pub(super) const PROBE_DEADLINE: TimerKey = TimerKey(TIMERS.start + 2);
pub(super) const GOSSIP: TimerKey = TimerKey(TIMERS.start + 3);
pub(super) const PUSH_PULL: TimerKey = TimerKey(TIMERS.start + 4);
const SUSPICION: u64 = TIMERS.start + (1 << 32);
const RELAY: u64 = TIMERS.start + (2 << 32);
const STREAM: u64 = TIMERS.start + (3 << 32);

const _: () = assert!(STREAM + u32::MAX as u64 == TIMERS.start + (4 << 32) - 1);
const _: () = assert!(STREAM + (u32::MAX as u64) < TIMERS.end, "every timer is inside the range");

/// One member of a cluster.
///
/// **Invariant:** members are named by numbers and addresses by positions, on the wire and in
/// state. A `NodeId` appears only where something is sent.
#[derive(Clone, Debug)]
pub struct Swim {
    pub(super) config: Config,
    pub(super) incarnation: u32,
    pub(super) sequence: u32,
    pub(super) awareness: Awareness,
    pub(super) members: Members,
    pub(super) suspicions: BTreeMap<Name, Suspicion>,
    pub(super) queue: Broadcasts,
    pub(super) probe: Option<Probe>,
    pub(super) probe_next: usize,
    pub(super) relays: BTreeMap<u32, Relay>,
    pub(super) streams: Streams,
    pub(super) is_leaving: bool,
    pub(super) leave_told: bool,
    pub(super) packet_bytes_peak: u64,
    pub(super) reaped_at: Instant,
    pub(super) ready: Vec<Ready>,
}

impl Swim {
    /// Boots a member that knows nobody but itself.
    ///
    /// # Errors
    /// When the settings contradict each other.
    pub fn boot(config: Config, now: Now, fx: &mut Fx<'_>) -> Result<Self, Refused> {
        config.check()?;
        let timing = config.timing.clone();
        let mut swim = Self {
            incarnation: 1,
            sequence: 0,
            awareness: Awareness::new(timing.awareness_max),
            members: Members::default(),
            suspicions: BTreeMap::new(),
            queue: Broadcasts::default(),
            probe: None,
            probe_next: 0,
            relays: BTreeMap::new(),
            streams: Streams::default(),
            is_leaving: false,
            leave_told: false,
            packet_bytes_peak: 0,
            reaped_at: now.mono,
            ready: Vec::new(),
            config,
        };
        let me = Member {
            name: swim.config.me,
            address: swim.config.address,
            incarnation: swim.incarnation,
            state: State::Alive,
            since: now.mono,
            meta: swim.config.meta.clone(),
        };
        swim.members.insert(me, fx.rng);
        swim.tell_alive();
        // Each task begins at a random time of its first period, so that members do not act together.
        for (key, period) in [
            (PROBE, timing.probe_interval),
            (GOSSIP, timing.gossip_interval),
            (PUSH_PULL, timing.push_pull_interval),
        ] {
            let stagger = fx.rng.below(period.as_nanos() + 1);
            fx.set_timer(key, contract::Duration(stagger));
        }
        Ok(swim)
    }

    /// Takes members for alive in their first incarnation, as if from an earlier exchange: a cluster
    /// that is there already. Nothing is told of them. Only right after the boot.
    pub fn found(
        &mut self,
        now: Now,
        founders: impl IntoIterator<Item = (Name, Address, Vec<u8>)>,
        fx: &mut Fx<'_>,
    ) {
        assert!(self.members.count() == 1, "a cluster is founded before anything is heard");
        self.queue = Broadcasts::default();
        for (name, address, meta) in founders {
            if name != self.config.me {
                let (state, since) = (State::Alive, now.mono);
                let member = Member { name, address, incarnation: 1, state, since, meta };
                self.members.insert(member, fx.rng);
            }
        }
    }

    /// Handles a packet. Damaged ones are counted and dropped.
    pub fn on_datagram(&mut self, cx: &mut Context<'_, '_>, packet: &[u8]) {
        let read = wire::parts(packet, |part| {
            let message = Message::decode(part)?;
            self.on_message(cx, message);
            Ok(())
        });
        if read.is_err() {
            self.mark(cx.fx, Event::DecodeError, [0; 3], packet.len() as u64);
        }
        self.check_leave();
    }

    fn on_message(&mut self, cx: &mut Context<'_, '_>, message: Message<'_>) {
        match message {
            Message::Ping(ping) => self.on_ping(cx, &ping),
            Message::IndirectPing(ping) => self.on_indirect_ping(cx, &ping),
            Message::Ack(ack) => self.on_ack(cx, ack.seq),
            Message::Nack(nack) => self.on_nack(nack.seq),
            Message::Suspect(suspect) => self.suspect(cx, &suspect),
            Message::Alive(alive) => self.alive(cx, &alive),
            Message::Dead(dead) => self.dead(cx, &dead),
            Message::User(bytes) => self.ready.push(Ready::User(bytes.to_vec())),
            // Only streams carry it.
            Message::PushPull(_) => {}
        }
    }

    /// Whether a timer is SWIM's: hand it to [`Swim::on_timer`].
    #[must_use]
    pub fn owns_timer(key: TimerKey) -> bool {
        TIMERS.contains(&key.0)
    }

    /// Handles a timer.
    pub fn on_timer(&mut self, cx: &mut Context<'_, '_>, key: TimerKey) {
        assert!(Self::owns_timer(key), "a timer of somebody else");
        match key {
            PROBE => self.on_probe_tick(cx),
            PROBE_TIMEOUT => self.on_probe_timeout(cx),
            PROBE_DEADLINE => self.on_probe_deadline(cx),
            GOSSIP => self.on_gossip_tick(cx),
            PUSH_PULL => self.on_push_pull_tick(cx),
            TimerKey(key) => match (key - TIMERS.start) >> 32 {
                1 => self.on_suspicion_expired(cx, Name(key as u32)),
                2 => self.on_relay_timeout(cx, key as u32),
                _ => self.on_stream_timeout(cx, key as u32),
            },
        }
        self.check_leave();
    }

    pub(super) const fn suspicion_key(name: Name) -> TimerKey {
        TimerKey(SUSPICION + name.0 as u64)
    }

    pub(super) const fn relay_key(sequence: u32) -> TimerKey {
        TimerKey(RELAY + sequence as u64)
    }

    pub(super) const fn stream_key(number: u32) -> TimerKey {
        TimerKey(STREAM + number as u64)
    }

    /// Moves what the owner must know into `out`.
    pub fn drain(&mut self, out: &mut Vec<Ready>) {
        out.append(&mut self.ready);
    }

    pub(super) fn next_sequence(&mut self) -> u32 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }

    /// The node at an address; `None` where the address is none, or the own one.
    pub(super) fn node_at(&self, address: Address) -> Option<NodeId> {
        let is_other = address != self.config.address;
        self.config.addresses.get(address.0 as usize).copied().filter(|_| is_other)
    }

    pub(super) fn mark(&self, fx: &mut Fx<'_>, event: Event, labels: [u64; 3], value: u64) {
        fx.mark(event.above(self.config.events), labels, value);
    }
}
