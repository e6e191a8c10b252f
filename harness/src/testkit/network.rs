//! The network of a test's cluster, bent.

use super::cluster::TestCluster;
use contract::{Condition, Dist, Duration, InFlight, NodeId, Ratio};

/// Bends the network of a cluster. What it does lasts until [`ChaosNetwork::heal`]; it stacks.
///
/// ```no_run
/// use contract::Duration;
/// use harness::testkit::{ChaosNetwork, TestCluster};
///
/// fn weather(cluster: &mut TestCluster) -> Result<(), String> {
///     let mut network = ChaosNetwork::of(cluster);
///     network.partition(&[&["n/1", "n/2"], &["n/3"]])?;
///     network.lose("n/1", "n/2", 5)?;
///     network.delay("n/2", "n/1", Duration::from_millis(80))?;
///     cluster.run_for(Duration::from_secs(3));
///     ChaosNetwork::of(cluster).heal();
///     Ok(())
/// }
/// ```
pub struct ChaosNetwork<'a> {
    cluster: &'a mut TestCluster,
}

impl<'a> ChaosNetwork<'a> {
    /// The network of `cluster`.
    pub fn of(cluster: &'a mut TestCluster) -> Self {
        Self { cluster }
    }

    /// Cuts everything between the sides, both ways; what is under way is lost. Nodes on no side
    /// reach everybody.
    ///
    /// # Errors
    /// When a node does not exist.
    pub fn partition(&mut self, sides: &[&[&str]]) -> Result<(), String> {
        for (at, one) in sides.iter().enumerate() {
            for other in &sides[at + 1..] {
                for a in *one {
                    for b in *other {
                        self.cut(a, b)?;
                        self.cut(b, a)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Cuts a node off from everybody else.
    ///
    /// # Errors
    /// When the node does not exist.
    pub fn isolate(&mut self, node: &str) -> Result<(), String> {
        self.cluster.find(node)?;
        let others: Vec<String> =
            self.cluster.names().iter().filter(|name| *name != node).cloned().collect();
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        self.partition(&[&[node], &others])
    }

    /// Cuts one direction.
    ///
    /// # Errors
    /// When a node does not exist.
    pub fn cut(&mut self, from: &str, to: &str) -> Result<(), String> {
        let in_flight = InFlight::Lost;
        self.bend(from, to, |from, to| Condition::Block { from, to, in_flight })
    }

    /// Loses so many per cent of the messages of one direction.
    ///
    /// # Errors
    /// When a node does not exist.
    pub fn lose(&mut self, from: &str, to: &str, percent: u32) -> Result<(), String> {
        let ratio = Ratio::new(percent.min(100), 100);
        self.bend(from, to, |from, to| Condition::Loss { from, to, ratio })
    }

    /// Lets every message of one direction take longer.
    ///
    /// # Errors
    /// When a node does not exist.
    pub fn delay(&mut self, from: &str, to: &str, by: Duration) -> Result<(), String> {
        let extra = Dist::Constant(by.0);
        self.bend(from, to, |from, to| Condition::Delay { from, to, extra })
    }

    /// Lifts everything that was done to the network of the cluster.
    pub fn heal(&mut self) {
        for id in std::mem::take(&mut self.cluster.bent) {
            self.cluster.lift(id);
        }
    }

    fn bend(
        &mut self,
        from: &str,
        to: &str,
        condition: impl FnOnce(NodeId, NodeId) -> Condition,
    ) -> Result<(), String> {
        let (from, to) = (self.cluster.find(from)?, self.cluster.find(to)?);
        let id = self.cluster.impose(condition(from, to))?;
        self.cluster.bent.push(id);
        Ok(())
    }
}
