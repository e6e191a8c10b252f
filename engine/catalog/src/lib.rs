//! What a system under test says of itself: the rows that scenario files, checks, reports and help
//! are made of.
//!
//! A system declares each row once, beside the code that it describes: roles with their settings
//! ([`mod@settings`], given by another node in [`overrides`]), operations and verbs ([`operation`]),
//! events, gauges, predicates, properties, codes and defects ([`system`]), by the macros of
//! [`rows`]. A name that is misspelt in a scenario file is an error with a
//! suggestion; one that is misspelt in the system does not compile.
//!
//! Start with [`system::System`].
//!
//! **Invariant:** this crate is `no_std` and knows no system.
#![no_std]

extern crate alloc;

#[doc(hidden)]
pub use contract;

pub mod check;
pub mod conformance;
pub mod hunt;
pub mod operation;
pub mod overrides;
pub mod per_node;
pub mod rows;
pub mod settings;
pub mod system;
pub mod timers;

pub use check::{Invariant, Property, Verdict, Violation};
pub use hunt::{Draw, Hunt};
pub use operation::{Argument, Form, Operation, Verb};
pub use overrides::{Overrides, overridden};
pub use per_node::{Judged, Look, PerNode, Watched, watch};
pub use rows::{Base, Embeds, Find, Itself};
pub use settings::{Kind, Setting, SettingValue, Settings};
pub use system::{
    Code, Defect, EventKind, Fields, GaugeKind, Group, Leadership, Limits, Membership, Need,
    PredicateKind, Preload, PropertyRow, Relation, Role, Seat, System,
};
