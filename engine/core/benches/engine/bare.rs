//! The limit: a binary heap of 16-byte keys, a slab, a virtual call and one draw per message, and
//! nothing else. No network, conditions, digest, frames of any length, clocks or checks.

use crate::work::{LATENCY_MS, Work};
use contract::Rng;
use contract::rng::Domain;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A world without an engine.
pub struct Bare {
    nodes: Vec<Box<dyn BareNode>>,
    wires: Wires,
}

/// What is under way.
struct Wires {
    heap: BinaryHeap<Reverse<u128>>,
    /// From, to, bytes. A timer comes from the node itself; its key is the first byte.
    slab: Vec<(u32, u32, [u8; 64])>,
    free: Vec<u32>,
    rng: Rng,
    now: u64,
    pushed: u128,
}

trait BareNode {
    fn handle(&mut self, from: u32, bytes: &[u8; 64], wires: &mut Wires);
}

struct BareWork {
    work: Work,
    me: u32,
    rng: Rng,
}

impl BareWork {
    fn ask(&mut self, wires: &mut Wires) {
        let other = self.rng.below(u64::from(self.work.nodes()) - 1) as u32;
        let to = if other >= self.me { other + 1 } else { other };
        wires.send(self.me, to, [0; 64]);
    }
}

impl BareNode for BareWork {
    #[inline]
    fn handle(&mut self, from: u32, bytes: &[u8; 64], wires: &mut Wires) {
        match self.work {
            Work::Ping { .. } if bytes[0] == 0 => wires.send(self.me, from, [1; 64]),
            Work::Ping { .. } => self.ask(wires),
            Work::Heartbeat { .. } if from != self.me => {}
            Work::Heartbeat { .. } if bytes[0] == 0 => wires.timer(self.me, 0, 50_000_000),
            Work::Heartbeat { nodes } => {
                wires.timer(self.me, 1, 150_000_000);
                wires.send(self.me, (self.me + 1) % nodes, [2; 64]);
                wires.send(self.me, (self.me + 2) % nodes, [2; 64]);
            }
        }
    }
}

impl Wires {
    fn send(&mut self, from: u32, to: u32, bytes: [u8; 64]) {
        let (min_ms, max_ms) = LATENCY_MS;
        let latency_ns = self.rng.range(min_ms * 1_000_000, max_ms * 1_000_000);
        self.push(self.now + latency_ns, (from, to, bytes));
    }

    fn timer(&mut self, me: u32, key: u8, after_ns: u64) {
        self.push(self.now + after_ns, (me, me, [key; 64]));
    }

    fn push(&mut self, due_ns: u64, entry: (u32, u32, [u8; 64])) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slab.push((0, 0, [0; 64]));
            (self.slab.len() - 1) as u32
        });
        self.slab[slot as usize] = entry;
        self.pushed += 1;
        let key = u128::from(due_ns) << 64 | (self.pushed & 0xff_ffff_ffff) << 24;
        self.heap.push(Reverse(key | u128::from(slot)));
    }
}

impl Bare {
    /// Boots the nodes of `work`.
    pub fn new(work: Work) -> Self {
        let mut wires = Wires {
            heap: BinaryHeap::new(),
            slab: Vec::new(),
            free: Vec::new(),
            rng: Rng::new(1, Domain::Link, "all"),
            now: 0,
            pushed: 0,
        };
        let mut nodes: Vec<Box<dyn BareNode>> = Vec::new();
        for me in 0..work.nodes() {
            let rng = Rng::new(1, Domain::Node, &format!("h/{me}"));
            let mut node = BareWork { work, me, rng };
            match work {
                Work::Ping { window, .. } => (0..window).for_each(|_| node.ask(&mut wires)),
                Work::Heartbeat { .. } => {
                    for (key, period_ms) in [(0, 50), (1, 150)] {
                        let phase_ns = node.rng.below(period_ms * 1_000_000);
                        wires.timer(me, key, phase_ns);
                    }
                }
            }
            nodes.push(Box::new(node));
        }
        Self { nodes, wires }
    }

    /// Runs until `until_ns`; returns the messages delivered.
    pub fn run_until(&mut self, until_ns: u64) -> u64 {
        let Self { nodes, wires } = self;
        let mut delivered = 0;
        while let Some(Reverse(key)) = wires.heap.pop() {
            let due_ns = (key >> 64) as u64;
            if due_ns >= until_ns {
                wires.heap.push(Reverse(key));
                break;
            }
            wires.now = due_ns;
            let slot = (key & 0xff_ffff) as u32;
            let (from, to, bytes) = wires.slab[slot as usize];
            wires.free.push(slot);
            delivered += u64::from(from != to);
            nodes[to as usize].handle(from, &bytes, wires);
        }
        delivered
    }
}
