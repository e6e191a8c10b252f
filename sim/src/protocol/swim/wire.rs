//! The frames: a type byte and a MessagePack map with upstream's keys, several of them in a packet.
//!
//! | Message | From | To | Says | Source |
//! |---|---|---|---|---|
//! | ping | prober | member, or a helper's target | do you live? | swim-paper §4.1 |
//! | indirect ping | prober | helpers | probe this one for me | swim-paper §4.1 |
//! | ack | member | prober | I live; a helper passes it on | swim-paper §4.1 |
//! | nack | helper | prober | it does not answer me either, and I live | lifeguard §IV-A |
//! | suspect | anyone | everyone, by gossip | I suspect it in this incarnation | swim-paper §4.2 |
//! | alive | the member | everyone, by gossip | it lives, in this incarnation | swim-paper §4.2 |
//! | dead | anyone | everyone, by gossip | it is dead; from itself: it left | swim-paper §4.2 |
//! | push/pull | opener and acceptor of a stream | each other | all that I know | memberlist |
//! | compound | anyone | anyone | several messages | memberlist |
//! | user | the owner | owners | what the owner says | memberlist |
//! | checksum | anyone | anyone | in front of every packet | memberlist |

use super::crc::crc32;
use super::msgpack::{Packed, Reader, record};
use crate::protocol::frame::{Cursor, Malformed};
use alloc::sync::Arc;
use alloc::vec::Vec;

const PING: u8 = 0;
const INDIRECT_PING: u8 = 1;
const ACK: u8 = 2;
const SUSPECT: u8 = 3;
const ALIVE: u8 = 4;
const DEAD: u8 = 5;
const PUSH_PULL: u8 = 6;
const COMPOUND: u8 = 7;
const USER: u8 = 8;
const NACK: u8 = 11;
const CHECKSUM: u8 = 12;

/// The checksum in front of a packet.
pub(super) const CHECKSUM_BYTES: usize = 5;
/// The head of a compound.
pub(super) const COMPOUND_BYTES: usize = 2;
/// What each part of a compound costs beside itself.
pub(super) const PART_BYTES: usize = 2;
/// What a message of the owner costs besides.
pub(super) const USER_BYTES: usize = 1;
/// The parts of a compound are counted in a byte.
pub(super) const PARTS_MAX: usize = 255;

record! {
    pub(super) struct Ping {
        seq: u32 = "SeqNo",
        node: u32 = "Node",
        source_address: u32 = "SourceAddr",
        source: u32 = "SourceNode",
    }
}
record! {
    pub(super) struct IndirectPing {
        seq: u32 = "SeqNo",
        target: u32 = "Target",
        node: u32 = "Node",
        nack: bool = "Nack",
        source_address: u32 = "SourceAddr",
        source: u32 = "SourceNode",
    }
}
record! { pub(super) struct Ack { seq: u32 = "SeqNo", } }
record! { pub(super) struct Nack { seq: u32 = "SeqNo", } }
record! {
    pub(super) struct Suspect {
        incarnation: u32 = "Incarnation",
        node: u32 = "Node",
        from: u32 = "From",
    }
}
record! {
    pub(super) struct Alive<'a> {
        incarnation: u32 = "Incarnation",
        node: u32 = "Node",
        address: u32 = "Addr",
        meta: &'a [u8] = "Meta",
    }
}
record! {
    pub(super) struct Dead {
        incarnation: u32 = "Incarnation",
        node: u32 = "Node",
        from: u32 = "From",
    }
}
record! {
    pub(super) struct Entry<'a> {
        node: u32 = "Name",
        address: u32 = "Addr",
        meta: &'a [u8] = "Meta",
        incarnation: u32 = "Incarnation",
        state: u32 = "State",
    }
}
record! {
    pub(super) struct PushPull<'a> {
        join: bool = "Join",
        nodes: Vec<Entry<'a>> = "Nodes",
        user_state: &'a [u8] = "UserState",
    }
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message<'a> {
    Ping(Ping),
    IndirectPing(IndirectPing),
    Ack(Ack),
    Nack(Nack),
    Suspect(Suspect),
    Alive(Alive<'a>),
    Dead(Dead),
    PushPull(PushPull<'a>),
    User(&'a [u8]),
}

impl<'a> Message<'a> {
    /// Appends the message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Ping(ping) => put(out, PING, ping),
            Self::IndirectPing(ping) => put(out, INDIRECT_PING, ping),
            Self::Ack(ack) => put(out, ACK, ack),
            Self::Nack(nack) => put(out, NACK, nack),
            Self::Suspect(suspect) => put(out, SUSPECT, suspect),
            Self::Alive(alive) => put(out, ALIVE, alive),
            Self::Dead(dead) => put(out, DEAD, dead),
            Self::PushPull(all) => put(out, PUSH_PULL, all),
            Self::User(bytes) => {
                out.push(USER);
                out.extend_from_slice(bytes);
            }
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
            PING => Self::Ping(Reader::whole(body)?),
            INDIRECT_PING => Self::IndirectPing(Reader::whole(body)?),
            ACK => Self::Ack(Reader::whole(body)?),
            NACK => Self::Nack(Reader::whole(body)?),
            SUSPECT => Self::Suspect(Reader::whole(body)?),
            ALIVE => Self::Alive(Reader::whole(body)?),
            DEAD => Self::Dead(Reader::whole(body)?),
            PUSH_PULL => Self::PushPull(Reader::whole(body)?),
            USER => Self::User(body),
            _ => return Err(Malformed("a message of another kind")),
        })
    }

    /// What it is, as in the table above.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Ping(_) => "ping",
            Self::IndirectPing(_) => "indirect ping",
            Self::Ack(_) => "ack",
            Self::Nack(_) => "nack",
            Self::Suspect(_) => "suspect",
            Self::Alive(_) => "alive",
            Self::Dead(_) => "dead",
            Self::PushPull(_) => "push/pull",
            Self::User(_) => "user",
        }
    }
}

