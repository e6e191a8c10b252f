//! Frames that come back as they were, and those that are refused.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

fn id() -> impl Strategy<Value = LogId> {
    (any::<u64>(), any::<u64>()).prop_map(|(term, index)| LogId { term, index })
}

fn body() -> impl Strategy<Value = Body<'static>> {
    let pair = || (any::<bool>(), any::<u64>());
    prop_oneof![
        id().prop_map(|last| Body::PreVote { last }),
        pair().prop_map(|(granted, time)| Body::PreVoteResponse { granted, time }),
        (id(), any::<bool>()).prop_map(|(last, transfer)| Body::Vote { last, transfer }),
        pair().prop_map(|(granted, time)| Body::VoteResponse { granted, time }),
        any::<u64>().prop_map(|matched| Body::AppendAccepted { matched }),
        (any::<u64>(), id()).prop_map(|(rejected, hint)| Body::AppendRejected { rejected, hint }),
        any::<[u64; 3]>().prop_map(|[round, commit, time]| Body::Heartbeat { round, commit, time }),
        any::<[u64; 2]>()
            .prop_map(|[round, last_index]| Body::HeartbeatResponse { round, last_index }),
        id().prop_map(|last| Body::TimeoutNow { last }),
        snapshot_body(),
    ]
}

fn snapshot_body() -> impl Strategy<Value = Body<'static>> {
    prop_oneof![
        (id(), members(), any::<[u64; 2]>()).prop_map(|(id, members, [time, offset])| {
            let id = LogId { index: id.index / 2, ..id };
            let bytes = b"a part of a state";
            let (total, checksum) = (u64::MAX, time as u32);
            let offset = offset / 2;
            let members_since = id.index / 2;
            Body::Snapshot(Part {
                id,
                time,
                members,
                members_since,
                total,
                checksum,
                offset,
                bytes,
            })
        }),
        (id(), any::<[u64; 2]>()).prop_map(|(id, [offset, received])| {
            Body::SnapshotReceived { id, offset, received }
        }),
    ]
}

fn members() -> impl Strategy<Value = Members> {
    let sets = (1_u32..16, 0_u32..16, 0_u32..4, any::<bool>());
    sets.prop_map(|(voters, outgoing, learners, auto_leave)| Members {
        voters: PeerSet::from_bits(voters),
        outgoing: PeerSet::from_bits(outgoing),
        learners: PeerSet::from_bits(learners << 8),
        learners_next: PeerSet::from_bits(outgoing & !voters),
        auto_leave: auto_leave && outgoing > 0,
    })
}

fn payload() -> impl Strategy<Value = Payload> {
    let command = vec(any::<u8>(), 0..40);
    prop_oneof![
        Just(Payload::Noop),
        command.prop_map(|bytes| Payload::Command(bytes.into())),
        members().prop_map(Payload::Members),
    ]
}

fn entries(first: u64) -> impl Strategy<Value = Vec<Entry>> {
    let fields = vec((any::<u64>(), any::<u64>(), payload()), 0..6);
    fields.prop_map(move |fields| {
        let entry = |((term, time, payload), index)| Entry { term, index, time, payload };
        fields.into_iter().zip(first..).map(entry).collect()
    })
}

proptest! {
    #[test]
    fn what_is_decoded_is_what_was_encoded(term: u64, body in body()) {
        let message = Message { term, body };
        let mut frame = Vec::new();
        message.encode(&mut frame);
        prop_assert_eq!(decode(&frame), Ok(message));
    }

    #[test]
    fn appends_carry_their_entries(
        term: u64,
        previous_term: u64,
        commit: u64,
        time: u64,
        sent in entries(8),
    ) {
        let previous = LogId { term: previous_term, index: 7 };
        let count = sent.len() as u32;
        let mut frame = Vec::new();
        encode_append(&mut frame, term, previous, commit, time, sent.iter(), count);
        let message = decode(&frame).unwrap();
        let mut again = Vec::new();
        message.encode(&mut again);
        prop_assert_eq!(&again, &frame);
        let Body::Append { entries, previous: got, .. } = message.body else {
            panic!("an append was sent");
        };
        prop_assert_eq!(got, previous);
        prop_assert_eq!(entries.iter().collect::<Vec<_>>(), sent);
    }

    #[test]
    fn one_flipped_bit_is_refused(term: u64, body in body(), at: prop::sample::Index, bit in 0..8) {
        let mut frame = Vec::new();
        Message { term, body }.encode(&mut frame);
        let at = at.index(frame.len());
        frame[at] ^= 1_u8 << bit;
        prop_assert_eq!(decode(&frame), Err(DecodeError::Checksum));
    }

    #[test]
    fn nothing_makes_decoding_panic(bytes in vec(any::<u8>(), 0..120), is_signed: bool) {
        let mut signed = bytes;
        if is_signed {
            let checksum = crc32c(&[&signed]);
            signed.extend_from_slice(&checksum.to_be_bytes());
        }
        if let Ok(message) = decode(&signed) {
            let mut again = Vec::new();
            message.encode(&mut again);
            prop_assert_eq!(again, signed);
        }
    }

    #[test]
    fn entries_that_end_too_early_are_refused(sent in entries(1), cut in 1..20_usize) {
        prop_assume!(!sent.is_empty());
        let mut frame = Vec::new();
        let count = sent.len() as u32;
        encode_append(&mut frame, 1, LogId::default(), 0, 0, sent.iter(), count);
        frame.truncate(frame.len() - CHECKSUM_BYTES - cut.min(13));
        let checksum = crc32c(&[&frame]);
        frame.extend_from_slice(&checksum.to_be_bytes());
        prop_assert!(decode(&frame).is_err());
    }
}
