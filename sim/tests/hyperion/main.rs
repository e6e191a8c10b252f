//! Hyperion on the engine: clean runs stay clean under faults, planted defects are caught.
//!
//! Start with [`world`], which puts groups, load and invariants into an engine. [`history`] judges
//! what the clients saw, independently of the lab's own checkers.

extern crate alloc;

mod defects;
mod faults;
mod history;
mod schema;
mod service;
mod settings;
mod world;
