//! Certificates: how the two ends of a connection prove who they are (mTLS).
//!
//! A simulated handshake. Who opens a connection shows its certificate first; who accepts it
//! verifies issuer, signature, subject and validity by its own wall clock, once, as TLS does: a
//! certificate that ends later does not end the connections that were made with it. A signature is
//! HMAC-SHA-256 under the secret of the authority, which stands for one that everybody can verify
//! and nobody else can make; nothing on the wire is encrypted.
//!
//! | field | bytes |
//! |---|---|
//! | issuer, subject: hashes of names; serial number | 8, 8, 8 |
//! | not before, not after: ns since the Unix epoch | 8, 8 |
//! | signature over all of that | 32 |
//!
//! Refusals are in the words of the TLS library that the modelled codebase pins (rustls 0.21).

use super::frame::Cursor;
use alloc::sync::Arc;
use alloc::vec::Vec;
use contract::hash::hash_bytes;
use contract::{Duration, WallTime};
use core::fmt;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The length of a certificate in bytes.
pub const CERTIFICATE_BYTES: usize = SIGNED_BYTES + SIGNATURE_BYTES;
const SIGNED_BYTES: usize = 40;
const SIGNATURE_BYTES: usize = 32;

/// Certificates begin this much before they are issued, because the clocks of those who verify them
/// differ.
pub const BACKDATED: Duration = Duration::from_secs(60);

/// Who signs certificates, and whose signature is trusted.
#[derive(Clone, Debug)]
pub struct Authority {
    id: u64,
    secret: Arc<[u8]>,
}

/// A certificate whose signature holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Whose it is: the hash of a name.
    pub subject: u64,
    /// Which of its issuer's it is.
    pub serial: u64,
    /// It holds from this moment on,
    pub not_before: WallTime,
    /// up to and including this one.
    pub not_after: WallTime,
}

/// Why a certificate is not accepted. The discriminants are codes for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum CertificateError {
    /// None was shown.
    Missing = 1,
    /// What was shown is none.
    BadEncoding = 2,
    /// Another authority signed it.
    UnknownIssuer = 3,
    /// Its authority did not sign this.
    BadSignature = 4,
    /// It is somebody else's.
    NotValidForName = 5,
    /// It is not valid yet.
    NotValidYet = 6,
    /// It is valid no more.
    Expired = 7,
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("peer sent no certificates"),
            other => write!(f, "invalid peer certificate: {other:?}"),
        }
    }
}

impl core::error::Error for CertificateError {}

impl Authority {
    /// The authority of this name. Its secret is made from the name, as the secrets of tokens are
    /// texts of their settings: whoever names it has it.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { id: hash_bytes(name.as_bytes()), secret: Arc::from(name.as_bytes()) }
    }

    /// Signs a certificate for `subject`, which holds from a minute ago for `lifetime` from `now` on.
    pub fn issue(
        &self,
        subject: u64,
        serial: u64,
        now: WallTime,
        lifetime: Duration,
    ) -> [u8; CERTIFICATE_BYTES] {
        let not_before = now.0.saturating_sub(BACKDATED.as_nanos());
        let not_after = now.0.saturating_add(lifetime.as_nanos());
        let mut bytes = [0; CERTIFICATE_BYTES];
        let fields = [self.id, subject, serial, not_before, not_after];
        for (field, place) in fields.iter().zip(bytes.chunks_exact_mut(8)) {
            place.copy_from_slice(&field.to_be_bytes());
        }
        let signature = self.signature(&bytes[..SIGNED_BYTES]);
        bytes[SIGNED_BYTES..].copy_from_slice(&signature);
        bytes
    }

    /// Verifies a certificate that was shown at `now`, by whoever is to be `subject`; by anybody
    /// where that is absent.
    ///
    /// # Errors
    /// When it is not to be accepted, and why.
    pub fn verify(
        &self,
        shown: &[u8],
        subject: Option<u64>,
        now: WallTime,
    ) -> Result<Certificate, CertificateError> {
        if shown.is_empty() {
            return Err(CertificateError::Missing);
        }
        let (issuer, certificate) = decode(shown).ok_or(CertificateError::BadEncoding)?;
        if issuer != self.id {
            return Err(CertificateError::UnknownIssuer);
        }
        let (signed, signature) = shown.split_at(SIGNED_BYTES);
        if !bool::from(self.signature(signed)[..].ct_eq(signature)) {
            return Err(CertificateError::BadSignature);
        }
        if subject.is_some_and(|subject| subject != certificate.subject) {
            return Err(CertificateError::NotValidForName);
        }
        if now < certificate.not_before {
            return Err(CertificateError::NotValidYet);
        }
        if now > certificate.not_after {
            return Err(CertificateError::Expired);
        }
        Ok(certificate)
    }

    fn signature(&self, signed: &[u8]) -> [u8; SIGNATURE_BYTES] {
        let mut hmac =
            Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes keys of any length");
        hmac.update(signed);
        hmac.finalize().into_bytes().into()
    }
}

