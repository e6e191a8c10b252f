//! A connection that a node keeps to another: opened when it is first needed, and again after it was
//! lost.

use crate::protocol::frame::Decoder;
use contract::{ConnId, Fx, NodeId};

/// The connection to one node.
#[derive(Clone, Debug)]
pub struct Link {
    to: NodeId,
    state: LinkState,
    /// What arrived of a frame.
    pub decoder: Decoder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LinkState {
    Closed,
    Opening(ConnId),
    Open(ConnId),
}

impl Link {
    /// A link that is closed.
    pub fn to(node: NodeId) -> Self {
        Self { to: node, state: LinkState::Closed, decoder: Decoder::default() }
    }

    /// Whether `conn` is this link's.
    pub fn is(&self, conn: ConnId) -> bool {
        matches!(self.state, LinkState::Opening(own) | LinkState::Open(own) if own == conn)
    }

    /// The connection, once it is open; opens it where it is closed.
    pub fn open(&mut self, fx: &mut Fx<'_>) -> Option<ConnId> {
        match self.state {
            LinkState::Open(conn) => Some(conn),
            LinkState::Opening(_) => None,
            LinkState::Closed => {
                self.state = LinkState::Opening(fx.open(self.to));
                None
            }
        }
    }

    /// It is open.
    pub fn opened(&mut self, conn: ConnId) {
        assert!(self.state == LinkState::Opening(conn), "a connection opens once");
        self.state = LinkState::Open(conn);
        self.decoder = Decoder::default();
    }

    /// It is gone.
    pub fn closed(&mut self) {
        self.state = LinkState::Closed;
    }
}
