//! The states of members, and which message beats which (swim-paper §4.2; memberlist `state.go`).
//!
//! `alive(i)` beats `suspect(j)` and `dead(j)` where `i > j`; `suspect(i)` beats `alive(j)` and
//! `dead(i)` both where `i ≥ j`. Only a member itself raises its incarnation.

use super::machine::Swim;
use super::member::{Address, Member, Name, State};
use super::ready::{Context, Ready};
use super::suspicion::Suspicion;
use super::tables::Event;
use super::timeouts::suspicion_min;
use super::wire::{Alive, Dead, Message, Suspect};
use contract::{Fx, Instant};

/// Beside the keys of names in the queue: only where a refutation is keyed apart by a defect.
const KEYED_APART: u64 = 1 << 40;

impl Swim {
    /// Somebody lives.
    pub(super) fn alive(&mut self, cx: &mut Context<'_, '_>, alive: &Alive<'_>) {
        let name = Name(alive.node);
        let is_self = name == self.config.me;
        if is_self && self.is_leaving {
            return;
        }
        if self.config.defects.old_alive_clears {
            self.forget_suspicion(cx.fx, name);
        }
        if self.members.get(name).is_none() {
            self.take_in(cx, alive);
        }
        let Some(moved) = self.may_come_from(cx, alive) else { return };
        let known = self.members.get(name).expect("it was just taken in");
        let is_old = match is_self {
            true => alive.incarnation < known.incarnation,
            false => alive.incarnation <= known.incarnation && !moved,
        };
        if is_old {
            return;
        }
        self.forget_suspicion(cx.fx, name);
        if is_self {
            self.hear_of_self(cx, alive);
        } else {
            self.believe(cx, alive);
        }
    }

    /// Begins to know a member, as one that is dead until the message is believed.
    fn take_in(&mut self, cx: &mut Context<'_, '_>, alive: &Alive<'_>) {
        let member = Member {
            name: Name(alive.node),
            address: Address(alive.address),
            incarnation: 0,
            state: State::Dead,
            since: cx.now.mono,
            meta: alive.meta.to_vec(),
        };
        self.members.insert(member, cx.fx.rng);
    }

    /// Whether the member is at another address now; `None` where that is not to be believed.
    fn may_come_from(&mut self, cx: &mut Context<'_, '_>, alive: &Alive<'_>) -> Option<bool> {
        let known = self.members.get(Name(alive.node))?;
        let claimed = Address(alive.address);
        if known.address == claimed {
            return Some(false);
        }
        let reclaim = self.config.timing.dead_node_reclaim;
        let is_old = cx.now.mono.since(known.since) > reclaim && reclaim > contract::Duration::ZERO;
        if known.state == State::Left || (known.state == State::Dead && is_old) {
            return Some(true);
        }
        let name = known.name;
        self.mark(cx.fx, Event::Conflict, [u64::from(name.0), u64::from(claimed.0), 0], 0);
        self.ready.push(Ready::Conflict { name, claimed });
        None
    }

    /// What others say that this node says of itself must be what it says.
    fn hear_of_self(&mut self, cx: &mut Context<'_, '_>, alive: &Alive<'_>) {
        let defects = self.config.defects;
        let is_equal = alive.incarnation == self.incarnation;
        let is_same = alive.meta == self.config.meta || defects.compares_incarnation_only;
        if (is_equal && is_same) || defects.ignores_alive_about_self {
            return;
        }
        self.refute(cx, alive.incarnation);
    }

    fn believe(&mut self, cx: &mut Context<'_, '_>, alive: &Alive<'_>) {
        let name = Name(alive.node);
        self.queue.about(name, Message::Alive(alive.clone()).shared());
        let now = cx.now.mono;
        let (mut before, mut has_new_meta) = (State::Alive, false);
        self.members.change(name, |member| {
            before = member.state;
            has_new_meta = member.meta != alive.meta;
            member.incarnation = alive.incarnation;
            member.address = Address(alive.address);
            if has_new_meta {
                member.meta = alive.meta.to_vec();
            }
            if member.state != State::Alive {
                (member.state, member.since) = (State::Alive, now);
            }
        });
        let labels = [u64::from(name.0), u64::from(alive.incarnation), 0];
        if before.is_gone() {
            self.mark(cx.fx, Event::Joined, labels, 0);
            self.ready.push(Ready::Joined(name));
        } else {
            self.mark(cx.fx, Event::Renewed, labels, u64::from(before == State::Suspect));
            if has_new_meta {
                self.ready.push(Ready::Updated(name));
            }
        }
    }

