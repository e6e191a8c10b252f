//! The binary: the harness with our systems, and the simulators that can repeat their runs.

mod meter;

use harness::cli::Lab;
use std::process::ExitCode;

fn main() -> ExitCode {
    harness::cli::main(Lab {
        simulators: &[&host_turmoil::Turmoil, &host_madsim::Madsim],
        suites: sim::SUITES,
        meter: Some(meter::allocations),
        ..Lab::of(sim::SYSTEMS)
    })
}
