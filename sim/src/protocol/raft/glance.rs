//! A look at the head of a record of the write-ahead log: for those who want to know what is on a
//! disk without reading all of it.

use super::entry::LogId;
use super::storage::{ENTRY, HARD, HEADER, PREFIX_BYTES, SEAL, SNAPSHOT};

/// What a record says of the log, without its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Glance {
    Header(LogId),
    Hard(u64, Option<u32>),
    Entry(LogId),
    Snapshot(LogId),
    Seal,
}

/// The bytes of a record that a glance needs: its prefix, and the longest of the fields below.
pub(super) const GLANCE_BYTES: usize = PREFIX_BYTES + 1 + 4 + 16;

/// Looks at the head of a record, of which the whole is there; the length of the record, and what it
/// says. `None` where it is none. Its checksum is not looked at.
pub(super) fn glance(head: &[u8]) -> Option<(u64, Glance)> {
    let number = |at: usize| {
        let bytes = head.get(at..at + 8)?.try_into().ok()?;
        Some(u64::from_be_bytes(bytes))
    };
    let id = |term: usize, index: usize| Some(LogId { term: number(term)?, index: number(index)? });
    let len = u32::from_be_bytes(head.get(..4)?.try_into().ok()?);
    let fields = PREFIX_BYTES + 1;
    let says = match *head.get(PREFIX_BYTES)? {
        HEADER => Glance::Header(id(fields + 4, fields + 12)?),
        HARD => {
            let vote = head.get(fields + 8..fields + 12)?.try_into().ok()?;
            Glance::Hard(number(fields)?, u32::from_be_bytes(vote).checked_sub(1))
        }
        ENTRY => Glance::Entry(id(fields + 8, fields)?),
        SNAPSHOT => Glance::Snapshot(id(fields, fields + 8)?),
        SEAL => Glance::Seal,
        _ => return None,
    };
    Some((PREFIX_BYTES as u64 + u64::from(len), says))
}
