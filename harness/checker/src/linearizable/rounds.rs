//! One budget of steps for all keys that need a search, shared so that none starves another.
//!
//! Every key gets an equal share, of a small part of the budget first: most keys need little. What is
//! left is shared again among those that ran out of theirs, from the start, so that only one search
//! is in memory at a time; that goes on while a share is at least twice the one before.

use super::search::{Found, STEPS_SPENT};

/// What one search used, and whether more steps might decide its key.
pub(super) struct Tried {
    /// Steps that it took.
    pub steps: u64,
    /// Whether it ran out of them.
    pub is_short: bool,
}

impl Tried {
    /// Of a search that ended so.
    pub fn of(found: &Found, steps: u64) -> Self {
        Self { steps, is_short: *found == Found::Undecided { why: STEPS_SPENT } }
    }
}

/// The first time that several keys are attempted, this part of the budget is shared.
const FIRST_PART: u64 = 8;

/// Attempts each of `keys` until it is decided or `steps_max` steps are spent; returns those that
/// were not decided for want of steps.
pub(super) fn share_out<K>(
    steps_max: u64,
    mut keys: Vec<K>,
    mut attempt: impl FnMut(&K, u64) -> Tried,
) -> Vec<K> {
    let mut left = steps_max;
    let mut share_min = 0;
    let mut part = if keys.len() > 1 { FIRST_PART } else { 1 };
    while !keys.is_empty() && left / keys.len() as u64 >= share_min {
        let share = left / keys.len() as u64 / part;
        part = 1;
        keys.retain(|key| {
            let tried = attempt(key, share);
            left = left.saturating_sub(tried.steps);
            tried.is_short
        });
        share_min = share.max(1) * 2;
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decides `hard`, each of which needs so many steps: what was decided, what is left, and the
    /// steps that it all took.
    fn decide(steps_max: u64, hard: &[u64]) -> (Vec<u64>, Vec<u64>, u64) {
        let (mut decided, mut spent) = (Vec::new(), 0);
        let left = share_out(steps_max, hard.to_vec(), |&needs, share| {
            let steps = needs.min(share + 1);
            spent += steps;
            if needs <= share {
                decided.push(needs);
            }
            Tried { steps, is_short: needs > share }
        });
        (decided, left, spent)
    }

    #[test]
    fn a_hard_key_starves_no_other_wherever_it_stands() {
        for hard in [[u64::MAX, 10, 20], [10, u64::MAX, 20], [10, 20, u64::MAX]] {
            let (decided, left, spent) = decide(1_000, &hard);
            assert_eq!((decided, left), (vec![10, 20], vec![u64::MAX]));
            assert!((900..=1_010).contains(&spent), "what is left goes to it: {spent}");
        }
    }

    #[test]
    fn what_is_left_over_decides_the_harder_ones() {
        assert_eq!(decide(1_000, &[600, 5, 5]).0, [5, 5, 600]);
        assert_eq!(decide(0, &[1, 1]).1, [1, 1]);
        assert_eq!(decide(10, &[]).2, 0);
    }
}
