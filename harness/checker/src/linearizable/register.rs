//! Registers: tier one where it applies, tier two elsewhere.

use super::counterexample::oracle::{Case, RegisterOracle, completed, strong_of};
use super::counterexample::sentence::Speaker;
use super::counterexample::{Core, Judgement, core_of};
use super::replay::replay_register;
use super::report::{Counterexample, Options, Report};
use super::rounds::{Tried, share_out};
use super::search::{Found, STEPS_SPENT};
use super::zones::{self, Relaxed};
use crate::history::register::Register;
use crate::history::registers::each_register;
use crate::history::split::{Share, shares_of};
use crate::linearizable::search::search_register;
use crate::models::{Model, RegisterCas};
use contract::{Call, Op, ReadLevel};

/// Whether the register history `ops` is linearizable, from empty registers, with at most
/// `search_steps_max` steps of search.
///
/// Reads that may be stale are not judged, nor are operations that are not about registers.
#[must_use]
pub fn check_register(ops: &[Op], search_steps_max: u64) -> Report {
    check_register_with(ops, &RegisterCas::default(), &Options::steps(search_steps_max))
}

/// The same for registers that hold something before the run or answer differently.
#[must_use]
pub fn check_register_with(ops: &[Op], model: &RegisterCas, options: &Options<'_>) -> Report {
    let mut report = Report::new();
    let mut check = Check { ops, model, options, report: &mut report };
    let judged = |op: &Op| is_judged(model, op);
    let mut open: Vec<(u64, Register)> = Vec::new();
    each_register(ops, model, judged, |key, register| {
        open.extend(check.judge(key, register).map(|register| (key, register)));
    });
    check.report.searched_keys = open.len() as u64;
    let short = share_out(options.search_steps_max, open, |(key, register), steps_max| {
        check.search(*key, register, steps_max)
    });
    short.iter().for_each(|(key, _)| report.leave_open(*key, STEPS_SPENT));
    assert_eq!(report.keys, report.zone_keys + report.searched_keys, "each key is decided once");
    report.sort();
    report
}

/// Whether `op` is about a register and promised to be linearizable.
fn is_judged(model: &RegisterCas, op: &Op) -> bool {
    match &op.call {
        Call::Get { read, .. } | Call::BatchGet { read, .. } => *read != ReadLevel::Stale,
        call => model.part(call).is_some(),
    }
}

/// A check under way.
struct Check<'a> {
    ops: &'a [Op],
    model: &'a RegisterCas,
    options: &'a Options<'a>,
    report: &'a mut Report,
}

impl Check<'_> {
    /// Decides one key by its zones, or gives it back: it needs a search.
    fn judge(&mut self, key: u64, register: Register) -> Option<Register> {
        self.report.keys += 1;
        self.report.ops += register.ops.iter().filter(|op| !op.is_event()).count() as u64;
        match zones::judge_relaxed(&register, self.options.certify) {
            Relaxed::Violated(violation, judged) => {
                self.report.zone_keys += 1;
                if self.report.refute(self.options) {
                    let guess = strong_of(&judged, &violation.witnesses());
                    let completed = completed(&register);
                    drop(judged);
                    drop(register);
                    self.explain(key, &completed, Judgement::Fails(Some(guess)));
                }
                return None;
            }
            Relaxed::Holds(order) => {
                if !self.options.certify || replay_register(&register, &order) == Ok(()) {
                    self.report.zone_keys += 1;
                    return None;
                }
                self.report.certificates_refused += 1;
            }
            Relaxed::Open => {}
        }
        Some(register)
    }

    /// Decides one key by search, if its share of the steps suffices.
    fn search(&mut self, key: u64, register: &Register, steps_max: u64) -> Tried {
        let (found, steps) = search_register(register, self.options.limits(steps_max));
        self.report.search_steps += steps;
        let tried = Tried::of(&found, steps);
        match found {
            Found::Linearizable(_) => {}
            Found::Undecided { .. } if tried.is_short => {}
            Found::Undecided { why } => self.report.leave_open(key, why),
            Found::NotLinearizable { .. } => {
                if self.report.refute(self.options) {
                    self.explain(key, &completed(register), Judgement::Fails(None));
                }
            }
        }
        tried
    }

    /// Cuts a refuted key down to a few operations and says what is wrong with them.
    fn explain(&mut self, key: u64, completed: &[u32], first: Judgement) {
        let Self { ops, model, options, .. } = *self;
        let shares = shares_of(ops, key, |op| is_judged(model, op));
        let case = Case { ops, key, shares: &shares, model };
        let mut oracle = RegisterOracle::new(case);
        let core = core_of(&mut oracle, ops, completed, first);
        let relevant: Vec<Share> = oracle.relevant(&core.strong);
        let register = case.weakened(&relevant, &core.strong);
        let speaker = Speaker { ops, options };
        let (rule, sentence) = match zones::judge_relaxed(&register, false) {
            Relaxed::Violated(violation, register) => {
                let sentence = speaker.violation(&register, &violation);
                (violation.rule(), sentence)
            }
            _ => ("no-order", speaker.no_order(&core.strong)),
        };
        let example = counterexample(ops, key, rule, sentence, core);
        self.report.counterexamples.push(example);
    }
}

