//! Distributions, as values made of integers: equal on every platform.
//!
//! `ln`, `exp` and `pow` come from the `libm` crate, which is pure Rust; those of the platform may
//! differ in the last bit.

use crate::rng::{Ratio, Rng, Word};
use alloc::vec::Vec;

/// A distribution over whole numbers; the unit (nanoseconds, bytes, …) is that of its use.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Dist {
    /// Always the same. Draws nothing.
    Constant(u64),
    /// Evenly in `[min, max)`. One draw.
    Uniform {
        /// The least value.
        min: u64,
        /// Just above the greatest value.
        max: u64,
    },
    /// `min` plus an exponential, with `mean` in all. One draw.
    Exponential {
        /// The least value.
        min: u64,
        /// The mean of the whole, not of the exponential part; at least `min`.
        mean: u64,
    },
    /// `min` plus a log-normal, by the median of the whole. Two draws (Box-Muller, cosine half).
    LogNormal {
        /// The least value.
        min: u64,
        /// Half of the draws are below it; at least `min`.
        median: u64,
        /// The standard deviation of the logarithm, in millionths.
        sigma_ppm: u32,
        /// Draws above it are cut to it.
        max: u64,
    },
    /// Mostly fast, sometimes slow. Two draws.
    Bimodal {
        /// The fast range `[min, max)`.
        fast: (u64, u64),
        /// The slow range `[min, max)`.
        slow: (u64, u64),
        /// How often it is slow.
        slow_share: Ratio,
    },
    /// One of a list, each as likely. One draw.
    Choice(Vec<u64>),
}

impl Dist {
    /// Draws a value.
    #[must_use]
    pub fn sample(&self, rng: &mut Rng) -> u64 {
        let unused = Word(0);
        let words = match self {
            Self::Constant(_) => [unused; 2],
            Self::Uniform { .. } | Self::Exponential { .. } | Self::Choice(_) => {
                [rng.word(), unused]
            }
            Self::LogNormal { .. } | Self::Bimodal { .. } => [rng.word(), rng.word()],
        };
        self.sample_words(words)
    }

    /// The value that `words` stand for; those that the distribution does not need are ignored.
    #[must_use]
    #[inline]
    pub fn sample_words(&self, words: [Word; 2]) -> u64 {
        let [first, second] = words;
        match self {
            Self::Constant(value) => *value,
            Self::Uniform { min, max } => first.range(*min, *max),
            Self::Exponential { min, mean } => {
                // 1 - unit() lies in (0, 1], so the logarithm is finite.
                let drawn = -libm::log(1.0 - first.unit());
                min.saturating_add((drawn * mean.saturating_sub(*min) as f64) as u64)
            }
            Self::LogNormal { min, median, sigma_ppm, max } => {
                let radius = libm::sqrt(-2.0 * libm::log(1.0 - first.unit()));
                let normal = radius * libm::cos(core::f64::consts::TAU * second.unit());
                let sigma = f64::from(*sigma_ppm) / 1e6;
                let drawn = median.saturating_sub(*min) as f64 * libm::exp(sigma * normal);
                min.saturating_add(drawn as u64).min(*max)
            }
            Self::Bimodal { fast, slow, slow_share } => {
                let (min, max) = if first.chance(*slow_share) { *slow } else { *fast };
                second.range(min, max)
            }
            Self::Choice(values) => values[first.below(values.len() as u64) as usize],
        }
    }

    /// The least value that can be drawn.
    #[must_use]
    pub fn min(&self) -> u64 {
        match self {
            Self::Constant(value) => *value,
            Self::Uniform { min, .. }
            | Self::Exponential { min, .. }
            | Self::LogNormal { min, .. } => *min,
            Self::Bimodal { fast, slow, .. } => fast.0.min(slow.0),
            Self::Choice(values) => values.iter().copied().min().unwrap_or(0),
        }
    }
}

/// Zipf over `count` ranks: rank `i` (from 0) is drawn in proportion to `1 / (i + 1)^s`.
///
/// A table of cumulative weights: one draw and a binary search per sample, and no rejection loop
/// whose number of draws would depend on what was drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zipf {
    cumulative: Vec<u64>,
}

