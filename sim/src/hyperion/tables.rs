//! What the lab can see of Hyperion by name: Raft's rows first, then its own.

use crate::protocol::raft;
use contract::{Defect, Duration, EventKind, GaugeKind, Kind, PredicateKind, Setting};

use super::server::{FSYNC_WORDS, Reads};

/// The rows of [`EVENTS`] behind Raft's, as the numbers that marks carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum Event {
    /// `cache.hit`
    Hit,
    /// `cache.miss`
    Miss,
    /// `cache.write_acked`
    WriteAcked,
    /// `cache.expired`
    Expired,
    /// `cache.damaged_value`
    DamagedValue,
    /// `cache.bad_request`
    BadRequest,
    /// `cache.change_refused`
    ChangeRefused,
    /// `client.retry`
    ClientRetry,
    /// `client.redirect`
    ClientRedirect,
    /// `client.timeout`
    ClientTimeout,
    /// `client.bad_answer`
    ClientBadAnswer,
    /// `client.unsupported`
    ClientUnsupported,
}

impl Event {
    /// The row of [`EVENTS`].
    #[must_use]
    pub const fn row(self) -> u16 {
        raft::EVENTS.len() as u16 + self as u16
    }
}

const fn event(
    name: &'static str,
    unit: &'static str,
    labels: &'static [&'static str],
    about: &'static str,
) -> EventKind {
    EventKind { name, unit, labels, about }
}

/// The events of Hyperion alone, in the order of [`Event`].
const OWN_EVENTS: [EventKind; 12] = [
    event(
        "cache.hit",
        "bytes",
        &["key", "deep_clones", "handle_clones"],
        "a read found its key; the value is the size of what it found",
    ),
    event("cache.miss", "", &["key"], "a read found nothing"),
    event(
        "cache.write_acked",
        "value id",
        &["key", "term", "index"],
        "a node acknowledged a write that took effect; a delete has the value id 0",
    ),
    event(
        "cache.expired",
        "ns",
        &["key", "version"],
        "an expired entry left; the value is how long after its end",
    ),
    event(
        "cache.damaged_value",
        "",
        &["key", "version"],
        "a stored value is not what was written, and was not served",
    ),
    event(
        "cache.bad_request",
        "bytes",
        &[],
        "a connection carried something else than requests and was closed",
    ),
    event(
        "cache.change_refused",
        "",
        &["term", "is_leader"],
        "a change of membership was asked for and not made: the node does not lead, or there is no \
         way to what was asked for",
    ),
    event(
        "client.retry",
        "ns",
        &["tries", "node"],
        "a try failed; the value is the wait before the next",
    ),
    event(
        "client.redirect",
        "",
        &["from", "to"],
        "a client followed the hint of a node that does not lead",
    ),
    event("client.timeout", "", &["tries", "node"], "the time of an operation was over"),
    event(
        "client.bad_answer",
        "",
        &["node"],
        "a connection carried something else than answers and was closed",
    ),
    event(
        "client.unsupported",
        "",
        &[],
        "a client was asked for an operation that Hyperion does not have",
    ),
];

/// All events.
pub const EVENTS: &[EventKind] = &joined::<_, { raft::EVENTS.len() + OWN_EVENTS.len() }>(
    raft::EVENTS,
    &OWN_EVENTS,
    OWN_EVENTS[0],
);

const fn gauge(name: &'static str, unit: &'static str, about: &'static str) -> GaugeKind {
    GaugeKind { name, unit, about }
}

/// The gauges of Hyperion alone, in the order in which `system` reads them.
pub const OWN_GAUGES: [GaugeKind; 8] = [
    gauge("cache.entries", "", "entries held, expired ones among them"),
    gauge("cache.size_bytes", "bytes", "what those entries count for"),
    gauge("cache.sessions", "", "clients whose last answer is kept"),
    gauge("cache.connections", "", "connections of clients"),
    gauge("cache.writes_pending", "", "writes proposed and not answered"),
    gauge(
        "cache.reads_pending",
        "",
        "reads that wait for confirmation or for entries to be applied",
    ),
    gauge(
        "cache.memory_bytes",
        "bytes",
        "logical memory: store, log, buffers, and what a flaw leaks",
    ),
    gauge(
        "value.handles",
        "",
        "the most live handles on one value; 1 when every borrowed one was given back",
    ),
];

/// All gauges.
pub const GAUGES: &[GaugeKind] = &joined::<_, { raft::GAUGES.len() + OWN_GAUGES.len() }>(
    raft::GAUGES,
    &OWN_GAUGES,
    OWN_GAUGES[0],
);

/// All predicates.
pub const PREDICATES: &[PredicateKind] = raft::PREDICATES;

const fn defect(
    name: &'static str,
    about: &'static str,
    source: &'static str,
    caught_by: &'static str,
) -> Defect {
    Defect { name, about, source, caught_by }
}