/// Puts a counterexample together.
pub(super) fn counterexample(
    ops: &[Op],
    key: u64,
    rule: &'static str,
    sentence: String,
    core: Core,
) -> Counterexample {
    let mut by_call = core.strong.clone();
    by_call.sort_unstable_by_key(|&op| (ops[op as usize].call_at, op));
    Counterexample {
        key,
        rule,
        sentence,
        ops: by_call.iter().map(|&op| ops[op as usize].id).collect(),
        indexes: core.strong,
        irreducible: core.irreducible,
        prefix_len: core.prefix_len,
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Verdict;
    use super::super::testkit::script::script;
    use super::*;

    fn check(text: &str) -> Report {
        check_register(&script(text), 1_000)
    }

    /// Histories, each followed by the rule, the core and the sentence; `UPDATE=1` rewrites them.
    #[test]
    fn contradictions_are_told_in_one_sentence() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/linearizable/testdata/sentences.txt");
        let expect = std::fs::read_to_string(path).expect("the file is in the tree");
        let told: Vec<String> = expect.trim().split("\n\n").map(told).collect();
        let told = told.join("\n\n") + "\n";
        devkit::golden::check(std::path::Path::new(path), &told);
    }

    /// A case with what is said about it.
    fn told(case: &str) -> String {
        let is_history = |line: &&str| !line.starts_with("=>");
        let lines: Vec<&str> = case.lines().filter(is_history).collect();
        let history = lines.join("\n");
        let without_title: Vec<&str> = lines.iter().skip(1).copied().collect();
        let report = check(&without_title.join("\n"));
        assert_eq!(report.verdict, Verdict::NotLinearizable, "{case}");
        let [example] = report.counterexamples.as_slice() else {
            panic!("one key is wrong in {case}");
        };
        let Counterexample { rule, indexes, sentence, prefix_len, .. } = example;
        format!("{history}\n=> {rule} {indexes:?} after {prefix_len}\n=> {sentence}")
    }

    #[test]
    fn keys_are_judged_apart_and_batches_taken_apart() {
        let report = check(
            "key=0 1 put 1 -> ok 0..1
             key=5 1 put 2 -> ok 2..3
             2 batch 0,5 -> 1,2 4..5
             2 batch 5,0 -> none,1 6..7",
        );
        assert_eq!((report.keys, report.ops), (2, 6));
        assert_eq!(report.zone_keys, 2);
        assert_eq!(report.verdict, Verdict::NotLinearizable);
        let keys: Vec<u64> = report.counterexamples.iter().map(|c| c.key).collect();
        assert_eq!(keys, [5], "key 0 is consistent");
        assert_eq!(report.counterexamples[0].indexes, [2, 3], "it was there, and then it was not");
    }

    #[test]
    fn stale_reads_are_not_judged() {
        let report = check("1 put 1 -> ok 0..1\n2 stale -> none 2..3");
        assert_eq!((report.verdict, report.ops), (Verdict::Linearizable, 1));
    }

    #[test]
    fn unknown_is_never_taken_for_failed() {
        let late = "1 put 1 -> ? 0\n2 get -> none 5..6\n2 get -> 1 7..8";
        assert_eq!(check(late).verdict, Verdict::Linearizable);
        let gone = "1 put 1 -> fail 0..1\n2 get -> none 5..6\n2 get -> 1 7..8";
        assert_eq!(check(gone).verdict, Verdict::NotLinearizable);
    }

    #[test]
    fn the_budget_is_in_steps_and_says_so() {
        let text = "1 put 1 -> ok 0..9\n2 put 1 -> ok 0..9\n3 get -> 1 0..9";
        let report = check_register(&script(text), 0);
        let why = "the step budget is spent";
        assert_eq!(report.verdict, Verdict::Undecided { why });
        assert_eq!(report.undecided_keys, [0]);
        assert_eq!(check(text).verdict, Verdict::Linearizable);
        assert_eq!(check(text).searched_keys, 1);
    }
}
