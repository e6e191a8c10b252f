//! Reads the write-ahead log at boot: replays it, cuts a torn tail, refuses a damaged middle.
//!
//! A crash tears only what was not durable, which nobody was promised; so the tail may go. A
//! damaged record with a whole one after it was durable: its loss could unmake a majority, so the
//! node refuses to boot rather than take part without it (PAR, Alagappan et al., FAST 2018).

use super::entry::{Entry, LogId};
use super::log::Log;
use super::storage::{ENTRY, HARD, HEADER, PREFIX_BYTES, SEAL, Storage, VERSION, WAL, checksum};
use super::wire::read_entry;
use alloc::format;
use alloc::vec;
use contract::{DiskError, Fx, Refused};

/// What a node knows again after a boot.
#[derive(Clone, Debug)]
pub(super) struct Recovered {
    pub term: u64,
    pub vote: Option<u32>,
    pub log: Log,
    pub storage: Storage,
    /// Whether the disk was empty: nothing was ever promised from it.
    pub is_first_boot: bool,
}

/// Reads the disk of a node.
///
/// # Errors
/// When a record in the middle is damaged, when records contradict each other, or when the device
/// cannot be read.
pub(super) fn recover(fx: &mut Fx<'_>) -> Result<Recovered, Refused> {
    let len = fx.disk.len_bytes(WAL);
    let mut bytes = vec![0; usize::try_from(len).expect("a log fits into memory")];
    if len > 0 {
        fx.disk
            .read_at(WAL, 0, &mut bytes)
            .map_err(|error| disk_refusal("read", error))?;
    }
    let mut replay = Replay::default();
    let mut at = 0;
    while let Some(body) = record_at(&bytes, at) {
        replay.record(at, body)?;
        at += PREFIX_BYTES + body.len();
    }
    if at < bytes.len() {
        if let Some(whole) = (at + 1..bytes.len()).find(|&next| record_at(&bytes, next).is_some()) {
            let reason = format!(
                "the log is damaged at byte {at}, before a whole record at byte {whole}: \
                 what was acknowledged may be gone"
            );
            return Err(Refused(reason));
        }
        fx.disk
            .set_len(WAL, at as u64)
            .map_err(|error| disk_refusal("cut the torn tail of", error))?;
    }
    Ok(replay.finish(at as u64, len == 0))
}

fn disk_refusal(verb: &str, error: DiskError) -> Refused {
    Refused(format!("failed to {verb} the log: {error}"))
}

/// The body of the record at `at`, when a whole one is there.
fn record_at(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let prefix = bytes.get(at..at + PREFIX_BYTES)?;
    let (len, expected) = prefix.split_at(4);
    let len = u32::from_be_bytes(len.try_into().ok()?) as usize;
    let expected = u32::from_be_bytes(expected.try_into().ok()?);
    let start = at + PREFIX_BYTES;
    let body = bytes.get(start..start.checked_add(len)?)?;
    let whole = !body.is_empty() && checksum(at as u64, body) == expected;
    whole.then_some(body)
}

struct Replay {
    term: u64,
    vote: Option<u32>,
    log: Log,
    has_header: bool,
}

impl Default for Replay {
    fn default() -> Self {
        Self {
            term: 0,
            vote: None,
            log: Log::after(LogId::default()),
            has_header: false,
        }
    }
}

impl Replay {
    fn record(&mut self, at: usize, body: &[u8]) -> Result<(), Refused> {
        let (kind, fields) = body.split_first().expect("a record has a body");
        let done = match *kind {
            HEADER if at == 0 => self.header(fields),
            HARD => self.hard(fields),
            ENTRY => self.entry(fields),
            SEAL => fields.is_empty().then_some(()),
            _ => None,
        };
        let fits = done.is_some() && self.has_header;
        if fits {
            return Ok(());
        }
        let reason = format!("the log holds a record at byte {at} that does not fit what precedes");
        Err(Refused(reason))
    }

    fn header(&mut self, fields: &[u8]) -> Option<()> {
        let (version, rest) = fields.split_first_chunk()?;
        let (term, rest) = rest.split_first_chunk()?;
        let (index, rest) = rest.split_first_chunk()?;
        let base = LogId {
            term: u64::from_be_bytes(*term),
            index: u64::from_be_bytes(*index),
        };
        self.log = Log::after(base);
        self.has_header = true;
        let known = u32::from_be_bytes(*version) == VERSION && rest.is_empty();
        known.then_some(())
    }

    fn hard(&mut self, fields: &[u8]) -> Option<()> {
        let (term, rest) = fields.split_first_chunk()?;
        let (vote, rest) = rest.split_first_chunk()?;
        self.term = u64::from_be_bytes(*term);
        self.vote = u32::from_be_bytes(*vote).checked_sub(1);
        rest.is_empty().then_some(())
    }

    fn entry(&mut self, fields: &[u8]) -> Option<()> {
        let (index, rest) = fields.split_first_chunk()?;
        let entry: Entry = read_entry(rest, u64::from_be_bytes(*index)).ok()?;
        let next = self.log.last().index + 1;
        if entry.index < self.log.first_index() || entry.index > next {
            return None;
        }
        self.log.truncate(entry.index);
        self.log.append(entry);
        Some(())
    }

    fn finish(self, end: u64, is_first_boot: bool) -> Recovered {
        let mut storage = Storage::resume(end);
        if !self.has_header {
            assert!(end == 0, "the header is the first record");
            storage.put_header(LogId::default());
        }
        Recovered {
            term: self.term,
            vote: self.vote,
            log: self.log,
            storage,
            is_first_boot,
        }
    }
}
