//! Jepsen's etcd runs as Porcupine keeps them: `INFO  jepsen.util - 3 :ok :read nil`.
//!
//! One register that is `nil` at first. A `cas` that failed found something else; a `read` that
//! failed is dropped; `:info` leaves an operation open.

use super::error::ReadError;
use super::pairing::{DONE, EventType, Pairing};
use super::recorded::{Format, Names, Recorded, Subject};
use crate::models::RegisterCas;
use crate::models::register_cas::Told;
use contract::{Call, Outcome, ReadLevel, Ret, Value};

/// What every line begins with, white space aside.
const PREFIX: [&str; 3] = ["INFO", "jepsen.util", "-"];

/// Reads a log.
pub fn read(text: &str) -> Result<Recorded, ReadError> {
    let mut names = Names::default();
    let mut pairing = Pairing::default();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        if !line.trim().is_empty() {
            Line::new(text, line, offset).read(&mut pairing, &mut names)?;
        }
        offset += line.len();
    }
    let model = RegisterCas { told: Told::Barely, ..RegisterCas::default() };
    Ok(Recorded {
        format: Format::JepsenLog,
        ops: pairing.finish(),
        subject: Subject::Register(model),
        names: names.into_names(),
        keys: Vec::new(),
    })
}

/// One line, taken word by word.
struct Line<'a> {
    text: &'a str,
    at: usize,
    end: usize,
}

impl<'a> Line<'a> {
    const fn new(text: &'a str, line: &str, offset: usize) -> Self {
        Self { text, at: offset, end: offset + line.len() }
    }

    fn read(mut self, pairing: &mut Pairing, names: &mut Names) -> Result<(), ReadError> {
        for expected in PREFIX {
            self.word(expected, |word| (word == expected).then_some(()))?;
        }
        let process = self.word("a process number", |word| word.parse().ok())?;
        let kind = self.word(":invoke, :ok, :fail or :info", |word| {
            EventType::named(word.strip_prefix(':')?)
        })?;
        let name = self.word(":read, :write or :cas", |word| {
            [":read", ":write", ":cas"].into_iter().find(|name| *name == word)
        })?;
        let offset = self.at;
        if kind == EventType::Invoke {
            let call = self.call(name, names)?;
            self.finish()?;
            return pairing.invoke(self.text, offset, process, call);
        }
        let call = pairing.running(self.text, offset, process)?.clone();
        let outcome = self.outcome(kind, &call, names)?;
        pairing.complete(process, outcome);
        Ok(())
    }

    fn call(&mut self, name: &str, names: &mut Names) -> Result<Call, ReadError> {
        let key = 0;
        Ok(match name {
            ":read" => {
                self.word("nil", |word| (word == "nil").then_some(()))?;
                Call::Get { key, read: ReadLevel::Linearizable }
            }
            ":write" => Call::Put { key, value: self.value(names)?, ttl: None },
            _ => {
                let pair = "a pair [expected new]";
                let expect = self.word(pair, |word| number(word.strip_prefix('[')?))?;
                let new = self.word(pair, |word| number(word.strip_suffix(']')?))?;
                let expect = Some(names.intern(&expect));
                Call::Cas { key, expect, value: names.intern(&new) }
            }
        })
    }

    fn outcome(
        &mut self,
        kind: EventType,
        call: &Call,
        names: &mut Names,
    ) -> Result<Outcome, ReadError> {
        let is_read = matches!(call, Call::Get { .. });
        Ok(match kind {
            EventType::Ok if is_read && self.rest() == "nil" => Outcome::Ok(Ret::Missing),
            EventType::Ok if is_read => {
                let value = self.value(names)?;
                self.finish()?;
                Outcome::Ok(Ret::Found { value, version: 0, stale: false })
            }
            EventType::Ok => DONE,
            EventType::Fail if matches!(call, Call::Cas { .. }) && self.rest() != ":timed-out" => {
                Outcome::Ok(Ret::Conflict { seen: None })
            }
            EventType::Fail => Outcome::Fail,
            EventType::Info | EventType::Invoke => Outcome::Unknown,
        })
    }

    fn value(&mut self, names: &mut Names) -> Result<Value, ReadError> {
        let name = self.word("a number", number)?;
        Ok(names.intern(&name))
    }

    /// What is left of the line, without the white space around it.
    fn rest(&self) -> &'a str {
        self.text[self.at..self.end].trim()
    }

    fn word<T>(
        &mut self,
        expected: &str,
        parse: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<T, ReadError> {
        let line = &self.text[self.at..self.end];
        let start = self.at + (line.len() - line.trim_start().len());
        let word = line.split_whitespace().next().unwrap_or("");
        let Some(parsed) = parse(word) else {
            let start = if word.is_empty() { self.at + line.trim_end().len() } else { start };
            return Err(ReadError::at(self.text, start, expected));
        };
        self.at = start + word.len();
        Ok(parsed)
    }

    fn finish(&mut self) -> Result<(), ReadError> {
        self.word("the end of the line", |word| word.is_empty().then_some(()))
    }
}

fn number(word: &str) -> Option<String> {
    word.parse::<i64>().ok().map(|number| number.to_string())
}
