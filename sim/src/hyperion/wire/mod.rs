//! What clients and cache nodes say to each other: one message per frame, in Protocol Buffers.
//!
//! | message | source → target | meaning |
//! |---|---|---|
//! | get, batch-get | client → node | read keys, as fresh as the level asks, within a time |
//! | set, delete, compare-and-set | client → node | a write, with its session (raft-thesis §6.3) |
//! | admin | operator → node | step down, evict, say how you are |
//! | hello | client → gateway | who the client is, and its token; not answered |
//! | found, missing | node → client | what a get saw |
//! | item | node → client | what a batch-get saw of one of its keys; a stream, in order |
//! | applied | node → client | what a write did |
//! | not-leader | node → client | not proposed: ask the node of the hint |
//! | retry | node → client | the read could not be confirmed: ask again |
//! | unknown | node → client | the write is in the log of a deposed leader: it may yet commit |
//! | refused | node → client | it has no effect and never will |
//! | done | node → operator | how many entries it concerned |
//! | unavailable | node → client | the database did not answer: ask again later |
//! | invalidate | node → client | a key was written that the client may keep; answers nothing |
//!
//! A request starts with an id of the client's choice, which its answers repeat. Nodes are named by
//! their index in the group. [`messages`] has the fields; here are the types that nodes work with,
//! which borrow from a message that arrived ([`Asked`], [`Said`]).

pub mod messages;

use super::command::{Applied, Command, Refusal, Session, Write};
use crate::protocol::frame::Malformed;
use alloc::string::ToString;
use alloc::vec::Vec;
use contract::{Duration, ReadLevel, Value};
use messages as pb;
use pb::{CacheStatus, Failure, RequestBody, ResponseBody};
use prost::Message;

/// How long a read may take where its request does not say (`DEFAULT_TIMEOUT_MS`).
pub const TIMEOUT_DEFAULT: Duration = Duration::from_millis(100);

/// How fresh a read must be, and how soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// How fresh.
    pub level: ReadLevel,
    /// How long its client waits for the answer, in whole milliseconds.
    pub timeout: Duration,
    /// Whether the client wants to keep what it reads, and to be told when that is over.
    pub watch: bool,
}

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// Reads one key.
    Get {
        /// How.
        options: ReadOptions,
        /// The key.
        key: &'a [u8],
    },
    /// Reads several keys at one moment.
    BatchGet {
        /// How.
        options: ReadOptions,
        /// The keys, at most [`super::BATCH_KEYS_MAX`] of them where a node takes it.
        keys: Vec<&'a [u8]>,
    },
    /// Says who opened the connection. What it proves it by is empty where it does not.
    Hello {
        /// A hash of its name.
        client: u64,
        /// See [`super::auth`].
        token: &'a [u8],
        /// See [`super::certificate`].
        certificate: &'a [u8],
    },
    /// What an operator asks for.
    Admin {
        /// The verb.
        verb: Verb,
        /// How many, for [`Verb::Evict`].
        count: u64,
    },
    /// Writes one key: a put, a delete or a compare-and-set.
    Write(Command<'a>),
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
        /// Whether the node did not confirm that nothing newer is committed, or the entry is over.
        stale: bool,
        /// How long the client may keep it; zero for not at all.
        hint: Duration,
        /// The bytes of the value.
        value: &'a [u8],
    },
    /// A get saw nothing.
    Missing,
    /// A batch-get saw this of one of its keys.
    Item {
        /// Which key, from 0; they come in order.
        position: u32,
        /// How many there are. One item answers a request without keys.
        of: u32,
        /// What it holds.
        value: Option<&'a [u8]>,
    },
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
    /// What the client keeps of a key is over. Its id is 0.
    Invalidate {
        /// The key; every key where it is absent.
        key: Option<&'a [u8]>,
        /// The version that took its place, or under which it left.
        version: u64,
    },
}

impl Answer<'_> {
    /// Whether more answers to the same request follow.
    #[must_use]
    pub const fn is_partial(&self) -> bool {
        matches!(self, Self::Item { position, of, .. } if *position + 1 < *of)
    }
}

