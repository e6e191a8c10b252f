//! Random small histories: executions of a model seen through random intervals, then bent.
//!
//! An operation takes effect at a random instant of its interval, so an unbent history is legal.
//! About half are bent afterwards: an answer replaced, an interval moved, an outcome forgotten.

use crate::models::{Model, Observed};
use contract::{Call, Domain, NodeId, Op, OpId, Outcome, Ret, Rng, SimTime};

/// How histories are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// At most this many operations.
    pub ops_max: u64,
    /// Out of 16: how many operations end unknown.
    pub unknown: u64,
    /// Out of 16: how many end failed.
    pub failed: u64,
    /// Out of 16: how many histories are bent.
    pub bent: u64,
}

impl Shape {
    /// Short and mixed.
    pub const SMALL: Self = Self { ops_max: 7, unknown: 2, failed: 1, bent: 13 };
    /// Longer, and hardly ever unknown.
    pub const LONG: Self = Self { ops_max: 10, unknown: 1, failed: 0, bent: 12 };
    /// Mostly unknown.
    pub const VAGUE: Self = Self { ops_max: 8, unknown: 5, failed: 1, bent: 16 };
}

/// What a model's fuzzer must know beyond the model: calls and answers at random.
pub trait Subject: Model {
    /// A call of operation `index` of a history.
    fn draw_call(&self, rng: &mut Rng, index: u64) -> Call;
    /// What `state` answers to `call`.
    fn answer(&self, rng: &mut Rng, state: &Self::State, call: &Call) -> Ret;
    /// Some answer that a wrong system might give to `call`.
    fn draw_answer(&self, rng: &mut Rng, call: &Call, ops: u64) -> Ret;
}

/// A source of random histories.
pub struct Generator {
    rng: Rng,
    shape: Shape,
    ops: Vec<Op>,
    instants: Vec<(u64, usize)>,
}

impl Generator {
    pub fn new(seed: u64, shape: Shape) -> Self {
        Self {
            rng: Rng::new(seed, Domain::Client, "histories"),
            shape,
            ops: Vec::new(),
            instants: Vec::new(),
        }
    }

    /// The next history, in the order of calls.
    pub fn next<S: Subject>(&mut self, subject: &S, part: u64) -> &[Op] {
        let count = 1 + self.rng.below(self.shape.ops_max);
        self.ops.clear();
        for index in 0..count {
            let call = subject.draw_call(&mut self.rng, index);
            let op = self.draw_op(index, count, call);
            self.ops.push(op);
        }
        self.execute(subject, part);
        if self.rng.below(16) < self.shape.bent {
            for _ in 0..=self.rng.below(2) {
                self.bend(subject, count);
            }
        }
        self.ops.sort_by_key(|op| op.call_at);
        &self.ops
    }

    fn draw_op(&mut self, index: u64, count: u64, call: Call) -> Op {
        // Few instants, so that equal times and every way to overlap are common.
        let horizon = 2 * count + 2;
        let call_at = self.rng.below(horizon);
        let ret_at = call_at + self.rng.below(horizon / 2);
        let kind = self.rng.below(16);
        let outcome = if kind < self.shape.unknown {
            Outcome::Unknown
        } else if kind < self.shape.unknown + self.shape.failed {
            Outcome::Fail
        } else {
            Outcome::Ok(Ret::Missing)
        };
        let unknown = outcome == Outcome::Unknown;
        Op {
            id: OpId(index),
            client: NodeId(index as u32 % 4),
            process: index as u32,
            call,
            outcome,
            arrived_at: SimTime(call_at),
            call_at: SimTime(call_at),
            ret_at: if unknown { SimTime::MAX } else { SimTime(ret_at) },
        }
    }

    /// Gives each operation the answer of a legal execution.
    fn execute<S: Subject>(&mut self, subject: &S, part: u64) {
        self.instants.clear();
        for (index, op) in self.ops.iter().enumerate() {
            let end = op.ret_at.0.min(op.call_at.0 + 20);
            // A quarter between the whole instants, so that no two need to coincide.
            let at = 4 * op.call_at.0 + self.rng.below(4 * (end - op.call_at.0) + 1);
            let happens = match op.outcome {
                Outcome::Ok(_) => true,
                Outcome::Unknown => self.rng.below(2) == 0,
                Outcome::Fail => false,
            };
            if happens {
                self.instants.push((at, index));
            }
        }
        self.instants.sort_unstable();
        let mut state = subject.init(part);
        for &(_, index) in &self.instants {
            let op = &mut self.ops[index];
            if op.outcome != Outcome::Unknown {
                op.outcome = Outcome::Ok(subject.answer(&mut self.rng, &state, &op.call));
            }
            let next = subject.step(&state, &Observed::of(op));
            state = next.expect("a model accepts its own answers");
        }
    }

    fn bend<S: Subject>(&mut self, subject: &S, count: u64) {
        let index = self.rng.below(count) as usize;
        let kind = self.rng.below(6);
        let earlier = self.rng.below(4);
        let op = &mut self.ops[index];
        match (kind, &op.outcome) {
            (0..=3, Outcome::Ok(_)) => {
                let ret = subject.draw_answer(&mut self.rng, &op.call, count);
                op.outcome = Outcome::Ok(ret);
            }
            (4, Outcome::Ok(_)) => {
                let length = op.ret_at.0 - op.call_at.0;
                op.call_at.0 = op.call_at.0.saturating_sub(earlier);
                op.ret_at.0 = op.call_at.0 + length;
            }
            (4, _) => op.call_at.0 = op.call_at.0.saturating_sub(earlier),
            (5, Outcome::Ok(_)) => op.ret_at.0 = op.call_at.0 + earlier,
            _ => {}
        }
    }
}
