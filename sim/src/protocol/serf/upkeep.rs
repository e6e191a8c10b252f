//! What is done now and then: exchanging state, forgetting who is gone, trying the failed again, and
//! cutting queues to their depth.

use super::intents::Status;
use super::machine::{QUEUE_CHECK, REAP, RECONNECT, Serf, Upper};
use super::ready::Change;
use super::tables::Event;
use super::wire::{Join, Leave, Message, PushPull, StatusTime, UserEvent};
use crate::protocol::swim::{Broadcasts, Name};
use alloc::vec::Vec;
use contract::{Fx, Now};

impl Upper {
    pub(super) fn encode_state(&self, out: &mut Vec<u8>) {
        let statuses = self
            .members
            .iter()
            .map(|(name, member)| StatusTime { node: name.0, time: member.time });
        let left = self.members.iter().filter(|(_, member)| member.status == Status::Left);
        let events = self.events.iter().map(|(time, event)| UserEvent {
            time,
            name: &event.name,
            payload: &event.payload,
            coalesces: event.coalesces,
        });
        let all = PushPull {
            time: self.clock.time(),
            statuses: statuses.collect(),
            left: left.map(|(name, _)| name.0).collect(),
            event_time: self.event_clock.time(),
            events: events.collect(),
            query_time: self.query_clock.time(),
        };
        Message::PushPull(all).encode(out);
    }
}

impl Serf {
    /// Takes in what another node knows. Who left comes first, so that the times of those who stay do
    /// not hide it.
    pub(super) fn merge(&mut self, now: Now, fx: &mut Fx<'_>, join: bool, bytes: &[u8]) {
        let Ok(Message::PushPull(all)) = Message::decode(bytes) else {
            self.mark(fx, Event::DecodeError, [0; 3], bytes.len() as u64);
            return;
        };
        // No message of the time that a clock shows has been sent yet.
        let upper = &mut self.upper;
        upper.clock.witness(all.time.saturating_sub(1));
        if !upper.config.defects.never_witnesses {
            upper.event_clock.witness(all.event_time.saturating_sub(1));
            upper.query_clock.witness(all.query_time.saturating_sub(1));
        }
        for status in &all.statuses {
            let node = status.node;
            let known = self.upper.members.get(&Name(node)).map(|member| member.status);
            // Where it is known already, its time would creep on with every exchange.
            if all.left.contains(&node) && known != Some(Status::Left) {
                // The time of the intent is not told: it was after the status before it.
                let time = status.time.saturating_add(1);
                self.on_leave_intent(now, fx, &Leave { time, node, prune: false });
            }
        }
        for status in all.statuses.iter().filter(|status| !all.left.contains(&status.node)) {
            let (time, node) = (status.time, status.node);
            self.on_join_intent(now, &Join { time, node });
        }
        if join && self.upper.config.settings.ignore_old {
            self.upper.event_min = self.upper.event_min.max(all.event_time);
        }
        for event in &all.events {
            self.on_event(fx, event);
        }
    }

    /// Forgets who is gone for long, and intents about those who never came.
    pub(super) fn on_reap(&mut self, now: Now, fx: &mut Fx<'_>) {
        let settings = &self.upper.config.settings;
        fx.set_timer(REAP, settings.reap_interval);
        let (failed, left) = (settings.reconnect_timeout, settings.tombstone_timeout);
        let intents = settings.intent_timeout;
        self.upper.recent.retain(|_, intent| now.mono.since(intent.heard) <= intents);
        let old: Vec<Name> = self
            .upper
            .members
            .iter()
            .filter_map(|(name, member)| {
                let keep = match member.status {
                    Status::Failed => failed,
                    Status::Left => left,
                    Status::Alive | Status::Leaving => return None,
                };
                (now.mono.since(member.since) > keep).then_some(*name)
            })
            .collect();
        for name in old {
            self.upper.members.remove(&name);
            self.tell(fx, name, Change::Reaped);
        }
    }

    /// Tries a failed member again: the more of them there are, the more often.
    pub(super) fn on_reconnect(&mut self, now: Now, fx: &mut Fx<'_>) {
        fx.set_timer(RECONNECT, self.upper.config.settings.reconnect_interval);
        let of = |status| {
            let members = self.upper.members.iter();
            members.filter(move |(_, member)| member.status == status).map(|(name, _)| *name)
        };
        let failed: Vec<Name> = of(Status::Failed).collect();
        let alive = (of(Status::Alive).count() as u64).max(1);
        let is_tried = fx.rng.below(alive) < failed.len() as u64;
        if failed.is_empty() || !is_tried {
            return;
        }
        let pick = failed[fx.rng.below(failed.len() as u64) as usize];
        // A name that the membership has forgotten was at the address of its number.
        let known = self.swim.member(pick).map(|member| member.address);
        let contact = known.unwrap_or(crate::protocol::swim::Address(pick.0));
        self.join(now, &[contact], fx);
    }

    /// Cuts each queue to its depth.
    pub(super) fn on_queue_check(&mut self, fx: &mut Fx<'_>) {
        let settings = &self.upper.config.settings;
        fx.set_timer(QUEUE_CHECK, settings.queue_check_interval);
        let depth = settings.queue_depth as usize;
        let prunes_newest = self.upper.config.defects.prunes_newest;
        let prune = |queue: &mut Broadcasts| match prunes_newest {
            true => queue.prune_freshest(depth),
            false => queue.prune(depth),
        };
        let upper = &mut self.upper;
        let queues = [&mut upper.intent_queue, &mut upper.query_queue, &mut upper.event_queue];
        for queue in queues {
            let freshest = queue.freshest();
            let pruned = prune(queue) as u64;
            upper.pruned += pruned;
            if pruned > 0 {
                let kept = u64::from(freshest == queue.freshest());
                fx.mark(Event::Pruned.above(upper.config.events), [kept, 0, 0], pruned);
            }
        }
    }
}