/// The flaws of Hyperion alone.
const OWN_DEFECTS: [Defect; 10] = [
    defect(
        "local-leader-read",
        "a node that believes it leads serves reads without confirming it",
        "etcd-io/etcd#741; raft-thesis §6.4",
        "linearizable",
    ),
    defect(
        "read-before-apply",
        "a confirmed read is served before the entries up to its index are applied",
        "raft-thesis §6.4 step 4",
        "linearizable",
    ),
    defect(
        "retry-non-idempotent",
        "a command that is in the log twice takes effect twice: sessions are ignored",
        "cockroachdb#10023; raft-thesis §6.3",
        "hyperion.writes_apply_once",
    ),
    defect(
        "sessions-missing-from-snapshot",
        "snapshots carry the entries and not the sessions, so a retried write takes effect twice",
        "redisraft RR-185; raft-thesis §6.3",
        "hyperion.replicas_equal",
    ),
    defect(
        "timeout-treated-as-failure",
        "a client reports a write that timed out as certainly not done",
        "RedisLabs/redisraft#25; raft-thesis §6.3",
        "linearizable",
    ),
    defect(
        "definite-error-on-leadership-loss",
        "a deposed leader tells its clients that what it proposed is lost",
        "openraft 43dd8b6f",
        "linearizable",
    ),
    defect(
        "weight-accounting-drift",
        "an overwrite adds the size of the new value and keeps that of the old",
        "etcd-io/raft a370b6f",
        "hyperion.size_accounting",
    ),
    defect(
        "ttl-on-wall-clock",
        "entries are stamped and judged by the wall clock of whichever node looks at them",
        "redis#416; valkey#2651",
        "linearizable",
    ),
    defect(
        "get-clones-value",
        "a hit copies the whole value instead of borrowing it",
        "the clone leak of 2024-11-22, PR 847",
        "op-cost",
    ),
    defect(
        "get-forgets-handle",
        "what a hit borrowed is never given back",
        "the clone leak of 2024-11-22, PR 847",
        "slope",
    ),
];

/// All flaws.
pub const DEFECTS: &[Defect] = &joined::<_, { raft::DEFECTS.len() + OWN_DEFECTS.len() }>(
    raft::DEFECTS,
    &OWN_DEFECTS,
    OWN_DEFECTS[0],
);

const fn setting(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    about: &'static str,
) -> Setting {
    Setting { name, kind, about, default }
}

const fn count(min: i64, max: i64) -> Kind {
    Kind::Int { min, max }
}

/// The settings of the role `cache`.
pub const CACHE_SETTINGS: &[Setting] = &[
    setting(
        "heartbeat",
        Kind::Duration { min: Duration::from_millis(1), max: Duration::from_secs(60) },
        r#""150ms""#,
        "How often a leader sends heartbeats (HYPERION_RAFT_HEARTBEAT_MS). Shorter finds losses \
         sooner and costs messages.",
    ),
    setting(
        "election",
        Kind::Range,
        r#"{ min = "1500ms", max = "3000ms" }"#,
        "How long a follower waits for a leader, drawn anew at every reset \
         (HYPERION_RAFT_ELECTION_TIMEOUT_MS is the minimum). Ten heartbeats at least keep a slow \
         network from deposing leaders; longer means a longer outage after a crash.",
    ),
    setting(
        "election_fixed",
        Kind::List(&Kind::DURATION),
        "",
        "One fixed wait per node instead, by index; for experiments that need to know who is first.",
    ),
    setting(
        "contact",
        Kind::Choice(&["any", "heartbeat"]),
        r#""any""#,
        "What counts as hearing the leader: anything from it, or heartbeats alone, as in code that \
         keeps a `last_heartbeat`. With heartbeats alone a loaded follower waits no longer than an \
         idle one.",
    ),
    setting(
        "pre_vote",
        Kind::Bool,
        "true",
        "Whether a node asks before it raises its term, so that one that was cut off deposes nobody.",
    ),
    setting(
        "check_quorum",
        Kind::Bool,
        "true",
        "Whether a leader steps down when it has not heard a quorum for the shortest election wait.",
    ),
    setting(
        "reads",
        Kind::Choice(Reads::WORDS),
        r#""read-index""#,
        "How linearizable reads are served: read-index costs a round of heartbeats and trusts no \
         clock, leader-lease costs nothing while clocks keep their bound, local may be stale at \
         any node and says so.",
    ),
    setting(
        "lease",
        Kind::DURATION,
        r#""1000ms""#,
        "How long after sending a heartbeat round that a quorum answered a leader may serve alone \
         (RAFT_LEASE_MS). Longer bridges longer pauses, and must stay below the shortest election \
         wait by more than clocks may drift.",
    ),
    setting(
        "tick",
        Kind::Duration { min: Duration::ZERO, max: Duration::from_secs(1) },
        r#""50ms""#,
        "Deadlines are rounded up to this, at a phase drawn at boot; 0ms is exact.",
    ),
    setting(
        "fsync",
        Kind::Choice(FSYNC_WORDS),
        r#""always""#,
        "When appended entries become durable: always waits for the disk before it acknowledges, \
         everysec may lose one second of acknowledged writes when the power fails, never leaves it \
         to the operating system. Term and vote are always synced.",
    ),
    setting(
        "entries_per_append_max",
        count(1, 4096),
        "64",
        "The most entries in one append. 1 shows what batches hide.",
    ),
    setting(
        "append_bytes_max",
        Kind::Bytes,
        r#""256KiB""#,
        "The most bytes of entries in one append; a larger single entry goes alone.",
    ),
    setting(
        "inflight_max",
        count(1, 1024),
        "16",
        "The most appends to one follower that wait for an answer. More hides latency and buffers \
         more.",
    ),
    setting(
        "apply_batch_max",
        count(1, 65_536),
        "64",
        "The most committed entries that are applied at once, so that a long backlog does not \
         starve requests.",
    ),
    setting(
        "apply_pause",
        Kind::DURATION,
        r#""100us""#,
        "The wait between two full batches of entries to apply.",
    ),
    setting(
        "snapshot_after",
        count(0, u32::MAX as i64),
        "10000",
        "After how many applied entries a node takes a snapshot and cuts its log; 0 for never. \
         Fewer keeps memory and boots small and writes the whole state more often.",
    ),
    setting(
        "snapshot_tail",
        count(0, u32::MAX as i64),
        "1000",
        "How many entries before a snapshot stay in the log, so that a follower that is a little \
         behind needs no snapshot.",
    ),
    setting(
        "snapshot_chunk",
        Kind::Bytes,
        r#""256KiB""#,
        "The most bytes of a snapshot in one frame; one frame is on its way at a time.",
    ),
    setting(
        "voters",
        count(0, 32),
        "0",
        "How many nodes of the group vote at its birth, from the first on; 0 for all. The others \
         are spare until a fault of the kind `membership` takes them in.",
    ),
    setting(
        "cache_size",
        Kind::Bytes,
        r#""4096MiB""#,
        "The most that all entries together may count for (HYPERION_CACHE_SIZE_MB; prod 8192, \
         staging 1024, dev 256).",
    ),
    setting(
        "value_size_max",
        Kind::Bytes,
        r#""512KiB""#,
        "The largest value that is taken (max_value_size_kb), against floods of large values. At \
         most 512KiB.",
    ),
    setting(
        "service_get",
        Kind::Dist,
        r#""0ns""#,
        "Processor time of reading one key. 0 keeps runs fast; a cost makes queues real.",
    ),
    setting(
        "service_put",
        Kind::Dist,
        r#""0ns""#,
        "Processor time of taking one write. 0 keeps runs fast; a cost makes queues real.",
    ),
];

