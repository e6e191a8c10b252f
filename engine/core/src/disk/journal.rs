//! What was done to a disk and is not durable yet, in order.
//!
//! A crash keeps nothing of it, or a prefix; a sync applies what belongs to its files. Directory
//! operations become durable in order, as in a file system that journals its metadata: syncing a
//! new file also makes durable the directory operations before its creation.

use super::files::Files;
use alloc::vec::Vec;
use contract::FileId;

/// A torn write ends at a multiple of this.
pub const SECTOR_BYTES: u64 = 512;

/// More than this and the oldest half is written back, as by an operating system's flusher.
pub const UNSYNCED_BYTES_MAX: usize = 64 << 20;

const _: () = assert!(SECTOR_BYTES.is_power_of_two());
const _: () = assert!(UNSYNCED_BYTES_MAX < u32::MAX as usize / 2, "spans have 32 bits");

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Write { inode: u32, offset: u64, start: u32, len: u32 },
    SetLen { inode: u32, len_bytes: u64 },
    Create { file: FileId, inode: u32 },
    Rename { from: FileId, to: FileId, inode: u32 },
    Remove { file: FileId, inode: u32 },
}

impl Change {
    /// The inode whose data changes; `None` for a change of the directory.
    fn data_of(&self) -> Option<u32> {
        match self {
            Self::Write { inode, .. } | Self::SetLen { inode, .. } => Some(*inode),
            _ => None,
        }
    }
}

/// The operations that are not durable.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journal {
    /// With their numbers, ascending.
    changes: Vec<(u64, Change)>,
    /// The bytes of the writes.
    bytes: Vec<u8>,
    count: u64,
}

/// What a sync covers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cover<'a> {
    pub inodes: &'a [u32],
    pub directory: bool,
    /// The number of the last operation before the sync was asked for.
    pub upto: u64,
}

impl Journal {
    /// The number of the last operation.
    pub fn count(&self) -> u64 {
        self.count
    }

    pub fn write(&mut self, inode: u32, offset: u64, bytes: &[u8]) {
        let start = self.bytes.len() as u32;
        assert!(self.bytes.len() + bytes.len() <= u32::MAX as usize, "spans have 32 bits");
        self.bytes.extend_from_slice(bytes);
        let len = bytes.len() as u32;
        self.push(Change::Write { inode, offset, start, len });
    }

    /// Flips one bit of the last operation, which must be a write.
    pub fn flip_last(&mut self, bit: u64) {
        let (start, _) = self.last_span();
        assert!(bit / 8 < self.last_bytes().len() as u64, "the bit is one of the write");
        self.bytes[start + (bit / 8) as usize] ^= 1 << (bit % 8);
    }

    /// The bytes of the last operation, which must be a write.
    pub fn last_bytes(&self) -> &[u8] {
        let (start, end) = self.last_span();
        &self.bytes[start..end]
    }

    pub fn push(&mut self, change: Change) {
        self.count += 1;
        let last = self.changes.last().map_or(0, |(n, _)| *n);
        assert!(last < self.count, "operations are numbered in order");
        self.changes.push((self.count, change));
    }

    pub fn is_large(&self) -> bool {
        self.bytes.len() > UNSYNCED_BYTES_MAX
    }

    /// Takes out what `cover` makes durable, and applies it to `files` unless it is `None`.
    pub fn settle(&mut self, cover: Cover<'_>, mut files: Option<&mut Files>) {
        assert!(cover.upto <= self.count, "a sync covers what was done before it");
        let directory_upto = self.directory_upto(cover);
        let bytes = &self.bytes;
        self.changes.retain(|(n, change)| {
            let covered = match change.data_of() {
                Some(inode) => *n <= cover.upto && cover.inodes.contains(&inode),
                None => *n <= directory_upto,
            };
            if let (true, Some(files)) = (covered, files.as_deref_mut()) {
                files.apply(*change, bytes);
            }
            !covered
        });
        self.compact();
    }

    /// Applies the first `keep` operations and `cut` of the next in whole sectors; forgets the
    /// rest.
    pub fn tear(&mut self, keep: usize, cut: u64, files: &mut Files) {
        assert!(keep <= self.changes.len(), "a crash keeps no more than there was");
        for (_, change) in self.changes.iter().take(keep) {
            files.apply(*change, &self.bytes);
        }
        if let Some((_, Change::Write { inode, offset, start, len })) = self.changes.get(keep) {
            // Sectors are those of the device, so the first part ends where a sector of the file
            // ends, not after 512 bytes of the write.
            let end = offset + u64::from(*len);
            let sectors = end.div_ceil(SECTOR_BYTES) - offset / SECTOR_BYTES;
            let kept = (offset / SECTOR_BYTES + cut % sectors.max(1)) * SECTOR_BYTES;
            let len = kept.saturating_sub(*offset).min(u64::from(*len)) as u32;
            assert!(u64::from(len) <= end - offset, "a torn write is a part of it");
            let torn = Change::Write { inode: *inode, offset: *offset, start: *start, len };
            files.apply(torn, &self.bytes);
        }
        self.forget();
    }

    /// Applies the oldest half.
    pub fn write_back(&mut self, files: &mut Files) {
        assert!(!self.changes.is_empty(), "there is something to write back");
        let half = self.changes.len().div_ceil(2);
        for (_, change) in self.changes.drain(..half) {
            files.apply(change, &self.bytes);
        }
        self.compact();
    }

    pub fn forget(&mut self) {
        self.changes.clear();
        self.bytes.clear();
    }

    pub fn len(&self) -> usize {
        self.changes.len()
    }

    fn last_span(&self) -> (usize, usize) {
        match self.changes.last() {
            Some((_, Change::Write { start, len, .. })) => {
                (*start as usize, (*start + *len) as usize)
            }
            other => panic!("the last operation is a write, not {other:?}"),
        }
    }

    /// The number of the last directory operation that becomes durable with `cover`.
    fn directory_upto(&self, cover: Cover<'_>) -> u64 {
        if cover.directory {
            return cover.upto;
        }
        let created = self.changes.iter().rev().find(|(n, change)| {
            let is_covered = |inode| *n <= cover.upto && cover.inodes.contains(inode);
            matches!(change, Change::Create { inode, .. } if is_covered(inode))
        });
        assert!(created.is_none_or(|(n, _)| *n <= cover.upto), "what came later is not covered");
        created.map_or(0, |(n, _)| *n)
    }

    /// Drops bytes that no operation refers to, once they are the larger part.
    fn compact(&mut self) {
        if self.changes.is_empty() {
            self.bytes.clear();
            return;
        }
        let live: usize = self
            .changes
            .iter()
            .map(|(_, change)| match change {
                Change::Write { len, .. } => *len as usize,
                _ => 0,
            })
            .sum();
        assert!(live <= self.bytes.len(), "no two writes share bytes");
        if self.bytes.len() < 4096 || live * 2 > self.bytes.len() {
            return;
        }
        // Spans ascend, so each one moves down over bytes that were moved or are free.
        let mut end = 0;
        for (_, change) in &mut self.changes {
            if let Change::Write { start, len, .. } = change {
                let from = *start as usize;
                self.bytes.copy_within(from..from + *len as usize, end);
                *start = end as u32;
                end += *len as usize;
            }
        }
        assert_eq!(end, live, "what is referred to was moved");
        self.bytes.truncate(end);
    }
}
