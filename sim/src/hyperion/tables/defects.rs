//! The defects that can be planted in Hyperion: those of its Raft, then its own.

use crate::protocol::raft;
use crate::protocol::raft::needs::{CLOCK, DEPENDENCY, NETWORK, NEW_LEADER, NOTHING};
use catalog::Defect;

catalog::defects! {
    /// Which of Hyperion's own defects are planted in a node.
    pub struct Defects;
    /// The defects of Hyperion alone.
    const OWN_DEFECTS;
    local_leader_read, "local-leader-read",
        "a node that believes it leads serves reads without confirming it",
        "etcd-io/etcd#741; raft-thesis §6.4", "linearizable", NETWORK;
    read_before_apply, "read-before-apply",
        "a confirmed read is served before the entries up to its index are applied",
        "raft-thesis §6.4 step 4", "linearizable", NEW_LEADER;
    retry_non_idempotent, "retry-non-idempotent",
        "a command that is in the log twice takes effect twice: sessions are ignored",
        "cockroachdb#10023; raft-thesis §6.3", "hyperion.writes_apply_once", NEW_LEADER;
    sessions_missing, "sessions-missing-from-snapshot",
        "snapshots carry the entries and not the sessions, so a retried write takes effect twice",
        "redisraft RR-185; raft-thesis §6.3", "hyperion.replicas_equal", NEW_LEADER;
    session_answers_missing, "session-answers-missing-from-snapshot",
        "snapshots carry the sessions without what they were answered, so a repetition is answered \
         otherwise after one",
        "raft-thesis §6.3", "hyperion.follows_the_log", NEW_LEADER;
    probe_forgotten, "breaker-probe-forgotten",
        "a probe whose operation ends by the answer to an earlier try is never told to the breaker, \
         which stays half open",
        "found by a stranger's scenario; resilience4j releasePermission", "hyperion.breaker_follows_model", NETWORK;
    timeout_is_failure, "timeout-treated-as-failure",
        "a client reports a write that timed out as certainly not done",
        "RedisLabs/redisraft#25; raft-thesis §6.3", "linearizable", NEW_LEADER;
    definite_error, "definite-error-on-leadership-loss",
        "a deposed leader tells its clients that what it proposed is lost",
        "openraft 43dd8b6f", "linearizable", NEW_LEADER;
    keeps_writes, "deposed-leader-keeps-writes",
        "a leader that steps down answers none of the writes that it had proposed",
        "raft-thesis §6.2", "hyperion.requests_answered", NEW_LEADER;
    waits_forever, "call-outlives-its-connection",
        "a client arms no timer for what it asks and misses that the connection closed, so it waits \
         for an answer that cannot come",
        "Muterra/py_hypergolix#10; Alluxio/alluxio#14110", "termination", NEW_LEADER;
    size_drifts, "weight-accounting-drift",
        "an overwrite adds the size of the new value and keeps that of the old",
        "etcd-io/raft a370b6f", "hyperion.size_accounting", NOTHING;
    ttl_on_wall_clock, "ttl-on-wall-clock",
        "entries are stamped and judged by the wall clock of whichever node looks at them",
        "redis#416; valkey#2651", "linearizable", CLOCK;
    ttl_on_monotonic_clock, "ttl-on-monotonic-clock",
        "entries carry the time of the leader that wrote them, and are judged by the monotonic \
         clock of whichever node looks at them",
        "Hyperion `is_expired(now_mono)`; etcd#9888", "linearizable", NEW_LEADER;
    uses_forgotten, "lru-order-not-updated-on-hit",
        "a hit does not make an entry younger: eviction is first in, first out",
        "mutant of the reference model of the store", "hyperion.evicts_in_order", NOTHING;
    endings_leak, "expiry-queue-leak",
        "what leaves the store stays in the list of endings",
        "moka#64, moka#329", "hyperion.size_accounting", NOTHING;
    auth_fails_open, "auth-fails-open",
        "a gateway whose auth service does not answer lets everyone through",
        "Hyperion: auth fails closed", "hyperion.auth_fails_closed", DEPENDENCY;
    fill_overwrites, "stale-set-lookaside",
        "a value that was loaded from the database overwrites what was written meanwhile",
        "nsdi-2013 §3.2.1", "linearizable", NOTHING;
    stampede, "stampede-on-expiry",
        "each miss of a key asks the database, also while a query for it is under way",
        "nsdi-2013 §3.2.1", "count", NOTHING;
    pool_permit_leaks, "pool-permit-leak-on-cancel",
        "a connection whose query was given up is never used again",
        "sqlx#83", "final", DEPENDENCY;
    no_jitter, "no-jitter-synchronised-retry",
        "waits before retries have no random part",
        "Hyperion PR 812; Google Cloud incident of 2025-06-12", "count", DEPENDENCY;
    get_clones_value, "get-clones-value",
        "a hit copies the whole value instead of borrowing it",
        "the clone leak of 2024-11-22, PR 847", "op-cost", NOTHING;
    get_forgets_handle, "get-forgets-handle",
        "what a hit borrowed is never given back",
        "the clone leak of 2024-11-22, PR 847", "final", NOTHING;
    client_cache_survives, "client-cache-survives-reconnect",
        "a client keeps what it read over a connection that was lost, and misses what was told",
        "nsdi-2013 §3.2; google/guava#1881", "staleness", NEW_LEADER;
}

/// All defects.
pub const DEFECTS: &[Defect] = catalog::joined!(Defect, name: raft::DEFECTS, OWN_DEFECTS);
