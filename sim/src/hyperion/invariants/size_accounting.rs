//! The counter of bytes held equals the sum over the entries held, and what is kept beside the
//! entries (the list of endings, the order of eviction) has as many of them.
//!
//! Eviction and refusal go by the counter: one that drifts makes a cache refuse writes although it
//! is empty, or grow past its limit (the class of etcd-io/raft a370b6f). A recount costs as much as
//! the store is long, so it is done once per that many applied entries.

use super::super::server::Server;
use crate::protocol::cache::{Entry, Store};
use alloc::format;
use alloc::string::String;
use catalog::{Judged, Look, PerNode, Property};

/// At least so many entries are applied between two recounts.
const RECOUNT_EVERY: u64 = 64;

#[derive(Clone, Debug)]
pub struct SizeAccounting;

/// The index from which on a node is recounted next.
#[derive(Clone, Copy, Debug)]
pub struct Due(u64);

impl Default for Due {
    fn default() -> Self {
        Self(RECOUNT_EVERY)
    }
}

/// The rule that the store of the node called `name` breaks.
fn misfit(store: &Store, name: &str) -> Option<(&'static str, String)> {
    let counted: u64 = store.iter().map(Entry::size_bytes).sum();
    let ending = store.iter().filter(|entry| entry.ttl.is_some()).count() as u64;
    let (bytes, len, listed) = (store.size_bytes(), store.len(), store.endings());
    if counted != bytes {
        let detail = format!(
            "{name} counts {bytes} bytes for {len} entries that are {counted} bytes together"
        );
        return Some(("the counter differs from the sum", detail));
    }
    if ending != listed {
        let detail = format!("{name} lists {listed} endings of {ending} entries that end");
        return Some(("the list of endings differs from the entries that end", detail));
    }
    let ordered = store.ordered();
    (ordered != len).then(|| {
        let detail = format!("{name} orders {ordered} of {len} entries for eviction");
        ("the order of eviction differs from the entries", detail)
    })
}

impl PerNode for SizeAccounting {
    type Part = Server;
    type Memory = Due;
    const PROPERTY: Property = Property {
        name: "hyperion.size_accounting",
        about: "the counter of bytes held, the list of endings and the order of eviction fit the entries",
        source: "etcd-io/raft a370b6f",
    };

    fn look(&mut self, look: &Look<'_, Server>, due: &mut Due) -> Judged {
        let machine = look.part.machine();
        let (index, store) = (machine.applied_index(), machine.store());
        if index < due.0 {
            return Ok(0);
        }
        due.0 = index + store.len().max(RECOUNT_EVERY);
        let Some((rule, detail)) = misfit(store, look.name()) else {
            return Ok(1);
        };
        // It does not come right again, so nothing more is to be learnt in this life.
        due.0 = u64::MAX;
        Err(look.breach(Self::PROPERTY, rule, &[look.node], detail))
    }
}
