//! The frames: a type byte and a MessagePack map with upstream's keys, carried as user messages of
//! the membership below.
//!
//! | Message | From | To | Says | Source |
//! |---|---|---|---|---|
//! | leave | the member, or whoever forces it | everyone, by gossip | it means to leave | serf |
//! | join | the member | everyone, by gossip | it means to stay | serf |
//! | push/pull | both ends of an exchange | each other | clocks, statuses, the buffer of events | serf |
//! | user event | a node | everyone, by gossip | this happened | serf |
//! | query | a node | everyone, by gossip | who can answer? | serf |
//! | answer | whoever is asked | the asker, directly and by relays | this; or that it was heard | serf |
//! | relay | whoever answers | peers at random | pass this on | serf |

use crate::protocol::frame::Malformed;
use crate::protocol::swim::msgpack::{Packed, Reader, record};
use alloc::sync::Arc;
use alloc::vec::Vec;

const LEAVE: u8 = 0;
const JOIN: u8 = 1;
const PUSH_PULL: u8 = 2;
const USER_EVENT: u8 = 3;
const QUERY: u8 = 4;
const ANSWER: u8 = 5;
const RELAY: u8 = 9;

/// The flag of a query that asks to be acknowledged, and of the answer that does.
pub(super) const ACK: u32 = 1;
/// The flag of a query that is not passed on.
pub(super) const NO_BROADCAST: u32 = 2;

record! {
    pub(super) struct Leave { time: u64 = "LTime", node: u32 = "Node", prune: bool = "Prune", }
}
record! { pub(super) struct Join { time: u64 = "LTime", node: u32 = "Node", } }
record! {
    pub(super) struct UserEvent<'a> {
        time: u64 = "LTime",
        name: &'a [u8] = "Name",
        payload: &'a [u8] = "Payload",
        coalesces: bool = "CC",
    }
}
record! {
    pub(super) struct Query<'a> {
        time: u64 = "LTime",
        id: u32 = "ID",
        address: u32 = "Addr",
        source: u32 = "SourceNode",
        nodes: Vec<u32> = "Filters",
        flags: u32 = "Flags",
        relay_factor: u32 = "RelayFactor",
        timeout: u64 = "Timeout",
        name: &'a [u8] = "Name",
        payload: &'a [u8] = "Payload",
    }
}
record! {
    pub(super) struct Answer<'a> {
        time: u64 = "LTime",
        id: u32 = "ID",
        from: u32 = "From",
        flags: u32 = "Flags",
        payload: &'a [u8] = "Payload",
    }
}
record! {
    pub(super) struct Relay<'a> { address: u32 = "DestAddr", message: &'a [u8] = "Message", }
}
record! { pub(super) struct StatusTime { node: u32 = "Node", time: u64 = "LTime", } }
record! {
    pub(super) struct PushPull<'a> {
        time: u64 = "LTime",
        statuses: Vec<StatusTime> = "StatusLTimes",
        left: Vec<u32> = "LeftMembers",
        event_time: u64 = "EventLTime",
        events: Vec<UserEvent<'a>> = "Events",
        query_time: u64 = "QueryLTime",
    }
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message<'a> {
    Leave(Leave),
    Join(Join),
    PushPull(PushPull<'a>),
    UserEvent(UserEvent<'a>),
    Query(Query<'a>),
    Answer(Answer<'a>),
    Relay(Relay<'a>),
}

impl<'a> Message<'a> {
    /// Appends the message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Leave(leave) => put(out, LEAVE, leave),
            Self::Join(join) => put(out, JOIN, join),
            Self::PushPull(all) => put(out, PUSH_PULL, all),
            Self::UserEvent(event) => put(out, USER_EVENT, event),
            Self::Query(query) => put(out, QUERY, query),
            Self::Answer(answer) => put(out, ANSWER, answer),
            Self::Relay(relay) => put(out, RELAY, relay),
        }
    }

    /// The message as bytes that several packets share.
    pub fn shared(&self) -> Arc<[u8]> {
        let mut out = Vec::new();
        self.encode(&mut out);
        Arc::from(out)
    }

    /// Reads one message that fills `bytes`.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let (&kind, body) = bytes.split_first().ok_or(Malformed("an empty message"))?;
        Ok(match kind {
            LEAVE => Self::Leave(Reader::whole(body)?),
            JOIN => Self::Join(Reader::whole(body)?),
            PUSH_PULL => Self::PushPull(Reader::whole(body)?),
            USER_EVENT => Self::UserEvent(Reader::whole(body)?),
            QUERY => Self::Query(Reader::whole(body)?),
            ANSWER => Self::Answer(Reader::whole(body)?),
            RELAY => Self::Relay(Reader::whole(body)?),
            _ => return Err(Malformed("a message of another kind")),
        })
    }
}

fn put<'a>(out: &mut Vec<u8>, kind: u8, body: &impl Packed<'a>) {
    out.push(kind);
    body.pack(out);
}

/// What a message is, in the words of the table of messages.
///
/// # Errors
/// When the bytes are no message.
pub fn kind(bytes: &[u8]) -> Result<&'static str, Malformed> {
    Ok(match Message::decode(bytes)? {
        Message::Leave(_) => "leave",
        Message::Join(_) => "join",
        Message::PushPull(_) => "push/pull",
        Message::UserEvent(_) => "user event",
        Message::Query(_) => "query",
        Message::Answer(_) => "answer",
        Message::Relay(_) => "relay",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(kind: u8, n: [u32; 4], flag: bool, bytes: &[u8]) -> Message<'_> {
        let [id, node, from, flags] = n;
        let time = (u64::from(id) << 20) | u64::from(node);
        let event = UserEvent { time, name: b"deploy", payload: bytes, coalesces: flag };
        match kind {
            0 => Message::Leave(Leave { time, node, prune: flag }),
            1 => Message::Join(Join { time, node }),
            2 => Message::PushPull(PushPull {
                time,
                statuses: alloc::vec![StatusTime { node, time }, StatusTime { node: from, time }],
                left: alloc::vec![node, from],
                event_time: time,
                events: alloc::vec![event.clone(), event],
                query_time: time,
            }),
            3 => Message::UserEvent(event),
            4 => Message::Query(Query {
                time,
                id,
                address: from,
                source: node,
                nodes: alloc::vec![node; usize::from(flag)],
                flags,
                relay_factor: 2,
                timeout: time,
                name: b"who",
                payload: bytes,
            }),
            5 => Message::Answer(Answer { time, id, from, flags, payload: bytes }),
            _ => Message::Relay(Relay { address: node, message: bytes }),
        }
    }

    proptest! {
        #[test]
        fn messages_come_back_as_they_were(
            which in 0_u8..7, numbers: [u32; 4], flag: bool,
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let sent = message(which, numbers, flag, &bytes);
            let bytes = sent.shared();
            prop_assert_eq!(Message::decode(&bytes), Ok(sent));
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = kind(&bytes);
        }
    }
}
