//! Judges histories of concurrent operations.
//!
//! A history is a slice of [`contract::Op`]: what was asked, when, and what came back.
//! [`linearizable`] says whether one copy of an object could have given these answers, for
//! registers at a million operations in a fraction of a second, and for any [`models::Model`] by
//! search. [`linearizable::session_guarantees`] judges what reads promise short of that.
//! [`history`] reads histories that were recorded elsewhere (EDN of Jepsen and Knossos, JSON lines).
//!
//! **Invariant:** this crate knows no system and no simulator.

pub mod history;
pub mod linearizable;
pub mod models;
