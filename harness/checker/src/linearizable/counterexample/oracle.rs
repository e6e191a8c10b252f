//! Judges a register's history when only some operations keep their answers.
//!
//! Few answers are left after the first cuts, and only writes of values that these name can matter
//! then, so the history is first reduced to those.

use super::super::zones::{self, Relaxed};
use super::{Budget, Judgement, Oracle, returned};
use crate::history::intern::Interner;
use crate::history::register::{INITIAL, Kind, Register, RegisterOp};
use crate::history::split::Share;
use crate::linearizable::search::search_register;
use crate::models::RegisterCas;
use crate::models::register_cas::Told;
use contract::{Call, Op, Outcome, Ret, Value};
use std::collections::BTreeSet;

/// One key of a register history.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    /// The history.
    pub ops: &'a [Op],
    /// The key.
    pub key: u64,
    /// Its operations.
    pub shares: &'a [Share],
    /// The specification.
    pub model: &'a RegisterCas,
}

impl Case<'_> {
    /// The register when only `strong`, ascending, keep their answers.
    #[must_use]
    pub fn weakened(&self, shares: &[Share], strong: &[u32]) -> Register {
        let is_weak = |op: u32| strong.binary_search(&op).is_err();
        Register::compile(self.ops, self.key, shares, self.model, is_weak)
    }
}

/// The operations of `register` that have an answer, in the order of their returns.
#[must_use]
pub fn completed(register: &Register) -> Vec<u32> {
    let mut by_rank = vec![NONE; register.ranks as usize];
    let is_done = |op: &&RegisterOp| !op.is_open() && !op.is_event();
    for op in register.ops.iter().filter(is_done) {
        by_rank[op.ret as usize] = op.op;
    }
    let mut completed: Vec<u32> = by_rank.into_iter().filter(|&op| op != NONE).collect();
    // A batch that asks for one key twice is there twice.
    completed.dedup();
    completed
}

/// The operations of `register` among `indexes` that have an answer, as indexes into the history,
/// and the writes of what they saw, where those expire.
#[must_use]
pub fn strong_of(register: &Register, indexes: &[u32]) -> Vec<u32> {
    let ops = indexes.iter().map(|&index| register.ops[index as usize]);
    let known = |op: &RegisterOp| !op.is_open() && op.op != INITIAL;
    let seen: BTreeSet<u32> = ops.clone().map(|op| op.from).collect();
    let expires = |op: &&RegisterOp| {
        matches!(op.kind, Kind::Expire | Kind::MayErase) && seen.contains(&op.from)
    };
    let writes = register.ops.iter().filter(expires).copied();
    let strong: BTreeSet<u32> = ops.chain(writes).filter(known).map(|op| op.op).collect();
    strong.into_iter().collect()
}

/// The oracle of one key.
pub struct RegisterOracle<'a> {
    case: Case<'a>,
    writers: Writers,
    budget: Budget,
}

impl<'a> RegisterOracle<'a> {
    /// An oracle over all operations of the key.
    #[must_use]
    pub fn new(case: Case<'a>) -> Self {
        let writers = Writers::new(case);
        let budget = Budget::new();
        Self { case, writers, budget }
    }

    /// The operations that can matter when only `strong` keep their answers.
    #[must_use]
    pub fn relevant(&self, strong: &[u32]) -> Vec<Share> {
        // With answers that say little, any write can matter; and a long list leaves little out.
        if self.case.model.told == Told::Barely || strong.len() * 8 > self.case.shares.len() {
            return self.case.shares.to_vec();
        }
        self.writers.reach(self.case, strong)
    }
}

impl Oracle for RegisterOracle<'_> {
    fn judge(&mut self, strong: &[u32]) -> Judgement {
        let register = self.case.weakened(&self.relevant(strong), strong);
        self.judge_register(&register)
    }

    fn judge_prefix(&mut self, completed: &[u32], len: usize) -> Judgement {
        let Case { ops, key, shares, model } = self.case;
        let end = completed.get(len).map(|&op| returned(ops, op));
        let is_weak = |op: u32| end.is_some_and(|end| returned(ops, op) >= end);
        let register = Register::compile(ops, key, shares, model, is_weak);
        self.judge_register(&register)
    }
}

impl RegisterOracle<'_> {
    fn judge_register(&mut self, register: &Register) -> Judgement {
        match zones::judge_relaxed(register, false) {
            Relaxed::Holds(_) => Judgement::Holds,
            Relaxed::Violated(violation, register) => {
                let guess = strong_of(&register, &violation.witnesses());
                Judgement::Fails(Some(guess))
            }
            Relaxed::Open => self.budget.judge(|limits| search_register(register, limits)),
        }
    }
}

