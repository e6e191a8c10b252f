//! A chance that conditions can raise, so that it is known which of the two made it true.

use contract::Ratio;

/// A base chance and the chance with all conditions folded in, as thresholds for 32 random bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Odds {
    base: u64,
    all: u64,
}

impl Odds {
    pub fn new(base: Ratio, all: Ratio) -> Self {
        assert!(all.ppm() >= base.ppm(), "a condition only adds to a chance");
        Self { base: threshold(base), all: threshold(all) }
    }

    /// Whether it happens.
    #[inline]
    pub fn hit(self, bits: u32) -> bool {
        u64::from(bits) < self.all
    }

    /// Whether it happens because of a condition, and would not have happened without.
    #[inline]
    pub fn bent(self, bits: u32) -> bool {
        self.hit(bits) && u64::from(bits) >= self.base
    }
}

fn threshold(ratio: Ratio) -> u64 {
    let ppm = u64::from(ratio.ppm());
    assert!(ppm <= 1_000_000, "a chance is at most 1");
    (ppm << 32) / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_exact() {
        let never = Odds::new(Ratio::ZERO, Ratio::ZERO);
        let always = Odds::new(Ratio::ZERO, Ratio::ONE);
        assert!(!never.hit(0));
        assert!(always.hit(u32::MAX));
        assert!(always.bent(0));
    }

    #[test]
    fn the_base_chance_is_nobodys_fault() {
        let odds = Odds::new(Ratio::new(1, 4), Ratio::new(1, 2));
        assert!(odds.hit(0));
        assert!(!odds.bent(0));
        assert!(odds.bent(u32::MAX / 3));
        assert!(!odds.hit(u32::MAX / 3 * 2));
    }
}
