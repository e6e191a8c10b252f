//! Sequential specifications: what one copy of an object would have answered.
//!
//! A [`Model`] is pure. The checkers ask whether some order of the operations, within their
//! intervals, is an execution of the model (Herlihy and Wing 1990, §2). Start with
//! [`register_cas::RegisterCas`], which most scenarios use.

pub mod register_cas;

pub use register_cas::RegisterCas;

use contract::{Call, Outcome};
use std::fmt::Debug;

/// The sequential specification of one object, per part.
///
/// `BatchGet` never reaches a model: it is split into one `Get` per key before.
pub trait Model {
    /// What the object remembers between operations.
    type State: Clone + Ord + Debug;

    /// The part of the object that `call` is about; `None` when the model does not know the call.
    /// Parts are independent of each other, so each is judged alone.
    fn part(&self, call: &Call) -> Option<u64> {
        call.key()
    }

    /// The state of `part` before the first operation.
    fn init(&self, part: u64) -> Self::State;

    /// The next state, or `None` when `outcome` is impossible after `state`. For
    /// [`Outcome::Unknown`] it is the state if the operation takes effect now.
    fn step(&self, state: &Self::State, call: &Call, outcome: &Outcome) -> Option<Self::State>;

    /// Whether an operation that ended so leaves every state as it is. Such an operation can be
    /// taken as soon as it fits, without trying the alternatives. `false` is always right.
    fn observes(&self, _call: &Call, _outcome: &Outcome) -> bool {
        false
    }
}
