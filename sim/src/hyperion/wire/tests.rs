//! Messages round trip, and bytes that are none are refused.

use super::super::command::Write;
use super::super::command::tests::applied;
use super::*;
use crate::protocol::session::Session;
use proptest::prelude::*;

fn level() -> impl Strategy<Value = ReadLevel> {
    prop_oneof![Just(ReadLevel::Linearizable), Just(ReadLevel::Lease), Just(ReadLevel::Stale)]
}

fn check_request(id: u64, request: &Request<'_>) {
    let mut bytes = Vec::new();
    request.encode(id, &mut bytes);
    let asked = RequestFrame::decode(&bytes).unwrap();
    assert_eq!((asked.id(), asked.view()), (id, request.clone()));
}

fn check_answer(id: u64, answer: &Answer<'_>) {
    let mut bytes = Vec::new();
    answer.encode(id, &mut bytes);
    let said = ResponseFrame::decode(&bytes).unwrap();
    assert_eq!((said.id(), said.view()), (id, answer.clone()));
}

#[test]
fn plain_messages_round_trip() {
    for answer in [
        Answer::Missing,
        Answer::Retry,
        Answer::Unknown,
        Answer::Unavailable,
        Answer::Done { count: 9 },
        Answer::NotLeader { hint: None },
        Answer::NotLeader { hint: Some(0) },
        Answer::Refused(Refusal::DAMAGED),
        Answer::Item { position: 0, of: 0, value: None },
        Answer::Invalidate { key: None, version: 0 },
        Answer::Invalidate { key: Some(b""), version: 3 },
    ] {
        check_answer(7, &answer);
    }
    for verb in Verb::ALL {
        check_request(8, &Request::Admin { verb, count: 3 });
    }
    check_request(0, &Request::Hello { client: 5, token: b"token", certificate: b"" });
    check_request(0, &Request::Hello { client: 5, token: b"", certificate: b"certificate" });
}

/// The fields 1 to 4 of the original, byte by byte, so that other implementations can be met.
#[test]
fn a_get_is_the_get_of_the_original_in_its_envelope() {
    let options =
        ReadOptions { level: ReadLevel::Stale, timeout: Duration::from_millis(100), watch: false };
    let mut bytes = Vec::new();
    Request::Get { options, key: b"k" }.encode(9, &mut bytes);
    let get = [0x0a, 1, b'k', 0x10, 1, 0x18, 100];
    let envelope = [&[0x08, 9, 0x12, get.len() as u8][..], &get].concat();
    assert_eq!(bytes, envelope);
    bytes.clear();
    let hint = Duration::ZERO;
    Answer::Found { version: 2, stale: true, hint, value: b"v" }.encode(9, &mut bytes);
    let get = [0x0a, 1, b'v', 0x10, 2, 0x18, 1];
    assert_eq!(bytes, [&[0x08, 9, 0x12, get.len() as u8][..], &get].concat());
}

#[test]
fn a_time_that_is_not_given_is_the_default() {
    let asked = RequestFrame::decode(&[0x08, 1, 0x12, 3, 0x0a, 1, b'k']).unwrap();
    let Request::Get { options, .. } = asked.view() else { panic!("it is a get") };
    assert_eq!(options.timeout, TIMEOUT_DEFAULT);
}

#[test]
fn what_asks_for_nothing_is_refused() {
    assert!(RequestFrame::decode(&[]).is_err());
    assert!(ResponseFrame::decode(&[0x08, 1]).is_err());
    // Stale and by lease at once; a status that there is not; a part beyond its stream.
    assert!(RequestFrame::decode(&[0x08, 1, 0x12, 4, 0x10, 1, 0x20, 1]).is_err());
    assert!(ResponseFrame::decode(&[0x08, 1, 0x12, 2, 0x20, 9]).is_err());
    assert!(ResponseFrame::decode(&[0x08, 1, 0x12, 6, 0x32, 4, 0x08, 2, 0x10, 1]).is_err());
}

proptest! {
    #[test]
    fn reads_round_trip(
        id in any::<u64>(),
        level in level(),
        timeout_ms in 1_u64..100_000,
        keys in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..8),
    ) {
        let timeout = Duration::from_millis(timeout_ms);
        let options = ReadOptions { level, timeout, watch: false };
        let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
        check_request(id, &Request::BatchGet { options, keys: keys.clone() });
        for key in keys {
            let options = ReadOptions { watch: key.len() % 2 == 0, ..options };
            check_request(id, &Request::Get { options, key });
        }
    }

    #[test]
    fn writes_round_trip(
        id in any::<u64>(),
        client in any::<u64>(),
        seq in any::<u64>(),
        key in prop::collection::vec(any::<u8>(), 0..20),
        value in prop::collection::vec(any::<u8>(), 0..40),
        ttl in prop::option::of(1..u64::MAX),
        version in any::<u64>(),
        expect in prop::option::of(any::<u64>()),
    ) {
        let session = Session { client, epoch: version };
        let value = &value[..];
        for write in [
            Write::Put { value, ttl: ttl.map(Duration) },
            Write::Delete,
            Write::Cas { version, expect, value },
        ] {
            check_request(id, &Request::Write(Command { session, seq, key: &key, write }));
        }
    }

    #[test]
    fn answers_round_trip(
        id in any::<u64>(),
        version in any::<u64>(),
        stale in any::<bool>(),
        hint in any::<u64>(),
        value in prop::collection::vec(any::<u8>(), 0..20),
        applied in applied(),
    ) {
        check_answer(id, &Answer::Found { version, stale, hint: Duration(hint), value: &value });
        check_answer(id, &Answer::Item { position: 2, of: 3, value: Some(&value) });
        check_answer(id, &Answer::Item { position: 0, of: 3, value: None });
        check_answer(id, &Answer::Invalidate { key: Some(&value), version });
        check_answer(id, &Answer::Applied(applied));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        if let Ok(asked) = RequestFrame::decode(&bytes) {
            check_request(asked.id(), &asked.view());
        }
        if let Ok(said) = ResponseFrame::decode(&bytes) {
            check_answer(said.id(), &said.view());
        }
    }
}
