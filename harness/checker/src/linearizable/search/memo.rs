//! The configurations that a search has been in.
//!
//! A configuration is the state, the operations taken that must be taken, and the open ones taken.
//! The first two are kept as a 128-bit fingerprint, where Porcupine's entry costs one bit per
//! operation of the history; two of `n` share one with probability below `n² / 2^129`. Open
//! operations are only ever a means: having used fewer of them leaves more to come, so a
//! configuration is as good as known when one was there with a subset of them.

use contract::hash::mix;

/// How many open operations are told apart; the fingerprint takes in those beyond.
pub(super) const OPEN_MAX: usize = 128;

/// No entry.
const NONE: u32 = u32::MAX;

/// A set of configurations: open addressing, no removal.
#[derive(Debug)]
pub(super) struct Memo {
    /// Fingerprints; 0 is an empty slot. The length is a power of two.
    slots: Vec<u128>,
    /// By slot: the latest of its masks. Empty while no open operation was ever taken.
    latest: Vec<u32>,
    /// Open operations taken, with the entry before it in the same slot.
    masks: Vec<(u128, u32)>,
    used: usize,
}

impl Memo {
    /// An empty set.
    pub fn new() -> Self {
        Self { slots: vec![0; 32], latest: vec![NONE; 32], masks: Vec::new(), used: 0 }
    }

    /// How many configurations are in it.
    pub const fn len(&self) -> usize {
        self.masks.len()
    }

    /// What it takes: 32 to 64 bytes for each configuration, counted as 64.
    pub const fn bytes(&self) -> usize {
        self.len() * 64
    }

    /// Adds a configuration; `false` if it, or one with fewer open operations, was there.
    pub fn insert(&mut self, fingerprint: u128, open: u128) -> bool {
        let fingerprint = fingerprint.max(1);
        let slot = find(&self.slots, fingerprint);
        let mut entry = self.latest[slot];
        while entry != NONE {
            let (mask, before) = self.masks[entry as usize];
            if mask & !open == 0 {
                return false;
            }
            entry = before;
        }
        if self.slots[slot] == 0 {
            self.slots[slot] = fingerprint;
            self.used += 1;
        }
        self.masks.push((open, self.latest[slot]));
        self.latest[slot] = self.masks.len() as u32 - 1;
        if self.used * 2 > self.slots.len() {
            self.grow();
        }
        true
    }

    fn grow(&mut self) {
        let len = self.slots.len() * 2;
        let old = std::mem::replace(&mut self.slots, vec![0; len]);
        let latest = std::mem::replace(&mut self.latest, vec![NONE; len]);
        for (fingerprint, entry) in old.into_iter().zip(latest) {
            if fingerprint != 0 {
                let slot = find(&self.slots, fingerprint);
                self.slots[slot] = fingerprint;
                self.latest[slot] = entry;
            }
        }
    }
}

/// The slot that holds `fingerprint`, or the empty one where it would go.
fn find(slots: &[u128], fingerprint: u128) -> usize {
    let mask = slots.len() - 1;
    let mut slot = fingerprint as usize & mask;
    while slots[slot] != 0 && slots[slot] != fingerprint {
        slot = (slot + 1) & mask;
    }
    slot
}

/// The fixed random number of one element, for fingerprints by exclusive or (Zobrist 1970).
#[inline]
pub(super) const fn zobrist(domain: u64, element: u64) -> u128 {
    let high = mix(mix(domain, element), 0x7a6f_6272_6973_7431);
    let low = mix(mix(element ^ 0x9e37_79b9_7f4a_7c15, domain), 0x7a6f_6272_6973_7432);
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
                assert_eq!(memo.insert(zobrist(1, element), 0), round == 0);
            }
        }
        assert_eq!(memo.len(), 5_000);
    }

    #[test]
    fn fewer_open_operations_make_more_of_them_known() {
        let mut memo = Memo::new();
        assert!(memo.insert(7, 0b110));
        assert!(!memo.insert(7, 0b111), "one more");
        assert!(memo.insert(7, 0b011), "neither is a part of the other");
        assert!(memo.insert(7, 0b010), "fewer");
        assert!(!memo.insert(7, 0b011));
        assert!(memo.insert(8, 0b111), "another configuration");
    }

    #[test]
    fn elements_differ_in_both_halves() {
        let mut halves = Memo::new();
        for element in 0..10_000 {
            let number = zobrist(7, element);
            assert!(halves.insert(number >> 64, 0));
            assert!(halves.insert(number & u128::from(u64::MAX), 0));
        }
    }
}
