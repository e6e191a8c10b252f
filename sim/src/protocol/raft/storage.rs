//! What is on the disk: one write-ahead log of checksummed records, only ever appended to.
//!
//! Term and vote share a record, so they are durable together; an entry whose index is not the
//! next one takes the place of everything from that index on, so cutting a tail and writing its
//! successor is one step for a crash (openraft 9540c904 is the bug of doing it in two). Nothing is
//! promised before its sync ended: see [`Storage::ticket`]. Recovery is in `recovery`.
//!
//! ```text
//! record  = length u32 | crc32c u32 over (offset u64, length u32, body) | body
//! body    = 1 header: version u32, term and index before the first entry u64 u64
//!         | 2 hard state: term u64, vote u32 (0: none, else the peer's index + 1)
//!         | 3 entry: index u64, the entry as in a frame
//!         | 4 seal: nothing
//!         | 5 snapshot: term, index, time u64 × 3, members as in a frame, since u64, the state
//! ```
//!
//! A snapshot cuts the log's head off. The new file (header, snapshot, hard state, the entries
//! after the header) is written beside the old one and synced, then renamed over it, then the
//! directory is synced: one rename switches snapshot and log together, so after a crash at any step
//! a boot finds the old file or the new one, whole. From the first step on everything goes into the
//! new file only, and what is promised meanwhile waits for the last step.
//!
//! The checksum covers the offset, so a record that the device put elsewhere is not believed. A
//! seal is written once the log has become quiet and durable: a damaged record that is followed by
//! a whole one was durable once, and is not taken for a torn tail.

use super::crc::crc32c;
use super::entry::{Entry, LogId};
use super::log::Log;
use super::settings::Fsync;
use super::snapshot::Snapshot;
use super::wire::{put_entry, put_members};
use alloc::vec::Vec;
use contract::{DiskError, Duration, FileId, Fx, SyncId};
use core::ops::Range;

/// The sync ids that Raft uses; the owner's own are outside.
pub const SYNCS: Range<u64> = 0x5AF7_0000_0000_0000..0x5AF8_0000_0000_0000;
/// The files that Raft uses; the owner's own are outside.
pub const FILES: Range<u32> = 0x5AF7_0000..0x5AF7_0010;

/// The write-ahead log.
pub(super) const WAL: FileId = FileId(FILES.start);
/// The one that takes its place.
pub(super) const NEXT: FileId = FileId(FILES.start + 1);

/// There while a sync has failed and the process has not made up for it. Never synced: what a loss of
/// power takes away with it is the cache that it warns of.
pub(super) const SUSPECT: FileId = FileId(FILES.start + 2);

/// The sync ids of files that are to take the log's place; below are those of the log.
const SWITCH_SYNCS: u64 = SYNCS.start + (1 << 47);

/// Syncs in flight at once. While all are busy, what is written waits and shares the next one.
const SYNCS_MAX: u32 = 4;

pub(super) const HEADER: u8 = 1;
pub(super) const HARD: u8 = 2;
pub(super) const ENTRY: u8 = 3;
pub(super) const SEAL: u8 = 4;
pub(super) const SNAPSHOT: u8 = 5;
pub(super) const VERSION: u32 = 1;

/// The bytes of a record before its body.
pub(super) const PREFIX_BYTES: usize = 8;

const _: () = assert!(PREFIX_BYTES == 2 * size_of::<u32>(), "a length and a checksum");
const _: () = assert!(SUSPECT.0 < FILES.end, "every file is inside the range");
const _: () = assert!(SYNCS.start < SWITCH_SYNCS, "the log has syncs of its own");
const _: () = assert!(SWITCH_SYNCS < SYNCS.end, "every sync is inside the range");
const _: () = assert!(SYNCS_MAX > 0, "a sync may be in flight");

/// When something will be durable: the number of the sync that covers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

