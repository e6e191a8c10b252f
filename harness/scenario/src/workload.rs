//! Workloads written in code: what one arrival at a client does, where neither weights nor a script
//! can say it.
//!
//! A scenario file names one with `workload = ".."` in `[clients.C]`. When sessions begin is the
//! file's business (`rate`, `think`); which keys and values there are, too. Only what a session
//! asks for, and how it goes on after each answer, is code.

use crate::ask::Ask;
use catalog::System;
use contract::{Call, Outcome, ReadLevel, Value};
use std::fmt;

/// The workload that every lab has: each operation of the system, and each verb that takes nothing
/// away, on a few keys. An arrival is one call.
pub const GENERAL: &str = "general";

/// One line of help.
pub const GENERAL_ABOUT: &str = "every operation and verb of the system, on a few keys";

/// How many keys it has where a file does not say.
pub(crate) const GENERAL_KEYS: u64 = 8;

/// What it asks of `system`, with weights: half of it reads, half writes, and now and then an operator
/// asks for something.
pub(crate) fn general(system: &dyn System) -> Vec<(Ask, u32)> {
    const EACH: u32 = 60;
    let count = |reads: bool| system.operations().iter().filter(|row| row.reads == reads).count();
    let counts = [count(false), count(true)].map(|count| u32::try_from(count).unwrap_or(EACH));
    let ask = |name| Ask::named(system, name).expect("it is a row of the system");
    let operations = system.operations().iter().map(|row| {
        let share = EACH / counts[usize::from(row.reads)];
        (ask(row.name), share.max(1))
    });
    let verbs = system.verbs().iter().filter(|verb| !verb.is_lossy);
    operations.chain(verbs.map(|verb| (ask(verb.name), 1))).collect()
}

/// A kind of workload.
pub trait LoadKind: Sync {
    /// The value of `workload = ".."`.
    fn name(&self) -> &'static str;
    /// One line of help.
    fn about(&self) -> &'static str;
    /// The operations and verbs that its sessions ask for; the system must have all of them.
    fn asks(&self) -> &'static [&'static str];
    /// Begins the session of one arrival.
    fn begin(&self) -> Box<dyn SessionSteps>;
}

/// A session in progress: one client, one call at a time.
pub trait SessionSteps {
    /// The next call, given the last one and how it ended; `None` ends the session. An unknown
    /// outcome ends it in any case, because its process goes no further.
    fn next(&mut self, last: Option<(&Call, &Outcome)>, draws: &mut dyn Draws) -> Option<Call>;
    /// The same session, to go on in another world.
    fn fork(&self) -> Box<dyn SessionSteps>;
}

/// What a session may draw, all of it from its client's own stream.
pub trait Draws {
    /// A key, as `keys` says.
    fn key(&mut self) -> u64;
    /// A new value, of a size as `value` says.
    fn value(&mut self) -> Value;
    /// Evenly from `0..bound`.
    fn below(&mut self, bound: u64) -> u64;
    /// How fresh reads must be: `read`.
    fn read_level(&self) -> ReadLevel;
    /// What the key was last seen to hold.
    fn seen(&self, key: u64) -> Option<Value>;
}

impl fmt::Debug for dyn LoadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
