//! The checkers agree with brute force on random small histories.
//!
//! How many is a matter of patience: a share that takes seconds, or as many per model as
//! `CHAOSLAB_HISTORIES` says (1000000 before a release).

mod cores;
mod session_guarantees;
mod ttl;

use super::model::search_model;
use super::mutant::{Mutant, with_mutant};
use super::replay::replay_register;
use super::search::{Found, Limits};
use super::testkit::brute_force::is_linearizable;
use super::testkit::generate::Subject;
use super::testkit::generate::{Generator, Shape};
use super::testkit::objects::kv_append;
use super::testkit::subjects::{RegisterSubject, value};
use super::zones::{Judged, Relaxed, judge, judge_relaxed};
use crate::history::register::Register;
use crate::history::split::Split;
use crate::linearizable::search::search_register;
use crate::models::register_cas::Told;
use crate::models::{AppendList, Counter, Lock, Set};
use contract::Op;

/// Histories per model when nobody asks for more.
const HISTORIES: u64 = 24_000;

/// How many histories per model are looked at.
fn histories() -> u64 {
    let Ok(asked) = std::env::var("CHAOSLAB_HISTORIES") else { return HISTORIES };
    let count = asked.parse().expect("CHAOSLAB_HISTORIES is a number");
    assert!(count >= 1_000, "{count} histories say nothing");
    count
}

fn compile(subject: &RegisterSubject, ops: &[Op]) -> Register {
    let split = Split::new(ops, |_| true);
    let (key, shares) = split.parts().next().expect("every operation is about key 0");
    Register::compile(ops, key, shares, &subject.model, |_| false)
}

fn search(register: &Register) -> Found {
    search_register(register, Limits::steps(1_000_000)).0
}

#[derive(Default)]
struct Tally {
    legal: u64,
    illegal: u64,
    in_class: u64,
    /// Illegal and out of the class.
    illegal_outside: u64,
    /// Of these, refuted by tier one all the same.
    relaxed: u64,
}

fn agree(subject: &RegisterSubject, seed: u64, shape: Shape, count: u64) -> Tally {
    let mut generator = Generator::new(seed, shape);
    let mut tally = Tally::default();
    for _ in 0..count {
        let ops = generator.next(subject, 0);
        let legal = is_linearizable(subject, 0, ops);
        tally.legal += u64::from(legal);
        tally.illegal += u64::from(!legal);
        let register = compile(subject, ops);
        match judge(&register, true) {
            Judged::OutOfClass => {
                tally.illegal_outside += u64::from(!legal);
                if let Relaxed::Violated(violation, _) = judge_relaxed(&register, false) {
                    tally.relaxed += 1;
                    assert!(!legal, "refused by {violation:?} with less said: {ops:#?}");
                }
            }
            Judged::Holds(order) => {
                tally.in_class += 1;
                assert!(legal, "tier one accepts {ops:#?}");
                let replayed = replay_register(&register, &order);
                assert_eq!(replayed, Ok(()), "{order:?} of {ops:#?}");
            }
            Judged::Violated(violation) => {
                tally.in_class += 1;
                assert!(!legal, "tier one refuses by {violation:?}: {ops:#?}");
            }
        }
        match search(&register) {
            Found::Linearizable(order) => {
                assert!(legal, "tier two accepts {ops:#?}");
                let replayed = replay_register(&register, &order);
                assert_eq!(replayed, Ok(()), "{order:?} of {ops:#?}");
            }
            Found::NotLinearizable { .. } => assert!(!legal, "tier two refuses {ops:#?}"),
            Found::Undecided { why } => panic!("{why}: {ops:#?}"),
        }
    }
    tally
}

impl Tally {
    /// Every history that was looked at.
    const fn total(&self) -> u64 {
        self.legal + self.illegal
    }
}

/// Looks at `total` histories of several shapes and checks that both verdicts are common.
fn agree_on(subject: &RegisterSubject, seed: u64, total: u64) -> Tally {
    let shapes = [Shape::SMALL, Shape::LONG, Shape::VAGUE];
    let count = total.div_ceil(shapes.len() as u64);
    let mut sum = Tally::default();
    for (shape, seed) in shapes.into_iter().zip(seed..) {
        let tally = agree(subject, seed, shape, count);
        assert!(tally.legal > count / 8, "{} of {count} legal: {shape:?}", tally.legal);
        assert!(tally.illegal > count / 8, "{} of {count} illegal: {shape:?}", tally.illegal);
        sum.legal += tally.legal;
        sum.illegal += tally.illegal;
        sum.in_class += tally.in_class;
        sum.illegal_outside += tally.illegal_outside;
        sum.relaxed += tally.relaxed;
    }
    assert!(sum.total() >= total, "all of them");
    println!("{} histories agree: {} legal, {} not", sum.total(), sum.legal, sum.illegal);
    sum
}

