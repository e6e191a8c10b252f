//! Events of processes, put together into operations.

use super::error::ReadError;
use contract::{Call, NodeId, Op, OpId, Outcome, Ret, SimTime};
use std::collections::BTreeMap;

/// What kind of event it is. Knossos' `:type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventType {
    Invoke,
    Ok,
    Fail,
    Info,
}

impl EventType {
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "invoke" => Self::Invoke,
            "ok" => Self::Ok,
            "fail" => Self::Fail,
            "info" => Self::Info,
            _ => return None,
        })
    }
}

/// Pairs each completion with its invocation. Time is the position in the file.
#[derive(Debug, Default)]
pub struct Pairing {
    ops: Vec<Op>,
    /// By process: its operation that has not ended.
    running: BTreeMap<u64, usize>,
    events: u64,
}

impl Pairing {
    /// Begins an operation. `process` must not have another one running.
    pub fn invoke(
        &mut self,
        text: &str,
        offset: usize,
        process: u64,
        call: Call,
    ) -> Result<(), ReadError> {
        let at = self.tick();
        if self.running.insert(process, self.ops.len()).is_some() {
            let expected = format!("the end of what process {process} is doing before more of it");
            return Err(ReadError::at(text, offset, expected));
        }
        let Ok(number) = u32::try_from(process) else {
            return Err(ReadError::at(text, offset, "a process number below 2^32"));
        };
        self.ops.push(Op {
            id: OpId(self.ops.len() as u64),
            client: NodeId(number),
            process: number,
            call,
            outcome: Outcome::Unknown,
            arrived_at: at,
            call_at: at,
            ret_at: SimTime::MAX,
        });
        Ok(())
    }

    /// The call that `process` is waiting for.
    pub fn running(&self, text: &str, offset: usize, process: u64) -> Result<&Call, ReadError> {
        match self.running.get(&process) {
            Some(&op) => Ok(&self.ops[op].call),
            None => {
                let expected = format!("an :invoke of process {process} before this");
                Err(ReadError::at(text, offset, expected))
            }
        }
    }

    /// Says of the operation of `process`, which must be running, what it really did.
    pub fn amend(&mut self, process: u64, call: Call) {
        let op = *self.running.get(&process).expect("the caller asked for the call");
        self.ops[op].call = call;
    }

    /// Ends the operation of `process`, which must be running.
    pub fn complete(&mut self, process: u64, outcome: Outcome) {
        let at = self.tick();
        let op = self.running.remove(&process).expect("the caller asked for the call");
        let op = &mut self.ops[op];
        if outcome != Outcome::Unknown {
            op.ret_at = at;
        }
        op.outcome = outcome;
    }

    /// The operations; what is still running ended unknown.
    pub fn finish(self) -> Vec<Op> {
        self.ops
    }

    const fn tick(&mut self) -> SimTime {
        self.events += 1;
        SimTime(self.events)
    }
}

/// The answer of an operation that says nothing but that it took effect.
pub const DONE: Outcome = Outcome::Ok(Ret::Done { version: 0 });
