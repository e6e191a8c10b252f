//! What clients and cache nodes say to each other: one request or answer per frame.
//!
//! | message | source → target | meaning |
//! |---|---|---|
//! | get, batch-get | client → node | read keys, as fresh as the level asks |
//! | admin | operator → node | step down, evict, say how you are |
//! | hello | client → gateway | who the client is, and its token; not answered |
//! | write | client → node | a command for the log, with its session (raft-thesis §6.3) |
//! | found, missing, batch | node → client | what a read saw |
//! | applied | node → client | what a write did |
//! | not-leader | node → client | not proposed: ask the node of the hint |
//! | retry | node → client | the read could not be confirmed: ask again |
//! | unknown | node → client | the write is in the log of a deposed leader: it may yet commit |
//! | refused | node → client | it has no effect and never will |
//! | done | node → operator | how many entries it concerned |
//! | unavailable | node → client | the database did not answer: ask again later |
//!
//! A request starts with an id of the client's choice, which its answer repeats. All integers are
//! big-endian. Nodes are named by their index in the group.

use super::command::{Applied, Command, Refusal};
use crate::protocol::frame::{Cursor, Malformed};
use alloc::vec::Vec;
use contract::ReadLevel;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// Reads one key.
    Get {
        /// How fresh.
        level: ReadLevel,
        /// The key.
        key: &'a [u8],
    },
    /// Reads several keys at one moment.
    BatchGet {
        /// How fresh.
        level: ReadLevel,
        /// The keys, at most [`super::BATCH_KEYS_MAX`] of them where a node takes it.
        keys: Vec<&'a [u8]>,
    },
    /// Says who the client is. A cache node takes no notice: it trusts whoever reaches it.
    Hello {
        /// A hash of the client's name.
        client: u64,
        /// See [`super::auth`].
        token: &'a [u8],
    },
    /// What an operator asks for.
    Admin {
        /// The verb.
        verb: Verb,
        /// How many, for [`Verb::Evict`].
        count: u64,
    },
    /// Writes one key.
    Write {
        /// The command, for the log as it is.
        bytes: &'a [u8],
        /// The same, read.
        command: Command<'a>,
    },
}

/// What an operator can ask of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Hand leadership to another node (`/admin/raft/step-down`).
    StepDown,
    /// Evict so many entries (`/admin/cache/evict?count=`).
    Evict,
    /// Say whether this node serves, and how many entries it holds.
    Health,
}

impl Verb {
    /// All of them, in the order of their codes, which start at 0.
    pub const ALL: [Self; 3] = [Self::StepDown, Self::Evict, Self::Health];

    /// As in [`contract::Call::Admin`].
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::StepDown => "step-down",
            Self::Evict => "evict",
            Self::Health => "health",
        }
    }
}

/// What a node answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// A get saw this value.
    Found {
        /// The version of the entry.
        version: u64,
        /// Whether the node did not confirm that nothing newer is committed.
        stale: bool,
        /// The bytes of the value.
        value: &'a [u8],
    },
    /// A get saw nothing.
    Missing,
    /// A batch-get saw these values, in the order of its keys.
    Batch(Vec<Option<&'a [u8]>>),
    /// A write took effect as said.
    Applied(Applied),
    /// This node does not lead; certainly nothing was proposed.
    NotLeader {
        /// The index of the node that does, where it is known.
        hint: Option<u32>,
    },
    /// The read could not be confirmed.
    Retry,
    /// The write was proposed, and then leadership was lost.
    Unknown,
    /// The request has no effect and never will.
    Refused(Refusal),
    /// What an operator asked for was done, so often.
    Done {
        /// How many entries are to leave, or are held; 1 for a step down.
        count: u64,
    },
    /// The database did not answer, or too many wait for it: nothing happened, ask again later.
    Unavailable,
}

/// The bytes of the id at the start of every request and answer.
pub const ID_BYTES: usize = 8;

/// The absence of a hint.
const NO_HINT: u32 = u32::MAX;

/// Appends a get.
pub fn encode_get(id: u64, level: ReadLevel, key: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&id.to_be_bytes());
    out.push(1);
    out.push(level_code(level));
    out.extend_from_slice(key);
}

/// Appends a batch-get.
pub fn encode_batch_get<'a>(
    id: u64,
    level: ReadLevel,
    keys: impl ExactSizeIterator<Item = &'a [u8]>,
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(&id.to_be_bytes());
    out.push(2);
    out.push(level_code(level));
    let count = u16::try_from(keys.len()).expect("a sender keeps to the largest batch");
    out.extend_from_slice(&count.to_be_bytes());
    for key in keys {
        let key_len = u16::try_from(key.len()).expect("a sender keeps to the longest key");
        out.extend_from_slice(&key_len.to_be_bytes());
        out.extend_from_slice(key);
    }
}

