//! Protocols that know no system: bytes at the door, typed state machines inside.

pub mod frame;
