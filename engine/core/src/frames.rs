//! The bytes of messages under way: pooled buffers that are cleared and used again.

use alloc::vec::Vec;

/// One buffer of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameId(u32);

/// A larger buffer is given back to the allocator, so that a few long messages do not make every
/// buffer of the pool large.
const KEPT_BYTES_MAX: usize = 16 * 1024;

/// The pool.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frames {
    buffers: Vec<Vec<u8>>,
    free: Vec<u32>,
}

impl Frames {
    /// Stores a copy of `bytes`.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) -> FrameId {
        let id = self.free.pop().unwrap_or_else(|| {
            self.buffers.push(Vec::new());
            (self.buffers.len() - 1) as u32
        });
        let buffer = &mut self.buffers[id as usize];
        assert!(buffer.is_empty(), "a free buffer was cleared");
        buffer.extend_from_slice(bytes);
        FrameId(id)
    }

    /// Stores a second copy of a frame.
    pub fn put_copy(&mut self, of: FrameId) -> FrameId {
        let bytes = core::mem::take(&mut self.buffers[of.0 as usize]);
        let copy = self.put(&bytes);
        self.buffers[of.0 as usize] = bytes;
        copy
    }

    /// The bytes of a frame.
    #[inline]
    pub fn get(&self, id: FrameId) -> &[u8] {
        &self.buffers[id.0 as usize]
    }

    /// Flips bit `bit` of a frame, counted modulo its length. An empty frame stays as it is.
    pub fn flip(&mut self, id: FrameId, bit: u64) {
        let buffer = &mut self.buffers[id.0 as usize];
        if !buffer.is_empty() {
            let bit = bit % (buffer.len() as u64 * 8);
            buffer[(bit / 8) as usize] ^= 1 << (bit % 8);
        }
    }

    /// Appends the bytes of `tail` to `head` and gives `tail` back.
    pub fn join(&mut self, head: FrameId, tail: FrameId) {
        assert_ne!(head, tail, "a frame is not joined to itself");
        let bytes = core::mem::take(&mut self.buffers[tail.0 as usize]);
        self.buffers[head.0 as usize].extend_from_slice(&bytes);
        self.buffers[tail.0 as usize] = bytes;
        self.release(tail);
    }

    /// Gives a frame back.
    #[inline]
    pub fn release(&mut self, id: FrameId) {
        let buffer = &mut self.buffers[id.0 as usize];
        if buffer.capacity() > KEPT_BYTES_MAX {
            *buffer = Vec::new();
        }
        buffer.clear();
        self.free.push(id.0);
        assert!(self.free.len() <= self.buffers.len(), "a frame is given back once");
    }

    /// How many frames are in use.
    #[cfg(test)]
    pub fn used(&self) -> usize {
        self.buffers.len() - self.free.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        frames.join(head, tail);
        assert_eq!(frames.get(head), b"abcd");
        assert_eq!(frames.used(), 1);
    }

    #[test]
    fn flipping_wraps_around_the_length() {
        let mut frames = Frames::default();
        let frame = frames.put(&[0, 0]);
        frames.flip(frame, 16 + 9);
        assert_eq!(frames.get(frame), [0, 2]);
    }
}