    /// Somebody is suspected.
    pub(super) fn suspect(&mut self, cx: &mut Context<'_, '_>, suspect: &Suspect) {
        let (name, from) = (Name(suspect.node), Name(suspect.from));
        let Some(known) = self.members.get(name) else { return };
        if suspect.incarnation < known.incarnation {
            return;
        }
        let state = known.state;
        if self.suspicions.contains_key(&name) {
            self.confirm(cx, suspect, from);
            return;
        }
        if state != State::Alive {
            return;
        }
        if name == self.config.me {
            if !self.config.defects.never_refutes {
                self.refute(cx, suspect.incarnation);
            }
            return;
        }
        self.queue.about(name, Message::Suspect(suspect.clone()).shared());
        let now = cx.now.mono;
        self.members.change(name, |member| {
            member.incarnation = suspect.incarnation;
            (member.state, member.since) = (State::Suspect, now);
        });
        let suspicion = self.new_suspicion(from, now);
        cx.fx.set_timer(Self::suspicion_key(name), suspicion.timeout());
        let labels = [u64::from(name.0), u64::from(suspect.incarnation), u64::from(from.0)];
        self.mark(cx.fx, Event::Suspected, labels, suspicion.longest().as_nanos());
        self.suspicions.insert(name, suspicion);
    }

    /// A suspicion as long as the cluster asks for. Where there are too few others to confirm it, it
    /// waits for nobody.
    fn new_suspicion(&self, from: Name, now: Instant) -> Suspicion {
        let (timing, members) = (&self.config.timing, self.members.count());
        let wanted = timing.suspicion_mult.saturating_sub(2);
        let expected = if members < u64::from(wanted) + 2 { 0 } else { wanted };
        let min = suspicion_min(timing.suspicion_mult, members, timing.probe_interval);
        let max = match expected {
            0 => min,
            _ => min.saturating_mul(u64::from(timing.suspicion_max_mult)),
        };
        Suspicion::new(from, expected, min, max, now)
    }

    fn confirm(&mut self, cx: &mut Context<'_, '_>, suspect: &Suspect, from: Name) {
        let name = Name(suspect.node);
        let Some(suspicion) = self.suspicions.get_mut(&name) else { return };
        let is_news = match self.config.defects.counts_echoes {
            true => suspicion.confirm_blindly(from),
            false => suspicion.confirm(from),
        };
        if !is_news {
            return;
        }
        let remaining = suspicion.remaining(cx.now.mono);
        cx.fx.set_timer(Self::suspicion_key(name), remaining);
        self.queue.about(name, Message::Suspect(suspect.clone()).shared());
        self.mark(cx.fx, Event::Confirmed, [u64::from(name.0), u64::from(from.0), 0], 0);
    }

    /// Nobody refuted in time.
    pub(super) fn on_suspicion_expired(&mut self, cx: &mut Context<'_, '_>, name: Name) {
        let Some(suspicion) = self.suspicions.get(&name) else { return };
        let lasted = cx.now.mono.since(suspicion.began());
        let labels =
            [u64::from(name.0), suspicion.least().as_nanos(), suspicion.longest().as_nanos()];
        self.mark(cx.fx, Event::SuspicionExpired, labels, lasted.as_nanos());
        let incarnation = self.members.get(name).map_or(0, |member| member.incarnation);
        let from = self.config.me.0;
        self.dead(cx, &Dead { incarnation, node: name.0, from });
    }

