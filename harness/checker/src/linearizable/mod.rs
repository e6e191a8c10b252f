//! Is the history one that a single copy could have produced?
//!
//! [`check_register`] judges get, put, delete and compare-and-set, key by key: exactly and in
//! `O(n log n)` by [`zones`] where every value is written once, else by [`search`] within a
//! budget of steps. [`check_model`] judges any [`Model`](crate::models::Model) by search alone. A
//! verdict of "linearizable" rests on an order that was [replayed](replay), a verdict of "not" comes
//! with a [`counterexample`] of a few operations that cannot be cut down further.
//!
//! [`stream`] judges registers while a history is being read and keeps only its open part.
//!
//! [`session_guarantees`] has what reads promise short of that: session guarantees and bounded staleness.
//!
//! The whole is described in `docs/checkers.md`.

pub mod counterexample;
mod lanes;
mod model;
mod mutant;
mod recorded;
mod register;
pub mod replay;
mod report;
mod rounds;
pub mod search;
pub mod session_guarantees;
pub mod stream;
pub mod violation;
pub mod zones;

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod testkit;

pub use lanes::{DRAWN_MAX, key_lanes_svg, lanes_svg, model_lanes_svg};
pub use model::check_model;
pub use recorded::{check_recorded, check_recorded_with};
pub use register::{check_register, check_register_with};
pub use report::{COUNTEREXAMPLES_MAX, Counterexample, Options, Report, Verdict};
