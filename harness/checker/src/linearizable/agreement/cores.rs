//! Every counterexample is a contradiction, cannot be cut down, and is the earliest.

use super::super::testkit::brute_force::is_linearizable;
use super::super::testkit::generate::{Generator, Shape, Subject};
use super::super::testkit::objects::kv_append;
use super::super::testkit::subjects::{RegisterSubject, value};
use super::super::{Options, Report, Verdict, check_model, check_register_with};
use crate::models::register_cas::Told;
use crate::models::{AppendList, Counter, Lock};
use contract::{Op, Outcome, SimTime};

/// `ops` when only those at `strong` keep their answers.
pub(super) fn weakened(ops: &[Op], strong: &[u32]) -> Vec<Op> {
    let mut weak = ops.to_vec();
    for (index, op) in weak.iter_mut().enumerate() {
        let keeps = strong.contains(&(index as u32)) || op.outcome == Outcome::Fail;
        if !keeps {
            op.outcome = Outcome::Unknown;
            op.ret_at = SimTime::MAX;
        }
    }
    weak
}

/// Checks the counterexample of an illegal history against brute force.
fn check_core<S: Subject>(subject: &S, ops: &[Op], report: &Report, cores: &mut Cores) {
    let legal = |strong: &[u32]| is_linearizable(subject, 0, &weakened(ops, strong));
    let [example] = report.counterexamples.as_slice() else {
        panic!("one key, one counterexample: {report:#?}");
    };
    let core = &example.indexes;
    assert!(!legal(core), "the core {example:#?} is consistent in {ops:#?}");
    let leaves = if example.irreducible { core.as_slice() } else { &[] };
    for leave in leaves {
        let rest: Vec<u32> = core.iter().copied().filter(|op| op != leave).collect();
        assert!(legal(&rest), "{leave} is not needed in {example:#?} of {ops:#?}");
    }
    let mut completed: Vec<u32> = (0..ops.len() as u32).collect();
    completed.retain(|&op| matches!(ops[op as usize].outcome, Outcome::Ok(_)));
    completed.sort_by_key(|&op| (ops[op as usize].ret_at, op));
    let prefix = example.prefix_len as usize;
    assert!(legal(&completed[..prefix]), "{example:#?} is not the earliest: {ops:#?}");
    assert!(!legal(&completed[..=prefix]), "{example:#?} comes later: {ops:#?}");
    cores.count += 1;
    cores.ops += core.len();
    cores.irreducible += usize::from(example.irreducible);
}

#[derive(Default)]
struct Cores {
    count: usize,
    ops: usize,
    irreducible: usize,
}

/// The mean number of operations in a core, times 1 000.
fn mean_core<S: Subject>(
    subject: &S,
    seed: u64,
    count: usize,
    check: impl Fn(&[Op]) -> Report,
) -> usize {
    let mut cores = Cores::default();
    for (shape, seed) in [Shape::SMALL, Shape::LONG, Shape::VAGUE].into_iter().zip(seed..) {
        let mut generator = Generator::new(seed, shape);
        for _ in 0..count {
            let ops = generator.next(subject, 0);
            let report = check(ops);
            let legal = is_linearizable(subject, 0, ops);
            assert_eq!(report.verdict == Verdict::Linearizable, legal, "{ops:#?}");
            assert_eq!(report.certificates_refused, 0);
            if !legal {
                check_core(subject, ops, &report, &mut cores);
            }
        }
    }
    assert!(cores.irreducible * 100 >= cores.count * 99, "budgets suffice for small histories");
    cores.ops * 1_000 / cores.count
}

#[test]
fn cores_of_registers() {
    let mut with_first = RegisterSubject::unique();
    with_first.model.initial_rest = Some(value(6));
    let mut barely = RegisterSubject::unique();
    barely.model.told = Told::Barely;
    let repeated = RegisterSubject { values: Some(3), add: true, ..RegisterSubject::unique() };
    let subjects =
        [RegisterSubject::unique(), RegisterSubject::empty(), with_first, barely, repeated];
    for (subject, seed) in subjects.into_iter().zip((101..).step_by(3)) {
        let options = Options::steps(100_000);
        let check = |ops: &[Op]| check_register_with(ops, &subject.model, &options);
        let mean = mean_core(&subject, seed, 1_000, check);
        assert!((1_000..3_000).contains(&mean), "{mean} operations per 1000 cores: {subject:?}");
    }
}

#[test]
fn cores_of_models() {
    let options = Options::steps(100_000);
    mean_core(&Counter, 131, 500, |ops| check_model(&Counter, ops, &options));
    mean_core(&AppendList, 134, 500, |ops| check_model(&AppendList, ops, &options));
    mean_core(&Lock, 137, 500, |ops| check_model(&Lock, ops, &options));
    let strings = kv_append();
    mean_core(&strings, 140, 500, |ops| check_model(&strings, ops, &options));
}
