//! Reads the write-ahead log at boot: replays it, cuts a torn tail, refuses a damaged middle. A
//! file that was to take its place and never did is removed.
//!
//! A crash tears only what was not durable, which nobody was promised; so the tail may go. A
//! damaged record with a whole one after it was durable: its loss could unmake a majority, so the
//! node refuses to boot rather than take part without it (PAR, Alagappan et al., FAST 2018).

use super::config_history::Configs;
use super::entry::{Entry, LogId};
use super::log::Log;
use super::settings::Config;
use super::snapshot::Snapshot;
use super::storage::{
    ENTRY, HARD, HEADER, NEXT, PREFIX_BYTES, SEAL, SNAPSHOT, SUSPECT, Storage, StorageDefects,
    VERSION, WAL, checksum,
};
use super::wire::{MEMBERS_BYTES, read_entry, read_members};
use alloc::format;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use contract::{DiskError, Fx, Refused};

/// What a node knows again after a boot.
#[derive(Clone, Debug)]
pub(super) struct Recovered {
    pub term: u64,
    pub vote: Option<u32>,
    pub log: Log,
    pub configs: Configs,
    pub snapshot: Option<Arc<Snapshot>>,
    pub storage: Storage,
    /// Whether the disk was empty: nothing was ever promised from it.
    pub is_first_boot: bool,
}

/// Reads the disk of a node.
///
/// # Errors
/// When a record in the middle is damaged, when records contradict each other, or when the device
/// cannot be read.
pub(super) fn recover(config: &Config, fx: &mut Fx<'_>) -> Result<Recovered, Refused> {
    if fx.disk.exists(NEXT) {
        fx.disk.remove(NEXT).map_err(|error| disk_refusal("remove what was left beside", error))?;
    }
    let defects = &config.defects;
    let bytes = read_whole(fx)?;
    let mut replay = Replay::default();
    let mut at = 0;
    while let Some(body) = record_at(&bytes, at) {
        replay.record(at, body)?;
        at += PREFIX_BYTES + body.len();
    }
    assert!(at <= bytes.len(), "records lie inside the file");
    if at < bytes.len() {
        let whole = (at + 1..bytes.len()).find(|&next| record_at(&bytes, next).is_some());
        if let Some(whole) = whole.filter(|_| !defects.middle_cut_as_torn) {
            let reason = format!(
                "the log is damaged at byte {at}, before a whole record at byte {whole}: \
                 what was acknowledged may be gone"
            );
            return Err(Refused(reason));
        }
        if defects.torn_tail_kept {
            return Err(Refused(format!("the log holds half a record at byte {at}")));
        }
        fx.disk
            .set_len(WAL, at as u64)
            .map_err(|error| disk_refusal("cut the torn tail of", error))?;
    }
    let mut recovered = replay.finish(config, at as u64, bytes.is_empty())?;
    recovered.storage.plant(StorageDefects {
        skips_directory: defects.rename_without_dir_sync,
        retries_syncs: defects.sync_error_ignored,
        forgets_vote: defects.vote_lost_in_compaction,
        joins_sync: defects.joins_sync,
    });
    if fx.disk.exists(SUSPECT) && at > 0 {
        let renewed = recovered.storage.renew(&bytes[..at], fx);
        renewed.map_err(|error| disk_refusal("write anew what a failed sync left of", error))?;
    }
    Ok(recovered)
}

/// What a boot would know again from these bytes of the log alone.
///
/// # Errors
/// As [`recover`]; a torn tail is left out, as there.
pub(super) fn would_recover(config: &Config, bytes: &[u8]) -> Result<Recovered, Refused> {
    let mut replay = Replay::default();
    let mut at = 0;
    while let Some(body) = record_at(bytes, at) {
        replay.record(at, body)?;
        at += PREFIX_BYTES + body.len();
    }
    replay.finish(config, at as u64, bytes.is_empty())
}

/// How often a log that is not whole is read before it is believed to be so.
const READS_MAX: u32 = 3;

const _: () = assert!(READS_MAX > 0, "the log is read");

