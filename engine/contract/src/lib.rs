//! What a simulated node may know about the world, and nothing else.
//!
//! A node is a sans-IO state machine: one closed [`Input`] in, plain [`Effect`]s out. This crate
//! holds that seam ([`node`]), the values that cross it ([`time`], [`id`], [`op`], [`disk`]), the
//! keyed randomness behind every draw ([`rng`], [`dist`]), what a fault may bend ([`world`]), and
//! what a system under test tells the lab about itself ([`system`], [`check`]).
//!
//! Start with [`node::Node`] to write a system, and with [`system::System`] to register it.
//!
//! **Invariant:** this crate is `no_std`. No clock, thread, socket, hasher with a random state or
//! platform float function exists here to be misused.
#![no_std]

extern crate alloc;

pub mod check;
pub mod conformance;
pub mod disk;
pub mod dist;
pub mod hash;
pub mod id;
pub mod node;
pub mod op;
pub mod rng;
pub mod settings;
pub mod system;
pub mod time;
pub mod world;

pub use check::{Invariant, Nodes, Property, Verdict, Violation};
pub use disk::{Disk, DiskError, DiskFate, FileId};
pub use dist::Dist;
pub use id::{ConnId, NodeId, OpId, SyncId, TimerKey};
pub use node::{CloseReason, Effect, Fx, Input, Mark, Node, Outbox, Span};
pub use op::{Call, Op, Outcome, ReadLevel, Ret, Value};
pub use rng::{Domain, Ratio, Rng, Word};
pub use settings::{Kind, Setting, SettingValue, Settings};
pub use system::{
    Defect, EventKind, Fields, GaugeKind, Group, Membership, Need, PredicateKind, Preload, Refused,
    Relation, Role, Seat, System,
};
pub use time::{Duration, Instant, Now, SimTime, WallTime};
pub use world::{Condition, ConditionId, InFlight, Shock, Unsupported, World};
