//! A list per key: `append` adds at the end, `get` reads all. Elle's `list-append`, one key at a
//! time (Kingsbury and Alvaro, "Elle", VLDB 2020, §4).

use super::{Model, Observed};
use contract::{Call, Outcome, Ret, Value};

/// Lists that start empty. An append may answer with the list after it. The state is a whole list,
/// so a part of many thousand elements is slow to judge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AppendList;

impl Model for AppendList {
    type State = Vec<Value>;

    fn part(&self, call: &Call) -> Option<u64> {
        match call {
            Call::Append { key, .. } | Call::Get { key, .. } => Some(*key),
            _ => None,
        }
    }

    fn init(&self, _part: u64) -> Self::State {
        Vec::new()
    }

    fn step(&self, state: &Self::State, op: &Observed<'_>) -> Option<Self::State> {
        let with = |value: &Value| [state.as_slice(), &[*value]].concat();
        match (op.call, op.outcome) {
            (Call::Append { value, .. }, Outcome::Unknown | Outcome::Ok(Ret::Done { .. })) => {
                Some(with(value))
            }
            (Call::Append { value, .. }, Outcome::Ok(Ret::List { items })) => {
                Some(with(value)).filter(|next| next == items)
            }
            (Call::Get { .. }, Outcome::Unknown) => Some(state.clone()),
            (Call::Get { .. }, Outcome::Ok(Ret::List { items })) => {
                (state == items).then(|| state.clone())
            }
            (Call::Get { .. }, Outcome::Ok(Ret::Missing)) => {
                state.is_empty().then(|| state.clone())
            }
            _ => None,
        }
    }

    fn weight(&self, state: &Self::State) -> usize {
        size_of::<Self::State>() + size_of_val(state.as_slice())
    }

    fn observes(&self, op: &Observed<'_>) -> bool {
        matches!(op.call, Call::Get { .. })
    }

    fn interchangeable(&self, one: &Observed<'_>, other: &Observed<'_>) -> bool {
        one.call == other.call
    }
}
