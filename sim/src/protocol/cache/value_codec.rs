//! How values are kept: compressed where that pays, tagged so that damage is noticed, and zeroed
//! before their memory goes back.
//!
//! Start with [`ValueCodec`]. The tag is HMAC-SHA-256 (RFC 2104, FIPS 180-4) over the key and the bytes
//! as they are kept. The modelled codebase signs the value alone; with the key under the tag, a value
//! that turns up under another key is noticed as well. Values over [`COMPRESS_OVER_BYTES`] are kept
//! as LZ4 blocks when that makes them smaller.

use super::entry::{Entry, Flags};
use super::error::StoreError;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// Values up to this length are kept as they are: below it a block saves less than it costs.
pub const COMPRESS_OVER_BYTES: u64 = 1024;

/// The length of a tag in bytes.
pub const TAG_BYTES: usize = 32;

/// The bytes of a kept value. What they occupy is zeroed before it is freed, so that neither a dump
/// of the memory nor the next owner of it finds values that are gone.
#[derive(Clone, PartialEq, Eq)]
pub struct Bytes(Vec<u8>);

impl Bytes {
    /// A copy of `bytes`.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// Holds `bytes` instead. In place where they fit, and what they do not cover is zeroed.
    pub fn replace(&mut self, bytes: &[u8]) {
        if bytes.len() > self.0.capacity() {
            *self = Self::new(bytes);
            return;
        }
        self.wipe();
        self.0.clear();
        self.0.extend_from_slice(bytes);
    }

    /// Zeroes what is held. Room behind it was never written, or wiped before.
    fn wipe(&mut self) {
        self.0.as_mut_slice().zeroize();
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        self.wipe();
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bytes({} B)", self.0.len())
    }
}

/// A value as its writer wrote it.
#[derive(Debug)]
pub enum Decoded<'a> {
    /// It is kept like that.
    Kept(&'a [u8]),
    /// It had to be decompressed.
    Inflated(Zeroizing<Vec<u8>>),
}

impl Deref for Decoded<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Kept(bytes) => bytes,
            Self::Inflated(bytes) => bytes,
        }
    }
}

/// Seals values when they are stored, and opens them when they are read.
#[derive(Clone)]
pub struct ValueCodec {
    /// Keyed once; each tag starts from a copy.
    hmac: Hmac<Sha256>,
    /// Whether values over [`COMPRESS_OVER_BYTES`] are compressed.
    compresses: bool,
}

impl ValueCodec {
    /// A codec with the secret `hmac_key`.
    #[must_use]
    pub fn new(hmac_key: &[u8], compresses: bool) -> Self {
        let hmac = Hmac::new_from_slice(hmac_key).expect("HMAC takes keys of any length");
        Self { hmac, compresses }
    }

    /// What to keep for `value`, and its flags.
    #[must_use]
    pub fn encode<'a>(&self, key: &[u8], value: &'a [u8]) -> (Flags, Decoded<'a>) {
        let kept = match self.compresses && value.len() as u64 > COMPRESS_OVER_BYTES {
            true => compressed(value),
            false => Decoded::Kept(value),
        };
        let compressed = matches!(kept, Decoded::Inflated(_));
        let tag = self.tag(key, &kept);
        (Flags { compressed, encrypted: false, tag }, kept)
    }

    /// The value of `entry`, once its tag was verified in constant time.
    ///
    /// # Errors
    /// When the bytes are not those that were sealed under this key.
    pub fn open<'a>(&self, entry: &'a Entry) -> Result<Decoded<'a>, StoreError> {
        let tag = self.tag(entry.key.as_bytes(), &entry.value);
        if !bool::from(tag.ct_eq(&entry.flags.tag)) {
            return Err(StoreError::HmacVerificationFailed);
        }
        match entry.flags.compressed {
            false => Ok(Decoded::Kept(&entry.value)),
            true => decompressed(&entry.value).map(Decoded::Inflated),
        }
    }

    fn tag(&self, key: &[u8], kept: &[u8]) -> [u8; TAG_BYTES] {
        let mut hmac = self.hmac.clone();
        // The length keeps the end of the key apart from the start of the value.
        hmac.update(&(key.len() as u64).to_be_bytes());
        hmac.update(key);
        hmac.update(kept);
        hmac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for ValueCodec {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValueCodec").field("compresses", &self.compresses).finish_non_exhaustive()
    }
}

/// The length of the length in front of a block.
const LEN_BYTES: usize = 4;

/// `value` as a block behind its length, unless that is no shorter.
fn compressed(value: &[u8]) -> Decoded<'_> {
    let len = u32::try_from(value.len()).expect("a value has a limit far below 4 GiB");
    let mut block = vec![0; LEN_BYTES + lz4_flex::block::get_maximum_output_size(value.len())];
    block[..LEN_BYTES].copy_from_slice(&len.to_be_bytes());
    let written = lz4_flex::block::compress_into(value, &mut block[LEN_BYTES..])
        .expect("the buffer has the length that the library asks for");
    block.truncate(LEN_BYTES + written);
    let block = Zeroizing::new(block);
    if block.len() < value.len() { Decoded::Inflated(block) } else { Decoded::Kept(value) }
}

