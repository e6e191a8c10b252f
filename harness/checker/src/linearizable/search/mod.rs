//! Search for a linearization, for any object, within a budget.
//!
//! Wing and Gong, "Testing and verifying concurrent objects", JPDC 17 (1993), with Lowe's
//! memoisation ("Testing for linearizability", CCPE 29 (2017), §4), made cheaper: operations that
//! only observe are taken at once, candidates are tried by deadline, and a configuration is kept as
//! a 128-bit fingerprint. The budget is in steps and configurations, never in time, so the same
//! history gives the same verdict everywhere.
//!
//! [`engine`] is the search, without recursion; [`object`] what it asks of an object.

pub mod engine;
pub mod generic;
mod memo;
pub mod object;
mod on_register;
mod queues;
pub mod register;
mod used;

pub use engine::{Limits, Search};
pub use object::Object;
pub use on_register::search_register;

/// Why a search gave up: more steps may decide it.
pub const STEPS_SPENT: &str = "the step budget is spent";
/// Why a search gave up: more steps would not help.
pub const MEMORY_SPENT: &str = "the memory budget is spent";

/// How a search ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Some order explains every answer: indexes of operations.
    Linearizable(Vec<u32>),
    /// No order does. The rank of the earliest return that none of the orders tried got past: for
    /// an object without pruning, everything that returned before it is linearizable.
    NotLinearizable {
        /// That rank.
        blocked: u32,
    },
    /// The budget ran out first.
    Undecided {
        /// What ran out.
        why: &'static str,
    },
}
