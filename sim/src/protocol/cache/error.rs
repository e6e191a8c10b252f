//! What a store refuses, in the words of a contract with clients and operators.
//!
//! The messages are matched in dashboards and scripts, so they do not follow the lower-case style of
//! this lab.

use core::fmt;

/// Why the store refused an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The key is longer than [`super::store::KEY_BYTES_MAX`].
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
    SerializationError(&'static str),
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

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn messages_are_those_of_the_codebase_document() {
        let check = |error: &StoreError, expect: &str| assert_eq!(error.to_string(), expect);
        let (size, max) = (1025, 1024);
        check(&StoreError::KeyTooLarge { size, max }, "Key size 1025 exceeds maximum 1024 bytes");
        check(
            &StoreError::ValueTooLarge { size, max },
            "Value size 1025 exceeds maximum 1024 bytes",
        );
        let current = size;
        check(&StoreError::StoreFull { current, max }, "Store is full: 1025/1024 bytes");
        check(&StoreError::HmacVerificationFailed, "HMAC verification failed for cache entry");
        check(&StoreError::SerializationError("short"), "Failed to serialize entry: short");
    }
}
