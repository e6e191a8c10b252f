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

use crate::linearizable::{
    Counterexample, Options, Report, check_model, check_register_with, lanes_svg, model_lanes_svg,
};
use contract::{Call, NodeId, Op, Outcome, SimTime};
use std::fmt::Debug;

/// An operation as a model sees it: who asked for what and when, and what came back when.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// The client that asked.
    pub client: NodeId,
    /// Its logical process: after an unknown outcome a client goes on as a new one.
    pub process: u32,
    /// What was asked.
    pub call: &'a Call,
    /// How it ended.
    pub outcome: &'a Outcome,
    /// When it was sent: it took effect no earlier.
    pub call_at: SimTime,
    /// When the answer came: it took effect no later. [`SimTime::MAX`] where the outcome is
    /// unknown.
    pub ret_at: SimTime,
}

impl<'a> Observed<'a> {
    /// A whole operation.
    #[must_use]
    pub const fn of(op: &'a Op) -> Self {
        Self {
            client: op.client,
            process: op.process,
            call: &op.call,
            outcome: &op.outcome,
            call_at: op.call_at,
            ret_at: op.ret_at,
        }
    }
}

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

    /// The next state, or `None` when what is observed is impossible after `state`. For
    /// [`Outcome::Unknown`] it is the state if the operation takes effect now.
    ///
    /// A model of time keeps the latest call that it has seen in its state: whatever takes effect
    /// next does so no earlier than that, no earlier than its own call, and no later than its own
    /// return.
    fn step(&self, state: &Self::State, op: &Observed<'_>) -> Option<Self::State>;

    /// What a state takes of memory, in bytes: a search that remembers many has a budget.
    fn weight(&self, _state: &Self::State) -> usize {
        size_of::<Self::State>()
    }

    /// Whether an operation that ended so leaves every state as it is. Such an operation can be
    /// taken as soon as it fits, without trying the alternatives. `false` is always right.
    fn observes(&self, _op: &Observed<'_>) -> bool {
        false
    }

    /// Whether two operations of unknown outcome may stand for each other, so that one order of
    /// them is enough: they ask the same, and the model looks neither at processes nor at times.
    /// `false` is always right.
    fn interchangeable(&self, _one: &Observed<'_>, _other: &Observed<'_>) -> bool {
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
    /// Draws a counterexample that `check` found.
    pub draw: fn(&[Op], &Counterexample, &Options<'_>) -> String,
}

impl ModelKind {
    /// The row of a model that is judged by search.
    #[must_use]
    pub const fn of<M: Model + Default>(name: &'static str, about: &'static str) -> Self {
        Self {
            name,
            about,
            check: |ops, options| check_model(&M::default(), ops, options),
            draw: |ops, found, options| model_lanes_svg(&M::default(), ops, found, options),
        }
    }
}

/// The models of this crate. To add one: write its file, add its row.
pub const MODELS: &[ModelKind] = &[
    ModelKind {
        name: "register-cas",
        about: "a register per key: get, put, delete, compare-and-set",
        check: |ops, options| check_register_with(ops, &RegisterCas::default(), options),
        draw: |ops, found, options| lanes_svg(ops, &RegisterCas::default(), found, options),
    },
    ModelKind::of::<Counter>("counter", "a counter per key: add, get"),
    ModelKind::of::<Set>(
        "set",
        "a set per key: append adds an element, get reads all in any order",
    ),
    ModelKind::of::<AppendList>(
        "append-list",
        "a list per key: append adds at the end, get reads all",
    ),
    ModelKind::of::<Lock>(
        "lock",
        "a lock per key: acquire, release, with fencing tokens where answers carry them",
    ),
];

/// The model of this name.
#[must_use]
pub fn model(name: &str) -> Option<&'static ModelKind> {
    MODELS.iter().find(|kind| kind.name == name)
}
