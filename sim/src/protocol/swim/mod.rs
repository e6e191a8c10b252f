//! SWIM with Lifeguard as a sans-IO state machine over [`contract::Fx`]: who is a member, who is dead.
//!
//! Start with [`Swim`]: a node boots one, hands on its datagrams, timers and streams, and drains
//! [`Ready`] after every call. Sections cited as `swim-paper` are of Das, Gupta and Motivala, "SWIM:
//! Scalable Weakly-consistent Infection-style Process Group Membership Protocol", DSN 2002; as
//! `lifeguard` of Dadgar, Phillips and Currey, "Lifeguard: Local Health Awareness for More Accurate
//! Failure Detection", arXiv 1707.00788; as `memberlist` of the code of that name.
//!
//! | Part | Where | Source |
//! |---|---|---|
//! | probes, helpers, nacks | `probe` | swim-paper §4.1; lifeguard §IV-A |
//! | local health | `awareness` | lifeguard §IV-A |
//! | suspicion and its timer | `suspicion`, `timeouts` | swim-paper §4.2; lifeguard §IV-B |
//! | states, refutation, leaving | `membership` | swim-paper §4.2; memberlist `state.go` |
//! | what is gossiped, and how often | `broadcasts`, `gossip` | swim-paper §4.1; memberlist `queue.go` |
//! | exchange of everything, stream pings | `push_pull` | memberlist `net.go` |
//! | frames | `wire`, `msgpack` | memberlist `net.go` |
//!
//! ## Embedding
//!
//! A node owns one [`Swim`]. It hands on datagrams of members, timers for which [`Swim::owns_timer`]
//! holds, the connections for which [`Swim::owns_conn`] holds, and those of other members that are
//! for gossip; each with a [`Context`], in which a [`Delegate`] adds what the owner has to gossip.
//! [`Swim::join`] makes it a member where somebody is one already, [`Swim::leave`] ends that.
//!
//! **Invariant:** nobody is declared dead by hearsay in an exchange of everything, and only a member
//! itself raises its incarnation.

mod awareness;
mod broadcasts;
pub mod conformance;
mod crc;
mod defects;
mod gossip;
mod inspect;
pub mod invariants;
mod machine;
mod member;
mod membership;
pub mod msgpack;
mod probe;
mod push_pull;
mod ready;
mod settings;
mod suspicion;
mod tables;
pub mod timeouts;
mod wire;

pub use awareness::Awareness;
pub use broadcasts::{Broadcasts, Room};
pub use defects::{DEFECTS, Defects};
pub use machine::{Swim, TIMERS};
pub use member::{Address, Member, Members, Name, State};
pub use ready::{Context, Delegate, NoDelegate, Ready};
pub use settings::{Config, META_BYTES_MAX, SwimSettings};
pub use suspicion::Suspicion;
pub use tables::{EVENTS, Event, gauges, pending, predicates, properties, view};
pub use wire::{kind_of_frame, kinds, sealed};

/// Finds the member inside a node of the embedding system.
pub type SwimOf = catalog::Find<Swim>;

#[cfg(test)]
mod tests;
