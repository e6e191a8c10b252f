//! What clients did, and whether one copy of the data could have answered so.
//!
//! A version is the index of the log entry that wrote a value, so versions order the writes of a
//! key. With that order given, linearizability is a few comparisons per operation (the witness
//! approach of kvnemesis), which makes this oracle independent of the lab's own checker. Histories
//! hold gets, puts and compare-and-sets of unique values.

use contract::{Call, NodeId, Outcome, Ret, SimTime};
use std::collections::BTreeMap;

/// One operation.
#[derive(Clone, Debug)]
pub struct Done {
    pub client: NodeId,
    pub call: Call,
    pub outcome: Option<Outcome>,
    pub call_at: SimTime,
    pub ret_at: SimTime,
}

/// All operations, in the order of their calls.
#[derive(Clone, Debug, Default)]
pub struct History(pub Vec<Done>);

impl History {
    pub fn count(&self, is: impl Fn(&Outcome) -> bool) -> usize {
        let outcomes = self.0.iter().filter_map(|done| done.outcome.as_ref());
        outcomes.filter(|outcome| is(outcome)).count()
    }

    pub fn ok(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Ok(_)))
    }

    /// The first contradiction, in words; `None` for a linearizable history.
    pub fn contradiction(&self) -> Option<String> {
        let mut keys: BTreeMap<u64, Vec<&Done>> = BTreeMap::new();
        for done in &self.0 {
            keys.entry(done.call.key().expect("calls of one key")).or_default().push(done);
        }
        keys.iter()
            .find_map(|(key, ops)| Key::check(ops).err().map(|why| format!("key {key}: {why}")))
    }
}

/// What is known of one key.
struct Key {
    /// The version of each value that was seen or acknowledged.
    versions: BTreeMap<u64, u64>,
}

/// An operation with its place in the order of versions.
struct Placed<'a> {
    done: &'a Done,
    version: u64,
    writes: bool,
}

impl Key {
    fn check(ops: &[&Done]) -> Result<(), String> {
        let mut key = Self { versions: BTreeMap::new() };
        for done in ops {
            key.learn(done)?;
        }
        key.check_origins(ops)?;
        let placed: Vec<Placed<'_>> = ops.iter().filter_map(|done| key.place(done)).collect();
        check_real_time(placed)?;
        key.check_compares(ops)
    }

    fn learn(&mut self, done: &Done) -> Result<(), String> {
        let (value, version) = match (&done.call, &done.outcome) {
            (Call::Get { .. }, Some(Outcome::Ok(Ret::Found { value, version, .. }))) => {
                (value, version)
            }
            (
                Call::Put { value, .. } | Call::Cas { value, .. },
                Some(Outcome::Ok(Ret::Done { version })),
            ) => (value, version),
            _ => return Ok(()),
        };
        match self.versions.insert(value.id, *version) {
            Some(other) if other != *version => {
                Err(format!("value {} has the versions {other} and {version}", value.id))
            }
            _ => Ok(()),
        }
    }

    /// Every value that was seen was written before, by an operation that did not fail.
    fn check_origins(&self, ops: &[&Done]) -> Result<(), String> {
        let writes = ops.iter().filter_map(|done| match &done.call {
            Call::Put { value, .. } | Call::Cas { value, .. } => Some((value.id, done)),
            _ => None,
        });
        let writes: BTreeMap<u64, _> = writes.collect();
        for done in ops {
            let Some(Outcome::Ok(Ret::Found { value, .. })) = &done.outcome else {
                continue;
            };
            let Some(write) = writes.get(&value.id) else {
                return Err(format!("value {} was never written", value.id));
            };
            if matches!(write.outcome, Some(Outcome::Fail | Outcome::Ok(Ret::Conflict { .. }))) {
                return Err(format!(
                    "value {} was read at {} although its write failed",
                    value.id, done.ret_at
                ));
            }
            if write.call_at > done.ret_at {
                return Err(format!("value {} was read before it was written", value.id));
            }
        }
        Ok(())
    }

    fn place<'a>(&self, done: &'a Done) -> Option<Placed<'a>> {
        let (version, writes) = match done.outcome.as_ref()? {
            Outcome::Ok(Ret::Found { version, .. }) => (*version, false),
            Outcome::Ok(Ret::Missing | Ret::Conflict { seen: None }) => (0, false),
            Outcome::Ok(Ret::Conflict { seen: Some(seen) }) => {
                (*self.versions.get(&seen.id)?, false)
            }
            Outcome::Ok(Ret::Done { version }) => (*version, true),
            _ => return None,
        };
        Some(Placed { done, version, writes })
    }

    /// A compare-and-set that took effect directly follows the value that it expected.
    fn check_compares(&self, ops: &[&Done]) -> Result<(), String> {
        for done in ops {
            let (Call::Cas { expect, .. }, Some(Outcome::Ok(Ret::Done { version }))) =
                (&done.call, &done.outcome)
            else {
                continue;
            };
            let before = self.versions.iter().filter(|(_, other)| *other < version);
            let last = before.max_by_key(|(_, version)| **version).map(|(id, _)| *id);
            // A value that nobody ever saw has no known version: then nothing is contradicted.
            let expected = expect.map(|value| value.id);
            let known = expected.is_none_or(|id| self.versions.contains_key(&id));
            if known && last != expected {
                return Err(format!(
                    "a compare-and-set to version {version} expected {expected:?} and followed \
                     {last:?}"
                ));
            }
        }
        Ok(())
    }
}

/// What ended before an operation began is not after it in the order of versions.
fn check_real_time(mut placed: Vec<Placed<'_>>) -> Result<(), String> {
    let mut ended: Vec<(SimTime, u64)> =
        placed.iter().map(|op| (op.done.ret_at, op.version)).collect();
    ended.sort_unstable();
    placed.sort_by_key(|op| op.done.call_at);
    let mut newest = 0;
    let mut next = 0;
    for op in placed {
        while next < ended.len() && ended[next].0 < op.done.call_at {
            newest = newest.max(ended[next].1);
            next += 1;
        }
        let stale = if op.writes { op.version <= newest } else { op.version < newest };
        if stale {
            return Err(format!(
                "{} called at {} by {:?} is at version {}, but version {newest} was there before",
                op.done.call.name(),
                op.done.call_at,
                op.done.client,
                op.version
            ));
        }
    }
    Ok(())
}
