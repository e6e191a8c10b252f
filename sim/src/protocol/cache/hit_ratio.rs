//! The hit ratio of a node over its last lookups.

/// How many lookups one generation holds.
const GENERATION: u32 = 1000;

/// Counts hits over the last one to two thousand lookups: the generation that is being filled, and
/// the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HitRatio {
    now: Counts,
    before: Counts,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    hits: u32,
    all: u32,
}

impl HitRatio {
    /// Counts one lookup.
    pub fn count(&mut self, hit: bool) {
        if self.now.all == GENERATION {
            self.before = self.now;
            self.now = Counts::default();
        }
        self.now.all += 1;
        self.now.hits += u32::from(hit);
        assert!(self.now.hits <= self.now.all, "a hit is a lookup");
    }

    /// The share of hits in parts per million; `None` before the first lookup.
    pub fn hit_ratio_ppm(&self) -> Option<u64> {
        let (hits, all) = (self.now.hits + self.before.hits, self.now.all + self.before.all);
        (all > 0).then(|| u64::from(hits) * 1_000_000 / u64::from(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_follows_the_last_thousands() {
        let mut lookups = HitRatio::default();
        assert_eq!(lookups.hit_ratio_ppm(), None);
        (0..1000).for_each(|_| lookups.count(true));
        assert_eq!(lookups.hit_ratio_ppm(), Some(1_000_000));
        (0..1000).for_each(|_| lookups.count(false));
        assert_eq!(lookups.hit_ratio_ppm(), Some(500_000));
        lookups.count(false);
        assert_eq!(lookups.hit_ratio_ppm(), Some(0));
    }
}
