//! The engine's nodes on [madsim](https://docs.rs/madsim): its executor, which picks ready tasks
//! at random, and its time, over a switchboard of channels.
//!
//! madsim's own endpoints are not used: each of their receives is delayed by a drawn time and
//! loses its message when it is cancelled. Without `--cfg madsim` the crate compiles to a host
//! that says that it is not there, because madsim would then be a wrapper around the real tokio.

#[cfg(all(madsim, any(target_os = "linux", target_os = "macos")))]
mod exact;

use engine::hosting::{HostError, HostResult, HostRun, Simulator};

/// madsim, for the table of simulators.
#[derive(Clone, Copy, Debug, Default)]
pub struct Madsim;

impl Simulator for Madsim {
    fn name(&self) -> &'static str {
        "madsim"
    }

    #[cfg(all(madsim, any(target_os = "linux", target_os = "macos")))]
    fn run_exact(&self, run: &HostRun<'_>) -> Result<HostResult, HostError> {
        run.check()?;
        exact::on_own_thread(|| exact::run(run))
    }

    #[cfg(not(all(madsim, any(target_os = "linux", target_os = "macos"))))]
    fn run_exact(&self, _: &HostRun<'_>) -> Result<HostResult, HostError> {
        Err(HostError::Unavailable(if cfg!(madsim) {
            "madsim has neither Linux nor macOS here"
        } else {
            "built without --cfg madsim"
        }))
    }
}
