//! One operation of a client, over all of its tries.

use super::super::command::{Applied, Command, Write};
use super::super::wire::{Answer, ReadOptions, Request, Verb};
use crate::protocol::session::Session;
use crate::service::{Attempts, Verdict};
use alloc::vec::Vec;
use contract::{Call, Duration, Instant, OpId, Outcome, ReadLevel, Ret, Value};

/// The operation in flight.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Which operation of the run it is.
    pub id: OpId,
    /// What was asked.
    pub call: Call,
    /// Its number in the session, the same for every try; 0 for a read.
    pub seq: u64,
    /// When it was asked.
    pub since: Instant,
    /// Its tries.
    pub attempts: Attempts,
    /// What came so far of the answers to a batch-get, and to which request.
    pub stream: (u64, Vec<Option<Value>>),
}

impl Operation {
    /// Whether it asks one node how it is.
    #[must_use]
    pub fn is_health_check(&self) -> bool {
        matches!(self.call, Call::Admin { verb, .. } if verb == Verb::Health.name())
    }

    /// Takes the next answer of a stream to `request`: the result once it is whole.
    ///
    /// # Errors
    /// When it is no answer to this call, not the next, or a single byte of a value is wrong.
    pub fn take_item(
        &mut self,
        request: u64,
        position: u32,
        of: u32,
        value: Option<&[u8]>,
    ) -> Result<Option<Ret>, ()> {
        let Call::BatchGet { keys, .. } = &self.call else { return Err(()) };
        if of as usize != keys.len() {
            return Err(());
        }
        let (current, values) = &mut self.stream;
        if position == 0 && request >= *current {
            (*current, *values) = (request, Vec::with_capacity(keys.len()));
        }
        if request < *current {
            // Of a try that another one has overtaken.
            return Ok(None);
        }
        if request > *current || position as usize != values.len() {
            return Err(());
        }
        if of > 0 {
            values.push(value.map(|bytes| Value::from_bytes(bytes).ok_or(())).transpose()?);
        }
        let whole = values.len() == keys.len();
        Ok(whole.then(|| Ret::Batch { values: core::mem::take(values) }))
    }

    /// How it ends when nothing more comes.
    #[must_use]
    pub const fn outcome_at_end(&self) -> Outcome {
        match self.attempts.verdict() {
            Verdict::Fail => Outcome::Fail,
            Verdict::Unknown => Outcome::Unknown,
        }
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

/// Appends the request of one try. `reading` says how long a read may take, and whether the client
/// keeps what it reads where that may be stale; `version_of` is the version that it knows for a value.
pub fn encode(
    operation: &Operation,
    session: Session,
    reading: (Duration, bool),
    version_of: impl Fn(u64) -> u64,
    out: &mut Vec<u8>,
) {
    let id = operation.attempts.request();
    let seq = operation.seq;
    let options = |level: ReadLevel| ReadOptions {
        level,
        timeout: reading.0,
        watch: reading.1 && level == ReadLevel::Stale,
    };
    let mut bytes = Vec::new();
    let (key, write) = match &operation.call {
        Call::Get { key, read } => {
            let (options, key) = (options(*read), &key.to_be_bytes());
            return Request::Get { options, key }.encode(id, out);
        }
        Call::BatchGet { keys, read } => {
            let keys: Vec<[u8; 8]> = keys.iter().map(|key| key.to_be_bytes()).collect();
            let keys = keys.iter().map(|key| &key[..]).collect();
            let options = ReadOptions { watch: false, ..options(*read) };
            return Request::BatchGet { options, keys }.encode(id, out);
        }
        Call::Admin { verb, arg } => {
            let verb = verb_of(verb).expect("a call without a verb is not taken");
            return Request::Admin { verb, count: *arg }.encode(id, out);
        }
        Call::Put { key, value, ttl } => {
            value.write_bytes(&mut bytes);
            (key, Write::Put { value: &bytes, ttl: *ttl })
        }
        Call::Delete { key } => (key, Write::Delete),
        Call::Cas { key, expect, value } => {
            value.write_bytes(&mut bytes);
            let version = expect.map_or(0, |expect| version_of(expect.id));
            let expect = expect.map(|expect| expect.id);
            (key, Write::Cas { version, expect, value: &bytes })
        }
        other => unreachable!("a call that {} writes has a request", other.name()),
    };
    let key = &key.to_be_bytes();
    Request::Write(Command { session, seq, key, write }).encode(id, out);
}

/// What a final answer to a read means; `None` when it is no answer to this call, or when a single
/// byte of a value is wrong.
#[must_use]
pub fn read_result(call: &Call, answer: &Answer<'_>) -> Option<Ret> {
    match (call, answer) {
        (Call::Get { .. }, Answer::Found { version, stale, value, .. }) => {
            Some(Ret::Found { value: Value::from_bytes(value)?, version: *version, stale: *stale })
        }
        (Call::Get { .. }, Answer::Missing) => Some(Ret::Missing),
        (Call::Admin { .. }, Answer::Done { count }) => Some(Ret::Done { version: *count }),
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
