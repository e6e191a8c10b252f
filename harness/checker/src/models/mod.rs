//! Sequential specifications: what one copy of an object would have answered.
//!
//! A [`Model`] is pure. The checkers ask whether some order of the operations, within their
//! intervals, is an execution of the model (Herlihy and Wing 1990, §2). Start with
//! [`register_cas::RegisterCas`], which most scenarios use.

pub mod append_list;
pub mod counter;
pub mod kv_append;
pub mod lock;
pub mod register_cas;
pub mod set;

pub use append_list::AppendList;
pub use counter::Counter;
pub use kv_append::KvAppend;
pub use lock::Lock;
pub use register_cas::RegisterCas;
pub use set::Set;

use crate::linearizable::{Options, Report, check_model, check_register_with};
use contract::{Call, Op, Outcome};
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

    /// What a state takes of memory, in bytes: a search that remembers many has a budget.
    fn weight(&self, _state: &Self::State) -> usize {
        size_of::<Self::State>()
    }

    /// Whether an operation that ended so leaves every state as it is. Such an operation can be
    /// taken as soon as it fits, without trying the alternatives. `false` is always right.
    fn observes(&self, _call: &Call, _outcome: &Outcome) -> bool {
        false
    }
}

/// One row of the table of models.
#[derive(Clone, Copy)]
pub struct ModelKind {
    /// As in `model = "register-cas"`.
    pub name: &'static str,
    /// One line of help.
    pub about: &'static str,
    /// Judges a history that began empty.
    pub check: fn(&[Op], &Options<'_>) -> Report,
}

/// Every model that a scenario may name. To add one: write its file, add its row.
pub const MODELS: &[ModelKind] = &[
    ModelKind {
        name: "register-cas",
        about: "a register per key: get, put, delete, compare-and-set",
        check: |ops, options| check_register_with(ops, &RegisterCas::default(), options),
    },
    ModelKind {
        name: "counter",
        about: "a counter per key: add, get",
        check: |ops, options| check_model(&Counter, ops, options),
    },
    ModelKind {
        name: "set",
        about: "a set per key: append adds an element, get reads all in any order",
        check: |ops, options| check_model(&Set, ops, options),
    },
    ModelKind {
        name: "append-list",
        about: "a list per key: append adds at the end, get reads all",
        check: |ops, options| check_model(&AppendList, ops, options),
    },
    ModelKind {
        name: "lock",
        about: "a lock per key: acquire, release, with fencing tokens where answers carry them",
        check: |ops, options| check_model(&Lock, ops, options),
    },
];

/// The model of this name.
#[must_use]
pub fn model(name: &str) -> Option<&'static ModelKind> {
    MODELS.iter().find(|kind| kind.name == name)
}
