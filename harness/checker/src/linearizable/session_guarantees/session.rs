//! Session guarantees: within one process, reads see its own writes and never go back.

use super::super::counterexample::sentence::Speaker;
use super::super::report::Options;
use super::{BREACHES_MAX, Breach, KeyFacts, each_key};
use crate::history::register::{ABSENT, RegisterOp};
use crate::models::RegisterCas;
use contract::{NodeId, Op};
use std::collections::BTreeMap;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionReport {
    /// Reads that were judged.
    pub reads: u64,
    /// Reads that broke a guarantee.
    pub breaches: u64,
    /// The first of them by key and call, at most [`BREACHES_MAX`].
    pub examples: Vec<Breach>,
}

/// Whether each process of `ops` reads its own writes (`read-your-writes`), never sees an older
/// value after a newer one (`monotonic-reads`), and, when both were written by one process, sees
/// its writes in their order (`monotonic-writes`). A process of a client is a session.
#[must_use]
pub fn check_sessions(ops: &[Op], model: &RegisterCas, options: &Options<'_>) -> SessionReport {
    let mut report = SessionReport::default();
    each_key(ops, model, |key, facts| {
        let mut floors: BTreeMap<Session, Floor> = BTreeMap::new();
        for op in by_return(facts) {
            let session = session(&ops[op.op as usize]);
            if facts.is_read(op) {
                report.reads += 1;
                let floor = floors.get(&session).copied();
                if let Some(floor) = floor.filter(|floor| floor.is_above(facts, op)) {
                    report.breaches += 1;
                    if report.examples.len() < BREACHES_MAX {
                        report.examples.push(breach(key, facts, op, floor, options));
                    }
                }
            }
            if let Some(next) = Floor::of(facts, op) {
                let floor = floors.entry(session).or_insert(next);
                *floor = (*floor).max(next);
            }
        }
    });
    report
}

/// A process of a client: after an unknown outcome a client goes on as another process, and the
/// processes of two clients may have one number.
type Session = (NodeId, u32);

fn session(op: &Op) -> Session {
    (op.client, op.process)
}

/// The operations that ended, in the order of their returns: the order within each process.
fn by_return<'a>(facts: &'a KeyFacts<'_>) -> Vec<&'a RegisterOp> {
    let mut ops: Vec<&RegisterOp> = facts.client_ops().filter(|op| !op.is_open()).collect();
    ops.sort_unstable_by_key(|op| op.ret);
    ops
}

/// The newest that a process has certainly seen or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Floor {
    /// It was written after this.
    call_at: u64,
    /// The operation by which the process knows.
    op: u32,
    /// The state.
    state: u32,
    /// Whether the process wrote it itself.
    own: bool,
}

impl Floor {
    fn of(facts: &KeyFacts<'_>, op: &RegisterOp) -> Option<Self> {
        let (state, own) = match super::produces(op) {
            Some(ABSENT) => return None,
            Some(state) => (state, true),
            None if facts.is_read(op) && op.from != ABSENT => (op.from, false),
            None => return None,
        };
        let call_at = if own { facts.times(op).0 } else { facts.call_min[state as usize] };
        Some(Self { call_at, op: op.op, state, own })
    }

    /// Whether what `read` saw is certainly older.
    fn is_above(self, facts: &KeyFacts<'_>, read: &RegisterOp) -> bool {
        read.from != self.state && facts.ret_max[read.from as usize] < Some(self.call_at)
    }
}