/// A request that arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked(pb::Request);

impl Asked {
    /// Reads a request.
    ///
    /// # Errors
    /// When the bytes are not one.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let message = pb::Request::decode(bytes).map_err(|_| Malformed("it is no request"))?;
        request_of(&message)?;
        Ok(Self(message))
    }

    /// The id that its client gave it.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.0.id
    }

    /// What it asks for.
    #[must_use]
    pub fn request(&self) -> Request<'_> {
        request_of(&self.0).expect("it was read when it arrived")
    }

    /// How long it is, in bytes.
    #[must_use]
    pub fn len_bytes(&self) -> u64 {
        self.0.encoded_len() as u64
    }

    /// Appends it again, under another id.
    pub fn pass_on(&mut self, id: u64, out: &mut Vec<u8>) {
        self.0.id = id;
        put(&self.0, out);
    }
}

/// An answer that arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct Said(pb::Response);

impl Said {
    /// Reads an answer.
    ///
    /// # Errors
    /// When the bytes are not one.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let message = pb::Response::decode(bytes).map_err(|_| Malformed("it is no answer"))?;
        answer_of(&message)?;
        Ok(Self(message))
    }

    /// The id of its request.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.0.id
    }

    /// What it says.
    #[must_use]
    pub fn answer(&self) -> Answer<'_> {
        answer_of(&self.0).expect("it was read when it arrived")
    }
}

impl Request<'_> {
    /// Appends the request under this id.
    pub fn encode(&self, id: u64, out: &mut Vec<u8>) {
        let body = match self {
            Self::Get { options, key } => RequestBody::Get(pb::GetRequest {
                key: key.to_vec(),
                allow_stale: options.level == ReadLevel::Stale,
                timeout_ms: timeout_ms(options.timeout),
                lease: options.level == ReadLevel::Lease,
                watch: options.watch,
            }),
            Self::BatchGet { options, keys } => RequestBody::BatchGet(pb::BatchGetRequest {
                keys: keys.iter().map(|key| key.to_vec()).collect(),
                allow_stale: options.level == ReadLevel::Stale,
                timeout_ms: timeout_ms(options.timeout),
                lease: options.level == ReadLevel::Lease,
            }),
            Self::Hello { client, token, certificate } => {
                let (token, certificate) = (token.to_vec(), certificate.to_vec());
                RequestBody::Hello(pb::Hello { client: *client, token, certificate })
            }
            Self::Admin { verb, count } => {
                let verb = verb.name().to_string();
                RequestBody::Admin(pb::AdminRequest { verb, count: *count })
            }
            Self::Write(command) => write_body(command),
        };
        put(&pb::Request { id, body: Some(body) }, out);
    }
}

fn put(message: &impl Message, out: &mut Vec<u8>) {
    message.encode(out).expect("a vector takes every message");
}

fn timeout_ms(timeout: Duration) -> u32 {
    let whole = timeout.as_nanos().div_ceil(1_000_000);
    u32::try_from(whole).unwrap_or(u32::MAX)
}

fn write_body(command: &Command<'_>) -> RequestBody {
    let Session { client, epoch } = command.session;
    let session = pb::Session { client, epoch, seq: command.seq };
    let key = command.key.to_vec();
    match command.write {
        Write::Put { value, ttl } => {
            let ttl_ns = ttl.map_or(0, |ttl| ttl.as_nanos().max(1));
            RequestBody::Set(pb::SetRequest { key, value: value.to_vec(), ttl_ns, session })
        }
        Write::Delete => RequestBody::Delete(pb::DeleteRequest { key, session }),
        Write::Cas { version, expect, value } => {
            let value = value.to_vec();
            RequestBody::Cas(pb::CasRequest { key, value, version, expect, session })
        }
        Write::Fill { .. } | Write::Drop { .. } => {
            unreachable!("what leaders decide does not come from clients")
        }
    }
}

