//! Who means to stay and who to leave: statuses of members, told by intents with Lamport times.

use super::lamport::Lamport;
use super::machine::{LEAVE, Leaving, Serf};
use super::ready::{Change, Ready};
use super::tables::Event;
use super::wire::{Join, Leave, Message};
use crate::protocol::swim::Name;
use contract::{Duration, Fx, Instant, Now};

/// What a member is to Serf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// It is there.
    Alive,
    /// It is there and means to leave.
    Leaving,
    /// It left.
    Left,
    /// It is gone without a word.
    Failed,
}

/// What is known of one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// What it is.
    pub status: Status,
    /// The Lamport time of the last intent about it.
    pub time: u64,
    /// Since when it is that.
    pub since: Instant,
}

impl Member {
    pub(super) const fn alive(since: Instant) -> Self {
        Self { status: Status::Alive, time: 0, since }
    }
}

/// An intent about somebody who is not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent {
    pub(super) leaves: bool,
    pub(super) time: u64,
    pub(super) heard: Instant,
}

impl Serf {
    /// A member is there, as the membership below says.
    pub(super) fn on_joined(&mut self, now: Now, fx: &mut Fx<'_>, name: Name) {
        let intent = self.upper.recent.remove(&name);
        let member = self.upper.members.entry(name).or_insert(Member::alive(now.mono));
        (member.status, member.since) = (Status::Alive, now.mono);
        if let Some(intent) = intent.filter(|intent| intent.time > member.time) {
            member.time = intent.time;
            if intent.leaves {
                member.status = Status::Leaving;
            }
        }
        self.tell(fx, name, Change::Joined);
    }

    /// A member is gone, as the membership below says: left, if it said that it would.
    pub(super) fn on_gone(&mut self, now: Now, fx: &mut Fx<'_>, name: Name) {
        let Some(member) = self.upper.members.get_mut(&name) else { return };
        let (status, change) = match member.status {
            Status::Leaving => (Status::Left, Change::Left),
            Status::Alive => (Status::Failed, Change::Failed),
            Status::Left | Status::Failed => return,
        };
        (member.status, member.since) = (status, now.mono);
        self.tell(fx, name, change);
    }

    /// Tells the owner, now or drawn together with others.
    pub(super) fn tell(&mut self, fx: &mut Fx<'_>, name: Name, change: Change) {
        self.mark(fx, Event::MemberChanged, [u64::from(name.0), change as u64, 0], 0);
        if self.upper.config.settings.coalesce_period > Duration::ZERO {
            self.upper.coalescer.member(name, change);
            self.set_coalescing(fx);
        } else {
            self.upper.ready.push(Ready::Member(name, change));
        }
    }

    /// Somebody means to leave. True where that is news, and to be passed on.
    pub(super) fn on_leave_intent(&mut self, now: Now, fx: &mut Fx<'_>, leave: &Leave) -> bool {
        self.upper.clock.witness(leave.time);
        let name = Name(leave.node);
        let Some(member) = self.upper.members.get_mut(&name) else {
            let intent = Intent { leaves: true, time: leave.time, heard: now.mono };
            return self.remember(name, intent);
        };
        if leave.time <= member.time {
            return false;
        }
        if name == self.swim.name() && self.upper.leaving == Leaving::No {
            // It stays, and says so in a later time.
            self.say_join(fx);
            return false;
        }
        let before = member.status;
        let changes = before == Status::Alive || before == Status::Failed;
        // Also where nothing changes: else two intents are passed on for ever (serf#606).
        if changes || !self.upper.config.defects.intent_time_kept {
            member.time = leave.time;
        }
        match before {
            Status::Alive => member.status = Status::Leaving,
            Status::Failed => (member.status, member.since) = (Status::Left, now.mono),
            Status::Leaving | Status::Left => {}
        }
        if before == Status::Failed {
            self.tell(fx, name, Change::Left);
        }
        if leave.prune && before != Status::Alive && before != Status::Leaving {
            self.upper.members.remove(&name);
            self.tell(fx, name, Change::Reaped);
        }
        true
    }

