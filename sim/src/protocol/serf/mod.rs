//! Serf as a sans-IO state machine over SWIM: user events, queries, and who means to leave.
//!
//! Start with [`Serf`]: a node boots one, which has its membership ([`crate::protocol::swim`]) inside,
//! hands on its datagrams, timers and streams, and drains [`Ready`] after every call. The source is
//! HashiCorp's Serf; where its documents and its code differ, the code.
//!
//! | Part | Where |
//! |---|---|
//! | three Lamport clocks | `lamport` |
//! | intents and statuses | `intents` |
//! | user events, delivered once | `events`, `seen` |
//! | queries, answers, relays | `queries` |
//! | exchange of state, reaping, reconnecting, depth of queues | `upkeep` |
//! | events drawn together | `coalesce` |
//! | frames | `wire` |
//!
//! What it does not give: an order of events between nodes, an event that arrives everywhere, a first
//! answer that reserves anything.
//!
//! **Invariant:** a user event reaches the owner at most once per boot while its time is within the
//! buffer, and never after that.

mod coalesce;
mod defects;
mod events;
mod inspect;
mod intents;
pub mod invariants;
mod lamport;
mod machine;
mod queries;
mod ready;
mod seen;
mod settings;
mod tables;
mod upkeep;
mod wire;

pub use defects::{DEFECTS, Defects};
pub use intents::{Member, Status};
pub use lamport::Lamport;
pub use machine::{Serf, TIMERS};
pub use queries::QueryOptions;
pub use ready::{Change, NotSent, QueryKey, Ready};
pub use settings::{Config, EVENT_BYTES_MAX, SerfSettings};
pub use tables::{EVENTS, Event, gauges, properties};
pub use wire::kind;

/// Finds the Serf inside a node of the embedding system.
pub type SerfOf = catalog::Find<Serf>;
