//! What a cache node refuses, in the words of the codebase it models.
//!
//! The messages are a contract with clients and operators: they are matched in dashboards and
//! scripts, so they do not follow the lower-case style of this lab.

use alloc::string::String;
use core::fmt;

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
        let hint = RaftError::NotLeader { leader_hint: Some(2) };
        check(&hint, "Not the leader. Try: 2");
        check(&RaftError::ElectionInProgress, "Election in progress, retry after 2 seconds");
        let reason = "disk".to_string();
        check(&RaftError::LogCompactionFailed { reason }, "Log compaction failed: disk");
        let peer = "h/2".to_string();
        check(&RaftError::PeerUnreachable { peer }, "Peer h/2 unreachable");
    }
}
