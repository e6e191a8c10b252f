//! Collections whose copies share what neither has written since: copy-on-write in chunks.
//!
//! A fork of a world copies every node and every invariant, so large state sits in chunks of at most
//! [`CHUNK_ENTRIES_MAX`] entries behind `Arc`s, under one list of chunks behind another. A copy costs
//! one reference count; the first write afterwards copies the list and one chunk. This is path
//! copying in a tree of two levels (Driscoll et al., "Making Data Structures Persistent", 1989, §2):
//! flat, because a node holds thousands of entries, not millions.
//!
//! | type | keys |
//! |---|---|
//! | [`Map`] | any, in order |
//! | [`Table`] | a dense index from 1, such as that of a log |

mod map;
mod table;

pub use map::Map;
pub use table::Table;

/// The most entries that one write may have to copy.
pub const CHUNK_ENTRIES_MAX: usize = 64;
