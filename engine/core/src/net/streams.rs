//! The stream numbers in use, to find two links that would draw the same.
//!
//! A set of numbers that are hashes already: open addressing with linear probing (Knuth, *TAOCP*
//! volume 3, section 6.4, algorithm L), one access to memory for each link that is made.

use alloc::vec::Vec;

/// A set of stream numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Streams {
    /// A power of two of them, at most half of them used; 0 is a free one.
    slots: Vec<u64>,
    used: usize,
    /// Whether the number 0 is in the set.
    has_zero: bool,
}

/// The first table.
const SLOTS_MIN: usize = 64;

const _: () = assert!(SLOTS_MIN.is_power_of_two());

impl Streams {
    /// Enters a number; `false` when it is there already.
    pub fn insert(&mut self, stream: u64) -> bool {
        if stream == 0 {
            return !core::mem::replace(&mut self.has_zero, true);
        }
        if self.used * 2 >= self.slots.len() {
            self.grow();
        }
        let at = self.place(stream);
        if self.slots[at] == stream {
            return false;
        }
        self.slots[at] = stream;
        self.used += 1;
        true
    }

    /// Where a number stands, or would.
    fn place(&self, stream: u64) -> usize {
        let last = self.slots.len() - 1;
        assert!(self.used < last, "a probe ends at a free slot");
        let mut at = stream as usize & last;
        while self.slots[at] != 0 && self.slots[at] != stream {
            at = (at + 1) & last;
        }
        at
    }

    #[cold]
    fn grow(&mut self) {
        let len = (self.slots.len() * 2).max(SLOTS_MIN);
        assert!(len.is_power_of_two(), "a mask cuts a number to a slot");
        let old = core::mem::replace(&mut self.slots, alloc::vec![0; len]);
        for stream in old.into_iter().filter(|stream| *stream != 0) {
            let at = self.place(stream);
            self.slots[at] = stream;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_a_set(streams in prop::collection::vec(prop_oneof![0_u64..40, any::<u64>()], 0..400)) {
            let mut set = Streams::default();
            let mut model = alloc::collections::BTreeSet::new();
            for stream in streams {
                prop_assert_eq!(set.insert(stream), model.insert(stream));
            }
        }
    }
}
