//! What `hunt` may make of Hyperion.
//!
//! Every alternative leaves room for the heaviest load that a hunt draws, or a world would still be
//! busy when it has to have settled.
//!
//! Settings that make rare paths common: logs that are cut after a few entries, snapshots in small
//! chunks, appends of one entry, few of them in flight, short elections with short leases. Left out is
//! what Hyperion does not promise to bear: entries that are not synced, reads that may be stale,
//! a store that evicts.

use super::super::system::CACHE;
use catalog::{Draw, Hunt};

const NONE: Draw = &[];

const SHAPES: &[(u32, Draw)] = &[
    (3, NONE),
    (3, NONE),
    (5, NONE),
    (5, &[("voters", "3")]),
    (4, &[("voters", "3")]),
    (6, &[("voters", "4")]),
    (2, NONE),
    (7, NONE),
];

const SETTINGS: &[&[Draw]] = &[
    &[
        NONE,
        &[("election", "{ min = \"1500ms\", max = \"1700ms\" }")],
        &[
            ("heartbeat", "\"40ms\""),
            ("election", "{ min = \"300ms\", max = \"600ms\" }"),
            ("lease", "\"200ms\""),
            ("tick", "\"0ms\""),
        ],
        &[
            ("heartbeat", "\"100ms\""),
            ("election", "{ min = \"500ms\", max = \"600ms\" }"),
            ("lease", "\"400ms\""),
            ("tick", "\"10ms\""),
        ],
    ],
    &[NONE, NONE, &[("pre_vote", "false")]],
    &[NONE, NONE, &[("check_quorum", "false")]],
    &[NONE, &[("contact", "\"heartbeat\"")]],
    &[NONE, &[("reads", "\"leader-lease\"")]],
    &[NONE, &[("entries_per_append_max", "1")], &[("entries_per_append_max", "3")]],
    &[NONE, &[("append_bytes_max", "\"256B\"")]],
    &[NONE, &[("inflight_max", "3")], &[("inflight_max", "5")]],
    &[NONE, &[("apply_batch_max", "1")], &[("apply_batch_max", "4"), ("apply_pause", "\"2ms\"")]],
    &[
        NONE,
        &[("snapshot_after", "10"), ("snapshot_tail", "0")],
        &[("snapshot_after", "40"), ("snapshot_tail", "5")],
        &[("snapshot_after", "150"), ("snapshot_tail", "20")],
        &[("snapshot_after", "500"), ("snapshot_tail", "100")],
    ],
    &[NONE, &[("snapshot_chunk", "\"512B\"")], &[("snapshot_chunk", "\"2KiB\"")]],
    &[NONE, &[("enable_batching", "true")]],
    &[NONE, &[("enable_compression", "false")]],
    &[NONE, NONE, &[("service_put", "\"200us\""), ("service_get", "\"100us\"")]],
];

const CLIENTS: &[&[Draw]] = &[
    &[NONE, &[("timeout", "\"300ms\"")], &[("timeout", "\"600ms\"")], &[("timeout", "\"3s\"")]],
    &[NONE, &[("try_timeout", "\"30ms\"")], &[("try_timeout", "\"250ms\"")]],
    &[NONE, &[("pinned", "\"0%\"")], &[("pinned", "\"100%\"")]],
    &[NONE, &[("attempts_max", "2")]],
    &[NONE, &[("sticky", "true")]],
    &[NONE, &[("retry_base", "\"1ms\""), ("retry_max", "\"50ms\"")]],
];

/// How loosely the model takes the end of a value. Cluster time stands still from the last entry of
/// the log to the restart of all nodes that ends the trouble: for 16 s at most.
const TTL_TOLERANCE: &str = "\"20s\"";

/// The worlds of a group of caches.
pub const HUNT: &Hunt = &Hunt {
    role: CACHE,
    shapes: SHAPES,
    settings: SETTINGS,
    clients: CLIENTS,
    model: Some("register-cas"),
    ttl: Some(("{ dist = \"choice\", values = [\"400ms\", \"2s\", \"8s\"] }", TTL_TOLERANCE)),
    settles: &["settled"],
};
