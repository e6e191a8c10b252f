//! Histories in EDN: Jepsen, Knossos, Porcupine's key-value logs; and in lines of EDN forms, Jepsen's
//! `history.txt`.
//!
//! `:info` leaves an operation open, `:fail` drops it. What an operation really did stands in its
//! completion: where that says another value than the call, it counts. A completed `read` of `nil`
//! means that the value is not known, so it constrains nothing (Knossos, `model.clj`: "nil reads
//! are always legal"), unless the reader is told that it means absence. Events of processes that
//! are no numbers are the nemesis' and are left out.

use super::edn::{Form, FormKind, read_all, read_line};
use super::edn_keys::{Keys, are_tuples};
use super::error::ReadError;
use super::pairing::{DONE, EventType, Pairing};
use super::recorded::{Format, Names, Recorded, Subject};
use crate::models::register_cas::Told;
use crate::models::{KvAppend, Lock, RegisterCas};
use contract::{Call, Outcome, ReadLevel, Ret, Value};

/// Reads an EDN history.
pub fn read(text: &str, nil_is_absent: bool) -> Result<Recorded, ReadError> {
    let forms = read_all(text)?;
    let events = match forms.as_slice() {
        [Form { kind: FormKind::Sequence(events), .. }] => events.as_slice(),
        events => events,
    };
    read_events(text, events, nil_is_absent, Format::Edn)
}

/// What stands on a line of text, in this order; an error may follow.
const COLUMNS: [&str; 4] = ["process", "type", "f", "value"];

/// Reads a history of lines: process, type, function, value.
pub fn read_lines(text: &str, nil_is_absent: bool) -> Result<Recorded, ReadError> {
    let mut events = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let (offset, end) = (start, start + line.len());
        start = end;
        let is_client = line.trim_start().starts_with(|first: char| first.is_ascii_digit());
        if line.trim().is_empty() || (!is_client && line.trim_start().starts_with(':')) {
            continue;
        }
        let forms = read_line(text, offset, end, COLUMNS.len())?;
        let name = |name: &str| Form { offset, kind: FormKind::Keyword(name.to_owned()) };
        let entries = COLUMNS.iter().zip(forms).flat_map(|(column, form)| [name(column), form]);
        events.push(Form { offset, kind: FormKind::Map(entries.collect()) });
    }
    read_events(text, &events, nil_is_absent, Format::Text)
}

fn read_events(
    text: &str,
    events: &[Form],
    nil_is_absent: bool,
    format: Format,
) -> Result<Recorded, ReadError> {
    let mut reader = Reader {
        text,
        nil_is_absent,
        tuples: are_tuples(events),
        pairing: Pairing::default(),
        names: Names::default(),
        keys: Keys::default(),
        object: None,
    };
    for event in events {
        reader.event(event)?;
    }
    Ok(reader.finish(format))
}

/// What the operations so far are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Object {
    Register,
    Strings,
    Lock,
}

struct Reader<'a> {
    text: &'a str,
    nil_is_absent: bool,
    /// Whether values are tuples of a key and a value.
    tuples: bool,
    pairing: Pairing,
    names: Names,
    keys: Keys,
    object: Option<Object>,
}