/// The writing half.
#[derive(Clone, Debug)]
pub(super) struct Storage {
    /// Records that go to the file at the end of this input, in one write.
    buffer: Vec<u8>,
    /// The length of the file.
    end: u64,
    /// Whether the file holds something that no sync was asked for.
    dirty: bool,
    /// The last sync asked for.
    asked: u64,
    /// The latest sync that ended well: everything written before it was asked for is durable.
    durable: u64,
    in_flight: u32,
    /// Covers the last hard state that was written.
    hard: Ticket,
    sealed: bool,
    /// Whether a timer runs that will ask for a sync, and whether it has run out.
    has_timer: bool,
    is_due: bool,
    failed: Option<DiskError>,
    /// A new file that is to take the log's place, and whether it is durable.
    switch: Option<Switch>,
    switches: u64,
    /// The first sync that covers the directory since the log has its name.
    named_by: u64,
    /// The last hard state that was written.
    hard_state: (u64, Option<u32>),
    defects: StorageDefects,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Switch {
    Syncing,
    Durable,
}

/// The defects that can be planted in the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct StorageDefects {
    /// `rename-without-dir-fsync`.
    pub skips_directory: bool,
    /// `fsync-error-retried`.
    pub retries_syncs: bool,
    /// `vote-lost-in-compaction`.
    pub forgets_vote: bool,
    /// `sync-covers-later-writes`.
    pub joins_sync: bool,
}

impl Storage {
    /// Continues a file of `end` bytes, of which nothing is known to be durable: a process that
    /// died may have left its pages in the cache only, so the first sync covers them too.
    pub fn resume(end: u64, hard_state: (u64, Option<u32>)) -> Self {
        Self {
            buffer: Vec::new(),
            end,
            dirty: end > 0,
            asked: 0,
            durable: 0,
            in_flight: 0,
            hard: Ticket(1),
            sealed: false,
            has_timer: false,
            is_due: false,
            failed: None,
            switch: None,
            switches: 0,
            named_by: 1,
            hard_state,
            defects: StorageDefects::default(),
        }
    }

    /// Plants defects.
    pub fn plant(&mut self, defects: StorageDefects) {
        self.defects = defects;
    }

    /// Writes what stands before the first entry, at the start of the file.
    pub fn put_header(&mut self, base: LogId) {
        assert!(self.end == 0 && self.buffer.is_empty(), "the header opens the file");
        self.record(|out| {
            out.push(HEADER);
            out.extend_from_slice(&VERSION.to_be_bytes());
            out.extend_from_slice(&base.term.to_be_bytes());
            out.extend_from_slice(&base.index.to_be_bytes());
        });
    }

    /// Writes term and vote.
    pub fn put_hard(&mut self, term: u64, vote: Option<u32>) {
        self.hard_state = (term, vote);
        self.record(|out| {
            out.push(HARD);
            out.extend_from_slice(&term.to_be_bytes());
            let vote = vote.map_or(0, |peer| peer + 1);
            out.extend_from_slice(&vote.to_be_bytes());
        });
        self.hard = self.ticket();
        assert!(!self.is_durable(self.hard), "nothing is durable before a sync of it");
    }

    /// Writes an entry; it replaces every entry from its index on.
    pub fn put_entry(&mut self, entry: &Entry) {
        assert!(entry.index > 0, "entries count from 1");
        self.record(|out| {
            out.push(ENTRY);
            out.extend_from_slice(&entry.index.to_be_bytes());
            put_entry(out, entry);
        });
    }

    fn put_snapshot(&mut self, snapshot: &Snapshot) {
        self.record(|out| {
            out.push(SNAPSHOT);
            out.extend_from_slice(&snapshot.id.term.to_be_bytes());
            out.extend_from_slice(&snapshot.id.index.to_be_bytes());
            out.extend_from_slice(&snapshot.time.to_be_bytes());
            put_members(out, &snapshot.members);
            out.extend_from_slice(&snapshot.members_since.to_be_bytes());
            out.extend_from_slice(&snapshot.state);
        });
    }

    /// Begins an empty file with `snapshot` instead of a group's birth.
    pub fn begin_with(&mut self, snapshot: &Snapshot, log: &Log) {
        self.put_header(log.base());
        self.put_snapshot(snapshot);
    }

    /// Whether a new file is about to take the log's place.
    pub const fn is_switching(&self) -> bool {
        self.switch.is_some()
    }

