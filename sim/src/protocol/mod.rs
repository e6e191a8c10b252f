//! Protocols as sans-IO state machines. A protocol knows no system: a node owns one, hands it its
//! inputs, and does what it is told.

pub mod frame;
pub mod raft;
