//! The binary: the command line of [`chaoslab::LAB`].

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::cli::main(chaoslab::LAB)
}
