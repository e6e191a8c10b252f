//! Sweeps: many seeds × variants × points of the matrix, over all cores, of which nothing depends on
//! the number of cores or on the order in which the runs end.
//!
//! [`tasks`] lists what is to run, [`pool`] runs it, [`log`] keeps every result at once, so that a
//! sweep that was killed goes on where it was and shards are joined; [`summary`] says what it all
//! adds up to, and [`ci_formats`] says it to services that run checks.
//!
//! **Invariant:** what is printed at the end is a function of the set of results alone.

pub mod ci_formats;
pub mod log;
pub mod pool;
pub mod summary;
pub mod tasks;

pub use log::Log;
pub use pool::{Limits, Stop};
pub use summary::Summary;
pub use tasks::{Head, Key, Points, Series, Shard, Work};

use pool::Hearing;
use reports::SeedResult;
use std::collections::BTreeMap;

/// Results by what was run.
pub type Results = BTreeMap<Key, SeedResult>;

/// Runs of one sweep, at most: more can neither be run nor read, so whoever asks for more meant
/// something else.
pub const RUNS_MAX: u128 = 1_000_000_000_000;

/// Keeps all of them.
impl Hearing for Results {
    fn ended(&mut self, _: &SeedResult) -> bool {
        false
    }

    fn keep(&mut self, run: SeedResult) {
        self.insert((&run).into(), run);
    }
}
