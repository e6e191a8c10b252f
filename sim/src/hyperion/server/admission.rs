//! Who may ask: what the opener of a connection proves before its requests are served.
//!
//! The certificate is looked at once, when it is shown; a connection outlives it. A request on a
//! connection that was not accepted is refused, and the connection closed.

use super::super::certificate::{self, Authority, CertificateError};
use super::super::command::Refusal;
use super::super::wire::Request;
use super::{Asker, Server, refuse};
use catalog::Settings;
use contract::{ConnId, Fx, Now};

/// What is asked of those who connect. Each is a word of the setting `tls`.
#[derive(Clone, Debug)]
pub enum Tls {
    /// Nothing.
    Off,
    /// Any certificate, which is believed.
    Unverified,
    /// One that the authority signed and that holds.
    Mtls(Authority),
}

impl Tls {
    /// The words of the setting.
    pub const WORDS: &'static [&'static str] = &["off", "unverified", "mtls"];

    /// That of the settings.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        match settings.choice("tls") {
            "off" => Self::Off,
            "unverified" => Self::Unverified,
            "mtls" => Self::Mtls(Authority::named(&settings.text("certificate_authority"))),
            _ => unreachable!("the setting accepts no other word than {:?}", Self::WORDS),
        }
    }

    fn verify(&self, shown: &[u8], subject: u64, now: Now) -> Result<(), CertificateError> {
        match self {
            Self::Off => Ok(()),
            Self::Unverified if shown.is_empty() => Err(CertificateError::Missing),
            Self::Unverified => Ok(()),
            Self::Mtls(authority) => authority.verify(shown, Some(subject), now.wall).map(drop),
        }
    }
}

impl Server {
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
        if matches!(tls, Tls::Off) {
            return true;
        }
        if !self.conns.has(conn) {
            // It was closed for what came before this in the same segment.
            return false;
        }
        if let Request::Hello { client, certificate, .. } = *asked {
            let verdict = tls.verify(certificate, client, now);
            let accepted = certificate::note(verdict, certificate, conn.opener, now.wall, fx);
            self.admitted.insert(conn, accepted);
            return true;
        }
        match self.admitted.get(&conn) {
            Some(true) => return true,
            Some(false) => {
                self.admitted.remove(&conn);
            }
            None => {
                certificate::note(Err(CertificateError::Missing), &[], conn.opener, now.wall, fx);
            }
        }
        let asker = Asker::of(conn, id, asked, now.mono);
        refuse(&mut self.metrics, asker, Refusal::Unauthenticated, fx);
        self.conns.closed(conn);
        fx.close(conn);
        false
    }
}