fn breach(
    key: u64,
    facts: &KeyFacts<'_>,
    read: &RegisterOp,
    floor: Floor,
    options: &Options<'_>,
) -> Breach {
    let writer = |op: Option<u32>| op.map(|op| session(&facts.ops[op as usize]));
    let newer = writer(facts.writer[floor.state as usize]);
    let older = writer(facts.writer[read.from as usize]);
    let guarantee = if floor.own {
        "read-your-writes"
    } else if newer.is_some() && newer == older {
        "monotonic-writes"
    } else {
        "monotonic-reads"
    };
    let speaker = Speaker { ops: facts.ops, options };
    let sentence = format!(
        "{}, after {} in the same session, which is newer",
        speaker.operation(read.op),
        speaker.operation(floor.op)
    );
    Breach { guarantee, key, ops: vec![facts.id(floor.op), facts.id(read.op)], sentence }
}

#[cfg(test)]
mod tests {
    use super::super::super::testkit::script::script;
    use super::*;

    fn guarantees(text: &str) -> Vec<&'static str> {
        let options = Options::steps(0);
        let report = check_sessions(&script(text), &RegisterCas::default(), &options);
        assert_eq!(report.breaches as usize, report.examples.len());
        report.examples.iter().map(|breach| breach.guarantee).collect()
    }

    #[test]
    fn own_writes_are_read() {
        let own = "1 put 1 -> ok 0..1\n1 put 2 -> ok 2..3\n1 stale -> 1 4..5";
        assert_eq!(guarantees(own), ["read-your-writes"]);
        let other = "1 put 1 -> ok 0..1\n2 put 2 -> ok 2..3\n1 stale -> 1 4..5";
        assert_eq!(guarantees(other), [""; 0], "another's write may be late");
        let lost = "1 put 1 -> ok 0..1\n1 stale -> none 2..3";
        assert_eq!(guarantees(lost), ["read-your-writes"]);
        let deleted = "1 put 1 -> ok 0..1\n2 delete -> 1 1..2\n1 stale -> none 2..3";
        assert_eq!(guarantees(deleted), [""; 0], "a delete may have come between");
        let newer = "1 put 1 -> ok 0..2\n2 put 2 -> ok 0..3\n1 stale -> 2 4..5";
        assert_eq!(guarantees(newer), [""; 0]);
    }

    #[test]
    fn processes_of_two_clients_are_two_sessions() {
        let text = "1 put 1 -> ok 0..1\n2 put 2 -> ok 2..3\n1 stale -> 1 4..5\n2 stale -> 2 4..5";
        let mut ops = script(text);
        ops.iter_mut().for_each(|op| op.process = 0);
        let report = check_sessions(&ops, &RegisterCas::default(), &Options::steps(0));
        assert_eq!((report.reads, report.breaches), (2, 0), "{report:#?}");
    }

    #[test]
    fn reads_do_not_go_back() {
        let back = "1 put 1 -> ok 0..1\n2 put 2 -> ok 2..3\n3 stale -> 2 4..5\n3 stale -> 1 6..7";
        assert_eq!(guarantees(back), ["monotonic-reads"]);
        let apart = "1 put 1 -> ok 0..1\n2 put 2 -> ok 2..3\n3 stale -> 2 4..5\n4 stale -> 1 6..7";
        assert_eq!(guarantees(apart), [""; 0], "two sessions");
        let open = "1 put 1 -> ? 0\n2 put 2 -> ok 2..3\n3 stale -> 2 4..5\n3 stale -> 1 6..7";
        assert_eq!(guarantees(open), [""; 0], "the first write may be the later one");
        let own = "1 put 1 -> ok 0..1\n1 put 2 -> ok 2..3\n3 stale -> 2 4..5\n3 stale -> 1 6..7";
        assert_eq!(guarantees(own), ["monotonic-writes"]);
    }

    #[test]
    fn a_breach_is_told_in_one_sentence() {
        let ops = script("1 put 1 -> ok 0..1\n1 stale -> none 2..3");
        let report = check_sessions(&ops, &RegisterCas::default(), &Options::steps(0));
        assert_eq!(
            report.examples[0].sentence,
            "n1's get (op 1, 2s to 3s) saw nothing, after n1's put of value 1 (op 0, 0s to 1s) \
             took effect in the same session, which is newer"
        );
    }
}
