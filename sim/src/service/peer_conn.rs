//! The connections that a node keeps to others: each opened when it is first needed, and again after
//! it was lost.

use crate::protocol::frame::Decoder;
use alloc::vec::Vec;
use contract::{ConnId, Fx, NodeId};

/// The connection to one node.
#[derive(Clone, Debug)]
pub struct PeerConn {
    to: NodeId,
    state: State,
    decoder: Decoder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Opening(ConnId),
    Open(ConnId),
}

impl PeerConn {
    /// A connection to `node` that is not open.
    #[must_use]
    pub fn to(node: NodeId) -> Self {
        Self { to: node, state: State::Closed, decoder: Decoder::default() }
    }

    /// Whether `conn` is this one.
    #[must_use]
    pub fn is(&self, conn: ConnId) -> bool {
        matches!(self.state, State::Opening(own) | State::Open(own) if own == conn)
    }

    /// Which connection is being opened, and to whom.
    #[must_use]
    pub const fn opening(&self) -> Option<(ConnId, NodeId)> {
        match self.state {
            State::Opening(conn) => Some((conn, self.to)),
            State::Closed | State::Open(_) => None,
        }
    }

    /// The connection, once it is open; opens it where it is closed.
    pub fn open(&mut self, fx: &mut Fx<'_>) -> Option<ConnId> {
        match self.state {
            State::Open(conn) => Some(conn),
            State::Opening(_) => None,
            State::Closed => {
                self.state = State::Opening(fx.open(self.to));
                None
            }
        }
    }

    /// It is open.
    pub fn opened(&mut self, conn: ConnId) {
        assert!(self.state == State::Opening(conn), "a connection opens once");
        self.state = State::Open(conn);
        self.decoder = Decoder::default();
    }

    /// It is gone.
    pub fn closed(&mut self) {
        self.state = State::Closed;
    }

    /// What arrived of a frame, taken out so that its node can handle frames meanwhile; see
    /// [`PeerConn::settle`].
    #[must_use]
    pub fn take(&mut self) -> Decoder {
        core::mem::take(&mut self.decoder)
    }

    /// Puts back what [`PeerConn::take`] took out.
    pub fn settle(&mut self, decoder: Decoder) {
        self.decoder = decoder;
    }

    /// What is kept of a frame that is not whole, in bytes.
    #[must_use]
    pub fn buffered_bytes(&self) -> u64 {
        self.decoder.buffered_bytes()
    }
}

/// The connections to the nodes of a group, by index.
#[derive(Clone, Debug)]
pub struct PeerConns(Vec<PeerConn>);

impl PeerConns {
    /// Those to `nodes`, none of them open.
    ///
    /// # Panics
    /// When there are no nodes, or more than an index counts.
    #[must_use]
    pub fn to(nodes: &[NodeId]) -> Self {
        assert!(!nodes.is_empty(), "a group has nodes");
        assert!(u32::try_from(nodes.len()).is_ok(), "an index counts them");
        Self(nodes.iter().copied().map(PeerConn::to).collect())
    }

    /// How many nodes there are.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.0.len() as u32
    }

    /// The index of the node after `index`, and of the first after the last.
    #[must_use]
    pub const fn after(&self, index: u32) -> u32 {
        (index + 1) % self.count()
    }

    /// The index of the node to which `conn` leads.
    #[must_use]
    pub fn index_of(&self, conn: ConnId) -> Option<u32> {
        let position = self.0.iter().position(|peer| peer.is(conn))?;
        Some(position as u32)
    }

    /// The connection to the node with this index.
    pub fn at(&mut self, index: u32) -> &mut PeerConn {
        &mut self.0[index as usize]
    }

    /// All of them, by index.
    pub fn iter(&self) -> impl Iterator<Item = &PeerConn> {
        self.0.iter()
    }

    /// What is kept of frames that are not whole, in bytes.
    #[must_use]
    pub fn buffered_bytes(&self) -> u64 {
        self.0.iter().map(PeerConn::buffered_bytes).sum()
    }
}
