//! The state machine as bytes, and back: what a snapshot of Raft carries.
//!
//! Everything that applying the log depends on is in it: the entries with their versions and
//! stamps of cluster time, and the table of sessions, without which a retried write would take
//! effect twice (raft-thesis §6.3).
//!
//! | field | bytes |
//! |---|---|
//! | applied index, digest | 8, 8 |
//! | sessions: count, then client, epoch, seq, index, answer | 8, then 8 × 4 and the answer |
//! | entries: count, then version, created at, ttl in ns (0: none) | 8, then 8 × 3 |
//! | … key length, key, value length, value | 2, n, 4, n |

use super::command::Applied;
use super::machine::{Machine, MachineDefects};
use crate::protocol::cache::store::{NewEntry, StoreConfig};
use crate::protocol::cache::value_codec::Decoded;
use crate::protocol::frame::{Cursor, Malformed};
use crate::protocol::session::LastAnswer;
use alloc::sync::Arc;
use alloc::vec::Vec;
use contract::Duration;

/// The most bytes of a session: four numbers and an answer.
const SESSION_BYTES_MAX: u64 = 64;

impl Machine {
    /// Appends the whole state.
    pub fn encode(&self, out: &mut Vec<u8>) {
        // An entry is no longer here than what it counts for; a compressed one makes it grow.
        let size = self.store().size_bytes() + self.sessions() * SESSION_BYTES_MAX;
        out.reserve(usize::try_from(size).expect("a state fits into memory"));
        let mut put = |number: u64| out.extend_from_slice(&number.to_be_bytes());
        put(self.applied_index());
        put(self.digest());
        if self.defects().forgets_sessions {
            put(0);
        } else {
            put(self.sessions());
            for (client, last) in self.last_answers() {
                [*client, last.epoch, last.seq, last.index]
                    .iter()
                    .for_each(|number| out.extend_from_slice(&number.to_be_bytes()));
                match self.defects().forgets_answers {
                    true => Applied::Done { version: last.index }.encode(out),
                    false => last.answer.encode(out),
                }
            }
        }
        out.extend_from_slice(&self.store().len().to_be_bytes());
        for entry in self.store().iter() {
            let ttl_ns = entry.ttl.map_or(0, |ttl| ttl.as_nanos().max(1));
            [entry.version, entry.created_at, ttl_ns]
                .iter()
                .for_each(|number| out.extend_from_slice(&number.to_be_bytes()));
            let key = entry.key.as_bytes();
            out.extend_from_slice(&(key.len() as u16).to_be_bytes());
            out.extend_from_slice(key);
            // What is damaged travels as nothing, which no client takes for a value.
            let value = self.store().open(entry).unwrap_or(Decoded::Kept(&[]));
            out.extend_from_slice(&(value.len() as u32).to_be_bytes());
            out.extend_from_slice(&value);
        }
    }

    /// Reads the whole state.
    ///
    /// # Errors
    /// When the bytes are not one, or hold more than `config` allows.
    pub fn decode(
        config: &Arc<StoreConfig>,
        defects: MachineDefects,
        bytes: &[u8],
    ) -> Result<Self, Malformed> {
        let mut cursor = Cursor::new(bytes);
        let mut machine = Self::new(Arc::clone(config), &[], defects);
        let (applied_index, digest) = (cursor.u64()?, cursor.u64()?);
        machine.stand_at(applied_index, digest);
        for _ in 0..cursor.u64()? {
            let client = cursor.u64()?;
            let (epoch, seq, index) = (cursor.u64()?, cursor.u64()?, cursor.u64()?);
            let answer = Applied::decode(&mut cursor)?;
            machine.remember(client, LastAnswer { epoch, seq, index, answer });
        }
        for _ in 0..cursor.u64()? {
            let (version, created_at, ttl_ns) = (cursor.u64()?, cursor.u64()?, cursor.u64()?);
            let key_len = cursor.u16()?;
            let key = cursor.bytes(u32::from(key_len))?;
            let value_len = cursor.u32()?;
            let value = cursor.bytes(value_len)?;
            let ttl = (ttl_ns > 0).then_some(Duration(ttl_ns));
            machine.hold(NewEntry { key, value, version, ttl, created_at })?;
        }
        cursor.end()?;
        Ok(machine)
    }
}