/// The file, as far as a device that now and then returns a wrong bit gives it: of several reads the
/// one that is whole for longest. What is damaged in all of them is damaged on the disk.
fn read_whole(fx: &mut Fx<'_>) -> Result<Vec<u8>, Refused> {
    let len = fx.disk.len_bytes(WAL);
    let mut best = (0, Vec::new());
    for _ in 0..READS_MAX {
        let mut bytes = vec![0; usize::try_from(len).expect("a log fits into memory")];
        if len > 0 {
            fx.disk.read_at(WAL, 0, &mut bytes).map_err(|error| disk_refusal("read", error))?;
        }
        let mut at = 0;
        while let Some(body) = record_at(&bytes, at) {
            at += PREFIX_BYTES + body.len();
        }
        let is_whole = at == bytes.len();
        if at >= best.0 {
            best = (at, bytes);
        }
        if is_whole {
            break;
        }
    }
    assert!(best.0 <= best.1.len(), "what is whole lies inside the file");
    Ok(best.1)
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
    snapshot: Option<Arc<Snapshot>>,
    has_header: bool,
}

impl Default for Replay {
    fn default() -> Self {
        let log = Log::after(LogId::default());
        Self { term: 0, vote: None, log, snapshot: None, has_header: false }
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
            SNAPSHOT => self.snapshot(fields),
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
        let base = LogId { term: u64::from_be_bytes(*term), index: u64::from_be_bytes(*index) };
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
        assert!(self.log.last().index <= next, "an entry takes the place of another, or is next");
        Some(())
    }

    fn snapshot(&mut self, fields: &[u8]) -> Option<()> {
        let (term, rest) = fields.split_first_chunk()?;
        let (index, rest) = rest.split_first_chunk()?;
        let (time, rest) = rest.split_first_chunk()?;
        let (members, rest) = rest.split_at_checked(MEMBERS_BYTES)?;
        let (since, state) = rest.split_first_chunk()?;
        let snapshot = Snapshot {
            id: LogId { term: u64::from_be_bytes(*term), index: u64::from_be_bytes(*index) },
            time: u64::from_be_bytes(*time),
            members: read_members(members).ok()?,
            members_since: u64::from_be_bytes(*since),
            state: Arc::from(state),
        };
        let is_first = self.snapshot.is_none();
        let fits = is_first && snapshot.id >= self.log.base();
        let fits = fits && snapshot.members_since <= snapshot.id.index;
        self.snapshot = Some(Arc::new(snapshot));
        fits.then_some(())
    }

