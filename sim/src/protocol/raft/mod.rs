//! Raft as a sans-IO state machine over [`contract::Fx`].
//!
//! Start with [`Raft`]: a node boots one, forwards its datagrams, timers and syncs, and drains
//! [`Ready`] after every call. Sections cited as `raft-paper` are of Ongaro and Ousterhout, "In
//! Search of an Understandable Consensus Algorithm (Extended Version)", 2014; as `raft-thesis` of
//! Ongaro's dissertation, 2014.
//!
//! | Part | Where | Source |
//! |---|---|---|
//! | elections, pre-vote, check-quorum, transfer | `election` | raft-paper §5.2, §5.4.1; raft-thesis §9.6, §6.2, §3.10 |
//! | replication, conflict back-off, commit rule | `replication` | raft-paper §5.3, §5.4.2 |
//! | lease and read-index | `reads` | raft-thesis §6.4, §6.4.1 |
//! | snapshots: taken, sent, installed | `snapshot` | raft-paper §7; raft-thesis §5 |
//! | who takes part, and changes of it | `configuration`, `config_history`, `reconfiguration` | raft-thesis §4 |
//! | what is on disk, and recovery | `storage`, `recovery` | raft-paper §5, Figure 2; raft-thesis §10.2.1 |
//! | frames | `wire` | this project |
//!
//! ## Embedding
//!
//! A node owns one [`Raft`], built by [`Raft::boot`] in its own boot. In `on_input` it hands on
//! datagrams of its peers (naming the sender by its index), timers for which [`Raft::owns_timer`]
//! holds and syncs for which [`Raft::owns_sync`] holds. After each call it drains [`Ready`]:
//! entries to apply, reads to answer, leadership gained and lost. Commands go in by
//! [`Raft::propose`] and are done when they come back as [`Ready::Apply`] with the same id. A read
//! is served under [`Raft::lease_valid`] once everything committed is applied, or else by
//! [`Raft::read_index`]. The keys in [`TIMERS`], [`SYNCS`] and [`FILES`] are Raft's; a node has one
//! Raft.
//!
//! Now and then Raft asks for the owner's state by [`Ready::TakeSnapshot`], and hands one back by
//! [`Ready::Restore`]: after a boot, and where a leader has cut off what this node lacks. Who takes
//! part is changed by [`Raft::change`].
//!
//! A node whose disk was wiped must not come back under its old index.
//!
//! **Invariant:** peers are named by their index in the group, on the wire, on disk and in state.
//! A `NodeId` appears only where a datagram is sent.

mod after_sync;
mod config_history;
mod configuration;
pub mod conformance;
mod crc;
mod defects;
mod derived;
mod election;
mod entry;
mod glance;
mod group;
mod inspect;
pub mod invariants;
mod log;
#[path = "raft.rs"]
mod machine;
pub mod needs;
mod progress;
mod quorum;
mod reads;
mod ready;
mod reconfiguration;
mod recovery;
mod relations;
mod replication;
mod round_trip;
mod said;
mod setting_rows;
mod settings;
mod snapshot;
mod step;
mod storage;
mod tables;
mod time;
mod wire;

pub use configuration::{Change, ChangeError, Members, PeerSet};
pub use defects::{DEFECTS, Defects};
pub use entry::{Entry, LogId, Payload};
pub use group::{RaftOf, SELECTORS, fingerprint, is_leaderless, pending, select, view};
pub use machine::{Raft, TIMERS};
pub use ready::{NotLeader, ReadId, Ready, Role};
pub use reconfiguration::{ChangeRefused, Transition};
pub use relations::{Timing, relations};
pub use setting_rows::{Contact, FsyncWord, RaftSettings};
pub use settings::{Config, Fsync, PEERS_MAX};
pub use snapshot::Snapshot;
pub use storage::{FILES, SYNCS};
pub use tables::{CODES, EVENTS, Event, gauges, predicates, properties};
pub use wire::COMMAND_BYTES_MAX;

#[cfg(test)]
mod testkit;
#[cfg(test)]
mod tests;
