//! Frames on a byte stream: a 4-byte big-endian length, then that many bytes.
//!
//! A stream has no message boundaries: the host may split and merge what was written, as TCP does
//! (RFC 9293 §3.8). Start with [`write()`] to send and [`Decoder::feed`] to receive; [`Cursor`] reads
//! the fields of one frame.

mod cursor;
mod decoder;

pub use cursor::{Cursor, Malformed};
pub use decoder::{Decoder, FrameTooLong, Frames};

use alloc::vec::Vec;

/// The longest frame, without its length: 16 MiB. A longer one is a broken or hostile peer.
pub const FRAME_BYTES_MAX: u32 = 16 << 20;

/// The bytes of the length in front of each frame.
pub const HEADER_BYTES: usize = 4;

/// Appends one frame whose content `encode` appends.
pub fn write(out: &mut Vec<u8>, encode: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_BYTES]);
    encode(out);
    let content_start = start + HEADER_BYTES;
    assert!(out.len() >= content_start, "an encoder only appends");
    let len_bytes = (out.len() - content_start) as u64;
    assert!(
        len_bytes <= u64::from(FRAME_BYTES_MAX),
        "a sender splits what does not fit into a frame"
    );
    out[start..content_start].copy_from_slice(&(len_bytes as u32).to_be_bytes());
}
