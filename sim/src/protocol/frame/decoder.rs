//! Takes frames out of a stream that arrives in arbitrary pieces.

use super::{FRAME_BYTES_MAX, HEADER_BYTES};
use alloc::vec::Vec;
use core::fmt;

/// The receiving end of one stream: what arrived of a frame that is not yet whole.
///
/// A frame that lies whole in the bytes that arrived is handed out in place; only a frame that was
/// split is copied. The buffer grows with what arrives, never with what a length claims.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    partial: Vec<u8>,
}

/// A peer announced a frame longer than [`FRAME_BYTES_MAX`]. The stream cannot be resynchronised:
/// close the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameTooLong {
    /// The length that was announced.
    pub len_bytes: u32,
}

impl fmt::Display for FrameTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { len_bytes } = self;
        write!(f, "frame of {len_bytes} bytes exceeds maximum {FRAME_BYTES_MAX} bytes")
    }
}

impl Decoder {
    /// The frames that are whole once `data` has arrived. Take them all: what is left over is
    /// remembered by the last call of [`Frames::next`], the one that returns `Ok(None)`.
    pub fn feed<'a>(&'a mut self, data: &'a [u8]) -> Frames<'a> {
        Frames { decoder: self, data, taken: false }
    }

    /// Hands every frame that is whole once `data` has arrived to `take`, which says whether it is
    /// one of its protocol. False as soon as one is not, or announces too much: then the stream
    /// means nothing any more.
    pub fn feed_each(&mut self, data: &[u8], mut take: impl FnMut(&[u8]) -> bool) -> bool {
        let mut frames = self.feed(data);
        loop {
            match frames.next() {
                Ok(Some(frame)) if take(frame) => {}
                Ok(None) => return true,
                Ok(Some(_)) | Err(FrameTooLong { .. }) => return false,
            }
        }
    }

    /// How many bytes wait for the rest of their frame.
    #[must_use]
    pub fn buffered_bytes(&self) -> u64 {
        self.partial.len() as u64
    }
}

/// The frames of one piece of a stream, lent one at a time.
#[derive(Debug)]
pub struct Frames<'a> {
    decoder: &'a mut Decoder,
    data: &'a [u8],
    /// The frame in `decoder.partial` was handed out, and may go.
    taken: bool,
}

