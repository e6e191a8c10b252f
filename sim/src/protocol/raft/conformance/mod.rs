//! The data-driven test files of etcd's raft, run against this one.
//!
//! Start with [`Quorum`], [`ConfChange`] and [`Interaction`], one file each. A file is a list of
//! commands with what etcd prints for each; what is compared of that is told per suite. The cases
//! belong to their project and are read where they lie: none is part of this one.

mod cases;
mod confchange;
mod differences;
mod interaction;
mod quorum;
mod said;
mod world;

pub use confchange::ConfChange;
pub use interaction::Interaction;
pub use quorum::Quorum;

#[cfg(test)]
mod tests;
