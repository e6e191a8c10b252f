//! The memory of a test's cluster.

use super::cluster::TestCluster;
use contract::SimTime;
use std::collections::BTreeMap;

/// Samples the logical memory of all nodes, and says how it grew.
///
/// ```no_run
/// use contract::Duration;
/// use harness::testkit::{MemoryTracker, TestCluster};
///
/// fn stays_small(cluster: &mut TestCluster) {
///     let mut memory = MemoryTracker::default();
///     for _ in 0..10 {
///         cluster.run_for(Duration::from_secs(1));
///         memory.sample(cluster);
///     }
///     assert!(memory.peak_bytes("n/1") < 1 << 20);
///     assert!(memory.growth_bytes("n/1") <= 0);
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryTracker {
    samples: BTreeMap<String, Vec<(SimTime, u64)>>,
}

impl MemoryTracker {
    /// Takes a sample of every node that is up.
    pub fn sample(&mut self, cluster: &TestCluster) {
        for name in cluster.names() {
            if let Some(bytes) = cluster.memory_bytes(name) {
                self.samples.entry(name.clone()).or_default().push((cluster.now(), bytes));
            }
        }
    }

    /// The samples of a node, in the order of time.
    #[must_use]
    pub fn samples(&self, node: &str) -> &[(SimTime, u64)] {
        self.samples.get(node).map_or(&[], Vec::as_slice)
    }

    /// The most that a node was seen to hold; 0 for one that was never seen.
    #[must_use]
    pub fn peak_bytes(&self, node: &str) -> u64 {
        self.samples(node).iter().map(|(_, bytes)| *bytes).max().unwrap_or(0)
    }

    /// How much more a node held at the last sample than at the first; negative when it shrank.
    #[must_use]
    pub fn growth_bytes(&self, node: &str) -> i64 {
        let samples = self.samples(node);
        let first = samples.first().map_or(0, |(_, bytes)| *bytes);
        let last = samples.last().map_or(0, |(_, bytes)| *bytes);
        if last >= first {
            i64::try_from(last - first).unwrap_or(i64::MAX)
        } else {
            i64::try_from(first - last).map_or(i64::MIN, |shrunk| -shrunk)
        }
    }
}