impl Frames<'_> {
    /// The next whole frame, without its length; `None` when more bytes are needed.
    ///
    /// # Errors
    /// When the peer announced a frame that is too long, now or earlier on this stream.
    #[expect(
        clippy::should_implement_trait,
        reason = "each frame is borrowed from the decoder, which `Iterator` cannot express"
    )]
    pub fn next(&mut self) -> Result<Option<&[u8]>, FrameTooLong> {
        if self.taken {
            self.decoder.partial.clear();
            self.taken = false;
        }
        if self.decoder.partial.is_empty() { self.next_in_place() } else { self.next_buffered() }
    }

    fn next_in_place(&mut self) -> Result<Option<&[u8]>, FrameTooLong> {
        let Some((header, rest)) = self.data.split_first_chunk::<HEADER_BYTES>() else {
            self.keep(self.data.len());
            return Ok(None);
        };
        let len_bytes = self.checked_len(*header)?;
        if rest.len() < len_bytes {
            self.keep(self.data.len());
            return Ok(None);
        }
        let (frame, rest) = rest.split_at(len_bytes);
        self.data = rest;
        Ok(Some(frame))
    }

    fn next_buffered(&mut self) -> Result<Option<&[u8]>, FrameTooLong> {
        assert!(!self.decoder.partial.is_empty(), "a frame has begun");
        self.keep(HEADER_BYTES.saturating_sub(self.decoder.partial.len()));
        let Some(header) = self.decoder.partial.first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let len_bytes = self.checked_len(*header)?;
        let whole = HEADER_BYTES + len_bytes;
        self.keep(whole.saturating_sub(self.decoder.partial.len()));
        if self.decoder.partial.len() < whole {
            return Ok(None);
        }
        assert!(self.decoder.partial.len() == whole, "no byte of the next frame was taken");
        self.taken = true;
        Ok(Some(&self.decoder.partial[HEADER_BYTES..]))
    }

    /// Moves up to `count` bytes from what arrived to what is remembered.
    fn keep(&mut self, count: usize) {
        let (kept, rest) = self.data.split_at(count.min(self.data.len()));
        self.decoder.partial.extend_from_slice(kept);
        self.data = rest;
    }

    fn checked_len(&mut self, header: [u8; HEADER_BYTES]) -> Result<usize, FrameTooLong> {
        let len_bytes = u32::from_be_bytes(header);
        if len_bytes > FRAME_BYTES_MAX {
            // The header stays remembered, so that every later call fails in the same way.
            self.decoder.partial.clear();
            self.decoder.partial.extend_from_slice(&header);
            self.data = &[];
            return Err(FrameTooLong { len_bytes });
        }
        Ok(len_bytes as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::frame;
    use alloc::vec;
    use proptest::prelude::*;

    /// Feeds `pieces` and collects every frame.
    fn decode(decoder: &mut Decoder, pieces: &[&[u8]]) -> Result<Vec<Vec<u8>>, FrameTooLong> {
        let mut frames = Vec::new();
        for piece in pieces {
            let mut feed = decoder.feed(piece);
            while let Some(frame) = feed.next()? {
                frames.push(frame.to_vec());
            }
        }
        Ok(frames)
    }

    fn stream(frames: &[Vec<u8>]) -> Vec<u8> {
        let mut out = Vec::new();
        for content in frames {
            frame::write(&mut out, |out| out.extend_from_slice(content));
        }
        out
    }

    #[test]
    fn merged_frames_are_taken_apart() {
        let frames = vec![b"one".to_vec(), Vec::new(), b"three".to_vec()];
        let mut decoder = Decoder::default();
        assert_eq!(decode(&mut decoder, &[&stream(&frames)]), Ok(frames));
        assert_eq!(decoder.buffered_bytes(), 0);
    }

    #[test]
    fn a_frame_that_is_too_long_breaks_the_stream_for_good() {
        let mut decoder = Decoder::default();
        let header = (FRAME_BYTES_MAX + 1).to_be_bytes();
        let broken = Err(FrameTooLong { len_bytes: FRAME_BYTES_MAX + 1 });
        assert_eq!(decode(&mut decoder, &[&header[..2], &header[2..]]), broken);
        assert_eq!(decode(&mut decoder, &[b"more"]), broken);
        assert_eq!(decoder.buffered_bytes(), 4);
    }

    #[test]
    fn each_frame_is_taken_until_one_is_none() {
        let bytes = stream(&[b"one".to_vec(), b"two".to_vec(), b"three".to_vec()]);
        let mut taken = Vec::new();
        let mut take = |wanted: usize, bytes: &[u8]| {
            taken.clear();
            Decoder::default().feed_each(bytes, |frame| {
                taken.push(frame.to_vec());
                taken.len() < wanted
            })
        };
        assert!(take(4, &bytes));
        assert!(!take(2, &bytes));
        assert!(!take(9, &(FRAME_BYTES_MAX + 1).to_be_bytes()));
        assert!(taken.is_empty());
    }

    #[test]
    fn a_claimed_length_reserves_nothing() {
        let mut decoder = Decoder::default();
        let header = FRAME_BYTES_MAX.to_be_bytes();
        assert_eq!(decode(&mut decoder, &[&header, b"x"]), Ok(Vec::new()));
        assert!(decoder.partial.capacity() < 64);
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_frames(
            frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8),
            cuts in prop::collection::vec(0_usize..200, 0..10),
        ) {
            let bytes = stream(&frames);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
            let mut decoder = Decoder::default();
            prop_assert_eq!(decode(&mut decoder, &pieces), Ok(frames));
            prop_assert_eq!(decoder.buffered_bytes(), 0);
        }

        #[test]
        fn arbitrary_bytes_never_panic(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 0..8),
        ) {
            let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            let total: usize = pieces.iter().map(|piece| piece.len()).sum();
            let mut decoder = Decoder::default();
            let _ = decode(&mut decoder, &pieces);
            prop_assert!(decoder.buffered_bytes() <= total as u64);
        }
    }
}
