//! Edits of a tree: variants, points of a matrix, overrides, and what shrinking takes away.

pub mod draft;
pub(crate) mod matrix;
pub(crate) mod overrides;
pub(crate) mod paths;
pub(crate) mod reduce;
pub mod subset;
pub mod unroll;
