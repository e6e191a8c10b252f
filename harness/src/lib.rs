//! Compiles scenario files, runs them, judges the histories, and explains what broke.
//!
//! Start with [`scenario::Scenario`], which turns a file into a [`scenario::plan::Plan`].

pub mod diagnostics;
pub mod scenario;
pub mod table;
