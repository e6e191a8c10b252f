//! What the tests of the checkers share: brute force, and random small histories.

pub mod brute_force;
pub mod generate;
pub mod objects;
pub mod script;
pub mod subjects;

#[path = "../../../benches/linearizable/load.rs"]
pub mod load;
