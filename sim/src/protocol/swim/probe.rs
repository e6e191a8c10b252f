//! Probing: one member per interval, directly, then through others (swim-paper §4.1), at a pace that
//! suits the node's own health (Lifeguard §IV-A).

use super::machine::{PROBE, PROBE_DEADLINE, PROBE_TIMEOUT, Swim};
use super::member::{Address, Draw, Member, Name, State, is_reapable};
use super::ready::Context;
use super::tables::Event;
use super::wire::{Ack, IndirectPing, Message, Nack, Part, Ping, Suspect};
use alloc::vec::Vec;
use contract::{Fx, Instant};

/// The probe under way.
#[derive(Clone, Debug)]
pub struct Probe {
    target: Name,
    address: Address,
    sequence: u32,
    sent: Instant,
    deadline: Instant,
    /// Whether others were asked.
    is_indirect: bool,
    nacks_expected: u32,
    nacks: u32,
    pub(super) stream_answered: bool,
}

/// A probe for somebody else.
#[derive(Clone, Debug)]
pub struct Relay {
    sequence: u32,
    to: Address,
    nack: bool,
}

impl Swim {
    pub(super) fn on_probe_tick(&mut self, cx: &mut Context<'_, '_>) {
        cx.fx.set_timer(PROBE, self.config.timing.probe_interval);
        if let Some(probe) = &self.probe {
            // The last one goes on longer: the node mistrusts itself, and misses this turn.
            if probe.deadline > cx.now.mono {
                return;
            }
            self.on_probe_deadline(cx);
        }
        if let Some((target, address, state, incarnation)) = self.next_target(cx) {
            self.begin_probe(cx, target, address);
            self.ping(cx, target, address, (state, incarnation));
        }
    }

    /// The next member that is not gone, in the order of this round.
    fn next_target(&mut self, cx: &mut Context<'_, '_>) -> Option<(Name, Address, State, u32)> {
        let me = self.config.me;
        for _ in 0..=self.members.count() {
            if self.probe_next >= self.members.count() as usize {
                self.probe_next = 0;
                self.begin_round(cx);
            }
            let place = match self.config.defects.never_shuffles_fairly {
                true => cx.fx.rng.below(self.members.count()) as usize,
                false => self.probe_next,
            };
            self.probe_next += 1;
            let member = self.members.at(place)?;
            if member.name != me && !member.state.is_gone() {
                return Some((member.name, member.address, member.state, member.incarnation));
            }
        }
        None
    }

    /// A new round: old tombstones go, and the order is drawn anew.
    fn begin_round(&mut self, cx: &mut Context<'_, '_>) {
        let (now, keep) = (cx.now.mono, self.config.timing.gossip_to_the_dead);
        let keeps_left = self.config.defects.left_never_reaped;
        let before = self.members.count();
        self.members.retain(|member| {
            !is_reapable(member, now, keep) || (keeps_left && member.state == State::Left)
        });
        self.reaped_at = now;
        self.members.shuffle(cx.fx.rng);
        let reaped = before - self.members.count();
        if reaped > 0 {
            self.mark(cx.fx, Event::Reaped, [0; 3], reaped);
        }
    }

    fn begin_probe(&mut self, cx: &mut Context<'_, '_>, target: Name, address: Address) {
        let (sequence, timing) = (self.next_sequence(), &self.config.timing);
        let allowed = self.awareness.scale(timing.probe_interval);
        cx.fx.set_timer(PROBE_TIMEOUT, timing.probe_timeout);
        cx.fx.set_timer(PROBE_DEADLINE, allowed);
        self.probe = Some(Probe {
            target,
            address,
            sequence,
            sent: cx.now.mono,
            deadline: cx.now.mono + allowed,
            is_indirect: false,
            nacks_expected: 0,
            nacks: 0,
            stream_answered: false,
        });
    }

    /// Asks the target. One that is suspected is told in the same packet, so that it refutes at once.
    fn ping(
        &mut self,
        cx: &mut Context<'_, '_>,
        target: Name,
        address: Address,
        (state, incarnation): (State, u32),
    ) {
        let ping = Message::Ping(self.ping_of(self.sequence, target)).shared();
        let is_suspect = state == State::Suspect;
        if is_suspect {
            let suspect = Suspect { incarnation, node: target.0, from: self.config.me.0 };
            let suspect = Message::Suspect(suspect).shared();
            self.send_parts(cx.fx, address, &[Part::Core(&ping), Part::Core(&suspect)]);
        } else {
            self.send(cx, address, &ping);
        }
        self.mark(cx.fx, Event::Probed, [u64::from(target.0), u64::from(is_suspect), 0], 0);
    }

    pub(super) fn ping_of(&self, seq: u32, target: Name) -> Ping {
        let (source_address, source) = (self.config.address.0, self.config.me.0);
        Ping { seq, node: target.0, source_address, source }
    }

