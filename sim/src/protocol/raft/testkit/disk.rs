//! A page cache over a durable image.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use contract::{Disk, DiskError, DiskFate, FileId, Rng};

const SECTOR: usize = 512;

/// One node's files: what is visible, what is durable, and the writes in between.
#[derive(Clone, Debug, Default)]
pub struct MemDisk {
    visible: BTreeMap<u32, Vec<u8>>,
    durable: BTreeMap<u32, Vec<u8>>,
    unsynced: Vec<Change>,
    changes: u64,
    /// Fails the next writes.
    pub is_full: bool,
}

#[derive(Clone, Debug)]
struct Change {
    number: u64,
    file: u32,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Write(u64, Vec<u8>),
    SetLen(u64),
}

impl MemDisk {
    /// What a sync asked for now will cover.
    pub fn position(&self) -> u64 {
        self.changes
    }

    /// Ends a sync of everything written up to `position`.
    pub fn synced(&mut self, position: u64) {
        let (done, rest): (Vec<_>, Vec<_>) = core::mem::take(&mut self.unsynced)
            .into_iter()
            .partition(|change| change.number <= position);
        self.unsynced = rest;
        for change in done {
            apply(&mut self.durable, &change);
        }
    }

    /// Loses what a crash loses.
    pub fn crash(&mut self, fate: DiskFate, rng: &mut Rng) {
        match fate {
            DiskFate::Kept => return,
            DiskFate::UnsyncedLost => {}
            DiskFate::Torn => {
                let keep = rng.below(self.unsynced.len() as u64 + 1) as usize;
                for (at, change) in self.unsynced[..keep].iter().enumerate() {
                    let mut change = change.clone();
                    if let (What::Write(_, bytes), true) = (&mut change.what, at + 1 == keep) {
                        let cut = rng.below(bytes.len() as u64 + 1) as usize;
                        let cut = if bytes.len() > SECTOR { cut / SECTOR * SECTOR } else { cut };
                        bytes.truncate(cut);
                    }
                    apply(&mut self.durable, &change);
                }
            }
            DiskFate::Wiped => self.durable.clear(),
        }
        self.unsynced.clear();
        self.visible = self.durable.clone();
    }

    /// Flips one bit of `file`, in the image and in the cache.
    pub fn rot(&mut self, file: FileId, offset: usize) {
        for image in [&mut self.visible, &mut self.durable] {
            if let Some(byte) = image.get_mut(&file.0).and_then(|file| file.get_mut(offset)) {
                *byte ^= 0x10;
            }
        }
    }

    fn change(&mut self, file: FileId, what: What) -> Result<(), DiskError> {
        if self.is_full {
            return Err(DiskError::Full);
        }
        self.changes += 1;
        let number = self.changes;
        let file = file.0;
        let change = Change { number, file, what };
        apply(&mut self.visible, &change);
        self.unsynced.push(change);
        Ok(())
    }
}

fn apply(image: &mut BTreeMap<u32, Vec<u8>>, change: &Change) {
    let file = image.entry(change.file).or_default();
    match &change.what {
        What::Write(offset, bytes) => {
            let start = *offset as usize;
            let end = start + bytes.len();
            if file.len() < end {
                file.resize(end, 0);
            }
            file[start..end].copy_from_slice(bytes);
        }
        What::SetLen(len) => file.resize(*len as usize, 0),
    }
}

impl Disk for MemDisk {
    fn len_bytes(&self, file: FileId) -> u64 {
        self.visible.get(&file.0).map_or(0, |file| file.len() as u64)
    }

    fn exists(&self, file: FileId) -> bool {
        self.visible.contains_key(&file.0)
    }

    fn read_at(&mut self, file: FileId, offset: u64, out: &mut [u8]) -> Result<(), DiskError> {
        let bytes = self.visible.get(&file.0).ok_or(DiskError::NotFound)?;
        let start = offset as usize;
        let range = bytes.get(start..start + out.len());
        out.copy_from_slice(range.ok_or(DiskError::OutOfRange)?);
        Ok(())
    }

    fn write_at(&mut self, file: FileId, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        self.change(file, What::Write(offset, bytes.to_vec()))
    }

    fn set_len(&mut self, file: FileId, len_bytes: u64) -> Result<(), DiskError> {
        self.change(file, What::SetLen(len_bytes))
    }

    fn rename(&mut self, _from: FileId, _to: FileId) -> Result<(), DiskError> {
        unimplemented!("Raft renames nothing")
    }

    fn remove(&mut self, _file: FileId) -> Result<(), DiskError> {
        unimplemented!("Raft removes nothing")
    }

    fn sync_now(&mut self, _files: &[FileId]) -> Result<(), DiskError> {
        unimplemented!("Raft syncs through its effects")
    }
}