fn request_of(message: &pb::Request) -> Result<Request<'_>, Malformed> {
    let body = message.body.as_ref().ok_or(Malformed("it asks for nothing"))?;
    Ok(match body {
        RequestBody::Get(get) => Request::Get {
            options: options(get.allow_stale, get.lease, get.timeout_ms, get.watch)?,
            key: &get.key,
        },
        RequestBody::BatchGet(get) => Request::BatchGet {
            options: options(get.allow_stale, get.lease, get.timeout_ms, false)?,
            keys: get.keys.iter().map(Vec::as_slice).collect(),
        },
        RequestBody::Hello(pb::Hello { client, token, certificate }) => {
            Request::Hello { client: *client, token, certificate }
        }
        RequestBody::Admin(admin) => {
            let verb = Verb::ALL.into_iter().find(|verb| verb.name() == admin.verb);
            let verb = verb.ok_or(Malformed("there is no such verb"))?;
            Request::Admin { verb, count: admin.count }
        }
        RequestBody::Set(set) => {
            let ttl = (set.ttl_ns > 0).then_some(Duration(set.ttl_ns));
            command(&set.key, &set.session, Write::Put { value: &set.value, ttl })?
        }
        RequestBody::Delete(delete) => command(&delete.key, &delete.session, Write::Delete)?,
        RequestBody::Cas(cas) => {
            let (version, expect) = (cas.version, cas.expect);
            let write = Write::Cas { version, expect, value: &cas.value };
            command(&cas.key, &cas.session, write)?
        }
    })
}

fn options(
    stale: bool,
    lease: bool,
    timeout_ms: u32,
    watch: bool,
) -> Result<ReadOptions, Malformed> {
    let level = match (stale, lease) {
        (false, false) => ReadLevel::Linearizable,
        (false, true) => ReadLevel::Lease,
        (true, false) => ReadLevel::Stale,
        (true, true) => return Err(Malformed("a read is stale or by lease")),
    };
    let timeout = match timeout_ms {
        0 => TIMEOUT_DEFAULT,
        timeout_ms => Duration::from_millis(u64::from(timeout_ms)),
    };
    Ok(ReadOptions { level, timeout, watch })
}

fn command<'a>(
    key: &'a [u8],
    session: &pb::Session,
    write: Write<'a>,
) -> Result<Request<'a>, Malformed> {
    if key.len() > usize::from(u16::MAX) {
        // A log entry has two bytes for it; what is merely too long is refused by name.
        return Err(Malformed("no key is that long"));
    }
    let &pb::Session { client, epoch, seq } = session;
    Ok(Request::Write(Command { session: Session { client, epoch }, seq, key, write }))
}

impl Answer<'_> {
    /// Appends the answer to the request with this id.
    pub fn encode(&self, id: u64, out: &mut Vec<u8>) {
        let body = match self {
            Self::Found { version, stale, hint, value } => ResponseBody::Get(pb::GetResponse {
                value: value.to_vec(),
                version: *version,
                is_stale: *stale,
                status: CacheStatus::Hit as i32,
                ttl_hint_ns: hint.as_nanos(),
                part: None,
            }),
            Self::Missing => {
                let status = CacheStatus::Miss as i32;
                ResponseBody::Get(pb::GetResponse { status, ..Default::default() })
            }
            Self::Item { position, of, value } => ResponseBody::Get(pb::GetResponse {
                value: value.map(<[u8]>::to_vec).unwrap_or_default(),
                status: match value {
                    Some(_) => CacheStatus::Hit as i32,
                    None => CacheStatus::Miss as i32,
                },
                part: Some(pb::Part { position: *position, of: *of }),
                ..Default::default()
            }),
            Self::Applied(applied) => applied_body(*applied),
            Self::NotLeader { hint } => ResponseBody::NotLeader(pb::NotLeader { hint: *hint }),
            Self::Retry => ResponseBody::Failed(Failure::Retry as i32),
            Self::Unknown => ResponseBody::Failed(Failure::Unknown as i32),
            Self::Unavailable => ResponseBody::Failed(Failure::Unavailable as i32),
            Self::Refused(refusal) => ResponseBody::Refused(refused(*refusal, false)),
            Self::Done { count } => ResponseBody::AdminCount(*count),
            Self::Invalidate { key, version } => ResponseBody::Invalidate(pb::Invalidate {
                key: key.map(<[u8]>::to_vec).unwrap_or_default(),
                version: *version,
                everything: key.is_none(),
            }),
        };
        put(&pb::Response { id, body: Some(body) }, out);
    }
}

