//! The role `auth`: says whether a token is good.
//!
//! A service of its own, because checking tokens is bound by the processor and scales apart from the
//! gateway. A token is HMAC-SHA-256 of the client's name under a shared secret; it is compared in
//! constant time, so that how long a check takes says nothing about the right token.
//!
//! | message | source → target | meaning | bytes |
//! |---|---|---|---|
//! | ask | gateway → auth | is this the token of this client? | id 8, client 8, token: rest |
//! | verdict | auth → gateway | 1: it is; 0: it is not | id 8, 1 |

use super::conns::Conns;
use super::desk::{DESK, Desk, draw};
use super::tables::Event;
use crate::protocol::frame::{self, Cursor, Malformed};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use catalog::Seat;
use contract::{ConnId, Dist, Duration, Fx, Input, Node, Now};
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

/// Appends a question.
pub fn encode_ask(id: u64, client: u64, token: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&id.to_be_bytes());
    out.extend_from_slice(&client.to_be_bytes());
    out.extend_from_slice(token);
}

/// Reads a question: its id, the client, the token.
///
/// # Errors
/// When the bytes are not one.
pub fn decode_ask(bytes: &[u8]) -> Result<(u64, u64, &[u8]), Malformed> {
    let mut cursor = Cursor::new(bytes);
    Ok((cursor.u64()?, cursor.u64()?, cursor.rest()))
}

/// Appends a verdict.
pub fn encode_verdict(id: u64, granted: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(&id.to_be_bytes());
    out.push(u8::from(granted));
}

/// Reads a verdict and the id of its question. Anything but a clear yes is a no.
///
/// # Errors
/// When the bytes are not one.
pub fn decode_verdict(bytes: &[u8]) -> Result<(u64, bool), Malformed> {
    let mut cursor = Cursor::new(bytes);
    let (id, verdict) = (cursor.u64()?, cursor.u8()?);
    cursor.end()?;
    Ok((id, verdict == 1))
}

/// An auth node.
#[derive(Clone, Debug)]
pub struct Auth {
    secret: Arc<[u8]>,
    /// Processor time of one check, in nanoseconds.
    service: Arc<Dist>,
    conns: Conns,
    desk: Desk,
}

impl Auth {
    /// Boots an auth node.
    #[must_use]
    pub fn boot(seat: &Seat<'_>) -> Self {
        Self {
            secret: Arc::from(seat.settings.text("secret").as_bytes()),
            service: Arc::new(seat.settings.dist("service")),
            conns: Conns::default(),
            desk: Desk::default(),
        }
    }

    fn on_data(&mut self, conn: ConnId, bytes: &[u8], fx: &mut Fx<'_>) {
        let Some(mut decoder) = self.conns.take(conn) else { return };
        let intact = decoder.feed_each(bytes, |frame| self.on_ask(conn, frame, fx));
        self.conns.settle(conn, decoder, intact, bytes.len() as u64, fx);
    }

    /// Takes one question in; false where it is none and the connection must go.
    fn on_ask(&mut self, conn: ConnId, frame: &[u8], fx: &mut Fx<'_>) -> bool {
        if decode_ask(frame).is_err() {
            return false;
        }
        match draw(&self.service, 1, fx) {
            Duration::ZERO => self.answer(conn, frame, fx),
            cost => self.desk.lay(conn, frame, cost, fx),
        }
        true
    }

    fn answer(&self, conn: ConnId, ask: &[u8], fx: &mut Fx<'_>) {
        let (id, client, given) = decode_ask(ask).expect("it was read when it arrived");
        let granted = bool::from(token(&self.secret, client)[..].ct_eq(given));
        fx.mark(Event::AuthChecked.row(), [u64::from(granted), 0, 0], 0);
        fx.write(conn, |out| frame::write(out, |out| encode_verdict(id, granted, out)));
    }
}

impl Node for Auth {
    fn on_input(&mut self, _: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        let done = self.desk.take();
        done.iter().for_each(|(conn, ask)| self.answer(conn, ask, fx));
        self.desk.give_back(done);
        match input {
            Input::Opened { conn, .. } => self.conns.opened(conn),
            Input::Data { conn, bytes } => self.on_data(conn, bytes, fx),
            Input::Closed { conn, .. } => self.conns.closed(conn),
            // The desk was worked off above; nobody sends datagrams to an auth node.
            Input::Timer(DESK) | Input::Datagram { .. } => {}
            other => panic!("an auth node asked for nothing that {other:?} answers"),
        }
    }

    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }

    fn memory_bytes(&self) -> u64 {
        self.conns.buffered_bytes() + self.desk.size_bytes()
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
    }

    proptest! {
        #[test]
        fn messages_round_trip(id in any::<u64>(), client in any::<u64>(), granted in any::<bool>()) {
            let mut bytes = Vec::new();
            encode_ask(id, client, b"token", &mut bytes);
            prop_assert_eq!(decode_ask(&bytes), Ok((id, client, &b"token"[..])));
            bytes.clear();
            encode_verdict(id, granted, &mut bytes);
            prop_assert_eq!(decode_verdict(&bytes), Ok((id, granted)));
        }

        #[test]
        fn arbitrary_bytes_never_panic_and_grant_nothing_by_accident(
            bytes in prop::collection::vec(any::<u8>(), 0..30),
        ) {
            let _ = decode_ask(&bytes);
            if let Ok((_, granted)) = decode_verdict(&bytes) {
                prop_assert_eq!(granted, bytes[8] == 1);
            }
        }
    }
}
