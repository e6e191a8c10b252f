//! What is durable of a node's log, read from its disk as it grows.
//!
//! A walk over the records of the durable image: the terms of the entries, term and vote, and the
//! snapshot, but no contents and no checksums, so that it costs a few reads per record. It relies on
//! the disk being sound; that a boot really reads the same is looked at by sampling
//! ([`super::promises_durable`]).

use super::super::entry::LogId;
use super::super::glance::{GLANCE_BYTES, Glance, glance};
use super::super::machine::Raft;
use super::super::storage::{PREFIX_BYTES, WAL};
use super::terms::Terms;
use alloc::vec::Vec;
use contract::DurableFiles;

/// One node's durable log.
#[derive(Clone, Debug, Default)]
pub(super) struct DurableLog {
    inode: Option<u32>,
    /// How far the file was read, in bytes.
    at: u64,
    /// Term and vote.
    pub hard: (u64, Option<u32>),
    /// The last entry that the snapshot covers.
    pub snapshot: LogId,
    /// The entries.
    pub terms: Terms,
}

impl DurableLog {
    /// Reads on, from the beginning where another file has taken the log's name.
    pub fn refresh(&mut self, files: &dyn DurableFiles) {
        let Some(found) = files.find(WAL) else {
            *self = Self::default();
            return;
        };
        if self.inode != Some(found.inode) || self.at > found.len_bytes {
            *self = Self { inode: Some(found.inode), ..Self::default() };
        }
        let mut head = [0; GLANCE_BYTES];
        while found.len_bytes - self.at > PREFIX_BYTES as u64 {
            let take = (found.len_bytes - self.at).min(GLANCE_BYTES as u64) as usize;
            files.read_at(WAL, self.at, &mut head[..take]);
            let Some((len_bytes, says)) = glance(&head[..take]) else { break };
            if self.at + len_bytes > found.len_bytes {
                break;
            }
            self.at += len_bytes;
            self.take(says);
        }
        assert!(self.at <= found.len_bytes, "records lie inside the file");
    }

    fn take(&mut self, says: Glance) {
        match says {
            Glance::Header(base) => self.terms = Terms::after(base),
            Glance::Hard(term, vote) => self.hard = (term, vote),
            Glance::Entry(id) => self.terms.put(id),
            Glance::Snapshot(id) => self.snapshot = id,
            Glance::Seal => {}
        }
    }

    /// Whether everything up to `id` is durable here: the entry itself, or a snapshot past it.
    pub fn holds(&self, id: LogId) -> bool {
        id.index <= self.snapshot.index || self.terms.term(id.index) == Some(id.term)
    }

    /// The bytes that were read of the present file.
    pub const fn len_bytes(&self) -> u64 {
        self.at
    }
}

/// The whole file as a boot would read it.
pub(super) fn image(files: &dyn DurableFiles) -> Vec<u8> {
    let len_bytes = files.find(WAL).map_or(0, |found| found.len_bytes);
    let mut bytes = alloc::vec![0; usize::try_from(len_bytes).expect("a log fits into memory")];
    if len_bytes > 0 {
        files.read_at(WAL, 0, &mut bytes);
    }
    bytes
}

/// The entry at `index` as `raft` knows it; `None` where it does not hold the index.
pub(super) fn id_at(raft: &Raft, index: u64) -> Option<LogId> {
    raft.term_at(index).map(|term| LogId { term, index })
}
