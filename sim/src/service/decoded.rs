//! A message that arrived: read once at the door, looked at as often as its node likes.

use crate::protocol::frame::Malformed;
use alloc::vec::Vec;
use core::fmt;
use prost::Message;

/// A message of Protocol Buffers with the types that nodes work with, which borrow from it.
pub trait Wire: Message + Default + Clone {
    /// What it means.
    type View<'a>
    where
        Self: 'a;

    /// What it means.
    ///
    /// # Errors
    /// When it is well-formed and means nothing.
    fn view(&self) -> Result<Self::View<'_>, Malformed>;

    /// The id by which requests and answers find each other.
    fn id(&self) -> u64;

    /// Gives it another id.
    fn set_id(&mut self, id: u64);
}

/// A message that was read whole and means something.
#[derive(Clone, PartialEq, Eq)]
pub struct Decoded<M>(M);

impl<M: Wire> Decoded<M> {
    /// Reads a message.
    ///
    /// # Errors
    /// When the bytes are not one, or it means nothing.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let message = M::decode(bytes).map_err(|_| Malformed("it is no message"))?;
        message.view()?;
        Ok(Self(message))
    }

    /// The id by which requests and answers find each other.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.0.id()
    }

    /// What it means.
    #[must_use]
    pub fn view(&self) -> M::View<'_> {
        self.0.view().expect("it was read when it arrived")
    }

    /// How long it is, in bytes.
    #[must_use]
    pub fn len_bytes(&self) -> u64 {
        self.0.encoded_len() as u64
    }

    /// Appends it again, under another id.
    pub fn pass_on(&mut self, id: u64, out: &mut Vec<u8>) {
        self.0.set_id(id);
        put(&self.0, out);
    }
}

impl<M: fmt::Debug> fmt::Debug for Decoded<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Appends a message.
pub fn put(message: &impl Message, out: &mut Vec<u8>) {
    message.encode(out).expect("a vector takes every message");
}