impl Zipf {
    /// The largest table: 8 bytes a rank.
    pub const COUNT_MAX: u64 = 10_000_000;

    /// A table for `count` ranks and exponent `s` in millionths.
    #[must_use]
    pub fn new(count: u64, s_ppm: u32) -> Self {
        assert!(count > 0, "there is something to draw from");
        assert!(count <= Self::COUNT_MAX, "the table has a limit");
        let s = f64::from(s_ppm) / 1e6;
        let weight = |rank: u64| libm::pow((rank + 1) as f64, -s);
        let total: f64 = (0..count).map(weight).sum();
        let mut cumulative = Vec::with_capacity(count as usize);
        let mut sum = 0.0;
        for rank in 0..count {
            sum += weight(rank);
            cumulative.push((sum / total * (1_u64 << 53) as f64) as u64);
        }
        assert!(cumulative.is_sorted(), "weights are not negative");
        assert_eq!(cumulative.len() as u64, count, "a bound for each rank");
        Self { cumulative }
    }

    /// Draws a rank in `[0, count)`. One draw.
    #[must_use]
    pub fn sample(&self, rng: &mut Rng) -> u64 {
        let drawn = rng.next_u64() >> 11;
        assert!(!self.cumulative.is_empty(), "there is something to draw from");
        let rank = self.cumulative.partition_point(|&bound| bound <= drawn);
        rank.min(self.cumulative.len() - 1) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Domain;

    fn stream() -> Rng {
        Rng::new(7, Domain::Link, "golden")
    }

    /// Four draws of each distribution. A change here changes every recorded run.
    #[test]
    fn golden_values() {
        let check = |dist: Dist, expect: [u64; 4]| {
            let mut rng = stream();
            let drawn: Vec<u64> = (0..4).map(|_| dist.sample(&mut rng)).collect();
            assert_eq!(drawn, expect, "{dist:?}");
        };
        check(Dist::Constant(5), [5, 5, 5, 5]);
        check(Dist::Uniform { min: 1_000, max: 4_000 }, [3435, 3450, 3742, 3037]);
        check(Dist::Exponential { min: 1_000, mean: 4_000 }, [6009, 6093, 8371, 4411]);
        check(
            Dist::LogNormal { min: 0, median: 20_000, sigma_ppm: 600_000, max: u64::MAX },
            [31291, 11289, 24650, 26023],
        );
        let bimodal =
            Dist::Bimodal { fast: (1, 100), slow: (1_000, 2_000), slow_share: Ratio::new(1, 2) };
        check(bimodal, [81, 68, 1813, 1876]);
        check(Dist::Choice(Vec::from([3, 5, 7])), [7, 7, 7, 7]);
    }

    #[test]
    fn golden_zipf() {
        let zipf = Zipf::new(1_000, 1_100_000);
        let mut rng = stream();
        let drawn: Vec<u64> = (0..6).map(|_| zipf.sample(&mut rng)).collect();
        assert_eq!(drawn, [148, 156, 402, 46, 3, 151]);
    }

    #[test]
    fn means_are_what_they_say() {
        let mut rng = stream();
        let mean = |dist: &Dist, rng: &mut Rng| {
            (0..20_000).map(|_| dist.sample(rng)).sum::<u64>() as f64 / 20_000.0
        };
        let exponential = mean(&Dist::Exponential { min: 2_000, mean: 8_000 }, &mut rng);
        assert!((7_800.0..8_200.0).contains(&exponential), "{exponential}");
        let uniform = mean(&Dist::Uniform { min: 0, max: 1_000 }, &mut rng);
        assert!((490.0..510.0).contains(&uniform), "{uniform}");
    }

    #[test]
    fn an_empty_range_is_its_lower_end() {
        assert_eq!(Dist::Uniform { min: 9, max: 9 }.sample(&mut stream()), 9);
    }

    #[test]
    fn zipf_ranks_fall() {
        let zipf = Zipf::new(10, 1_000_000);
        let mut counts = [0_u32; 10];
        let mut rng = stream();
        for _ in 0..20_000 {
            counts[zipf.sample(&mut rng) as usize] += 1;
        }
        assert!(counts[0] > counts[1] && counts[1] > counts[4] && counts[4] > counts[9]);
        assert!(counts[9] > 0);
    }
}