/// Appends a hello.
pub fn encode_hello(client: u64, token: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&0_u64.to_be_bytes());
    out.push(4);
    out.extend_from_slice(&client.to_be_bytes());
    out.extend_from_slice(token);
}

/// Appends what an operator asks for.
pub fn encode_admin(id: u64, verb: Verb, count: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&id.to_be_bytes());
    out.push(5);
    out.push(verb as u8);
    out.extend_from_slice(&count.to_be_bytes());
}

/// Appends a write.
pub fn encode_write(id: u64, command: &Command<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(&id.to_be_bytes());
    out.push(3);
    command.encode(out);
}

/// Reads a request and its id.
///
/// # Errors
/// When the bytes are not one.
pub fn decode_request(bytes: &[u8]) -> Result<(u64, Request<'_>), Malformed> {
    let mut cursor = Cursor::new(bytes);
    let id = cursor.u64()?;
    let request = match cursor.u8()? {
        1 => Request::Get { level: decode_level(&mut cursor)?, key: cursor.rest() },
        2 => {
            let level = decode_level(&mut cursor)?;
            let count = cursor.u16()?;
            // Each key takes two bytes at least, so the count is checked by reading, and reserves
            // nothing that did not arrive.
            let mut keys = Vec::with_capacity(usize::from(count).min(bytes.len() / 2));
            for _ in 0..count {
                let key_len = cursor.u16()?;
                keys.push(cursor.bytes(u32::from(key_len))?);
            }
            cursor.end()?;
            Request::BatchGet { level, keys }
        }
        3 => {
            let bytes = cursor.rest();
            let command = Command::decode(bytes)?;
            Request::Write { bytes, command }
        }
        4 => Request::Hello { client: cursor.u64()?, token: cursor.rest() },
        5 => {
            let verb = Verb::ALL.get(usize::from(cursor.u8()?));
            let verb = *verb.ok_or(Malformed("there is no such verb"))?;
            let count = cursor.u64()?;
            cursor.end()?;
            Request::Admin { verb, count }
        }
        _ => return Err(Malformed("there is no such request")),
    };
    Ok((id, request))
}

const fn level_code(level: ReadLevel) -> u8 {
    match level {
        ReadLevel::Linearizable => 0,
        ReadLevel::Lease => 1,
        ReadLevel::Stale => 2,
    }
}

fn decode_level(cursor: &mut Cursor<'_>) -> Result<ReadLevel, Malformed> {
    match cursor.u8()? {
        0 => Ok(ReadLevel::Linearizable),
        1 => Ok(ReadLevel::Lease),
        2 => Ok(ReadLevel::Stale),
        _ => Err(Malformed("there is no such read level")),
    }
}

impl<'a> Answer<'a> {
    /// Appends the answer to the request with this id.
    pub fn encode(&self, id: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(&id.to_be_bytes());
        match self {
            Self::Found { version, stale, value } => {
                out.push(1);
                out.extend_from_slice(&version.to_be_bytes());
                out.push(u8::from(*stale));
                out.extend_from_slice(value);
            }
            Self::Missing => out.push(2),
            Self::Batch(values) => {
                out.push(3);
                let count = u16::try_from(values.len()).expect("as many as the request had keys");
                out.extend_from_slice(&count.to_be_bytes());
                for value in values {
                    out.push(u8::from(value.is_some()));
                    let value = value.unwrap_or_default();
                    let len_bytes = u32::try_from(value.len()).expect("values are bounded");
                    out.extend_from_slice(&len_bytes.to_be_bytes());
                    out.extend_from_slice(value);
                }
            }
            Self::Applied(applied) => {
                out.push(4);
                applied.encode(out);
            }
            Self::NotLeader { hint } => {
                out.push(5);
                out.extend_from_slice(&hint.unwrap_or(NO_HINT).to_be_bytes());
            }
            Self::Retry => out.push(6),
            Self::Unknown => out.push(7),
            Self::Refused(refusal) => {
                out.push(8);
                refusal.encode(out);
            }
            Self::Unavailable => out.push(9),
            Self::Done { count } => {
                out.push(10);
                out.extend_from_slice(&count.to_be_bytes());
            }
        }
    }

