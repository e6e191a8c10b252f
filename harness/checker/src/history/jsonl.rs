//! The lab's own histories: `history.jsonl`, one operation per line.
//!
//! ```json
//! {"id":4,"client":7,"process":7,"call":{"put":{"key":1,"value":{"id":9,"size_bytes":8}}},
//!  "outcome":{"ok":{"done":{"version":3}}},"arrived_ns":10,"call_ns":12,"ret_ns":40}
//! ```
//!
//! (On one line.) Fields that do not apply are left out: `ttl_ns` of a put without one, `ret_ns`
//! of an operation whose outcome is unknown. Unknown fields are refused.

use super::error::ReadError;
use super::recorded::{Format, Recorded, Subject};
use contract::op::OWN_ARGS_MAX;
use contract::{
    Call, Duration, NodeId, Op, OpId, Outcome, OwnCall, OwnRet, ReadLevel, Ret, SimTime, Value,
};
use serde::{Deserialize, Serialize};
use std::io::{BufRead, Write};

/// How many different verbs of administration one file may name.
const WORDS_MAX: usize = 64;

/// Writes `ops`, one per line.
pub fn write(ops: &[Op], out: &mut impl Write) -> std::io::Result<()> {
    for op in ops {
        serde_json::to_writer(&mut *out, &Row::from(op))?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Reads what [`write()`] wrote.
pub(super) fn read(text: &str) -> Result<Recorded, ReadError> {
    let mut reader = Reader::default();
    let mut ops = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if !line.trim().is_empty() {
            ops.push(reader.line(number, line)?);
        }
    }
    let (names, keys) = (Vec::new(), Vec::new());
    Ok(Recorded { format: Format::Jsonl, ops, subject: Subject::Lab, names, keys })
}

/// The operations of a file, read line by line: memory for one of them.
pub struct Lines<R> {
    input: R,
    reader: Reader,
    number: u64,
    line: Vec<u8>,
}

/// Why the next operation cannot be had.
#[derive(Debug)]
pub enum LineError {
    /// The file cannot be read.
    Io(std::io::Error),
    /// What stands there is not an operation.
    Read(ReadError),
}

impl std::fmt::Display for LineError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Read(error) => error.fmt(f),
        }
    }
}

impl<R: BufRead> Lines<R> {
    /// The operations of `input`.
    pub fn new(input: R) -> Self {
        Self { input, reader: Reader::default(), number: 0, line: Vec::new() }
    }

    /// The next line that is not empty, as an operation; `None` at the end.
    fn read(&mut self) -> Result<Option<Op>, LineError> {
        loop {
            self.line.clear();
            self.number += 1;
            if self.input.read_until(b'\n', &mut self.line).map_err(LineError::Io)? == 0 {
                return Ok(None);
            }
            let text = std::str::from_utf8(&self.line).map_err(|error| {
                let valid = String::from_utf8_lossy(&self.line[..error.valid_up_to()]);
                let place = ReadError::at(&valid, valid.len(), "text in UTF-8");
                LineError::Read(ReadError { line: self.number, ..place })
            })?;
            let text = text.trim_end_matches(['\n', '\r']);
            if !text.trim().is_empty() {
                let op = self.reader.line(self.number, text).map_err(LineError::Read)?;
                return Ok(Some(op));
            }
        }
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<Op, LineError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

#[derive(Default)]
struct Reader {
    words: Vec<&'static str>,
}

impl Reader {
    fn line(&mut self, number: u64, line: &str) -> Result<Op, ReadError> {
        let refuse = |column: usize, expected: String| {
            let before: usize = line.chars().take(column - 1).map(char::len_utf8).sum();
            ReadError { line: number, ..ReadError::at(line, before, expected) }
        };
        let row: Row = serde_json::from_str(line)
            .map_err(|error| refuse(error.column().max(1), expectation(&error)))?;
        self.op(row).map_err(|expected| refuse(1, expected.into()))
    }

    fn op(&mut self, row: Row) -> Result<Op, &'static str> {
        let outcome = self.outcome(row.outcome)?;
        let ret_ns = match outcome {
            Outcome::Unknown => row.ret_ns.unwrap_or(u64::MAX),
            _ => row.ret_ns.ok_or("an operation that ended to have `ret_ns`")?,
        };
        if ret_ns < row.call_ns {
            return Err("`ret_ns` not before `call_ns`");
        }
        Ok(Op {
            id: OpId(row.id),
            client: NodeId(row.client),
            process: row.process,
            call: self.call(row.call)?,
            outcome,
            arrived_at: SimTime(row.arrived_ns),
            call_at: SimTime(row.call_ns),
            ret_at: SimTime(ret_ns),
        })
    }

    fn call(&mut self, row: CallRow) -> Result<Call, &'static str> {
        Ok(match row {
            CallRow::Get { key, read } => Call::Get { key, read: read.into() },
            CallRow::BatchGet { keys, read } => Call::BatchGet { keys, read: read.into() },
            CallRow::Put { key, value, ttl_ns } => {
                Call::Put { key, value: value.into(), ttl: ttl_ns.map(Duration) }
            }
            CallRow::Delete { key } => Call::Delete { key },
            CallRow::Cas { key, expect, value } => {
                Call::Cas { key, expect: expect.map(Value::from), value: value.into() }
            }
            CallRow::Add { key, delta } => Call::Add { key, delta },
            CallRow::Append { key, value } => Call::Append { key, value: value.into() },
            CallRow::Acquire { key } => Call::Acquire { key },
            CallRow::Release { key } => Call::Release { key },
            CallRow::Admin { verb, arg } => Call::Admin { verb: self.word(verb)?, arg },
            CallRow::Own { row, name, key, args } => {
                Call::Own(Box::new(OwnCall { row, name: self.word(name)?, key, args }))
            }
        })
    }

