//! The replicated state machine: the store, and what each client was answered last.
//!
//! **Invariant:** what it does follows from the log alone. Time comes from the log entry, never
//! from a clock of the node, so replicas that applied the same prefix are equal.

use super::chunk_map::ChunkMap;
use super::command::{Applied, Command, DropReason, Refusal, Session, Versions, Write};
use super::entry::{Entry, Key};
use super::error::StoreError;
use super::store::{NewEntry, Store, StoreConfig, StoreFlaws, TTL_MAX};
use crate::protocol::frame::Malformed;
use alloc::sync::Arc;
use alloc::vec::Vec;
use catalog::Preload;
use contract::hash::{hash_bytes, mix};
use contract::{Duration, Value};

/// The most clients that the table of sessions remembers. One that is not in the table when it is
/// full is refused: forgetting another would let a late repetition of its write apply twice.
pub const SESSIONS_MAX: u64 = 65_536;

/// The state that the log leads to.
#[derive(Clone, Debug)]
pub struct Machine {
    store: Store,
    /// By client: its latest epoch, and the last answer in it. One answer is enough, because a
    /// client has one operation in flight (raft-thesis §6.3 keeps one per unacknowledged request).
    sessions: ChunkMap<u64, LastAnswer>,
    applied_index: u64,
    digest: u64,
    flaws: MachineFlaws,
    last_repeat: Option<Repeat>,
}

/// What a client was answered last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LastAnswer {
    pub epoch: u64,
    pub seq: u64,
    pub index: u64,
    pub answer: Applied,
}

/// A command that took effect twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// Whose it was.
    pub session: Session,
    /// Which of its writes.
    pub seq: u64,
    /// The key.
    pub key: u64,
    /// Where in the log it took effect first.
    pub first_index: u64,
    /// And where again.
    pub again_index: u64,
}

/// What applying one log entry did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The answer to whoever asked.
    pub answer: Applied,
    /// Whether the command was carried out now; else the answer is that of an earlier time, or a
    /// refusal.
    pub fresh: bool,
    /// The entries that left without having been deleted, and why.
    pub dropped: Option<(DropReason, Vec<Dropped>)>,
}

/// An entry that left without having been deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Its key, as a label.
    pub key: u64,
    /// Its version.
    pub version: u64,
    /// How long after its last moment it left, in nanoseconds of cluster time; 0 where it had none
    /// or had not reached it.
    pub late_ns: u64,
}

impl Machine {
    /// The state before the log: what was preloaded, and nothing else.
    #[must_use]
    pub fn new(config: Arc<StoreConfig>, preload: &[Preload], flaws: MachineFlaws) -> Self {
        let mut store = Store::new(config, flaws.store);
        let mut bytes = Vec::new();
        for preload in preload {
            bytes.clear();
            preload.value.write_bytes(&mut bytes);
            let entry = NewEntry {
                key: &preload.key.to_be_bytes(),
                value: &bytes,
                version: 0,
                ttl: preload.ttl,
                created_at: 0,
            };
            store.set(entry).expect("a scenario preloads no more than the store holds");
        }
        Self {
            store,
            sessions: ChunkMap::default(),
            applied_index: 0,
            digest: 0,
            flaws,
            last_repeat: None,
        }
    }

    /// Carries out the command of the log entry at `index`, stamped with `cluster_time`.
    pub fn apply(&mut self, index: u64, cluster_time: u64, command: &[u8]) -> Effect {
        self.advance(index, command);
        let effect = self.carry_out(index, cluster_time, command);
        self.digest = mix(self.digest, u64::from(effect.fresh));
        self.digest = mix(self.digest, self.store.size_bytes());
        effect
    }

    /// Counts an entry that asks for nothing.
    pub fn skip(&mut self, index: u64) {
        self.advance(index, &[]);
    }

    /// What a read of `key` sees when the cluster time is `cluster_time`, borrowed.
    #[must_use]
    pub fn read(&self, key: &Key, cluster_time: u64) -> Option<&Entry> {
        let entry = self.store.get(key)?;
        (!entry.is_expired(cluster_time)).then_some(entry)
    }

    /// The entries, expired ones among them.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Notes that `key` is used. The order of eviction belongs to this replica alone: it decides
    /// what a leader proposes to drop, and nothing else.
    pub fn touch(&mut self, key: &Key) {
        self.store.touch(key);
    }

    /// The index of the last log entry that was applied.
    #[must_use]
    pub const fn applied_index(&self) -> u64 {
        self.applied_index
    }

    /// A digest of the applied prefix of the log and of what each entry did. Equal at equal indexes
    /// on all replicas.
    #[must_use]
    pub const fn digest(&self) -> u64 {
        self.digest
    }

    /// How many clients it remembers.
    #[must_use]
    pub const fn sessions(&self) -> u64 {
        self.sessions.len()
    }

