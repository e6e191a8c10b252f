//! What clients can ask of a system: operations and verbs, as rows.

use contract::op::OWN_ARGS_MAX;

/// An operation that a system's clients carry out; a key of `ops = { .. }` in `[clients.C]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// As in scenario files: `get`.
    pub name: &'static str,
    /// One line of help.
    pub about: &'static str,
    /// How a call of it is made.
    pub form: Form,
    /// Whether it leaves everything as it was.
    pub reads: bool,
    /// Whether its answer tells nothing about what is stored, so that no model can be refuted by
    /// it alone.
    pub blind: bool,
}

/// How a call is made from what a load draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// [`contract::Call::Get`].
    Get,
    /// [`contract::Call::BatchGet`].
    BatchGet,
    /// [`contract::Call::Put`].
    Put,
    /// [`contract::Call::Delete`].
    Delete,
    /// [`contract::Call::Cas`].
    Cas,
    /// [`contract::Call::Add`].
    Add,
    /// [`contract::Call::Append`].
    Append,
    /// [`contract::Call::Acquire`].
    Acquire,
    /// [`contract::Call::Release`].
    Release,
    /// [`contract::Call::Own`]: an operation that only this system knows, judged by its own model.
    Own {
        /// Whether the load draws a key for it.
        keyed: bool,
        /// Its arguments, in the order in which the call carries them.
        args: &'static [Argument],
    },
}

/// An argument of an operation of a system's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argument {
    /// As in `args = { OPERATION = { NAME = .. } }`.
    pub name: &'static str,
    /// What it means, with its unit.
    pub about: &'static str,
    /// The least that is accepted.
    pub min: u64,
    /// The most that is accepted.
    pub max: u64,
    /// The value where the scenario gives none.
    pub default: u64,
}

/// An administrative verb: what an operator asks of a system. A load may ask for it like for an
/// operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verb {
    /// As in scenario files: `step-down`.
    pub name: &'static str,
    /// One line of help.
    pub about: &'static str,
    /// The argument that a load gives.
    pub arg: u64,
    /// Whether it takes away what clients stored, so that no model of their operations holds.
    pub is_lossy: bool,
}

impl Operation {
    /// Reads a key.
    pub const GET: Self = read("get", "reads a key", Form::Get);
    /// Reads several keys.
    pub const BATCH_GET: Self = read("batch-get", "reads several keys", Form::BatchGet);
    /// Writes a key.
    pub const PUT: Self = write("put", "writes a key", Form::Put, true);
    /// Removes a key.
    pub const DELETE: Self = write("delete", "removes a key", Form::Delete, false);
    /// Writes a key if it holds what was last seen.
    pub const CAS: Self =
        write("cas", "writes a key if it holds what was last seen", Form::Cas, false);
    /// Adds one to a counter.
    pub const ADD: Self = write("add", "adds one to a counter", Form::Add, false);
    /// Appends to a list.
    pub const APPEND: Self = write("append", "appends to a list", Form::Append, true);
    /// Takes a lock.
    pub const ACQUIRE: Self = write("acquire", "takes a lock", Form::Acquire, false);
    /// Gives a lock back.
    pub const RELEASE: Self = write("release", "gives a lock back", Form::Release, true);

    /// The operations of a register per key.
    pub const REGISTER: &[Self] = &[Self::GET, Self::PUT, Self::DELETE, Self::CAS];
    /// Every operation that the lab's own models know.
    pub const SHARED: &[Self] = &[
        Self::GET,
        Self::BATCH_GET,
        Self::PUT,
        Self::DELETE,
        Self::CAS,
        Self::ADD,
        Self::APPEND,
        Self::ACQUIRE,
        Self::RELEASE,
    ];

    /// An operation that only one system knows. A misfit of its arguments does not compile where
    /// the row is a constant.
    #[must_use]
    pub const fn own(
        name: &'static str,
        about: &'static str,
        keyed: bool,
        args: &'static [Argument],
    ) -> Self {
        assert!(args.len() <= OWN_ARGS_MAX, "a call carries a few integers");
        let mut row = 0;
        while row < args.len() {
            let Argument { min, max, default, .. } = args[row];
            assert!(min <= default && default <= max, "a default lies between its limits");
            row += 1;
        }
        Self { name, about, form: Form::Own { keyed, args }, reads: false, blind: false }
    }

    /// The same, leaving everything as it was.
    #[must_use]
    pub const fn reading(mut self) -> Self {
        self.reads = true;
        self
    }
}

const fn read(name: &'static str, about: &'static str, form: Form) -> Operation {
    Operation { name, about, form, reads: true, blind: false }
}

const fn write(name: &'static str, about: &'static str, form: Form, blind: bool) -> Operation {
    Operation { name, about, form, reads: false, blind }
}