impl Reader<'_> {
    fn event(&mut self, event: &Form) -> Result<(), ReadError> {
        if !matches!(event.kind, FormKind::Map(_)) {
            return Err(self.error(event, "a map with :process, :type, :f and :value"));
        }
        let process = self.field(event, "process")?;
        let kind = self.field(event, "type")?;
        let FormKind::Atom(process_text) = &process.kind else {
            return Ok(());
        };
        let Ok(process) = process_text.parse::<u64>() else {
            return Err(self.error(process, "a process: a number, or a keyword for the nemesis"));
        };
        let Some(kind_name) = kind.keyword().and_then(EventType::named) else {
            return Err(self.error(kind, ":invoke, :ok, :fail or :info"));
        };
        if kind_name == EventType::Invoke {
            let call = self.call(event)?;
            return self.pairing.invoke(self.text, event.offset, process, call);
        }
        let call = self.pairing.running(self.text, event.offset, process)?.clone();
        let outcome = match kind_name {
            EventType::Fail => Outcome::Fail,
            EventType::Ok => {
                if let Some(done) = self.completed(event, &call)? {
                    self.pairing.amend(process, done);
                }
                self.outcome(event, &call)?
            }
            EventType::Invoke | EventType::Info => Outcome::Unknown,
        };
        self.pairing.complete(process, outcome);
        Ok(())
    }

    fn error(&self, form: &Form, expected: &str) -> ReadError {
        ReadError::at(self.text, form.offset, expected)
    }

    fn field<'f>(&self, event: &'f Form, name: &str) -> Result<&'f Form, ReadError> {
        let missing = || self.error(event, &format!("a map that has :{name}"));
        event.field(name).ok_or_else(missing)
    }

    /// The value of an event, without the key where it is a tuple.
    fn value_of<'f>(&self, event: &'f Form) -> Option<&'f Form> {
        let value = event.field("value");
        match value.and_then(Form::pair) {
            Some((_, inner)) if self.tuples => Some(inner),
            _ => value,
        }
    }

    fn key_of(&mut self, event: &Form) -> u64 {
        let tuple = event.field("value").and_then(Form::pair).filter(|_| self.tuples);
        let key = tuple.map(|(key, _)| key).or_else(|| event.field("key"));
        key.map_or(0, |key| self.keys.intern(key))
    }

    fn call(&mut self, event: &Form) -> Result<Call, ReadError> {
        let name = self.field(event, "f")?;
        let key = self.key_of(event);
        let value = self.value_of(event);
        let (object, call) = match name.keyword() {
            Some("read") => {
                let read = ReadLevel::Linearizable;
                (Object::Register, Call::Get { key, read })
            }
            Some("write") => {
                let value = self.value(self.given(event, value)?);
                (Object::Register, Call::Put { key, value, ttl: None })
            }
            Some("cas") => {
                let value = value.ok_or_else(|| self.error(event, "a map that has :value"))?;
                (Object::Register, self.cas(value, key)?)
            }
            Some("get") => {
                let read = ReadLevel::Linearizable;
                (Object::Strings, Call::Get { key, read })
            }
            Some("put") => {
                let value = self.string(self.given(event, value)?)?;
                (Object::Strings, Call::Put { key, value, ttl: None })
            }
            Some("append") => {
                let value = self.string(self.given(event, value)?)?;
                (Object::Strings, Call::Append { key, value })
            }
            Some("acquire") => (Object::Lock, Call::Acquire { key }),
            Some("release") => (Object::Lock, Call::Release { key }),
            _ => {
                let expected = ":read, :write, :cas, :get, :put, :append, :acquire or :release";
                return Err(self.error(name, expected));
            }
        };
        if *self.object.get_or_insert(object) != object {
            return Err(self.error(name, "operations on one kind of object only"));
        }
        Ok(call)
    }

    fn given<'f>(&self, event: &Form, value: Option<&'f Form>) -> Result<&'f Form, ReadError> {
        value.ok_or_else(|| self.error(event, "a map that has :value"))
    }

    fn cas(&mut self, value: &Form, key: u64) -> Result<Call, ReadError> {
        let Some((expect, new)) = value.pair() else {
            return Err(self.error(value, "a pair [expected new]"));
        };
        let expect = (expect.kind != FormKind::Nil).then(|| self.value(expect));
        Ok(Call::Cas { key, expect, value: self.value(new) })
    }

    /// What `call` really did, where its completion says something else.
    fn completed(&mut self, event: &Form, call: &Call) -> Result<Option<Call>, ReadError> {
        let Some(value) = self.value_of(event).filter(|value| is_a_value(value)) else {
            return Ok(None);
        };
        let is_string = matches!(value.kind, FormKind::Text(_));
        let done = match *call {
            Call::Put { key, ttl, .. } if self.object == Some(Object::Register) => {
                Call::Put { key, value: self.value(value), ttl }
            }
            Call::Put { key, ttl, .. } if is_string => {
                Call::Put { key, value: self.string(value)?, ttl }
            }
            Call::Append { key, .. } if is_string => {
                Call::Append { key, value: self.string(value)? }
            }
            Call::Cas { key, .. } if value.pair().is_some() => self.cas(value, key)?,
            _ => return Ok(None),
        };
        Ok((done != *call).then_some(done))
    }

    fn outcome(&mut self, event: &Form, call: &Call) -> Result<Outcome, ReadError> {
        if !matches!(call, Call::Get { .. }) {
            return Ok(DONE);
        }
        let value = self.value_of(event);
        let value = value.ok_or_else(|| self.error(event, "a map that has :value"))?;
        if value.kind == FormKind::Nil {
            let absent = Outcome::Ok(Ret::Missing);
            return Ok(if self.nil_is_absent { absent } else { Outcome::Unknown });
        }
        let value = match self.object {
            Some(Object::Strings) => self.string(value)?,
            _ => self.value(value),
        };
        Ok(Outcome::Ok(Ret::Found { value, version: 0, stale: false }))
    }

    fn value(&mut self, value: &Form) -> Value {
        self.names.intern(&value.print())
    }

    fn string(&mut self, value: &Form) -> Result<Value, ReadError> {
        match &value.kind {
            FormKind::Text(text) => Ok(self.names.intern(text)),
            _ => Err(self.error(value, "a string")),
        }
    }

    fn finish(mut self, format: Format) -> Recorded {
        let initial_rest = (!self.nil_is_absent).then(|| self.names.intern("0"));
        let names = self.names.into_names();
        let subject = match self.object {
            Some(Object::Strings) => Subject::Strings(KvAppend { strings: names.clone() }),
            Some(Object::Lock) => Subject::Lock(Lock),
            Some(Object::Register) | None => Subject::Register(RegisterCas {
                initial_rest,
                told: Told::Barely,
                ..RegisterCas::default()
            }),
        };
        let keys = self.keys.into_names();
        Recorded { format, ops: self.pairing.finish(), subject, names, keys }
    }
}

/// Whether a completion says a value, rather than nothing or how it went.
fn is_a_value(form: &Form) -> bool {
    match &form.kind {
        FormKind::Nil | FormKind::Keyword(_) => false,
        FormKind::Atom(text) => text != "true" && text != "false",
        _ => true,
    }
}
