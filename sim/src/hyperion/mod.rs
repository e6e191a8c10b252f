//! Hyperion: a cache replicated by consensus.
//!
//! A group of cache nodes replicates a log of writes by Raft and serves reads from the state that
//! the log leads to. Start with [`system`], which is what the lab sees, then [`server`] (the role
//! `cache`) and [`client`] (the role `client`).
//!
//! | Part | Where | Source |
//! |---|---|---|
//! | entries, limits, accounting | [`entry`], [`store`], [`error`] | the codebase that is modelled |
//! | copies that cost nothing | [`chunk_map`] | Driscoll et al. 1989 |
//! | commands, sessions | [`command`], [`machine`] | raft-thesis §6.3 |
//! | snapshots | [`snapshot`] | raft-paper §7; raft-thesis §5 |
//! | messages | [`wire`] | this project |

pub mod chunk_map;
pub mod client;
pub mod command;
pub mod entry;
pub mod error;
pub mod invariants;
pub mod machine;
pub mod server;
pub mod snapshot;
pub mod store;
pub mod system;
pub mod tables;
#[cfg(test)]
mod testing;
pub mod wire;

pub use client::Client;
pub use error::{RaftError, StoreError};
pub use server::Server;
pub use store::{KEY_BYTES_MAX, TTL_MAX, VALUE_BYTES_MAX};
pub use system::Hyperion;

/// The most keys in one batch-get, because all its values are in memory at once.
pub const BATCH_KEYS_MAX: u64 = 100;