    /// Starts a new file that takes the log's place: `snapshot`, and what `log` holds, which
    /// begins no later than just after the snapshot.
    ///
    /// # Errors
    /// When the device does not take it, as when it is full: then the old file goes on as it was.
    pub fn rewrite(
        &mut self,
        snapshot: &Snapshot,
        log: &Log,
        fx: &mut Fx<'_>,
    ) -> Result<(), DiskError> {
        assert!(!self.is_switching(), "one new file at a time");
        assert!(log.first_index() <= snapshot.id.index + 1, "nothing is missing in between");
        let waiting = core::mem::take(&mut self.buffer);
        let old_end = core::mem::take(&mut self.end);
        let hard_ticket = self.hard;
        self.put_header(log.base());
        self.put_snapshot(snapshot);
        let (term, vote) = self.hard_state;
        self.put_hard(term, vote.filter(|_| !self.defects.forgets_vote));
        self.hard = hard_ticket;
        log.from(log.first_index()).for_each(|entry| self.put_entry(entry));
        let written = match fx.disk.set_len(NEXT, 0) {
            Ok(()) => fx.disk.write_at(NEXT, 0, &self.buffer),
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            // What is left of it is of no use; where even that fails, a boot removes it.
            let _ = fx.disk.remove(NEXT);
            self.buffer = waiting;
            self.end = old_end;
            return Err(error);
        }
        self.end = self.buffer.len() as u64;
        assert!(self.end > 0, "a new file begins with a header");
        self.buffer.clear();
        self.dirty = true;
        self.sealed = false;
        self.switches += 1;
        self.switch = Some(Switch::Syncing);
        fx.sync(SyncId(SWITCH_SYNCS + self.switches), &[NEXT]);
        Ok(())
    }

    /// Starts a new file with the same `bytes`, which takes the log's place: a sync of the old one
    /// failed, so what the cache holds of it may not be on the disk, and no later sync brings it
    /// there (Rebello et al., ATC 2020).
    ///
    /// # Errors
    /// When the device does not take it.
    pub fn renew(&mut self, bytes: &[u8], fx: &mut Fx<'_>) -> Result<(), DiskError> {
        assert!(!self.is_switching(), "one new file at a time");
        assert!(self.end == bytes.len() as u64, "it is the whole log");
        fx.disk.set_len(NEXT, 0)?;
        fx.disk.write_at(NEXT, 0, bytes)?;
        self.switches += 1;
        self.switch = Some(Switch::Syncing);
        fx.sync(SyncId(SWITCH_SYNCS + self.switches), &[NEXT]);
        Ok(())
    }

    /// Gives the new file the log's name once it is durable and no sync of the old one is open.
    fn end_switch(&mut self, fx: &mut Fx<'_>) {
        if self.switch != Some(Switch::Durable) || self.in_flight > 0 || self.failed.is_some() {
            return;
        }
        self.switch = None;
        match fx.disk.rename(NEXT, WAL) {
            Ok(()) => {
                if fx.disk.exists(SUSPECT) {
                    // Where even that fails, the next boot writes the log once more.
                    let _ = fx.disk.remove(SUSPECT);
                }
                self.named_by = self.asked + 1;
                // What was appended to the new file since, and its name, are not durable yet.
                self.dirty = true;
                self.is_due = true;
            }
            Err(error) => self.failed = Some(error),
        }
    }

    const fn file(&self) -> FileId {
        if self.is_switching() { NEXT } else { WAL }
    }

    /// When everything written so far will be durable.
    pub fn ticket(&self) -> Ticket {
        assert!(self.durable <= self.asked, "a sync ends after it was asked for");
        let pending = self.dirty || !self.buffer.is_empty();
        Ticket(self.asked + u64::from(pending))
    }

    /// When the entries written so far will be durable.
    pub fn entries_ticket(&self) -> Ticket {
        match self.defects.joins_sync && self.in_flight > 0 {
            true => Ticket(self.asked),
            false => self.ticket(),
        }
    }

    /// The term and vote that were written last.
    pub const fn hard_state(&self) -> (u64, Option<u32>) {
        self.hard_state
    }

    /// When term and vote will be durable.
    pub const fn hard_ticket(&self) -> Ticket {
        self.hard
    }

    /// Whether what `ticket` was given for is durable.
    pub const fn is_durable(&self, ticket: Ticket) -> bool {
        ticket.0 <= self.durable && self.failed.is_none()
    }

    /// The error that ended this boot's part in the group.
    pub const fn failed(&self) -> Option<DiskError> {
        self.failed
    }

