//! A string per key: get, put, append. What Porcupine's `kv` test data was recorded from.

use super::{Model, Observed};
use contract::{Call, Outcome, Ret, Value};

/// Strings that start empty. A value's id is a position in `strings`; a read that found nothing
/// saw the empty string.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KvAppend {
    /// The strings that values stand for.
    pub strings: Vec<String>,
}

impl KvAppend {
    /// The string that `value` stands for; a value outside the table stands for none.
    #[must_use]
    pub fn string(&self, value: Value) -> Option<&str> {
        let position = usize::try_from(value.id).ok()?;
        self.strings.get(position).map(String::as_str)
    }
}

impl Model for KvAppend {
    type State = String;

    fn part(&self, call: &Call) -> Option<u64> {
        match call {
            Call::Get { key, .. } | Call::Put { key, .. } | Call::Append { key, .. } => Some(*key),
            _ => None,
        }
    }

    fn init(&self, _part: u64) -> String {
        String::new()
    }

    fn step(&self, state: &String, op: &Observed<'_>) -> Option<String> {
        match (op.call, op.outcome) {
            (Call::Put { value, .. }, Outcome::Unknown | Outcome::Ok(Ret::Done { .. })) => {
                self.string(*value).map(String::from)
            }
            (Call::Append { value, .. }, Outcome::Unknown | Outcome::Ok(Ret::Done { .. })) => {
                self.string(*value).map(|end| [state, end].concat())
            }
            (Call::Get { .. }, Outcome::Unknown) => Some(state.clone()),
            (Call::Get { .. }, Outcome::Ok(Ret::Found { value, .. })) => {
                (self.string(*value) == Some(state)).then(|| state.clone())
            }
            (Call::Get { .. }, Outcome::Ok(Ret::Missing)) => {
                state.is_empty().then(|| state.clone())
            }
            _ => None,
        }
    }

    fn weight(&self, state: &String) -> usize {
        // With what the heap takes for it.
        size_of::<String>() + state.len() + 16
    }

    fn observes(&self, op: &Observed<'_>) -> bool {
        matches!(op.call, Call::Get { .. })
    }

    fn interchangeable(&self, one: &Observed<'_>, other: &Observed<'_>) -> bool {
        one.call == other.call
    }
}
