//! What a cache node refuses, in the words of the codebase it models.
//!
//! The messages are a contract with clients and operators: they are matched in dashboards and
//! scripts, so they do not follow the lower-case style of this lab.

use alloc::string::String;
use core::fmt;

/// Why the store refused an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The key is longer than [`super::KEY_BYTES_MAX`].
    KeyTooLarge {
        /// Its length in bytes.
        size: u64,
        /// The limit.
        max: u64,
    },
    /// The value is longer than the limit in force.
    ValueTooLarge {
        /// Its length in bytes.
        size: u64,
        /// The limit.
        max: u64,
    },
    /// The entry does not fit beside what is held.
    StoreFull {
        /// What would be held, in bytes.
        current: u64,
        /// The limit.
        max: u64,
    },
    /// The stored bytes are not those that were written.
    HmacVerificationFailed,
    /// The bytes of a command or a snapshot are not an entry.
    SerializationError(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyTooLarge { size, max } => {
                write!(f, "Key size {size} exceeds maximum {max} bytes")
            }
            Self::ValueTooLarge { size, max } => {
                write!(f, "Value size {size} exceeds maximum {max} bytes")
            }
            Self::StoreFull { current, max } => write!(f, "Store is full: {current}/{max} bytes"),
            Self::HmacVerificationFailed => f.write_str("HMAC verification failed for cache entry"),
            Self::SerializationError(what) => write!(f, "Failed to serialize entry: {what}"),
        }
    }
}

impl core::error::Error for StoreError {}

/// Why the consensus layer refused a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RaftError {
    /// Another node leads.
    NotLeader {
        /// Its index in the group, where it is known.
        leader_hint: Option<u32>,
    },
    /// Nobody leads at the moment.
    ElectionInProgress,
    /// The log could not be compacted.
    LogCompactionFailed {
        /// What went wrong.
        reason: String,
    },
    /// A peer does not answer.
    PeerUnreachable {
        /// Its name.
        peer: String,
    },
}

impl fmt::Display for RaftError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLeader { leader_hint: Some(hint) } => write!(f, "Not the leader. Try: {hint}"),
            Self::NotLeader { leader_hint: None } => f.write_str("Not the leader. Try: none"),
            Self::ElectionInProgress => f.write_str("Election in progress, retry after 2 seconds"),
            Self::LogCompactionFailed { reason } => write!(f, "Log compaction failed: {reason}"),
            Self::PeerUnreachable { peer } => write!(f, "Peer {peer} unreachable"),
        }
    }
}

impl core::error::Error for RaftError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn messages_are_those_of_the_codebase_document() {
        let check = |error: &dyn fmt::Display, expect: &str| assert_eq!(error.to_string(), expect);
        let (size, max) = (1025, 1024);
        check(&StoreError::KeyTooLarge { size, max }, "Key size 1025 exceeds maximum 1024 bytes");
        check(
            &StoreError::ValueTooLarge { size, max },
            "Value size 1025 exceeds maximum 1024 bytes",
        );
        let current = size;
        check(&StoreError::StoreFull { current, max }, "Store is full: 1025/1024 bytes");
        check(&StoreError::HmacVerificationFailed, "HMAC verification failed for cache entry");
        check(&StoreError::SerializationError("short".into()), "Failed to serialize entry: short");
        let hint = RaftError::NotLeader { leader_hint: Some(2) };
        check(&hint, "Not the leader. Try: 2");
        check(&RaftError::ElectionInProgress, "Election in progress, retry after 2 seconds");
        let reason = "disk".to_string();
        check(&RaftError::LogCompactionFailed { reason }, "Log compaction failed: disk");
        let peer = "h/2".to_string();
        check(&RaftError::PeerUnreachable { peer }, "Peer h/2 unreachable");
    }
}