#[cfg(test)]
mod tests {
    use super::super::command::{Command, Write};
    use super::*;
    use crate::protocol::cache::eviction_order::Policy;
    use crate::protocol::cache::store::Limits;
    use crate::protocol::cache::value_codec::ValueCodec;
    use crate::protocol::session::Session;
    use catalog::Preload;
    use contract::Value;
    use proptest::prelude::*;

    const LIMITS: Limits = Limits { store_bytes_max: 100_000, value_bytes_max: 1_000 };

    fn config() -> Arc<StoreConfig> {
        let codec = ValueCodec::new(b"secret", true);
        Arc::new(StoreConfig { limits: LIMITS, codec, policy: Policy::Lru })
    }

    fn write(machine: &mut Machine, client: u64, seq: u64, key: u8, kind: u8) {
        let mut value = Vec::new();
        Value { id: seq, size_bytes: 8 + u32::from(kind) }.write_bytes(&mut value);
        let write = match kind % 4 {
            0 => Write::Delete,
            1 => Write::Cas { version: 0, expect: Some(seq / 2), value: &value },
            kind => {
                let ttl = (kind == 2).then_some(Duration(1_000 + seq));
                Write::Put { value: &value, ttl }
            }
        };
        let session = Session { client, epoch: 1 };
        let mut bytes = Vec::new();
        Command { session, seq, key: &[key], write }.encode(&mut bytes);
        let index = machine.applied_index() + 1;
        machine.apply(index, index * 10, &bytes);
    }

    proptest! {
        /// A replica that begins at a snapshot goes on exactly as one that applied everything.
        #[test]
        fn a_restored_machine_goes_on_like_the_first(
            steps in prop::collection::vec((0_u64..4, 0_u64..9, 0_u8..6, any::<u8>()), 0..60),
            at in any::<prop::sample::Index>(),
        ) {
            let preload = [Preload { key: 7, value: Value { id: 1, size_bytes: 9 }, ttl: None }];
            let mut first = Machine::new(config(), &preload, MachineDefects::default());
            let at = at.index(steps.len() + 1);
            let mut second = None;
            for (step, &(client, seq, key, kind)) in steps.iter().enumerate() {
                if step == at {
                    second = Some(restored(&first));
                }
                for machine in core::iter::once(&mut first).chain(&mut second) {
                    write(machine, client, seq, key, kind);
                }
            }
            let second = second.unwrap_or_else(|| restored(&first));
            prop_assert_eq!(first.digest(), second.digest());
            prop_assert_eq!(first.store().size_bytes(), second.store().size_bytes());
            prop_assert_eq!(first.store().first_ending(), second.store().first_ending());
            prop_assert_eq!(encoded(&first), encoded(&second));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let decoded = Machine::decode(&config(), MachineDefects::default(), &bytes);
            if let Ok(machine) = decoded {
                prop_assert!(machine.store().size_bytes() <= LIMITS.store_bytes_max);
            }
        }
    }

    fn encoded(machine: &Machine) -> Vec<u8> {
        let mut bytes = Vec::new();
        machine.encode(&mut bytes);
        bytes
    }

    fn restored(machine: &Machine) -> Machine {
        let bytes = encoded(machine);
        Machine::decode(&config(), MachineDefects::default(), &bytes).expect("it was just written")
    }

    #[test]
    fn the_defect_forgets_the_sessions() {
        let defects = MachineDefects { forgets_sessions: true, ..MachineDefects::default() };
        let mut machine = Machine::new(config(), &[], defects);
        write(&mut machine, 1, 1, 1, 3);
        assert_eq!((machine.sessions(), restored(&machine).sessions()), (1, 0));
    }
}
