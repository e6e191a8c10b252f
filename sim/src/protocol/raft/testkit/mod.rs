//! A small in-memory world for Raft alone: [`Cluster`] delivers by hand, [`weather`] by chance.

mod cluster;
mod disk;
mod oracle;
mod random;
mod render;
mod script;
mod weather;

pub(super) use disk::MemDisk;
pub(super) use random::{Profile, run};
pub(super) use script::{Played, play};