/// What a certificate says, whoever signed it: its issuer and the rest.
fn decode(bytes: &[u8]) -> Option<(u64, Certificate)> {
    if bytes.len() != CERTIFICATE_BYTES {
        return None;
    }
    let mut cursor = Cursor::new(bytes);
    let issuer = cursor.u64().ok()?;
    let certificate = Certificate {
        subject: cursor.u64().ok()?,
        serial: cursor.u64().ok()?,
        not_before: WallTime(cursor.u64().ok()?),
        not_after: WallTime(cursor.u64().ok()?),
    };
    Some((issuer, certificate))
}

/// How long what was shown holds at `now`, whoever signed it; nothing where it is over or none.
#[must_use]
pub fn time_left(shown: &[u8], now: WallTime) -> Duration {
    let not_after = decode(shown).map_or(WallTime(0), |(_, certificate)| certificate.not_after);
    Duration((not_after.0 + 1).saturating_sub(now.0))
}

/// How long certificates hold, and whether they are renewed in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// How long one holds from when it is issued.
    pub lifetime: Duration,
    /// Whether a new one is fetched once two thirds of the life of the last are over.
    pub renews: bool,
}

/// What is asked of those who connect.
#[derive(Clone, Debug)]
pub enum ClientAuth {
    /// Nothing.
    Off,
    /// Any certificate, which is believed.
    Unverified,
    /// One that the authority signed and that holds.
    Required(Authority),
}

impl ClientAuth {
    /// Verifies what was shown at `now` by whoever is to be `subject`.
    ///
    /// # Errors
    /// When the connection is not to be accepted, and why.
    pub fn verify(
        &self,
        shown: &[u8],
        subject: u64,
        now: WallTime,
    ) -> Result<(), CertificateError> {
        match self {
            Self::Off => Ok(()),
            Self::Unverified if shown.is_empty() => Err(CertificateError::Missing),
            Self::Unverified => Ok(()),
            Self::Required(authority) => authority.verify(shown, Some(subject), now).map(drop),
        }
    }
}

/// What a node or a client shows of itself.
#[derive(Clone, Debug)]
pub struct Identity {
    authority: Authority,
    subject: u64,
    renewal: Renewal,
    /// The certificate in use, and when it was issued.
    current: Option<(WallTime, Vec<u8>)>,
    serial: u64,
}

impl Identity {
    /// That of `subject` in its boot with this number.
    #[must_use]
    pub const fn new(authority: Authority, renewal: Renewal, subject: u64, boot: u32) -> Self {
        Self { authority, subject, renewal, current: None, serial: (boot as u64) << 32 }
    }

    /// Fetches the first certificate, as a process does when it starts.
    #[must_use]
    pub fn booted(mut self, now: WallTime) -> Self {
        self.certificate(now);
        self
    }

