//! Search on a register, with the operations that take part numbered anew.

use super::register::RegisterObject;
use super::{Found, Limits, Search};
use crate::history::register::Register;

/// Searches for an order of `register`'s operations: indexes into [`Register::ops`]. Also returns
/// how many steps it took.
#[must_use]
pub fn search_register(register: &Register, limits: Limits) -> (Found, u64) {
    if register.impossible.is_some() {
        return (Found::NotLinearizable { blocked: 0 }, 0);
    }
    if register.ambiguous {
        let why = "a value with a time to live was written more than once";
        return (Found::Undecided { why }, 0);
    }
    let object = RegisterObject::new(register);
    let spans = object.spans();
    let kept = object.kept();
    let mut search = Search::new(object, &spans);
    let found = match search.run(limits) {
        Found::Linearizable(order) => {
            Found::Linearizable(order.into_iter().map(|op| kept[op as usize]).collect())
        }
        found => found,
    };
    (found, search.steps())
}
