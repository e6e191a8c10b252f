//! Bounded staleness: a read sees nothing that was overwritten longer ago than the bound.

use super::super::counterexample::sentence::Speaker;
use super::super::report::Options;
use super::{BREACHES_MAX, Breach, KeyFacts, each_key};
use crate::history::register::RegisterOp;
use crate::models::RegisterCas;
use contract::{Duration, Op};

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StalenessReport {
    /// Reads that were judged.
    pub reads: u64,
    /// Reads that saw something certainly overwritten.
    pub stale_reads: u64,
    /// The most that a read was behind for certain.
    pub worst: Duration,
    /// Reads behind by more than the bound.
    pub breaches: u64,
    /// The first of them by key and call, at most [`BREACHES_MAX`].
    pub examples: Vec<Breach>,
}

/// How far reads of `ops` are behind, and which are by more than `bound`.
///
/// A read is behind by the time from the return of the first write that is certainly newer than
/// what it saw to its own call.
#[must_use]
pub fn check_staleness(
    ops: &[Op],
    model: &RegisterCas,
    bound: Duration,
    options: &Options<'_>,
) -> StalenessReport {
    let mut report = StalenessReport::default();
    each_key(ops, model, |key, facts| {
        let newer = Newer::new(facts);
        for read in facts.client_ops().filter(|op| facts.is_read(op)) {
            report.reads += 1;
            let Some((overwritten_at, write)) = newer.than(facts, read) else {
                continue;
            };
            let behind = Duration(facts.times(read).0.saturating_sub(overwritten_at));
            report.stale_reads += u64::from(behind > Duration::ZERO);
            report.worst = report.worst.max(behind);
            if behind > bound {
                report.breaches += 1;
                if report.examples.len() < BREACHES_MAX {
                    report.examples.push(breach(key, facts, read, write, behind, options));
                }
            }
        }
    });
    report
}

/// For any instant, the first return among the writes called after it.
struct Newer {
    /// Calls of writes, ascending.
    calls: Vec<u64>,
    /// The first return among this write and all called later, and whose it is.
    first: Vec<(u64, u32)>,
}

impl Newer {
    fn new(facts: &KeyFacts<'_>) -> Self {
        let writes = facts.client_ops().filter(|op| !op.is_open());
        let writes = writes.filter(|op| super::produces(op).is_some());
        let (calls, mut first): (Vec<u64>, Vec<(u64, u32)>) = writes
            .map(|op| {
                let (call_at, ret_at) = facts.times(op);
                (call_at, (ret_at, op.op))
            })
            .unzip();
        for index in (1..first.len()).rev() {
            first[index - 1] = first[index - 1].min(first[index]);
        }
        Self { calls, first }
    }

    /// The first return of a write that is certainly newer than what `read` saw, and the write.
    fn than(&self, facts: &KeyFacts<'_>, read: &RegisterOp) -> Option<(u64, u32)> {
        let after = match facts.ret_max[read.from as usize] {
            Some(ret_at) => self.calls.partition_point(|&call_at| call_at <= ret_at),
            None => 0,
        };
        self.first.get(after).copied()
    }
}

fn breach(
    key: u64,
    facts: &KeyFacts<'_>,
    read: &RegisterOp,
    write: u32,
    behind: Duration,
    options: &Options<'_>,
) -> Breach {
    let speaker = Speaker { ops: facts.ops, options };
    let sentence = format!(
        "{}; {} is newer and was over {} before it",
        speaker.operation(read.op),
        speaker.brief(write),
        behind.human()
    );
    let ops = vec![facts.id(write), facts.id(read.op)];
    Breach { guarantee: "bounded-staleness", key, ops, sentence }
}

#[cfg(test)]
mod tests {
    use super::super::super::testkit::script::script;
    use super::*;

    fn check(text: &str, bound: u64) -> StalenessReport {
        let (model, options) = (RegisterCas::default(), Options::steps(0));
        check_staleness(&script(text), &model, Duration::from_secs(bound), &options)
    }

    #[test]
    fn a_read_is_behind_by_the_first_newer_write() {
        let text = "1 put 1 -> ok 0..1
                    2 put 2 -> ok 2..3
                    2 put 3 -> ok 4..5
                    3 stale -> 1 9..10";
        let report = check(text, 6);
        assert_eq!((report.reads, report.stale_reads, report.breaches), (1, 1, 0));
        assert_eq!(report.worst, Duration::from_secs(6), "2 was there at 3");
        let report = check(text, 5);
        assert_eq!(report.breaches, 1);
        assert_eq!(
            report.examples[0].sentence,
            "n3's get (op 3, 9s to 10s) saw value 1; n2's put of value 2 (op 1, 2s to 3s) is newer \
             and was over 6.000 s before it"
        );
    }

    #[test]
    fn only_what_is_certain_counts() {
        let open = "1 put 1 -> ? 0\n2 put 2 -> ok 2..3\n3 stale -> 1 9..10";
        assert_eq!(check(open, 0).stale_reads, 0, "1 may have been written last");
        let overlap = "1 put 1 -> ok 0..3\n2 put 2 -> ok 2..4\n3 stale -> 1 9..10";
        assert_eq!(check(overlap, 0).stale_reads, 0);
        let unknown = "1 put 1 -> ok 0..1\n2 put 2 -> ? 2\n3 stale -> 1 9..10";
        assert_eq!(check(unknown, 0).stale_reads, 0, "2 may never have been written");
    }

    #[test]
    fn nothing_there_is_behind_a_put_unless_something_deleted_it() {
        let lost = "1 put 1 -> ok 0..1\n3 stale -> none 9..10";
        assert_eq!(check(lost, 0).worst, Duration::from_secs(8));
        let deleted = "1 put 1 -> ok 0..1\n2 delete -> 1 2..3\n3 stale -> none 9..10";
        assert_eq!(check(deleted, 0).stale_reads, 0);
        let again =
            "1 put 1 -> ok 0..1\n2 delete -> 1 2..3\n1 put 2 -> ok 4..5\n3 stale -> none 9..10";
        assert_eq!(check(again, 0).worst, Duration::from_secs(4));
        let kept = "1 put 1 -> ok 0..1\n2 delete -> 1 2..3\n3 stale -> 1 9..10";
        assert_eq!(check(kept, 0).worst, Duration::from_secs(6), "a delete is newer than 1");
    }
}
