//! What clients and operators can ask of Hyperion.

use crate::hyperion::wire::Verb;
use catalog::Operation;

/// The operations: a register per key, and a read of several.
pub const OPERATIONS: &[Operation] =
    &[Operation::GET, Operation::BATCH_GET, Operation::PUT, Operation::DELETE, Operation::CAS];

/// The verbs, in the order of [`Verb::ALL`].
pub const VERBS: &[catalog::Verb] = &[
    catalog::Verb {
        name: Verb::StepDown.name(),
        about: "the leader hands leadership to the next node",
        arg: 0,
        is_lossy: false,
    },
    catalog::Verb {
        name: Verb::Evict.name(),
        about: "the leader evicts so many entries, in the order of eviction",
        arg: 1_000,
        is_lossy: true,
    },
    catalog::Verb {
        name: Verb::Health.name(),
        about: "a node says whether it serves, and how many entries it holds",
        arg: 0,
        is_lossy: false,
    },
];

const _: () = assert!(VERBS.len() == Verb::ALL.len());
