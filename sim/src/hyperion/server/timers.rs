//! The timers of a cache node, beside those of its Raft.

use crate::protocol::raft;

catalog::timer_keys! {
    beside [raft::TIMERS];
    /// An entry is over, or the last batch of those that are is on its way.
    pub const EXPIRE = 1;
    /// The pool of connections to the database is created.
    pub const POOL_CREATED = 2;
    /// The oldest query has waited too long, or it is time to look for the database again.
    pub const POOL_QUERY = 3;
    /// Small writes have waited long enough for each other.
    pub const BATCH = 0xBA7C;
    /// What lies in the service queue is done.
    pub const SERVED = 0xDE5C;
}
