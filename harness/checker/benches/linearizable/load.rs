//! Histories as a correct system would produce them: closed-loop clients with exponential
//! latencies, each operation taking effect at a random instant of its interval.

use contract::{Call, Domain, NodeId, Op, OpId, Outcome, ReadLevel, Ret, Rng, SimTime, Value};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// A load: 45 gets, 30 puts, 10 deletes, 15 compare-and-sets.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub ops: usize,
    pub keys: u64,
    pub clients: u32,
    /// Out of 1 000: operations that end unknown; half of them take effect, some much later.
    pub unknown_permille: u64,
    /// Keys by Zipf's law with exponent 1.1 rather than uniform.
    pub zipf: bool,
    /// One read at 92 % sees a value that was overwritten long before.
    pub bad: bool,
}

impl Load {
    /// One key, the full mix, nothing wrong.
    pub const fn one_key(ops: usize, clients: u32) -> Self {
        Self { ops, keys: 1, clients, unknown_permille: 0, zipf: false, bad: false }
    }

    /// The history.
    pub fn run(self) -> Vec<Op> {
        let mut world = World::new(self);
        for client in 0..self.clients {
            world.invoke(u64::from(client), client);
        }
        while let Some(Reverse((at, index, is_return))) = world.events.pop() {
            if is_return {
                let client = world.ops[index].client.0;
                if world.ops.len() < self.ops {
                    world.invoke(at + 1, client);
                }
            } else {
                world.take_effect(index);
            }
        }
        if self.bad {
            spoil(&mut world.ops);
        }
        world.ops
    }
}

struct World {
    load: Load,
    rng: Rng,
    ops: Vec<Op>,
    state: BTreeMap<u64, Value>,
    /// Cumulative weights of the keys.
    weights: Vec<f64>,
    /// Time, operation, and whether it returns rather than takes effect.
    events: BinaryHeap<Reverse<(u64, usize, bool)>>,
}

impl World {
    fn new(load: Load) -> Self {
        let exponent = if load.zipf { 1.1 } else { 0.0 };
        let mut total = 0.0;
        let weights = (1..=load.keys).map(|rank| {
            total += 1.0 / libm::pow(rank as f64, exponent);
            total
        });
        Self {
            load,
            rng: Rng::new(7, Domain::Client, "bench"),
            ops: Vec::with_capacity(load.ops),
            state: BTreeMap::new(),
            weights: weights.collect(),
            events: BinaryHeap::new(),
        }
    }

    fn latency(&mut self) -> u64 {
        let draw = 1.0 - self.rng.unit();
        (-libm::log(draw) * 1_000_000.0) as u64 + 1_000
    }

    fn key(&mut self) -> u64 {
        let total = *self.weights.last().expect("there are keys");
        let draw = self.rng.unit() * total;
        self.weights.partition_point(|weight| *weight <= draw) as u64
    }

    fn invoke(&mut self, at: u64, client: u32) {
        let index = self.ops.len();
        let key = self.key();
        let latency = self.latency();
        let unknown = self.rng.below(1_000) < self.load.unknown_permille;
        let call = self.call(key, index as u64);
        let ret_at = at + latency;
        self.events.push(Reverse((ret_at, index, true)));
        let reach = if unknown { 20 * latency } else { latency };
        let effect_at = at + self.rng.below(reach);
        if !unknown || self.rng.below(2) == 0 {
            self.events.push(Reverse((effect_at, index, false)));
        }
        self.ops.push(Op {
            id: OpId(index as u64),
            client: NodeId(client),
            process: client,
            call,
            outcome: Outcome::Unknown,
            arrived_at: SimTime(at),
            call_at: SimTime(at),
            ret_at: if unknown { SimTime::MAX } else { SimTime(ret_at) },
        });
    }

    fn call(&mut self, key: u64, id: u64) -> Call {
        let value = Value { id: id + 1, size_bytes: 64 };
        let read = ReadLevel::Linearizable;
        let draw = self.rng.below(100);
        match draw {
            ..45 => Call::Get { key, read },
            45..75 => Call::Put { key, value, ttl: None },
            75..85 => Call::Delete { key },
            _ => match self.state.get(&key) {
                Some(&expect) => Call::Cas { key, expect: Some(expect), value },
                None => Call::Put { key, value, ttl: None },
            },
        }
    }

    fn take_effect(&mut self, index: usize) {
        let op = &mut self.ops[index];
        let key = op.call.key().expect("every call has a key");
        let before = self.state.get(&key).copied();
        let ret = match &op.call {
            Call::Get { .. } => match before {
                Some(value) => Ret::Found { value, version: 0, stale: false },
                None => Ret::Missing,
            },
            Call::Put { value, .. } => {
                self.state.insert(key, *value);
                Ret::Done { version: 0 }
            }
            Call::Delete { .. } => {
                self.state.remove(&key);
                Ret::Deleted { previous: before }
            }
            Call::Cas { expect, value, .. } if before == *expect => {
                self.state.insert(key, *value);
                Ret::Done { version: 0 }
            }
            _ => Ret::Conflict { seen: before },
        };
        if op.ret_at != SimTime::MAX {
            op.outcome = Outcome::Ok(ret);
        }
    }
}

/// Lets one late read see what an early write wrote.
fn spoil(ops: &mut [Op]) {
    let late = ops.len() * 92 / 100;
    let reads = |op: &Op| matches!((&op.call, &op.outcome), (Call::Get { .. }, Outcome::Ok(_)));
    let read = (late..ops.len()).find(|&index| reads(&ops[index])).expect("a late read");
    let key = ops[read].call.key();
    let written = |op: &Op| match (&op.call, &op.outcome) {
        (Call::Put { value, .. }, Outcome::Ok(_)) if op.call.key() == key => Some(*value),
        _ => None,
    };
    let value = ops[..late / 2].iter().rev().find_map(written).expect("an early write");
    ops[read].outcome = Outcome::Ok(Ret::Found { value, version: 0, stale: false });
}
