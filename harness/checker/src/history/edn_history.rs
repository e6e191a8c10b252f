//! Histories in EDN: Jepsen, Knossos, Porcupine's key-value logs.
//!
//! `:info` leaves an operation open, `:fail` drops it. A completed `read` of `nil` means that the
//! value is not known, so it constrains nothing (Knossos, `model.clj`: "nil reads are always
//! legal"). Events of processes that are no numbers are the nemesis' and are left out.

use super::edn::{Form, FormKind, read_all};
use super::error::ReadError;
use super::pairing::{DONE, EventType, Pairing};
use super::recorded::{Format, Names, Recorded, Subject};
use crate::models::register_cas::Told;
use crate::models::{KvAppend, Lock, RegisterCas};
use contract::{Call, Outcome, ReadLevel, Ret, Value};

/// Reads an EDN history.
pub fn read(text: &str) -> Result<Recorded, ReadError> {
    let forms = read_all(text)?;
    let events = match forms.as_slice() {
        [Form { kind: FormKind::Sequence(events), .. }] => events.as_slice(),
        events => events,
    };
    let mut reader = Reader {
        text,
        pairing: Pairing::default(),
        names: Names::default(),
        keys: Names::default(),
        object: None,
    };
    for event in events {
        reader.event(event)?;
    }
    Ok(reader.finish())
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
    pairing: Pairing,
    names: Names,
    keys: Names,
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
            EventType::Ok => self.outcome(event, &call)?,
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

    fn call(&mut self, event: &Form) -> Result<Call, ReadError> {
        let name = self.field(event, "f")?;
        let key = event.field("key").map_or(0, |key| self.key(key));
        let value = event.field("value");
        let (object, call) = match name.keyword() {
            Some("read") => {
                let read = ReadLevel::Linearizable;
                (Object::Register, Call::Get { key, read })
            }
            Some("write") => {
                let value = self.value(self.given(event, value)?);
                (Object::Register, Call::Put { key, value, ttl: None })
            }
            Some("cas") => (Object::Register, self.cas(event, key)?),
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

    fn cas(&mut self, event: &Form, key: u64) -> Result<Call, ReadError> {
        let value = self.field(event, "value")?;
        let FormKind::Sequence(pair) = &value.kind else {
            return Err(self.error(value, "a pair [expected new]"));
        };
        let [expect, new] = pair.as_slice() else {
            return Err(self.error(value, "a pair [expected new]"));
        };
        let expect = (expect.kind != FormKind::Nil).then(|| self.value(expect));
        Ok(Call::Cas { key, expect, value: self.value(new) })
    }

    fn outcome(&mut self, event: &Form, call: &Call) -> Result<Outcome, ReadError> {
        if !matches!(call, Call::Get { .. }) {
            return Ok(DONE);
        }
        let value = self.field(event, "value")?;
        if value.kind == FormKind::Nil {
            return Ok(Outcome::Unknown);
        }
        let value = match self.object {
            Some(Object::Strings) => self.string(value)?,
            _ => self.value(value),
        };
        Ok(Outcome::Ok(Ret::Found { value, version: 0, stale: false }))
    }

    fn key(&mut self, key: &Form) -> u64 {
        self.keys.intern(&key.print()).id
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

    fn finish(mut self) -> Recorded {
        let zero = self.names.intern("0");
        let names = self.names.into_names();
        let subject = match self.object {
            Some(Object::Strings) => Subject::Strings(KvAppend { strings: names.clone() }),
            Some(Object::Lock) => Subject::Lock(Lock),
            Some(Object::Register) | None => Subject::Register(RegisterCas {
                initial_rest: Some(zero),
                told: Told::Barely,
                ..RegisterCas::default()
            }),
        };
        Recorded { format: Format::Edn, ops: self.pairing.finish(), subject, names }
    }
}
