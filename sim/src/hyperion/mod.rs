//! Hyperion: a cache replicated by consensus.
//!
//! A group of cache nodes replicates a log of writes by Raft and serves reads from the state that
//! the log leads to. Start with [`system`], which is what the lab sees, then [`server`] (the role
//! `cache`) and [`client`] (the role `client`).
//!
//! | Part | Where | Source |
//! |---|---|---|
//! | what it holds | [`crate::protocol::cache`] | the codebase that is modelled |
//! | commands, sessions | [`command`], [`machine`] | raft-thesis §6.3 |
//! | the database and the way to it | [`database`] | this project |
//! | the way in | [`gateway`], [`mod@auth`] | the modelled codebase |
//! | what is on the disk, as tables | [`schema`] | the modelled codebase |
//! | snapshots | [`snapshot`] | raft-paper §7; raft-thesis §5 |
//! | messages | [`wire`] | this project |

pub mod auth;
pub mod client;
pub mod command;
pub mod database;
pub mod error;
pub mod gateway;
mod handshake;
pub mod invariants;
pub mod machine;
pub mod schema;
pub mod server;
pub mod snapshot;
pub mod system;
pub mod tables;
#[cfg(test)]
mod testing;
pub mod wire;

pub use auth::Auth;
pub use client::Client;
pub use database::Database;
pub use error::RaftError;
pub use gateway::Gateway;
pub use server::Server;
pub use system::Hyperion;

/// The most keys in one batch-get, because all its values are in memory at once.
pub const BATCH_KEYS_MAX: u64 = 100;
