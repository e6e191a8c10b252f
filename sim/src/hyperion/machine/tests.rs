//! What commands do to the state, one after another.

use super::super::command::push_version;
use super::*;
use crate::protocol::cache::eviction_order::Policy;
use crate::protocol::cache::store::Limits;
use crate::protocol::cache::value_codec::ValueCodec;

const LIMITS: Limits = Limits { store_bytes_max: 10_000, value_bytes_max: 1_000 };

fn config() -> Arc<StoreConfig> {
    let codec = ValueCodec::new(b"secret", true);
    Arc::new(StoreConfig { limits: LIMITS, codec, policy: Policy::Lru })
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
    fn new(defects: MachineDefects) -> Self {
        Self { machine: Machine::new(config(), &[], defects), time: 0 }
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
    let mut log = Log::new(MachineDefects::default());
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
    let mut log = Log::new(MachineDefects::default());
    log.write(3, 1, put(&bytes(5)));
    log.write(4, 1, put(&bytes(6)));
    assert_eq!(log.write(3, 2, put(&bytes(7))), refused(Refusal::SessionOver));
    assert_eq!(log.held(), Some(6));
}

#[test]
fn the_defect_applies_a_repetition_and_the_machine_knows() {
    let mut log = Log::new(MachineDefects { repeats: true, ..MachineDefects::default() });
    log.write(0, 1, put(&bytes(5)));
    log.write(0, 2, put(&bytes(6)));
    assert!(log.write(0, 1, put(&bytes(5))).fresh);
    assert_eq!(log.held(), Some(5));
    let repeat = log.machine.last_repeat().expect("it was noticed");
    assert_eq!((repeat.seq, repeat.again_index), (1, 3));
}

#[test]
fn compare_and_set_compares_value_and_version() {
    let mut log = Log::new(MachineDefects::default());
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
    let mut log = Log::new(MachineDefects::default());
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
    let mut log = Log::new(MachineDefects::default());
    assert!(log.write(0, 0, fill(false)).fresh);
    assert_eq!(log.held(), Some(5));
    log.write(0, 1, put(&written));
    assert!(!log.write(0, 0, fill(false)).fresh);
    assert_eq!(log.held(), Some(6));
    // The defect `stale-set-lookaside`.
    assert!(log.write(0, 0, fill(true)).fresh);
    assert_eq!(log.held(), Some(5));
}

#[test]
fn garbage_is_refused_by_every_replica_alike() {
    let mut log = Log::new(MachineDefects::default());
    assert_eq!(log.machine.apply(1, 0, b"garbage"), refused(Refusal::MALFORMED));
    assert_eq!(log.machine.applied_index(), 1);
}

#[test]
fn a_life_longer_than_seven_days_is_refused() {
    let mut log = Log::new(MachineDefects::default());
    let value = bytes(5);
    let ttl = Some(TTL_MAX + Duration::from_millis(1));
    let refusal = Refusal::TtlTooLong { size: 604_800_001, max: 604_800_000 };
    assert_eq!(log.write(0, 1, Write::Put { value: &value, ttl }), refused(refusal));
}
