//! The discrete-event engine: one thread, one seed, one total order of events.
//!
//! It owns time, network, disks, clocks, memory limits and every random draw, and hosts any number
//! of [`contract::Node`]s of any kind. Start with [`Engine`]; a world is described by [`Config`],
//! its nodes come from a [`Boot`], its load from a [`Workload`], and an [`Observer`] watches.
//!
//! **Invariant:** equal inputs give equal runs, in every build profile and on every platform. No
//! tie is broken by a hash of an address, a slot or the history of scheduling.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod api;
pub mod clocks;
mod conditions;
pub mod config;
mod controlled;
pub mod counters;
pub mod disk;
mod effects;
mod engine;
mod frames;
mod host;
pub mod hosting;
mod kernel;
mod machines;
mod manual;
pub mod net;
mod odds;
pub mod queue;
mod record;
mod snapshot;
mod timers;
pub mod trace;
mod wheel;
mod world;

pub use api::{
    Boot, Control, FaultClass, Idle, Incident, IncidentKind, NoStart, Observer, Stopped, Unwatched,
    Wake, Workload,
};
pub use config::{Boots, ClockSpec, Config, DiskSpec, LinkSpec, NodeSpec, Ties};
pub use counters::{Counters, DropReason};
pub use disk::Durable;
pub use engine::Engine;
pub use manual::Waiting;
pub use net::pins::{Fate, Pin, Sent};
pub use trace::{Event, EventKind, Trace};
