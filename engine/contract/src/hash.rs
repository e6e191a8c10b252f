//! One hash for digests and stream names: rapidhash v3, the same on every platform.
//!
//! The golden values below fail when an upgrade of the library changes a single bit, because every
//! recorded digest and every stream number depends on them.

use rapidhash::v3::{RapidSecrets, rapidhash_v3_seeded};

/// Fixed for ever: a recorded digest must mean the same next year.
const SECRETS: RapidSecrets = RapidSecrets::seed_cpp(0);

/// The hash of `bytes`.
#[must_use]
#[inline]
pub fn hash_bytes(bytes: &[u8]) -> u64 {
    rapidhash_v3_seeded(bytes, &SECRETS)
}

/// Folds `word` into a running digest. Not commutative: the order of events matters.
#[must_use]
#[inline]
pub const fn mix(digest: u64, word: u64) -> u64 {
    // A 64x64 -> 128 multiply with the halves folded together, as in wyhash and rapidhash.
    let product = (digest ^ 0x2d35_8dcc_aa6c_78a5) as u128 * (word ^ 0x8bb8_4b93_962e_acc9) as u128;
    (product as u64) ^ ((product >> 64) as u64) ^ digest.rotate_left(23)
}

/// A recorded digest must mean the same next year.
const _: () = {
    assert!(mix(0, 0) == 0xca81_3bf4_c7ab_f0a9);
    assert!(mix(1, 2) == 0xb84c_ebf1_067d_bf28);
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_values() {
        assert_eq!(hash_bytes(b""), 0x0338_dc4b_e2ce_cdae);
        assert_eq!(hash_bytes(b"link h/2>h/1"), 0x27eb2f27294f9602);
        assert_eq!(mix(0, 0), 0xca813bf4c7abf0a9);
        assert_eq!(mix(1, 2), 0xb84cebf1067dbf28);
    }

    #[test]
    fn mixing_is_ordered() {
        assert_ne!(mix(mix(7, 1), 2), mix(mix(7, 2), 1));
    }
}
