//! The formulas by which timeouts and limits grow with the cluster, as memberlist computes them.

use contract::Duration;

/// The least time under suspicion: `mult · max(1, log10(max(1, n))) · interval`, the scale cut to
/// thousandths. `n` counts all members that are known, the node itself among them.
#[must_use]
pub fn suspicion_min(mult: u32, members: u64, interval: Duration) -> Duration {
    let scale = libm::log10(members.max(1) as f64).max(1.0);
    let thousandths = (scale * 1_000.0) as u64;
    assert!(thousandths >= 1_000, "small clusters count as ten");
    Duration(interval.as_nanos() / 1_000 * thousandths).saturating_mul(u64::from(mult))
}

/// How long a suspicion lasts in all, after `confirmations` of the `expected` independent ones
/// (Lifeguard, LHA-Suspicion): from `max` down to `min` with the logarithm, in whole milliseconds.
#[must_use]
pub fn suspicion_after(
    confirmations: u32,
    expected: u32,
    min: Duration,
    max: Duration,
) -> Duration {
    if expected == 0 {
        return min;
    }
    let ln = |n: u32| libm::log(f64::from(n) + 1.0);
    let share = ln(confirmations) / ln(expected);
    let (low, high) = (min.as_nanos() as f64 / 1e9, max.as_nanos() as f64 / 1e9);
    let ms = libm::floor(1_000.0 * (high - share * (high - low))).max(0.0);
    Duration::from_millis(ms as u64).max(min)
}

/// How often a message is passed on: `mult · ⌈log10(n + 1)⌉`.
#[must_use]
pub fn retransmit_limit(mult: u32, members: u64) -> u32 {
    mult * libm::ceil(libm::log10(members as f64 + 1.0)) as u32
}

/// By how much push/pull slows down with the cluster: `⌈log2 n − log2 32⌉ + 1` beyond 32 members.
#[must_use]
pub fn push_pull_scale(members: u64) -> u64 {
    if members <= 32 {
        return 1;
    }
    libm::ceil(libm::log2(members as f64) - 5.0) as u64 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_of_the_field() {
        let second = Duration::from_secs(1);
        let suspicion = |members| suspicion_min(4, members, second).as_millis();
        assert_eq!([1, 10, 32, 100, 1_000].map(suspicion), [4_000, 4_000, 6_020, 8_000, 12_000]);
        assert_eq!([1, 9, 10, 99, 100].map(|n| retransmit_limit(4, n)), [4, 4, 8, 8, 12]);
        assert_eq!([1, 32, 33, 64, 65, 1_000].map(push_pull_scale), [1, 1, 2, 2, 3, 6]);
        let (min, max) = (Duration::from_millis(500), Duration::from_secs(2));
        let after = |confirmations| suspicion_after(confirmations, 3, min, max).as_millis();
        assert_eq!([0, 1, 2, 3].map(after), [2_000, 1_250, 811, 500]);
    }
}
