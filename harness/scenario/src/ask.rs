//! What clients can be asked for: a row of their system's tables of operations and verbs, and what
//! fills it in.

use catalog::{Argument, Form, Operation, System};
use contract::{Call, Dist};

/// What clients can be asked for: a row of their system's tables, and what fills it in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// As in scenario files: `get`.
    pub name: &'static str,
    /// How the call is made.
    pub does: Does,
    /// Whether its answer tells nothing about what is stored.
    pub blind: bool,
}

/// How a call is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Does {
    /// By a row of the system's operations.
    Operation {
        /// The row.
        row: u16,
        /// How a call of it is made.
        form: Form,
        /// What its arguments are drawn from, in the order of the row.
        args: Vec<Dist>,
    },
    /// By an administrative verb.
    Verb {
        /// Its argument.
        arg: u64,
    },
}

impl Ask {
    /// Everything that clients of `system` can be asked for, operations first.
    #[must_use]
    pub fn names(system: &dyn System) -> Vec<&'static str> {
        let operations = system.operations().iter().map(|row| row.name);
        operations.chain(system.verbs().iter().map(|row| row.name)).collect()
    }

    /// What `system` calls `name`, its arguments at their defaults.
    #[must_use]
    pub fn named(system: &dyn System, name: &str) -> Option<Self> {
        let operations = system.operations();
        if let Some(row) = operations.iter().position(|row| row.name == name) {
            return Some(Self::operation(operations, row));
        }
        let verb = system.verbs().iter().find(|verb| verb.name == name)?;
        Some(Self { name: verb.name, does: Does::Verb { arg: verb.arg }, blind: true })
    }

    /// What `call` asks for, its arguments as they are in the call; `None` where no row of `system`
    /// says it.
    #[must_use]
    pub fn of(system: &dyn System, call: &Call) -> Option<Self> {
        match call {
            Call::Admin { verb, arg } => {
                Self::named(system, verb).map(|ask| Self { does: Does::Verb { arg: *arg }, ..ask })
            }
            Call::Own(own) => {
                let operations = system.operations();
                operations.get(usize::from(own.row)).filter(|row| row.name == own.name)?;
                let mut ask = Self::operation(operations, usize::from(own.row));
                if let Does::Operation { args, .. } = &mut ask.does {
                    let given = args.iter_mut().zip(own.args);
                    given.for_each(|(arg, given)| *arg = Dist::Constant(given));
                }
                Some(ask)
            }
            shared => Self::named(system, shared.name()),
        }
    }

    fn operation(operations: &'static [Operation], row: usize) -> Self {
        let Operation { name, form, blind, .. } = operations[row];
        let defaults = arguments(form).iter().map(|arg| Dist::Constant(arg.default));
        let row = u16::try_from(row).expect("a table of operations is short");
        Self { name, does: Does::Operation { row, form, args: defaults.collect() }, blind }
    }

    /// Whether a call of it is about exactly one key.
    #[must_use]
    pub const fn is_keyed(&self) -> bool {
        match self.does {
            Does::Operation { form: Form::Own { keyed, .. }, .. } => keyed,
            Does::Operation { form, .. } => !matches!(form, Form::BatchGet),
            Does::Verb { .. } => false,
        }
    }

    /// Whether it can be listed by itself: a batch has several keys, and a list gives one.
    #[must_use]
    pub const fn is_listable(&self) -> bool {
        !matches!(self.does, Does::Operation { form: Form::BatchGet, .. })
    }

    /// Its form, where it is an operation.
    #[must_use]
    pub const fn form(&self) -> Option<Form> {
        match self.does {
            Does::Operation { form, .. } => Some(form),
            Does::Verb { .. } => None,
        }
    }

    /// The rows of its arguments.
    #[must_use]
    pub fn arguments(&self) -> &'static [Argument] {
        self.form().map_or(&[], arguments)
    }
}

const fn arguments(form: Form) -> &'static [Argument] {
    match form {
        Form::Own { args, .. } => args,
        _ => &[],
    }
}
