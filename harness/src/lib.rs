//! The harness: compiles scenario files, runs them on the engine, judges what happened, and keeps
//! what is needed to repeat it.
//!
//! The way of a scenario: [`scenario`] compiles a file into a [`scenario::plan::Plan`]; [`run`]
//! boots its world ([`world`]), makes the load ([`load`]), plays the faults ([`director`],
//! [`faults`]) while [`observe`] watches, and judges ([`checks`]); [`record`] turns the result into
//! what the crate `reports` renders; [`cli`] ties it together.
//!
//! **Invariant:** nothing here knows a system of ours. A user's crate registers its own systems
//! with [`cli::main`] and gets all of it; its kinds of checks and of faults and its models stand
//! beside those of the house ([`kinds`]).

pub mod budget;
pub mod campaign;
pub mod cause;
pub mod checks;
pub mod cli;
pub mod cow_log;
pub mod difference;
pub mod director;
pub mod explore;
pub mod faults;
pub mod hunt;
pub mod interrupt;
pub mod kinds;
pub mod known_failures;
pub mod load;
pub mod loose;
pub mod margins;
pub mod measure;
pub mod meter;
pub mod observe;
pub mod outcome;
pub mod panics;
pub mod record;
pub mod run;
pub mod run_result;
pub mod rundir;
pub mod select;
pub mod shell;
pub mod shrink;
pub mod simulator;
pub mod stats;
pub mod stopwatch;
pub mod sweep;
pub mod testkit;
pub mod whole_file;
pub mod world;
pub mod zoo;
