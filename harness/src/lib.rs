//! Under construction.

pub mod checks;
pub mod history;
pub mod models;