/// No share.
const NONE: u32 = u32::MAX;

/// Which operations may write each value, or remove any.
struct Writers {
    values: Interner<Value>,
    /// By value: the last share that may write it.
    last: Vec<u32>,
    /// By share: the one before it that may write the same value.
    before: Vec<u32>,
    /// Shares that may remove what they find, in the order of calls.
    deletes: Vec<u32>,
}

impl Writers {
    fn new(case: Case<'_>) -> Self {
        let mut writers = Self {
            values: Interner::new(),
            last: Vec::new(),
            before: vec![NONE; case.shares.len()],
            deletes: Vec::new(),
        };
        for (at, share) in case.shares.iter().enumerate() {
            let op = &case.ops[share.op as usize];
            if op.outcome == Outcome::Fail {
                continue;
            }
            if let Call::Put { ttl: Some(_), .. } | Call::Delete { .. } = &op.call {
                writers.deletes.push(at as u32);
            }
            match &op.call {
                Call::Put { value, .. } | Call::Cas { value, .. } => writers.add(*value, at as u32),
                _ => {}
            }
        }
        writers
    }

    fn add(&mut self, value: Value, at: u32) {
        let number = self.values.intern(value) as usize;
        if number == self.last.len() {
            self.last.push(NONE);
        }
        self.before[at as usize] = std::mem::replace(&mut self.last[number], at);
    }

    /// The shares of `strong` and all that may write what they saw, or what was needed to write
    /// that, in the order of calls.
    fn reach(&self, case: Case<'_>, strong: &[u32]) -> Vec<Share> {
        let mut reach = Reach {
            writers: self,
            case,
            found: Vec::new(),
            asked: Vec::new(),
            known: BTreeSet::new(),
        };
        let is_strong = |share: &Share| strong.binary_search(&share.op).is_ok();
        for at in strong_shares(case, strong) {
            assert!(is_strong(&case.shares[at]), "found by its operation");
            reach.found.push(at as u32);
            reach.look(&case.ops[case.shares[at].op as usize], true);
        }
        reach.finish()
    }
}

/// The positions of the shares of `strong`.
fn strong_shares<'a>(case: Case<'a>, strong: &'a [u32]) -> impl Iterator<Item = usize> + 'a {
    let called = move |op: u32| (case.ops[op as usize].call_at, op);
    strong.iter().flat_map(move |&op| {
        let from = case.shares.partition_point(|share| called(share.op) < called(op));
        let until = case.shares.partition_point(|share| called(share.op) <= called(op));
        from..until
    })
}

struct Reach<'a> {
    writers: &'a Writers,
    case: Case<'a>,
    /// Positions of shares.
    found: Vec<u32>,
    /// Values to look for, in the order in which they came up; `None` is absence.
    asked: Vec<Option<Value>>,
    known: BTreeSet<Option<Value>>,
}

impl Reach<'_> {
    /// Finds what may have written whatever `op` needed to find.
    fn look(&mut self, op: &Op, strong: bool) {
        if let Call::Cas { expect, .. } = &op.call {
            self.ask(*expect);
        }
        let Outcome::Ok(ret) = &op.outcome else {
            return;
        };
        match ret {
            _ if !strong => {}
            Ret::Found { value, .. } => self.ask(Some(*value)),
            Ret::Missing => self.ask(None),
            Ret::Deleted { previous } => self.ask(*previous),
            Ret::Conflict { seen } => self.ask(*seen),
            Ret::Batch { values } => values.iter().for_each(|value| self.ask(*value)),
            _ => {}
        }
    }

    fn ask(&mut self, value: Option<Value>) {
        if self.known.insert(value) {
            self.asked.push(value);
        }
    }

    fn finish(mut self) -> Vec<Share> {
        let mut next = 0;
        while let Some(&value) = self.asked.get(next) {
            next += 1;
            match value {
                None => self.found.extend(&self.writers.deletes),
                Some(value) => self.follow(value),
            }
        }
        self.found.sort_unstable();
        self.found.dedup();
        let shares = self.found.iter().map(|&at| self.case.shares[at as usize]);
        shares.collect()
    }

    fn follow(&mut self, value: Value) {
        let Some(number) = self.writers.values.get(value) else {
            return;
        };
        let mut at = self.writers.last[number as usize];
        while at != NONE {
            self.found.push(at);
            let op = &self.case.ops[self.case.shares[at as usize].op as usize];
            self.look(op, false);
            at = self.writers.before[at as usize];
        }
    }
}
