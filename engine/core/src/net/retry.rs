//! What a stream does when its link loses, holds or cuts: wait, send again, give up.

use super::LOSSES_MAX;
use super::conn::{Segment, Way, WayState};
use crate::kernel::Kernel;
use crate::net::law::LinkHit;
use crate::record::{Class, Record, What};
use alloc::collections::VecDeque;
use contract::{ConnId, Duration, SimTime};

/// The time to the first repetition of a lost segment.
pub const RETRY: Duration = Duration::from_millis(200);

/// A sender whose segments are cut off, or not answered, for so long gives up.
pub const CUT_OFF: Duration = Duration::from_secs(10);

const _: () = assert!(RETRY.0 < CUT_OFF.0, "what was cut off is tried again before");

impl Kernel {
    /// A direction that was cut may have been so for too long.
    pub fn cut_off(&mut self, slot: u32, serial: u32, way: usize, since: SimTime) {
        assert!(since <= self.now(), "it was cut before");
        let Some(conn) = self.conns.current(slot, serial) else {
            return;
        };
        let flow = &conn.ways[way];
        if flow.state == (WayState::Stopped { since, cut: true }) {
            let answers = flow.segments.iter().any(|segment| segment.part.answers());
            self.give_up(slot, way, answers);
        }
    }

    /// A link carries again what was stopped on it.
    pub fn resume(&mut self, link: u32) {
        for at in 0..self.conns.index.len() {
            let slot = self.conns.index[at].1;
            for way in 0..2 {
                if self.conns.get(slot).ways[way].link == link {
                    self.resume_way(slot, way);
                }
            }
        }
    }

    /// Lets the first segment of each stopped direction on `link` through; `true` if there was one.
    pub fn let_through(&mut self, link: u32) -> bool {
        let now = self.now();
        for at in 0..self.conns.index.len() {
            let slot = self.conns.index[at].1;
            for way in 0..2 {
                let flow = &mut self.conns.get_mut(slot).ways[way];
                if flow.link == link && matches!(flow.state, WayState::Stopped { .. }) {
                    let head = flow.segments.front_mut().expect("what is stopped has a segment");
                    assert!(head.stopped, "its first segment waits");
                    head.stopped = false;
                    head.due = now;
                    flow.state = WayState::Idle;
                    self.queue_head(slot, way);
                    return true;
                }
            }
        }
        false
    }

    /// How many directions on `link` wait to be let through.
    pub fn stopped_on(&self, link: u32) -> usize {
        assert!(self.conns.index.is_sorted(), "connections are in the order of their ids");
        let slots = self.conns.index.iter().map(|entry| self.conns.get(entry.1));
        let ways = slots.flat_map(|conn| conn.ways.iter());
        let is_stopped =
            |way: &&Way| way.link == link && matches!(way.state, WayState::Stopped { .. });
        ways.filter(is_stopped).count()
    }

    /// The first segment waits for its link.
    pub(super) fn stop(&mut self, slot: u32, way: usize) {
        let now = self.now();
        let conn = self.conns.get_mut(slot);
        let flow = &mut conn.ways[way];
        let (cut, _) = self.net.stops(flow.link);
        assert!(flow.segments.front().is_some_and(|head| head.stopped), "a segment waits");
        flow.state = WayState::Stopped { since: now, cut };
        if cut {
            self.be_patient(slot, way);
        }
    }

    /// The sender of a direction whose first segment gets no answer waits for so long.
    pub(super) fn be_patient(&mut self, slot: u32, way: usize) {
        let now = self.now();
        let conn = self.conns.get(slot);
        let (serial, node, n) = (conn.serial, conn.ends[way].node, number_of(conn.id));
        let what = What::CutOff { conn: slot, serial, way: way as u8, since: now };
        let record = Record { n, src: node, dst: node, what };
        self.queue.schedule(now + CUT_OFF, Class::Timer, record);
    }

    /// What was under way on a direction was lost in a cut: all of it is sent again.
    pub(super) fn lose(&mut self, slot: u32, way: usize) {
        let now = self.now();
        let flow = &mut self.conns.get_mut(slot).ways[way];
        let cut = self.net.links.get(flow.link).cut;
        let (is_cut, is_held) = self.net.stops(flow.link);
        assert!(flow.segments.iter().any(|one| one.cut != cut), "a cut lost something");
        self.net.links.hit(flow.link, LinkHit::Block, 1);
        if flow.muted {
            return self.lose_for_good(slot, way);
        }
        for segment in flow.segments.iter_mut().filter(|segment| segment.cut != cut) {
            segment.cut = cut;
            segment.stopped = is_cut || is_held;
            segment.sent = now + RETRY;
            segment.due = segment.due.max(now + RETRY + Duration(segment.latency_ns));
            self.counters.stream_retransmits += 1;
        }
        in_order(&mut flow.segments);
        flow.state = WayState::Idle;
        self.queue_head(slot, way);
    }

    pub(super) fn resume_way(&mut self, slot: u32, way: usize) {
        let now = self.now();
        let flow = &mut self.conns.get_mut(slot).ways[way];
        let cut = self.net.links.get(flow.link).cut;
        let retry_at = match flow.state {
            WayState::Stopped { since, cut: true } => next_retry(since, now),
            _ => now,
        };
        assert!(retry_at >= now, "nothing is sent again in the past");
        for segment in flow.segments.iter_mut().filter(|segment| segment.stopped) {
            segment.stopped = false;
            segment.cut = cut;
            segment.sent = segment.sent.max(retry_at);
            let again = if retry_at > now { segment.latency_ns } else { 0 };
            segment.due = segment.due.max(retry_at + Duration(again));
        }
        in_order(&mut flow.segments);
        if matches!(flow.state, WayState::Stopped { .. }) {
            flow.state = WayState::Idle;
            self.queue_head(slot, way);
        }
    }
}

/// Orders the time-outs of one node's connections at one instant.
pub(crate) fn number_of(conn: ConnId) -> u64 {
    u64::from(conn.opener.0) << 32 | u64::from(conn.number)
}

/// No segment is due before one in front of it.
fn in_order(segments: &mut VecDeque<Segment>) {
    let mut due = SimTime::ZERO;
    for segment in segments {
        due = due.max(segment.due);
        segment.due = due;
    }
}

/// How much later a segment comes that was lost `losses` times: 200 ms, doubling.
pub(crate) fn after_losses(losses: u32) -> Duration {
    assert!(losses <= LOSSES_MAX, "the sender gave up before");
    RETRY.saturating_mul((1 << losses) - 1)
}

/// The first repetition, at 200 ms and doubling since `since`, that is not before `now`.
pub(crate) fn next_retry(since: SimTime, now: SimTime) -> SimTime {
    let mut retry = RETRY;
    while since + retry < now {
        retry = retry.saturating_mul(2) + RETRY;
    }
    since + retry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_double() {
        let check = |losses, expect_ms| {
            assert_eq!(after_losses(losses), Duration::from_millis(expect_ms));
        };
        check(0, 0);
        check(1, 200);
        check(2, 600);
        check(6, 12_600);
    }

    #[test]
    fn a_retry_is_the_first_after_the_cut() {
        let since = SimTime(1_000);
        let ms = |n: u64| SimTime(1_000 + n * 1_000_000);
        assert_eq!(next_retry(since, ms(1)), ms(200));
        assert_eq!(next_retry(since, ms(201)), ms(600));
        assert_eq!(next_retry(since, ms(1_000)), ms(1_400));
    }
}
