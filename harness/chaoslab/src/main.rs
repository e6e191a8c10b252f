//! The binary: the harness with our systems.

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::cli::main(harness::cli::Lab { systems: sim::SYSTEMS })
}
