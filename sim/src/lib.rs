//! The simulated systems: protocols as sans-IO state machines, and the nodes built from them.
//!
//! [`protocol`] holds what several systems share and knows none of them.
#![no_std]

extern crate alloc;

pub mod protocol;
