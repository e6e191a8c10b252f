//! What is chosen to make room was used no later than what stays.
//!
//! A model of its own: it notes when each node last served each key, from the marks that the node
//! makes, and knows nothing of the order that the store keeps. A write counts as a use at its index
//! of the log, a read as one at the index that was applied then. A batch is judged when it is
//! proposed: what is read while it is under way leaves all the same. LRU-2 keeps another order and
//! is not judged.

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

#[derive(Clone, Debug, Default)]
pub struct EvictsInOrder {
    reads: u64,
}

/// What is known of one node in its present life.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// By key: its last read. Shared by forks, since it is as long as the store.
    read: cow::Map<u64, Use>,
    /// By key: the version that was chosen to leave and has not left.
    leaving: BTreeMap<u64, u64>,
    /// The keys of the batch that this input chose.
    batch: Vec<u64>,
}

impl Book {
    fn last_use(&self, entry: &Entry) -> Use {
        let read = self.read.get(&entry.key.label()).copied().unwrap_or_default();
        read.max((entry.version, 0))
    }

    /// The latest use among the batch and the earliest among the rest, where they are out of order.
    fn disorder(&self, server: &Server) -> Option<((Use, u64), (Use, u64))> {
        let entry = |entry: &Entry| (self.last_use(entry), entry.key.label());
        let leaves = |entry: &&Entry| self.leaving.get(&entry.key.label()) == Some(&entry.version);
        let entries = || server.machine().store().iter();
        let chosen =
            |entry: &&Entry| leaves(entry) && self.batch.binary_search(&entry.key.label()).is_ok();
        let went = entries().filter(chosen).map(entry).max()?;
        let stays = entries().filter(|entry| !leaves(entry)).map(entry).min()?;
        (stays.0 < went.0).then_some((went, stays))
    }
}

impl PerNode for EvictsInOrder {
    type Part = Server;
    type Memory = Book;
    const PROPERTY: Property = Property {
        name: "hyperion.evicts_in_order",
        about: "what is evicted to make room was used no later than what stays",
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
        if machine.store().config().policy != Policy::Lru {
            return Ok(0);
        }
        let [key, version, _] = mark.labels;
        match mark.event {
            HIT => {
                self.reads += 1;
                book.read.insert(key, (machine.applied_index(), self.reads));
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
        let Some(((_, went), (_, stays))) = found else {
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
