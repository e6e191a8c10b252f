//! The text of a scenario file: its tree, quantities, and how it is written.

pub(crate) mod document;
pub mod formatter;
pub(crate) mod tree;
pub mod units;
