//! The order that proves a verdict of "linearizable", to be replayed against the model.
//!
//! Every chain, delete and answer of "nothing there" is a block with a place in time; sorting the
//! blocks and writing them out gives the order. It may fail only if this tier is wrong.

use super::absent::{Matching, is_confined};
use super::chains::Chains;
use super::facts::{Facts, NONE};
use super::gaps::{Coord, Gaps, LAST, Window, Windows};
use crate::history::rank::OPS_MAX;
use crate::history::register::{ABSENT, Kind, Register};

/// All that the passes found out.
pub(super) struct Plan<'a> {
    pub register: &'a Register,
    pub facts: &'a Facts,
    pub chains: &'a Chains,
    pub gaps: &'a Gaps,
    pub windows: &'a Windows,
    pub matching: &'a Matching,
}

/// The order of blocks at one point.
#[derive(Clone, Copy)]
enum Turn {
    /// A demand that an earlier instant explains.
    DemandBefore,
    /// A write that a delete of the same instant hides, or that has its deadline.
    Write,
    /// A zone, a delete, a chain that ends in one.
    Mutator,
    /// A demand that a delete of the same instant explains.
    DemandAfter,
    /// A write at the right end of a gap.
    RightEnd,
}

struct Block {
    at: Coord,
    turn: Turn,
    is_chain: bool,
    /// A chain, or an operation.
    who: u32,
}

/// Bits for who it is: there are at most that many operations, and fewer chains.
const WHO_BITS: u32 = OPS_MAX.trailing_zeros() + 1;

impl Block {
    /// A word that sorts as the blocks do. Only a backward chain or an open delete has no deadline,
    /// and neither is placed after everything, so the place fits 31 bits.
    const fn pack(self) -> u64 {
        assert!(self.at < 1 << 31 && self.who < 1 << WHO_BITS, "histories are shorter than that");
        ((self.at as u64) << 3 | self.turn as u64) << (WHO_BITS + 1)
            | (self.is_chain as u64) << WHO_BITS
            | self.who as u64
    }
}

/// Whether a packed block is a chain, and who it is.
const fn unpack(word: u64) -> (bool, u32) {
    let is_chain = word >> WHO_BITS & 1 == 1;
    (is_chain, (word & ((1 << WHO_BITS) - 1)) as u32)
}

impl Plan<'_> {
    /// Indexes into the register's operations.
    pub fn order(&self) -> Vec<u32> {
        let mut blocks = Vec::new();
        self.place_zones(&mut blocks);
        self.place_deletes(&mut blocks);
        self.place_writes(&mut blocks);
        self.place_demands(&mut blocks);
        blocks.sort_unstable();
        let readers = Readers::new(self.register);
        let mut order = Vec::with_capacity(self.register.ops.len());
        for block in blocks {
            match unpack(block) {
                (true, chain) => self.write_chain(chain, &readers, &mut order),
                (false, op) => order.push(op),
            }
        }
        order
    }

    fn place_zones(&self, blocks: &mut Vec<u64>) {
        for (who, chain) in self.chains.all.iter().enumerate() {
            if chain.is_forward() {
                let block = Block {
                    at: 2 * chain.ret_min,
                    turn: Turn::Mutator,
                    is_chain: true,
                    who: who as u32,
                };
                blocks.push(block.pack());
            }
        }
    }

    /// Used deletes at their instant; others at their deadline, where they do no harm; an open
    /// one that is not used never took effect.
    fn place_deletes(&self, blocks: &mut Vec<u64>) {
        let erases = self.windows.erases.len();
        let resources = self.windows.erases.iter().chain(&self.windows.clearing);
        let mut at: Vec<Coord> = resources.clone().map(|window| window.until).collect();
        for used in &self.matching.uses {
            at[used.resource as usize] = used.at;
        }
        for (resource, window) in resources.enumerate() {
            if at[resource] != LAST {
                let block = Block {
                    at: at[resource],
                    turn: Turn::Mutator,
                    is_chain: resource >= erases,
                    who: window.who,
                };
                blocks.push(block.pack());
            }
        }
    }

    /// A write hides just before a used delete, or at the right end of its gap; else it comes as
    /// late as it may.
    fn place_writes(&self, blocks: &mut Vec<u64>) {
        for window in &self.windows.writing {
            let (at, turn) = self.place_of_write(window);
            let block = Block { at, turn, is_chain: true, who: window.who };
            blocks.push(block.pack());
        }
    }

    fn place_of_write(&self, window: &Window) -> (Coord, Turn) {
        let uses = &self.matching.uses;
        let next = uses.partition_point(|used| used.at < window.from);
        if let Some(used) = uses.get(next)
            && used.at <= window.until
        {
            return (used.at, Turn::Write);
        }
        if is_confined(self.gaps, window) {
            return (window.until, Turn::Write);
        }
        let end = self.gaps.end(self.gaps.gap_of(window.from));
        (end.min(window.until), Turn::RightEnd)
    }

    fn place_demands(&self, blocks: &mut Vec<u64>) {
        for served in &self.matching.served {
            let window = self.windows.demands[served.demand as usize];
            let at = window.from.max(served.since);
            let after = served.by_delete && at == served.since;
            let turn = if after { Turn::DemandAfter } else { Turn::DemandBefore };
            let block = Block { at, turn, is_chain: false, who: window.who };
            blocks.push(block.pack());
        }
    }

    fn write_chain(&self, chain: u32, readers: &Readers, order: &mut Vec<u32>) {
        let mut state = self.chains.all[chain as usize].root;
        loop {
            let value = &self.facts.values[state as usize];
            order.push(value.producer);
            order.extend(readers.of(state));
            if value.consumer == NONE {
                return;
            }
            let consumer = &self.register.ops[value.consumer as usize];
            if consumer.kind == Kind::Remove {
                order.push(value.consumer);
                return;
            }
            state = consumer.to;
        }
    }
}

/// The reads of each value, in the order of their calls.
struct Readers {
    starts: Vec<u32>,
    ops: Vec<u32>,
}

impl Readers {
    fn new(register: &Register) -> Self {
        let reads = |kind, from| kind == Kind::Read && from != ABSENT;
        let mut starts = vec![0; register.states as usize + 1];
        for op in &register.ops {
            if reads(op.kind, op.from) {
                starts[op.from as usize + 1] += 1;
            }
        }
        for state in 1..starts.len() {
            starts[state] += starts[state - 1];
        }
        let mut cursors = starts.clone();
        let mut ops = vec![0; starts[register.states as usize] as usize];
        for (index, op) in register.ops.iter().enumerate() {
            if reads(op.kind, op.from) {
                let cursor = &mut cursors[op.from as usize];
                ops[*cursor as usize] = index as u32;
                *cursor += 1;
            }
        }
        Self { starts, ops }
    }

    fn of(&self, state: u32) -> &[u32] {
        let range = self.starts[state as usize]..self.starts[state as usize + 1];
        &self.ops[range.start as usize..range.end as usize]
    }
}
