//! The connections that a node was opened: what arrived of frames on each, and the end of those that
//! carry something else.

use super::tables::Event;
use crate::protocol::frame::Decoder;
use alloc::collections::BTreeMap;
use contract::{ConnId, Fx};

/// The connections of others to one node.
#[derive(Clone, Debug, Default)]
pub struct Conns(BTreeMap<ConnId, Decoder>);

impl Conns {
    /// A connection was opened.
    pub fn opened(&mut self, conn: ConnId) {
        self.0.insert(conn, Decoder::default());
    }

    /// A connection is gone.
    pub fn closed(&mut self, conn: ConnId) {
        self.0.remove(&conn);
    }

    /// Whether it is open.
    #[must_use]
    pub fn has(&self, conn: ConnId) -> bool {
        self.0.contains_key(&conn)
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
    /// see [`Conns::settle`]. `None` where the connection is not open.
    #[must_use]
    pub fn take(&mut self, conn: ConnId) -> Option<Decoder> {
        self.0.get_mut(&conn).map(core::mem::take)
    }

    /// Puts back what [`Conns::take`] took out, when everything on it was a frame of its protocol;
    /// else closes the connection, of whose last `len_bytes` bytes nobody knows what they mean.
    pub fn settle(
        &mut self,
        conn: ConnId,
        decoder: Decoder,
        intact: bool,
        len_bytes: u64,
        fx: &mut Fx<'_>,
    ) {
        if intact {
            if let Some(held) = self.0.get_mut(&conn) {
                *held = decoder;
            }
        } else {
            fx.mark(Event::BadRequest.row(), [0; 3], len_bytes);
            self.0.remove(&conn);
            fx.close(conn);
        }
    }

    /// What is kept of frames that are not whole, in bytes.
    #[must_use]
    pub fn buffered_bytes(&self) -> u64 {
        self.0.values().map(Decoder::buffered_bytes).sum()
    }
}
