//! What a leader knows about one peer.

use super::snapshot::Sending;
use alloc::collections::VecDeque;
use contract::Instant;

/// One peer's log and its answers, as seen by the leader of this term.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    /// The peer's log is durable and equal to the leader's up to here.
    pub matched: u64,
    /// The next entry to send.
    pub next: u64,
    /// Whether the leader still looks for where the logs agree: one append at a time, and `next`
    /// moves with its answer instead of ahead of it.
    pub probing: bool,
    /// The last index of each append without an answer, oldest first.
    pub in_flight: VecDeque<u64>,
    /// When the peer last made progress, or had nothing to make.
    pub progress_at: Instant,
    /// When the peer last answered anything.
    pub heard_at: Instant,
    /// The latest heartbeat round that the peer answered.
    pub round: u64,
    /// The snapshot that is sent instead of entries.
    pub sending: Option<Sending>,
}

impl Progress {
    /// What a new leader assumes: the logs may be equal, nothing is proved.
    pub const fn unknown(last_index: u64, now: Instant) -> Self {
        Self {
            matched: 0,
            next: last_index + 1,
            probing: true,
            in_flight: VecDeque::new(),
            progress_at: now,
            heard_at: now,
            round: 0,
            sending: None,
        }
    }

    /// The state of a node that does not lead.
    pub const fn none() -> Self {
        Self::unknown(0, Instant::ZERO)
    }

    /// Starts over for a new leadership, keeping buffers.
    pub fn reset(&mut self, last_index: u64, now: Instant) {
        let mut in_flight = core::mem::take(&mut self.in_flight);
        in_flight.clear();
        *self = Self { in_flight, ..Self::unknown(last_index, now) };
        assert!(self.in_flight.is_empty(), "a new leader waits for nothing yet");
    }

    /// Whether another append may be sent, `in_flight_max` at once.
    pub fn has_room(&self, in_flight_max: u32) -> bool {
        assert!(in_flight_max > 0, "an append may be in flight");
        if self.sending.is_some() {
            return false;
        }
        let max = if self.probing { 1 } else { in_flight_max };
        self.in_flight.len() < max as usize
    }

    /// Takes note of an append that was sent with `last` as its last index.
    pub fn sent(&mut self, last: u64, now: Instant) {
        if self.in_flight.is_empty() {
            self.progress_at = now;
        }
        assert!(last >= self.next, "an append holds an entry");
        self.in_flight.push_back(last);
        if !self.probing {
            self.next = last + 1;
        }
    }

    /// The peer has everything up to `matched`. An answer from the past changes nothing: what was
    /// durable in this term stays so.
    pub fn accepted(&mut self, matched: u64, now: Instant) {
        while self.in_flight.front().is_some_and(|&last| last <= matched) {
            self.in_flight.pop_front();
        }
        let advanced = matched > self.matched;
        if advanced {
            self.sending = None;
            self.matched = matched;
            self.next = self.next.max(matched + 1);
            self.progress_at = now;
        }
        if self.probing && (advanced || matched == self.matched) {
            self.probing = false;
            self.in_flight.clear();
            self.next = self.matched + 1;
        }
        assert!(self.next > self.matched, "what is matched is not sent again");
    }

    /// The peer's log does not contain `rejected`; it may agree up to `agrees`. Returns whether
    /// that was news.
    pub fn rejected(&mut self, rejected: u64, agrees: u64, now: Instant) -> bool {
        if rejected <= self.matched || self.sending.is_some() {
            return false;
        }
        if self.probing {
            if rejected != self.next - 1 {
                return false;
            }
            self.next = rejected.min(agrees + 1).max(self.matched + 1);
        } else {
            self.probing = true;
            self.next = self.matched + 1;
        }
        self.in_flight.clear();
        self.progress_at = now;
        assert!(self.next > self.matched, "what is matched is not sent again");
        true
    }

    /// The peer's log ends at `last_index`. When that is less than it has acknowledged, its disk
    /// was lost, which no protocol of majorities allows for; it is filled again all the same. An
    /// answer that was overtaken by a later one looks alike and costs one probe.
    pub fn reaches(&mut self, last_index: u64, now: Instant) {
        if last_index < self.matched {
            self.matched = last_index;
            self.next = last_index + 1;
            self.probing = true;
            self.sending = None;
            self.in_flight.clear();
            self.progress_at = now;
        }
        assert!(self.next > self.matched, "what is matched is not sent again");
    }

    /// Takes everything without an answer for lost. A probe is repeated where it was.
    pub fn rewind(&mut self, now: Instant) {
        self.in_flight.clear();
        if !self.probing {
            self.probing = true;
            self.next = self.matched + 1;
        }
        self.progress_at = now;
    }
}
