//! Any [`Model`] as the search sees it: its states are numbered as they are met.

use super::memo::zobrist;
use super::object::Object;
use super::used::SINGLES_MAX;
use crate::history::rank::OPEN;
use crate::models::{Model, Observed};
use contract::{Call, NodeId, Outcome, SimTime};
use std::collections::BTreeMap;
use std::rc::Rc;

const STATE: u64 = 0x7374_6174_6500_0001;

/// What a state takes besides itself: its counters and its place in the heap, its part of a node of
/// the tree, and its place in the table, which doubles.
const STATE_BYTES: usize = 96;

/// One operation of one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What was asked.
    pub call: Call,
    /// What came back.
    pub outcome: Outcome,
    /// The client that asked, and as which process.
    pub by: (NodeId, u32),
    /// When it was called.
    pub call_at: SimTime,
    /// When it returned; [`SimTime::MAX`] where the outcome is unknown.
    pub ret_at: SimTime,
    /// The rank of its return.
    pub ret: u32,
    /// Its index in the history.
    pub op: u32,
}

impl Event {
    /// As the model sees it.
    #[must_use]
    pub const fn observed(&self) -> Observed<'_> {
        let (client, process) = self.by;
        let Self { call, outcome, call_at, ret_at, .. } = self;
        Observed { client, process, call, outcome, call_at: *call_at, ret_at: *ret_at }
    }
}

/// One part of a model's object.
#[derive(Debug)]
pub struct ModelObject<'a, M: Model> {
    model: &'a M,
    events: &'a [Event],
    observes: Vec<bool>,
    /// By event: the first open one that it may stand for.
    twins: Vec<Option<u64>>,
    numbers: BTreeMap<Rc<M::State>, u32>,
    states: Vec<Rc<M::State>>,
    state: u32,
    /// What the states take.
    bytes: usize,
}

impl<'a, M: Model> ModelObject<'a, M> {
    /// The object before its first operation.
    #[must_use]
    pub fn new(model: &'a M, part: u64, events: &'a [Event]) -> Self {
        let init = Rc::new(model.init(part));
        let observes = |event: &Event| model.observes(&event.observed());
        Self {
            model,
            events,
            observes: events.iter().map(observes).collect(),
            twins: twins(model, events),
            numbers: BTreeMap::from([(Rc::clone(&init), 0)]),
            states: vec![init],
            state: 0,
            bytes: 0,
        }
    }
}

/// Finds open events that may stand for each other, among the first [`SINGLES_MAX`] of them.
fn twins<M: Model>(model: &M, events: &[Event]) -> Vec<Option<u64>> {
    let mut twins = vec![None; events.len()];
    let open = |(index, _): &(usize, &Event)| events[*index].ret == OPEN;
    let open: Vec<(usize, &Event)> = events.iter().enumerate().filter(open).collect();
    for &(index, event) in open.iter().take(SINGLES_MAX) {
        let alike = |(at, other): &&(usize, &Event)| {
            *at == index || model.interchangeable(&other.observed(), &event.observed())
        };
        let first = open.iter().find(alike);
        twins[index] = first.map(|&(first, _)| first as u64);
    }
    twins
}

impl<M: Model> Object for ModelObject<'_, M> {
    fn state(&self) -> u32 {
        self.state
    }

    fn next(&mut self, op: u32) -> Option<u32> {
        let event = &self.events[op as usize];
        let state = &self.states[self.state as usize];
        let next = self.model.step(state, &event.observed())?;
        if next == **state {
            return Some(self.state);
        }
        let fresh = self.states.len() as u32;
        if let Some(number) = self.numbers.get(&next) {
            return Some(*number);
        }
        self.bytes += self.model.weight(&next) + STATE_BYTES;
        let next = Rc::new(next);
        self.numbers.insert(Rc::clone(&next), fresh);
        self.states.push(next);
        Some(fresh)
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn observes(&self, op: u32) -> bool {
        self.observes[op as usize]
    }

    fn enter(&mut self, _op: u32, next: u32) {
        self.state = next;
    }

    fn leave(&mut self, _op: u32, previous: u32) {
        self.state = previous;
    }

    fn fingerprint(&self) -> u128 {
        zobrist(STATE, u64::from(self.state))
    }

    fn deadline(&self, op: u32) -> u32 {
        self.events[op as usize].ret
    }

    fn twins(&self, op: u32) -> Option<u64> {
        self.twins[op as usize]
    }

    fn open_class(&self, op: u32) -> Option<u64> {
        self.twins(op)
    }
}
