//! Local health (Lifeguard, LHA-Probe): how much a node mistrusts its own timing.

use contract::Duration;

/// The score: 0 where all is well, and up to one less than the greatest multiplier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Awareness {
    score: u32,
    multiplier_max: u32,
}

impl Awareness {
    /// Full health, with the most by which intervals may be multiplied; 1 switches it off.
    ///
    /// # Panics
    /// When the multiplier is 0.
    #[must_use]
    pub const fn new(multiplier_max: u32) -> Self {
        assert!(multiplier_max > 0, "an interval is multiplied by one at least");
        Self { score: 0, multiplier_max }
    }

    /// Adds to the score, within its limits.
    pub fn apply(&mut self, delta: i64) {
        let moved = i64::from(self.score) + delta;
        self.score = moved.clamp(0, i64::from(self.multiplier_max) - 1) as u32;
        assert!(self.score < self.multiplier_max, "the score is within its limits");
    }

    /// The score.
    #[must_use]
    pub const fn score(self) -> u32 {
        self.score
    }

    /// `interval`, as much longer as the node is unwell.
    #[must_use]
    pub const fn scale(self, interval: Duration) -> Duration {
        interval.saturating_mul(self.score as u64 + 1)
    }
}
