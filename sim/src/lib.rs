//! The simulated systems: protocols as sans-IO state machines, and the nodes built from them.
//!
//! [`protocol`] holds what is said and kept (consensus, framing, sessions, a cache), [`service`] what
//! every networked service does (connections, tries, queues, limits). Neither knows a system; a system
//! is a folder beside them and composes both into nodes. Start with [`SYSTEMS`], one line per system.
//!
//! **Invariant:** this crate is `no_std` and sees no engine: a protocol that knows its simulator
//! is not the protocol.
#![no_std]

extern crate alloc;

pub mod hyperion;
pub mod protocol;
pub mod service;

use catalog::System;
use catalog::conformance::Suite;

/// Every system of this crate. To add one: write its folder, add its line.
pub const SYSTEMS: &[&dyn System] = &[&hyperion::Hyperion];

/// Every conformance suite of other projects that is run against code of this crate.
pub const SUITES: &[&dyn Suite] = &[
    &protocol::raft::conformance::Quorum,
    &protocol::raft::conformance::ConfChange,
    &protocol::raft::conformance::Interaction,
    &protocol::swim::conformance::Memberlist,
];