fn applied_body(applied: Applied) -> ResponseBody {
    match applied {
        Applied::Done { version } => ResponseBody::SetVersion(version),
        Applied::Deleted { previous } => ResponseBody::Deleted(held(previous)),
        Applied::Conflict { seen } => ResponseBody::Conflict(held(seen)),
        Applied::Refused(refusal) => ResponseBody::Refused(refused(refusal, true)),
    }
}

fn held(value: Option<Value>) -> pb::Held {
    let identity = |Value { id, size_bytes }| pb::Value { id, size_bytes };
    pb::Held { value: value.map(identity) }
}

fn held_of(held: &pb::Held) -> Option<Value> {
    held.value.map(|pb::Value { id, size_bytes }| Value { id, size_bytes })
}

fn refused(refusal: Refusal, logged: bool) -> pb::Refused {
    let (code, size, max) = refusal.parts();
    pb::Refused { code: u32::from(code), size, max, logged }
}

fn answer_of(message: &pb::Response) -> Result<Answer<'_>, Malformed> {
    let body = message.body.as_ref().ok_or(Malformed("it answers nothing"))?;
    Ok(match body {
        ResponseBody::Get(get) => get_answer(get)?,
        ResponseBody::SetVersion(version) => Answer::Applied(Applied::Done { version: *version }),
        ResponseBody::Deleted(held) => {
            Answer::Applied(Applied::Deleted { previous: held_of(held) })
        }
        ResponseBody::Conflict(held) => Answer::Applied(Applied::Conflict { seen: held_of(held) }),
        ResponseBody::Refused(refused) => {
            let code = u8::try_from(refused.code).map_err(|_| Malformed("no such refusal"))?;
            let refusal = Refusal::from_parts(code, refused.size, refused.max)?;
            match refused.logged {
                true => Answer::Applied(Applied::Refused(refusal)),
                false => Answer::Refused(refusal),
            }
        }
        ResponseBody::NotLeader(not_leader) => Answer::NotLeader { hint: not_leader.hint },
        ResponseBody::Failed(failure) => match Failure::try_from(*failure) {
            Ok(Failure::Retry) => Answer::Retry,
            Ok(Failure::Unknown) => Answer::Unknown,
            Ok(Failure::Unavailable) => Answer::Unavailable,
            Err(_) => return Err(Malformed("there is no such failure")),
        },
        ResponseBody::AdminCount(count) => Answer::Done { count: *count },
        ResponseBody::Invalidate(over) => Answer::Invalidate {
            key: (!over.everything).then_some(&over.key),
            version: over.version,
        },
    })
}

fn get_answer(get: &pb::GetResponse) -> Result<Answer<'_>, Malformed> {
    let value = match CacheStatus::try_from(get.status) {
        Ok(CacheStatus::Hit) => Some(&get.value[..]),
        Ok(CacheStatus::Miss) if get.value.is_empty() => None,
        _ => return Err(Malformed("there is no such status")),
    };
    Ok(match (get.part, value) {
        (Some(pb::Part { position, of }), value) if position < of.max(1) => {
            Answer::Item { position, of, value }
        }
        (Some(_), _) => return Err(Malformed("a part is one of its stream")),
        (None, Some(value)) => Answer::Found {
            version: get.version,
            stale: get.is_stale,
            hint: Duration(get.ttl_hint_ns),
            value,
        },
        (None, None) => Answer::Missing,
    })
}

#[cfg(test)]
mod tests;
