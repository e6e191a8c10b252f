//! The same nodes on another simulator, event for event.
//!
//! An [`Adapter`] is one machine: it hosts one node, owns that node's clocks, timers, disk and
//! connections, decides the fate of what the node sends from the engine's own link streams, and
//! hands inputs to the node in the canonical order, in logical time. What leaves it are envelopes of
//! bytes, each with the instant at which it is due; another simulator carries them and wakes the
//! adapter up. If no envelope comes too late, every node sees what it sees on [`crate::Engine`], and
//! its digest is equal.
//!
//! Nothing that an adapter decides may depend on what another node did less than the shortest
//! latency ago, because no envelope can have told it. That is why a run replays a concrete script
//! of faults: from it every adapter knows, at any instant, what holds on its links.
//!
//! Start with [`HostRun`], which describes a run, and [`Simulator`], which performs it.

mod adapter;
mod arrival;
mod conns;
mod effects;
mod envelope;
mod loose;
mod problems;
mod reference;
mod schedule;
mod script;
mod send_half;

pub use adapter::Adapter;
pub use envelope::Envelope;
pub use loose::{Arrival, Judge, LooseParts, LooseResult, LooseRun, Notice, Outgoing};
pub use problems::{LATENCY_MIN, exact_problems, script_problems};
pub use reference::run_here;
pub use script::{Action, Timed};

use crate::api::{Boot, Workload};
use crate::config::Config;
use crate::trace::Event;
use alloc::boxed::Box;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use contract::SimTime;
use contract::hash::mix;
use core::any::Any;

/// What a simulator needs to know of a run.
#[derive(Clone, Copy)]
pub struct HostRun<'a> {
    /// The world.
    pub config: &'a Config,
    /// Makes the nodes' boots and the load, on the thread of the run.
    pub parts: &'a (dyn Fn() -> Parts + Sync),
    /// Every fault, resolved: what is imposed, lifted and struck, and when. In order.
    pub script: &'a [Timed],
    /// The end of the run; events at exactly this time are left.
    pub until: SimTime,
    /// Takes what is of interest out of each node's own copy of the load, on the thread of the
    /// run.
    pub harvest: &'a (dyn Fn(&[&dyn Workload]) -> Harvest + Sync),
    /// Whether every event is kept, to find the first one that differs.
    pub traced: bool,
}

impl HostRun<'_> {
    /// Whether the run can be exact.
    ///
    /// # Errors
    /// When it needs what exact runs do not have: all of that.
    pub fn check(&self) -> Result<(), HostError> {
        let mut problems = exact_problems(self.config);
        problems.extend(script_problems(self.script));
        if problems.is_empty() {
            return Ok(());
        }
        Err(HostError::Refused(problems))
    }
}

/// What was taken out of the loads of a run.
pub type Harvest = Box<dyn Any + Send>;

/// What differs from run to run and cannot leave its thread.
pub struct Parts {
    /// Boots the nodes.
    pub boot: Rc<dyn Boot>,
    /// The load. Every node gets a copy of it, asked for that node alone, because no machine
    /// knows what another one's clients did.
    pub workload: Box<dyn Workload>,
}

/// What came of a run on some simulator.
pub struct HostResult {
    /// What each node saw, by node.
    pub node_digests: Vec<u64>,
    /// All of them, combined by name.
    pub digest: u64,
    /// Inputs handled, boots and crashes.
    pub events: u64,
    /// Envelopes that came after the instant at which they were due. The run is void with one.
    pub late: u64,
    /// What the run needed and this mode does not have; the run is void with one.
    pub problems: Vec<String>,
    /// What `HostRun::harvest` returned.
    pub harvest: Harvest,
    /// Every event by node after the first boots, if the run was traced.
    pub events_of: Vec<Vec<Event>>,
}

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostError {
    /// The simulator is not part of this build, and why.
    Unavailable(&'static str),
    /// The run needs what the mode does not have.
    Refused(Vec<String>),
    /// The simulator failed: what it said.
    Failed(String),
}

impl core::fmt::Display for HostError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Unavailable(why) => write!(f, "the simulator is not available: {why}"),
            Self::Refused(problems) => {
                write!(f, "it cannot repeat the run: {}", problems.join("; "))
            }
            Self::Failed(said) => write!(f, "the simulator failed: {said}"),
        }
    }
}

/// Another simulator that can carry the nodes of a run.
pub trait Simulator: Sync {
    /// As on the command line: `turmoil`.
    fn name(&self) -> &'static str;

    /// Runs on a thread of its own, every node in an [`Adapter`].
    ///
    /// # Errors
    /// When the simulator is not there, refuses the run or fails.
    fn run_exact(&self, run: &HostRun<'_>) -> Result<HostResult, HostError>;

    /// Runs on the simulator's own network, with its own faults, on a thread of its own.
    ///
    /// # Errors
    /// When the simulator is not there, has no such mode or fails.
    fn run_loose(&self, _run: &LooseRun<'_>) -> Result<LooseResult, HostError> {
        Err(HostError::Unavailable("it has no loose mode"))
    }
}

/// The digest of a run: those of the nodes by their names, in no order.
pub(crate) fn combined(names: &[u64], digests: &[u64]) -> u64 {
    assert_eq!(names.len(), digests.len(), "a digest per node");
    let parts = names.iter().zip(digests);
    parts.fold(0, |sum, (name, digest)| sum.wrapping_add(mix(*name, *digest)))
}

/// The result of a run whose machines are `adapters`, by node.
#[must_use]
pub fn gather(run: &HostRun<'_>, adapters: &mut [Adapter]) -> HostResult {
    assert_eq!(adapters.len(), run.config.nodes.len(), "a machine per node");
    let names = adapters.first().map_or(&[][..], |first| first.names());
    let node_digests: Vec<u64> = adapters.iter().map(Adapter::digest).collect();
    let digest = combined(names, &node_digests);
    let loads: Vec<&dyn Workload> = adapters.iter().map(Adapter::workload).collect();
    let harvest = (run.harvest)(&loads);
    let sent: u64 = adapters.iter().map(|machine| machine.sent).sum();
    assert_eq!(names.len(), adapters.len(), "a name per machine");
    let arrived: u64 = adapters.iter().map(|machine| machine.arrived).sum();
    let mut problems: Vec<String> = adapters.iter_mut().flat_map(Adapter::take_problems).collect();
    if sent != arrived {
        problems.push(format!("of {sent} envelopes {arrived} arrived"));
    }
    HostResult {
        digest,
        events: adapters.iter().map(Adapter::events).sum(),
        late: adapters.iter().map(Adapter::late).sum(),
        problems,
        harvest,
        events_of: adapters.iter_mut().map(Adapter::take_trace).collect(),
        node_digests,
    }
}
