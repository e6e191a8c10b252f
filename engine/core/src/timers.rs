//! One node's timers, in node time.
//!
//! A timer that is moved to a later time keeps its entry in the queue: when that pops early it is
//! put back at the right time. A node that re-arms a timeout at every message thus costs one queue
//! entry per timeout, not one per message.

use alloc::vec::Vec;
use contract::{Instant, SimTime, TimerKey};

/// The timers that are set, sorted by key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timers {
    set: Vec<Timer>,
    /// Counts over all boots, so an entry of an earlier life never matches.
    count: u64,
}

#[derive(Clone, Copy, Debug)]
struct Timer {
    key: TimerKey,
    /// On the node's monotonic clock.
    due: Instant,
    due_at: SimTime,
    /// The number of this setting.
    n: u64,
    /// The entry of the queue that stands for this timer.
    queued_at: SimTime,
    queued_n: u64,
}

/// An entry for the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Alarm {
    pub key: TimerKey,
    pub at: SimTime,
    pub n: u64,
}

/// What a popped entry means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Popped {
    /// The timer is due.
    Due,
    /// It was moved or forgotten: the entry means nothing.
    Stale,
    /// It was moved to a later time.
    Later(Alarm),
}

impl Timers {
    /// Sets or moves a timer; returns the entry that the queue needs, if it needs one.
    #[inline]
    pub fn set(
        &mut self,
        now: SimTime,
        key: TimerKey,
        due: Instant,
        due_at: SimTime,
    ) -> Option<Alarm> {
        assert!(due_at >= now, "a timer is due now or later");
        self.count += 1;
        let n = self.count;
        let fresh = Timer { key, due, due_at, n, queued_at: due_at, queued_n: n };
        match self.find(key) {
            Ok(at) if due_at > self.set[at].queued_at && self.set[at].queued_at > now => {
                let kept = &mut self.set[at];
                (kept.due, kept.due_at, kept.n) = (due, due_at, n);
                return None;
            }
            Ok(at) => self.set[at] = fresh,
            Err(at) => self.set.insert(at, fresh),
        }
        Some(Alarm { key, at: due_at, n })
    }

    /// Forgets a timer.
    pub fn cancel(&mut self, key: TimerKey) {
        if let Ok(at) = self.find(key) {
            self.set.remove(at);
        }
    }

    /// Forgets all timers, at a crash.
    pub fn clear(&mut self) {
        self.set.clear();
    }

    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// Forgets the timer that is due first, whatever the queue holds for it; of equals, that with
    /// the least key.
    pub fn take_first(&mut self) -> Option<(TimerKey, Instant)> {
        let first = (0..self.set.len()).min_by_key(|at| (self.set[*at].due, self.set[*at].key))?;
        assert!(self.set.is_sorted_by_key(|timer| timer.key), "timers are in order of their keys");
        let timer = self.set.remove(first);
        assert!(self.set.iter().all(|other| other.due >= timer.due), "it is the first");
        Some((timer.key, timer.due))
    }

    /// Judges the entry `n` of `key` that popped at `now`; a timer that is due is forgotten.
    #[inline]
    pub fn pop(&mut self, now: SimTime, key: TimerKey, n: u64) -> Popped {
        let Ok(at) = self.find(key) else {
            return Popped::Stale;
        };
        let timer = &mut self.set[at];
        if timer.queued_n != n {
            return Popped::Stale;
        }
        if timer.due_at > now {
            (timer.queued_at, timer.queued_n) = (timer.due_at, timer.n);
            let (at, n) = (timer.due_at, timer.n);
            return Popped::Later(Alarm { key, at, n });
        }
        self.set.remove(at);
        Popped::Due
    }

    /// Recomputes when each timer is due after the clock changed; `queue` gets the entries that
    /// are needed earlier than they stand in the queue.
    pub fn refit(
        &mut self,
        now: SimTime,
        when: impl Fn(Instant) -> SimTime,
        mut queue: impl FnMut(Alarm),
    ) {
        for timer in &mut self.set {
            timer.due_at = when(timer.due).max(now);
            if timer.due_at < timer.queued_at {
                self.count += 1;
                timer.n = self.count;
                (timer.queued_at, timer.queued_n) = (timer.due_at, timer.n);
                queue(Alarm { key: timer.key, at: timer.due_at, n: timer.n });
            }
            assert!(timer.queued_at <= timer.due_at, "the queue asks in time");
        }
    }

    #[inline]
    fn find(&self, key: TimerKey) -> Result<usize, usize> {
        self.set.binary_search_by_key(&key, |timer| timer.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: TimerKey = TimerKey(7);

    fn set(timers: &mut Timers, now: u64, due: u64) -> Option<Alarm> {
        timers.set(SimTime(now), KEY, Instant(due), SimTime(due))
    }

    #[test]
    fn moving_later_keeps_the_entry() {
        let mut timers = Timers::default();
        let first = set(&mut timers, 0, 10).expect("a new timer needs an entry");
        assert_eq!(set(&mut timers, 5, 15), None);
        let Popped::Later(second) = timers.pop(SimTime(10), KEY, first.n) else {
            panic!("the timer was moved to 15");
        };
        assert_eq!(second.at, SimTime(15));
        assert_eq!(timers.pop(SimTime(15), KEY, second.n), Popped::Due);
        assert_eq!(timers.pop(SimTime(15), KEY, second.n), Popped::Stale);
    }

    #[test]
    fn moving_earlier_makes_the_entry_stale() {
        let mut timers = Timers::default();
        let first = set(&mut timers, 0, 10).expect("new");
        let second = set(&mut timers, 1, 5).expect("earlier");
        assert_eq!(timers.pop(SimTime(5), KEY, second.n), Popped::Due);
        assert_eq!(timers.pop(SimTime(10), KEY, first.n), Popped::Stale);
    }

    #[test]
    fn cancelling_makes_the_entry_stale() {
        let mut timers = Timers::default();
        let first = set(&mut timers, 0, 10).expect("new");
        timers.cancel(KEY);
        assert_eq!(timers.pop(SimTime(10), KEY, first.n), Popped::Stale);
    }

    #[test]
    fn a_faster_clock_brings_timers_forward() {
        let mut timers = Timers::default();
        let first = set(&mut timers, 0, 10).expect("new");
        let mut queued = Vec::new();
        timers.refit(SimTime(2), |due| SimTime(due.0 / 2), |alarm| queued.push(alarm));
        assert_eq!(queued.len(), 1);
        assert_eq!(queued[0].at, SimTime(5));
        assert_eq!(timers.pop(SimTime(10), KEY, first.n), Popped::Stale);
        assert_eq!(timers.pop(SimTime(5), KEY, queued[0].n), Popped::Due);
    }
}