    /// Writes what this input produced and asks for its sync, unless too many are in flight or
    /// `fsync` lets entries wait. Returns how long to wait before [`Storage::sync_due`].
    pub fn flush(&mut self, fsync: Fsync, fx: &mut Fx<'_>) -> Option<Duration> {
        if self.failed.is_some() {
            self.buffer.clear();
            return None;
        }
        if !self.buffer.is_empty() {
            self.dirty = true;
            self.sealed = false;
            self.write(fx);
        }
        if !self.dirty || self.failed.is_some() || self.is_switching() {
            return None;
        }
        let may_wait = self.hard <= Ticket(self.asked) && !self.is_due;
        match fsync {
            Fsync::Every(after) if may_wait => {
                let is_new = !core::mem::replace(&mut self.has_timer, true);
                return is_new.then_some(after);
            }
            Fsync::Never if may_wait => return None,
            _ => {}
        }
        if self.in_flight < SYNCS_MAX {
            self.dirty = false;
            self.is_due = false;
            self.asked += 1;
            self.in_flight += 1;
            assert!(self.in_flight <= SYNCS_MAX, "syncs in flight have a limit");
            let files = [WAL, FileId::DIRECTORY];
            // The file's own name must survive as well: until a first sync of it has ended.
            let is_named = self.durable >= self.named_by;
            let skips = self.defects.skips_directory && self.switches > 0;
            let files = &files[..if is_named || skips { 1 } else { 2 }];
            fx.sync(SyncId(SYNCS.start + self.asked), files);
        }
        None
    }

    /// The time that entries may wait is over.
    pub fn sync_due(&mut self) {
        self.has_timer = false;
        self.is_due = true;
    }

    /// Takes note of the end of a sync. Completions come in any order: a later one covers the
    /// earlier ones, and an earlier one after it changes nothing.
    pub fn on_synced(&mut self, sync: SyncId, result: Result<(), DiskError>, fx: &mut Fx<'_>) {
        assert!(SYNCS.contains(&sync.0), "the owner hands on Raft's syncs");
        if sync.0 >= SWITCH_SYNCS {
            match result {
                Ok(()) => self.switch = Some(Switch::Durable),
                Err(_) if self.defects.retries_syncs => self.switch = Some(Switch::Durable),
                Err(error) => self.failed = self.failed.or(Some(error)),
            }
            return self.end_switch(fx);
        }
        let number = sync.0 - SYNCS.start;
        assert!(number <= self.asked, "a sync ends after it was asked for, in the same boot");
        self.in_flight = self.in_flight.saturating_sub(1);
        match result {
            Ok(()) => self.durable = self.durable.max(number),
            Err(_) if self.defects.retries_syncs => self.dirty = true,
            Err(error) => self.failed = self.failed.or(Some(error)),
        }
        self.end_switch(fx);
        let quiet =
            self.in_flight == 0 && !self.dirty && self.buffer.is_empty() && !self.is_switching();
        if quiet && !self.sealed && self.failed.is_none() {
            self.sealed = true;
            self.record(|out| out.push(SEAL));
            self.write(fx);
        }
    }

    fn write(&mut self, fx: &mut Fx<'_>) {
        assert!(!self.buffer.is_empty(), "there is something to write");
        match fx.disk.write_at(self.file(), self.end, &self.buffer) {
            Ok(()) => self.end += self.buffer.len() as u64,
            Err(error) => self.failed = Some(error),
        }
        self.buffer.clear();
    }

    fn record(&mut self, body: impl FnOnce(&mut Vec<u8>)) {
        let start = self.buffer.len();
        let offset = self.end + start as u64;
        self.buffer.extend_from_slice(&[0; PREFIX_BYTES]);
        body(&mut self.buffer);
        let len = (self.buffer.len() - start - PREFIX_BYTES) as u32;
        assert!(len > 0, "a record has a body");
        let checksum = checksum(offset, &self.buffer[start + PREFIX_BYTES..]);
        self.buffer[start..start + 4].copy_from_slice(&len.to_be_bytes());
        self.buffer[start + 4..start + PREFIX_BYTES].copy_from_slice(&checksum.to_be_bytes());
    }
}

/// The checksum of the record with this body at `offset`.
pub(super) fn checksum(offset: u64, body: &[u8]) -> u32 {
    assert!(!body.is_empty(), "a record has a body");
    let len = body.len() as u32;
    crc32c(&[&offset.to_be_bytes(), &len.to_be_bytes(), body])
}
