//! One node's disk: a page cache over what is durable, and everything that goes wrong with disks.
//!
//! Start with `SimDisk`. Operation `m` of a disk draws from words `16m` to `16m + 15` of its
//! stream, whatever conditions hold, so a fault shifts no later draw. The fault model follows
//! Rebello et al., *Can Applications Recover from fsync Failures?* (ATC 2020), for syncs that
//! fail, and Ganesan et al., *Redundancy Does Not Imply Fault Tolerance* (FAST 2017), for
//! corruption and errors.

mod files;
mod image;
mod journal;
mod law;

pub use image::FILE_BYTES_MAX;
pub use journal::{SECTOR_BYTES, UNSYNCED_BYTES_MAX};
pub(crate) use law::{DiskHit, DiskHits, DiskLaw};

use alloc::rc::Rc;
use alloc::vec::Vec;
use contract::{Disk, DiskError, DiskFate, Domain, DurableFiles, FileId, Found, Rng, Word};
use files::Files;
use journal::{Change, Cover, Journal};

/// A simulated disk.
#[derive(Clone, Debug)]
pub(crate) struct SimDisk {
    state: Rc<State>,
    pub law: DiskLaw,
    /// What others have on the same device, which counts against its capacity.
    pub elsewhere_bytes: u64,
    rng: Rng,
    /// What the operations since the last [`SimDisk::take_charge`] took.
    charge_ns: u64,
    /// Misbehaviour since the last [`SimDisk::take_faults`], as a hash.
    faults: u64,
    pub hits: DiskHits,
    /// Whether the device never did what no loss of power does: see [`DurableFiles::is_sound`].
    is_sound: bool,
    pending: Vec<PendingSync>,
    spare: Vec<Vec<u32>>,
    tickets: u32,
}

/// What forks share until one of them writes.
#[derive(Clone, Debug, Default)]
struct State {
    files: Files,
    journal: Journal,
}

/// A sync in flight.
#[derive(Clone, Debug)]
struct PendingSync {
    ticket: u32,
    inodes: Vec<u32>,
    directory: bool,
    upto: u64,
    fate: SyncFate,
}

/// How a sync ends; drawn when it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SyncFate {
    Good,
    Lies,
    Fails,
}

impl SimDisk {
    pub fn new(seed: u64, name: &str, law: DiskLaw) -> Self {
        Self {
            state: Rc::default(),
            law,
            elsewhere_bytes: 0,
            rng: Rng::new(seed, Domain::Disk, name),
            charge_ns: 0,
            faults: 0,
            hits: DiskHits::default(),
            is_sound: true,
            pending: Vec::new(),
            spare: Vec::new(),
            tickets: 0,
        }
    }

    /// Draws from the stream of another seed from now on.
    pub fn reseed(&mut self, seed: u64, name: &str) {
        self.rng = Rng::new(seed, Domain::Disk, name);
    }

    /// Asks for `files` to become durable; returns a ticket and how long it takes.
    pub fn sync_begin(&mut self, files: impl Iterator<Item = FileId>) -> (u32, u64) {
        let words = self.rng.block();
        let latency_ns = self.latency(&words, DiskOp::Sync);
        let mut inodes = self.spare.pop().unwrap_or_default();
        let directory = self.resolve(files, &mut inodes);
        let fate = self.sync_fate(words[2]);
        let upto = self.state.journal.count();
        assert!(self.pending.iter().all(|sync| sync.upto <= upto), "operations only add up");
        self.tickets += 1;
        let ticket = self.tickets;
        self.pending.push(PendingSync { ticket, inodes, directory, upto, fate });
        assert!(ticket > 0, "the first ticket is 1");
        (ticket, latency_ns)
    }

    /// Ends the sync `ticket`, which must be in flight.
    pub fn sync_end(&mut self, ticket: u32) -> Result<(), DiskError> {
        let at = self.pending.iter().position(|sync| sync.ticket == ticket);
        let sync = self.pending.swap_remove(at.expect("a sync ends once, unless a crash ends all"));
        assert!(sync.upto <= self.state.journal.count(), "it was asked for before");
        let cover = Cover { inodes: &sync.inodes, directory: sync.directory, upto: sync.upto };
        let result = settle(&mut self.state, cover, sync.fate);
        let mut inodes = sync.inodes;
        inodes.clear();
        self.spare.push(inodes);
        result
    }

