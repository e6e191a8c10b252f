//! Registers whose values expire: no false alarm, and the search agrees with brute force.

use super::super::search::{Found, Limits, search_register};
use super::super::testkit::brute_force::is_linearizable_with_ttl;
use super::super::testkit::generate::{Generator, Shape};
use super::super::testkit::subjects::RegisterSubject;
use super::super::zones::{Relaxed, judge_relaxed};
use super::super::{Options, Verdict, check_register_with, replay};
use super::compile;
use contract::{Call, Domain, Duration, Op, Rng};

/// Gives about half of the puts a time to live.
fn give_ttl(ops: &[Op], rng: &mut Rng) -> Vec<Op> {
    let mut ops = ops.to_vec();
    for op in &mut ops {
        let short = Duration(rng.below(12));
        let gets = rng.below(2) == 0;
        if let Call::Put { ttl, .. } = &mut op.call {
            *ttl = gets.then_some(short);
        }
    }
    ops
}

#[test]
fn expiry_agrees_with_brute_force() {
    let (mut total, mut illegal, mut refuted) = (0, 0, 0);
    for (tolerance, seed) in [(0, 201), (2, 211)] {
        for (shape, seed) in [Shape::SMALL, Shape::VAGUE].into_iter().zip(seed..) {
            for subject in [RegisterSubject::unique(), RegisterSubject::empty()] {
                let mut subject = subject;
                subject.model.ttl_tolerance = Duration(tolerance);
                let mut rng = Rng::new(seed, Domain::Client, "ttl");
                let mut generator = Generator::new(seed, Shape { ops_max: 5, ..shape });
                for _ in 0..super::histories() / 8 + 1 {
                    total += 1;
                    let ops = give_ttl(generator.next(&subject, 0), &mut rng);
                    let legal = is_linearizable_with_ttl(&subject.model, &ops);
                    let register = compile(&subject, &ops);
                    let relaxed = judge_relaxed(&register, false);
                    let is_refuted = matches!(relaxed, Relaxed::Violated(..));
                    assert!(!(legal && is_refuted), "a false alarm: {relaxed:#?} of {ops:#?}");
                    illegal += u64::from(!legal);
                    refuted += u64::from(is_refuted);
                    match search_register(&register, Limits::steps(100_000)).0 {
                        Found::Linearizable(order) => {
                            assert!(legal, "accepted {ops:#?}");
                            assert_eq!(replay::replay_register(&register, &order), Ok(()));
                        }
                        Found::NotLinearizable { .. } => assert!(!legal, "refused {ops:#?}"),
                        Found::Undecided { why } => panic!("{why}: {ops:#?}"),
                    }
                }
            }
        }
    }
    println!("{total} histories agree: {illegal} illegal, {refuted} refuted by tier one");
    assert!(illegal * 6 > total, "{illegal} illegal");
    assert!(refuted * 10 > illegal * 9, "{refuted} of {illegal} refuted by tier one");
}

#[test]
fn cores_with_expiry_are_contradictions() {
    let subject = RegisterSubject::unique();
    let mut rng = Rng::new(221, Domain::Client, "ttl");
    let mut generator = Generator::new(221, Shape::SMALL);
    for _ in 0..2_000 {
        let ops = give_ttl(generator.next(&subject, 0), &mut rng);
        let report = check_register_with(&ops, &subject.model, &Options::steps(100_000));
        let legal = |strong: &[u32]| {
            is_linearizable_with_ttl(&subject.model, &super::cores::weakened(&ops, strong))
        };
        let Verdict::NotLinearizable = report.verdict else {
            continue;
        };
        let core = &report.counterexamples[0].indexes;
        assert!(!legal(core), "{report:#?} of {ops:#?}");
        for leave in core {
            let rest: Vec<u32> = core.iter().copied().filter(|op| op != leave).collect();
            assert!(legal(&rest), "{leave} is not needed in {report:#?} of {ops:#?}");
        }
    }
}
