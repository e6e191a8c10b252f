//! What judges a finished run, one folder or file per kind of check.

pub mod linearizable;
