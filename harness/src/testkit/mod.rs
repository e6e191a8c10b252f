//! The lab from inside of a Rust test: a cluster that the test drives step by step, instead of a
//! scenario file that says everything beforehand.
//!
//! [`TestCluster`] boots a simulated cluster and moves it on, [`ChaosNetwork`] bends its network,
//! [`TimeController`] its clocks and the pace of its nodes, and [`MemoryTracker`] watches what its
//! nodes hold. Everything is deterministic: a test that fails once fails always.
//!
//! ```no_run
//! use catalog::System;
//! use contract::Duration;
//! use harness::testkit::{ChaosNetwork, TestCluster};
//!
//! fn a_minority_cannot_elect(system: &'static dyn System) -> Result<(), String> {
//!     let mut cluster = TestCluster::of(system, "cache", 3, 7)?;
//!     cluster.run_for(Duration::from_secs(5));
//!     let leader = cluster.select("n/leader").pop().ok_or("nobody was elected")?;
//!     ChaosNetwork::of(&mut cluster).isolate(&leader)?;
//!     cluster.run_for(Duration::from_secs(10));
//!     assert_ne!(cluster.select("n/leader").pop(), Some(leader));
//!     ChaosNetwork::of(&mut cluster).heal();
//!     assert!(cluster.settles("raft.single_leader", Duration::from_secs(10)));
//!     assert!(cluster.violations().is_empty());
//!     Ok(())
//! }
//! ```

mod cluster;
mod memory;
mod network;
mod time;

pub use cluster::TestCluster;
pub use memory::MemoryTracker;
pub use network::ChaosNetwork;
pub use time::TimeController;
