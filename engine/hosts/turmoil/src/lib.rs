//! The engine's nodes on [turmoil](https://docs.rs/turmoil): UDP between simulated hosts, tokio's
//! paused time, ticks of one millisecond.
//!
//! In exact mode turmoil carries envelopes and wakes machines up; everything that a node can see is
//! decided by [`engine::hosting::Adapter`]. Known limits of turmoil that matter here: time moves in
//! ticks, hosts run one after the other within one, and a tick costs about a microsecond per host
//! whether or not anything happens.

mod exact;
mod loose;

use engine::hosting::{HostError, HostResult, HostRun, LooseResult, LooseRun, Simulator};

/// turmoil, for the table of simulators.
#[derive(Clone, Copy, Debug, Default)]
pub struct Turmoil;

impl Simulator for Turmoil {
    fn name(&self) -> &'static str {
        "turmoil"
    }

    fn run_exact(&self, run: &HostRun<'_>) -> Result<HostResult, HostError> {
        run.check()?;
        exact::on_own_thread(|| exact::run(run))
    }

    fn run_loose(&self, run: &LooseRun<'_>) -> Result<LooseResult, HostError> {
        exact::on_own_thread(|| loose::run(run))
    }
}
