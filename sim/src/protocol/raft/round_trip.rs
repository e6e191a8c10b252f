//! How long a leader waits for a peer's answer before it takes what it sent for lost.
//!
//! The round-trip time is estimated as in TCP (RFC 6298, section 2; samples by Karn's rule, SIGCOMM
//! 1987). It says little about a large append behind others on a narrow link, so the time that bytes
//! take is estimated apart and charged for what is outstanding. Without it a leader sends large
//! entries again while they are still on their way, which narrows the link further.

use contract::Duration;

/// What a leader has measured of the way to one peer and back.
#[derive(Clone, Copy, Debug)]
pub(super) struct RoundTrip {
    /// The smoothed round-trip time and its mean deviation, once something was measured.
    smoothed: Option<(u64, u64)>,
    /// How long 1 KiB takes, in nanoseconds.
    pace_ns: u64,
    /// Patience ended so often without an answer since.
    expired: u32,
}

/// What is assumed of a link before something large was measured: 256 KiB a second.
const PACE_NS: u64 = 1_000_000_000 / 256;

/// Fewer bytes say nothing about the pace.
const PACE_BYTES_MIN: u64 = 16 << 10;

/// Patience doubles at most so often.
const DOUBLED_MAX: u32 = 3;

const _: () = assert!(DOUBLED_MAX < 8, "patience stays finite");

impl RoundTrip {
    pub const UNKNOWN: Self = Self { smoothed: None, pace_ns: PACE_NS, expired: 0 };

    /// An answer came `after` something was sent with `bytes` outstanding, that and all before it.
    pub fn measure(&mut self, after: Duration, bytes: u64) {
        let sample_ns = after.as_nanos();
        if bytes >= PACE_BYTES_MIN {
            let sample = sample_ns / (bytes >> 10);
            self.pace_ns = (3 * self.pace_ns + sample) / 4;
            return;
        }
        self.smoothed = Some(match self.smoothed {
            None => (sample_ns, sample_ns / 2),
            Some((mean, deviation)) => {
                let off = mean.abs_diff(sample_ns);
                ((7 * mean + sample_ns) / 8, (3 * deviation + off) / 4)
            }
        });
    }

    /// The peer made progress.
    pub const fn answered(&mut self) {
        self.expired = 0;
    }

    /// Patience ended.
    pub const fn expired(&mut self) {
        self.expired = self.expired.saturating_add(1);
    }

    /// How long to wait for an answer while `bytes` are outstanding: a round trip and twice what
    /// they are expected to take, but `least` at least, and twice as long after each time that it
    /// was in vain.
    pub fn patience(&self, least: Duration, bytes: u64) -> Duration {
        let (mean, deviation) = self.smoothed.unwrap_or_default();
        let answer_ns = mean.saturating_add(4 * deviation);
        let carried_ns = (u128::from(self.pace_ns) * u128::from(bytes) * 2) >> 10;
        let carried_ns = u64::try_from(carried_ns).unwrap_or(u64::MAX);
        let patience = Duration(answer_ns.saturating_add(carried_ns)).max(least);
        assert!(patience >= least, "nobody is given up at once");
        patience.saturating_mul(1 << self.expired.min(DOUBLED_MAX))
    }

    /// How many bytes are expected to get through in `time`.
    pub fn bytes_in(&self, time: Duration) -> u64 {
        let kib = time.as_nanos() / self.pace_ns.max(1);
        kib.saturating_mul(1 << 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;
    const LEAST: Duration = Duration::from_millis(300);

    #[test]
    fn small_answers_make_the_round_trip_and_large_ones_the_pace() {
        let mut trip = RoundTrip::UNKNOWN;
        assert_eq!(trip.patience(LEAST, 0), LEAST, "on a fast link the least holds");
        for _ in 0..40 {
            trip.measure(Duration(400 * MS), 100);
        }
        let patience = trip.patience(LEAST, 0);
        assert!(patience >= Duration(400 * MS) && patience < Duration(410 * MS), "{patience}");
        for _ in 0..40 {
            trip.measure(Duration(300 * MS), 300 << 10);
        }
        // 1 ms for each KiB, doubled.
        assert!(trip.patience(LEAST, 300 << 10) >= Duration(1_000 * MS));
        assert!(trip.patience(LEAST, 300 << 10) < Duration(1_020 * MS));
        assert!(trip.bytes_in(Duration(750 * MS)).abs_diff(750 << 10) < 10 << 10);
    }

    #[test]
    fn patience_doubles_until_something_is_answered() {
        let mut trip = RoundTrip::UNKNOWN;
        let mut expect = LEAST;
        for _ in 0..3 {
            trip.expired();
            expect = expect.saturating_mul(2);
            assert_eq!(trip.patience(LEAST, 0), expect);
        }
        trip.expired();
        assert_eq!(trip.patience(LEAST, 0), expect, "there is an end");
        trip.answered();
        assert_eq!(trip.patience(LEAST, 0), LEAST);
    }
}
