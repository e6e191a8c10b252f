//! What is chosen to make room was used no later than what stays.
//!
//! A model of its own: it notes when each node last served each key, from the marks that the node
//! makes, and knows nothing of the order that the store keeps. A write counts as a use at its index
//! of the log, a read as one at the index that was applied then. A batch is judged when it is
//! proposed: what is read while it is under way leaves all the same.
//!
//! LRU goes by the last use of an entry, LRU-2 by the one before it. Writes leave no mark at every
//! node, and an entry says its last one alone: so the second-last use is known where some read came
//! after that write, and lies somewhere before it where none did. An order is broken where it is in
//! any case.

use super::super::server::Server;
use super::super::tables::Event;
use crate::protocol::cache::{Entry, Policy};
use crate::protocol::cow;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;
use catalog::{Judged, Look, PerNode, Property};
use contract::Mark;

/// When something was used: the index of the log, and the count of reads by then.
type Use = (u64, u64);

/// The use that the order goes by: not before the first, not after the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rank {
    least: Use,
    most: Use,
}

#[derive(Clone, Debug, Default)]
pub struct EvictsInOrder {
    reads: u64,
}

/// What is known of one node in its present life.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// By key: its last read and the one before. Shared by forks, since it is as long as the store.
    read: cow::Map<u64, [Use; 2]>,
    /// By key: the version that was chosen to leave and has not left.
    leaving: BTreeMap<u64, u64>,
    /// The keys of the batch that this input chose.
    batch: Vec<u64>,
}

impl Book {
    fn rank(&self, entry: &Entry, policy: Policy) -> Rank {
        let written = (entry.version, 0);
        let [last, before] = self.read.get(&entry.key.label()).copied().unwrap_or_default();
        let exact = |at: Use| Rank { least: at, most: at };
        match policy {
            Policy::Lru => exact(last.max(written)),
            Policy::Lru2 if last > written => exact(before.max(written)),
            Policy::Lru2 => Rank { least: Use::default(), most: written },
        }
    }

    /// A key of the batch and one of the rest, where that of the batch was certainly used later.
    fn disorder(&self, server: &Server) -> Option<(u64, u64)> {
        let policy = server.machine().store().config().policy;
        let leaves = |entry: &&Entry| self.leaving.get(&entry.key.label()) == Some(&entry.version);
        let entries = || server.machine().store().iter();
        let chosen =
            |entry: &&Entry| leaves(entry) && self.batch.binary_search(&entry.key.label()).is_ok();
        let rank = |entry: &Entry| (self.rank(entry, policy), entry.key.label());
        let went = entries().filter(chosen).map(rank);
        let went = went.map(|(rank, key)| (rank.least, key)).max()?;
        let stays = entries().filter(|entry| !leaves(entry)).map(rank);
        let stays = stays.map(|(rank, key)| (rank.most, key)).min()?;
        (stays.0 < went.0).then_some((went.1, stays.1))
    }
}

impl PerNode for EvictsInOrder {
    type Part = Server;
    type Memory = Book;
    const PROPERTY: Property = Property {
        name: "hyperion.evicts_in_order",
        about: "what is evicted to make room was used no later than what stays, by the last use or, \
                with LRU-2, by the one before it",
        source: "lru-k §2",
    };

    fn on_mark(&mut self, look: &Look<'_, Server>, book: &mut Book, mark: Mark) -> Judged {
        const HIT: u16 = Event::Hit.row();
        const PROPOSED: u16 = Event::EvictionProposed.row();
        const EVICTED: u16 = Event::Evicted.row();
        if !matches!(mark.event, HIT | PROPOSED | EVICTED) {
            return Ok(0);
        }
        let machine = look.part.machine();
        let [key, version, _] = mark.labels;
        match mark.event {
            HIT => {
                self.reads += 1;
                let now = (machine.applied_index(), self.reads);
                let [before, _] = book.read.get(&key).copied().unwrap_or_default();
                book.read.insert(key, [now, before]);
            }
            PROPOSED => {
                book.leaving.insert(key, version);
                book.batch.push(key);
            }
            _ => {
                book.leaving.remove(&key);
            }
        }
        Ok(0)
    }

    fn look(&mut self, look: &Look<'_, Server>, book: &mut Book) -> Judged {
        if book.batch.is_empty() {
            return Ok(0);
        }
        book.batch.sort_unstable();
        let found = book.disorder(look.part);
        let judged = book.batch.len() as u64;
        book.batch.clear();
        let Some((went, stays)) = found else {
            return Ok(judged);
        };
        let rule = "an entry is to go before one that was used earlier";
        let detail = format!(
            "{} chose key {went} to leave and keeps key {stays}, which was used earlier",
            look.name(),
        );
        Err(look.breach(Self::PROPERTY, rule, &[look.node], detail))
    }
}
