//! Events drawn together: the last of each member, and the latest user events of each name, handed on
//! when a period is over or nothing more comes.

use super::machine::{COALESCE, QUIESCENT, Serf};
use super::ready::{Change, Ready};
use crate::protocol::swim::Name;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use contract::{Duration, Fx};

/// What waits to be handed on.
#[derive(Clone, Debug, Default)]
pub struct Coalescer {
    members: BTreeMap<Name, Change>,
    flushed: BTreeMap<Name, Change>,
    /// By name of the event: the latest time, and the payloads of that time.
    events: BTreeMap<Vec<u8>, (u64, Vec<Vec<u8>>)>,
    is_armed: bool,
}

impl Coalescer {
    /// Something happened to a member; what happened to it before does not matter any more.
    pub fn member(&mut self, name: Name, change: Change) {
        self.members.insert(name, change);
    }

    /// An event; older ones of its name do not matter any more.
    pub fn event(&mut self, time: u64, name: Vec<u8>, payload: Vec<u8>) {
        let (latest, payloads) = self.events.entry(name).or_insert((time, Vec::new()));
        if time > *latest {
            *latest = time;
            payloads.clear();
        }
        if time == *latest {
            payloads.push(payload);
        }
    }

    /// What is handed on: members that are what they were are not, unless they say something new.
    pub fn flush(&mut self, out: &mut Vec<Ready>) {
        self.is_armed = false;
        for (name, change) in core::mem::take(&mut self.members) {
            let is_same = self.flushed.insert(name, change) == Some(change);
            if !is_same || change == Change::Updated {
                out.push(Ready::Member(name, change));
            }
        }
        for (name, (time, payloads)) in core::mem::take(&mut self.events) {
            let event = |payload| Ready::Event { time, name: name.clone(), payload };
            out.extend(payloads.into_iter().map(event));
        }
    }
}

impl Serf {
    /// Sets the timers: the period runs from the first event, the quiet time from the last.
    pub(super) fn set_coalescing(&mut self, fx: &mut Fx<'_>) {
        let settings = &self.upper.config.settings;
        if !core::mem::replace(&mut self.upper.coalescer.is_armed, true) {
            fx.set_timer(COALESCE, settings.coalesce_period);
        }
        if settings.quiescent_period > Duration::ZERO {
            fx.set_timer(QUIESCENT, settings.quiescent_period);
        }
    }

    pub(super) fn on_coalesced(&mut self, fx: &mut Fx<'_>) {
        fx.cancel_timer(COALESCE);
        fx.cancel_timer(QUIESCENT);
        self.upper.coalescer.flush(&mut self.upper.ready);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn the_last_of_each_is_handed_on() {
        let mut coalescer = Coalescer::default();
        let mut out = Vec::new();
        for change in [Change::Joined, Change::Failed, Change::Joined] {
            coalescer.member(Name(1), change);
        }
        coalescer.event(3, b"deploy".to_vec(), b"a".to_vec());
        coalescer.event(5, b"deploy".to_vec(), b"b".to_vec());
        coalescer.event(5, b"deploy".to_vec(), b"c".to_vec());
        coalescer.event(4, b"deploy".to_vec(), b"d".to_vec());
        coalescer.flush(&mut out);
        let event = |payload: &[u8]| Ready::Event {
            time: 5,
            name: b"deploy".to_vec(),
            payload: payload.to_vec(),
        };
        assert_eq!(out, vec![Ready::Member(Name(1), Change::Joined), event(b"b"), event(b"c")]);
        out.clear();
        coalescer.member(Name(1), Change::Joined);
        coalescer.flush(&mut out);
        assert_eq!(out, []);
        coalescer.member(Name(1), Change::Updated);
        coalescer.flush(&mut out);
        assert_eq!(out.len(), 1);
    }
}
