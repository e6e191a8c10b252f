//! Where the logs of a group begin: what no log holds any more need not be remembered.

use alloc::vec;
use alloc::vec::Vec;

/// The first index that each member's log held when it was last looked at, 0 before that.
#[derive(Clone, Debug)]
pub(super) struct LogStarts(Vec<u64>);

impl LogStarts {
    /// Of `members` that were not looked at yet.
    pub fn new(members: usize) -> Self {
        Self(vec![0; members])
    }

    /// Takes note that the log of a member begins at `first`. Where that is news, the index at
    /// which the longest memory begins.
    pub fn moved(&mut self, member: usize, first: u64) -> Option<u64> {
        if core::mem::replace(&mut self.0[member], first) == first {
            return None;
        }
        let oldest = self.0.iter().min().copied();
        assert!(oldest <= Some(first), "the oldest log is no younger than this one");
        oldest
    }
}
