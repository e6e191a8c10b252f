//! Pass 2: values joined by compare-and-sets into chains.
//!
//! In any linearization a chain is one block among the operations that change the register: a
//! value is written once, and its consumer must find it. The order inside is fixed up to the
//! order of reads: write, its reads, the compare-and-set that consumed it, its reads, …

use super::super::mutant::{Mutant, broken};
use super::super::violation::Violation;
use super::facts::{Facts, NONE};
use crate::history::rank::OPEN;
use crate::history::register::{Kind, Register};

/// One chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The value of its write.
    pub root: u32,
    /// The earliest return in it: by then the chain has begun.
    pub ret_min: u32,
    /// The latest call in it: before that the chain has not ended.
    pub call_max: u32,
    /// Whether it ends in a delete; else it leaves its last value behind.
    pub exits_absent: bool,
}

impl Chain {
    /// Whether it holds the register over a whole stretch of time, `[ret_min, call_max]`. Else
    /// one instant in `[call_max, ret_min]` is enough for all of it.
    #[must_use]
    pub const fn is_forward(&self) -> bool {
        self.ret_min < self.call_max
    }
}

/// The chains of a register.
#[derive(Debug)]
pub struct Chains {
    /// In the order in which their first values were first seen.
    pub all: Vec<Chain>,
}

impl Chains {
    /// Follows each write to the end of its chain.
    pub fn build(register: &Register, facts: &Facts) -> Result<Self, Violation> {
        let mut all = Vec::new();
        let mut walked = 0;
        for root in 1..register.states {
            if facts.values[root as usize].starts_chain() {
                let mut walk = Walk::new(root);
                walk.run(register, facts)?;
                walked += walk.values;
                all.push(walk.chain);
            }
        }
        assert!(walked <= facts.live, "a value is in one chain at most");
        if walked < facts.live && !broken(Mutant::CyclesPass) {
            return Err(cycle(register, facts));
        }
        Ok(Self { all })
    }
}

struct Walk {
    chain: Chain,
    /// The latest call among the groups before the present one.
    before: u32,
    values: u32,
}

impl Walk {
    const fn new(root: u32) -> Self {
        Self {
            chain: Chain { root, ret_min: OPEN, call_max: 0, exits_absent: false },
            before: 0,
            values: 0,
        }
    }

    fn run(&mut self, register: &Register, facts: &Facts) -> Result<(), Violation> {
        let mut state = self.chain.root;
        loop {
            self.values += 1;
            assert!(self.values < register.states, "a chain has no value twice");
            let value = &facts.values[state as usize];
            self.group_of(register, value.producer)?;
            if value.read_call_max > 0 {
                self.group(register, value.read_call_max, value.read_ret_min)?;
            }
            if value.consumer == NONE {
                return Ok(());
            }
            let consumer = &register.ops[value.consumer as usize];
            if consumer.kind == Kind::Remove {
                self.chain.exits_absent = true;
                return self.group_of(register, value.consumer);
            }
            state = consumer.to;
        }
    }

    fn group_of(&mut self, register: &Register, op: u32) -> Result<(), Violation> {
        let op = &register.ops[op as usize];
        self.group(register, op.call, op.ret)
    }

    /// Adds a group of operations: none may have returned before one of an earlier group began.
    fn group(&mut self, register: &Register, call_max: u32, ret_min: u32) -> Result<(), Violation> {
        if ret_min < self.before && !broken(Mutant::ChainsInAnyOrder) {
            return Err(Violation::ChainOrder {
                earlier: with_call(register, self.before),
                later: with_ret(register, ret_min),
            });
        }
        self.before = self.before.max(call_max);
        self.chain.ret_min = self.chain.ret_min.min(ret_min);
        self.chain.call_max = self.chain.call_max.max(call_max);
        Ok(())
    }
}

/// The operation whose call has this rank.
pub(super) fn with_call(register: &Register, rank: u32) -> u32 {
    let found = register.ops.iter().position(|op| op.call == rank);
    found.expect("every rank of a call is an operation's") as u32
}

/// The operation whose return has this rank.
pub(super) fn with_ret(register: &Register, rank: u32) -> u32 {
    let found = register.ops.iter().position(|op| op.ret == rank);
    found.expect("every rank of a return is an operation's") as u32
}

/// Live values that no write leads to: compare-and-sets that need each other.
fn cycle(register: &Register, facts: &Facts) -> Violation {
    let mut reached = vec![false; register.states as usize];
    let live = |state: u32| facts.values[state as usize].is_live();
    let next = |state: u32| match facts.values[state as usize].consumer {
        NONE => None,
        op if register.ops[op as usize].kind == Kind::Remove => None,
        op => Some(register.ops[op as usize].to),
    };
    for root in 1..register.states {
        let starts = facts.values[root as usize].starts_chain();
        let mut state = starts.then_some(root);
        while let Some(at) = state {
            reached[at as usize] = true;
            state = next(at);
        }
    }
    let start = (1..register.states).find(|&s| live(s) && !reached[s as usize]);
    let mut state = start.expect("some live value was not reached");
    let mut ops = Vec::new();
    while !std::mem::replace(&mut reached[state as usize], true) {
        ops.push(facts.values[state as usize].producer);
        state = next(state).expect("values on a cycle are consumed");
    }
    Violation::CasCycle { ops }
}
