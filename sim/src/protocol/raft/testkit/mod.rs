//! A small in-memory world for Raft alone: [`Cluster`] delivers by hand, [`weather`] by chance.

mod cluster;
mod disk;
mod random;
mod render;
mod weather;

pub(super) use cluster::{Cluster, Member, raft_of};
pub(super) use disk::MemDisk;
pub(super) use random::{Profile, run};
pub(super) use weather::Weather;
