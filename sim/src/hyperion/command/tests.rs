//! Commands and answers survive their bytes.

use super::*;
use crate::protocol::cache::StoreError;
use alloc::vec;
use contract::Value;
use proptest::prelude::*;

fn check(command: &Command<'_>) {
    let mut bytes = Vec::new();
    command.encode(&mut bytes);
    assert_eq!(Command::decode(&bytes).as_ref(), Ok(command));
}

pub fn applied() -> impl Strategy<Value = Applied> {
    let value = || {
        prop::option::of((any::<u64>(), any::<u32>()))
            .prop_map(|value| value.map(|(id, size_bytes)| Value { id, size_bytes }))
    };
    let refusal = prop_oneof![
        (any::<u64>(), any::<u64>())
            .prop_map(|(size, max)| StoreError::KeyTooLarge { size, max }.into()),
        (any::<u64>(), any::<u64>()).prop_map(|(size, max)| StoreError::ValueTooLarge {
            size,
            max
        }
        .into()),
        (any::<u64>(), any::<u64>()).prop_map(|(current, max)| StoreError::StoreFull {
            current,
            max
        }
        .into()),
        (any::<u64>(), any::<u64>()).prop_map(|(size, max)| Refusal::BatchTooLarge { size, max }),
        (any::<u64>(), any::<u64>()).prop_map(|(size, max)| Refusal::TtlTooLong { size, max }),
        (any::<u64>(), any::<u64>()).prop_map(|(size, max)| Refusal::SessionsFull { size, max }),
        Just(Refusal::DAMAGED),
        Just(Refusal::MALFORMED),
        Just(Refusal::SessionOver),
        Just(Refusal::Aborted),
        Just(Refusal::Unauthenticated),
        (any::<u64>(), any::<u64>())
            .prop_map(|(retry_after_ms, max)| Refusal::RateLimited { retry_after_ms, max }),
    ];
    prop_oneof![
        any::<u64>().prop_map(|version| Applied::Done { version }),
        value().prop_map(|previous| Applied::Deleted { previous }),
        value().prop_map(|seen| Applied::Conflict { seen }),
        refusal.prop_map(Applied::Refused),
    ]
}

proptest! {
    #[test]
    fn commands_round_trip(
        client in any::<u64>(),
        epoch in any::<u64>(),
        seq in any::<u64>(),
        key in prop::collection::vec(any::<u8>(), 0..20),
        value in prop::collection::vec(any::<u8>(), 0..40),
        ttl in prop::option::of(1..u64::MAX),
        version in any::<u64>(),
        expect in prop::option::of(any::<u64>()),
    ) {
        let session = Session { client, epoch };
        let value = &value[..];
        let ttl = ttl.map(Duration);
        let mut entries = Vec::new();
        push_version(&key, version, &mut entries);
        push_version(b"", 7, &mut entries);
        let entries = Versions::decode(&entries).unwrap();
        prop_assert!(entries.iter().eq([(&key[..], version), (&b""[..], 7)]));
        for write in [
            Write::Put { value, ttl },
            Write::Delete,
            Write::Cas { version, expect, value },
            Write::Drop { reason: DropReason::Lru, entries },
            Write::Fill { value, ttl, overwrites: version % 2 == 0 },
        ] {
            check(&Command { session, seq, key: &key, write });
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(command) = Command::decode(&bytes) {
            let mut again = Vec::new();
            command.encode(&mut again);
            prop_assert_eq!(again, bytes);
        }
    }
}
