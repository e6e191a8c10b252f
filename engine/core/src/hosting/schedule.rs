//! What is due at one machine, in the canonical order.

use super::envelope::{Body, Letter};
use super::script::Moment;
use crate::record::Class;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use contract::{CloseReason, ConnId, DiskError, NodeId, SimTime, SyncId, TimerKey};

/// Where an item stands: `(time, round, class, src, n)`. The code tells kinds apart that share the
/// rest, the last number the order of arrival of the parts of one read.
pub(super) type Key = (SimTime, u32, Class, NodeId, u64, u64, u64);

/// One thing that is due.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// A step of the script.
    Step { index: usize },
    /// The node may go on with its inbox.
    Wake,
    /// What another machine sent, after how many steps of the script.
    Arrival { pos: u32, body: Body },
    /// Nobody answers this end of a connection; by `keep_alive` only one that is idle finds out.
    Break { conn: ConnId, keep_alive: bool },
    /// A request to open may have waited for too long.
    OpenEnd { conn: ConnId },
    /// The disk ended a sync.
    SyncEnd { sync: SyncId, ticket: u32, boot: u32 },
    /// For the node, behind whatever it has not looked at.
    Input {
        /// The life of the node that it is for, if that matters.
        boot: Option<u32>,
        waiting: Waiting,
    },
}

/// An input that waits for its node.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub src: NodeId,
    pub n: u64,
    pub what: Inbound,
}

/// An input, with its bytes.
#[derive(Clone, Debug)]
pub(super) enum Inbound {
    Datagram(Vec<u8>),
    Opened(ConnId),
    Data(ConnId, Vec<u8>),
    Closed(ConnId, CloseReason),
    Synced(SyncId, Result<(), DiskError>),
    Timer(TimerKey),
    Invoke,
}

impl Item {
    const fn code(&self) -> u64 {
        match self {
            Self::Step { .. } => 0,
            Self::Wake => 1,
            Self::Arrival { .. } => 2,
            Self::Break { .. } => 3,
            Self::OpenEnd { .. } => 6,
            Self::SyncEnd { .. } => 4,
            Self::Input { .. } => 5,
        }
    }
}

/// Everything that is due.
#[derive(Debug)]
pub(super) struct Schedule {
    items: BTreeMap<Key, Item>,
    count: u64,
    /// The item that was taken last; what comes before it is late.
    last: Option<Key>,
    pub now: SimTime,
    pub round: u32,
}

impl Schedule {
    pub fn new() -> Self {
        Self { items: BTreeMap::new(), count: 0, last: None, now: SimTime::ZERO, round: 0 }
    }

    /// The moment at which something scheduled now for `at` is due: what is due at once waits for
    /// the next round.
    pub fn moment(&self, at: SimTime) -> Moment {
        assert!(at >= self.now, "nothing is scheduled in the past");
        if at > self.now { (at, 0) } else { (at, self.round + 1) }
    }

    /// Puts an item of this machine's own in line for `at`.
    pub fn put(&mut self, at: SimTime, class: Class, src: NodeId, n: u64, item: Item) {
        let moment = self.moment(at);
        let fits = self.put_at(moment, class, src, n, item);
        assert!(fits, "what is scheduled now is not in the past");
    }

    /// Puts an item in line; `false` when that moment has passed.
    pub fn put_at(
        &mut self,
        (at, round): Moment,
        class: Class,
        src: NodeId,
        n: u64,
        item: Item,
    ) -> bool {
        self.count += 1;
        assert!(class != Class::FaultStart, "a script's steps are the first of their round");
        self.insert((at, round, class, src, n, item.code(), self.count), item)
    }

    /// Puts what another machine sent in line; `false` when that moment has passed.
    pub fn put_letter(&mut self, letter: Letter) -> bool {
        let Letter { moment: (at, round), pos, from, n, part, body } = letter;
        let class = body.class();
        let item = match body {
            Body::Break(conn, _) => Item::Break { conn, keep_alive: false },
            Body::Gone(conn) => Item::Break { conn, keep_alive: true },
            body => Item::Arrival { pos, body },
        };
        self.insert((at, round, class, from, n, item.code(), part), item)
    }

    fn insert(&mut self, key: Key, item: Item) -> bool {
        if self.last.is_some_and(|last| key < last) {
            return false;
        }
        self.items.insert(key, item);
        true
    }

    /// Time passes, where a simulator's own network sets the pace.
    pub fn pass(&mut self, now: SimTime) {
        if now > self.now {
            (self.now, self.round) = (now, 0);
        }
    }

    /// Takes the next item that is due before `until`.
    pub fn take(&mut self, until: SimTime) -> Option<(Key, Item)> {
        let entry = self.items.first_entry()?;
        if entry.key().0 >= until {
            return None;
        }
        let (key, item) = entry.remove_entry();
        assert!((key.0, key.1) >= (self.now, self.round), "time runs forwards");
        (self.now, self.round) = (key.0, key.1);
        self.last = Some(key);
        Some((key, item))
    }

    /// Takes the next item if it is the next part of the read that began with `key`.
    pub fn take_tied(&mut self, key: &Key, is_part: impl Fn(&Item) -> bool) -> Option<Item> {
        let entry = self.items.first_entry()?;
        let next = entry.key();
        let ties = (next.0, next.1, next.2, next.3, next.4) == (key.0, key.1, key.2, key.3, key.4);
        assert!(*next >= *key, "time runs forwards");
        (ties && is_part(entry.get())).then(|| entry.remove())
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.items.clear();
    }

    /// When the next item is due.
    pub fn next_at(&self) -> Option<SimTime> {
        self.items.first_key_value().map(|(key, _)| key.0)
    }
}
