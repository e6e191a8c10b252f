//! The time of a test's cluster.

use super::cluster::TestCluster;
use contract::{Condition, Duration, Shock, SimTime};

/// Controls time: lets it pass, bends the clocks of nodes, and stops nodes in their tracks.
///
/// ```no_run
/// use contract::Duration;
/// use harness::testkit::{TestCluster, TimeController};
///
/// fn a_pause(cluster: &mut TestCluster) -> Result<(), String> {
///     let mut time = TimeController::of(cluster);
///     time.drift("n/2", 5_000)?;
///     time.pause("n/1")?;
///     time.advance(Duration::from_secs(4));
///     time.resume("n/1");
///     time.jump("n/3", -3_600_000_000_000)?;
///     Ok(())
/// }
/// ```
pub struct TimeController<'a> {
    cluster: &'a mut TestCluster,
}

impl<'a> TimeController<'a> {
    /// The time of `cluster`.
    pub fn of(cluster: &'a mut TestCluster) -> Self {
        Self { cluster }
    }

    /// Lets simulated time pass; no wall time passes for it.
    pub fn advance(&mut self, length: Duration) {
        self.cluster.run_for(length);
    }

    /// Simulated time since the start.
    #[must_use]
    pub fn now(&self) -> SimTime {
        self.cluster.now()
    }

    /// Stops a node; what reaches it waits.
    ///
    /// # Errors
    /// When the node does not exist.
    pub fn pause(&mut self, node: &str) -> Result<(), String> {
        let node = self.cluster.find(node)?;
        let id = self.cluster.impose(Condition::Pause { node })?;
        self.cluster.held.push((node, id));
        Ok(())
    }

    /// Lets a node go on that was paused or crashed.
    pub fn resume(&mut self, node: &str) {
        self.cluster.restart(node);
    }

    /// Lets both clocks of a node run fast or slow, by parts per million, for the rest of the run.
    ///
    /// # Errors
    /// When the node does not exist.
    pub fn drift(&mut self, node: &str, ppm: i32) -> Result<(), String> {
        let node = self.cluster.find(node)?;
        self.cluster.impose(Condition::Drift { node, ppm }).map(|_| ())
    }

    /// Lets the wall clock of a node jump, forwards or backwards.
    ///
    /// # Errors
    /// When the node does not exist.
    pub fn jump(&mut self, node: &str, by_ns: i64) -> Result<(), String> {
        let node = self.cluster.find(node)?;
        self.cluster.strike(Shock::WallJump { node, by_ns })
    }
}
