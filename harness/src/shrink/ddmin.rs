//! Taking away as much as possible of a list: large parts first, then smaller ones, down to single
//! items.

/// The positions of `0..len` that must stay, given `without`, which says whether the rest can go:
/// it is asked for sets of positions to keep. No single one of those that are left can go, unless
/// `without` stopped saying yes because its budget is spent.
pub fn minimise(len: usize, without: &mut dyn FnMut(&[usize]) -> bool) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..len).collect();
    let mut size = len;
    while size > 0 {
        let before = kept.len();
        kept = pass(kept, size, without);
        if size == 1 && kept.len() == before {
            break;
        }
        size = if size == 1 { 1 } else { (size / 2).max(1).min(kept.len().max(1)) };
        if kept.is_empty() {
            break;
        }
    }
    assert!(kept.is_sorted(), "what is left stands as it stood");
    assert!(kept.last().is_none_or(|last| *last < len), "and was there before");
    kept
}

/// Tries to take away each part of `size` items, from the back.
fn pass(kept: Vec<usize>, size: usize, without: &mut dyn FnMut(&[usize]) -> bool) -> Vec<usize> {
    assert!(size > 0, "a part is something");
    let mut kept = kept;
    let mut end = kept.len();
    while end > 0 {
        let start = end.saturating_sub(size);
        let candidate: Vec<usize> = kept[..start].iter().chain(&kept[end..]).copied().collect();
        assert!(candidate.len() < kept.len(), "a candidate is smaller");
        if without(&candidate) {
            kept = candidate;
        }
        end = start;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        /// Whatever set of items is needed together, exactly it is left.
        #[test]
        fn what_is_needed_is_left_and_nothing_else(
            len in 0_usize..200,
            needed in proptest::collection::btree_set(0_usize..200, 0..6),
        ) {
            let needed: BTreeSet<usize> = needed.into_iter().filter(|item| *item < len).collect();
            let mut trials = 0;
            let kept = minimise(len, &mut |kept| {
                trials += 1;
                needed.iter().all(|item| kept.contains(item))
            });
            prop_assert_eq!(kept, needed.iter().copied().collect::<Vec<_>>());
            let logs = usize::BITS - len.leading_zeros();
            prop_assert!(trials <= 4 + 4 * (needed.len() + 1) * (logs as usize + 1));
        }

        /// Where needs are alternatives, what is left cannot lose a single item.
        #[test]
        fn what_is_left_is_minimal(len in 1_usize..60, salt in any::<u64>()) {
            let works = |kept: &[usize]| {
                let sum: u64 = kept.iter().map(|item| (*item as u64 ^ salt) % 7).sum();
                sum >= 9 || kept.len() == len
            };
            let kept = minimise(len, &mut |kept| works(kept));
            for gone in &kept {
                let less: Vec<usize> = kept.iter().copied().filter(|item| item != gone).collect();
                prop_assert!(!works(&less), "{gone} can go");
            }
        }
    }
}
