//! Sessions: what a client does after the first call of an arrival.
//!
//! A script runs its steps in order, on one key. It goes on only when a step was carried out: one
//! that failed, found something else than it expected or has no known outcome ends the session. A
//! user's own session sees every answer and decides for itself, but for an unknown outcome, which
//! ends it: its process goes no further.

use super::parts::{Drawn, make};
use super::{Client, Seen};
use contract::{Call, NodeId, Outcome, ReadLevel, Ret, Value};
use scenario::workload::{Draws, SessionSteps};
use std::rc::Rc;

/// A session in progress.
pub(super) enum Running {
    /// The steps of the scenario's script.
    Script {
        /// How many were called.
        done: usize,
        /// The key of all of them.
        key: u64,
    },
    /// A user's own.
    Own(Box<dyn SessionSteps>),
}

impl Clone for Running {
    fn clone(&self) -> Self {
        match self {
            Self::Script { done, key } => Self::Script { done: *done, key: *key },
            Self::Own(session) => Self::Own(session.fork()),
        }
    }
}

impl Running {
    /// The next call of `client`, which is `node`; `None` when the session is over.
    pub(super) fn next(
        &mut self,
        last: Option<(&Call, &Outcome)>,
        client: &mut Client,
        node: NodeId,
        seen: &Seen,
    ) -> Option<Call> {
        match self {
            Self::Script { done, key } => {
                if !last.is_none_or(|(_, outcome)| is_carried_out(outcome)) {
                    return None;
                }
                let law = Rc::clone(&client.law);
                let (ask, _) = law.load.ops.get(*done)?;
                *done += 1;
                Some(make(ask, &mut Drawn { client, node, seen, key: Some(*key) }))
            }
            Self::Own(session) => session.next(last, &mut Drawn { client, node, seen, key: None }),
        }
    }
}

const fn is_carried_out(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Ok(ret) => !matches!(ret, Ret::Conflict { .. }),
        Outcome::Fail | Outcome::Unknown => false,
    }
}

impl Draws for Drawn<'_> {
    fn key(&mut self) -> u64 {
        let law = Rc::clone(&self.client.law);
        law.key(&mut self.client.rng)
    }
    fn value(&mut self) -> Value {
        self.client.value()
    }
    fn below(&mut self, bound: u64) -> u64 {
        self.client.rng.below(bound)
    }
    fn read_level(&self) -> ReadLevel {
        self.client.law.load.read
    }
    fn seen(&self, key: u64) -> Option<Value> {
        self.seen.by(self.node, key)
    }
}
