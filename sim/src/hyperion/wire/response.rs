//! Answers as messages, and back.

use super::super::command::{Applied, Refusal};
use super::Answer;
use super::messages as pb;
use super::messages::{CacheStatus, Failure, ResponseBody};
use crate::protocol::frame::Malformed;
use crate::service::decoded::{Wire, put};
use alloc::vec::Vec;
use contract::{Duration, Value};

impl Wire for pb::Response {
    type View<'a> = Answer<'a>;

    fn view(&self) -> Result<Answer<'_>, Malformed> {
        answer_of(self)
    }

    fn id(&self) -> u64 {
        self.id
    }

    fn set_id(&mut self, id: u64) {
        self.id = id;
    }
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
