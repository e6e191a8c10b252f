//! What tests and benchmarks of several crates share. Nothing here is a part of the lab: it is a
//! dev-dependency alone.

pub mod golden;
#[cfg(feature = "schema")]
pub mod json_schema;
#[cfg(feature = "bench")]
pub mod measure;
#[cfg(feature = "bench")]
pub mod page;
pub mod tree;