    /// The node crashed: syncs in flight never end.
    pub fn abandon_syncs(&mut self) {
        for mut sync in self.pending.drain(..) {
            sync.inodes.clear();
            self.spare.push(sync.inodes);
        }
    }

    /// Does to the disk what the crash did to it.
    pub fn suffer(&mut self, fate: DiskFate) {
        assert!(self.pending.is_empty(), "a crash ends all syncs");
        let words = self.rng.block();
        let tears = fate == DiskFate::UnsyncedLost && self.law.torn.hit(words[2].0 as u32);
        let fate = if tears { DiskFate::Torn } else { fate };
        let state = Rc::make_mut(&mut self.state);
        match fate {
            DiskFate::Kept => return,
            DiskFate::UnsyncedLost => state.journal.forget(),
            DiskFate::Torn => {
                let keep = words[3].below(state.journal.len() as u64 + 1) as usize;
                let (journal, files) = (&mut state.journal, &mut state.files);
                journal.tear(keep, words[4].0, files);
            }
            DiskFate::Wiped => {
                *state = State::default();
                self.is_sound = false;
            }
        }
        assert_eq!(state.journal.len(), 0, "what was not durable is gone");
        state.files.revert();
    }

    /// One durable bit rots.
    pub fn flip(&mut self, file: FileId, bit: u64) {
        Rc::make_mut(&mut self.state).files.flip(file, bit);
        self.is_sound = false;
    }

    /// How much is stored.
    pub fn used_bytes(&self) -> u64 {
        self.state.files.used_bytes()
    }

    /// What survives a crash.
    pub fn durable(&self) -> Durable<'_> {
        Durable { files: &self.state.files }
    }

    /// What the operations took since the last call, in nanoseconds.
    #[inline]
    pub fn take_charge(&mut self) -> u64 {
        core::mem::take(&mut self.charge_ns)
    }

    /// A hash of the misbehaviour since the last call; 0 when there was none.
    #[inline]
    pub fn take_faults(&mut self) -> u64 {
        core::mem::take(&mut self.faults)
    }

    fn resolve(&self, files: impl Iterator<Item = FileId>, inodes: &mut Vec<u32>) -> bool {
        assert!(inodes.is_empty(), "a buffer that is used again was cleared");
        let mut directory = false;
        for file in files {
            directory |= file == FileId::DIRECTORY;
            inodes.extend(self.state.files.inode(file));
        }
        directory
    }

    fn sync_fate(&mut self, word: Word) -> SyncFate {
        let (low, high) = halves(word);
        if self.law.sync_fails.hit(low) {
            self.fault(DiskHit::SyncFails, self.law.sync_fails.bent(low));
            SyncFate::Fails
        } else if self.law.sync_lies.hit(high) {
            self.fault(DiskHit::SyncLies, self.law.sync_lies.bent(high));
            SyncFate::Lies
        } else {
            SyncFate::Good
        }
    }

    fn latency(&mut self, words: &[Word; 8], op: DiskOp) -> u64 {
        let (dist, extra) = match op {
            DiskOp::Read => (&self.law.read, self.law.slow_read_ns),
            DiskOp::Write => (&self.law.write, self.law.slow_write_ns),
            DiskOp::Sync => (&self.law.sync, self.law.slow_sync_ns),
        };
        let drawn = dist.sample_words([words[0], words[1]]);
        if extra > 0 {
            self.hits.count(DiskHit::Slow);
        }
        drawn.saturating_add(extra)
    }

    fn charge(&mut self, words: &[Word; 8], op: DiskOp) {
        self.charge_ns = self.charge_ns.saturating_add(self.latency(words, op));
    }

    fn fault(&mut self, hit: DiskHit, is_bent: bool) {
        self.faults = contract::hash::mix(self.faults, hit as u64 + 1);
        // What is slow, full or refused is said, and a node can act on it.
        self.is_sound &= match hit {
            DiskHit::SyncLies
            | DiskHit::ReadCorrupt
            | DiskHit::WriteCorrupt
            | DiskHit::Misdirect => false,
            DiskHit::Slow | DiskHit::SyncFails | DiskHit::WriteFails | DiskHit::Full => true,
        };
        if is_bent {
            self.hits.count(hit);
        }
    }

    /// Whether the file may grow by `growth` bytes.
    fn has_room(&mut self, growth: u64) -> bool {
        let used = self.used_bytes().saturating_add(self.elsewhere_bytes);
        let wanted = used.saturating_add(growth);
        let fits = self.law.capacity.is_none_or(|capacity| wanted <= capacity);
        if !fits {
            let is_bent = self.law.capacity_base.is_none_or(|base| wanted <= base);
            self.fault(DiskHit::Full, is_bent);
        }
        fits
    }

    /// The inode of `file`, which is created when it does not exist.
    fn inode_of(&mut self, file: FileId) -> u32 {
        let state = Rc::make_mut(&mut self.state);
        if let Some(inode) = state.files.inode(file) {
            return inode;
        }
        let inode = state.files.create(file);
        state.journal.push(Change::Create { file, inode });
        assert_eq!(state.files.inode(file), Some(inode), "the file is there now");
        inode
    }

    /// Where a write lands.
    fn landing(&mut self, file: FileId, offset: u64, words: &[Word; 8]) -> u64 {
        let (low, _) = halves(words[3]);
        if !self.law.misdirect.hit(low) {
            return offset;
        }
        let sectors = self.len_bytes(file) / SECTOR_BYTES + 1;
        let landed = words[5].below(sectors) * SECTOR_BYTES;
        assert!(landed <= self.len_bytes(file), "a write goes astray inside its file");
        if landed != offset {
            self.fault(DiskHit::Misdirect, self.law.misdirect.bent(low));
        }
        landed
    }
}

