//! The bytes of one file, in pages that copies share until one of them writes.

use alloc::rc::Rc;
use alloc::vec::Vec;

pub(crate) const PAGE_BYTES: usize = 4096;

/// The longest file: a page table of 8 MiB.
pub const FILE_BYTES_MAX: u64 = 4 << 30;

const _: () = assert!(PAGE_BYTES.is_power_of_two());
const _: () = assert!(FILE_BYTES_MAX.is_multiple_of(PAGE_BYTES as u64));
const _: () =
    assert!((PAGE_BYTES as u64).is_multiple_of(super::SECTOR_BYTES), "a page is whole sectors");

type Page = [u8; PAGE_BYTES];

/// A file's bytes. A page that was never written is absent and reads as zeros.
#[derive(Clone, Debug, Default)]
pub(crate) struct Image {
    pages: Vec<Option<Rc<Page>>>,
    len_bytes: u64,
}

impl Image {
    pub fn len_bytes(&self) -> u64 {
        self.len_bytes
    }

    /// Reads bytes that are inside the file.
    pub fn read(&self, offset: u64, out: &mut [u8]) {
        assert!(offset + out.len() as u64 <= self.len_bytes, "a read is inside the file");
        let mut rest = out;
        let mut at = offset as usize;
        while !rest.is_empty() {
            let start = at % PAGE_BYTES;
            let take = rest.len().min(PAGE_BYTES - start);
            let (now, later) = rest.split_at_mut(take);
            match &self.pages[at / PAGE_BYTES] {
                Some(page) => now.copy_from_slice(&page[start..start + take]),
                None => now.fill(0),
            }
            rest = later;
            at += take;
        }
    }

    /// Writes bytes, extending the file as needed.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) {
        let end = offset + bytes.len() as u64;
        assert!(end <= FILE_BYTES_MAX, "a file has a limit");
        if end > self.len_bytes {
            self.set_len(end);
        }
        let mut rest = bytes;
        let mut at = offset as usize;
        while !rest.is_empty() {
            let start = at % PAGE_BYTES;
            let take = rest.len().min(PAGE_BYTES - start);
            let page = self.page_mut(at / PAGE_BYTES);
            page[start..start + take].copy_from_slice(&rest[..take]);
            rest = &rest[take..];
            at += take;
        }
    }

    /// Cuts the file, or extends it with zeros.
    pub fn set_len(&mut self, len_bytes: u64) {
        assert!(len_bytes <= FILE_BYTES_MAX, "a file has a limit");
        let pages = (len_bytes as usize).div_ceil(PAGE_BYTES);
        self.pages.resize(pages, None);
        assert!(pages * PAGE_BYTES >= len_bytes as usize, "every byte has a page");
        let tail = len_bytes as usize % PAGE_BYTES;
        let shrinks = len_bytes < self.len_bytes;
        self.len_bytes = len_bytes;
        // What is cut off must not show again when the file grows back.
        if shrinks && tail > 0 && self.pages[pages - 1].is_some() {
            self.page_mut(pages - 1)[tail..].fill(0);
        }
    }

    /// Flips one bit, counted modulo the length; an empty file stays as it is.
    pub fn flip(&mut self, bit: u64) {
        if self.len_bytes > 0 {
            let bit = bit % (self.len_bytes * 8);
            let at = (bit / 8) as usize;
            self.page_mut(at / PAGE_BYTES)[at % PAGE_BYTES] ^= 1 << (bit % 8);
        }
    }

    fn page_mut(&mut self, index: usize) -> &mut Page {
        assert!(index < self.pages.len(), "a page is inside its file");
        let page = self.pages[index].get_or_insert_with(|| Rc::new([0; PAGE_BYTES]));
        Rc::make_mut(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        Write(u64, Vec<u8>),
        SetLen(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let bytes = prop::collection::vec(any::<u8>(), 0..200);
        prop_oneof![
            (0_u64..9_000, bytes).prop_map(|(at, bytes)| Step::Write(at, bytes)),
            (0_u64..9_000).prop_map(Step::SetLen),
        ]
    }

    proptest! {
        #[test]
        fn an_image_is_a_vector_of_bytes(steps in prop::collection::vec(step(), 1..20)) {
            let mut image = Image::default();
            let mut model: Vec<u8> = Vec::new();
            for step in steps {
                let before = image.clone();
                let before_model = model.clone();
                match step {
                    Step::Write(at, bytes) => {
                        let at = at as usize;
                        image.write(at as u64, &bytes);
                        model.resize(model.len().max(at + bytes.len()), 0);
                        model[at..at + bytes.len()].copy_from_slice(&bytes);
                    }
                    Step::SetLen(len) => {
                        image.set_len(len);
                        model.resize(len as usize, 0);
                    }
                }
                for (image, model) in [(&image, &model), (&before, &before_model)] {
                    let mut all = alloc::vec![0; image.len_bytes() as usize];
                    image.read(0, &mut all);
                    prop_assert_eq!(&all, model);
                }
            }
        }
    }
}
