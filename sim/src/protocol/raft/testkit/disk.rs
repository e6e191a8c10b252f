//! A page cache over a durable image.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use contract::{Disk, DiskError, DiskFate, DurableFiles, FileId, Found, Rng};

const SECTOR: usize = 512;

/// One node's files: what is visible, what is durable, and the changes in between.
#[derive(Clone, Debug, Default)]
pub struct MemDisk {
    visible: Image,
    durable: Image,
    unsynced: Vec<Change>,
    changes: u64,
    inodes: u32,
    /// Fails the next writes.
    pub is_full: bool,
    /// Whether it was ever replaced, or rotted.
    is_spoilt: bool,
}

/// Names, and what is behind them.
#[derive(Clone, Debug, Default)]
struct Image {
    names: BTreeMap<u32, u32>,
    data: BTreeMap<u32, Vec<u8>>,
}

/// What a sync will make durable.
#[derive(Clone, Debug)]
pub struct Cover {
    position: u64,
    inodes: Vec<u32>,
    has_directory: bool,
}

#[derive(Clone, Debug)]
struct Change {
    number: u64,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Write(u32, u64, Vec<u8>),
    SetLen(u32, u64),
    Create(u32, u32),
    Rename(u32, u32),
    Remove(u32),
}

impl MemDisk {
    /// What a sync of `files` asked for now will cover.
    pub fn cover(&self, files: impl Iterator<Item = FileId>) -> Cover {
        let files: Vec<FileId> = files.collect();
        let inodes = files.iter().filter_map(|file| self.visible.names.get(&file.0)).copied();
        Cover {
            position: self.changes,
            inodes: inodes.collect(),
            has_directory: files.contains(&FileId::DIRECTORY),
        }
    }

    /// Ends a sync, well or not: what a failed one covered is lost, and nobody tries again.
    pub fn synced(&mut self, cover: &Cover, is_good: bool) {
        let is_covered = |change: &Change| {
            let of_sync = match change.what {
                What::Write(inode, ..) | What::SetLen(inode, _) => cover.inodes.contains(&inode),
                _ => cover.has_directory,
            };
            of_sync && change.number <= cover.position
        };
        let changes = core::mem::take(&mut self.unsynced);
        let (done, rest): (Vec<_>, Vec<_>) = changes.into_iter().partition(is_covered);
        self.unsynced = rest;
        if is_good {
            done.iter().for_each(|change| apply(&mut self.durable, change));
        }
    }

    /// Makes everything durable.
    pub fn sync_all(&mut self) {
        self.durable = self.visible.clone();
        self.unsynced.clear();
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
                    if let (What::Write(.., bytes), true) = (&mut change.what, at + 1 == keep) {
                        let cut = rng.below(bytes.len() as u64 + 1) as usize;
                        let cut = if bytes.len() > SECTOR { cut / SECTOR * SECTOR } else { cut };
                        bytes.truncate(cut);
                    }
                    apply(&mut self.durable, &change);
                }
            }
            DiskFate::Wiped => {
                self.durable = Image::default();
                self.is_spoilt = true;
            }
        }
        self.unsynced.clear();
        self.visible = self.durable.clone();
    }

    /// Flips one bit of `file`, in the image and in the cache.
    pub fn rot(&mut self, file: FileId, offset: usize) {
        self.is_spoilt = true;
        for image in [&mut self.visible, &mut self.durable] {
            let Some(inode) = image.names.get(&file.0) else { continue };
            if let Some(byte) = image.data.get_mut(inode).and_then(|file| file.get_mut(offset)) {
                *byte ^= 0x10;
            }
        }
    }

    fn change(&mut self, what: What) -> Result<(), DiskError> {
        if self.is_full && !matches!(what, What::Remove(_)) {
            return Err(DiskError::Full);
        }
        self.changes += 1;
        let change = Change { number: self.changes, what };
        apply(&mut self.visible, &change);
        self.unsynced.push(change);
        Ok(())
    }

    fn inode(&mut self, file: FileId) -> Result<u32, DiskError> {
        if let Some(inode) = self.visible.names.get(&file.0) {
            return Ok(*inode);
        }
        self.inodes += 1;
        self.change(What::Create(file.0, self.inodes))?;
        Ok(self.inodes)
    }

    fn bytes(&self, file: FileId) -> Option<&Vec<u8>> {
        let inode = self.visible.names.get(&file.0)?;
        self.visible.data.get(inode)
    }
}

fn apply(image: &mut Image, change: &Change) {
    match &change.what {
        What::Write(inode, offset, bytes) => {
            let file = image.data.entry(*inode).or_default();
            let start = *offset as usize;
            let end = start + bytes.len();
            if file.len() < end {
                file.resize(end, 0);
            }
            file[start..end].copy_from_slice(bytes);
        }
        What::SetLen(inode, len) => image.data.entry(*inode).or_default().resize(*len as usize, 0),
        What::Create(file, inode) => {
            image.names.insert(*file, *inode);
            image.data.entry(*inode).or_default();
        }
        What::Rename(from, to) => {
            if let Some(inode) = image.names.remove(from) {
                image.names.insert(*to, inode);
            }
        }
        What::Remove(file) => drop(image.names.remove(file)),
    }
}

impl DurableFiles for MemDisk {
    fn find(&self, file: FileId) -> Option<Found> {
        let inode = *self.durable.names.get(&file.0)?;
        let len_bytes = self.durable.data.get(&inode).map_or(0, |bytes| bytes.len() as u64);
        Some(Found { inode, len_bytes })
    }

    fn read_at(&self, file: FileId, offset: u64, out: &mut [u8]) {
        let bytes = &self.durable.data[&self.durable.names[&file.0]];
        let start = offset as usize;
        out.copy_from_slice(&bytes[start..start + out.len()]);
    }

    fn is_sound(&self) -> bool {
        !self.is_spoilt
    }
}

impl Disk for MemDisk {
    fn len_bytes(&self, file: FileId) -> u64 {
        self.bytes(file).map_or(0, |file| file.len() as u64)
    }

    fn exists(&self, file: FileId) -> bool {
        self.bytes(file).is_some()
    }

    fn read_at(&mut self, file: FileId, offset: u64, out: &mut [u8]) -> Result<(), DiskError> {
        let bytes = self.bytes(file).ok_or(DiskError::NotFound)?;
        let start = offset as usize;
        let range = bytes.get(start..start + out.len());
        out.copy_from_slice(range.ok_or(DiskError::OutOfRange)?);
        Ok(())
    }

    fn write_at(&mut self, file: FileId, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let inode = self.inode(file)?;
        self.change(What::Write(inode, offset, bytes.to_vec()))
    }

    fn set_len(&mut self, file: FileId, len_bytes: u64) -> Result<(), DiskError> {
        let inode = self.inode(file)?;
        self.change(What::SetLen(inode, len_bytes))
    }

    fn rename(&mut self, from: FileId, to: FileId) -> Result<(), DiskError> {
        self.bytes(from).ok_or(DiskError::NotFound)?;
        self.change(What::Rename(from.0, to.0))
    }

    fn remove(&mut self, file: FileId) -> Result<(), DiskError> {
        self.bytes(file).ok_or(DiskError::NotFound)?;
        self.change(What::Remove(file.0))
    }

    fn sync_now(&mut self, _files: &[FileId]) -> Result<(), DiskError> {
        unreachable!("Raft syncs through its effects")
    }
}
