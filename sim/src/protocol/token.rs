//! Tokens: what a client proves who it is by, and how a service is asked about one.
//!
//! A token is HMAC-SHA-256 (RFC 2104) of the client's name under a shared secret. It is compared in
//! constant time, so that how long a check takes says nothing about the right token.
//!
//! | message | source → target | meaning | bytes |
//! |---|---|---|---|
//! | question | whoever is shown a token → who has the secret | is it the token of this client? | id 8, client 8, token: rest |
//! | verdict | who has the secret → whoever asked | 1: it is; 0: it is not | id 8, 1 |

use super::frame::{Cursor, Malformed};
use alloc::vec::Vec;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The length of a token in bytes.
pub const TOKEN_BYTES: usize = 32;

/// The token of `client` under `secret`.
#[must_use]
pub fn token(secret: &[u8], client: u64) -> [u8; TOKEN_BYTES] {
    let mut hmac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    hmac.update(&client.to_be_bytes());
    hmac.finalize().into_bytes().into()
}

/// A question about a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// Repeated by its verdict.
    pub id: u64,
    /// Whose token it is to be.
    pub client: u64,
    /// What was shown.
    pub token: &'a [u8],
}

impl<'a> Question<'a> {
    /// Appends the question.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.id.to_be_bytes());
        out.extend_from_slice(&self.client.to_be_bytes());
        out.extend_from_slice(self.token);
    }

    /// Reads a question.
    ///
    /// # Errors
    /// When the bytes are not one.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut cursor = Cursor::new(bytes);
        Ok(Self { id: cursor.u64()?, client: cursor.u64()?, token: cursor.rest() })
    }

    /// The verdict of who has the secret.
    #[must_use]
    pub fn judge(&self, secret: &[u8]) -> Verdict {
        let granted = bool::from(token(secret, self.client)[..].ct_eq(self.token));
        Verdict { id: self.id, granted }
    }
}

/// What is said of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// That of the question.
    pub id: u64,
    /// Whether it is the token of its client.
    pub granted: bool,
}

impl Verdict {
    /// Appends the verdict.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.id.to_be_bytes());
        out.push(u8::from(self.granted));
    }

    /// Reads a verdict. Anything but a clear yes is a no.
    ///
    /// # Errors
    /// When the bytes are not one.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut cursor = Cursor::new(bytes);
        let (id, verdict) = (cursor.u64()?, cursor.u8()?);
        cursor.end()?;
        Ok(Self { id, granted: verdict == 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tokens_belong_to_one_client_and_one_secret() {
        assert_eq!(token(b"secret", 7), token(b"secret", 7));
        assert_ne!(token(b"secret", 7), token(b"secret", 8));
        assert_ne!(token(b"secret", 7), token(b"secreu", 7));
        let judge =
            |client, shown: &[u8]| Question { id: 3, client, token: shown }.judge(b"secret");
        let shown = token(b"secret", 7);
        assert_eq!(judge(7, &shown), Verdict { id: 3, granted: true });
        assert!(!judge(8, &shown).granted);
        assert!(!judge(7, &shown[1..]).granted);
    }

    proptest! {
        #[test]
        fn messages_round_trip(id in any::<u64>(), client in any::<u64>(), granted in any::<bool>()) {
            let mut bytes = Vec::new();
            let question = Question { id, client, token: b"token" };
            question.encode(&mut bytes);
            prop_assert_eq!(Question::decode(&bytes), Ok(question));
            let mut bytes = Vec::new();
            let verdict = Verdict { id, granted };
            verdict.encode(&mut bytes);
            prop_assert_eq!(Verdict::decode(&bytes), Ok(verdict));
        }

        #[test]
        fn arbitrary_bytes_never_panic_and_grant_nothing_by_accident(
            bytes in prop::collection::vec(any::<u8>(), 0..30),
        ) {
            let _ = Question::decode(&bytes);
            if let Ok(Verdict { granted, .. }) = Verdict::decode(&bytes) {
                prop_assert_eq!(granted, bytes[8] == 1);
            }
        }
    }
}