    /// A word that lives as long as those of a system's tables, which are constants. Few are ever
    /// made.
    fn word(&mut self, word: String) -> Result<&'static str, &'static str> {
        if let Some(known) = self.words.iter().find(|known| **known == word) {
            return Ok(known);
        }
        if self.words.len() >= WORDS_MAX {
            return Err("at most 64 different words of a system's own");
        }
        let word: &'static str = Box::leak(word.into_boxed_str());
        self.words.push(word);
        Ok(word)
    }

    fn outcome(&mut self, row: OutcomeRow) -> Result<Outcome, &'static str> {
        Ok(match row {
            OutcomeRow::Ok(RetRow::Own { word, args }) => {
                Outcome::Ok(Ret::Own(Box::new(OwnRet { word: self.word(word)?, args })))
            }
            OutcomeRow::Ok(ret) => Outcome::Ok(ret.shared()),
            OutcomeRow::Fail => Outcome::Fail,
            OutcomeRow::Unknown => Outcome::Unknown,
        })
    }
}

/// What serde wanted, without the place that it adds at the end.
fn expectation(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    format!("an operation ({text})")
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: u64,
    client: u32,
    process: u32,
    call: CallRow,
    outcome: OutcomeRow,
    arrived_ns: u64,
    call_ns: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ret_ns: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum CallRow {
    Get {
        key: u64,
        read: ReadRow,
    },
    BatchGet {
        keys: Vec<u64>,
        read: ReadRow,
    },
    Put {
        key: u64,
        value: ValueRow,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ttl_ns: Option<u64>,
    },
    Delete {
        key: u64,
    },
    Cas {
        key: u64,
        expect: Option<ValueRow>,
        value: ValueRow,
    },
    Add {
        key: u64,
        delta: i64,
    },
    Append {
        key: u64,
        value: ValueRow,
    },
    Acquire {
        key: u64,
    },
    Release {
        key: u64,
    },
    Admin {
        verb: String,
        arg: u64,
    },
    Own {
        row: u16,
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<u64>,
        args: [u64; OWN_ARGS_MAX],
    },
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ReadRow {
    Linearizable,
    Lease,
    Stale,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ValueRow {
    id: u64,
    size_bytes: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum OutcomeRow {
    Ok(RetRow),
    Fail,
    Unknown,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum RetRow {
    Found { value: ValueRow, version: u64, stale: bool },
    Missing,
    Done { version: u64 },
    Deleted { previous: Option<ValueRow> },
    Conflict { seen: Option<ValueRow> },
    Added { total: i64 },
    List { items: Vec<ValueRow> },
    Batch { values: Vec<Option<ValueRow>> },
    Own { word: String, args: [u64; OWN_ARGS_MAX] },
}

impl From<&Op> for Row {
    fn from(op: &Op) -> Self {
        let is_open = op.outcome == Outcome::Unknown && op.ret_at == SimTime::MAX;
        Self {
            id: op.id.0,
            client: op.client.0,
            process: op.process,
            call: CallRow::from(&op.call),
            outcome: OutcomeRow::from(&op.outcome),
            arrived_ns: op.arrived_at.0,
            call_ns: op.call_at.0,
            ret_ns: (!is_open).then_some(op.ret_at.0),
        }
    }
}

impl From<&Call> for CallRow {
    fn from(call: &Call) -> Self {
        match *call {
            Call::Get { key, read } => Self::Get { key, read: read.into() },
            Call::BatchGet { ref keys, read } => {
                Self::BatchGet { keys: keys.clone(), read: read.into() }
            }
            Call::Put { key, value, ttl } => {
                Self::Put { key, value: value.into(), ttl_ns: ttl.map(Duration::as_nanos) }
            }
            Call::Delete { key } => Self::Delete { key },
            Call::Cas { key, expect, value } => {
                Self::Cas { key, expect: expect.map(ValueRow::from), value: value.into() }
            }
            Call::Add { key, delta } => Self::Add { key, delta },
            Call::Append { key, value } => Self::Append { key, value: value.into() },
            Call::Acquire { key } => Self::Acquire { key },
            Call::Release { key } => Self::Release { key },
            Call::Admin { verb, arg } => Self::Admin { verb: verb.to_owned(), arg },
            Call::Own(ref own) => {
                let OwnCall { row, name, key, args } = **own;
                Self::Own { row, name: name.to_owned(), key, args }
            }
        }
    }
}

impl From<&Outcome> for OutcomeRow {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Ok(ret) => Self::Ok(RetRow::from(ret)),
            Outcome::Fail => Self::Fail,
            Outcome::Unknown => Self::Unknown,
        }
    }
}

impl From<&Ret> for RetRow {
    fn from(ret: &Ret) -> Self {
        let row = |value: Option<Value>| value.map(ValueRow::from);
        match *ret {
            Ret::Found { value, version, stale } => {
                Self::Found { value: value.into(), version, stale }
            }
            Ret::Missing => Self::Missing,
            Ret::Done { version } => Self::Done { version },
            Ret::Deleted { previous } => Self::Deleted { previous: row(previous) },
            Ret::Conflict { seen } => Self::Conflict { seen: row(seen) },
            Ret::Added { total } => Self::Added { total },
            Ret::List { ref items } => {
                Self::List { items: items.iter().map(|&item| item.into()).collect() }
            }
            Ret::Batch { ref values } => {
                Self::Batch { values: values.iter().map(|&value| row(value)).collect() }
            }
            Ret::Own(ref own) => Self::Own { word: own.word.to_owned(), args: own.args },
        }
    }
}

impl RetRow {
    /// An answer in the words that the lab's own models know.
    fn shared(self) -> Ret {
        let value = |row: Option<ValueRow>| row.map(Value::from);
        let all = |rows: Vec<ValueRow>| rows.into_iter().map(Value::from).collect();
        match self {
            Self::Found { value, version, stale } => {
                Ret::Found { value: value.into(), version, stale }
            }
            Self::Missing => Ret::Missing,
            Self::Done { version } => Ret::Done { version },
            Self::Deleted { previous } => Ret::Deleted { previous: value(previous) },
            Self::Conflict { seen } => Ret::Conflict { seen: value(seen) },
            Self::Added { total } => Ret::Added { total },
            Self::List { items } => Ret::List { items: all(items) },
            Self::Batch { values } => {
                Ret::Batch { values: values.into_iter().map(value).collect() }
            }
            Self::Own { .. } => unreachable!("the reader turns words of a system's own itself"),
        }
    }
}

impl From<Value> for ValueRow {
    fn from(Value { id, size_bytes }: Value) -> Self {
        Self { id, size_bytes }
    }
}

impl From<ValueRow> for Value {
    fn from(ValueRow { id, size_bytes }: ValueRow) -> Self {
        Self { id, size_bytes }
    }
}

impl From<ReadLevel> for ReadRow {
    fn from(level: ReadLevel) -> Self {
        match level {
            ReadLevel::Linearizable => Self::Linearizable,
            ReadLevel::Lease => Self::Lease,
            ReadLevel::Stale => Self::Stale,
        }
    }
}

impl From<ReadRow> for ReadLevel {
    fn from(row: ReadRow) -> Self {
        match row {
            ReadRow::Linearizable => Self::Linearizable,
            ReadRow::Lease => Self::Lease,
            ReadRow::Stale => Self::Stale,
        }
    }
}
