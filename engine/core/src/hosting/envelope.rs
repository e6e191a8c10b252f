//! What travels between machines: an input for a node, and the instant at which it is due.

use super::script::Moment;
use crate::record::Class;
use alloc::vec::Vec;
use contract::{CloseReason, ConnId, NodeId, SimTime};

/// A message of one machine to another, as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The machine it goes to.
    pub to: NodeId,
    /// Opaque to the simulator that carries it.
    pub bytes: Vec<u8>,
}

/// What an envelope says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Letter {
    pub moment: Moment,
    /// How many steps of the script were played when it was sent.
    pub pos: u32,
    pub from: NodeId,
    /// The number of the message on its link that begins the read.
    pub n: u64,
    /// Its own number on the link: the order of the parts of one read.
    pub part: u64,
    pub body: Body,
}

/// What a letter brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Body {
    Datagram(Vec<u8>),
    Open(ConnId),
    Accept(ConnId),
    Data(ConnId, Vec<u8>),
    End(ConnId, CloseReason),
    /// The receiver finds out that nobody answers; the class is that of the event that ends it.
    Break(ConnId, Class),
    /// The sender's end is gone; keep-alives of the receiver find out at this moment.
    Gone(ConnId),
}

impl Body {
    pub const fn class(&self) -> Class {
        match self {
            Self::Open(_) | Self::Accept(_) => Class::Opened,
            Self::Datagram(_) | Self::Data(..) => Class::Data,
            Self::End(..) => Class::Closed,
            Self::Break(_, class) => *class,
            Self::Gone(_) => Class::Timer,
        }
    }

    /// The bytes of a stream that it carries.
    pub const fn stream_bytes(&mut self) -> Option<&mut Vec<u8>> {
        match self {
            Self::Data(_, bytes) => Some(bytes),
            _ => None,
        }
    }

    const fn tag(&self) -> u8 {
        match self {
            Self::Datagram(_) => 0,
            Self::Open(_) => 1,
            Self::Accept(_) => 2,
            Self::Data(..) => 3,
            Self::End(..) => 4,
            Self::Break(_, Class::Timer) => 5,
            Self::Break(..) => 6,
            Self::Gone(_) => 7,
        }
    }
}

impl Letter {
    /// Fixed-width integers, little-endian, then the payload.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        out.push(self.body.tag());
        out.extend_from_slice(&self.moment.0.0.to_le_bytes());
        out.extend_from_slice(&self.moment.1.to_le_bytes());
        out.extend_from_slice(&self.pos.to_le_bytes());
        out.extend_from_slice(&self.from.0.to_le_bytes());
        out.extend_from_slice(&self.n.to_le_bytes());
        out.extend_from_slice(&self.part.to_le_bytes());
        let mut conn = |conn: &ConnId| {
            out.extend_from_slice(&conn.opener.0.to_le_bytes());
            out.extend_from_slice(&conn.number.to_le_bytes());
        };
        match &self.body {
            Body::Datagram(bytes) => out.extend_from_slice(bytes),
            Body::Open(id) | Body::Accept(id) | Body::Break(id, _) | Body::Gone(id) => {
                conn(id);
            }
            Body::Data(id, bytes) => {
                conn(id);
                out.extend_from_slice(bytes);
            }
            Body::End(id, reason) => {
                conn(id);
                out.push(*reason as u8);
            }
        }
        out
    }

    /// Reads what [`Letter::encode`] wrote; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let [tag] = take(&mut rest)?;
        let at = SimTime(u64::from_le_bytes(take(&mut rest)?));
        let round = u32::from_le_bytes(take(&mut rest)?);
        let pos = u32::from_le_bytes(take(&mut rest)?);
        let from = NodeId(u32::from_le_bytes(take(&mut rest)?));
        let n = u64::from_le_bytes(take(&mut rest)?);
        let part = u64::from_le_bytes(take(&mut rest)?);
        let body = match tag {
            0 => Body::Datagram(rest.to_vec()),
            1 => Body::Open(conn(&mut rest)?),
            2 => Body::Accept(conn(&mut rest)?),
            3 => Body::Data(conn(&mut rest)?, rest.to_vec()),
            4 => Body::End(conn(&mut rest)?, reason(&mut rest)?),
            5 => Body::Break(conn(&mut rest)?, Class::Timer),
            6 => Body::Break(conn(&mut rest)?, Class::Closed),
            7 => Body::Gone(conn(&mut rest)?),
            _ => return None,
        };
        Some(Self { moment: (at, round), pos, from, n, part, body })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

fn conn(rest: &mut &[u8]) -> Option<ConnId> {
    let opener = NodeId(u32::from_le_bytes(take(rest)?));
    let number = u32::from_le_bytes(take(rest)?);
    Some(ConnId { opener, number })
}

fn reason(rest: &mut &[u8]) -> Option<CloseReason> {
    let [reason] = take(rest)?;
    let all = [CloseReason::Refused, CloseReason::Done, CloseReason::Reset, CloseReason::TimedOut];
    all.into_iter().find(|one| *one as u8 == reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bodies() -> impl Strategy<Value = Body> {
        let id = (any::<u32>(), any::<u32>())
            .prop_map(|(opener, number)| ConnId { opener: NodeId(opener), number });
        let bytes = prop::collection::vec(any::<u8>(), 0..40);
        prop_oneof![
            bytes.clone().prop_map(Body::Datagram),
            id.clone().prop_map(Body::Open),
            id.clone().prop_map(Body::Accept),
            (id.clone(), bytes).prop_map(|(id, bytes)| Body::Data(id, bytes)),
            id.clone().prop_map(|id| Body::End(id, CloseReason::Done)),
            id.clone().prop_map(|id| Body::End(id, CloseReason::TimedOut)),
            id.clone().prop_map(|id| Body::Break(id, Class::Timer)),
            id.clone().prop_map(|id| Body::Break(id, Class::Closed)),
            id.prop_map(Body::Gone),
        ]
    }

    proptest! {
        #[test]
        fn letters_survive_the_way(
            at in any::<u64>(), round in any::<u32>(), pos in any::<u32>(), from in any::<u32>(),
            n in any::<u64>(), part in any::<u64>(), body in bodies(), cut in 0_usize..36,
        ) {
            let letter =
                Letter { moment: (SimTime(at), round), pos, from: NodeId(from), n, part, body };
            let bytes = letter.encode();
            prop_assert_eq!(Letter::decode(&bytes), Some(letter));
            prop_assert!(Letter::decode(&bytes[..cut]).is_none());
        }
    }
}