    /// Somebody means to stay. True where that is news, and to be passed on.
    pub(super) fn on_join_intent(&mut self, now: Now, join: &Join) -> bool {
        self.upper.clock.witness(join.time);
        let name = Name(join.node);
        match self.upper.members.get_mut(&name) {
            None => {
                let intent = Intent { leaves: false, time: join.time, heard: now.mono };
                self.remember(name, intent)
            }
            Some(member) if join.time <= member.time => false,
            Some(member) => {
                member.time = join.time;
                if member.status == Status::Leaving && name != self.swim.name() {
                    member.status = Status::Alive;
                }
                true
            }
        }
    }

    /// Keeps the latest intent about somebody unknown. True where it is news.
    fn remember(&mut self, name: Name, intent: Intent) -> bool {
        let known = self.upper.recent.get(&name);
        let is_news = known.is_none_or(|known| intent.time > known.time);
        if is_news {
            self.upper.recent.insert(name, intent);
        }
        is_news
    }

    pub(super) fn pass_on_leave(&mut self, fx: &mut Fx<'_>, leave: &Leave) {
        self.mark(fx, Event::IntentPassedOn, [u64::from(leave.node), leave.time, 1], 0);
        self.upper.intent_queue.push(Message::Leave(leave.clone()).shared());
    }

    pub(super) fn pass_on_join(&mut self, fx: &mut Fx<'_>, join: &Join) {
        self.mark(fx, Event::IntentPassedOn, [u64::from(join.node), join.time, 0], 0);
        self.upper.intent_queue.push(Message::Join(join.clone()).shared());
    }

    /// Says that it means to stay.
    pub(super) fn say_join(&mut self, fx: &mut Fx<'_>) {
        let (name, time) = (self.swim.name(), self.upper.clock.increment());
        if let Some(member) = self.upper.members.get_mut(&name) {
            member.time = time;
        }
        self.pass_on_join(fx, &Join { time, node: name.0 });
    }

    /// Leaves: tells that it means to, then leaves the membership, then waits until that is heard.
    pub fn leave(&mut self, now: Now, fx: &mut Fx<'_>) {
        if self.upper.leaving != Leaving::No {
            return;
        }
        self.upper.leaving = Leaving::Intent;
        let leave = self.leave_intent(self.swim.name(), false);
        if self.on_leave_intent(now, fx, &leave) {
            self.pass_on_leave(fx, &leave);
        }
        let is_alone = self.swim.members().iter().all(|member| member.name == self.swim.name());
        let settings = &self.upper.config.settings;
        fx.set_timer(LEAVE, if is_alone { Duration::ZERO } else { settings.broadcast_timeout });
    }

    fn leave_intent(&mut self, name: Name, prune: bool) -> Leave {
        let time = self.upper.clock.increment();
        Leave { time, node: name.0, prune }
    }

    /// Says that a failed member will not come back; with `prune`, that it is to be forgotten.
    pub fn force_leave(&mut self, now: Now, name: Name, prune: bool, fx: &mut Fx<'_>) {
        let leave = self.leave_intent(name, prune);
        if self.on_leave_intent(now, fx, &leave) {
            self.pass_on_leave(fx, &leave);
        }
    }

    pub(super) fn on_leave_timer(&mut self, now: Now, fx: &mut Fx<'_>) {
        match self.upper.leaving {
            Leaving::Intent => {
                self.upper.leaving = Leaving::Swim;
                fx.set_timer(LEAVE, self.upper.config.settings.broadcast_timeout);
                self.below(now, fx, |swim, cx| swim.leave(cx));
            }
            // It was not told often enough in time; that has to do.
            Leaving::Swim => self.on_swim_left(fx),
            Leaving::Propagating => {
                self.upper.leaving = Leaving::Done;
                self.upper.ready.push(Ready::LeaveDone);
            }
            Leaving::No | Leaving::Done => {}
        }
    }

    pub(super) fn on_swim_left(&mut self, fx: &mut Fx<'_>) {
        if self.upper.leaving == Leaving::Swim {
            self.upper.leaving = Leaving::Propagating;
            fx.set_timer(LEAVE, self.upper.config.settings.leave_propagate_delay);
        }
    }

    /// What a clock of intents says.
    #[must_use]
    pub const fn clock(&self) -> Lamport {
        self.upper.clock
    }

    /// What is known of one member.
    #[must_use]
    pub fn member(&self, name: Name) -> Option<&Member> {
        self.upper.members.get(&name)
    }
}
