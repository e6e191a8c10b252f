//! Protocols as sans-IO state machines, and the parts that they and their nodes are made of. A
//! protocol knows no system: a node owns one, hands it its inputs, and does what it is told.

pub mod cache;
pub mod cow;
pub mod frame;
pub mod raft;
pub mod serf;
pub mod session;
pub mod swim;
pub mod tls;
pub mod token;
