//! What is chosen to make room was used no later than what stays.
//!
//! A model of its own: it notes when each node last served each key, from the marks that the node
//! makes, and knows nothing of the order that the store keeps. A write counts as a use at its index
//! of the log, a read as one at the index that was applied then. A batch is judged when it is
//! proposed: what is read while it is under way leaves all the same. LRU-2 keeps another order and
//! is not judged.

use super::super::server::Server;
use super::super::tables::Event;
use super::{Seats, server};
use crate::protocol::cache::entry::Entry;
use crate::protocol::cache::eviction_order::Policy;
use crate::protocol::cow;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use catalog::{Invariant, Property, Violation};
use contract::{Mark, NodeId, Nodes, SimTime};

const PROPERTY: Property = Property {
    name: "hyperion.evicts_in_order",
    about: "what is evicted to make room was used no later than what stays",
    source: "lru-k §2",
};

/// When something was used: the index of the log, and the count of reads by then.
type Use = (u64, u64);

#[derive(Clone, Debug)]
pub struct EvictsInOrder {
    seats: Seats,
    books: Vec<Book>,
    reads: u64,
}

/// What is known of one node in its present life.
#[derive(Clone, Debug, Default)]
struct Book {
    boot: u32,
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

impl EvictsInOrder {
    pub fn new(seats: &Seats) -> Self {
        Self { seats: seats.clone(), books: vec![Book::default(); seats.slots()], reads: 0 }
    }
}

impl Invariant for EvictsInOrder {
    fn property(&self) -> Property {
        PROPERTY
    }

    fn concerns(&self, node: NodeId) -> bool {
        self.seats.group(node).is_some()
    }

    fn on_mark(
        &mut self,
        _: SimTime,
        node: NodeId,
        mark: Mark,
        nodes: &dyn Nodes,
    ) -> Result<(), Violation> {
        const HIT: u16 = Event::Hit.row();
        const PROPOSED: u16 = Event::EvictionProposed.row();
        const EVICTED: u16 = Event::Evicted.row();
        if !matches!(mark.event, HIT | PROPOSED | EVICTED) || self.seats.group(node).is_none() {
            return Ok(());
        }
        let Some(server) = server(nodes, node) else {
            return Ok(());
        };
        if server.machine().store().config().policy != Policy::Lru {
            return Ok(());
        }
        let book = &mut self.books[node.index()];
        if book.boot != nodes.boot(node) {
            *book = Book { boot: nodes.boot(node), ..Book::default() };
        }
        let [key, version, _] = mark.labels;
        match mark.event {
            HIT => {
                self.reads += 1;
                book.read.insert(key, (server.machine().applied_index(), self.reads));
            }
            PROPOSED => {
                book.leaving.insert(key, version);
                book.batch.push(key);
            }
            _ => {
                book.leaving.remove(&key);
            }
        }
        Ok(())
    }

    fn after_event(
        &mut self,
        at: SimTime,
        touched: NodeId,
        nodes: &dyn Nodes,
    ) -> Result<(), Violation> {
        let Some(book) = self.books.get_mut(touched.index()) else {
            return Ok(());
        };
        if book.batch.is_empty() {
            return Ok(());
        }
        book.batch.sort_unstable();
        let found = server(nodes, touched).and_then(|server| book.disorder(server));
        book.batch.clear();
        let Some(((_, went), (_, stays))) = found else {
            return Ok(());
        };
        Err(Violation {
            property: PROPERTY.name,
            rule: "an entry is to go before one that was used earlier",
            at,
            nodes: vec![touched],
            ops: Vec::new(),
            detail: format!(
                "{} chose key {went} to leave and keeps key {stays}, which was used earlier",
                self.seats.name(touched),
            ),
        })
    }

    fn fork(&self) -> Box<dyn Invariant> {
        Box::new(self.clone())
    }
}
