//! MessagePack, as far as gossip needs it: maps with the keys of upstream's structures.
//!
//! The reader takes maps in any order, skips keys that it does not know, and allocates no more than
//! the bytes at hand allow: a length that a frame claims is never believed before its content is there.

use crate::protocol::frame::{Cursor, Malformed};
use alloc::vec::Vec;

/// How deep values that are skipped may lie in each other.
const DEPTH_MAX: u32 = 8;

/// A value with a form in MessagePack.
pub trait Packed<'a>: Sized {
    /// Appends it.
    fn pack(&self, out: &mut Vec<u8>);
    /// Reads it.
    ///
    /// # Errors
    /// When the bytes are no such value.
    fn unpack(reader: &mut Reader<'a>) -> Result<Self, Malformed>;
}

/// Declares a structure that is a map with these keys on the wire.
macro_rules! record {
    (
        $(#[$doc:meta])* $vis:vis struct $name:ident $(<$life:lifetime>)? {
            $($(#[$field_doc:meta])* $field:ident: $type:ty = $key:literal,)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        $vis struct $name $(<$life>)? {
            $($(#[$field_doc])* $vis $field: $type,)+
        }

        impl<'a> $crate::protocol::swim::msgpack::Packed<'a> for $name $(<$life>)? {
            fn pack(&self, out: &mut alloc::vec::Vec<u8>) {
                $crate::protocol::swim::msgpack::map(out, [$($key),+].len());
                $(
                    $crate::protocol::swim::msgpack::text(out, $key);
                    self.$field.pack(out);
                )+
            }

            fn unpack(
                reader: &mut $crate::protocol::swim::msgpack::Reader<'a>,
            ) -> Result<Self, $crate::protocol::frame::Malformed> {
                $(let mut $field = None;)+
                for _ in 0..reader.map_len()? {
                    let key = reader.raw()?;
                    $(if key == $key.as_bytes() {
                        $field = Some($crate::protocol::swim::msgpack::Packed::unpack(reader)?);
                        continue;
                    })+
                    reader.skip()?;
                }
                let missing = $crate::protocol::frame::Malformed("a key is missing");
                Ok(Self { $($field: $field.ok_or(missing)?,)+ })
            }
        }
    };
}
pub(crate) use record;

/// Reads values from the front of some bytes.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(Cursor<'a>);

impl<'a> Reader<'a> {
    /// At the start of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(Cursor::new(bytes))
    }

    /// One value, and nothing after it.
    ///
    /// # Errors
    /// When the bytes are something else.
    pub fn whole<T: Packed<'a>>(bytes: &'a [u8]) -> Result<T, Malformed> {
        let mut reader = Self::new(bytes);
        let value = T::unpack(&mut reader)?;
        reader.0.end()?;
        Ok(value)
    }

    /// A number that is not negative.
    ///
    /// # Errors
    /// When it is something else.
    pub fn uint(&mut self) -> Result<u64, Malformed> {
        match self.0.u8()? {
            fix @ 0..=0x7f => Ok(u64::from(fix)),
            0xcc => Ok(u64::from(self.0.u8()?)),
            0xcd => Ok(u64::from(self.0.u16()?)),
            0xce => Ok(u64::from(self.0.u32()?)),
            0xcf => self.0.u64(),
            _ => Err(Malformed("a number was expected")),
        }
    }

    /// Bytes or text, borrowed.
    ///
    /// # Errors
    /// When it is something else.
    pub fn raw(&mut self) -> Result<&'a [u8], Malformed> {
        let len = match self.0.u8()? {
            fix @ 0xa0..=0xbf => u32::from(fix & 0x1f),
            0xc4 | 0xd9 => u32::from(self.0.u8()?),
            0xc5 | 0xda => u32::from(self.0.u16()?),
            0xc6 | 0xdb => self.0.u32()?,
            _ => return Err(Malformed("bytes were expected")),
        };
        self.0.bytes(len)
    }

    /// How many pairs the map has that begins here.
    ///
    /// # Errors
    /// When none begins here.
    pub fn map_len(&mut self) -> Result<u32, Malformed> {
        match self.0.u8()? {
            fix @ 0x80..=0x8f => Ok(u32::from(fix & 0x0f)),
            0xde => Ok(u32::from(self.0.u16()?)),
            0xdf => self.0.u32(),
            _ => Err(Malformed("a map was expected")),
        }
    }

    /// How many items the array has that begins here.
    ///
    /// # Errors
    /// When none begins here.
    pub fn array_len(&mut self) -> Result<u32, Malformed> {
        match self.0.u8()? {
            fix @ 0x90..=0x9f => Ok(u32::from(fix & 0x0f)),
            0xdc => Ok(u32::from(self.0.u16()?)),
            0xdd => self.0.u32(),
            _ => Err(Malformed("an array was expected")),
        }
    }

    /// Passes over one value of any kind.
    ///
    /// # Errors
    /// When it is not whole, or too deep.
    pub fn skip(&mut self) -> Result<(), Malformed> {
        self.skip_below(DEPTH_MAX)
    }

    fn skip_below(&mut self, depth: u32) -> Result<(), Malformed> {
        let Some(below) = depth.checked_sub(1) else {
            return Err(Malformed("values lie too deep in each other"));
        };
        let (bytes, values) = match self.0.u8()? {
            0..=0x7f | 0xc0..=0xc3 | 0xe0..=0xff => (0, 0),
            fix @ 0x80..=0x8f => (0, 2 * u64::from(fix & 0x0f)),
            fix @ 0x90..=0x9f => (0, u64::from(fix & 0x0f)),
            fix @ 0xa0..=0xbf => (u32::from(fix & 0x1f), 0),
            0xc4 | 0xd9 => (u32::from(self.0.u8()?), 0),
            0xc5 | 0xda => (u32::from(self.0.u16()?), 0),
            0xc6 | 0xdb => (self.0.u32()?, 0),
            0xc7 => (u32::from(self.0.u8()?) + 1, 0),
            0xc8 => (u32::from(self.0.u16()?) + 1, 0),
            0xc9 => (self.0.u32()?.saturating_add(1), 0),
            0xcc | 0xd0 => (1, 0),
            0xcd | 0xd1 | 0xd4 => (2, 0),
            0xd5 => (3, 0),
            0xca | 0xce | 0xd2 => (4, 0),
            0xd6 => (5, 0),
            0xcb | 0xcf | 0xd3 => (8, 0),
            0xd7 => (9, 0),
            0xd8 => (17, 0),
            0xdc => (0, u64::from(self.0.u16()?)),
            0xdd => (0, u64::from(self.0.u32()?)),
            0xde => (0, 2 * u64::from(self.0.u16()?)),
            0xdf => (0, 2 * u64::from(self.0.u32()?)),
        };
        self.0.bytes(bytes)?;
        (0..values).try_for_each(|_| self.skip_below(below))
    }
}

/// Appends a number in its shortest form.
pub fn uint(out: &mut Vec<u8>, value: u64) {
    match value {
        0..=0x7f => out.push(value as u8),
        0x80..=0xff => out.extend_from_slice(&[0xcc, value as u8]),
        0x100..=0xffff => {
            out.push(0xcd);
            out.extend_from_slice(&(value as u16).to_be_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            out.push(0xce);
            out.extend_from_slice(&(value as u32).to_be_bytes());
        }
        _ => {
            out.push(0xcf);
            out.extend_from_slice(&value.to_be_bytes());
        }
    }
}

/// Appends a short text.
pub fn text(out: &mut Vec<u8>, text: &str) {
    assert!(text.len() < 32, "keys are short");
    out.push(0xa0 | text.len() as u8);
    out.extend_from_slice(text.as_bytes());
}

/// Begins a map of so many pairs.
pub fn map(out: &mut Vec<u8>, pairs: usize) {
    assert!(pairs < 16, "records are small");
    out.push(0x80 | pairs as u8);
}

fn array(out: &mut Vec<u8>, items: usize) {
    if let Ok(short) = u16::try_from(items) {
        out.push(0xdc);
        out.extend_from_slice(&short.to_be_bytes());
    } else {
        out.push(0xdd);
        out.extend_from_slice(&(items as u32).to_be_bytes());
    }
}

impl<'a> Packed<'a> for u64 {
    fn pack(&self, out: &mut Vec<u8>) {
        uint(out, *self);
    }
    fn unpack(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        reader.uint()
    }
}

impl<'a> Packed<'a> for u32 {
    fn pack(&self, out: &mut Vec<u8>) {
        uint(out, u64::from(*self));
    }
    fn unpack(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        Self::try_from(reader.uint()?).map_err(|_| Malformed("a number is too great"))
    }
}

impl<'a> Packed<'a> for bool {
    fn pack(&self, out: &mut Vec<u8>) {
        out.push(0xc2 | u8::from(*self));
    }
    fn unpack(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        match reader.0.u8()? {
            0xc2 => Ok(false),
            0xc3 => Ok(true),
            _ => Err(Malformed("true or false was expected")),
        }
    }
}

impl<'a> Packed<'a> for &'a [u8] {
    fn pack(&self, out: &mut Vec<u8>) {
        match self.len() {
            len @ 0..=0xff => out.extend_from_slice(&[0xc4, len as u8]),
            len @ 0x100..=0xffff => {
                out.push(0xc5);
                out.extend_from_slice(&(len as u16).to_be_bytes());
            }
            len => {
                out.push(0xc6);
                out.extend_from_slice(&(len as u32).to_be_bytes());
            }
        }
        out.extend_from_slice(self);
    }
    fn unpack(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        reader.raw()
    }
}

impl<'a, T: Packed<'a>> Packed<'a> for Vec<T> {
    fn pack(&self, out: &mut Vec<u8>) {
        array(out, self.len());
        self.iter().for_each(|item| item.pack(out));
    }
    fn unpack(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        // Not more is set aside than there are bytes, whatever the length claims.
        let claimed = reader.array_len()?;
        let mut items = Self::with_capacity((claimed as usize).min(reader.0.rest().len() / 8));
        for _ in 0..claimed {
            items.push(T::unpack(reader)?);
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    record! {
        struct Sample<'a> {
            small: u32 = "Small",
            large: u64 = "Large",
            flag: bool = "Flag",
            bytes: &'a [u8] = "Bytes",
            list: Vec<u32> = "List",
        }
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(
            small: u32, large: u64, flag: bool,
            bytes in proptest::collection::vec(any::<u8>(), 0..400),
            list in proptest::collection::vec(any::<u32>(), 0..20),
        ) {
            let sample = Sample { small, large, flag, bytes: &bytes, list };
            let mut out = Vec::new();
            sample.pack(&mut out);
            prop_assert_eq!(Reader::whole::<Sample<'_>>(&out), Ok(sample));
        }

        #[test]
        fn hostile_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = Reader::whole::<Sample<'_>>(&bytes);
            let _ = Reader::new(&bytes).skip();
        }
    }

    #[test]
    fn lengths_are_not_believed() {
        let claims = [0xdd, 0xff, 0xff, 0xff, 0xff];
        assert!(Reader::whole::<Vec<u32>>(&claims).is_err());
        let deep = [0x91_u8; 64];
        assert!(Reader::new(&deep).skip().is_err());
        assert!(Reader::new(&[0xc6, 0xff, 0xff, 0xff, 0xff, 1]).raw().is_err());
    }

    #[test]
    fn keys_come_in_any_order_and_strange_ones_are_passed_over() {
        record! { struct Pair { one: u32 = "One", two: u32 = "Two", } }
        let mut out = Vec::new();
        map(&mut out, 3);
        for (key, value) in [("Two", 2), ("Three", 3), ("One", 1)] {
            text(&mut out, key);
            uint(&mut out, value);
        }
        assert_eq!(Reader::whole(&out), Ok(Pair { one: 1, two: 2 }));
        out[0] = 0x81;
        out.truncate(6);
        assert!(Reader::whole::<Pair>(&out).is_err(), "a key is missing");
    }
}
