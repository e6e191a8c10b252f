//! Histories that were recorded elsewhere, or by an earlier run.
//!
//! [`read`] takes Jepsen's and Knossos' EDN, Jepsen's `history.txt`, Jepsen's etcd logs, Porcupine's
//! key-value logs and the lab's own JSON lines; [`Recorded`] knows which object the operations are about. Malformed
//! input is refused with line, column and what was expected there.

use super::edn_history;
use super::error::ReadError;
use super::jepsen_log;
use super::jsonl;
use super::pairing::EventType;
use crate::models::{KvAppend, Lock, RegisterCas};
use contract::{Op, Value};
use std::collections::BTreeMap;

/// How a history is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// EDN maps with `:process`, `:type`, `:f` and `:value`, in a vector, a list or one after the
    /// other: Jepsen, Knossos, and Porcupine's key-value logs.
    Edn,
    /// Lines of process, type, function and value, set apart by tabs: Jepsen's `history.txt`.
    Text,
    /// Lines of `INFO  jepsen.util - 3 :ok :read nil`: the etcd runs that Porcupine is tested with.
    JepsenLog,
    /// One operation per line: [`jsonl`].
    Jsonl,
}

/// What the operations are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The lab's operations, on whatever a scenario says.
    Lab,
    /// Registers.
    Register(RegisterCas),
    /// Strings that can be appended to.
    Strings(KvAppend),
    /// Locks.
    Lock(Lock),
}

/// A history with what is known about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// How it was written down.
    pub format: Format,
    /// The operations, in the order of their calls. Recorded times are positions in the file, as
    /// nanoseconds, unless the format is the lab's own.
    pub ops: Vec<Op>,
    /// What they are about.
    pub subject: Subject,
    /// What values were written as, by their id; empty in the lab's own format.
    pub names: Vec<String>,
    /// What keys were written as, by their number; empty where they are numbers.
    pub keys: Vec<String>,
}

impl Recorded {
    /// What `value` was written as.
    #[must_use]
    pub fn name(&self, value: Value) -> String {
        let position = usize::try_from(value.id).ok();
        match position.and_then(|position| self.names.get(position)) {
            Some(name) => name.clone(),
            None => format!("value {}", value.id),
        }
    }

    /// What `key` was written as.
    #[must_use]
    pub fn key_name(&self, key: u64) -> String {
        let position = usize::try_from(key).ok();
        let name = position.and_then(|position| self.keys.get(position));
        name.cloned().unwrap_or_else(|| key.to_string())
    }

    /// Says what a register held before the history: the text of a value, or `nil`.
    ///
    /// Knossos' own data begins at 0, which is what EDN histories are taken to do; a file does not
    /// say it.
    pub fn begin_at(&mut self, initial: &str) {
        if let Subject::Register(model) = &mut self.subject {
            let known = self.names.iter().position(|name| name == initial);
            let position = known.unwrap_or(self.names.len());
            if known.is_none() && initial != "nil" {
                self.names.push(initial.to_owned());
            }
            let value = Value { id: position as u64, size_bytes: Value::SIZE_MIN };
            model.initial_rest = (initial != "nil").then_some(value);
        }
    }
}

/// Values by how they are written.
#[derive(Debug, Default)]
pub(super) struct Names {
    names: Vec<String>,
    numbers: BTreeMap<String, u64>,
}

impl Names {
    /// The value that is written as `name`.
    pub fn intern(&mut self, name: &str) -> Value {
        let size_bytes = Value::SIZE_MIN;
        if let Some(&id) = self.numbers.get(name) {
            return Value { id, size_bytes };
        }
        let id = self.names.len() as u64;
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), id);
        Value { id, size_bytes }
    }

    /// All names, by the id of the value.
    pub fn into_names(self) -> Vec<String> {
        self.names
    }
}

/// How a file is to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// How it is written; guessed when not given.
    pub format: Option<Format>,
    /// Whether a completed read of `nil` found nothing, and registers begin with nothing; else such
    /// a read says nothing, and they begin at 0. For [`Format::Edn`] and [`Format::Text`].
    pub nil_is_absent: bool,
}

/// Reads a history; the format is guessed when it is not given.
pub fn read(bytes: &[u8], format: Option<Format>) -> Result<Recorded, ReadError> {
    read_as(bytes, Reading { format, ..Reading::default() })
}

/// The same, with everything that a file does not say of itself.
pub fn read_as(bytes: &[u8], reading: Reading) -> Result<Recorded, ReadError> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            return Err(ReadError::at(&valid, valid.len(), "text in UTF-8"));
        }
    };
    match reading.format.unwrap_or_else(|| Format::guess(text)) {
        Format::Edn => edn_history::read(text, reading.nil_is_absent),
        Format::Text => edn_history::read_lines(text, reading.nil_is_absent),
        Format::JepsenLog => jepsen_log::read(text),
        Format::Jsonl => jsonl::read(text),
    }
}

impl Format {
    /// How a text that begins so is written: JSON objects begin with a quoted name, Jepsen's log
    /// lines with a level, those of `history.txt` with a process and a type; the rest is EDN.
    #[must_use]
    pub fn guess(text: &str) -> Self {
        let start = text.trim_start();
        let inside = start.strip_prefix('{').map(str::trim_start);
        if inside.is_some_and(|inside| inside.starts_with(['"', '}'])) {
            Self::Jsonl
        } else if start.starts_with("INFO") {
            Self::JepsenLog
        } else if is_line_of_text(start) {
            Self::Text
        } else {
            Self::Edn
        }
    }
}

/// Whether `text` begins with a process and the type of an event.
fn is_line_of_text(text: &str) -> bool {
    let mut words = text.lines().next().unwrap_or("").split_whitespace();
    let process = words.next().unwrap_or("");
    let kind = words.next().and_then(|word| word.strip_prefix(':'));
    (process.starts_with(':') || process.parse::<u64>().is_ok())
        && kind.and_then(EventType::named).is_some()
}