    /// What the records lead to.
    ///
    /// # Errors
    /// When the log does not reach its own snapshot: both became durable together, so what came
    /// after it is gone too.
    fn finish(self, config: &Config, end: u64, is_first_boot: bool) -> Result<Recovered, Refused> {
        let mut storage = Storage::resume(end, (self.term, self.vote));
        if !self.has_header {
            assert!(end == 0, "the header is the first record");
            storage.put_header(LogId::default());
        }
        let covered = self.snapshot.as_ref().map_or(LogId::default(), |snapshot| snapshot.id);
        let last = self.log.last();
        if last.index < covered.index || self.log.base().index > covered.index {
            let reason = format!(
                "the log ends at {last} and its snapshot at {covered}: what was durable is gone"
            );
            return Err(Refused(reason));
        }
        let founders = config.founders();
        let mut configs = match &self.snapshot {
            Some(snapshot) => Configs::starting(snapshot.members_since, snapshot.members),
            None => Configs::starting(0, founders),
        };
        for entry in self.log.from(covered.index + 1) {
            if let Some(members) = entry.members() {
                configs.append(entry.index, *members);
            }
        }
        let Self { term, vote, log, snapshot, .. } = self;
        Ok(Recovered { term, vote, log, configs, snapshot, storage, is_first_boot })
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::Payload;
    use super::super::settings::Fsync;
    use super::super::testkit::MemDisk;
    use super::*;
    use contract::{Disk as _, Domain, NodeId, Outbox, Rng};

    fn with_fx<T>(disk: &mut MemDisk, call: impl FnOnce(&mut Fx<'_>) -> T) -> T {
        let mut outbox = Outbox::default();
        let mut rng = Rng::new(1, Domain::Node, "recovery");
        let mut conns = 0;
        call(&mut Fx::new(&mut outbox, NodeId(0), &mut conns, disk, &mut rng))
    }

    fn config() -> Config {
        Config::new(0, vec![NodeId(0), NodeId(1), NodeId(2)])
    }

    fn entry(term: u64, index: u64) -> Entry {
        let command = format!("command {index} of term {term}");
        Entry { term, index, time: index, payload: Payload::Command(command.as_bytes().into()) }
    }

    /// Terms 1, 1, 1; then index 2 is replaced in term 2, and a vote is given in term 3.
    fn written(is_sealed: bool) -> Vec<u8> {
        let mut disk = MemDisk::default();
        with_fx(&mut disk, |fx| {
            let mut storage = Storage::resume(0, (0, None));
            storage.put_header(LogId::default());
            storage.put_hard(1, Some(0));
            (1..=3).for_each(|index| storage.put_entry(&entry(1, index)));
            storage.put_entry(&entry(2, 2));
            storage.put_hard(3, Some(2));
            storage.flush(Fsync::Always, fx);
            if is_sealed {
                let sync = contract::SyncId(super::super::storage::SYNCS.start + 1);
                storage.on_synced(sync, Ok(()), fx);
            }
        });
        read(&mut disk)
    }

    fn read(disk: &mut MemDisk) -> Vec<u8> {
        let mut bytes = vec![0; disk.len_bytes(WAL) as usize];
        disk.read_at(WAL, 0, &mut bytes).unwrap();
        bytes
    }

    fn recover_from(bytes: &[u8]) -> Result<Recovered, Refused> {
        let mut disk = MemDisk::default();
        disk.write_at(WAL, 0, bytes).unwrap();
        with_fx(&mut disk, |fx| recover(&config(), fx))
    }

    fn state(recovered: &Recovered) -> (u64, Option<u32>, Vec<Entry>) {
        let entries = recovered.log.from(1).cloned().collect();
        (recovered.term, recovered.vote, entries)
    }

    #[test]
    fn what_was_written_is_recovered() {
        let recovered = recover_from(&written(true)).unwrap();
        let expect = (3, Some(2), vec![entry(1, 1), entry(2, 2)]);
        assert_eq!(state(&recovered), expect);
        assert!(!recovered.is_first_boot);
    }

    #[test]
    fn an_empty_disk_is_a_first_boot() {
        let recovered = recover_from(&[]).unwrap();
        assert_eq!(state(&recovered), (0, None, vec![]));
        assert!(recovered.is_first_boot);
    }

    #[test]
    fn a_tail_torn_anywhere_is_cut() {
        let whole = written(true);
        let mut last = 0;
        for len in 0..whole.len() {
            let recovered = recover_from(&whole[..len]).expect("a torn tail is no damage");
            let position = state(&recovered).2.len() as u64 + recovered.term;
            assert!(position >= last || recovered.log.last().term == 2, "at {len}");
            last = position;
            let mut disk = MemDisk::default();
            disk.write_at(WAL, 0, &whole[..len]).unwrap();
            with_fx(&mut disk, |fx| recover(&config(), fx).map(drop)).unwrap();
            assert!(disk.len_bytes(WAL) <= len as u64, "the torn part is gone");
        }
    }

    #[test]
    fn damage_before_a_whole_record_is_refused_wherever_it_is() {
        let whole = written(true);
        let seal = whole.len() - PREFIX_BYTES - 1;
        for at in 0..seal {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x40;
            assert!(recover_from(&damaged).is_err(), "at {at}");
        }
    }

    #[test]
    fn damage_in_a_tail_that_was_never_sealed_is_taken_for_torn() {
        let mut damaged = written(false);
        let last = damaged.len() - 1;
        damaged[last] ^= 1;
        let recovered = recover_from(&damaged).unwrap();
        assert_eq!((recovered.term, recovered.vote), (1, Some(0)));
    }

    #[test]
    fn a_record_in_another_place_is_not_believed() {
        let whole = written(false);
        let mut moved = whole.clone();
        let header = PREFIX_BYTES + 1 + 4 + 16;
        let hard = PREFIX_BYTES + 1 + 12;
        moved.extend_from_slice(&whole[header..header + hard]);
        let recovered = recover_from(&moved).unwrap();
        assert_eq!((recovered.term, recovered.vote), (3, Some(2)));
    }
}
