//! The replicated state machine: the store, and what each client was answered last.
//!
//! **Invariant:** what it does follows from the log alone. Time comes from the log entry, never
//! from a clock of the node, so replicas that applied the same prefix are equal.

use super::command::{Applied, Command, DropReason, Refusal, Versions, Write};
use crate::protocol::cache::{Entry, Key, NewEntry, Store, StoreConfig, StoreDefects, TTL_MAX};
use crate::protocol::frame::Malformed;
use crate::protocol::session::{LastAnswer, SESSIONS_MAX, Session, Sessions, Standing};
use alloc::sync::Arc;
use alloc::vec::Vec;
use catalog::Preload;
use contract::hash::{hash_bytes, mix};
use contract::{Duration, Value};

/// The state that the log leads to.
#[derive(Clone, Debug)]
pub struct Machine {
    store: Store,
    sessions: Sessions<Applied>,
    applied_index: u64,
    digest: u64,
    defects: MachineDefects,
    last_repeat: Option<Repeat>,
    answers: Answers,
}

/// Digests of what the last entries were answered in this life, for whoever compares replicas. They
/// decide nothing and are no part of a snapshot.
#[derive(Clone, Copy, Debug)]
struct Answers {
    by_index: [u64; ANSWERS_KEPT as usize],
    /// The first index that was applied in this life.
    since: u64,
}

/// How many answers are kept: more than Raft hands out in one input.
pub const ANSWERS_KEPT: u64 = 128;

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

impl Effect {
    /// A digest of all that it says.
    fn digest(&self) -> u64 {
        let value = |value: Option<Value>| {
            value.map_or(1, |value| mix(value.id, u64::from(value.size_bytes)))
        };
        let said = match self.answer {
            Applied::Done { version } => mix(1, version),
            Applied::Deleted { previous } => mix(2, value(previous)),
            Applied::Conflict { seen } => mix(3, value(seen)),
            Applied::Refused(refusal) => {
                let (code, size, max) = refusal.parts();
                mix(mix(4, u64::from(code)), mix(size, max))
            }
        };
        let dropped = self.dropped.iter().flat_map(|(_, dropped)| dropped);
        dropped.fold(mix(said, u64::from(self.fresh)), |digest, dropped| {
            mix(mix(digest, dropped.key), mix(dropped.version, dropped.late_ns))
        })
    }
}

impl Machine {
    /// The state before the log: what was preloaded, and nothing else.
    #[must_use]
    pub fn new(config: Arc<StoreConfig>, preload: &[Preload], defects: MachineDefects) -> Self {
        let mut store = Store::new(config, defects.store);
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
            sessions: Sessions::default(),
            applied_index: 0,
            digest: 0,
            defects,
            last_repeat: None,
            answers: Answers { by_index: [0; ANSWERS_KEPT as usize], since: 1 },
        }
    }

    /// The same state without a planted defect: what a reference begins with.
    #[must_use]
    pub fn without_defects(&self) -> Self {
        let store = self.store.without_defects();
        Self { store, defects: MachineDefects::default(), ..self.clone() }
    }

    /// A digest of what applying the entry at `index` did and answered; `None` where that was not in
    /// this life, or is too long ago.
    #[must_use]
    pub fn answered(&self, index: u64) -> Option<u64> {
        let kept = self.applied_index.saturating_sub(ANSWERS_KEPT) < index;
        let known = kept && index >= self.answers.since && index <= self.applied_index;
        known.then(|| self.answers.by_index[(index % ANSWERS_KEPT) as usize])
    }

    /// Carries out the command of the log entry at `index`, stamped with `cluster_time`.
    pub fn apply(&mut self, index: u64, cluster_time: u64, command: &[u8]) -> Effect {
        self.advance(index, command);
        let effect = self.carry_out(index, cluster_time, command);
        self.digest = mix(self.digest, u64::from(effect.fresh));
        self.digest = mix(self.digest, self.store.size_bytes());
        self.answers.by_index[(index % ANSWERS_KEPT) as usize] = effect.digest();
        effect
    }

    /// Counts an entry that asks for nothing.
    pub fn skip(&mut self, index: u64) {
        self.advance(index, &[]);
        self.answers.by_index[(index % ANSWERS_KEPT) as usize] = 0;
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

    /// The last command that took effect twice: `None` for ever, unless the defect is planted.
    #[must_use]
    pub const fn last_repeat(&self) -> Option<&Repeat> {
        self.last_repeat.as_ref()
    }

    /// The state that nothing but its position in the log is known of.
    #[must_use]
    pub fn empty_at(config: &Arc<StoreConfig>, defects: MachineDefects, index: u64) -> Self {
        let mut machine = Self::new(Arc::clone(config), &[], defects);
        machine.stand_at(index, 0);
        machine
    }

    pub(super) const fn defects(&self) -> MachineDefects {
        self.defects
    }

    pub(super) fn last_answers(&self) -> impl Iterator<Item = (&u64, &LastAnswer<Applied>)> {
        self.sessions.iter()
    }

    pub(super) fn stand_at(&mut self, applied_index: u64, digest: u64) {
        assert!(self.applied_index == 0, "only a state that has applied nothing is placed");
        self.applied_index = applied_index;
        self.digest = digest;
        self.answers.since = applied_index + 1;
    }

    pub(super) fn remember(&mut self, client: u64, last: LastAnswer<Applied>) {
        self.sessions.record(client, last);
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
            return refused(Refusal::MALFORMED);
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
        self.sessions.record(command.session.client, last);
        Effect { answer, fresh: !matches!(answer, Applied::Refused(_)), dropped: None }
    }

    /// The effect of a command whose session has moved past it already; `None` for a new one.
    fn repetition(&mut self, index: u64, command: &Command<'_>) -> Option<Effect> {
        let session = command.session;
        let (last, effect) = match self.sessions.standing(session, command.seq) {
            Standing::New => return None,
            Standing::Full => {
                let (size, max) = (self.sessions.len(), SESSIONS_MAX);
                return Some(refused(Refusal::SessionsFull { size, max }));
            }
            Standing::Repeated(last) => {
                (last, Effect { answer: last.answer, fresh: false, dropped: None })
            }
            Standing::Over(last) => (last, refused(Refusal::SessionOver)),
        };
        if !self.defects.repeats {
            return Some(effect);
        }
        self.last_repeat = Some(Repeat {
            session,
            seq: command.seq,
            key: Key::new(command.key).label(),
            first_index: last.index,
            again_index: index,
        });
        None
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

/// The defects that can be planted in the state machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MachineDefects {
    /// `retry-non-idempotent`.
    pub repeats: bool,
    /// Those of the store.
    pub store: StoreDefects,
    /// `sessions-missing-from-snapshot`.
    pub forgets_sessions: bool,
    /// `session-answers-missing-from-snapshot`.
    pub forgets_answers: bool,
}

fn refused(refusal: Refusal) -> Effect {
    Effect { answer: Applied::Refused(refusal), fresh: false, dropped: None }
}

#[cfg(test)]
mod tests;
