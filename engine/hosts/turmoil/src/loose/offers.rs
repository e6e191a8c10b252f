//! What turmoil offers of our laws, and what it does not.

use contract::{Condition, Dist, InFlight};
use engine::Config;
use std::time::Duration;

/// Hosts of one tick run one after the other, so a message of less than two ticks could arrive
/// before it was sent.
const LATENCY_MIN: Duration = Duration::from_millis(2);

/// The range of latencies that comes nearest to a distribution. turmoil draws from it
/// exponentially.
pub fn latency(dist: &Dist) -> (Duration, Duration) {
    let max = match dist {
        Dist::Constant(value) => *value,
        Dist::Uniform { max, .. } | Dist::LogNormal { max, .. } => *max,
        Dist::Exponential { min, mean } => min + (mean - min).saturating_mul(5),
        Dist::Bimodal { fast, slow, .. } => fast.1.max(slow.1),
        Dist::Choice(values) => values.iter().copied().max().unwrap_or(0),
    };
    let min = Duration::from_nanos(dist.min()).max(LATENCY_MIN);
    (min, Duration::from_nanos(max).max(min))
}

/// Which laws of the network turmoil leaves out.
pub fn missing_from_world(config: &Config) -> Vec<String> {
    let link = &config.link;
    let laws = [
        (!link.loss.is_zero(), "loss of single messages"),
        (!link.duplicate.is_zero(), "duplicated messages"),
        (!link.reorder.is_zero(), "reordered messages"),
        (!link.corrupt.is_zero(), "corrupted messages"),
        (link.bandwidth.is_some(), "bandwidth"),
        (!config.links.is_empty(), "links with a law of their own"),
        (config.nodes.iter().any(|node| node.memory_limit.is_some()), "memory limits"),
    ];
    let missing = laws.iter().filter(|(is_there, _)| *is_there);
    missing.map(|(_, law)| (*law).to_owned()).collect()
}

/// Why turmoil cannot impose a condition; `None` when it can.
pub fn missing(condition: &Condition) -> Option<&'static str> {
    match condition {
        Condition::Block { in_flight: InFlight::Kept, .. } => {
            Some("a partition that spares what is under way")
        }
        Condition::Hold { .. } => Some("a link that is held in one direction"),
        Condition::Loss { .. } => Some("loss of single messages"),
        Condition::Duplicate { .. } => Some("duplicated messages"),
        Condition::Reorder { .. } => Some("reordered messages"),
        Condition::Corrupt { .. } => Some("corrupted messages"),
        Condition::Delay { .. } => Some("delays in one direction"),
        Condition::Bandwidth { .. } => Some("bandwidth"),
        Condition::MemoryLimit { .. } => Some("memory limits"),
        Condition::ServiceTime { .. } => Some("service times"),
        Condition::Block { in_flight: InFlight::Lost, .. }
        | Condition::Down { .. }
        | Condition::Pause { .. }
        | Condition::SlowCpu { .. }
        | Condition::Drift { .. }
        | Condition::DiskSlow { .. }
        | Condition::SyncLies { .. }
        | Condition::SyncFails { .. }
        | Condition::WriteFails { .. }
        | Condition::ReadCorrupt { .. }
        | Condition::WriteCorrupt { .. }
        | Condition::Misdirect { .. }
        | Condition::Capacity { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_what_is_drawn() {
        let ms = |n: u64| Duration::from_millis(n);
        let check = |dist: Dist, min, max| assert_eq!(latency(&dist), (ms(min), ms(max)));
        check(Dist::Constant(5_000_000), 5, 5);
        check(Dist::Constant(1_000_000), 2, 2);
        check(Dist::Uniform { min: 1_000_000, max: 8_000_000 }, 2, 8);
        check(Dist::Choice(vec![7_000_000, 5_000_000]), 5, 7);
        check(Dist::Exponential { min: 3_000_000, mean: 5_000_000 }, 3, 13);
    }
}
