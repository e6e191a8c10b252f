//! What a simulated node may know about the world, and nothing else.
//!
//! A node is a sans-IO state machine: one closed [`Input`] in, plain [`Effect`]s out. This crate
//! holds that seam ([`node`]), the values that cross it ([`time`], [`id`], [`op`], [`disk`]), the
//! keyed randomness behind every draw ([`rng`], [`dist`]), and what a fault may bend ([`world`]). What
//! a system tells the lab about itself stands in the crate `catalog`.
//!
//! Start with [`node::Node`].
//!
//! **Invariant:** this crate is `no_std`. No clock, thread, socket, hasher with a random state or
//! platform float function exists here to be misused.
#![no_std]

extern crate alloc;

pub mod disk;
pub mod dist;
pub mod hash;
pub mod id;
pub mod node;
pub mod nodes;
pub mod op;
pub mod rng;
pub mod time;
pub mod world;

pub use disk::{Disk, DiskError, DiskFate, DurableFiles, FileId, Found, NoDisk};
pub use dist::Dist;
pub use id::{ConnId, NodeId, OpId, SyncId, TimerKey};
pub use node::{CloseReason, Effect, Fx, Input, Mark, Node, Outbox, Span, StartError};
pub use nodes::{Nodes, Refused};
pub use op::{Call, Op, Outcome, OwnCall, OwnRet, ReadLevel, Ret, Value};
pub use rng::{Domain, Ratio, Rng, Word};
pub use time::{Duration, Instant, Now, SimTime, WallTime};
pub use world::{Condition, ConditionId, InFlight, Shock, Sockets, Target, Unsupported, World};
