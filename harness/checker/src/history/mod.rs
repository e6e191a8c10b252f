//! Histories in the form that the checkers work on.
//!
//! A history is a slice of [`contract::Op`]. Linearizability is local (Herlihy and Wing, "Linearizability:
//! a correctness condition for concurrent objects", §3.1), so it is split per key ([`split`]), and
//! each key's operations are put into one order of calls and returns ([`rank`]). Registers are
//! compiled further, into dense numbers ([`register`]).
//!
//! [`read`] takes histories that were recorded elsewhere, [`jsonl`] writes the lab's own.
//!
//! Start with [`register::Register`] for what the register checker sees of an operation.

pub mod build;
pub mod edn;
mod edn_history;
mod edn_keys;
mod error;
pub mod intern;
mod jepsen_log;
pub mod jsonl;
mod pairing;
mod preloaded;
pub mod rank;
mod recorded;
pub mod register;
pub mod registers;
pub mod split;

pub use error::ReadError;
pub use preloaded::preloaded;
pub use recorded::{Format, Reading, Recorded, Subject, read, read_as};

#[cfg(test)]
mod peer_data;
#[cfg(test)]
mod reading;
