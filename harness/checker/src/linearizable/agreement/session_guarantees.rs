//! What is linearizable keeps every weaker promise too.

use super::super::session_guarantees::session::check_sessions;
use super::super::session_guarantees::staleness::check_staleness;
use super::super::testkit::generate::{Generator, Shape};
use super::super::testkit::subjects::RegisterSubject;
use super::super::{Options, Verdict, check_register_with};
use contract::{Duration, NodeId, Op, SimTime};

/// Gives each operation the first process that is free.
fn one_at_a_time(ops: &[Op]) -> Vec<Op> {
    let mut ops = ops.to_vec();
    let mut free_at: Vec<SimTime> = Vec::new();
    for op in &mut ops {
        let free = free_at.iter().position(|at| *at < op.call_at);
        let process = free.unwrap_or(free_at.len());
        free_at.resize(free_at.len().max(process + 1), SimTime::ZERO);
        free_at[process] = op.ret_at;
        op.process = process as u32;
        op.client = NodeId(op.process);
    }
    ops
}

#[test]
fn linearizable_histories_keep_sessions_and_are_never_stale() {
    let options = Options::steps(100_000);
    let (mut broken, mut stale) = (0, 0);
    for (subject, seed) in [RegisterSubject::unique(), RegisterSubject::empty()].iter().zip(301..) {
        let mut generator = Generator::new(seed, Shape::LONG);
        for _ in 0..6_000 {
            let ops = one_at_a_time(generator.next(subject, 0));
            let sessions = check_sessions(&ops, &subject.model, &options);
            let bound = Duration::ZERO;
            let staleness = check_staleness(&ops, &subject.model, bound, &options);
            let report = check_register_with(&ops, &subject.model, &options);
            if report.verdict == Verdict::Linearizable {
                assert_eq!(sessions.examples, [], "{ops:#?}");
                assert_eq!(staleness.examples, [], "{ops:#?}");
            }
            broken += sessions.breaches;
            stale += staleness.breaches;
        }
    }
    assert!(broken > 200 && stale > 200, "{broken} broken, {stale} stale");
}
