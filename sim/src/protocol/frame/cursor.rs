//! Reads big-endian fields from one frame; a short or odd frame is an error, never a panic.

use core::fmt;

/// The bytes are not a message of this protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed message: {}", self.0)
    }
}

/// A position in the bytes of a frame.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    rest: &'a [u8],
}

macro_rules! integer {
    ($name:ident, $type:ty) => {
        /// The next integer, big-endian.
        ///
        /// # Errors
        /// When the frame ends before it.
        pub fn $name(&mut self) -> Result<$type, Malformed> {
            let (head, rest) =
                self.rest.split_first_chunk().ok_or(Malformed("it ends inside an integer"))?;
            self.rest = rest;
            Ok(<$type>::from_be_bytes(*head))
        }
    };
}

impl<'a> Cursor<'a> {
    /// At the start of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    integer!(u8, u8);
    integer!(u16, u16);
    integer!(u32, u32);
    integer!(u64, u64);

    /// The next `len_bytes` bytes, borrowed.
    ///
    /// # Errors
    /// When the frame ends before them.
    pub fn bytes(&mut self, len_bytes: u32) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self
            .rest
            .split_at_checked(len_bytes as usize)
            .ok_or(Malformed("it ends inside a field"))?;
        self.rest = rest;
        Ok(head)
    }

    /// Everything that is left.
    #[must_use]
    pub fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// When something is.
    pub fn end(self) -> Result<(), Malformed> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Malformed("it goes on after its last field"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_there_and_refuses_the_rest() {
        let mut cursor = Cursor::new(&[7, 0, 1, 9, 9, 9]);
        assert_eq!(cursor.u8(), Ok(7));
        assert_eq!(cursor.u16(), Ok(1));
        assert_eq!(cursor.bytes(2), Ok(&[9_u8, 9][..]));
        assert!(cursor.end().is_err());
        assert!(cursor.u64().is_err());
        assert_eq!(cursor.u8(), Ok(9));
        assert_eq!(cursor.end(), Ok(()));
        assert!(cursor.bytes(1).is_err());
    }
}
