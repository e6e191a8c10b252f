//! Histories in the form that the checkers work on.
//!
//! A history is a slice of [`contract::Op`]. Linearizability is local (Herlihy and Wing, "Linearizability:
//! a correctness condition for concurrent objects", §3.1), so it is split per key ([`split`]), and
//! each key's operations are put into one order of calls and returns ([`rank`]). Registers are
//! compiled further, into dense numbers ([`register`]).
//!
//! Start with [`register::Register`] for what the register checker sees of an operation.

pub mod intern;
pub mod rank;
pub mod register;
pub mod split;
