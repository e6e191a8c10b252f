//! The configurations that a search has been in, as 128-bit fingerprints.
//!
//! A fingerprint costs 16 bytes where Porcupine's entry costs one bit per operation of the
//! history. Two of `n` configurations share one with probability below `n² / 2^129`.

use contract::hash::mix;

/// A set of fingerprints: open addressing, no removal.
#[derive(Debug)]
pub(super) struct Memo {
    /// 0 is an empty slot. The length is a power of two.
    slots: Vec<u128>,
    len: usize,
}

impl Memo {
    /// An empty set.
    pub fn new() -> Self {
        Self {
            slots: vec![0; 32],
            len: 0,
        }
    }

    /// How many fingerprints are in it.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Adds a fingerprint; `false` if it was there.
    pub fn insert(&mut self, fingerprint: u128) -> bool {
        let fingerprint = fingerprint.max(1);
        if !insert(&mut self.slots, fingerprint) {
            return false;
        }
        self.len += 1;
        if self.len * 2 > self.slots.len() {
            let mut slots = vec![0; self.slots.len() * 2];
            for &old in self.slots.iter().filter(|&&slot| slot != 0) {
                let fresh = insert(&mut slots, old);
                assert!(fresh, "a set holds each fingerprint once");
            }
            self.slots = slots;
        }
        true
    }
}

fn insert(slots: &mut [u128], fingerprint: u128) -> bool {
    let mask = slots.len() - 1;
    let mut slot = fingerprint as usize & mask;
    while slots[slot] != 0 {
        if slots[slot] == fingerprint {
            return false;
        }
        slot = (slot + 1) & mask;
    }
    slots[slot] = fingerprint;
    true
}

/// The fixed random number of one element, for fingerprints by exclusive or (Zobrist 1970).
#[must_use]
#[inline]
pub(super) const fn zobrist(domain: u64, element: u64) -> u128 {
    let high = mix(mix(domain, element), 0x7a6f_6272_6973_7431);
    let low = mix(
        mix(element ^ 0x9e37_79b9_7f4a_7c15, domain),
        0x7a6f_6272_6973_7432,
    );
    (high as u128) << 64 | low as u128
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_new_once() {
        let mut memo = Memo::new();
        for round in 0..2 {
            for element in 0..5_000 {
                assert_eq!(memo.insert(zobrist(1, element)), round == 0);
            }
        }
        assert_eq!(memo.len(), 5_000);
    }

    #[test]
    fn elements_differ_in_both_halves() {
        let mut halves = Memo::new();
        for element in 0..10_000 {
            let number = zobrist(7, element);
            assert!(halves.insert(number >> 64));
            assert!(halves.insert(number & u128::from(u64::MAX)));
        }
    }
}