    /// Somebody is dead, or says that it leaves.
    pub(super) fn dead(&mut self, cx: &mut Context<'_, '_>, dead: &Dead) {
        let name = Name(dead.node);
        let Some(known) = self.members.get(name) else { return };
        if dead.incarnation < known.incarnation {
            return;
        }
        let state = known.state;
        self.forget_suspicion(cx.fx, name);
        let overwrites = self.config.defects.left_overwritten && dead.from != dead.node;
        if state.is_gone() && !(overwrites && state == State::Left) {
            return;
        }
        if name == self.config.me && !self.is_leaving {
            if !self.config.defects.never_refutes {
                self.refute(cx, dead.incarnation);
            }
            return;
        }
        self.bury(cx, dead);
    }

    fn bury(&mut self, cx: &mut Context<'_, '_>, dead: &Dead) {
        let name = Name(dead.node);
        self.queue.about(name, Message::Dead(dead.clone()).shared());
        let has_left = dead.node == dead.from;
        let now = cx.now.mono;
        self.members.change(name, |member| {
            member.incarnation = dead.incarnation;
            member.state = if has_left { State::Left } else { State::Dead };
            member.since = now;
        });
        let labels = [u64::from(name.0), u64::from(dead.incarnation), u64::from(dead.from)];
        if has_left {
            self.mark(cx.fx, Event::Left, labels, 0);
            self.ready.push(Ready::Left(name));
        } else {
            self.mark(cx.fx, Event::Died, labels, 0);
            self.ready.push(Ready::Failed(name));
        }
        if self.config.defects.dead_forgotten && !has_left {
            self.members.remove(name);
        }
    }

    /// Says that this node lives, in an incarnation that beats what was said.
    fn refute(&mut self, cx: &mut Context<'_, '_>, accused: u32) {
        let defects = self.config.defects;
        let own = self.incarnation.saturating_add(1);
        let beats = accused.saturating_add(1);
        self.incarnation = if defects.refute_too_low { own } else { own.max(beats) };
        self.awareness.apply(1);
        let (incarnation, me) = (self.incarnation, self.config.me);
        self.members.change(me, |member| member.incarnation = incarnation);
        self.tell_alive();
        self.mark(cx.fx, Event::Refuted, [u64::from(incarnation), u64::from(accused), 0], 0);
    }

    /// Queues what this node says of itself.
    pub(super) fn tell_alive(&mut self) {
        let (me, address) = (self.config.me, self.config.address);
        let message = Message::Alive(Alive {
            incarnation: self.incarnation,
            node: me.0,
            address: address.0,
            meta: &self.config.meta,
        });
        let bytes = message.shared();
        match self.config.defects.refute_keyed_apart && self.incarnation > 1 {
            true => self.queue.keyed(KEYED_APART | u64::from(address.0), me, bytes),
            false => self.queue.about(me, bytes),
        }
    }

    /// Says something else of itself from now on.
    ///
    /// # Panics
    /// When it is too long.
    pub fn update_meta(&mut self, meta: alloc::vec::Vec<u8>) {
        assert!(meta.len() <= super::settings::META_BYTES_MAX, "what a member says is short");
        self.config.meta = meta.clone();
        self.incarnation = self.incarnation.saturating_add(1);
        let (incarnation, me) = (self.incarnation, self.config.me);
        self.members.change(me, |member| {
            member.incarnation = incarnation;
            member.meta = meta;
        });
        self.tell_alive();
    }

    /// Leaves the cluster: tells everybody, and is done with [`Ready::LeaveDone`].
    pub fn leave(&mut self, cx: &mut Context<'_, '_>) {
        if self.is_leaving {
            return;
        }
        self.is_leaving = true;
        let me = self.config.me.0;
        self.dead(cx, &Dead { incarnation: self.incarnation, node: me, from: me });
        self.check_leave();
    }

    /// Whether the own leaving has been told, or there is nobody to tell.
    pub(super) fn check_leave(&mut self) {
        if !self.is_leaving || self.leave_told {
            return;
        }
        let me = self.config.me;
        let is_other = |member: &Member| member.name != me && !member.state.is_gone();
        if !self.queue.holds(me) || !self.members.iter().any(is_other) {
            self.leave_told = true;
            self.ready.push(Ready::LeaveDone);
        }
    }

    fn forget_suspicion(&mut self, fx: &mut Fx<'_>, name: Name) {
        if self.suspicions.remove(&name).is_some() {
            fx.cancel_timer(Self::suspicion_key(name));
        }
    }
}
