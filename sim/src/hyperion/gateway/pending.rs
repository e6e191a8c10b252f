//! The requests that are under way behind a gateway.

use super::super::wire::RequestFrame;
use crate::service::Redirects;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use contract::{ConnId, Instant};

/// A request under way.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub conn: ConnId,
    /// The client's id of it.
    pub request: u64,
    /// The request as it came.
    pub asked: RequestFrame,
    pub at: Stage,
    /// Whether it was sent to where it is.
    pub sent: bool,
    pub redirects: Redirects,
    pub since: Instant,
    pub writes: bool,
}

/// Where a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Auth,
    Cache(u32),
}

/// All of them, by number, which is the order of their deadlines.
#[derive(Clone, Debug, Default)]
pub(super) struct AllPending {
    by_number: BTreeMap<u64, Pending>,
    pushed: u64,
}

impl AllPending {
    /// Takes one in, and returns its number.
    pub fn push(&mut self, pending: Pending) -> u64 {
        self.pushed += 1;
        self.by_number.insert(self.pushed, pending);
        self.pushed
    }

    /// The one with this number, while it is under way.
    pub fn get_mut(&mut self, id: u64) -> Option<&mut Pending> {
        self.by_number.get_mut(&id)
    }

    /// The one that came first.
    pub fn first(&self) -> Option<(u64, &Pending)> {
        self.by_number.first_key_value().map(|(id, pending)| (*id, pending))
    }

    /// Ends one.
    pub fn remove(&mut self, id: u64) -> Pending {
        self.by_number.remove(&id).expect("a request ends once")
    }

    /// Forgets what was asked on a connection that is gone.
    pub fn forget(&mut self, conn: ConnId) {
        self.by_number.retain(|_, pending| pending.conn != conn);
    }

    /// Those that are at `stage`: the number, whether it was sent, whether it writes.
    pub fn at(&self, stage: Stage) -> Vec<(u64, bool, bool)> {
        let there = self.by_number.iter().filter(|(_, pending)| pending.at == stage);
        there.map(|(id, pending)| (*id, pending.sent, pending.writes)).collect()
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.by_number.len() as u64
    }

    /// True where nothing is under way.
    pub fn is_empty(&self) -> bool {
        self.by_number.is_empty()
    }

    /// How long all of them are, in bytes.
    pub fn len_bytes(&self) -> u64 {
        self.by_number.values().map(|pending| pending.asked.len_bytes()).sum()
    }
}