    /// The last command that took effect twice: `None` for ever, unless the flaw is planted.
    #[must_use]
    pub const fn last_repeat(&self) -> Option<&Repeat> {
        self.last_repeat.as_ref()
    }

    /// The state that nothing but its position in the log is known of.
    #[must_use]
    pub fn empty_at(config: &Arc<StoreConfig>, flaws: MachineFlaws, index: u64) -> Self {
        let mut machine = Self::new(Arc::clone(config), &[], flaws);
        machine.stand_at(index, 0);
        machine
    }

    pub(super) const fn flaws(&self) -> MachineFlaws {
        self.flaws
    }

    pub(super) fn last_answers(&self) -> impl Iterator<Item = (&u64, &LastAnswer)> {
        self.sessions.iter()
    }

    pub(super) fn stand_at(&mut self, applied_index: u64, digest: u64) {
        assert!(self.applied_index == 0, "only a state that has applied nothing is placed");
        self.applied_index = applied_index;
        self.digest = digest;
    }

    pub(super) fn remember(&mut self, client: u64, last: LastAnswer) {
        self.sessions.insert(client, last);
    }

    pub(super) fn hold(&mut self, entry: NewEntry<'_>) -> Result<(), Malformed> {
        self.store.set(entry).map_err(|_| Malformed("it holds more than the limits allow"))
    }

    fn advance(&mut self, index: u64, command: &[u8]) {
        assert!(index == self.applied_index + 1, "the log is applied in order and without gaps");
        self.applied_index = index;
        self.digest = mix(self.digest, hash_bytes(command));
    }

    fn carry_out(&mut self, index: u64, cluster_time: u64, command: &[u8]) -> Effect {
        let Ok(command) = Command::decode(command) else {
            // Every replica sees the same bytes and refuses them alike.
            return refused(Refusal::Malformed);
        };
        match command.write {
            Write::Drop { reason, entries } => {
                return self.drop_entries(reason, entries, cluster_time);
            }
            Write::Fill { value, ttl, overwrites } => {
                let held = self.read(&Key::new(command.key), cluster_time).is_some();
                let answer = match held && !overwrites {
                    true => Applied::Conflict { seen: None },
                    false => self.put(index, cluster_time, command.key, value, ttl),
                };
                let fresh = matches!(answer, Applied::Done { .. });
                return Effect { answer, fresh, dropped: None };
            }
            Write::Put { .. } | Write::Delete | Write::Cas { .. } => {}
        }
        if let Some(effect) = self.repetition(index, &command) {
            return effect;
        }
        let answer = self.execute(index, cluster_time, &command);
        let last = LastAnswer { epoch: command.session.epoch, seq: command.seq, index, answer };
        self.sessions.insert(command.session.client, last);
        Effect { answer, fresh: !matches!(answer, Applied::Refused(_)), dropped: None }
    }

    /// The effect of a command whose session has moved past it already; `None` for a new one.
    fn repetition(&mut self, index: u64, command: &Command<'_>) -> Option<Effect> {
        let session = command.session;
        let Some(last) = self.sessions.get(&session.client) else {
            let size = self.sessions.len();
            let max = SESSIONS_MAX;
            return (size >= max).then(|| refused(Refusal::SessionsFull { size, max }));
        };
        if (session.epoch, command.seq) > (last.epoch, last.seq) {
            return None;
        }
        if self.flaws.repeats {
            self.last_repeat = Some(Repeat {
                session,
                seq: command.seq,
                key: Key::new(command.key).label(),
                first_index: last.index,
                again_index: index,
            });
            return None;
        }
        if (session.epoch, command.seq) == (last.epoch, last.seq) {
            let answer = last.answer;
            return Some(Effect { answer, fresh: false, dropped: None });
        }
        Some(refused(Refusal::SessionOver))
    }

    fn execute(&mut self, index: u64, cluster_time: u64, command: &Command<'_>) -> Applied {
        let key = Key::new(command.key);
        match command.write {
            Write::Put { value, ttl } => self.put(index, cluster_time, command.key, value, ttl),
            Write::Delete => {
                let held = self.read(&key, cluster_time);
                let previous = held.and_then(|entry| self.store.identify(entry));
                self.store.delete(&key);
                Applied::Deleted { previous }
            }
            Write::Cas { version, expect, value } => {
                let held = self.read(&key, cluster_time);
                let seen = held.and_then(|entry| self.store.identify(entry));
                let held_version = held.map_or(0, |entry| entry.version);
                let version_fits = version == 0 || version == held_version;
                if version_fits && seen.map(|value: Value| value.id) == expect {
                    self.put(index, cluster_time, command.key, value, None)
                } else {
                    Applied::Conflict { seen }
                }
            }
            Write::Drop { .. } | Write::Fill { .. } => {
                unreachable!("what leaders decide belongs to no session")
            }
        }
    }