    /// The certificate to show at `now`: a new one once two thirds of the last one's life are over,
    /// where it is renewed at all.
    pub fn certificate(&mut self, now: WallTime) -> &[u8] {
        let two_thirds = Duration(self.renewal.lifetime.as_nanos() / 3 * 2);
        let is_due = match &self.current {
            None => true,
            Some((issued, _)) => self.renewal.renews && now.0 >= issued.0 + two_thirds.as_nanos(),
        };
        if is_due {
            self.serial += 1;
            let issued =
                self.authority.issue(self.subject, self.serial, now, self.renewal.lifetime);
            self.current = Some((now, issued.to_vec()));
        }
        let (_, bytes) = self.current.as_ref().expect("it was issued");
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    const NOW: WallTime = WallTime(1_000_000_000_000);
    const LIFE: Duration = Duration::from_secs(10);

    fn at(after: Duration) -> WallTime {
        WallTime(NOW.0 + after.as_nanos())
    }

    #[test]
    fn a_certificate_holds_for_its_subject_and_its_time() {
        let authority = Authority::named("ours");
        let shown = authority.issue(7, 1, NOW, LIFE);
        let verify = |subject, now| authority.verify(&shown, subject, now).map(|c| c.subject);
        assert_eq!(verify(None, NOW), Ok(7));
        assert_eq!(verify(Some(7), NOW), Ok(7));
        assert_eq!(verify(Some(8), NOW), Err(CertificateError::NotValidForName));
        assert_eq!(verify(Some(7), at(LIFE)), Ok(7), "its last moment is part of it");
        let over = at(LIFE + Duration(1));
        assert_eq!(verify(Some(7), over), Err(CertificateError::Expired));
        let early = WallTime(NOW.0 - BACKDATED.as_nanos());
        assert_eq!(verify(Some(7), early), Ok(7));
        let too_early = WallTime(early.0 - 1);
        assert_eq!(verify(Some(7), too_early), Err(CertificateError::NotValidYet));
        assert_eq!(time_left(&shown, NOW), LIFE + Duration(1));
        assert_eq!(time_left(&shown, over), Duration::ZERO);
    }

    #[test]
    fn only_the_authority_makes_certificates() {
        let authority = Authority::named("ours");
        let shown = authority.issue(7, 1, NOW, LIFE);
        assert_eq!(authority.verify(&[], None, NOW), Err(CertificateError::Missing));
        let half = &shown[..CERTIFICATE_BYTES / 2];
        assert_eq!(authority.verify(half, None, NOW), Err(CertificateError::BadEncoding));
        let other = Authority::named("theirs").issue(7, 1, NOW, LIFE);
        assert_eq!(authority.verify(&other, None, NOW), Err(CertificateError::UnknownIssuer));
        for at in 0..CERTIFICATE_BYTES {
            let mut forged = shown;
            forged[at] ^= 1;
            let refused = authority.verify(&forged, None, NOW);
            let expect = if at < 8 { "UnknownIssuer" } else { "BadSignature" };
            let said = refused.expect_err("one bit is another certificate").to_string();
            assert_eq!(said, "invalid peer certificate: ".to_string() + expect, "bit {at}");
        }
        assert_eq!(CertificateError::Missing.to_string(), "peer sent no certificates");
    }

    #[test]
    fn an_identity_is_renewed_after_two_thirds_of_its_life() {
        let identity = |renews| Identity {
            authority: Authority::named("ours"),
            subject: 7,
            renewal: Renewal { lifetime: LIFE, renews },
            current: None,
            serial: 0,
        };
        let serial = |identity: &mut Identity, after: u64| {
            let now = at(Duration::from_millis(after));
            let shown = identity.certificate(now).to_vec();
            decode(&shown).expect("it is one").1.serial
        };
        let mut renewed = identity(true).booted(NOW);
        assert_eq!(
            [0, 6_600, 6_700, 13_000, 13_400].map(|at| serial(&mut renewed, at)),
            [1, 1, 2, 2, 3]
        );
        let mut kept = identity(false).booted(NOW);
        assert_eq!([0, 6_700, 60_000].map(|at| serial(&mut kept, at)), [1, 1, 1]);
    }
}