#[test]
fn both_tiers_agree_with_brute_force_on_unique_values() {
    let tally = agree_on(&RegisterSubject::unique(), 1, histories());
    assert_eq!(tally.in_class, tally.total(), "nothing is out of the class");
}

#[test]
fn both_tiers_agree_with_brute_force_on_a_register_with_a_first_value() {
    let mut subject = RegisterSubject::unique();
    subject.model.initial_rest = Some(value(6));
    let tally = agree_on(&subject, 11, histories());
    assert!(tally.in_class * 3 > tally.total() * 2, "{} in the class", tally.in_class);
}

#[test]
fn both_tiers_agree_with_brute_force_on_deletes() {
    let tally = agree_on(&RegisterSubject::empty(), 51, histories());
    assert_eq!(tally.in_class, tally.total(), "nothing is out of the class");
}

#[test]
fn both_tiers_agree_with_brute_force_on_repeated_values() {
    let subject = RegisterSubject { values: Some(3), add: true, ..RegisterSubject::unique() };
    let tally = agree_on(&subject, 21, histories());
    assert!(tally.in_class * 9 > tally.total(), "{} in the class", tally.in_class);
}

#[test]
fn both_tiers_agree_with_brute_force_on_answers_that_say_little() {
    for (values, seed) in [(None, 31), (Some(2), 41)] {
        let mut subject = RegisterSubject { values, add: true, ..RegisterSubject::unique() };
        subject.model.told = Told::Barely;
        let tally = agree_on(&subject, seed, histories());
        if values.is_none() {
            let Tally { illegal_outside, relaxed, .. } = tally;
            assert!(relaxed * 3 > illegal_outside * 2, "{relaxed} of {illegal_outside} refuted");
        }
    }
}

/// Searches `count` histories of one model beside brute force.
fn agree_on_model<S: Subject>(subject: &S, seed: u64, count: u64) {
    let shapes = [Shape::SMALL, Shape::LONG, Shape::VAGUE];
    let mut sum = 0;
    for (shape, seed) in shapes.into_iter().zip(seed..) {
        let mut generator = Generator::new(seed, shape);
        let mut legal = 0;
        for _ in 0..count / 3 + 1 {
            let ops = generator.next(subject, 0);
            let expect = is_linearizable(subject, 0, ops);
            legal += u64::from(expect);
            match search_model(subject, ops) {
                Found::Linearizable(_) => assert!(expect, "accepted: {ops:#?}"),
                Found::NotLinearizable { .. } => assert!(!expect, "refused: {ops:#?}"),
                Found::Undecided { why } => panic!("{why}: {ops:#?}"),
            }
        }
        assert!(legal > count / 30 && legal < count / 10 * 3, "{legal} legal: {shape:?}");
        sum += legal;
    }
    println!("{count} histories agree: {sum} legal");
}

#[test]
fn search_agrees_with_brute_force_on_counters() {
    agree_on_model(&Counter, 61, histories());
}

#[test]
fn search_agrees_with_brute_force_on_sets() {
    agree_on_model(&Set, 64, histories());
}

#[test]
fn search_agrees_with_brute_force_on_lists() {
    agree_on_model(&AppendList, 67, histories());
}

#[test]
fn search_agrees_with_brute_force_on_locks() {
    agree_on_model(&Lock, 71, histories());
}

#[test]
fn search_agrees_with_brute_force_on_strings() {
    agree_on_model(&kv_append(), 74, histories());
}

#[test]
fn every_mutant_of_tier_one_is_noticed() {
    let subject = RegisterSubject::unique();
    let survivors: Vec<Mutant> =
        Mutant::ALL.into_iter().filter(|&mutant| !is_noticed(mutant, &subject)).collect();
    assert_eq!(survivors, []);
}

/// Whether a verdict, a certificate or an assertion goes wrong with `mutant` switched on.
fn is_noticed(mutant: Mutant, subject: &RegisterSubject) -> bool {
    let repeated = RegisterSubject { values: Some(3), ..subject.clone() };
    let subjects = [subject, &repeated, &RegisterSubject::empty()];
    let shapes = [Shape::SMALL, Shape::LONG, Shape::VAGUE];
    subjects.into_iter().any(|subject| {
        shapes.into_iter().any(|shape| {
            let mut generator = Generator::new(7, shape);
            (0..100_000).any(|_| {
                let ops = generator.next(subject, 0);
                let register = compile(subject, ops);
                let right = matches!(judge(&register, true), Judged::Holds(_));
                let judged = with_mutant(mutant, || judge(&register, true));
                match judged {
                    None => true,
                    Some(Judged::OutOfClass) => false,
                    Some(Judged::Holds(order)) => replay_register(&register, &order).is_err(),
                    Some(Judged::Violated(_)) => right,
                }
            })
        })
    })
}
