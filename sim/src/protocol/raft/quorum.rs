//! Majorities.

use super::settings::PEERS_MAX;

/// How many of `voters` make a majority.
pub(super) const fn majority(voters: usize) -> usize {
    assert!(voters > 0, "nobody has no majority");
    voters / 2 + 1
}

/// The greatest value that at least `quorum` of `values` reach: what that many nodes agree on.
/// Sorts in place on the stack; there are at most [`PEERS_MAX`] values.
pub(super) fn reached_by<T: Copy + Ord + Default>(
    values: impl Iterator<Item = T>,
    quorum: usize,
) -> T {
    let mut sorted = [T::default(); PEERS_MAX];
    let mut count = 0;
    for value in values {
        sorted[count] = value;
        count += 1;
    }
    assert!(quorum > 0, "nobody is not a quorum");
    assert!(quorum <= count, "a quorum is some of the voters");
    sorted[..count].sort_unstable_by(|a, b| b.cmp(a));
    sorted[quorum - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn majorities() {
        let sizes = [1, 2, 3, 4, 5, 7].map(majority);
        assert_eq!(sizes, [1, 2, 2, 3, 3, 4]);
    }

    #[test]
    fn what_a_majority_reached() {
        let check = |values: &[u64], expect: u64| {
            let got = reached_by(values.iter().copied(), majority(values.len()));
            assert_eq!(got, expect, "{values:?}");
        };
        check(&[7], 7);
        check(&[7, 3], 3);
        check(&[7, 3, 5], 5);
        check(&[9, 9, 1, 1], 1);
        check(&[9, 1, 9, 1, 9], 9);
    }
}
