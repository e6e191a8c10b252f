//! One sentence about why operations cannot all be true.

use super::super::report::Options;
use super::super::violation::{Held, Violation};
use crate::history::register::{ABSENT, INITIAL, Kind, Register};
use contract::{Call, Op, Outcome, Ret, Value};

/// What a sentence needs to know.
#[derive(Clone, Copy)]
pub struct Speaker<'a> {
    /// The history.
    pub ops: &'a [Op],
    /// How clients and values are called.
    pub options: &'a Options<'a>,
}

impl Speaker<'_> {
    /// Why a register's operations break a rule.
    #[must_use]
    pub fn violation(&self, register: &Register, violation: &Violation) -> String {
        let at = |index: &u32| register.ops[*index as usize].op;
        let the = |index: &u32| self.operation(at(index));
        let brief = |index: &u32| self.brief(at(index));
        let value = |state: &u32| self.value(register.value(*state));
        match violation {
            Violation::Impossible { op } => {
                format!("{}, an answer that no register gives", the(op))
            }
            Violation::NeverWritten { op, state } if register.ops[*op as usize].is_open() => {
                format!(
                    "{} must have taken effect, since {} was seen, but nothing can have written {}",
                    self.brief(at(op)),
                    value(&register.ops[*op as usize].to),
                    value(state)
                )
            }
            Violation::NeverWritten { op, state } => {
                let writes = self.failed_writes(register.value(*state));
                format!("{}, but nothing can have written it{writes}", the(op))
            }
            Violation::DoubleConsume { first, second, state } => format!(
                "{}, and {}: both replaced or removed {}, which was written once",
                the(first),
                the(second),
                value(state)
            ),
            Violation::CasCycle { ops } => {
                let ops: Vec<String> = ops.iter().map(the).collect();
                format!("each of these can only come after another of them: {}", ops.join("; "))
            }
            Violation::ChainOrder { earlier, later } => format!(
                "{}, but {} must come before that and was only called afterwards",
                the(later),
                self.brief(at(earlier))
            ),
            Violation::ZonesOverlap { one, other } => format!(
                "{}; and {}; but these times overlap",
                self.held(register, one),
                self.held(register, other)
            ),
            Violation::ChainInZone { zone, chain } => format!(
                "{}; but {} between them",
                self.held(register, zone),
                self.pair(at(&chain.first), at(&chain.last))
            ),
            Violation::DeleteInZone { zone, op } | Violation::AbsentInZone { zone, op } => {
                format!("{}; but {} between them", self.held(register, zone), the(op))
            }
            Violation::SeenExpired { op, write } => {
                format!("{}, but the time to live of {} was over", the(op), brief(write))
            }
            Violation::AbsentUnexplained { op, written, others } => {
                let written = written.as_ref().map(|held| self.written(register, held));
                let before = written.map_or(String::new(), |held| format!(", although {held}"));
                let empty = |&&other: &&u32| register.ops[other as usize].from == ABSENT;
                let reads = |&&other: &&u32| register.ops[other as usize].kind == Kind::Read;
                let rivals: Vec<String> =
                    others.iter().filter(empty).filter(reads).map(brief).collect();
                let deletes = deletes_needed(&rivals);
                format!("{}{before}, and {deletes}", the(op))
            }
        }
    }

    /// That no order was found for `strong`.
    #[must_use]
    pub fn no_order(&self, strong: &[u32]) -> String {
        let ops: Vec<String> = strong.iter().map(|&op| self.operation(op)).collect();
        format!("no order explains all of these: {}", ops.join("; "))
    }

    /// `n3's get (op 17, 1.2s to 1.3s) saw value 5`.
    #[must_use]
    pub fn operation(&self, index: u32) -> String {
        if index == INITIAL {
            return "the value before the run".into();
        }
        let op = &self.ops[index as usize];
        format!("{} {}", self.brief(index), self.answer(op))
    }

    /// `n3's get (op 17, 1.2s to 1.3s)`.
    #[must_use]
    pub fn brief(&self, index: u32) -> String {
        if index == INITIAL {
            return "the value before the run".into();
        }
        let op = &self.ops[index as usize];
        let until = match op.outcome {
            Outcome::Unknown => "on".into(),
            _ => format!("to {}", (self.options.time)(op.ret_at)),
        };
        let client = (self.options.client)(op.client);
        let call = self.call(&op.call);
        format!("{client}'s {call} (op {}, {} {until})", op.id.0, (self.options.time)(op.call_at))
    }

    fn call(&self, call: &Call) -> String {
        let name = call.name();
        match call {
            Call::Put { value, .. } | Call::Append { value, .. } => {
                format!("{name} of {}", self.value(Some(*value)))
            }
            Call::Cas { expect, value, .. } => {
                let (from, to) = (self.value(*expect), self.value(Some(*value)));
                format!("{name} from {from} to {to}")
            }
            Call::Add { delta, .. } => format!("{name} of {delta}"),
            _ => name.into(),
        }
    }

    fn answer(&self, op: &Op) -> String {
        let ret = match &op.outcome {
            Outcome::Ok(ret) => ret,
            Outcome::Fail => return "certainly failed".into(),
            Outcome::Unknown => return "may have taken effect".into(),
        };
        match ret {
            Ret::Found { value, .. } => format!("saw {}", self.value(Some(*value))),
            Ret::Missing => "saw nothing".into(),
            Ret::Done { .. } => "took effect".into(),
            Ret::Deleted { previous } => format!("removed {}", self.value(*previous)),
            Ret::Conflict { seen: None } => "was refused and saw nothing".into(),
            Ret::Conflict { seen } => format!("was refused and saw {}", self.value(*seen)),
            Ret::Added { total } => format!("made it {total}"),
            Ret::List { items } => format!("saw {} items", items.len()),
            Ret::Batch { values } => {
                let values: Vec<String> = values.iter().map(|&v| self.value(v)).collect();
                format!("saw {}", values.join(", "))
            }
            Ret::Own(own) => format!("was answered: {}", own.word),
        }
    }

    fn value(&self, value: Option<Value>) -> String {
        self.options.value_or_nothing(value)
    }

    /// What nothing else can come between.
    fn held(&self, register: &Register, held: &Held) -> String {
        let first = register.ops[held.first as usize].op;
        let last = register.ops[held.last as usize].op;
        format!(
            "{}, so nothing else can come between it and {}",
            self.operation(last),
            self.brief(first)
        )
    }

    fn pair(&self, first: u32, last: u32) -> String {
        if first == last {
            return self.operation(first);
        }
        format!("{}, and {}", self.operation(first), self.operation(last))
    }

    fn written(&self, register: &Register, held: &Held) -> String {
        let first = register.ops[held.first as usize].op;
        let last = register.ops[held.last as usize].op;
        self.pair(first, last)
    }

    /// Writes of `value` that are known not to have happened.
    fn failed_writes(&self, value: Option<Value>) -> String {
        let mut text = String::new();
        for (index, op) in self.ops.iter().enumerate() {
            let written = match &op.call {
                Call::Put { value, .. } | Call::Cas { value, .. } => Some(*value),
                _ => None,
            };
            if written == value {
                let failed = self.operation(index as u32);
                text = format!("{text}: {failed}");
            }
        }
        text
    }
}

/// Why no delete explains that a key was empty, given what else every candidate is needed for.
fn deletes_needed(rivals: &[String]) -> String {
    if rivals.is_empty() {
        return "no delete can explain it".into();
    }
    format!("every delete that could explain it is needed for {}", rivals.join("; "))
}
