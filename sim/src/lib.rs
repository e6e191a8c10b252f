//! The simulated systems: protocols as sans-IO state machines, and the nodes built from them.
//!
//! [`protocol`] holds what knows no system (consensus, framing); a system is a folder beside it
//! and composes protocols into nodes. Start with [`SYSTEMS`], one line per system.
//!
//! **Invariant:** this crate is `no_std` and sees no engine: a protocol that knows its simulator
//! is not the protocol.
#![no_std]

extern crate alloc;

pub mod hyperion;
pub mod protocol;

use catalog::System;
use catalog::conformance::Suite;

/// Every system of this crate. To add one: write its folder, add its line.
pub const SYSTEMS: &[&dyn System] = &[&hyperion::Hyperion];

/// Every conformance suite of other projects that is run against code of this crate.
pub const SUITES: &[&dyn Suite] = &[
    &protocol::raft::conformance::Quorum,
    &protocol::raft::conformance::ConfChange,
    &protocol::raft::conformance::Interaction,
];
