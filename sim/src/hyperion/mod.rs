//! Hyperion: a cache replicated by consensus.
//!
//! A group of cache nodes replicates a log of writes by Raft and serves reads from the state that
//! the log leads to. Start with [`system`], which is what the lab sees, then [`server`] (the role
//! `cache`) and [`client`] (the role `client`).
//!
//! | Part | Where | Source |
//! |---|---|---|
//! | entries, limits, accounting | [`entry`], [`store`], [`error`] | the codebase that is modelled |
//! | what is kept: tags, compression, zeroing | [`seal`] | RFC 2104, LZ4 |
//! | the order of eviction | [`recency`] | O'Neil et al. 1993 |
//! | copies that cost nothing | [`chunk_map`] | Driscoll et al. 1989 |
//! | commands, sessions | [`command`], [`machine`] | raft-thesis §6.3 |
//! | the database and the way to it | [`database`], [`desk`] | this project |
//! | the way in | [`gateway`], [`mod@auth`], [`rate_limits`] | the modelled codebase |
//! | who may ask | [`certificate`] | the modelled codebase; rustls 0.21 |
//! | what is on the disk, as tables | [`schema`] | the modelled codebase |
//! | snapshots | [`snapshot`] | raft-paper §7; raft-thesis §5 |
//! | messages | [`wire`] | this project |

pub mod auth;
pub mod certificate;
pub mod chunk_map;
pub mod client;
pub mod command;
pub mod conns;
pub mod database;
pub mod desk;
pub mod entry;
pub mod error;
pub mod gateway;
pub mod invariants;
pub mod machine;
pub mod rate_limits;
pub mod recency;
pub mod schema;
pub mod seal;
pub mod server;
pub mod snapshot;
pub mod store;
pub mod system;
pub mod tables;
#[cfg(test)]
mod testing;
pub mod wire;

pub use auth::Auth;
pub use client::Client;
pub use database::Database;
pub use error::{RaftError, StoreError};
pub use gateway::Gateway;
pub use server::Server;
pub use store::{KEY_BYTES_MAX, TTL_MAX, VALUE_BYTES_MAX};
pub use system::Hyperion;

/// The most keys in one batch-get, because all its values are in memory at once.
pub const BATCH_KEYS_MAX: u64 = 100;