#[derive(Clone, Copy)]
enum DiskOp {
    Read,
    Write,
    Sync,
}

fn halves(word: Word) -> (u32, u32) {
    (word.0 as u32, (word.0 >> 32) as u32)
}

fn settle(state: &mut Rc<State>, cover: Cover<'_>, fate: SyncFate) -> Result<(), DiskError> {
    let State { files, journal } = Rc::make_mut(state);
    match fate {
        SyncFate::Good => journal.settle(cover, Some(files)),
        SyncFate::Lies => return Ok(()),
        SyncFate::Fails => journal.settle(cover, None),
    }
    if cover.directory {
        files.sweep();
    }
    match fate {
        SyncFate::Fails => Err(DiskError::SyncFailed),
        SyncFate::Good | SyncFate::Lies => Ok(()),
    }
}

impl Disk for SimDisk {
    fn len_bytes(&self, file: FileId) -> u64 {
        self.state.files.cached(file).map_or(0, image::Image::len_bytes)
    }

    fn exists(&self, file: FileId) -> bool {
        file == FileId::DIRECTORY || self.state.files.inode(file).is_some()
    }

    fn read_at(&mut self, file: FileId, offset: u64, out: &mut [u8]) -> Result<(), DiskError> {
        let words = self.rng.block();
        self.charge(&words, DiskOp::Read);
        let image = self.state.files.cached(file).ok_or(DiskError::NotFound)?;
        let end = offset.checked_add(out.len() as u64).ok_or(DiskError::OutOfRange)?;
        if end > image.len_bytes() {
            return Err(DiskError::OutOfRange);
        }
        image.read(offset, out);
        let (low, _) = halves(words[2]);
        if self.law.read_corrupt.hit(low) && !out.is_empty() {
            let bit = words[4].below(out.len() as u64 * 8);
            out[(bit / 8) as usize] ^= 1 << (bit % 8);
            self.fault(DiskHit::ReadCorrupt, self.law.read_corrupt.bent(low));
        }
        Ok(())
    }

