//! What can be read off a node, for its owner, for invariants and for reports.

use super::intents::Status;
use super::lamport::Lamport;
use super::machine::{Leaving, Serf};
use super::settings::Config;
use crate::protocol::swim::Swim;

impl Serf {
    /// The membership below.
    #[must_use]
    pub const fn swim(&self) -> &Swim {
        &self.swim
    }

    /// What it was booted with.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.upper.config
    }

    /// The clock of events.
    #[must_use]
    pub const fn event_clock(&self) -> Lamport {
        self.upper.event_clock
    }

    /// The clock of queries.
    #[must_use]
    pub const fn query_clock(&self) -> Lamport {
        self.upper.query_clock
    }

    /// How many members have a status.
    #[must_use]
    pub fn count(&self, status: Status) -> u64 {
        self.upper.members.values().filter(|member| member.status == status).count() as u64
    }

    /// How many intents, queries and events wait to be told.
    #[must_use]
    pub fn queued(&self) -> [u64; 3] {
        let upper = &self.upper;
        [&upper.intent_queue, &upper.query_queue, &upper.event_queue]
            .map(|queue| queue.len() as u64)
    }

    /// How many broadcasts of its own were skipped because too much waited.
    #[must_use]
    pub const fn skipped(&self) -> u64 {
        self.upper.skipped
    }

    /// How many waiting messages were dropped because too much waited.
    #[must_use]
    pub const fn pruned(&self) -> u64 {
        self.upper.pruned
    }

    /// Whether it has said that it leaves.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.upper.leaving != Leaving::No
    }

    /// Logical memory in use, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        let events: usize = self
            .upper
            .events
            .iter()
            .map(|(_, event)| event.name.len() + event.payload.len() + 64)
            .sum();
        let queued: u64 = self.queued().iter().sum();
        self.swim.memory_bytes()
            + events as u64
            + queued * 256
            + self.upper.members.len() as u64 * 48
    }
}
