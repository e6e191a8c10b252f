//! A set per key: `append` adds an element, `get` reads all, in any order.

use super::{Model, Observed};
use contract::{Call, Outcome, Ret, Value};
use std::collections::BTreeSet;

/// Sets that start empty. Adding an element twice changes nothing. The state is a whole set, so a
/// part of many thousand elements is slow to judge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Set;

impl Model for Set {
    type State = BTreeSet<Value>;

    fn part(&self, call: &Call) -> Option<u64> {
        match call {
            Call::Append { key, .. } | Call::Get { key, .. } => Some(*key),
            _ => None,
        }
    }

    fn init(&self, _part: u64) -> Self::State {
        BTreeSet::new()
    }

    fn step(&self, state: &Self::State, op: &Observed<'_>) -> Option<Self::State> {
        let with = |value: &Value| {
            let mut next = state.clone();
            next.insert(*value);
            next
        };
        match (op.call, op.outcome) {
            (Call::Append { value, .. }, Outcome::Unknown | Outcome::Ok(Ret::Done { .. })) => {
                Some(with(value))
            }
            (Call::Append { value, .. }, Outcome::Ok(Ret::List { items })) => {
                Some(with(value)).filter(|next| is_listed(next, items))
            }
            (Call::Get { .. }, Outcome::Unknown) => Some(state.clone()),
            (Call::Get { .. }, Outcome::Ok(Ret::List { items })) => {
                is_listed(state, items).then(|| state.clone())
            }
            (Call::Get { .. }, Outcome::Ok(Ret::Missing)) => {
                state.is_empty().then(|| state.clone())
            }
            _ => None,
        }
    }

    fn weight(&self, state: &Self::State) -> usize {
        // A node of the tree has room for eleven and is half full at least.
        size_of::<Self::State>() + 12 * size_of::<Value>() + 3 * state.len() * size_of::<Value>()
    }

    fn observes(&self, op: &Observed<'_>) -> bool {
        matches!(op.call, Call::Get { .. })
    }

    fn interchangeable(&self, one: &Observed<'_>, other: &Observed<'_>) -> bool {
        one.call == other.call
    }
}

/// Whether `items` is `set`, each element once, in any order.
fn is_listed(set: &BTreeSet<Value>, items: &[Value]) -> bool {
    let listed: BTreeSet<Value> = items.iter().copied().collect();
    listed.len() == items.len() && listed == *set
}