    fn put(
        &mut self,
        index: u64,
        cluster_time: u64,
        key: &[u8],
        value: &[u8],
        ttl: Option<Duration>,
    ) -> Applied {
        if let Some(ttl) = ttl.filter(|&ttl| ttl > TTL_MAX) {
            let (size, max) = (ttl.as_millis(), TTL_MAX.as_millis());
            return Applied::Refused(Refusal::TtlTooLong { size, max });
        }
        let entry = NewEntry { key, value, version: index, ttl, created_at: cluster_time };
        match self.store.set(entry) {
            Ok(()) => Applied::Done { version: index },
            Err(error) => Applied::Refused(error.into()),
        }
    }

    fn drop_entries(
        &mut self,
        reason: DropReason,
        entries: Versions<'_>,
        cluster_time: u64,
    ) -> Effect {
        let mut dropped = Vec::new();
        for (key, version) in entries.iter() {
            let key = Key::new(key);
            // A version written since then, or renewed, has a life of its own.
            let held = self.store.get(&key).filter(|entry| entry.version == version);
            let due = |entry: &&Entry| reason != DropReason::Ttl || entry.is_expired(cluster_time);
            let Some(entry) = held.filter(due) else { continue };
            let late_ns = entry.ends_at().map_or(0, |end| cluster_time.saturating_sub(end));
            dropped.push(Dropped { key: key.label(), version, late_ns });
            self.store.delete(&key);
        }
        let answer = Applied::Deleted { previous: None };
        Effect { answer, fresh: !dropped.is_empty(), dropped: Some((reason, dropped)) }
    }
}

/// The flaws that can be planted in the state machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MachineFlaws {
    /// `retry-non-idempotent`.
    pub repeats: bool,
    /// Those of the store.
    pub store: StoreFlaws,
    /// `sessions-missing-from-snapshot`.
    pub forgets_sessions: bool,
}

