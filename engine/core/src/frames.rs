//! The bytes of messages under way: pooled buffers that are used again.
//!
//! A short message stands in a slot of two cache lines, all slots side by side: one access finds
//! it, and copying the pool is copying an array. How long it is stands in its id, so that one of at
//! most 64 bytes needs but one line. A longer one has a buffer of its own.

use alloc::vec::Vec;

/// One buffer of the pool. The highest bit says that it is a long one; else the next seven are its
/// length, and the rest its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameId(u32);

const LONG: u32 = 1 << 31;
const SLOT_BITS: u32 = 24;
const SLOT: u32 = (1 << SLOT_BITS) - 1;

impl FrameId {
    fn short(slot: u32, len_bytes: usize) -> Self {
        assert!(slot <= SLOT && len_bytes <= SHORT_BYTES_MAX, "it fits into a slot");
        Self(slot | (len_bytes as u32) << SLOT_BITS)
    }

    const fn is_long(self) -> bool {
        self.0 & LONG != 0
    }

    const fn slot(self) -> usize {
        (self.0 & SLOT) as usize
    }

    /// Of a short one.
    const fn len_bytes(self) -> usize {
        (self.0 >> SLOT_BITS) as usize
    }

    /// Of a long one.
    const fn buffer(self) -> usize {
        (self.0 & !LONG) as usize
    }
}

/// The longest message that fits into a slot.
const SHORT_BYTES_MAX: usize = 127;

const _: () = assert!(SHORT_BYTES_MAX < size_of::<Short>());
const _: () = assert!((SHORT_BYTES_MAX as u32) << SLOT_BITS < LONG, "a length fits beside a slot");
const _: () = assert!(KEPT_BYTES_MAX > SHORT_BYTES_MAX);

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
struct Short([u8; 128]);

impl Frames {
    /// Stores a copy of `bytes`.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) -> FrameId {
        let has_slot = !self.short_free.is_empty() || self.short.len() <= SLOT as usize;
        if bytes.len() > SHORT_BYTES_MAX || !has_slot {
            return self.put_long(bytes);
        }
        let slot = self.short_free.pop().unwrap_or_else(|| {
            self.short.push(Short([0; 128]));
            (self.short.len() - 1) as u32
        });
        self.short[slot as usize].0[..bytes.len()].copy_from_slice(bytes);
        FrameId::short(slot, bytes.len())
    }

    fn put_long(&mut self, bytes: &[u8]) -> FrameId {
        let id = self.long_free.pop().unwrap_or_else(|| {
            self.long.push(Vec::new());
            (self.long.len() - 1) as u32
        });
        let buffer = &mut self.long[id as usize];
        assert_eq!(id & LONG, 0, "a buffer's number leaves room for the mark");
        assert!(buffer.is_empty(), "a free buffer was cleared");
        buffer.extend_from_slice(bytes);
        FrameId(id | LONG)
    }

    /// Stores a second copy of a frame.
    pub fn put_copy(&mut self, of: FrameId) -> FrameId {
        if !of.is_long() {
            let Short(bytes) = self.short[of.slot()];
            return self.put(&bytes[..of.len_bytes()]);
        }
        let bytes = core::mem::take(&mut self.long[of.buffer()]);
        let copy = self.put_long(&bytes);
        self.long[of.buffer()] = bytes;
        copy
    }

    /// The bytes of a frame.
    #[inline]
    pub fn get(&self, id: FrameId) -> &[u8] {
        if id.is_long() {
            &self.long[id.buffer()]
        } else {
            &self.short[id.slot()].0[..id.len_bytes()]
        }
    }

    /// Some byte of a frame.
    #[inline]
    pub fn peek(&self, id: FrameId) -> u8 {
        if id.is_long() {
            self.long[id.buffer()].first().copied().unwrap_or(0)
        } else {
            self.short[id.slot()].0[0]
        }
    }

    /// Flips bit `bit` of a frame, counted modulo its length. An empty frame stays as it is.
    pub fn flip(&mut self, id: FrameId, bit: u64) {
        let bytes = if id.is_long() {
            &mut self.long[id.buffer()][..]
        } else {
            &mut self.short[id.slot()].0[..id.len_bytes()]
        };
        if !bytes.is_empty() {
            let bit = bit % (bytes.len() as u64 * 8);
            bytes[(bit / 8) as usize] ^= 1 << (bit % 8);
        }
    }

    /// Gives `head` and `tail` back for a frame of the bytes of both.
    pub fn join(&mut self, head: FrameId, tail: FrameId) -> FrameId {
        assert_ne!(head, tail, "a frame is not joined to itself");
        let joined_bytes = self.get(head).len() + self.get(tail).len();
        if head.is_long() {
            let mut bytes = core::mem::take(&mut self.long[head.buffer()]);
            bytes.extend_from_slice(self.get(tail));
            self.long[head.buffer()] = bytes;
            self.release(tail);
            assert_eq!(self.get(head).len(), joined_bytes, "no byte is lost");
            return head;
        }
        let mut bytes = core::mem::take(&mut self.joined);
        bytes.extend_from_slice(self.get(head));
        bytes.extend_from_slice(self.get(tail));
        self.release(head);
        self.release(tail);
        let joined = self.put(&bytes);
        assert_eq!(self.get(joined).len(), joined_bytes, "no byte is lost");
        bytes.clear();
        self.joined = bytes;
        joined
    }

    /// Gives a frame back.
    #[inline]
    pub fn release(&mut self, id: FrameId) {
        if !id.is_long() {
            self.short_free.push(id.slot() as u32);
            assert!(self.short_free.len() <= self.short.len(), "a frame is given back once");
            return;
        }
        let buffer = &mut self.long[id.buffer()];
        if buffer.capacity() > KEPT_BYTES_MAX {
            *buffer = Vec::new();
        }
        buffer.clear();
        self.long_free.push(id.buffer() as u32);
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