/// The settings of the role `client`.
pub const CLIENT_SETTINGS: &[Setting] = &[
    setting(
        "timeout",
        Kind::DURATION,
        r#""1s""#,
        "How long an operation may take, its retries among it. Shorter than an election means that \
         operations fail while one runs.",
    ),
    setting(
        "try_timeout",
        Kind::DURATION,
        r#""100ms""#,
        "How long one try may take before the next node is asked (DEFAULT_TIMEOUT_MS).",
    ),
    setting(
        "retry_base",
        Kind::DURATION,
        r#""10ms""#,
        "The wait after the first try that failed; doubles with each further one.",
    ),
    setting(
        "retry_max",
        Kind::DURATION,
        r#""1s""#,
        "The longest wait between two tries, without its jitter.",
    ),
    setting(
        "jitter",
        Kind::Bool,
        "true",
        "Whether up to a quarter of each wait is added at random, so that clients that failed \
         together do not come back together.",
    ),
    setting("attempts_max", count(1, 1000), "16", "The most tries of one operation."),
    setting(
        "pinned",
        Kind::Ratio,
        r#""50%""#,
        "The share of the clients that start every operation at the node they first reached; the \
         others remember the leader. Both sides of a partition are in use only with some pinned.",
    ),
];

/// `first`, then `second`.
const fn joined<T: Copy, const N: usize>(first: &[T], second: &[T], filler: T) -> [T; N] {
    assert!(first.len() + second.len() == N, "the length is the sum");
    let mut all = [filler; N];
    let mut row = 0;
    while row < N {
        all[row] = if row < first.len() { first[row] } else { second[row - first.len()] };
        row += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_where_marks_point() {
        let check = |event: Event, name| {
            assert_eq!(EVENTS[usize::from(event.row())].name, name);
        };
        check(Event::Hit, "cache.hit");
        check(Event::WriteAcked, "cache.write_acked");
        check(Event::ClientRetry, "client.retry");
        check(Event::ClientUnsupported, "client.unsupported");
        assert_eq!(EVENTS[0].name, raft::EVENTS[0].name);
    }

    #[test]
    fn names_are_unique() {
        let names = EVENTS.iter().map(|row| row.name);
        let names = names.chain(GAUGES.iter().map(|row| row.name));
        let mut names: alloc::vec::Vec<_> =
            names.chain(DEFECTS.iter().map(|row| row.name)).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