    fn write_at(&mut self, file: FileId, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let words = self.rng.block();
        self.charge(&words, DiskOp::Write);
        if file == FileId::DIRECTORY {
            return Err(DiskError::NotFound);
        }
        let (low, high) = halves(words[2]);
        if self.law.write_fails.hit(low) {
            self.fault(DiskHit::WriteFails, self.law.write_fails.bent(low));
            return Err(DiskError::WriteFailed);
        }
        let offset = self.landing(file, offset, &words);
        let end = offset.saturating_add(bytes.len() as u64);
        assert!(end >= offset, "a write does not end before it starts");
        if end > FILE_BYTES_MAX || !self.has_room(end.saturating_sub(self.len_bytes(file))) {
            return Err(DiskError::Full);
        }
        let inode = self.inode_of(file);
        let corrupts = self.law.write_corrupt.hit(high) && !bytes.is_empty();
        let State { files, journal } = Rc::make_mut(&mut self.state);
        journal.write(inode, offset, bytes);
        if corrupts {
            journal.flip_last(words[4].below(bytes.len() as u64 * 8));
        }
        files.write(inode, offset, journal.last_bytes());
        if journal.is_large() {
            journal.write_back(files);
        }
        if corrupts {
            self.fault(DiskHit::WriteCorrupt, self.law.write_corrupt.bent(high));
        }
        Ok(())
    }

    fn set_len(&mut self, file: FileId, len_bytes: u64) -> Result<(), DiskError> {
        let words = self.rng.block();
        self.charge(&words, DiskOp::Write);
        if file == FileId::DIRECTORY {
            return Err(DiskError::NotFound);
        }
        let growth = len_bytes.saturating_sub(self.len_bytes(file));
        if len_bytes > FILE_BYTES_MAX || !self.has_room(growth) {
            return Err(DiskError::Full);
        }
        let inode = self.inode_of(file);
        let State { files, journal } = Rc::make_mut(&mut self.state);
        journal.push(Change::SetLen { inode, len_bytes });
        files.set_len(inode, len_bytes);
        assert_eq!(files.cached(file).map(image::Image::len_bytes), Some(len_bytes), "as asked");
        Ok(())
    }

    fn rename(&mut self, from: FileId, to: FileId) -> Result<(), DiskError> {
        let words = self.rng.block();
        self.charge(&words, DiskOp::Write);
        let State { files, journal } = Rc::make_mut(&mut self.state);
        if from == to || to == FileId::DIRECTORY {
            return files.inode(from).map(|_| ()).ok_or(DiskError::NotFound);
        }
        let inode = files.rename(from, to).ok_or(DiskError::NotFound)?;
        assert!(files.inode(from).is_none(), "a name that was moved is free");
        journal.push(Change::Rename { from, to, inode });
        Ok(())
    }

    fn remove(&mut self, file: FileId) -> Result<(), DiskError> {
        let words = self.rng.block();
        self.charge(&words, DiskOp::Write);
        let State { files, journal } = Rc::make_mut(&mut self.state);
        let inode = files.remove(file).ok_or(DiskError::NotFound)?;
        assert!(files.inode(file).is_none(), "a name that was removed is free");
        journal.push(Change::Remove { file, inode });
        Ok(())
    }

    fn sync_now(&mut self, files: &[FileId]) -> Result<(), DiskError> {
        let (ticket, latency_ns) = self.sync_begin(files.iter().copied());
        self.charge_ns = self.charge_ns.saturating_add(latency_ns);
        assert!(self.charge_ns >= latency_ns, "the node waits for the disk");
        self.sync_end(ticket)
    }
}

impl DurableFiles for SimDisk {
    fn find(&self, file: FileId) -> Option<Found> {
        let (inode, image) = self.state.files.durable_inode(file)?;
        Some(Found { inode, len_bytes: image.len_bytes() })
    }

    fn read_at(&self, file: FileId, offset: u64, out: &mut [u8]) {
        let image = self.state.files.durable(file).expect("what is read was found");
        image.read(offset, out);
    }

    fn is_sound(&self) -> bool {
        self.is_sound
    }
}

/// What of a node's disk survives a crash that loses everything unsynced. Read-only.
#[derive(Clone, Copy, Debug)]
pub struct Durable<'a> {
    files: &'a Files,
}

impl Durable<'_> {
    /// The files whose names are durable.
    pub fn files(&self) -> impl Iterator<Item = FileId> + '_ {
        self.files.durable_names()
    }

    /// The durable bytes of `file`; `None` when its name is not durable.
    #[must_use]
    pub fn read(&self, file: FileId) -> Option<Vec<u8>> {
        let image = self.files.durable(file)?;
        assert!(image.len_bytes() <= FILE_BYTES_MAX, "a file has a limit");
        let mut bytes = alloc::vec![0; image.len_bytes() as usize];
        image.read(0, &mut bytes);
        Some(bytes)
    }
}