fn decompressed(block: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let Some((len, block)) = block.split_first_chunk::<LEN_BYTES>() else {
        return Err(StoreError::SerializationError("a compressed value without a length"));
    };
    let len = u32::from_be_bytes(*len);
    // The tag was good, so the length is what `compressed` wrote; the bound costs nothing.
    if u64::from(len) > super::store::VALUE_BYTES_MAX {
        return Err(StoreError::SerializationError(
            "a compressed value that claims to be too long",
        ));
    }
    let mut value = Zeroizing::new(vec![0; len as usize]);
    match lz4_flex::block::decompress_into(block, &mut value) {
        Ok(written) if written == value.len() => Ok(value),
        _ => Err(StoreError::SerializationError("a compressed value that does not decompress")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::Key;
    use super::*;
    use alloc::sync::Arc;
    use proptest::prelude::*;

    fn sealed(codec: &ValueCodec, key: &[u8], value: &[u8]) -> Entry {
        let (flags, kept) = codec.encode(key, value);
        Entry {
            key: Key::new(key),
            value: Arc::new(Bytes::new(&kept)),
            version: 1,
            ttl: None,
            created_at: 0,
            flags,
        }
    }

    #[test]
    fn the_tag_is_hmac_sha_256() {
        // RFC 4231, test case 2, without our framing of key and value.
        let mut hmac = ValueCodec::new(b"Jefe", true).hmac;
        hmac.update(b"what do ya want for nothing?");
        let tag: [u8; TAG_BYTES] = hmac.finalize().into_bytes().into();
        assert_eq!(tag[..8], [0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e]);
    }

    #[test]
    fn every_flipped_bit_is_noticed_and_never_served() {
        let codec = ValueCodec::new(b"secret", true);
        let entry = sealed(&codec, b"key", b"a value of some length");
        assert_eq!(&*codec.open(&entry).unwrap(), b"a value of some length");
        for bit in 0..entry.value.len() * 8 {
            let mut bytes = entry.value.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let damaged = Entry { value: Arc::new(Bytes::new(&bytes)), ..entry.clone() };
            assert_eq!(codec.open(&damaged).unwrap_err(), StoreError::HmacVerificationFailed);
        }
        let moved = Entry { key: Key::new(b"kez"), ..entry.clone() };
        assert!(codec.open(&moved).is_err());
        assert!(ValueCodec::new(b"secreu", true).open(&entry).is_err());
        let mut forged = entry.clone();
        forged.flags.tag[31] ^= 1;
        assert!(codec.open(&forged).is_err());
    }

    #[test]
    fn only_long_values_that_shrink_are_compressed() {
        let check = |value: &[u8], compresses, expect| {
            let codec = ValueCodec::new(b"k", compresses);
            let entry = sealed(&codec, b"key", value);
            assert_eq!(entry.flags.compressed, expect, "{} bytes", value.len());
            assert_eq!(&*codec.open(&entry).unwrap(), value);
            entry.value.len()
        };
        assert_eq!(check(&[7; 1024], true, false), 1024);
        assert!(check(&[7; 1025], true, true) < 100);
        assert_eq!(check(&[7; 1025], false, false), 1025);
        // Nothing repeats within reach of a match.
        let noise: Vec<u8> =
            (0..400_u64).flat_map(|i| contract::hash::mix(i, 9).to_be_bytes()).collect();
        assert_eq!(check(&noise, true, false), noise.len());
    }

    #[test]
    fn what_is_let_go_is_zeroed() {
        let mut bytes = Bytes::new(b"a long secret");
        bytes.wipe();
        assert_eq!(&*bytes, [0; 13]);
    }

    #[test]
    fn a_value_that_fits_takes_the_place_of_the_old() {
        let mut bytes = Bytes::new(b"a long secret");
        let at = bytes.as_ptr();
        bytes.replace(b"short");
        assert_eq!((&*bytes, bytes.as_ptr()), (&b"short"[..], at));
        bytes.replace(b"longer than the room that is there");
        assert_eq!(&*bytes, b"longer than the room that is there");
    }

    proptest! {
        #[test]
        fn values_come_back(
            key in prop::collection::vec(any::<u8>(), 0..20),
            pattern in prop::collection::vec(any::<u8>(), 1..40),
            repeats in 1_usize..200,
        ) {
            let value: Vec<u8> = pattern.repeat(repeats);
            let codec = ValueCodec::new(b"secret", true);
            let entry = sealed(&codec, &key, &value);
            prop_assert_eq!(&*codec.open(&entry).unwrap(), &value[..]);
        }

        #[test]
        fn arbitrary_blocks_never_panic(block in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(value) = decompressed(&block) {
                prop_assert!(value.len() as u64 <= super::super::store::VALUE_BYTES_MAX);
            }
        }
    }
}
