//! One operation of a client, over all of its tries.

use super::super::command::{Applied, Command, Session, Write};
use super::super::wire::{self, Answer, Verb};
use alloc::vec::Vec;
use contract::{Call, OpId, Outcome, Ret, Value};

/// The operation in flight.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Which operation of the run it is.
    pub id: OpId,
    /// What was asked.
    pub call: Call,
    /// Its number in the session, the same for every try; 0 for a read.
    pub seq: u64,
    /// Tries so far.
    pub tries: u32,
    /// Redirects followed since the last wait.
    pub redirects: u32,
    /// The node of the current try, by index.
    pub target: u32,
    /// The request id of the first try; those of the others follow it.
    pub first_request: u64,
    /// The request id of the current try.
    pub request: u64,
    /// Whether the current try has been sent.
    pub sent: bool,
    /// Whether the current try is over, and the wait before the next runs.
    pub waits: bool,
    /// How many tries of a write were sent and not answered in a way that rules the write out.
    pub unresolved: u32,
}

impl Operation {
    /// Whether repeating it can change anything.
    #[must_use]
    pub const fn is_write(&self) -> bool {
        self.seq > 0
    }

    /// How it ends when nothing more comes: it failed only if no try can have been proposed.
    #[must_use]
    pub const fn outcome_at_end(&self) -> Outcome {
        if self.unresolved == 0 { Outcome::Fail } else { Outcome::Unknown }
    }
}

/// The verb with this name.
fn verb_of(name: &str) -> Option<Verb> {
    Verb::ALL.into_iter().find(|verb| verb.name() == name)
}

/// Whether a call is a write; `None` where Hyperion has no such operation.
#[must_use]
pub fn writes(call: &Call) -> Option<bool> {
    match call {
        Call::Get { .. } | Call::BatchGet { .. } => Some(false),
        Call::Admin { verb, .. } => verb_of(verb).map(|_| false),
        Call::Put { .. } | Call::Delete { .. } | Call::Cas { .. } => Some(true),
        _ => None,
    }
}

/// Appends the request of one try. `version_of` is the version that the client knows for a value.
pub fn encode(
    operation: &Operation,
    session: Session,
    version_of: impl Fn(u64) -> u64,
    out: &mut Vec<u8>,
) {
    let id = operation.request;
    let seq = operation.seq;
    // The bytes of a value are the rest of the request, so they are derived in place.
    let (key, write, value) = match &operation.call {
        Call::Get { key, read } => return wire::encode_get(id, *read, &key.to_be_bytes(), out),
        Call::BatchGet { keys, read } => {
            let keys: Vec<[u8; 8]> = keys.iter().map(|key| key.to_be_bytes()).collect();
            let keys = keys.iter().map(|key| &key[..]);
            return wire::encode_batch_get(id, *read, keys, out);
        }
        Call::Admin { verb, arg } => {
            let verb = verb_of(verb).expect("a call without a verb is not taken");
            return wire::encode_admin(id, verb, *arg, out);
        }
        Call::Put { key, value, ttl } => {
            let ttl = *ttl;
            (key, Write::Put { value: &[], ttl }, Some(value))
        }
        Call::Delete { key } => (key, Write::Delete, None),
        Call::Cas { key, expect, value } => {
            let cas = Write::Cas {
                version: expect.map_or(0, |expect| version_of(expect.id)),
                expect: expect.map(|expect| expect.id),
                value: &[],
            };
            (key, cas, Some(value))
        }
        other => unreachable!("a call that {} writes has a request", other.name()),
    };
    let command = Command { session, seq, key: &key.to_be_bytes(), write };
    wire::encode_write(id, &command, out);
    if let Some(value) = value {
        value.write_bytes(out);
    }
}

/// What a final answer to a read means; `None` when it is no answer to this call, or when a single
/// byte of a value is wrong.
#[must_use]
pub fn read_result(call: &Call, answer: &Answer<'_>) -> Option<Ret> {
    match (call, answer) {
        (Call::Get { .. }, Answer::Found { version, stale, value }) => {
            Some(Ret::Found { value: Value::from_bytes(value)?, version: *version, stale: *stale })
        }
        (Call::Get { .. }, Answer::Missing) => Some(Ret::Missing),
        (Call::Admin { .. }, Answer::Done { count }) => Some(Ret::Done { version: *count }),
        (Call::BatchGet { keys, .. }, Answer::Batch(values)) if values.len() == keys.len() => {
            let mut verified = Vec::with_capacity(values.len());
            for value in values {
                verified.push(match value {
                    Some(bytes) => Some(Value::from_bytes(bytes)?),
                    None => None,
                });
            }
            Some(Ret::Batch { values: verified })
        }
        _ => None,
    }
}

/// What a final answer to a write means; `None` when it is no answer to this call.
#[must_use]
pub const fn write_result(call: &Call, applied: Applied) -> Option<Ret> {
    match (call, applied) {
        (Call::Put { .. } | Call::Cas { .. }, Applied::Done { version }) => {
            Some(Ret::Done { version })
        }
        (Call::Delete { .. }, Applied::Deleted { previous }) => Some(Ret::Deleted { previous }),
        (Call::Cas { .. }, Applied::Conflict { seen }) => Some(Ret::Conflict { seen }),
        _ => None,
    }
}