    /// Reads an answer and the id of its request.
    ///
    /// # Errors
    /// When the bytes are not one.
    pub fn decode(bytes: &'a [u8]) -> Result<(u64, Self), Malformed> {
        let mut cursor = Cursor::new(bytes);
        let id = cursor.u64()?;
        let answer = match cursor.u8()? {
            1 => {
                let version = cursor.u64()?;
                let stale = decode_flag(&mut cursor)?;
                let value = cursor.rest();
                return Ok((id, Self::Found { version, stale, value }));
            }
            2 => Self::Missing,
            3 => Self::Batch(decode_values(&mut cursor)?),
            4 => Self::Applied(Applied::decode(&mut cursor)?),
            5 => {
                let hint = cursor.u32()?;
                Self::NotLeader { hint: (hint != NO_HINT).then_some(hint) }
            }
            6 => Self::Retry,
            7 => Self::Unknown,
            8 => Self::Refused(Refusal::decode(&mut cursor)?),
            9 => Self::Unavailable,
            10 => Self::Done { count: cursor.u64()? },
            _ => return Err(Malformed("there is no such answer")),
        };
        cursor.end()?;
        Ok((id, answer))
    }
}

fn decode_flag(cursor: &mut Cursor<'_>) -> Result<bool, Malformed> {
    match cursor.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Malformed("a flag is 0 or 1")),
    }
}

fn decode_values<'a>(cursor: &mut Cursor<'a>) -> Result<Vec<Option<&'a [u8]>>, Malformed> {
    let count = cursor.u16()?;
    let mut values = Vec::new();
    for _ in 0..count {
        let present = decode_flag(cursor)?;
        let len_bytes = cursor.u32()?;
        let value = cursor.bytes(len_bytes)?;
        if !present && len_bytes > 0 {
            return Err(Malformed("what is absent has no bytes"));
        }
        values.push(present.then_some(value));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::super::command::{Session, Write, tests::applied};
    use super::*;
    use proptest::prelude::*;

    fn level() -> impl Strategy<Value = ReadLevel> {
        prop_oneof![Just(ReadLevel::Linearizable), Just(ReadLevel::Lease), Just(ReadLevel::Stale),]
    }

    fn check_answer(id: u64, answer: &Answer<'_>) {
        let mut bytes = Vec::new();
        answer.encode(id, &mut bytes);
        assert_eq!(Answer::decode(&bytes), Ok((id, answer.clone())));
    }

    #[test]
    fn plain_answers_round_trip() {
        for answer in [
            Answer::Missing,
            Answer::Retry,
            Answer::Unknown,
            Answer::Unavailable,
            Answer::Done { count: 9 },
            Answer::NotLeader { hint: None },
            Answer::NotLeader { hint: Some(4) },
            Answer::Refused(Refusal::Damaged),
        ] {
            check_answer(7, &answer);
        }
    }

    #[test]
    fn a_write_is_proposed_in_the_bytes_that_arrived() {
        let command = Command {
            session: Session { client: 1, epoch: 2 },
            seq: 3,
            key: b"key",
            write: Write::Delete,
        };
        let (mut request, mut plain) = (Vec::new(), Vec::new());
        encode_write(9, &command, &mut request);
        command.encode(&mut plain);
        let bytes = &plain[..];
        assert_eq!(decode_request(&request), Ok((9, Request::Write { bytes, command })));
    }

    proptest! {
        #[test]
        fn reads_round_trip(
            id in any::<u64>(),
            level in level(),
            keys in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..8),
        ) {
            let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
            let mut bytes = Vec::new();
            encode_batch_get(id, level, keys.iter().copied(), &mut bytes);
            let request = Request::BatchGet { level, keys: keys.clone() };
            prop_assert_eq!(decode_request(&bytes), Ok((id, request)));
            for key in keys {
                bytes.clear();
                encode_get(id, level, key, &mut bytes);
                prop_assert_eq!(decode_request(&bytes), Ok((id, Request::Get { level, key })));
            }
        }

        #[test]
        fn answers_round_trip(
            id in any::<u64>(),
            version in any::<u64>(),
            stale in any::<bool>(),
            values in prop::collection::vec(
                prop::option::of(prop::collection::vec(any::<u8>(), 0..20)), 0..6),
            applied in applied(),
        ) {
            for value in values.iter().flatten() {
                check_answer(id, &Answer::Found { version, stale, value });
            }
            let values = values.iter().map(|value| value.as_deref()).collect();
            check_answer(id, &Answer::Batch(values));
            check_answer(id, &Answer::Applied(applied));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
            let _ = decode_request(&bytes);
            if let Ok((id, answer)) = Answer::decode(&bytes) {
                let mut again = Vec::new();
                answer.encode(id, &mut again);
                prop_assert_eq!(again, bytes);
            }
        }
    }
}
