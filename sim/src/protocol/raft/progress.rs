//! What a leader knows about one peer.

use super::round_trip::RoundTrip;
use super::snapshot::Sending;
use alloc::collections::VecDeque;
use contract::{Duration, Instant};

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
    /// Each append without an answer, oldest first.
    pub in_flight: VecDeque<Sent>,
    /// The last index that was ever sent to it in this term.
    sent_to: u64,
    /// How long answers take.
    pub round_trip: RoundTrip,
    /// When the peer last made progress, or had nothing to make.
    pub progress_at: Instant,
    /// When the peer last answered anything.
    pub heard_at: Instant,
    /// The latest heartbeat round that the peer answered.
    pub round: u64,
    /// The snapshot that is sent instead of entries.
    pub sending: Option<Sending>,
}

/// An append without an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    /// The index before its first entry.
    previous: u64,
    last: u64,
    bytes: u64,
    /// Its bytes and those of the appends that were in flight before it.
    ahead_bytes: u64,
    at: Instant,
    /// It holds what was sent before.
    is_again: bool,
}

impl Progress {
    /// What a new leader assumes: the logs may be equal, nothing is proved.
    pub const fn unknown(last_index: u64, now: Instant) -> Self {
        Self {
            matched: 0,
            next: last_index + 1,
            probing: true,
            in_flight: VecDeque::new(),
            sent_to: 0,
            round_trip: RoundTrip::UNKNOWN,
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

    /// Whether another append may be sent: `in_flight_max` at once, and no more bytes than are
    /// expected to get through in `bytes_for`, because heartbeats wait behind them.
    pub fn has_room(&self, in_flight_max: u32, bytes_for: Duration) -> bool {
        assert!(in_flight_max > 0, "an append may be in flight");
        if self.sending.is_some() {
            return false;
        }
        let max = if self.probing { 1 } else { in_flight_max };
        let is_free = self.in_flight.is_empty();
        let bytes = self.outstanding_bytes();
        let fits = is_free || bytes < self.round_trip.bytes_in(bytes_for);
        self.in_flight.len() < max as usize && fits
    }

    /// The bytes that wait for an answer.
    fn outstanding_bytes(&self) -> u64 {
        self.in_flight.iter().map(|sent| sent.bytes).sum()
    }

    /// Takes note of an append of `bytes` that was sent, from the entry after `previous` to `last`.
    pub fn sent(&mut self, previous: u64, last: u64, bytes: u64, now: Instant) {
        if self.in_flight.is_empty() {
            self.progress_at = now;
        }
        assert!(last >= self.next, "an append holds an entry");
        let is_again = previous < self.sent_to;
        self.sent_to = self.sent_to.max(last);
        let ahead_bytes = self.outstanding_bytes() + bytes;
        self.in_flight.push_back(Sent { previous, last, bytes, ahead_bytes, at: now, is_again });
        if !self.probing {
            self.next = last + 1;
        }
    }

    /// The leader itself has everything up to `index` on its disk. It sends itself nothing.
    pub fn stored(&mut self, index: u64) {
        self.matched = self.matched.max(index);
        self.next = self.next.max(self.matched + 1);
    }

    /// The peer has everything up to `matched`. An answer from the past changes nothing: what was
    /// durable in this term stays so.
    pub fn accepted(&mut self, matched: u64, now: Instant) {
        while self.in_flight.front().is_some_and(|sent| sent.last <= matched) {
            let sent = self.in_flight.pop_front().expect("there is a first");
            // What was sent twice does not say which of the two was answered.
            if sent.last == matched && !sent.is_again {
                self.round_trip.measure(now.since(sent.at), sent.ahead_bytes);
            }
        }
        let advanced = matched > self.matched;
        if advanced {
            self.sending = None;
            self.matched = matched;
            self.next = self.next.max(matched + 1);
            self.progress_at = now;
            self.round_trip.answered();
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
        if self.sending.is_some() {
            return false;
        }
        if rejected <= self.matched {
            return self.overtook(rejected, now);
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

    /// The peer has what it refused to go on from by now: that append overtook the one before it.
    /// No news about the log, but the append is lost, and perhaps no later one will show it. Of one
    /// that was sent before that is not known: then patience decides.
    fn overtook(&mut self, rejected: u64, now: Instant) -> bool {
        let is_refused = |sent: &Sent| sent.previous == rejected && !sent.is_again;
        let is_lost = !self.probing && self.in_flight.iter().any(is_refused);
        if is_lost {
            self.rewind(now);
        }
        is_lost
    }

    /// How long to wait for the answer to what is outstanding.
    pub fn patience(&self, least: Duration) -> Duration {
        self.round_trip.patience(least, self.outstanding_bytes())
    }

    /// Takes everything without an answer for lost where that was awaited for too long.
    pub fn expire(&mut self, now: Instant, least: Duration) {
        if !self.in_flight.is_empty() && now.since(self.progress_at) >= self.patience(least) {
            self.rewind(now);
            self.round_trip.expired();
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant(5_000_000);
    const LEAST: Duration = Duration::from_millis(300);

    /// A peer that has everything up to 10, and two appends on their way.
    fn replicating() -> Progress {
        let mut progress = Progress::unknown(10, Instant::ZERO);
        progress.accepted(10, NOW);
        progress.sent(10, 11, 100, NOW);
        progress.sent(11, 12, 100, NOW);
        progress
    }

    #[test]
    fn the_refusal_of_an_append_that_overtook_another_is_acted_on_at_once() {
        let mut progress = replicating();
        progress.accepted(11, NOW);
        assert!(progress.rejected(11, 10, NOW), "the second came first, and is lost");
        assert_eq!((progress.next, progress.in_flight.len()), (12, 0));
        progress.sent(11, 12, 100, NOW);
        assert!(!progress.rejected(11, 10, NOW), "the same refusal twice sends nothing twice");
    }

    #[test]
    fn an_old_refusal_changes_nothing() {
        let mut progress = replicating();
        progress.accepted(12, NOW);
        assert!(!progress.rejected(11, 10, NOW));
        assert_eq!((progress.matched, progress.next, progress.probing), (12, 13, false));
    }

    #[test]
    fn large_appends_are_waited_for_longer() {
        let mut progress = Progress::unknown(10, Instant::ZERO);
        progress.accepted(10, NOW);
        progress.sent(10, 11, 300 << 10, NOW);
        let patience = progress.patience(LEAST);
        assert!(patience > Duration::from_secs(2), "{patience}");
        progress.expire(NOW + LEAST, LEAST);
        assert_eq!(progress.in_flight.len(), 1, "it is still on its way");
        progress.expire(NOW + patience, LEAST);
        assert_eq!((progress.in_flight.len(), progress.next), (0, 11));
    }

    #[test]
    fn no_more_is_sent_than_gets_through_in_time() {
        let half = Duration::from_millis(750);
        let mut progress = Progress::unknown(10, Instant::ZERO);
        progress.accepted(10, NOW);
        progress.sent(10, 11, 300 << 10, NOW);
        assert!(!progress.has_room(16, half), "nothing is known of the link");
        for last in 11..40 {
            let at = NOW + Duration::from_millis(last);
            progress.accepted(last, at);
            progress.sent(last, last + 1, 300 << 10, at);
        }
        assert!(progress.has_room(16, half), "it has proved to be fast");
    }
}