    /// No answer so far: others are asked, and a stream is tried.
    pub(super) fn on_probe_timeout(&mut self, cx: &mut Context<'_, '_>) {
        let Some(probe) = &mut self.probe else { return };
        probe.is_indirect = true;
        let (target, address, sequence) = (probe.target, probe.address, probe.sequence);
        let helpers = self.helpers(cx.fx, target);
        let asked = helpers.len() as u64;
        let request = Message::IndirectPing(IndirectPing {
            seq: sequence,
            target: address.0,
            node: target.0,
            nack: true,
            source_address: self.config.address.0,
            source: self.config.me.0,
        });
        let request = request.shared();
        for (_, helper) in helpers {
            self.send(cx, helper, &request);
        }
        if let Some(probe) = &mut self.probe {
            probe.nacks_expected = asked as u32;
        }
        if self.config.timing.stream_ping {
            self.open_ping(cx, address, sequence);
        }
        let (me, most) = (self.config.me, u64::from(self.config.timing.indirect_checks));
        let fit = |member: &&Member| is_helper(member, me, target);
        let eligible = (self.members.iter().filter(fit).count() as u64).min(most);
        self.mark(cx.fx, Event::HelpersAsked, [u64::from(target.0), eligible, 0], asked);
    }

    fn helpers(&self, fx: &mut Fx<'_>, target: Name) -> Vec<(Name, Address)> {
        let (me, count) = (self.config.me, self.config.timing.indirect_checks as usize);
        let draw = match self.config.defects.misses_helpers {
            true => Draw::Capped,
            false => Draw::Exhaustive,
        };
        self.members.random(count, draw, fx.rng, |member| is_helper(member, me, target))
    }

    /// The time is over.
    pub(super) fn on_probe_deadline(&mut self, cx: &mut Context<'_, '_>) {
        let Some(probe) = self.probe.take() else { return };
        cx.fx.cancel_timer(PROBE_TIMEOUT);
        cx.fx.cancel_timer(PROBE_DEADLINE);
        let target = u64::from(probe.target.0);
        if probe.stream_answered {
            // Datagrams do not arrive, and the member lives: a warning.
            self.mark(cx.fx, Event::ProbeAnswered, [target, 2, 0], 0);
            self.awareness.apply(-1);
            return;
        }
        // Helpers that say nothing at all mean that the trouble is here.
        let missed = i64::from(probe.nacks_expected) - i64::from(probe.nacks);
        self.awareness.apply(if probe.nacks_expected > 0 { missed.max(0) } else { 1 });
        let score = u64::from(self.awareness.score());
        self.mark(cx.fx, Event::ProbeFailed, [target, score, 0], 0);
        let Some(member) = self.members.get(probe.target) else { return };
        let (incarnation, node) = (member.incarnation, probe.target.0);
        self.suspect(cx, &Suspect { incarnation, node, from: self.config.me.0 });
    }

    /// Somebody asks whether this node lives. A question to another name is not answered.
    pub(super) fn on_ping(&mut self, cx: &mut Context<'_, '_>, ping: &Ping) {
        if ping.node != self.config.me.0 {
            return;
        }
        let ack = Message::Ack(Ack { seq: ping.seq }).shared();
        self.send(cx, Address(ping.source_address), &ack);
    }

    /// Somebody asks this node to probe another.
    pub(super) fn on_indirect_ping(&mut self, cx: &mut Context<'_, '_>, ask: &IndirectPing) {
        let sequence = self.next_sequence();
        let relay = Relay { sequence: ask.seq, to: Address(ask.source_address), nack: ask.nack };
        self.relays.insert(sequence, relay);
        cx.fx.set_timer(Self::relay_key(sequence), self.config.timing.probe_timeout);
        let ping = Message::Ping(self.ping_of(sequence, Name(ask.node))).shared();
        self.send(cx, Address(ask.target), &ping);
    }

    pub(super) fn on_relay_timeout(&mut self, cx: &mut Context<'_, '_>, sequence: u32) {
        let Some(relay) = self.relays.remove(&sequence) else { return };
        if relay.nack {
            let nack = Message::Nack(Nack { seq: relay.sequence }).shared();
            self.send(cx, relay.to, &nack);
        }
    }

    pub(super) fn on_ack(&mut self, cx: &mut Context<'_, '_>, sequence: u32) {
        if let Some(relay) = self.relays.remove(&sequence) {
            cx.fx.cancel_timer(Self::relay_key(sequence));
            let ack = Message::Ack(Ack { seq: relay.sequence }).shared();
            self.send(cx, relay.to, &ack);
            return;
        }
        let Some(probe) = self.probe.take_if(|probe| probe.sequence == sequence) else { return };
        cx.fx.cancel_timer(PROBE_TIMEOUT);
        cx.fx.cancel_timer(PROBE_DEADLINE);
        self.awareness.apply(-1);
        let rtt = cx.now.mono.since(probe.sent);
        let how = u64::from(probe.is_indirect);
        let labels = [u64::from(probe.target.0), how, 0];
        self.mark(cx.fx, Event::ProbeAnswered, labels, rtt.as_nanos());
    }

    pub(super) fn on_nack(&mut self, sequence: u32) {
        if let Some(probe) = self.probe.as_mut().filter(|probe| probe.sequence == sequence) {
            probe.nacks = (probe.nacks + 1).min(probe.nacks_expected);
        }
    }

    pub(super) fn on_stream_ack(&mut self, sequence: u32) {
        if let Some(probe) = self.probe.as_mut().filter(|probe| probe.sequence == sequence) {
            probe.stream_answered = true;
        }
    }
}

fn is_helper(member: &Member, me: Name, target: Name) -> bool {
    member.state == State::Alive && member.name != me && member.name != target
}
