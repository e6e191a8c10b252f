//! Reading a tree: one file per table of the format, each judging what it reads.

pub(crate) mod asks;
pub(crate) mod capacity;
pub(crate) mod check_variants;
pub(crate) mod checks;
pub(crate) mod clients;
pub(crate) mod clock;
pub(crate) mod context;
pub(crate) mod dist;
pub(crate) mod exact;
pub(crate) mod expect;
pub(crate) mod faults;
pub(crate) mod fields;
pub(crate) mod groups;
pub(crate) mod kind_fields;
pub(crate) mod limits;
pub(crate) mod load;
pub(crate) mod machines;
pub(crate) mod net;
pub(crate) mod ops;
pub(crate) mod pins;
pub(crate) mod preload;
pub mod random;
pub(crate) mod reading;
pub(crate) mod time_point;
pub(crate) mod value;