fn put<'a>(out: &mut Vec<u8>, kind: u8, body: &impl Packed<'a>) {
    out.push(kind);
    body.pack(out);
}

/// Appends a packet of these parts, each a whole message.
pub(super) fn packet<'p>(out: &mut Vec<u8>, parts: impl ExactSizeIterator<Item = Part<'p>>) {
    let start = out.len();
    out.extend_from_slice(&[CHECKSUM, 0, 0, 0, 0]);
    let count = parts.len();
    assert!(count <= PARTS_MAX, "parts are counted in a byte");
    if count == 1 {
        parts.for_each(|part| part.append(out));
    } else {
        out.extend_from_slice(&[COMPOUND, count as u8]);
        let mut lengths = out.len();
        out.resize(lengths + PART_BYTES * count, 0);
        for part in parts {
            let before = out.len();
            part.append(out);
            let len = u16::try_from(out.len() - before).expect("a part of a packet is short");
            out[lengths..lengths + PART_BYTES].copy_from_slice(&len.to_be_bytes());
            lengths += PART_BYTES;
        }
    }
    let crc = crc32(&out[start + CHECKSUM_BYTES..]);
    out[start + 1..start + CHECKSUM_BYTES].copy_from_slice(&crc.to_be_bytes());
}

/// A part of a packet.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part<'p> {
    /// A message of the protocol.
    Core(&'p [u8]),
    /// One of the owner's.
    User(&'p [u8]),
}

impl Part<'_> {
    fn append(self, out: &mut Vec<u8>) {
        if let Self::User(_) = self {
            out.push(USER);
        }
        let (Self::Core(bytes) | Self::User(bytes)) = self;
        out.extend_from_slice(bytes);
    }
}

/// Hands the parts of a packet to `take`, in their order, until one is malformed.
pub(super) fn parts<'a>(
    packet: &'a [u8],
    mut take: impl FnMut(&'a [u8]) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let mut cursor = Cursor::new(packet);
    if cursor.u8()? != CHECKSUM {
        return Err(Malformed("a packet begins with its checksum"));
    }
    let crc = cursor.u32()?;
    let body = cursor.rest();
    if crc32(body) != crc {
        return Err(Malformed("the checksum is wrong"));
    }
    let Some((&COMPOUND, compound)) = body.split_first() else {
        return take(body);
    };
    let (&count, rest) = compound.split_first().ok_or(Malformed("a compound without a count"))?;
    let lengths_len = PART_BYTES * usize::from(count);
    let (lengths, bodies) =
        rest.split_at_checked(lengths_len).ok_or(Malformed("a compound ends in its head"))?;
    let mut bodies = Cursor::new(bodies);
    for length in lengths.chunks_exact(PART_BYTES) {
        let length = u16::from_be_bytes([length[0], length[1]]);
        take(bodies.bytes(u32::from(length))?)?;
    }
    bodies.end()
}

