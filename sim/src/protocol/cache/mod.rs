//! What a cache holds, whoever serves it: bounded entries with versions and ends, kept compressed and
//! tagged, evicted in an order.
//!
//! Start with [`Store`]. It knows no clock and no network: time comes with each call.
//!
//! | Part | Where | Source |
//! |---|---|---|
//! | keys, entries, what they count for | [`entry`] | the codebase that is modelled |
//! | limits and accounting | [`store`], [`error`] | the codebase that is modelled |
//! | what is kept of a value: tag, compression, zeroing | [`value_codec`] | RFC 2104, LZ4 |
//! | which entry goes first | [`eviction_order`] | O'Neil et al. 1993 |
//! | how many lookups hit | [`hit_ratio`] | this project |

pub mod entry;
pub mod error;
pub mod eviction_order;
pub mod hit_ratio;
pub mod store;
pub mod value_codec;

pub use entry::{Entry, Key};
pub use error::StoreError;
pub use eviction_order::Policy;
pub use hit_ratio::HitRatio;
pub use store::{
    KEY_BYTES_MAX, Limits, NewEntry, Store, StoreConfig, StoreDefects, TTL_MAX, VALUE_BYTES_MAX,
};
pub use value_codec::ValueCodec;
