//! The connections that a node was opened: what arrived of frames on each, and what the node keeps of
//! whoever opened it.

use crate::protocol::frame::Decoder;
use alloc::collections::BTreeMap;
use contract::{ConnId, Fx};

/// The connections of others to one node, each with a state `S` of the node's own.
#[derive(Clone, Debug)]
pub struct InboundConns<S = ()>(BTreeMap<ConnId, Inbound<S>>);

#[derive(Clone, Debug, Default)]
struct Inbound<S> {
    decoder: Decoder,
    state: S,
}

impl<S> Default for InboundConns<S> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<S: Default> InboundConns<S> {
    /// A connection was opened.
    pub fn opened(&mut self, conn: ConnId) {
        self.0.insert(conn, Inbound::default());
    }
}

impl<S> InboundConns<S> {
    /// A connection is gone: its state, where it was open.
    pub fn closed(&mut self, conn: ConnId) -> Option<S> {
        self.0.remove(&conn).map(|inbound| inbound.state)
    }

    /// Whether it is open.
    #[must_use]
    pub fn has(&self, conn: ConnId) -> bool {
        self.0.contains_key(&conn)
    }

    /// The state of an open connection.
    #[must_use]
    pub fn get(&self, conn: ConnId) -> Option<&S> {
        self.0.get(&conn).map(|inbound| &inbound.state)
    }

    /// The state of an open connection, to be changed.
    pub fn get_mut(&mut self, conn: ConnId) -> Option<&mut S> {
        self.0.get_mut(&conn).map(|inbound| &mut inbound.state)
    }

    /// All open connections with their states, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (ConnId, &S)> {
        self.0.iter().map(|(conn, inbound)| (*conn, &inbound.state))
    }

    /// How many are open.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// How many the opener of `conn` has open.
    #[must_use]
    pub fn of_same_opener(&self, conn: ConnId) -> u64 {
        let first = ConnId { opener: conn.opener, number: 0 };
        let last = ConnId { opener: conn.opener, number: u32::MAX };
        self.0.range(first..=last).count() as u64
    }

    /// What arrived of a frame on `conn`, taken out so that its node can handle frames meanwhile;
    /// see [`InboundConns::settle`]. `None` where the connection is not open.
    #[must_use]
    pub fn take(&mut self, conn: ConnId) -> Option<Decoder> {
        self.0.get_mut(&conn).map(|inbound| core::mem::take(&mut inbound.decoder))
    }

    /// Puts back what [`InboundConns::take`] took out, when everything on it was a frame of its
    /// protocol; else closes the connection, because nobody knows what its last bytes mean.
    pub fn settle(&mut self, conn: ConnId, decoder: Decoder, intact: bool, fx: &mut Fx<'_>) {
        if intact {
            if let Some(inbound) = self.0.get_mut(&conn) {
                inbound.decoder = decoder;
            }
        } else {
            self.0.remove(&conn);
            fx.close(conn);
        }
    }

    /// What is kept of frames that are not whole, in bytes.
    #[must_use]
    pub fn buffered_bytes(&self) -> u64 {
        self.0.values().map(|inbound| inbound.decoder.buffered_bytes()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::NodeId;

    #[test]
    fn connections_are_counted_by_who_opened_them() {
        let conn = |opener, number| ConnId { opener: NodeId(opener), number };
        let mut conns: InboundConns<u8> = InboundConns::default();
        for (opener, number) in [(1, 0), (1, 7), (2, 0)] {
            conns.opened(conn(opener, number));
        }
        *conns.get_mut(conn(1, 7)).expect("it is open") = 9;
        assert_eq!((conns.count(), conns.of_same_opener(conn(1, 3))), (3, 2));
        assert!(conns.iter().map(|(_, state)| *state).eq([0, 9, 0]));
        assert_eq!(conns.closed(conn(1, 7)), Some(9));
        assert_eq!((conns.closed(conn(1, 7)), conns.get(conn(1, 7))), (None, None));
        assert!(conns.take(conn(1, 7)).is_none());
        assert_eq!(conns.of_same_opener(conn(1, 7)), 1);
    }
}
