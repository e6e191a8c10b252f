//! Open operations that do the same, kept aside: only the first of each kind can come next.

use super::object::{Object, Span};
use crate::history::rank::OPEN;
use std::collections::BTreeMap;

/// No queue.
const NONE: u32 = u32::MAX;

/// The open operations with a class, by class, each in the order of calls.
#[derive(Debug)]
pub(super) struct Queues {
    queues: Vec<Queue>,
    /// By operation: its queue, or [`NONE`].
    queue_of: Vec<u32>,
}

#[derive(Debug)]
struct Queue {
    ops: Vec<u32>,
    taken: usize,
}

impl Queues {
    /// Finds the classes that have several open operations.
    pub fn new(object: &impl Object, spans: &[Span]) -> Self {
        let mut classes: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for (op, span) in (0..).zip(spans) {
            if span.ret == OPEN
                && let Some(class) = object.open_class(op)
            {
                classes.entry(class).or_default().push(op);
            }
        }
        let mut queues = Self { queues: Vec::new(), queue_of: vec![NONE; spans.len()] };
        for ops in classes.into_values().filter(|ops| ops.len() > 1) {
            let number = queues.queues.len() as u32;
            for &op in &ops {
                queues.queue_of[op as usize] = number;
            }
            queues.queues.push(Queue { ops, taken: 0 });
        }
        queues
    }

    /// The operations of each queue.
    pub fn all(&self) -> impl Iterator<Item = &[u32]> {
        self.queues.iter().map(|queue| queue.ops.as_slice())
    }

    /// Whether `op` is kept here.
    pub fn has(&self, op: u32) -> bool {
        self.queue_of[op as usize] != NONE
    }

    /// The first of each queue that is not taken.
    pub fn heads(&self) -> impl Iterator<Item = u32> {
        let head = |queue: &Queue| queue.ops.get(queue.taken).copied();
        self.queues.iter().filter_map(head)
    }

    /// Takes `op`, the head of its queue.
    pub fn take(&mut self, op: u32) {
        let queue = &mut self.queues[self.queue_of[op as usize] as usize];
        assert!(queue.ops[queue.taken] == op, "queues are taken in order");
        queue.taken += 1;
    }

    /// Puts `op` back, the last that was taken of its queue.
    pub fn give_back(&mut self, op: u32) {
        let queue = &mut self.queues[self.queue_of[op as usize] as usize];
        queue.taken -= 1;
        assert!(queue.ops[queue.taken] == op, "queues are given back in order");
    }
}
