//! The bytes of messages under way: pooled buffers that are used again.
//!
//! A short message stands in a slot of two cache lines, all slots side by side: one access finds
//! it, and copying the pool is copying an array. A longer one has a buffer of its own.

use alloc::vec::Vec;

/// One buffer of the pool; the highest bit says that it is a long one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameId(u32);

const LONG: u32 = 1 << 31;

/// The longest message that fits into a slot.
const SHORT_BYTES_MAX: usize = 127;

/// A larger buffer is given back to the allocator, so that a few long messages do not make every
/// buffer of the pool large.
const KEPT_BYTES_MAX: usize = 16 * 1024;

/// The pool.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frames {
    short: Vec<Short>,
    short_free: Vec<u32>,
    long: Vec<Vec<u8>>,
    long_free: Vec<u32>,
    /// Where two frames are put together.
    joined: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Short {
    bytes: [u8; SHORT_BYTES_MAX],
    len_bytes: u8,
}

const _: () = assert!(size_of::<Short>() == 128);

impl Frames {
    /// Stores a copy of `bytes`.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) -> FrameId {
        if bytes.len() > SHORT_BYTES_MAX {
            return self.put_long(bytes);
        }
        let id = self.short_free.pop().unwrap_or_else(|| {
            self.short.push(Short { bytes: [0; SHORT_BYTES_MAX], len_bytes: 0 });
            (self.short.len() - 1) as u32
        });
        let slot = &mut self.short[id as usize];
        slot.bytes[..bytes.len()].copy_from_slice(bytes);
        slot.len_bytes = bytes.len() as u8;
        FrameId(id)
    }

    fn put_long(&mut self, bytes: &[u8]) -> FrameId {
        let id = self.long_free.pop().unwrap_or_else(|| {
            self.long.push(Vec::new());
            (self.long.len() - 1) as u32
        });
        let buffer = &mut self.long[id as usize];
        assert!(buffer.is_empty(), "a free buffer was cleared");
        buffer.extend_from_slice(bytes);
        FrameId(id | LONG)
    }

    /// Stores a second copy of a frame.
    pub fn put_copy(&mut self, of: FrameId) -> FrameId {
        if of.0 & LONG == 0 {
            let Short { bytes, len_bytes } = self.short[of.0 as usize];
            return self.put(&bytes[..usize::from(len_bytes)]);
        }
        let at = (of.0 & !LONG) as usize;
        let bytes = core::mem::take(&mut self.long[at]);
        let copy = self.put_long(&bytes);
        self.long[at] = bytes;
        copy
    }

    /// The bytes of a frame.
    #[inline]
    pub fn get(&self, id: FrameId) -> &[u8] {
        if id.0 & LONG == 0 {
            let slot = &self.short[id.0 as usize];
            &slot.bytes[..usize::from(slot.len_bytes)]
        } else {
            &self.long[(id.0 & !LONG) as usize]
        }
    }

    /// Some byte of a frame.
    #[inline]
    pub fn peek(&self, id: FrameId) -> u8 {
        if id.0 & LONG == 0 {
            let slot = &self.short[id.0 as usize];
            slot.bytes[0] ^ slot.len_bytes
        } else {
            self.long[(id.0 & !LONG) as usize].first().copied().unwrap_or(0)
        }
    }

    /// Flips bit `bit` of a frame, counted modulo its length. An empty frame stays as it is.
    pub fn flip(&mut self, id: FrameId, bit: u64) {
        let bytes = if id.0 & LONG == 0 {
            let slot = &mut self.short[id.0 as usize];
            &mut slot.bytes[..usize::from(slot.len_bytes)]
        } else {
            &mut self.long[(id.0 & !LONG) as usize][..]
        };
        if !bytes.is_empty() {
            let bit = bit % (bytes.len() as u64 * 8);
            bytes[(bit / 8) as usize] ^= 1 << (bit % 8);
        }
    }

    /// Gives `head` and `tail` back for a frame of the bytes of both.
    pub fn join(&mut self, head: FrameId, tail: FrameId) -> FrameId {
        assert_ne!(head, tail, "a frame is not joined to itself");
        if head.0 & LONG != 0 {
            let at = (head.0 & !LONG) as usize;
            let mut bytes = core::mem::take(&mut self.long[at]);
            bytes.extend_from_slice(self.get(tail));
            self.long[at] = bytes;
            self.release(tail);
            return head;
        }
        let mut bytes = core::mem::take(&mut self.joined);
        bytes.extend_from_slice(self.get(head));
        bytes.extend_from_slice(self.get(tail));
        self.release(head);
        self.release(tail);
        let joined = self.put(&bytes);
        bytes.clear();
        self.joined = bytes;
        joined
    }

    /// Gives a frame back.
    #[inline]
    pub fn release(&mut self, id: FrameId) {
        if id.0 & LONG == 0 {
            self.short_free.push(id.0);
            assert!(self.short_free.len() <= self.short.len(), "a frame is given back once");
            return;
        }
        let buffer = &mut self.long[(id.0 & !LONG) as usize];
        if buffer.capacity() > KEPT_BYTES_MAX {
            *buffer = Vec::new();
        }
        buffer.clear();
        self.long_free.push(id.0 & !LONG);
        assert!(self.long_free.len() <= self.long.len(), "a frame is given back once");
    }

    /// How many frames are in use.
    #[cfg(test)]
    pub fn used(&self) -> usize {
        self.short.len() - self.short_free.len() + self.long.len() - self.long_free.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn buffers_are_used_again() {
        let mut frames = Frames::default();
        let one = frames.put(b"one");
        frames.release(one);
        let two = frames.put(b"two");
        assert_eq!(one, two);
        assert_eq!(frames.get(two), b"two");
        assert_eq!(frames.used(), 1);
    }

    #[test]
    fn joining_appends_and_frees_the_tail() {
        let mut frames = Frames::default();
        let head = frames.put(b"ab");
        let tail = frames.put(b"cd");
        let joined = frames.join(head, tail);
        assert_eq!(frames.get(joined), b"abcd");
        let long = frames.put(&[7; 124]);
        let joined = frames.join(joined, long);
        assert_eq!(frames.get(joined)[..5], [97, 98, 99, 100, 7]);
        let short = frames.put(b"e");
        let joined = frames.join(joined, short);
        assert_eq!(frames.get(joined).len(), 129);
        assert_eq!(frames.get(joined)[128], b'e');
        assert_eq!(frames.used(), 1);
        frames.release(joined);
        assert_eq!(frames.used(), 0);
    }

    #[test]
    fn a_copy_is_a_frame_of_its_own() {
        for len_bytes in [0, 1, 127, 128, 20_000] {
            let mut frames = Frames::default();
            let one = frames.put(&vec![5; len_bytes]);
            let two = frames.put_copy(one);
            frames.flip(two, 3);
            assert_eq!(frames.get(one), vec![5; len_bytes]);
            assert_eq!(frames.get(two).len(), len_bytes);
            assert_eq!(frames.get(one) == frames.get(two), len_bytes == 0);
            frames.release(two);
            frames.release(one);
            assert_eq!(frames.used(), 0);
        }
    }

    #[test]
    fn flipping_wraps_around_the_length() {
        let mut frames = Frames::default();
        let frame = frames.put(&[0, 0]);
        frames.flip(frame, 16 + 9);
        assert_eq!(frames.get(frame), [0, 2]);
    }
}