/// A packet whose content is `body`, whatever that is: for tests that go past the checksum.
#[must_use]
pub fn sealed(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(CHECKSUM_BYTES + body.len());
    out.push(CHECKSUM);
    out.extend_from_slice(&crc32(body).to_be_bytes());
    out.extend_from_slice(body);
    out
}

/// What the messages of a packet are, in the words of the table of messages.
///
/// # Errors
/// When the bytes are no packet.
pub fn kinds(packet: &[u8]) -> Result<Vec<&'static str>, Malformed> {
    let mut found = Vec::new();
    parts(packet, |part| {
        found.push(Message::decode(part)?.kind());
        Ok(())
    })?;
    Ok(found)
}

/// What the message on a stream is.
///
/// # Errors
/// When the bytes are no message.
pub fn kind_of_frame(frame: &[u8]) -> Result<&'static str, Malformed> {
    Message::decode(frame).map(|message| message.kind())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn messages() -> impl Strategy<Value = (u8, [u32; 6], bool, Vec<u8>, u8)> {
        let numbers = proptest::array::uniform6(any::<u32>());
        let bytes = proptest::collection::vec(any::<u8>(), 0..600);
        (0_u8..9, numbers, any::<bool>(), bytes, 0_u8..20)
    }

    fn message(kind: u8, n: [u32; 6], flag: bool, bytes: &[u8], entries: u8) -> Message<'_> {
        let [seq, node, incarnation, from, address, source] = n;
        match kind {
            0 => Message::Ping(Ping { seq, node, source_address: address, source }),
            1 => Message::IndirectPing(IndirectPing {
                seq,
                target: from,
                node,
                nack: flag,
                source_address: address,
                source,
            }),
            2 => Message::Ack(Ack { seq }),
            3 => Message::Nack(Nack { seq }),
            4 => Message::Suspect(Suspect { incarnation, node, from }),
            5 => Message::Alive(Alive { incarnation, node, address, meta: bytes }),
            6 => Message::Dead(Dead { incarnation, node, from }),
            7 => {
                let entry = |at| Entry { node: at, address, meta: bytes, incarnation, state: 1 };
                let nodes = (0..u32::from(entries)).map(entry).collect();
                Message::PushPull(PushPull { join: flag, nodes, user_state: bytes })
            }
            _ => Message::User(bytes),
        }
    }

    proptest! {
        #[test]
        fn packets_come_back_as_they_were(drawn in proptest::collection::vec(messages(), 1..6)) {
            let sent: Vec<Message<'_>> = drawn
                .iter()
                .map(|(kind, numbers, flag, bytes, entries)| {
                    message(*kind, *numbers, *flag, bytes, *entries)
                })
                .collect();
            let encoded: Vec<Arc<[u8]>> = sent.iter().map(Message::shared).collect();
            let mut out = Vec::new();
            packet(&mut out, encoded.iter().map(|bytes| Part::Core(bytes)));
            let mut got = Vec::new();
            parts(&out, |part| {
                got.push(Message::decode(part)?);
                Ok(())
            })
            .expect("a packet of ours");
            prop_assert_eq!(got, sent);
            // One flipped bit is noticed.
            let at = out.len() / 2;
            out[at] ^= 4;
            prop_assert!(parts(&out, |_| Ok(())).is_err());
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = kinds(&bytes);
            let _ = kind_of_frame(&bytes);
            let _ = kinds(&sealed(&bytes));
        }
    }

    #[test]
    fn the_overheads_are_what_is_counted() {
        let ack = Message::Ack(Ack { seq: 1 }).shared();
        let mut one = Vec::new();
        packet(&mut one, [Part::Core(&ack)].into_iter());
        assert_eq!(one.len(), CHECKSUM_BYTES + ack.len());
        let mut two = Vec::new();
        packet(&mut two, [Part::Core(&ack), Part::User(&ack)].into_iter());
        let bodies = 2 * ack.len() + USER_BYTES;
        assert_eq!(two.len(), CHECKSUM_BYTES + COMPOUND_BYTES + 2 * PART_BYTES + bodies);
    }
}