fn refused(refusal: Refusal) -> Effect {
    Effect { answer: Applied::Refused(refusal), fresh: false, dropped: None }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::KeyTooLarge { size, max } => Self::KeyTooLarge { size, max },
            StoreError::ValueTooLarge { size, max } => Self::ValueTooLarge { size, max },
            StoreError::StoreFull { current, max } => Self::StoreFull { current, max },
            StoreError::HmacVerificationFailed => Self::Damaged,
            StoreError::SerializationError(_) => Self::Malformed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::command::push_version;
    use super::super::recency::Policy;
    use super::super::seal::Sealer;
    use super::super::store::Limits;
    use super::*;

    const LIMITS: Limits = Limits { store_bytes_max: 10_000, value_bytes_max: 1_000 };

    fn config() -> Arc<StoreConfig> {
        let sealer = Sealer::new(b"secret", true);
        Arc::new(StoreConfig { limits: LIMITS, sealer, policy: Policy::Lru })
    }

    /// A drop of the only key.
    fn drop_at(version: u64, bytes: &mut Vec<u8>) -> Write<'_> {
        push_version(b"key", version, bytes);
        let entries = Versions::decode(bytes).expect("it was just written");
        Write::Drop { reason: DropReason::Ttl, entries }
    }

    struct Log {
        machine: Machine,
        time: u64,
    }

    impl Log {
        fn new(flaws: MachineFlaws) -> Self {
            Self { machine: Machine::new(config(), &[], flaws), time: 0 }
        }

        /// Applies a write of session (1, `epoch`).
        fn write(&mut self, epoch: u64, seq: u64, write: Write<'_>) -> Effect {
            let session = Session { client: 1, epoch };
            let key = b"key";
            let command = Command { session, seq, key, write };
            let mut bytes = Vec::new();
            command.encode(&mut bytes);
            let index = self.machine.applied_index() + 1;
            self.machine.apply(index, self.time, &bytes)
        }

        fn held(&self) -> Option<u64> {
            let held = self.machine.read(&Key::new(b"key"), self.time)?;
            Some(self.machine.store().identify(held).expect("nothing is damaged").id)
        }
    }

    fn bytes(id: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        Value { id, size_bytes: 9 }.write_bytes(&mut bytes);
        bytes
    }

    fn put(value: &[u8]) -> Write<'_> {
        Write::Put { value, ttl: None }
    }

    #[test]
    fn a_repeated_write_is_answered_as_the_first_time_and_does_nothing() {
        let mut log = Log::new(MachineFlaws::default());
        let done = Applied::Done { version: 1 };
        assert_eq!(log.write(0, 1, put(&bytes(5))).answer, done);
        assert_eq!(log.write(0, 2, put(&bytes(6))).answer, Applied::Done { version: 2 });
        let again = log.write(0, 2, put(&bytes(6)));
        assert_eq!(again.answer, Applied::Done { version: 2 });
        assert!(!again.fresh);
        let late = log.write(0, 1, put(&bytes(5)));
        assert_eq!(late, refused(Refusal::SessionOver));
        assert_eq!(log.held(), Some(6));
        assert_eq!(log.machine.last_repeat(), None);
    }

    #[test]
    fn a_later_epoch_ends_the_earlier() {
        let mut log = Log::new(MachineFlaws::default());
        log.write(3, 1, put(&bytes(5)));
        log.write(4, 1, put(&bytes(6)));
        assert_eq!(log.write(3, 2, put(&bytes(7))), refused(Refusal::SessionOver));
        assert_eq!(log.held(), Some(6));
    }

    #[test]
    fn the_flaw_applies_a_repetition_and_the_machine_knows() {
        let mut log = Log::new(MachineFlaws { repeats: true, ..MachineFlaws::default() });
        log.write(0, 1, put(&bytes(5)));
        log.write(0, 2, put(&bytes(6)));
        assert!(log.write(0, 1, put(&bytes(5))).fresh);
        assert_eq!(log.held(), Some(5));
        let repeat = log.machine.last_repeat().expect("it was noticed");
        assert_eq!((repeat.seq, repeat.again_index), (1, 3));
    }

    #[test]
    fn compare_and_set_compares_value_and_version() {
        let mut log = Log::new(MachineFlaws::default());
        let new = bytes(9);
        let cas = |version, expect| Write::Cas { version, expect, value: &new };
        let absent = log.write(0, 1, cas(0, Some(5))).answer;
        assert_eq!(absent, Applied::Conflict { seen: None });
        log.write(0, 2, put(&bytes(5)));
        let seen = Some(Value { id: 5, size_bytes: 9 });
        assert_eq!(log.write(0, 3, cas(1, Some(5))).answer, Applied::Conflict { seen });
        assert_eq!(log.write(0, 4, cas(0, None)).answer, Applied::Conflict { seen });
        assert_eq!(log.write(0, 5, cas(2, Some(5))).answer, Applied::Done { version: 5 });
        assert_eq!(log.held(), Some(9));
    }

    #[test]
    fn what_is_expired_is_absent_and_leaves_by_its_version() {
        let mut log = Log::new(MachineFlaws::default());
        let value = bytes(5);
        let ttl = Some(Duration(100));
        log.write(0, 1, Write::Put { value: &value, ttl });
        log.time = 100;
        let drop = |log: &mut Log, version| log.write(0, 0, drop_at(version, &mut Vec::new()));
        assert!(!drop(&mut log, 1).fresh);
        assert_eq!(log.held(), Some(5));
        log.time = 101;
        assert_eq!(log.held(), None);
        assert_eq!(log.machine.store().len(), 1);
        assert!(!drop(&mut log, 7).fresh);
        let key = u64::from_be_bytes(*b"key\0\0\0\0\0");
        let dropped = Dropped { key, version: 1, late_ns: 1 };
        assert_eq!(drop(&mut log, 1).dropped, Some((DropReason::Ttl, Vec::from([dropped]))));
        assert_eq!(log.machine.store().len(), 0);
        let previous = None;
        assert_eq!(log.write(0, 2, Write::Delete).answer, Applied::Deleted { previous });
    }

    #[test]
    fn what_is_loaded_does_not_overwrite_what_was_written_meanwhile() {
        let (loaded, written) = (bytes(5), bytes(6));
        let fill = |overwrites| Write::Fill { value: &loaded, ttl: None, overwrites };
        let mut log = Log::new(MachineFlaws::default());
        assert!(log.write(0, 0, fill(false)).fresh);
        assert_eq!(log.held(), Some(5));
        log.write(0, 1, put(&written));
        assert!(!log.write(0, 0, fill(false)).fresh);
        assert_eq!(log.held(), Some(6));
        // The flaw `stale-set-lookaside`.
        assert!(log.write(0, 0, fill(true)).fresh);
        assert_eq!(log.held(), Some(5));
    }

    #[test]
    fn garbage_is_refused_by_every_replica_alike() {
        let mut log = Log::new(MachineFlaws::default());
        assert_eq!(log.machine.apply(1, 0, b"garbage"), refused(Refusal::Malformed));
        assert_eq!(log.machine.applied_index(), 1);
    }

    #[test]
    fn a_life_longer_than_seven_days_is_refused() {
        let mut log = Log::new(MachineFlaws::default());
        let value = bytes(5);
        let ttl = Some(TTL_MAX + Duration::from_millis(1));
        let refusal = Refusal::TtlTooLong { size: 604_800_001, max: 604_800_000 };
        assert_eq!(log.write(0, 1, Write::Put { value: &value, ttl }), refused(refusal));
    }
}
