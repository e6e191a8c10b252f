//! Who may ask: what the opener of a connection proves before its requests are served.
//!
//! The certificate is looked at once, when it is shown; a connection outlives it. A request on a
//! connection that was not accepted is refused, and the connection closed.

use super::super::command::Refusal;
use super::super::handshake;
use super::super::wire::Request;
use super::{Requester, Server, requests};
use crate::protocol::tls::{CertificateError, ClientAuth};
use contract::{ConnId, Fx, NodeId, Now};

/// Who opened a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Caller {
    /// Where certificates are asked for: whose one was shown, and whether it was accepted.
    shown: Option<(u64, bool)>,
}

/// A client, whatever connections it has: what rate limits belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ClientId {
    /// The subject of its certificate.
    Subject(u64),
    /// Where no certificates are asked for, the node that it is on.
    Node(NodeId),
}

impl Server {
    /// Who opened `conn`.
    pub(super) fn client_of(&self, conn: ConnId) -> ClientId {
        match self.conns.get(conn).and_then(|caller| caller.shown) {
            Some((client, true)) => ClientId::Subject(client),
            _ => ClientId::Node(conn.opener),
        }
    }

    /// Whether `asked` may be served on `conn`. Takes note of certificates, and ends connections
    /// that ask without.
    pub(super) fn admits(
        &mut self,
        now: Now,
        conn: ConnId,
        (id, asked): (u64, &Request<'_>),
        fx: &mut Fx<'_>,
    ) -> bool {
        let tls = &self.config.tls;
        if matches!(tls, ClientAuth::Off) {
            return true;
        }
        let Some(caller) = self.conns.get_mut(conn) else {
            // It was closed for what came before this in the same segment.
            return false;
        };
        if let Request::Hello { client, certificate, .. } = *asked {
            let verdict = tls.verify(certificate, client, now.wall);
            let accepted = handshake::note(verdict, certificate, conn.opener, now.wall, fx);
            caller.shown = Some((client, accepted));
            return true;
        }
        match caller.shown {
            Some((_, true)) => return true,
            Some((_, false)) => {}
            None => {
                handshake::note(Err(CertificateError::Missing), &[], conn.opener, now.wall, fx);
            }
        }
        let requester = Requester::of(conn, id, asked, now.mono);
        requests::refuse(&mut self.metrics, requester, Refusal::Unauthenticated, fx);
        self.conns.closed(conn);
        fx.close(conn);
        false
    }
}
