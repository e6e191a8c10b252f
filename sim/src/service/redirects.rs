//! Following hints to the node that can answer, but not in a circle.

/// Redirects followed in a row unless told otherwise: two nodes that point at each other must not be
/// asked in a circle without end.
pub const REDIRECTS_MAX: u32 = 3;

/// How many redirects of one request were followed since it last waited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Redirects(u32);

impl Redirects {
    /// None so far.
    #[must_use]
    pub const fn new() -> Self {
        Self(0)
    }

    /// The node to ask next, when the node `from` among `peers` said that it cannot answer and hinted
    /// at another. `None` where the hint leads nowhere, or enough were followed: wait, or give up.
    pub fn follow(&mut self, hint: Option<u32>, from: u32, peers: u32) -> Option<u32> {
        assert!(from < peers, "an answer comes from one of the peers");
        let to = hint.filter(|hint| *hint < peers && *hint != from)?;
        if self.0 >= REDIRECTS_MAX {
            return None;
        }
        self.0 += 1;
        Some(to)
    }

    /// The request waited: what it is told now may be new.
    pub const fn reset(&mut self) {
        self.0 = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_followed_a_few_times_in_a_row() {
        let mut redirects = Redirects::new();
        assert_eq!(redirects.follow(None, 0, 3), None);
        assert_eq!(redirects.follow(Some(0), 0, 3), None, "it points at itself");
        assert_eq!(redirects.follow(Some(3), 0, 3), None, "there is no such node");
        for _ in 0..REDIRECTS_MAX {
            assert_eq!(redirects.follow(Some(1), 0, 3), Some(1));
        }
        assert_eq!(redirects.follow(Some(1), 0, 3), None, "a circle");
        redirects.reset();
        assert_eq!(redirects.follow(Some(1), 0, 3), Some(1));
    }
}
