//! Is the history one that a single copy could have produced?
#[cfg(test)]
mod agreement;
pub mod mutant;
pub mod replay;
pub mod search;
#[cfg(test)]
mod testkit;
pub mod tier_one;
pub mod violation;
