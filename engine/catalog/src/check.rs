//! What holds in a run: properties, invariants and verdicts.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use contract::{Call, Mark, NodeId, Nodes, OpId, Outcome, SimTime};

/// A named property and where it is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Property {
    /// As in scenario files: `raft.one_leader_per_term`.
    pub name: &'static str,
    /// What it says, in one sentence.
    pub about: &'static str,
    /// A key of `docs/PAPERS.md` and a section: `raft-thesis §3.6.3`.
    pub source: &'static str,
}

/// A property of the nodes' states, looked at after every event; one file per property.
///
/// An invariant is incremental: it looks only at what the touched node could have changed. It
/// reports each breach once.
pub trait Invariant {
    /// What it holds.
    fn property(&self) -> Property;
    /// Whether anything that happens at `node` can matter. Asked once, when the run begins; of the
    /// nodes of which it is denied, the invariant hears neither marks nor events.
    fn concerns(&self, _node: NodeId) -> bool {
        true
    }
    /// Called for each mark that a node made, before [`Invariant::after_event`].
    fn on_mark(
        &mut self,
        _at: SimTime,
        _node: NodeId,
        _mark: Mark,
        _nodes: &dyn Nodes,
    ) -> Result<(), Violation> {
        Ok(())
    }
    /// Called when a client got the answer to an operation.
    fn on_complete(
        &mut self,
        _at: SimTime,
        _client: NodeId,
        _op: OpId,
        _call: &Call,
        _outcome: &Outcome,
    ) -> Result<(), Violation> {
        Ok(())
    }
    /// Called after every event; `touched` is the only node whose state may have changed.
    fn after_event(
        &mut self,
        at: SimTime,
        touched: NodeId,
        nodes: &dyn Nodes,
    ) -> Result<(), Violation>;
    /// How many things it has judged so far. One that has judged nothing says nothing of a run: its
    /// verdict is inconclusive.
    fn looked(&self) -> u64;
    /// What it has counted so far that reports show beside its verdict, in a few words; empty where
    /// there is no figure.
    fn measured(&self) -> String {
        String::new()
    }
    /// A copy, for snapshots of the world.
    fn fork(&self) -> Box<dyn Invariant>;
}

/// A breach of a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The name of the property.
    pub property: &'static str,
    /// The rule of the property that was broken, stable across seeds: `two leaders in one term`.
    pub rule: &'static str,
    /// When it showed.
    pub at: SimTime,
    /// The nodes involved.
    pub nodes: Vec<NodeId>,
    /// The operations involved.
    pub ops: Vec<OpId>,
    /// What was seen, in one sentence with its figures.
    pub detail: String,
}

/// What a check says of a finished run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It held.
    Ok,
    /// It did not, and how.
    Violated(Vec<Violation>),
    /// A budget ran out, or there was nothing to judge: neither proved nor refuted. Says why.
    Inconclusive(String),
}
