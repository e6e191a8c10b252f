//! What is sent, and what travels with it: every packet has room for messages that wait.

use super::broadcasts::Room;
use super::machine::{GOSSIP, Swim};
use super::member::{Address, Draw, State};
use super::ready::Context;
use super::timeouts::retransmit_limit;
use super::wire::{
    CHECKSUM_BYTES, COMPOUND_BYTES, PART_BYTES, PARTS_MAX, Part, USER_BYTES, packet,
};
use alloc::sync::Arc;
use alloc::vec::Vec;
use contract::Fx;

/// Messages that wait, as packets share them.
type Messages = Vec<Arc<[u8]>>;

impl Swim {
    /// Gossips to some members at random; the dead are told for a while, so that they may object.
    pub(super) fn on_gossip_tick(&mut self, cx: &mut Context<'_, '_>) {
        let timing = &self.config.timing;
        cx.fx.set_timer(GOSSIP, timing.gossip_interval);
        let (me, now, told) = (self.config.me, cx.now.mono, timing.gossip_to_the_dead);
        let count = timing.gossip_nodes as usize;
        let targets = self.members.random(count, Draw::Exhaustive, cx.fx.rng, |member| {
            member.name != me
                && match member.state {
                    State::Alive | State::Suspect => true,
                    State::Dead => now.since(member.since) <= told,
                    State::Left => false,
                }
        });
        for (_, address) in targets {
            let (core, user) = self.waiting(cx, &[]);
            let long = cx.delegate.oversize(self.room_for_user(), self.members.count());
            if let Some(long) = &long {
                self.send_parts(cx.fx, address, &[Part::User(long)]);
            }
            if !core.is_empty() || !user.is_empty() {
                self.send_all(cx.fx, address, None, &core, &user);
            } else if long.is_none() {
                break;
            }
        }
    }

    /// Sends a message, and what waits as far as there is room.
    pub(super) fn send(&mut self, cx: &mut Context<'_, '_>, to: Address, message: &[u8]) {
        let (core, user) = self.waiting(cx, message);
        self.send_all(cx.fx, to, Some(message), &core, &user);
    }

    fn send_all(
        &mut self,
        fx: &mut Fx<'_>,
        to: Address,
        first: Option<&[u8]>,
        core: &[Arc<[u8]>],
        user: &[Arc<[u8]>],
    ) {
        let first = first.map(Part::Core).into_iter();
        let core = core.iter().map(|bytes| Part::Core(bytes));
        let user = user.iter().map(|bytes| Part::User(bytes));
        let parts: Vec<Part<'_>> = first.chain(core).chain(user).collect();
        self.send_parts(fx, to, &parts);
    }

    /// Sends a message of the owner to one member.
    pub fn send_user(&mut self, fx: &mut Fx<'_>, to: Address, bytes: &[u8]) {
        self.send_parts(fx, to, &[Part::User(bytes)]);
    }

    pub(super) fn send_parts(&mut self, fx: &mut Fx<'_>, to: Address, parts: &[Part<'_>]) {
        let Some(node) = self.node_at(to) else { return };
        let span = fx.datagram(node, |out| packet(out, parts.iter().copied()));
        if parts.len() > 1 {
            self.packet_bytes_peak = self.packet_bytes_peak.max(u64::from(span.len()));
        }
    }

    /// What travels beside `first`: messages of the protocol before those of the owner.
    fn waiting(&mut self, cx: &mut Context<'_, '_>, first: &[u8]) -> (Messages, Messages) {
        let (mut core, mut user) = (Vec::new(), Vec::new());
        let members = self.members.count();
        let counts = !self.config.defects.ignores_overhead;
        let overhead = if counts { PART_BYTES } else { 0 };
        let head = CHECKSUM_BYTES + COMPOUND_BYTES;
        let head = if counts { head + if first.is_empty() { 0 } else { PART_BYTES } } else { 0 };
        let bytes = self.config.timing.packet_bytes as usize - head;
        let Some(bytes) = bytes.checked_sub(first.len()) else { return (core, user) };
        let count_max = PARTS_MAX - 1;
        let limit = retransmit_limit(self.config.timing.retransmit_mult, members);
        let used = self.queue.take(Room { overhead, bytes, count_max }, limit, &mut core);
        let room = Room {
            overhead: overhead + USER_BYTES,
            bytes: bytes - used,
            count_max: count_max - core.len(),
        };
        cx.delegate.broadcasts(room, members, &mut user);
        (core, user)
    }

    /// The longest message of the owner that can share a packet.
    fn room_for_user(&self) -> usize {
        let head = CHECKSUM_BYTES + COMPOUND_BYTES + PART_BYTES + USER_BYTES;
        self.config.timing.packet_bytes as usize - head
    }
}
